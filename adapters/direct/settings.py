"""What a direct channel is configured with."""

from typing import Annotated

import msgspec

from hub.sdk.redaction import Masked
from hub.sdk.wire import Transport

Secret = Annotated[str | None, msgspec.Meta(extra_json_schema={"x-secret": True})]


class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The channel's name, and where its money is moved."""

    channel: str = "direct"
    base_url: str | None = None
    """The merchant's payment service, as README.md describes it; without one, people move the money."""
    payment_token: Secret = None
    """Bearer token for it."""


def account(settings: Settings) -> str:
    """The channel's name is the account's."""
    return settings.channel


def transport(settings: Settings) -> Transport:
    """The payment service; without one there is nobody to call."""
    headers = {"accept": "application/json", "content-type": "application/json"}
    if settings.payment_token:
        headers["authorization"] = f"Bearer {settings.payment_token}"
    return Transport(base_url=(settings.base_url or "http://127.0.0.1:9").rstrip("/"), headers=headers)
