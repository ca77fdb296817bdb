"""What a connection to a Shopify shop needs to know, and how the shop is reached."""

from typing import Annotated, Final

import msgspec

from adapters.shopify.answers import read_rates
from hub.sdk.redaction import Masked
from hub.sdk.wire import RateLimit, Transport

Secret = Annotated[str, msgspec.Meta(extra_json_schema={"x-secret": True})]
OptionalSecret = Annotated[str | None, msgspec.Meta(extra_json_schema={"x-secret": True})]
Version = Annotated[str, msgspec.Meta(pattern=r"^(\d{4}-\d{2}|unstable)$")]

POINTS_CAPACITY: Final = 2000.0
POINTS_PER_SECOND: Final = 100.0
"""Standard plan. Every answer tells the shop's own figures, which replace these (Advanced 200, Plus 1000 a second)."""


class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Config of a connection."""

    shop: str
    """The shop's permanent domain: "acme.myshopify.com"."""
    client_secret: Secret
    """The app's client secret: the key of every webhook's HMAC. Empty: no delivery is ever accepted."""
    access_token: Secret
    previous_client_secret: OptionalSecret = None
    """Either secret may sign for up to an hour after a rotation."""
    api_version: Version = "2026-04"
    """Pinned per shop: the inventory inputs change shape with it."""
    base_url: str | None = None
    """Replaces `https://{shop}`: a proxy or a simulator."""


def account(settings: Settings) -> str:
    """Name of the account: the shop's domain in lower case, without scheme and slash."""
    return settings.shop.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/")


def transport(settings: Settings) -> Transport:
    """One endpoint, a static token, and one bucket of cost points per app and shop."""
    host = (settings.base_url or f"https://{account(settings)}").rstrip("/")
    return Transport(
        base_url=f"{host}/admin/api/{settings.api_version}",
        headers={
            "x-shopify-access-token": settings.access_token,
            "content-type": "application/json",
            "accept": "application/json",
        },
        limits=(
            RateLimit(scope="account", key=account(settings), capacity=POINTS_CAPACITY, per_second=POINTS_PER_SECOND),
        ),
        read_rates=read_rates,
    )
