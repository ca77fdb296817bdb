"""Tryton 8: the merchant's ledger."""

from adapters.tryton.post import post
from adapters.tryton.probe import probe
from adapters.tryton.settings import Settings, account, transport
from hub.sdk.adapter import Adapter, Kind

ADAPTER = Adapter(
    name="tryton",
    title="Tryton 8",
    kind=Kind.LEDGER,
    settings=Settings,
    account=account,
    transport=transport,
    probe=probe,
    post=post,
)
