"""Odoo 19: the merchant's ledger."""

from adapters.odoo.post import post
from adapters.odoo.probe import probe
from adapters.odoo.settings import Settings, account, transport
from hub.sdk.adapter import Adapter, Kind

ADAPTER = Adapter(
    name="odoo",
    title="Odoo 19",
    kind=Kind.LEDGER,
    settings=Settings,
    account=account,
    transport=transport,
    probe=probe,
    post=post,
)
