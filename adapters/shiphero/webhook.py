"""Is a delivery genuine, which one is it, and what is it about. Pure.

ShipHero names no topic in a header: `webhook_type` is read from the body, after the signature over its raw bytes held.
"""

import hashlib
from typing import Final

import msgspec

from adapters.shiphero.settings import Settings, webhook_secrets
from adapters.shiphero.webhook_schemas import Subject, Typed
from hub.sdk.webhook import Delivery, Refuse, Reply, Store, Verdict, signed_base64

SIGNATURE: Final = "x-shiphero-hmac-sha256"
MESSAGE_ID: Final = "x-shiphero-message-id"
"""Sent since 2025-12-29; before that, and without it, the body is the only identity a delivery has."""

ACCEPTED: Final = Reply(status=200, body=b'{"code":"200"}', content_type="application/json")

QUESTIONS: Final = frozenset({"Capture Payment", "Generate Label"})
"""Deliveries whose answer ShipHero acts upon: "200" would say that a payment was captured."""

_typed: Final = msgspec.json.Decoder(Typed)
_subject: Final = msgspec.json.Decoder(Subject)


def check(delivery: Delivery, settings: Settings) -> Verdict:
    """The verdict on a delivery. A type we do not know is stored under its own name, for somebody to see."""
    if not signed_base64(delivery.body, delivery.headers.get(SIGNATURE), webhook_secrets(settings)):
        return Refuse()
    try:
        topic = _typed.decode(delivery.body).webhook_type
    except msgspec.MsgspecError:
        return Refuse(status=400, reason="the body is no ShipHero document with a webhook_type")
    if topic in QUESTIONS:
        return Refuse(status=400, reason=f"{topic} asks for an answer we do not give: unregister it")
    return Store(
        key=delivery.headers.get(MESSAGE_ID) or hashlib.sha256(delivery.body).hexdigest(),
        topic=topic,
        object=about(delivery.body),
        reply=ACCEPTED,
    )


def about(body: bytes) -> str | None:
    """The object in whose sequence a delivery is handled: our fulfilment, else ShipHero's order, else a SKU.

    None where a field has an unheard-of form: the delivery is stored all the same, and its reading says what is wrong.
    """
    try:
        subject = _subject.decode(body)
    except msgspec.MsgspecError:
        return None
    named = subject.fulfillment or subject
    if named.partner_order_id:
        return f"fulfilment:{named.partner_order_id}"
    if named.order_number:
        return f"order_number:{named.order_number}"
    if named.order_uuid or named.order_id:
        return f"order:{named.order_uuid or named.order_id}"
    sku = subject.inventory[0].sku if subject.inventory else subject.sku
    return f"sku:{sku}" if sku else None
