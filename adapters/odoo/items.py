"""The catalogue: goods with an internal reference, told where they changed.

A product's `write_date` is its template's where that is later (`product.product._compute_write_date`, since 14), so it
dates names and prices, too. A surcharge of an attribute, a unit or a currency that is changed dates no product.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar, Final

from adapters.odoo.client import Domain, Odoo
from adapters.odoo.facts import moment
from adapters.odoo.schemas import Many2one, Row, Text, display, record_id
from adapters.odoo.settings import Settings
from adapters.odoo.translate import naive_utc
from hub.domain.facts import ItemReported
from hub.sdk.capabilities import Context, Page
from hub.sdk.item_reads import Part, Reading, begin, grams, item_pages, stated
from hub.sdk.translate import Malformed

AT_ONCE: Final = 500
COUNTRIES: Final = 1000
UNITS: Final = 5000
NO_DATE: Final = datetime.min.replace(tzinfo=UTC)
ASKED: Final = ("hs_code", "country_of_origin", "uom_ids", "standard_price")
"""What not every database has, or shows to every user: the module for customs data, packagings (19), the cost."""
GOODS: Final[Domain] = (["default_code", "!=", False], ["type", "not in", ["service", "combo"]])


class Variant(Row, frozen=True, kw_only=True):
    """A product variant. `lst_price` is the template's list price with the surcharges of the variant's attributes."""

    model: ClassVar[str] = "product.product"

    default_code: str
    display_name: str
    active: bool
    write_date: str
    barcode: Text
    uom_id: Many2one
    weight: Decimal
    weight_uom_name: Text
    """kg or lb, as the database is set (product.weight_in_lbs)."""
    lst_price: Decimal
    currency_id: Many2one
    cost_currency_id: Many2one
    standard_price: Decimal = Decimal(0)
    hs_code: Text = False
    country_of_origin: Many2one = False
    uom_ids: tuple[int, ...] = ()


class Unit(Row, frozen=True, kw_only=True):
    """A unit of measure of 19: `factor` is how many of its first ancestor it contains."""

    model: ClassVar[str] = "uom.uom"

    name: str
    factor: Decimal
    parent_path: Text

    @property
    def family(self) -> str:
        """The first ancestor."""
        return str(self.parent_path).partition("/")[0]


class CountryCode(Row, frozen=True, kw_only=True):
    """A country by its code."""

    model: ClassVar[str] = "res.country"

    code: Text


async def pull_items(context: Context[Settings], cursor: str | None, /) -> AsyncIterator[Page]:
    """Goods that changed since the last read, archived ones among them."""
    reading = begin(cursor)
    async for page in item_pages(_parts(Odoo(context), reading), reading, context.now()):
        yield page


async def _parts(odoo: Odoo, reading: Reading) -> AsyncIterator[Part]:
    lacking = set(ASKED) - await odoo.fields(Variant.model, ASKED)
    if "relative_factor" not in await odoo.fields(Unit.model, ["relative_factor"]):
        lacking.add("uom_ids")
    after = int(reading.after or 0)
    dated: Domain = [] if reading.since is None else [["write_date", ">=", naive_utc(reading.since)]]
    while True:
        terms: Domain = [*GOODS, *dated, ["id", ">", after]]
        found = await odoo.rows(Variant, terms, limit=AT_ONCE, archived=True, lacking=lacking)
        if found:
            after = found[-1].id
            units, countries = await _units(odoo, found), await _countries(odoo, found)
            yield Part({str(one.id): reported(one, units, countries) for one in found}, str(after))
        if len(found) < AT_ONCE:
            return


def reported(one: Variant, units: Mapping[int, Unit], countries: Mapping[int, str]) -> ItemReported:
    """A product in the hub's words. Zero of a weight, price or cost is what Odoo shows where nobody stated one."""
    return ItemReported(
        at=_dated(one.write_date),
        sku=one.default_code,
        active=one.active,
        title=one.display_name.removeprefix(f"[{one.default_code}] "),
        barcodes=(one.barcode,) if isinstance(one.barcode, str) and one.barcode else (),
        base_unit=display(one.uom_id),
        conversions=_conversions(one, units),
        weight_g=grams(one.weight, str(one.weight_uom_name)),
        unit_cost=stated(one.standard_price, display(one.cost_currency_id)),
        price=stated(one.lst_price, display(one.currency_id)),
        hs_code=one.hs_code if isinstance(one.hs_code, str) and one.hs_code else None,
        origin_country=countries.get(record_id(one.country_of_origin) or 0),
    )


def _dated(text: str) -> datetime:
    """What is no date is the beginning of time, which `item_facts` refuses by name: the other goods are told."""
    try:
        return moment(text)
    except Malformed:
        return NO_DATE


def _conversions(one: Variant, units: Mapping[int, Unit]) -> dict[str, int]:
    """Packagings that contain a whole number of the product's own unit."""
    base = units.get(record_id(one.uom_id) or 0)
    found = {}
    for pack in (units[id] for id in one.uom_ids if id in units):
        if base is None or not base.factor or pack.family != base.family:
            continue
        count = (pack.factor / base.factor).quantize(Decimal("0.000001"))
        if count == int(count) and count > 1:
            found[pack.name] = int(count)
    return found


async def _units(odoo: Odoo, found: Sequence[Variant]) -> dict[int, Unit]:
    """Units of products that have packagings."""
    packed = [one for one in found if one.uom_ids]
    wanted = {id for one in packed for id in (*one.uom_ids, record_id(one.uom_id) or 0)}
    if not wanted:
        return {}
    terms: Domain = [["id", "in", sorted(wanted)]]
    return {unit.id: unit for unit in await odoo.every(Unit, terms, limit=UNITS, archived=True)}


async def _countries(odoo: Odoo, found: Sequence[Variant]) -> dict[int, str]:
    wanted = {id for one in found if (id := record_id(one.country_of_origin)) is not None}
    if not wanted:
        return {}
    rows = await odoo.every(CountryCode, [["id", "in", sorted(wanted)]], limit=COUNTRIES)
    return {one.id: one.code for one in rows if isinstance(one.code, str)}
