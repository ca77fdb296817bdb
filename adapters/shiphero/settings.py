"""What a connection to ShipHero is configured with, and how its API is reached."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from adapters.shiphero.answers import read_rates
from hub.sdk.redaction import Masked
from hub.sdk.wire import PasswordToken, RateLimit, Transport

BASE_URL: Final = "https://public-api.shiphero.com"

WINDOW_SECONDS: Final = 300
"""ShipHero counts requests over five minutes (developer.shiphero.com, throttling)."""


class FullStock(StrEnum):
    """How everything that is in stock is read, once a day."""

    SNAPSHOT = "snapshot"
    """ShipHero writes a file per warehouse."""
    PAGES = "pages"
    """A credit for each product of each warehouse; for accounts whose snapshots fail."""


Secret = Annotated[str, msgspec.Meta(extra_json_schema={"x-secret": True})]


class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Configuration of one ShipHero account."""

    account: str
    """Name of the account: its user name, id or number as ShipHero shows it."""
    username: str
    """E-mail of the user made for this integration; one user per integration."""
    password: Secret
    webhook_secret: Secret
    """What `webhook_create` answered once per webhook: one or several, separated by spaces. Empty refuses all."""
    previous_webhook_secret: Secret = ""
    """Still accepted while secrets are being changed."""
    customer_account_id: str | None = None
    """Of the merchant, where the account is a 3PL's."""
    shop_name: str = "Crossdock"
    """Shop under which our orders are filed at ShipHero; pulls read no others."""
    credit_capacity: float = 4004
    """Size of the account's credit bucket; raised ones differ from the public figure."""
    credits_per_second: float = 60
    requests_per_five_minutes: float = 7000
    full_stock: FullStock = FullStock.SNAPSHOT
    snapshot_hosts: tuple[str, ...] = ("shiphero.com", "amazonaws.com")
    """Where ShipHero's snapshots may be fetched from, hosts below these included."""
    base_url: str | None = None

    def __post_init__(self) -> None:
        if min(self.credit_capacity, self.credits_per_second, self.requests_per_five_minutes) <= 0:
            raise ValueError("credit_capacity, credits_per_second and requests_per_five_minutes are above 0")


def account(settings: Settings) -> str:
    """The account's name."""
    return settings.account


def webhook_secrets(settings: Settings) -> tuple[str, ...]:
    """Secrets that are valid now: none when nothing is configured, and then every delivery is refused."""
    return (*settings.webhook_secret.split(), *settings.previous_webhook_secret.split())


def transport(settings: Settings) -> Transport:
    """Where and under which limits ShipHero is called.

    ShipHero's bucket starts to refill when a request arrives, ours when it is sent: a second's worth stays unused.
    """
    base_url = (settings.base_url or BASE_URL).rstrip("/")
    credits = RateLimit(
        scope="account",
        key=settings.account,
        capacity=max(settings.credit_capacity - settings.credits_per_second, settings.credit_capacity / 2),
        per_second=settings.credits_per_second,
    )
    return Transport(
        base_url=base_url,
        auth=PasswordToken(
            token_url=f"{base_url}/auth/token",
            username=settings.username,
            password=settings.password,
        ),
        limits=(credits,),
        read_rates=read_rates,
    )


def least_cost(settings: Settings) -> float:
    """Credits to take for even the cheapest call.

    A bucket takes the same cost for every limit, so the second limit (requests in five minutes) is kept by a floor:
    all the credits one can spend in the window, divided by it, never make more requests than are allowed.
    """
    spendable = settings.credit_capacity + settings.credits_per_second * WINDOW_SECONDS
    return spendable / settings.requests_per_five_minutes


def wire_time(moment: datetime) -> str:
    """A moment as ShipHero writes it: UTC, without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
