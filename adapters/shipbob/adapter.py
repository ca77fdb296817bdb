"""ShipBob as one value: a 3PL that is told by API and asked by scheduled pull."""

from adapters.shipbob.client import cancel_fulfilment, fetch, probe, pull_status, pull_stock, submit_fulfilment
from adapters.shipbob.history import PULL as PULL_HISTORY
from adapters.shipbob.history import TOPIC as MOVED
from adapters.shipbob.history import history_facts, pull_history
from adapters.shipbob.receiving import EVERY_SECONDS as RECEIVING_SECONDS
from adapters.shipbob.receiving import TOPIC as RECEIVED
from adapters.shipbob.receiving import advise_stock, pull_receiving, pull_supply, received_facts
from adapters.shipbob.returns import TOPIC as RETURNED
from adapters.shipbob.returns import pull_returns, returned_facts
from adapters.shipbob.settings import OVERLAP_SECONDS, Settings, account, transport
from adapters.shipbob.translate import order_facts, stock_facts, stopped_facts
from adapters.shipbob.webhook import check
from hub.sdk import supply_reads
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Pull, Topic

_TELLS = Topic(lane=Lane.FETCH, form=Form.EVENT, thin=True, fetched_as="order")
_NO_MATTER = Topic(lane=Lane.FACTS, form=Form.EVENT, ignore=True)

ADAPTER = Adapter(
    name="shipbob",
    title="ShipBob",
    kind=Kind.NODE,
    settings=Settings,
    account=account,
    transport=transport,
    check=check,
    topics={
        "order": Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=order_facts),
        "shipment_stopped": Topic(lane=Lane.FACTS, form=Form.EVENT, translate=stopped_facts),
        "inventory_level": Topic(lane=Lane.STOCK, form=Form.SNAPSHOT, translate=stock_facts),
        MOVED: Topic(lane=Lane.STOCK, form=Form.EVENT, translate=history_facts),
        RECEIVED: Topic(lane=Lane.FACTS, form=Form.EVENT, translate=received_facts),
        supply_reads.SUPPLY: Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=supply_reads.supply_facts),
        "order.shipped": _TELLS,
        "order.delivered": _TELLS,
        "order.shipment.delivered": _TELLS,
        "order.shipment.exception": _TELLS,
        "order.shipment.on_hold": _TELLS,
        "order.shipment.cancelled": _TELLS,
        "order.shipment.tracking.updated": _TELLS,
        "order.shipment.address.updated": _NO_MATTER,
        "order.shipment.shipping_service.updated": _NO_MATTER,
        "order.shipment.line_item.added": _TELLS,
        "order.shipment.line_item.removed": _TELLS,
        "order.shipment.line_item.updated": _TELLS,
        # Goods count when they have been looked at.
        "return.created": _NO_MATTER,
        "return.updated": _NO_MATTER,
        "return.completed": Topic(lane=Lane.FETCH, form=Form.EVENT, thin=True, fetched_as=RETURNED),
        RETURNED: Topic(lane=Lane.FACTS, form=Form.EVENT, translate=returned_facts),
        "billing.charge.created": _NO_MATTER,
        "billing.refund.created": _NO_MATTER,
        "billing.credit.created": _NO_MATTER,
    },
    fetch=fetch,
    pulls={
        "status": Pull(pages=pull_status, every_seconds=60, overlap_seconds=OVERLAP_SECONDS),
        "returns": Pull(pages=pull_returns, every_seconds=600, overlap_seconds=OVERLAP_SECONDS),
        "stock": Pull(pages=pull_stock, every_seconds=300, overlap_seconds=0),
        "receiving": Pull(pages=pull_receiving, every_seconds=RECEIVING_SECONDS, overlap_seconds=OVERLAP_SECONDS),
        "supply": Pull(pages=pull_supply, every_seconds=supply_reads.EVERY_SECONDS, overlap_seconds=0),
        "history": Pull(pages=pull_history, every_seconds=900, overlap_seconds=OVERLAP_SECONDS),
    },
    probe=probe,
    submit_fulfilment=submit_fulfilment,
    cancel_fulfilment=cancel_fulfilment,
    advise_stock=advise_stock,
    opt_in=frozenset({supply_reads.PULL, PULL_HISTORY}),
)
