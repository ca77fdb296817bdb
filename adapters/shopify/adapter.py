"""Shopify: what it can do."""

from collections.abc import Mapping
from typing import Final

from adapters.shopify.availability import publish_availability
from adapters.shopify.cancels import cancel_order
from adapters.shopify.client import OVERLAP_SECONDS, probe, pull_orders
from adapters.shopify.fetches import fetch
from adapters.shopify.history import EVERY_SECONDS as HISTORY_SECONDS
from adapters.shopify.history import pull_history
from adapters.shopify.levels import BATCH
from adapters.shopify.line_cancels import cancel_lines
from adapters.shopify.payments import capture_payment, refund_payment, void_payment
from adapters.shopify.privacy import data_request, redact_customer, redact_shop
from adapters.shopify.settings import Settings, account, transport
from adapters.shopify.shipments import confirm_shipment
from adapters.shopify.sign_in import SIGN_IN
from adapters.shopify.stock import TOPIC as STOCK
from adapters.shopify.stock import pull_stock, stock_report
from adapters.shopify.subscriptions import NIGHTLY_SECONDS, keep_subscriptions
from adapters.shopify.translate import FUNCTIONS
from adapters.shopify.webhook import addressed, check
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Pull, Subtracts, Topic

_ORDER: Final = Topic(lane=Lane.ORDERS, form=Form.SNAPSHOT, mapping="order")
_FETCHED: Final = Topic(lane=Lane.FETCH, form=Form.EVENT, thin=True, fetched_as="orders/updated")
_LEVEL: Final = Topic(lane=Lane.FETCH, form=Form.EVENT, thin=True, fetched_as=STOCK)
_IGNORED: Final = Topic(lane=Lane.FACTS, form=Form.EVENT, ignore=True)

ORDER_TOPICS: Final = (
    "orders/create",
    "orders/updated",
    "orders/cancelled",
    "orders/paid",
    "orders/fulfilled",
    "orders/partially_fulfilled",
)
"""Their bodies are the whole order."""

RETURN_TOPICS: Final = (
    "returns/request",
    "returns/approve",
    "returns/decline",
    "returns/cancel",
    "returns/close",
    "returns/reopen",
    "returns/update",
    "returns/process",
)

HOLD_TOPICS: Final = ("fulfillment_orders/placed_on_hold", "fulfillment_orders/hold_released")
"""Their bodies name a fulfilment order; the order that it belongs to says why it is held, or that it is no more."""

FETCHED_TOPICS: Final = (
    "orders/edited",
    "orders/risk_assessment_changed",
    "refunds/create",
    *RETURN_TOPICS,
    *HOLD_TOPICS,
)
"""Their bodies are about an order without being one."""

LEVEL_TOPIC: Final = "inventory_levels/update"

_IN_SNAPSHOT: Final = "the order's own snapshot says it too, in a message of its own"
_READ_ANEW: Final = "every shipment reads the fulfilment orders as they are then"
_SERVICE: Final = "addressed to fulfilment services; the hub acts as the merchant's own app"
_CATALOGUE: Final = "items belong to the hub's catalogue; an unknown variant shows with the order that names it"
_LOCATION: Final = "stock points are bound by people; the connection test names the locations that are active"

IGNORED_TOPICS: Final[Mapping[str, str]] = {
    "orders/delete": "Shopify deletes only what is over: archived, cancelled or test orders",
    "orders/link_requested": "a customer looked at the page of an order",
    "orders/shopify_protect_eligibility_changed": "an insurance of the shop's; nothing of the order changes",
    **dict.fromkeys(("fulfillments/create", "fulfillments/update"), _IN_SNAPSHOT),
    **dict.fromkeys(
        (
            "fulfillment_orders/order_routing_complete",
            "fulfillment_orders/moved",
            "fulfillment_orders/split",
            "fulfillment_orders/merged",
            "fulfillment_orders/cancelled",
            "fulfillment_orders/rescheduled",
            "fulfillment_orders/scheduled_fulfillment_order_ready",
            "fulfillment_orders/progress_reported",
            "fulfillment_orders/manually_reported_progress_stopped",
            "fulfillment_orders/line_items_prepared_for_local_delivery",
            "fulfillment_orders/line_items_prepared_for_pickup",
        ),
        _READ_ANEW,
    ),
    **dict.fromkeys(("fulfillment_holds/added", "fulfillment_holds/released"), "HOLD_TOPICS say the same, per order"),
    **dict.fromkeys(
        (
            "fulfillment_orders/fulfillment_request_submitted",
            "fulfillment_orders/fulfillment_request_accepted",
            "fulfillment_orders/fulfillment_request_rejected",
            "fulfillment_orders/fulfillment_service_failed_to_complete",
            "fulfillment_orders/cancellation_request_submitted",
            "fulfillment_orders/cancellation_request_accepted",
            "fulfillment_orders/cancellation_request_rejected",
        ),
        _SERVICE,
    ),
    **dict.fromkeys(
        ("inventory_levels/connect", "inventory_levels/disconnect"),
        "a level that cannot be told is named when it is told",
    ),
    **dict.fromkeys(
        (
            "inventory_items/create",
            "inventory_items/update",
            "inventory_items/delete",
            "products/create",
            "products/update",
            "products/delete",
        ),
        _CATALOGUE,
    ),
    **dict.fromkeys(
        (
            "locations/create",
            "locations/update",
            "locations/delete",
            "locations/activate",
            "locations/deactivate",
        ),
        _LOCATION,
    ),
    "app/uninstalled": "the next call is answered 401, and the connection waits",
}
"""Stored and acknowledged, and why nothing follows. Those that are not subscribed to come only if somebody else did."""

ADAPTER: Final = Adapter(
    name="shopify",
    title="Shopify",
    kind=Kind.CHANNEL,
    settings=Settings,
    account=account,
    transport=transport,
    check=check,
    addressed=addressed,
    topics={
        **dict.fromkeys(ORDER_TOPICS, _ORDER),
        **dict.fromkeys(FETCHED_TOPICS, _FETCHED),
        LEVEL_TOPIC: _LEVEL,
        STOCK: Topic(lane=Lane.STOCK, form=Form.SNAPSHOT, translate=stock_report),
        "customers/data_request": Topic(lane=Lane.FACTS, form=Form.EVENT, translate=data_request),
        "customers/redact": Topic(lane=Lane.FACTS, form=Form.EVENT, translate=redact_customer),
        "shop/redact": Topic(lane=Lane.FACTS, form=Form.EVENT, translate=redact_shop),
        **dict.fromkeys(IGNORED_TOPICS, _IGNORED),
    },
    functions=FUNCTIONS,
    fetch=fetch,
    pulls={
        "orders": Pull(pages=pull_orders, every_seconds=300, overlap_seconds=OVERLAP_SECONDS, resumes=True),
        "history": Pull(pages=pull_history, every_seconds=HISTORY_SECONDS, overlap_seconds=0),
        "stock": Pull(pages=pull_stock, every_seconds=3600, overlap_seconds=0),
        "subscriptions": Pull(pages=keep_subscriptions, every_seconds=NIGHTLY_SECONDS, overlap_seconds=0),
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
    # `available` is net of what Shopify's own open orders take, and so is our number: nothing to add back.
    subtracts=Subtracts.NOTHING,
)
