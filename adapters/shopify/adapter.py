"""Shopify: what it can do."""

from typing import Final

from adapters.shopify.availability import publish_availability
from adapters.shopify.cancels import cancel_order
from adapters.shopify.client import OVERLAP_SECONDS, fetch, probe, pull_orders
from adapters.shopify.levels import BATCH
from adapters.shopify.payments import capture_payment, refund_payment, void_payment
from adapters.shopify.settings import Settings, account, transport
from adapters.shopify.shipments import confirm_shipment
from adapters.shopify.translate import FUNCTIONS
from adapters.shopify.webhook import addressed, check
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Pull, Subtracts, Topic

_ORDER: Final = Topic(lane=Lane.ORDERS, form=Form.SNAPSHOT, mapping="order")
_FETCHED: Final = Topic(lane=Lane.FETCH, form=Form.EVENT, thin=True, fetched_as="orders/updated")
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

FETCHED_TOPICS: Final = ("orders/edited", "refunds/create")
"""Their bodies are about an order without being one."""

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
    "inventory_levels/update",
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
    "customers/data_request",
    "customers/redact",
    "shop/redact",
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
        **dict.fromkeys(IGNORED_TOPICS, _IGNORED),
    },
    functions=FUNCTIONS,
    fetch=fetch,
    pulls={"orders": Pull(pages=pull_orders, every_seconds=300, overlap_seconds=OVERLAP_SECONDS)},
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
