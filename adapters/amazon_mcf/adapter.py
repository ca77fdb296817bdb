"""Amazon Multi-Channel Fulfillment as one value: a 3PL that is told by API and asked by scheduled pull."""

from typing import Final

from adapters.amazon_mcf.client import cancel_fulfilment, probe, submit_fulfilment
from adapters.amazon_mcf.pulls import pull_status, pull_stock
from adapters.amazon_mcf.settings import OVERLAP_SECONDS, Settings, account, transport
from adapters.amazon_mcf.translate import facts_2020, facts_2026, short_facts, stock_facts
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Pull, Subtracts, Topic

ADAPTER: Final = Adapter(
    name="amazon_mcf",
    title="Amazon Multi-Channel Fulfillment",
    kind=Kind.NODE,
    settings=Settings,
    account=account,
    transport=transport,
    topics={
        "order_2020": Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=facts_2020),
        "order_2026": Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=facts_2026),
        "shortfall": Topic(lane=Lane.FACTS, form=Form.EVENT, translate=short_facts),
        "inventory": Topic(lane=Lane.STOCK, form=Form.SNAPSHOT, translate=stock_facts),
    },
    pulls={
        "status": Pull(pages=pull_status, every_seconds=60, overlap_seconds=OVERLAP_SECONDS),
        "stock": Pull(pages=pull_stock, every_seconds=900, overlap_seconds=1800),
    },
    probe=probe,
    submit_fulfilment=submit_fulfilment,
    cancel_fulfilment=cancel_fulfilment,
    # Fulfillable is what can be picked: Amazon has taken off what its open orders reserve, ours among them.
    stock_subtracts=Subtracts.OWN_OPEN_ORDERS,
)
