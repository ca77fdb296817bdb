"""Checking what a supplier posts: pure, over the raw bytes, by Standard Webhooks."""

from datetime import UTC, datetime

from adapters.supplier.settings import Settings
from hub.sdk.webhook import Delivery, Refuse, Store, Verdict, signed_standard


def check(delivery: Delivery, settings: Settings) -> Verdict:
    """Is it signed with the connection's secret. It is known by its own id."""
    try:
        good = signed_standard(delivery, (settings.webhook_secret, settings.previous_webhook_secret))
    except ValueError:
        return Refuse(status=401, reason="the connection's webhook_secret is no base64; set another")
    if not good:
        return Refuse(
            status=401,
            reason="sign webhook-id, webhook-timestamp and the body as Standard Webhooks says, with the webhook_secret",
        )
    sent_at = datetime.fromtimestamp(int(delivery.headers["webhook-timestamp"]), UTC)
    identity = delivery.headers["webhook-id"]
    return Store(key=f"message:{identity}", topic="message", object=subject(sent_at, identity))


def subject(sent_at: datetime, name: str) -> str:
    """What a stored message or file is about: when it was sent, and its name."""
    return f"{sent_at.astimezone(UTC).isoformat()} {name}"
