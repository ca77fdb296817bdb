"""What a thin delivery is about, read from the shop."""

from adapters.shopify.client import Shop, fetch_order
from adapters.shopify.stock import fetch_level
from hub.sdk.capabilities import Pulled


async def fetch(context: Shop, topic: str, object: str, body: bytes, /) -> Pulled | tuple[Pulled, ...]:
    """The order, or the stock, as it is now."""
    return await (fetch_level(context, body) if object.startswith("level:") else fetch_order(context, topic, object))
