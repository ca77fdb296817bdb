"""What a thin delivery is about, read from the shop."""

from adapters.shopify import documents, orders
from adapters.shopify.client import Shop, bring, call, fetch_order, gid
from adapters.shopify.stock import fetch_level
from hub.sdk.capabilities import Pulled


async def fetch(context: Shop, topic: str, object: str, body: bytes, /) -> Pulled | tuple[Pulled, ...]:
    """The order, or the stock, as it is now."""
    if object.startswith("level:"):
        return await fetch_level(context, body)
    return await (fetch_work(context, object) if object.startswith("work:") else fetch_order(context, topic, object))


async def fetch_work(context: Shop, object: str) -> Pulled | tuple[Pulled, ...]:
    """The order of a fulfilment order; nothing where that is gone: the splits and merges that replace it tell too."""
    wanted = {"id": gid("FulfillmentOrder", object.removeprefix("work:"))}
    found = await call(context, documents.ORDER_OF_WORK, wanted, "fulfillmentOrder", orders.Work)
    if found is None:
        return ()
    (order,) = await bring(context, [found.order])
    return order
