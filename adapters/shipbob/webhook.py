"""Pure: is a delivery ShipBob's, and which order or return is it about."""

import msgspec

from adapters.shipbob.calls import OBJECT
from adapters.shipbob.returns import OBJECT as RETURN
from adapters.shipbob.schemas import webhook_decoder
from adapters.shipbob.settings import Settings
from hub.sdk.webhook import Delivery, Refuse, Store, Verdict, signed_standard


def check(delivery: Delivery, settings: Settings) -> Verdict:
    """Standard Webhooks 1.0; the topic is in `x-webhook-topic`, the key in `webhook-id`, the same for every repeat.

    Deliveries come late and out of order (ShipBob's own words), so they only say which order to read.
    """
    if not signed_standard(delivery, (settings.webhook_secret, settings.previous_webhook_secret)):
        return Refuse()
    topic = delivery.headers.get("x-webhook-topic", "")
    if not topic:
        return Refuse(status=400, reason="the delivery has no x-webhook-topic")
    try:
        said = webhook_decoder.decode(delivery.body)
    except msgspec.MsgspecError:
        return Refuse(status=400, reason="the body is not a JSON object with numeric ids")
    order = said.order_id if said.order_id is not None else said.id
    subject = None
    if topic.startswith("order.") and order is not None:
        subject = f"{OBJECT}{order}"
    elif topic.startswith("return.") and said.id is not None:
        subject = f"{RETURN}{said.id}"
    if subject is None and topic.startswith(("order.", "return.")):
        return Refuse(status=400, reason="the body names no order and no return")
    return Store(key=delivery.headers["webhook-id"], topic=topic, object=subject)
