"""What a connection to Multi-Channel Fulfillment needs to know, and how it is reached."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec

from adapters.amazon_mcf.limits import limits, read_rates
from hub.sdk.auth import PLACE
from hub.sdk.redaction import Masked
from hub.sdk.wire import RefreshToken, Transport

Secret = Annotated[str, msgspec.Meta(extra_json_schema={"x-secret": True})]
Policy = Literal["FillOrKill", "FillAll", "FillAllAvailable"]
Speed = Literal["Standard", "Expedited", "Priority"]

HOSTS: Final = {
    "na": "https://sellingpartnerapi-na.amazon.com",
    "eu": "https://sellingpartnerapi-eu.amazon.com",
    "fe": "https://sellingpartnerapi-fe.amazon.com",
}
TOKEN_URL: Final = "https://api.amazon.com/auth/o2/token"
USER_AGENT: Final = "Crossdock/0.1 (Language=Python)"
OVERLAP_SECONDS: Final = 300
"""How far a pull of status looks back over its own cursor."""


class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Config of a connection."""

    seller_id: str
    """The merchant token; Seller Central, account info."""
    marketplace_id: str
    """Whose inventory ships: "ATVPDKIKX0DER"."""
    client_id: str
    """The app's LWA client identifier."""
    client_secret: Secret
    refresh_token: Secret
    """From the seller's authorisation; valid in one region."""
    region: Literal["na", "eu", "fe"] = "na"
    version: Literal["2020-07-01", "2026-07-04"] = "2026-07-04"
    """Which of the two outbound APIs is spoken. Orders made by one cannot be read by the other: change it when idle."""
    policy: Policy = "FillOrKill"
    """What Amazon does when it has not all of it: nothing, wait, or send what there is."""
    speed: Speed = "Standard"
    """For requests that ask for no service."""
    speeds: Mapping[str, Speed] = {}
    """Our word for a service -> Amazon's speed. One that is not named here is never sent at the default."""
    channel: str | None = None
    """The sales channel as Amazon prices it ("SHOPIFY"); 2026-07-04 only."""
    unbranded: bool = False
    """Ask for boxes without Amazon's name; costs more, and not every item has them."""
    location: str = "AMAZON"
    """Our name for Amazon's network as one node: it chooses the fulfilment centre by itself."""
    comment: str = "Thank you for your order."
    """Printed on the packing slip; 2020-07-01 requires one."""
    overlap_seconds: int = OVERLAP_SECONDS
    base_url: str | None = None
    """Replaces the region's host, and with it the token endpoint's: a proxy or a simulator."""


def account(settings: Settings) -> str:
    """The selling account."""
    return settings.seller_id


def transport(settings: Settings) -> Transport:
    """The region's host, LWA tokens in a header of Amazon's own, one bucket per operation."""
    base = settings.base_url
    return Transport(
        base_url=(base or HOSTS[settings.region]).rstrip("/"),
        headers={"x-amz-access-token": PLACE, "user-agent": USER_AGENT, "accept": "application/json"},
        auth=RefreshToken(
            token_url=f"{base.rstrip('/')}/auth/o2/token" if base else TOKEN_URL,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            refresh_token=settings.refresh_token,
        ),
        limits=limits(settings.client_id, settings.seller_id),
        read_rates=read_rates,
    )
