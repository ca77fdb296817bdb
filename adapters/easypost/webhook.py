"""Pure: is a delivery EasyPost's, and what is its key."""

import msgspec

from adapters.easypost.calls import OBJECT
from adapters.easypost.schemas import event_decoder
from adapters.easypost.settings import Settings, webhook_secrets
from hub.sdk.webhook import Delivery, Refuse, Store, Verdict, signed_hex

PREFIX = "hmac-sha256-hex="


def check(delivery: Delivery, settings: Settings) -> Verdict:
    """`X-Hmac-Signature` over the raw bytes; the event's id is the key, the same for every repeat.

    Never over re-serialised JSON: a weight of 614.4 or 136.0 prints differently elsewhere.
    """
    signature = delivery.headers.get("x-hmac-signature", "")
    given = signature.removeprefix(PREFIX) if signature.startswith(PREFIX) else None
    if not signed_hex(delivery.body, given, webhook_secrets(settings)):
        return Refuse()
    try:
        event = event_decoder.decode(delivery.body)
    except msgspec.MsgspecError:
        return Refuse(status=400, reason="the body is not an event with id and description")
    subject = None
    if event.result is not None:
        code, identity = event.result.tracking_code, event.result.id
        subject = f"{OBJECT}{code}" if event.description.startswith("tracker.") and code else identity
    return Store(key=event.id, topic=event.description, object=subject)
