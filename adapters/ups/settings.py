"""What a connection to UPS is configured with, and how its APIs are reached."""

from typing import Annotated, Final, Literal

import msgspec

from hub.sdk.redaction import Masked
from hub.sdk.wire import ClientCredentials, RateLimit, Transport

BASE_URL: Final = "https://onlinetools.ups.com"
"""Production. The integration environment is https://wwwcie.ups.com."""

TOKEN: Final = "/security/v1/oauth/token"

CALLS_PER_SECOND: Final = 5
"""Ours: UPS publishes no limits and names none in its answers (UPS-API/api-documentation#8)."""

Secret = Annotated[str, msgspec.Meta(extra_json_schema={"x-secret": True})]
OptionalSecret = Annotated[str | None, msgspec.Meta(extra_json_schema={"x-secret": True})]


class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Configuration of one UPS account, used through one app of developer.ups.com."""

    account: Annotated[str, msgspec.Meta(pattern="^[0-9A-Z]{6}$")]
    """The shipper number, which is billed: six letters and digits."""
    client_id: str
    client_secret: Secret
    webhook_secret: OptionalSecret = None
    """The credential that UPS shows with every alert. Set: parcels are subscribed to Track Alert. Empty refuses all."""
    previous_webhook_secret: OptionalSecret = None
    """Still accepted while credentials are being changed."""
    label_format: Literal["GIF", "ZPL", "EPL", "SPL"] = "GIF"
    base_url: str | None = None


def account(settings: Settings) -> str:
    """The shipper number."""
    return settings.account


def transport(settings: Settings) -> Transport:
    """Where and under which limit UPS is called: a token of the client credentials grant, kept for its four hours."""
    base = (settings.base_url or BASE_URL).rstrip("/")
    limit = RateLimit(
        scope="account", key=settings.account, capacity=CALLS_PER_SECOND, per_second=CALLS_PER_SECOND
    )  # fmt: skip
    return Transport(
        base_url=base,
        headers={"accept": "application/json", "transactionSrc": "crossdock"},
        auth=ClientCredentials(
            token_url=base + TOKEN, client_id=settings.client_id, client_secret=settings.client_secret
        ),
        limits=(limit,),
    )


def webhook_secrets(settings: Settings) -> tuple[str, ...]:
    """Credentials that are valid now."""
    return tuple(one for one in (settings.webhook_secret, settings.previous_webhook_secret) if one)
