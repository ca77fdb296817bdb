"""Amazon's Selling Partner API as one value: a marketplace that says that an order changed, and is asked what it is."""

from typing import Final

from adapters.amazon import statements
from adapters.amazon.cancels import cancel_order
from adapters.amazon.client import EVERY_SECONDS, OVERLAP_SECONDS, fetch, probe, pull_notifications, pull_orders
from adapters.amazon.line_cancels import cancel_lines
from adapters.amazon.listings import BATCH, publish_availability
from adapters.amazon.refunds import refund_payment
from adapters.amazon.settings import Settings, account, transport
from adapters.amazon.shipments import confirm_shipment
from adapters.amazon.sign_in import SIGN_IN
from adapters.amazon.statements import OVERLAP_SECONDS as LOOK_BACK
from adapters.amazon.statements import pull_refunds
from adapters.amazon.translate import FUNCTIONS
from adapters.amazon.webhook import check
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Pull, Subtracts, Topic

_NO_MATTER: Final = Topic(lane=Lane.FACTS, form=Form.EVENT, ignore=True)

IGNORED: Final = (
    "LISTINGS_ITEM_MFN_QUANTITY_CHANGE",
    "LISTINGS_ITEM_STATUS_CHANGE",
    "LISTINGS_ITEM_ISSUES_CHANGE",
    "ITEM_INVENTORY_EVENT_CHANGE",
    "FBA_INVENTORY_AVAILABILITY_CHANGES",
    "FBA_OUTBOUND_SHIPMENT_STATUS",
    "FULFILLMENT_ORDER_STATUS",
    "FEED_PROCESSING_FINISHED",
    "REPORT_PROCESSING_FINISHED",
    "SHIPMENT_TRACKING_MILESTONE_CHANGED",
    "TRANSACTION_UPDATE",
)
"""Stored and acknowledged: whoever waits for a feed asks for it, and the rest is no business of orders."""

ADAPTER: Final = Adapter(
    name="amazon",
    title="Amazon",
    kind=Kind.CHANNEL,
    settings=Settings,
    account=account,
    transport=transport,
    check=check,
    topics={
        "order": Topic(lane=Lane.ORDERS, form=Form.SNAPSHOT, mapping="order"),
        "ORDER_CHANGE": Topic(lane=Lane.FETCH, form=Form.EVENT, thin=True, fetched_as="order"),
        **dict.fromkeys(IGNORED, _NO_MATTER),
    },
    functions=FUNCTIONS,
    fetch=fetch,
    pulls={
        "orders": Pull(pages=pull_orders, every_seconds=EVERY_SECONDS, overlap_seconds=OVERLAP_SECONDS, resumes=True),
        "notifications": Pull(pages=pull_notifications, every_seconds=10, overlap_seconds=0),
        "refunds": Pull(pages=pull_refunds, every_seconds=statements.EVERY_SECONDS, overlap_seconds=LOOK_BACK),
    },
    sign_in=SIGN_IN,
    probe=probe,
    confirm_shipment=confirm_shipment,
    cancel_order=cancel_order,
    pays_back_cancelled=True,
    cancel_lines=cancel_lines,
    refund_payment=refund_payment,
    publish_availability=publish_availability,
    availability_batch=BATCH,
    opt_in=frozenset({statements.PULL}),
    # The quantity of a listing is what may be sold: Amazon takes off nothing for orders that it has already shown us.
    subtracts=Subtracts.NOTHING,
)
