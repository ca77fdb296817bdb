"""What a connection to EasyPost is configured with, and how its API is reached."""

import unicodedata
from typing import Annotated, Final

import msgspec

from hub.sdk.redaction import Masked
from hub.sdk.wire import Basic, RateLimit, Transport

BASE_URL: Final = "https://api.easypost.com"

LIST_SHIPMENTS: Final = "GET /shipments"

LISTS_PER_SECOND: Final = 5
"""EasyPost answers 429 beyond this on the calls that list; the others are limited by load alone (rate limit guide)."""

Secret = Annotated[str, msgspec.Meta(extra_json_schema={"x-secret": True})]
OptionalSecret = Annotated[str | None, msgspec.Meta(extra_json_schema={"x-secret": True})]


class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Configuration of one EasyPost account. A test key (EZTK...) and a production key (EZAK...) see other objects."""

    account: str
    """Name of the account: its user id (`user_...`) or e-mail."""
    api_key: Secret
    webhook_secret: Secret
    """Set with the webhook at EasyPost. Empty refuses every delivery."""
    previous_webhook_secret: OptionalSecret = None
    """Still accepted while secrets are being changed."""
    carrier_accounts: tuple[str, ...] = ()
    """`ca_...`: whose rates are asked for; empty asks all of the account's, of which EasyPost rates at most 60."""
    label_format: str = "PDF"
    """PDF, PNG, ZPL or EPL2."""
    base_url: str | None = None


def account(settings: Settings) -> str:
    """The account's name."""
    return settings.account


def transport(settings: Settings) -> Transport:
    """Where and under which limit EasyPost is called: HTTP Basic with the key as user name and no password."""
    lists = RateLimit(
        scope="operation",
        key=f"{settings.account} {LIST_SHIPMENTS}",
        capacity=1,
        per_second=LISTS_PER_SECOND - 1,
        operations=(LIST_SHIPMENTS,),
    )
    return Transport(
        base_url=settings.base_url or BASE_URL,
        headers={"accept": "application/json"},
        auth=Basic(username=settings.api_key, password=""),
        limits=(lists,),
    )


def webhook_secrets(settings: Settings) -> tuple[str, ...]:
    """Secrets that are valid now, in the form that EasyPost computes with (NFKD)."""
    present = (settings.webhook_secret, settings.previous_webhook_secret)
    return tuple(unicodedata.normalize("NFKD", secret) for secret in present if secret)
