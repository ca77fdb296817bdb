"""What a connection to ShipBob is configured with, and how its API is reached."""

import binascii
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec

from hub.sdk.redaction import Masked
from hub.sdk.webhook import standard_key
from hub.sdk.wire import RateLimit, RateReading, Response, Transport

BASE_URL: Final = "https://api.shipbob.com"

OVERLAP_SECONDS: Final = 120
"""How far a pull of status looks back over its own cursor: ShipBob's clock and lists may lag."""

Secret = Annotated[str, msgspec.Meta(extra_json_schema={"x-secret": True})]
OptionalSecret = Annotated[str | None, msgspec.Meta(extra_json_schema={"x-secret": True})]


class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Configuration of one ShipBob account and the channel through which our orders enter it."""

    account: str
    """Name of the account: ShipBob's user id or the merchant's name. ShipBob has no call that would tell it."""
    token: Secret
    """Personal access token."""
    channel_id: int
    """The channel that our orders belong to; `reference_id` is unique within it."""
    version: str = "2026-01"
    """Dated version of the API; part of every URL."""
    shipping_method: str = "Standard"
    """For requests that ask for no service: a name of the account's ship option mapping."""
    webhook_secret: OptionalSecret = None
    """`whsec_...`; without it every delivery is refused, and pulls alone bring the news."""
    previous_webhook_secret: OptionalSecret = None
    """Still accepted while secrets are being changed."""
    requests_per_minute: int = 150
    """ShipBob counts per user and app in a sliding minute (developer.shipbob.com, rate limit); raised ones differ."""
    overlap_seconds: int = OVERLAP_SECONDS
    inbound_days: int = 7
    """When goods that are sent to ShipBob are expected there, in days after they left, where nobody says."""
    base_url: str | None = None

    def __post_init__(self) -> None:
        for secret in (self.webhook_secret, self.previous_webhook_secret):
            try:
                standard_key(secret or "")
            except binascii.Error:
                raise ValueError("a webhook secret of ShipBob is whsec_ and base64") from None
        if self.requests_per_minute < 1:
            raise ValueError("requests_per_minute must be at least 1")
        if self.inbound_days < 1:
            raise ValueError("inbound_days must be at least 1")


def account(settings: Settings) -> str:
    """The account's name."""
    return settings.account


def transport(settings: Settings) -> Transport:
    """Where and under which limit ShipBob is called.

    A bucket grants at most its capacity plus what flows in during the minute: a sixth at once and the rest over the
    minute stay inside a sliding window of `requests_per_minute`, with a thirtieth to spare for clocks.
    """
    allowed = settings.requests_per_minute
    limit = RateLimit(scope="account", key=settings.account, capacity=max(1.0, allowed / 6), per_second=allowed / 75)
    return Transport(
        base_url=settings.base_url or BASE_URL,
        headers={"authorization": f"Bearer {settings.token}", "accept": "application/json"},
        limits=(limit,),
        read_rates=read_rates,
    )


def read_rates(response: Response, now: datetime) -> tuple[RateReading, ...]:
    """ShipBob's own words for what is left: `x-remaining-calls`, and `x-retry-after` seconds with a 429."""
    remaining = _number(response.headers.get("x-remaining-calls"))
    wait = _number(response.headers.get("x-retry-after"))
    if remaining is None and wait is None:
        return ()
    not_before = None if wait is None else now + timedelta(seconds=wait)
    return (RateReading(scope="account", remaining=remaining, not_before=not_before),)


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdigit() else None
