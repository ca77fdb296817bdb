"""The catalogue: goods with a code, told where they changed.

A product's own `write_date` does not tell of its template's changes, nor the template's of an article number that was
corrected in its own list; so three dates are asked, and the latest is an item's date of change.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import ClassVar, Final

import msgspec

from adapters.tryton.client import Domain, Tryton, Values
from adapters.tryton.schemas import Amount, Company, Moment, Row
from adapters.tryton.settings import Settings
from hub.domain.facts import ItemReported
from hub.sdk.capabilities import Context, Page
from hub.sdk.item_reads import Part, Reading, begin, item_pages, stated

AT_ONCE: Final = 500
MOST_NUMBERS: Final = 20 * AT_ONCE
NUMBERS: Final = ("ean", "isbn")
"""Types of identifiers that are printed as barcodes."""
GOODS: Final = ("goods", "assets")


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A linked template."""

    id: int
    create_date: Moment | None = None
    write_date: Moment | None = None


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A linked unit of measure."""

    id: int
    name: str | None = None


class Variant(Row, frozen=True, kw_only=True):
    """A product variant. Prices are of one `default_uom`, in the currency of the company; without tax."""

    model: ClassVar[str] = "product.product"
    links: ClassVar[tuple[str, ...]] = ("default_uom.name", "template.create_date", "template.write_date")

    code: str
    name: str | None
    active: bool | int
    """SQLite has no truth, only 1."""
    create_date: Moment | None
    write_date: Moment | None
    list_price_used: Amount | None
    cost_price: Amount | None
    template: Template = msgspec.field(name="template.")
    unit: Unit | None = msgspec.field(name="default_uom.", default=None)

    @property
    def changed(self) -> datetime | None:
        """The latest date of it and its template."""
        dates = (self.create_date, self.write_date, self.template.create_date, self.template.write_date)
        return max((one.utc for one in dates if one is not None), default=None)


class Number(Row, frozen=True, kw_only=True):
    """An article number of a product."""

    model: ClassVar[str] = "product.identifier"

    product: int
    code: str
    create_date: Moment | None
    write_date: Moment | None


async def pull_items(context: Context[Settings], cursor: str | None, /) -> AsyncIterator[Page]:
    """Goods that changed since the last read, inactive ones among them."""
    reading = begin(cursor)
    async for page in item_pages(_parts(Tryton(context), reading, context.now()), reading, context.now()):
        yield page


async def _parts(tryton: Tryton, reading: Reading, now: datetime) -> AsyncIterator[Part]:
    (company,) = await tryton.read_rows(Company, [tryton.settings.company_id])
    currency = company.currency.code if company.currency else None
    after = int(reading.after or 0)
    while True:
        terms: Domain = [["code", "!=", None], ["type", "in", list(GOODS)], ["id", ">", after], *_since(reading)]
        found = await tryton.rows(Variant, terms, limit=AT_ONCE, inactive=True)
        if found:
            after = found[-1].id
            numbers = await _numbers(tryton, found)
            told = {str(one.id): reported(one, numbers.get(one.id, ()), currency, now) for one in found}
            yield Part(told, str(after))
        if len(found) < AT_ONCE:
            return


def _since(reading: Reading) -> Domain:
    if reading.since is None:
        return []
    moment: Values = Moment.of(reading.since)
    fields = ("create_date", "write_date", "template.write_date", "identifiers.create_date", "identifiers.write_date")
    return [["OR", *([field, ">=", moment] for field in fields)]]


async def _numbers(tryton: Tryton, found: Sequence[Variant]) -> dict[int, list[Number]]:
    terms: Domain = [["product", "in", [one.id for one in found]], ["type", "in", list(NUMBERS)]]
    numbers = defaultdict(list)
    for one in await tryton.rows(Number, terms, limit=MOST_NUMBERS):
        numbers[one.product].append(one)
    return numbers


def reported(one: Variant, numbers: Sequence[Number], currency: str | None, now: datetime) -> ItemReported:
    """A product in the hub's words. Zero of a price or cost is what Tryton shows where nobody stated one."""
    dates = [date.utc for number in numbers for date in (number.create_date, number.write_date) if date is not None]
    if one.changed is not None:
        dates.append(one.changed)
    return ItemReported(
        at=max(dates, default=now),
        sku=one.code,
        active=bool(one.active),
        title=one.name,
        barcodes=tuple(number.code for number in numbers),
        base_unit=one.unit.name if one.unit else None,
        unit_cost=stated(one.cost_price.decimal, currency) if one.cost_price else {},
        price=stated(one.list_price_used.decimal, currency) if one.list_price_used else {},
    )
