"""What a connection to a Square seller needs to know, and how Square is reached."""

from typing import Annotated, Final

import msgspec

from hub.sdk.redaction import Masked
from hub.sdk.wire import NoAuth, RateLimit, RefreshToken, Transport

Secret = Annotated[str, msgspec.Meta(extra_json_schema={"x-secret": True})]
OptionalSecret = Annotated[str | None, msgspec.Meta(extra_json_schema={"x-secret": True})]
Version = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]

PRODUCTION: Final = "https://connect.squareup.com"
SANDBOX: Final = "https://connect.squareupsandbox.com"
BURST: Final = 20.0


class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Config of a connection: an application's OAuth grant by a seller, or the seller's own access token."""

    merchant_id: str
    """The seller's id, as the OAuth grant and every event name it."""
    signature_key: Secret
    """The webhook subscription's own key. Empty: no delivery is ever accepted."""
    previous_signature_key: OptionalSecret = None
    """Valid beside the other while a subscription's key is being replaced."""
    application_id: str = ""
    application_secret: OptionalSecret = None
    refresh_token: OptionalSecret = None
    """Of a code grant that was made elsewhere; a sign-in here takes its place. Lives until it is revoked; access tokens
    are fetched with it, and last 30 days."""
    access_token: OptionalSecret = None
    """A personal token, for a seller without an application of its own; used where there is no refresh token."""
    notification_url: str | None = None
    """The URL exactly as it is registered with the subscription: Square signs these bytes. None: the URL called."""
    location_ids: tuple[str, ...] = ()
    """Only orders of these locations; empty means every location of the seller."""
    stock_locations: tuple[str, ...] = ()
    """Ids of locations whose shelves Square counts: their stock is read, and they are never told any."""
    square_version: Version = "2025-08-20"
    """Pinned `Square-Version`."""
    history_days: Annotated[int, msgspec.Meta(ge=1)] = 30
    """How far back the first pull goes where the connection has no `live_from`."""
    page_size: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    requests_per_second: Annotated[float, msgspec.Meta(gt=0)] = 10.0
    """Square publishes no limit; this stays below where 429 was seen."""
    sandbox: bool = False
    base_url: str | None = None
    """Replaces Square's host: a proxy or a simulator."""

    def __post_init__(self) -> None:
        application = bool(self.application_id) and self.application_secret is not None
        if self.refresh_token is not None and not application:
            raise ValueError("a refresh_token needs the application_id and application_secret it was granted to")
        if not application and self.access_token is None:
            raise ValueError("give the application_id and application_secret to sign in with, or an access_token")


def account(settings: Settings) -> str:
    """Name of the account: the seller's merchant id."""
    return settings.merchant_id.strip()


def host(settings: Settings) -> str:
    """Square's host for this connection."""
    return (settings.base_url or (SANDBOX if settings.sandbox else PRODUCTION)).rstrip("/")


def transport(settings: Settings) -> Transport:
    """JSON over one host, a bearer token, and a bucket per seller."""
    root = host(settings)
    headers = {
        "square-version": settings.square_version,
        "content-type": "application/json",
        "accept": "application/json",
    }
    auth: NoAuth | RefreshToken = NoAuth()
    if settings.refresh_token is not None or settings.access_token is None:
        auth = RefreshToken(
            token_url=f"{root}/oauth2/token",
            client_id=settings.application_id,
            client_secret=settings.application_secret or "",
            refresh_token=settings.refresh_token or "",
            json=True,
        )
    else:
        headers["authorization"] = f"Bearer {settings.access_token or ''}"
    burst = max(BURST, settings.requests_per_second)
    limit = RateLimit(
        scope="account", key=account(settings), capacity=burst, per_second=settings.requests_per_second
    )  # fmt: skip
    return Transport(base_url=root, headers=headers, auth=auth, limits=(limit,))
