"""Square: point of sale and online orders."""

from typing import Final

from adapters.square.availability import BATCH, publish_availability
from adapters.square.cancels import cancel_order
from adapters.square.client import OVERLAP_SECONDS, probe, pull_orders
from adapters.square.counts import EVENT as COUNTED
from adapters.square.counts import EVERY_SECONDS as STOCK_SECONDS
from adapters.square.counts import TOPIC as COUNTS
from adapters.square.counts import count_facts, fetch, pull_stock
from adapters.square.line_cancels import cancel_lines
from adapters.square.payments import capture_payment, refund_payment, void_payment
from adapters.square.settings import Settings, account, transport
from adapters.square.shipments import confirm_shipment
from adapters.square.sign_in import SIGN_IN
from adapters.square.translate import FUNCTIONS
from adapters.square.webhook import UNRELATED, addressed, check
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Pull, Subtracts, Topic

_FETCHED: Final = Topic(lane=Lane.FETCH, form=Form.EVENT, thin=True, fetched_as="order")
_IGNORED: Final = Topic(lane=Lane.FACTS, form=Form.EVENT, ignore=True)

FETCHED_TOPICS: Final = (
    "order.created",
    "order.updated",
    "order.fulfillment.updated",
    "payment.created",
    "payment.updated",
    "refund.created",
    "refund.updated",
)
"""They name an order, or a payment of one. Sales of older tills give no order event, so payments are followed too."""

IGNORED_TOPICS: Final = (
    *(f"{topic}{UNRELATED}" for topic in FETCHED_TOPICS),
    "order.custom_attribute.updated",
    f"{COUNTED}{UNRELATED}",
    "catalog.version.updated",
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "gift_card.created",
    "gift_card.updated",
    "gift_card.activity.created",
    "gift_card.activity.updated",
    "location.created",
    "location.updated",
    "payout.sent",
    "payout.paid",
    "payout.failed",
    "terminal.checkout.created",
    "terminal.checkout.updated",
    "terminal.refund.created",
    "terminal.refund.updated",
    "oauth.authorization.revoked",
    "webhooks.test_notification",
)
"""Stored and acknowledged: what they say reaches us with an order's own state, or is no business of orders. Counts of
locations that are told our numbers are echoes of them; a revoked grant shows at the next call, which is refused."""

ADAPTER: Final = Adapter(
    name="square",
    title="Square",
    kind=Kind.CHANNEL,
    settings=Settings,
    account=account,
    transport=transport,
    check=check,
    addressed=addressed,
    topics={
        "order": Topic(lane=Lane.ORDERS, form=Form.SNAPSHOT, mapping="order"),
        COUNTS: Topic(lane=Lane.STOCK, form=Form.SNAPSHOT, translate=count_facts),
        COUNTED: Topic(lane=Lane.FETCH, form=Form.EVENT, thin=True, fetched_as=COUNTS),
        **dict.fromkeys(FETCHED_TOPICS, _FETCHED),
        **dict.fromkeys(IGNORED_TOPICS, _IGNORED),
    },
    functions=FUNCTIONS,
    fetch=fetch,
    pulls={
        "orders": Pull(pages=pull_orders, every_seconds=300, overlap_seconds=OVERLAP_SECONDS, resumes=True),
        "stock": Pull(pages=pull_stock, every_seconds=STOCK_SECONDS, overlap_seconds=OVERLAP_SECONDS),
    },
    sign_in=SIGN_IN,
    probe=probe,
    confirm_shipment=confirm_shipment,
    cancel_order=cancel_order,
    cancel_lines=cancel_lines,
    capture_payment=capture_payment,
    void_payment=void_payment,
    refund_payment=refund_payment,
    publish_availability=publish_availability,
    availability_batch=BATCH,
    # A count of IN_STOCK is what may be sold from now on: Square takes off what it sells after it, not what is open.
    subtracts=Subtracts.NOTHING,
)
