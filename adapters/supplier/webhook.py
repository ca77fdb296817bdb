"""Checking what a supplier posts: pure, over the raw bytes, by Standard Webhooks."""

from datetime import UTC, datetime

from adapters.supplier.settings import Settings
from hub.sdk.webhook import Delivery, Store, Verdict, refuse_standard


def check(delivery: Delivery, settings: Settings) -> Verdict:
    """Is it signed with the connection's secret. It is known by its own id."""
    refused = refuse_standard(delivery, (settings.webhook_secret, settings.previous_webhook_secret))
    if refused is not None:
        return refused
    sent_at = datetime.fromtimestamp(int(delivery.headers["webhook-timestamp"]), UTC)
    identity = delivery.headers["webhook-id"]
    return Store(key=f"message:{identity}", topic="message", object=subject(sent_at, identity))


def subject(sent_at: datetime, name: str) -> str:
    """What a stored message or file is about: when it was sent, and its name."""
    return f"{sent_at.astimezone(UTC).isoformat()} {name}"
