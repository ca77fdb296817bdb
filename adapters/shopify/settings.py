"""What a connection to a Shopify shop needs to know, and how the shop is reached."""

from datetime import date
from typing import Annotated, Final, Literal

import msgspec

from adapters.shopify.answers import read_rates
from hub.sdk.redaction import Masked
from hub.sdk.wire import ClientCredentials, NoAuth, RateLimit, RefreshToken, Transport

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
    access_token: OptionalSecret = None
    """Of a custom app made in the shop's admin: lives until it is revoked. Without it `grant` says where tokens come
    from."""
    client_id: str = ""
    """The app's client id, for `grant`."""
    grant: Literal["code", "client_credentials"] = "code"
    """code: the merchant signs in (`oauth/start`) and the pair rotates. client_credentials: an app of the shop's own
    organisation, whose tokens last 24 hours."""
    refresh_token: OptionalSecret = None
    """Of a code grant that was made elsewhere; a sign-in here takes its place."""
    previous_client_secret: OptionalSecret = None
    """Either secret may sign for up to an hour after a rotation."""
    api_version: Version = "2026-04"
    """Pinned per shop: the inventory inputs change shape with it."""
    stock_locations: tuple[str, ...] = ()
    """Ids of locations whose shelves Shopify counts: their stock is read, and they are never told any."""
    history_from: date | None = None
    """Orders placed since then are brought once by a bulk export; those from before `live_from` are only recorded."""
    companies: bool = False
    """Whether companies buy here (Plus plan): orders that are read then say the company and its terms, as webhooks do.
    Needs `read_payment_terms`."""
    base_url: str | None = None
    """Replaces `https://{shop}`: a proxy or a simulator."""

    def __post_init__(self) -> None:
        if self.access_token is None and not self.client_id:
            raise ValueError("give an access_token, or the client_id of the app that tokens are granted to")


def account(settings: Settings) -> str:
    """Name of the account: the shop's domain in lower case, without scheme and slash."""
    return settings.shop.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/")


def host(settings: Settings) -> str:
    """The shop's address."""
    return (settings.base_url or f"https://{account(settings)}").rstrip("/")


def token_url(settings: Settings) -> str:
    """Where grants of every kind become tokens."""
    return f"{host(settings)}/admin/oauth/access_token"


def transport(settings: Settings) -> Transport:
    """One endpoint, a token of the shop's own or by a grant, and one bucket of cost points per app and shop."""
    return Transport(
        base_url=f"{host(settings)}/admin/api/{settings.api_version}",
        headers={
            "x-shopify-access-token": settings.access_token or "{access_token}",
            "content-type": "application/json",
            "accept": "application/json",
        },
        auth=_auth(settings),
        limits=(
            RateLimit(scope="account", key=account(settings), capacity=POINTS_CAPACITY, per_second=POINTS_PER_SECOND),
        ),
        read_rates=read_rates,
    )


def _auth(settings: Settings) -> NoAuth | ClientCredentials | RefreshToken:
    if settings.access_token is not None:
        return NoAuth()
    url, id, secret = token_url(settings), settings.client_id, settings.client_secret
    if settings.grant == "client_credentials":
        return ClientCredentials(token_url=url, client_id=id, client_secret=secret)
    token = settings.refresh_token or ""
    return RefreshToken(token_url=url, client_id=id, client_secret=secret, refresh_token=token, json=True)
