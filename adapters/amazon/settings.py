"""What a connection to an Amazon selling account needs to know, and how the Selling Partner API is reached."""

from datetime import date
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec

from adapters.amazon.limits import limits, read_rates
from hub.sdk.auth import PLACE
from hub.sdk.redaction import Masked
from hub.sdk.wire import RefreshToken, Transport

Secret = Annotated[str, msgspec.Meta(extra_json_schema={"x-secret": True})]
OptionalSecret = Annotated[str | None, msgspec.Meta(extra_json_schema={"x-secret": True})]

HOSTS: Final = {
    "na": "https://sellingpartnerapi-na.amazon.com",
    "eu": "https://sellingpartnerapi-eu.amazon.com",
    "fe": "https://sellingpartnerapi-fe.amazon.com",
}
TOKEN_URL: Final = "https://api.amazon.com/auth/o2/token"
USER_AGENT: Final = "Crossdock/0.1 (Language=Python)"
SECRET_DAYS: Final = 180
"""An app's client secret dies after so many days."""


class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Config of a connection."""

    seller_id: str
    """The merchant token: "A3TH9S8BH6GOGM"; Seller Central, account info."""
    marketplace_ids: tuple[str, ...]
    """Marketplaces to sell in, all of one region: "ATVPDKIKX0DER"."""
    client_id: str
    """The app's LWA client identifier."""
    client_secret: Secret
    refresh_token: OptionalSecret = None
    """Of an authorisation that was made elsewhere; a sign-in here takes its place. Valid in one region."""
    application_id: str = ""
    """The app's id, "amzn1.sp.solution...", for signing in."""
    draft_app: bool = False
    """Whether the app is not published yet: sellers may authorise it for tests only."""
    region: Literal["na", "eu", "fe"] = "na"
    app_renewed_on: date | None = None
    """When the client secret was last rotated; the connection test then warns of its end, 180 days later."""
    queue_url: str | None = None
    """SQS queue (standard, of this connection alone) that Amazon's notifications are sent to."""
    queue_region: str = "us-east-1"
    aws_access_key_id: str | None = None
    aws_secret_access_key: OptionalSecret = None
    push_key: OptionalSecret = None
    """Value of the `x-api-key` header of notifications that are pushed to us; without it every push is refused."""
    feed_from: int = 5
    """From so many levels on, one listings feed is sent instead of a request for each SKU."""
    issue_locale: str = "en_US"
    base_url: str | None = None
    """Replaces the region's host, and with it the token endpoint's: a proxy or a simulator."""

    def __post_init__(self) -> None:
        if not self.marketplace_ids:
            raise ValueError("marketplace_ids must name at least one marketplace")
        if self.refresh_token is None and not self.application_id:
            raise ValueError("give a refresh_token, or the application_id of the app to sign in with")
        if self.queue_url is not None and None in (self.aws_access_key_id, self.aws_secret_access_key):
            raise ValueError("queue_url needs aws_access_key_id and aws_secret_access_key")
        if not 1 <= self.feed_from <= 5:
            raise ValueError("feed_from is 1 to 5: more requests than that at once would break Amazon's limit")


def account(settings: Settings) -> str:
    """The selling account."""
    return settings.seller_id


def token_url(settings: Settings) -> str:
    """Where grants become tokens."""
    return f"{settings.base_url.rstrip('/')}/auth/o2/token" if settings.base_url else TOKEN_URL


def transport(settings: Settings) -> Transport:
    """The region's host, LWA tokens in a header of Amazon's own, one bucket per operation."""
    base = settings.base_url
    return Transport(
        base_url=(base or HOSTS[settings.region]).rstrip("/"),
        headers={"x-amz-access-token": PLACE, "user-agent": USER_AGENT, "accept": "application/json"},
        auth=RefreshToken(
            token_url=token_url(settings),
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            refresh_token=settings.refresh_token or "",
        ),
        limits=limits(settings.client_id, settings.seller_id),
        read_rates=read_rates,
    )


def trusted(url: str, settings: Settings) -> bool:
    """Whether documents may be exchanged at a presigned URL: Amazon's storage over https, or the simulator."""
    parts = urlsplit(url)
    if settings.base_url and url.startswith(settings.base_url):
        return True
    host = parts.hostname or ""
    return parts.scheme == "https" and host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".cloudfront.net"))
