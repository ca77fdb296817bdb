"""Checking an upload: pure, over the raw bytes. The file is the body, its name the id of Standard Webhooks."""

from datetime import UTC, datetime

from adapters.order_files.settings import Settings
from hub.sdk.files import digest
from hub.sdk.webhook import Delivery, Store, Verdict, refuse_standard


def check(delivery: Delivery, settings: Settings) -> Verdict:
    """Is it signed with the connection's secret. A file is known by its name and its content."""
    refused = refuse_standard(delivery, (settings.webhook_secret, settings.previous_webhook_secret))
    if refused is not None:
        return refused
    sent_at = datetime.fromtimestamp(int(delivery.headers["webhook-timestamp"]), UTC)
    name = delivery.headers["webhook-id"]
    return Store(key=f"file:{name}:{digest(delivery.body)}", topic="file", object=subject(sent_at, name))


def subject(sent_at: datetime, name: str) -> str:
    """What a stored file is about: when it was sent, which makes the version of its orders, and its name."""
    return f"{sent_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} {name}"
