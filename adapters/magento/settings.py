"""What a connection to a Magento store needs to know, and how the store is reached."""

from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec

from hub.sdk.redaction import Masked
from hub.sdk.wire import OAuth1, RateLimit, Transport

Secret = Annotated[str, msgspec.Meta(extra_json_schema={"x-secret": True})]
Code = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
PageSize = Annotated[int, msgspec.Meta(ge=1, le=300)]
"""300 is the most that a store with input limits lets through (`webapi/validation/maximum_page_size`)."""

BURST: Final = 20.0


class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Config of a connection. The four OAuth values are those of one integration (System > Integrations)."""

    store_url: str
    """The store's base URL, as in Stores > Configuration > Web: "https://shop.example.com/". Signatures cover it."""
    consumer_key: str
    consumer_secret: Secret
    access_token: Secret
    access_token_secret: Secret
    store_code: Code = "all"
    """Scope of the calls: "all", or the code of a store view."""
    store_ids: tuple[int, ...] = ()
    """Only orders of these store views; empty means all that the integration sees."""
    history_days: Annotated[int, msgspec.Meta(ge=1)] = 60
    """How far back the first pull goes where the connection has no `live_from`."""
    page_size: PageSize = 50
    items_per_call: Annotated[int, msgspec.Meta(ge=1, le=5000)] = 20
    """Source items per call. Stores with input limits take 20; others take more."""
    default_source: str | None = None
    """Source that a shipment is deducted from when the hub names no location; None leaves it to the store."""
    zero_is_out_of_stock: bool = True
    """Send status 0 with quantity 0. False where the store itself sells on backorder."""
    refunds: Literal["online", "offline"] = "online"
    """Credit memos by the gateway, which the store does offline itself for payments without one; or never by it."""
    refund_on_cancel: bool = False
    """Whether cancelling an order that is paid and has not left makes credit memos of its invoices."""
    requests_per_second: Annotated[float, msgspec.Meta(gt=0)] = 10.0
    """Magento has no quota of its own; this keeps a shop's checkout from feeling us."""
    base_url: str | None = None
    """Replaces `store_url` for calls: a proxy that restores the host, or a simulator."""

    def __post_init__(self) -> None:
        if urlsplit(self.store_url).scheme not in ("http", "https") or not urlsplit(self.store_url).hostname:
            raise ValueError("store_url must be a whole URL: https://shop.example.com/")


def account(settings: Settings) -> str:
    """Name of the account: host and path of the store's base URL, in lower case."""
    return account_of(settings.store_url)


def account_of(url: str) -> str:
    """The same of any base URL."""
    parts = urlsplit(url.strip().lower())
    return f"{parts.netloc}{parts.path}".rstrip("/")


def transport(settings: Settings) -> Transport:
    """REST under the store's own URL, every request signed with HMAC-SHA256 (2.4.4 and later take no other)."""
    root = (settings.base_url or settings.store_url).rstrip("/")
    burst = max(BURST, settings.requests_per_second)
    limit = RateLimit(
        scope="account", key=account(settings), capacity=burst, per_second=settings.requests_per_second
    )  # fmt: skip
    return Transport(
        base_url=f"{root}/rest/{settings.store_code}/V1",
        headers={"content-type": "application/json", "accept": "application/json"},
        auth=OAuth1(
            consumer_key=settings.consumer_key,
            consumer_secret=settings.consumer_secret,
            token=settings.access_token,
            token_secret=settings.access_token_secret,
        ),
        limits=(limit,),
    )
