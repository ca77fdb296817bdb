"""Shopify: what it can do."""

from typing import Final

from adapters.shopify.availability import publish_availability
from adapters.shopify.cancels import cancel_order
from adapters.shopify.client import OVERLAP_SECONDS, probe, pull_orders
from adapters.shopify.fetches import fetch
from adapters.shopify.levels import BATCH
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
)

FETCHED_TOPICS: Final = ("orders/edited", "refunds/create", *RETURN_TOPICS)
"""Their bodies are about an order without being one."""

LEVEL_TOPIC: Final = "inventory_levels/update"

IGNORED_TOPICS: Final = (
    "orders/delete",
    "fulfillments/create",
    "fulfillments/update",
    "fulfillment_orders/order_routing_complete",
    "fulfillment_orders/moved",
    "fulfillment_orders/split",
    "fulfillment_orders/merged",
    "fulfillment_orders/cancelled",
    "fulfillment_orders/placed_on_hold",
    "fulfillment_orders/hold_released",
    "inventory_items/create",
    "inventory_items/update",
    "inventory_items/delete",
    "products/create",
    "products/update",
    "products/delete",
    "locations/create",
    "locations/update",
    "locations/delete",
    "app/uninstalled",
)
"""Stored and acknowledged: what they say reaches us with the order's own snapshot, or is no business of orders."""

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
        "orders": Pull(pages=pull_orders, every_seconds=300, overlap_seconds=OVERLAP_SECONDS),
        "stock": Pull(pages=pull_stock, every_seconds=3600, overlap_seconds=0),
        "subscriptions": Pull(pages=keep_subscriptions, every_seconds=NIGHTLY_SECONDS, overlap_seconds=0),
    },
    sign_in=SIGN_IN,
    probe=probe,
    confirm_shipment=confirm_shipment,
    cancel_order=cancel_order,
    capture_payment=capture_payment,
    void_payment=void_payment,
    refund_payment=refund_payment,
    publish_availability=publish_availability,
    availability_batch=BATCH,
    # `available` is net of what Shopify's own open orders take, and so is our number: nothing to add back.
    subtracts=Subtracts.NOTHING,
)
