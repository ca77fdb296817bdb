"""ShipHero: a warehouse management system, spoken to over GraphQL and webhooks."""

from adapters.shiphero import holds, translate
from adapters.shiphero.client import cancel_fulfilment, fetch, probe, submit_fulfilment
from adapters.shiphero.pulls import OVERLAP, status_pages, stock_pages
from adapters.shiphero.returns import TOPIC as RETURN
from adapters.shiphero.returns import listed_return, return_pages, return_update
from adapters.shiphero.settings import Settings, account, transport
from adapters.shiphero.snapshots import EVERY_SECONDS as SNAPSHOT_SECONDS
from adapters.shiphero.snapshots import snapshot_pages
from adapters.shiphero.webhook import check
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Pull, Topic

LOOK_BACK = int(OVERLAP.total_seconds())
RETURNS_EVERY_SECONDS = 6 * 3600
"""Webhooks tell at once; this finds those that never came."""

ADAPTER = Adapter(
    name="shiphero",
    title="ShipHero",
    kind=Kind.NODE,
    settings=Settings,
    account=account,
    transport=transport,
    check=check,
    topics={
        "Shipment Update": Topic(lane=Lane.FACTS, form=Form.EVENT, translate=translate.shipment_update),
        "Order Canceled": Topic(lane=Lane.FACTS, form=Form.EVENT, translate=translate.order_canceled),
        "Order Allocated": Topic(lane=Lane.FACTS, form=Form.EVENT, translate=translate.order_allocated),
        "Order Packed Out": Topic(lane=Lane.FETCH, form=Form.EVENT, thin=True, fetched_as="packed_order"),
        "packed_order": Topic(lane=Lane.FACTS, form=Form.EVENT, translate=translate.packed_order),
        "Inventory Update": Topic(lane=Lane.STOCK, form=Form.SNAPSHOT, translate=translate.inventory_update),
        "Inventory Change": Topic(lane=Lane.STOCK, form=Form.EVENT, translate=translate.inventory_change),
        "shipment": Topic(lane=Lane.FACTS, form=Form.EVENT, translate=translate.shipment),
        "order": Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=translate.order),
        holds.TOPIC: Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=holds.order_holds),
        "inventory_snapshot": Topic(lane=Lane.STOCK, form=Form.SNAPSHOT, translate=translate.inventory_snapshot),
        "Return Update": Topic(lane=Lane.FACTS, form=Form.EVENT, translate=return_update),
        RETURN: Topic(lane=Lane.FACTS, form=Form.EVENT, translate=listed_return),
        # Steps inside the warehouse that change neither a promise nor a count.
        "Tote Complete": Topic(lane=Lane.FACTS, form=Form.EVENT, ignore=True),
        "Tote Cleared": Topic(lane=Lane.FACTS, form=Form.EVENT, ignore=True),
        "Package Added": Topic(lane=Lane.FACTS, form=Form.EVENT, ignore=True),
        "Order Deallocated": Topic(lane=Lane.FACTS, form=Form.EVENT, ignore=True),
        "Print Barcode": Topic(lane=Lane.FACTS, form=Form.EVENT, ignore=True),
    },
    fetch=fetch,
    pulls={
        "status": Pull(pages=status_pages, every_seconds=120, overlap_seconds=LOOK_BACK, resumes=True),
        "returns": Pull(pages=return_pages, every_seconds=RETURNS_EVERY_SECONDS, overlap_seconds=0, resumes=True),
        "stock": Pull(pages=stock_pages, every_seconds=900, overlap_seconds=LOOK_BACK, resumes=True),
        "snapshot": Pull(pages=snapshot_pages, every_seconds=SNAPSHOT_SECONDS, overlap_seconds=0, resumes=True),
    },
    probe=probe,
    submit_fulfilment=submit_fulfilment,
    cancel_fulfilment=cancel_fulfilment,
)
