"""What a connection to a dropship supplier is configured with: the way orders go out, and the terms agreed on."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from hub.domain.money import MINOR_UNITS
from hub.sdk.file_server import FileServer, Secret
from hub.sdk.mail import MailServer
from hub.sdk.tabular import Layout
from hub.sdk.wire import NoAuth, Transport

Days = Annotated[int, msgspec.Meta(ge=0, le=365)]

NOWHERE: Final = "http://127.0.0.1:9"
FILES: Final = "sftp://"
COLUMNS: Final = (
    *("purchase_order", "action", "fulfilment", "ordered_at", "ship_by", "line", "sku", "title", "quantity"),
    *("unit_cost", "currency", "service", "ship_name", "ship_company", "ship_address_1", "ship_address_2"),
    *("ship_address_3", "ship_city", "ship_region", "ship_postal_code", "ship_country", "ship_phone", "reason"),
)
"""Columns of a purchase order's file."""


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files of rows that the supplier drops: what they say, and how they are written."""

    pattern: str
    """Names of such files, as a shell would match them."""
    says: Literal["acknowledged", "shipped", "cancel_answered", "levels"]
    """See README.md for the columns."""
    layout: Layout = Layout()
    complete: bool = False
    """Of levels: what is not listed is not there."""


class Settings(FileServer, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A supplier. Answers and stock feeds are taken whichever way orders go out."""

    supplier: str
    """The supplier's name: its purchase orders are counted for it."""
    sends: Literal["file", "api", "mail"]
    """How purchase orders go out."""
    base_url: str | None = None
    """`sftp://host[:port]` of the file server, or `https://host/path` of the supplier's API."""
    currency: str
    """Of agreed prices, and of the supplier's where it names none."""
    tolerance_percent: Decimal = Decimal(0)
    """So much dearer than agreed is taken without asking."""
    transit_days: Days = 0
    """From the supplier's door to the customer's, added to its date before the customer's promise is compared."""
    number_prefix: str = "PO-"
    number_digits: Annotated[int, msgspec.Meta(ge=1, le=12)] = 6
    location: str | None = None
    """The supplier's name of itself in stock figures that name no location; else its name here."""
    time_zone: str = "UTC"
    """Of the supplier's days."""

    signing_secret: Secret = None
    """`whsec_` and base64: signs what is posted to the supplier's API."""
    webhook_secret: Secret = None
    """Signs what the supplier posts to us. Without one nothing can be posted."""
    previous_webhook_secret: Secret = None

    incoming: str = "from_supplier"
    outgoing: str = "to_supplier"
    claimed: str = "from_supplier/taking"
    archive: str = "from_supplier/archive"
    error: str = "from_supplier/error"
    writes: Literal["csv", "json"] = "csv"
    layout: Layout = Layout()
    """Of the files that we write; `names` renames their columns."""
    columns: tuple[str, ...] = COLUMNS
    tables: tuple[Table, ...] = (
        Table(pattern="*ack*", says="acknowledged"),
        Table(pattern="*ship*", says="shipped"),
        Table(pattern="*cancel*", says="cancel_answered"),
        Table(pattern="*stock*", says="levels"),
    )
    """Which files of rows say what; the first whose pattern fits holds. JSON says it itself."""

    mail: MailServer | None = None
    mail_password: Secret = None
    to: str | None = None
    """The supplier's mail address."""
    link_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 60
    """How long the link in a mail is good."""

    def __post_init__(self) -> None:
        base = self.base_url or ""
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as fault:
            raise ValueError(f"time_zone {self.time_zone!r} is not known") from fault
        for good, said in (
            (self.currency in MINOR_UNITS, f"currency {self.currency!r} is none of ISO 4217"),
            (self.tolerance_percent.is_finite() and self.tolerance_percent >= 0, "tolerance_percent is below zero"),
            (self.sends != "file" or base, "to send files, base_url is sftp://host"),
            (
                self.sends != "api" or base.startswith(("https://", "http://")),
                "to send by API, base_url is https://...",
            ),
            (self.sends != "mail" or (self.mail and self.to and "@" in self.to), "to send mail, set mail and to"),
            (set(self.columns) <= set(COLUMNS), f"columns are of {', '.join(COLUMNS)}"),
        ):
            if not good:
                raise ValueError(said)

    def numbered(self, number: int) -> str:
        """A purchase order's number as the supplier reads it."""
        return f"{self.number_prefix}{number:0{self.number_digits}}"

    def number_of(self, said: str) -> int | None:
        """The counter of a number that a supplier wrote; None when it is none of ours."""
        digits = said.strip().removeprefix(self.number_prefix)
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 15 else None

    def end_of(self, day: date) -> datetime:
        """The end of a day of the supplier's."""
        return datetime.combine(day, time(23, 59, 59), ZoneInfo(self.time_zone))


def account(settings: Settings) -> str:
    """The supplier's name."""
    return settings.supplier


def transport(settings: Settings) -> Transport:
    """The file server, or the API, or nothing: mail has a way of its own."""
    base = settings.base_url or NOWHERE
    if settings.sends != "file" and not base.startswith(FILES):
        return Transport(base_url=base, auth=NoAuth())
    return Transport(base_url=base, auth=settings.login())
