"""Pure: is a pushed notification ours. Amazon signs none; whoever forwards it knows our key."""

import hmac

from adapters.amazon.notifications import UNREADABLE, read
from adapters.amazon.settings import Settings
from hub.sdk.webhook import Delivery, Refuse, Store, Verdict


def check(delivery: Delivery, settings: Settings) -> Verdict:
    """A push of an EventBridge API destination, or of a forwarder of the queue, with our key in `x-api-key`."""
    given = delivery.headers.get("x-api-key", "")
    if not settings.push_key or not hmac.compare_digest(given.encode(), settings.push_key.encode()):
        return Refuse(reason="x-api-key is not the connection's push_key")
    notice = read(delivery.body, settings.seller_id)
    if notice.topic == UNREADABLE:
        return Refuse(status=400, reason="the body is no notification of the Selling Partner API")
    return Store(key=notice.key, topic=notice.topic, object=notice.object)
