"""Tryton's records, as far as we read them. A struct's fields are what is asked for: one list for question and answer.

Tryton writes a Decimal as an object that says so, and the fields of a linked record under the link's name and a dot.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import ClassVar

import msgspec


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """A Decimal on the wire."""

    decimal: Decimal


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """A date on the wire."""

    year: int
    month: int
    day: int

    @property
    def day_of_it(self) -> date:
        """As a date of ours."""
        return date(self.year, self.month, self.day)


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A moment on the wire, in UTC: Tryton's server runs in it, wherever it stands."""

    year: int
    month: int
    day: int
    hour: int = 0
    minute: int = 0
    second: int = 0
    microsecond: int = 0

    @property
    def utc(self) -> datetime:
        """As a moment of ours."""
        return datetime(
            self.year, self.month, self.day, self.hour, self.minute, self.second, self.microsecond, tzinfo=UTC
        )

    @classmethod
    def of(cls, moment: datetime) -> dict[str, object]:
        """As Tryton writes it."""
        utc = moment.astimezone(UTC)
        return {"__class__": "datetime"} | {name: getattr(utc, name) for name in cls.__struct_fields__}


class Coded(msgspec.Struct, frozen=True, kw_only=True):
    """A linked product or currency."""

    id: int
    code: str | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A record of `model`; `links` are fields of linked records, read under the link's name."""

    model: ClassVar[str]
    links: ClassVar[tuple[str, ...]] = ()

    id: int


class Sale(Row, frozen=True, kw_only=True):
    """State: draft, quotation, confirmed, processing, done, cancelled."""

    model: ClassVar[str] = "sale.sale"
    links: ClassVar[tuple[str, ...]] = ("currency.code",)

    number: str | None
    state: str
    party: int
    total_amount: Amount
    shipments: tuple[int, ...]
    currency: Coded | None = msgspec.field(name="currency.", default=None)


class Shipment(Row, frozen=True, kw_only=True):
    """A customer shipment. State: draft, waiting, assigned, picked, packed, shipped, done, cancelled."""

    model: ClassVar[str] = "stock.shipment.out"

    number: str | None
    reference: str | None
    state: str
    inventory_moves: tuple[int, ...]


class Move(Row, frozen=True, kw_only=True):
    """A product within a shipment."""

    model: ClassVar[str] = "stock.move"
    links: ClassVar[tuple[str, ...]] = ("product.code",)

    quantity: Decimal
    state: str
    product: Coded | None = msgspec.field(name="product.", default=None)


class Invoice(Row, frozen=True, kw_only=True):
    """A customer invoice or, with a negative total, a credit note. State: draft, validated, posted, paid, cancelled."""

    model: ClassVar[str] = "account.invoice"
    links: ClassVar[tuple[str, ...]] = ("currency.code",)

    number: str | None
    reference: str | None
    state: str
    party: int
    total_amount: Amount
    currency: Coded | None = msgspec.field(name="currency.", default=None)


class Product(Row, frozen=True, kw_only=True):
    """A product variant; `code` is the SKU and need not be unique."""

    model: ClassVar[str] = "product.product"

    code: str | None
    default_uom: int


class Party(Row, frozen=True, kw_only=True):
    """A party, of which we want to know no more."""

    model: ClassVar[str] = "party.party"

    addresses: tuple[int, ...]


class Named(Row, frozen=True, kw_only=True):
    """A record of which only the id matters."""

    model: ClassVar[str] = ""


class Ledger(Named, frozen=True, kw_only=True):
    """An account of the chart."""

    model: ClassVar[str] = "account.account"

    code: str | None


class Journal(Named, frozen=True, kw_only=True):
    """A journal."""

    model: ClassVar[str] = "account.journal"


class Currency(Named, frozen=True, kw_only=True):
    """A currency."""

    model: ClassVar[str] = "currency.currency"


class Country(Named, frozen=True, kw_only=True):
    """A country."""

    model: ClassVar[str] = "country.country"


class Warehouse(Named, frozen=True, kw_only=True):
    """A location of the type warehouse."""

    model: ClassVar[str] = "stock.location"


class Company(Named, frozen=True, kw_only=True):
    """A company, and the currency that it keeps its books in."""

    model: ClassVar[str] = "company.company"
    links: ClassVar[tuple[str, ...]] = ("currency.code",)

    rec_name: str
    currency: Coded | None = msgspec.field(name="currency.", default=None)


class Entry(Row, frozen=True, kw_only=True):
    """An entry of the journal. State: draft, posted."""

    model: ClassVar[str] = "account.move"

    number: str | None
    description: str | None
    state: str
    lines: tuple[int, ...]


class EntrySide(Row, frozen=True, kw_only=True):
    """One side of an entry."""

    model: ClassVar[str] = "account.move.line"

    debit: Amount


class Period(Row, frozen=True, kw_only=True):
    """A period of a fiscal year. State: open, closed, locked."""

    model: ClassVar[str] = "account.period"

    name: str
    state: str
