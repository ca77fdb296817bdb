"""The catalogue as it is kept in Odoo, told when it changed."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.odoo import items as adapter_items
from adapters.odoo.harness import HARNESS
from adapters.odoo.items import ASKED, Unit, Variant, reported
from adapters.odoo.simulated import catalogue
from adapters.odoo.tests.depot import Depot
from hub.domain.facts import ItemReported
from hub.sdk.testkit.reading import MALFORMED, read

CONTRACTS = Path(__file__).resolve().parents[3].parent / "shared" / "contracts" / "odoo"
recorded = pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the recorded exchanges are not beside this repository")
AT = datetime(2026, 1, 15, 12, tzinfo=UTC)


async def told(depot: Depot, cursor: str | None = None) -> tuple[list[ItemReported], str | None]:
    items, cursor = await depot.pull("items", cursor)
    facts = [fact for item in items for fact in read(HARNESS, item.topic, item.body)]
    return [fact for fact in facts if isinstance(fact, ItemReported)], cursor


@pytest.fixture
def mug(depot: Depot) -> str:
    depot.odoo.now = lambda: AT
    depot.odoo.add_product("MUG-RED", "Mug (red)")
    return "MUG-RED"


async def test_a_product_is_told_in_the_hubs_words(depot: Depot, mug: str) -> None:
    books = depot.odoo.books
    case = catalogue.unit(books, "Case", "12", 1)
    half, kilo = catalogue.unit(books, "Half", "0.5", 1), catalogue.unit(books, "kg", "1")
    catalogue.change(
        books,
        mug,
        barcode="4006381333931",
        weight=Decimal("0.4"),
        list_price=Decimal("12.5"),
        standard_price=Decimal("3.3333333333333335"),
        hs_code="691200",
        country_of_origin=catalogue.country(books, "PT"),
        uom_ids=[case, half, kilo],
    )
    assert (await told(depot))[0] == [
        ItemReported(
            at=AT,
            sku="MUG-RED",
            title="Mug (red)",
            barcodes=("4006381333931",),
            base_unit="each",
            conversions={"Case": 12},
            weight_g=400,
            unit_cost={"USD": Decimal("3.333333")},
            price={"USD": Decimal("12.5")},
            hs_code="691200",
            origin_country="PT",
        )
    ]


async def test_only_what_changed_is_told_and_pounds_are_pounds(depot: Depot, mug: str) -> None:
    depot.odoo.add_product("TEE-M")
    first, cursor = await depot.pull("items")
    assert len(first) == 2
    depot.odoo.now = lambda: AT + timedelta(minutes=5)
    catalogue.change(depot.odoo.books, mug, weight=Decimal(2), weight_uom_name="lb")
    again, cursor = await depot.pull("items", cursor)
    assert len({item.key for item in (*first, *again)}) == 3, "what is found again in the overlap has its first key"
    depot.odoo.now = lambda: AT + timedelta(hours=2)
    catalogue.change(depot.odoo.books, mug, active=False)
    _, cursor = await told(depot, cursor)
    found, _ = await told(depot, cursor)
    assert [(one.sku, one.weight_g, one.active) for one in found] == [("MUG-RED", 907, False)]


async def test_more_products_than_one_answer_holds_are_all_told(
    depot: Depot, mug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter_items, "AT_ONCE", 2)
    for number in range(4):
        depot.odoo.add_product(f"S{number}")
    assert len((await told(depot))[0]) == 5


@pytest.mark.parametrize("protocol", ["json2", "jsonrpc"])
async def test_a_database_without_customs_packagings_or_costs_tells_the_rest(
    depot: Depot, mug: str, protocol: str
) -> None:
    depot.set(protocol=protocol, login=depot.odoo.login)
    tables = depot.odoo.books.tables
    for model, gone in (("product.product", set(ASKED)), ("uom.uom", {"relative_factor"})):
        tables[model].fields = {name: field for name, field in tables[model].fields.items() if name not in gone}
    found, _ = await told(depot)
    assert found == [ItemReported(at=AT, sku=mug, title="Mug (red)", base_unit="each", price={"USD": Decimal(1)})]


# --- what a real one says ---------------------------------------------------------------------------------------------


def load(name: str) -> Any:
    return json.loads((CONTRACTS / name).read_text("utf-8"))


@recorded
@pytest.mark.parametrize("kind", [Variant, Unit])
def test_every_field_exists_in_the_recorded_index(kind: type[Variant | Unit]) -> None:
    index = {entry["model"]: entry for entry in load("doc-bearer.index.trimmed.json")["models"]}
    assert set(kind.__struct_fields__) <= index[kind.model]["fields"].keys()


@recorded
def test_recorded_products_are_read() -> None:
    bare = {"weight_uom_name": "kg", "currency_id": [1, "USD"], "cost_currency_id": [1, "USD"]}
    found = []
    for row in load("samples/20_products_page1.response.json"):
        if row["default_code"]:
            row |= {"display_name": f"[{row['default_code']}] {row['name']}", "lst_price": row["list_price"], **bare}
            text = msgspec.json.encode(row)
            found.append(reported(msgspec.json.decode(text, type=Variant), {}, {}))
    assert found[0] == ItemReported(
        at=datetime(2026, 11, 22, 1, 6, 38, tzinfo=UTC),
        sku="FURN_0001",
        title="Desk Organizer",
        barcodes=("2300001000008",),
        base_unit="Units",
        weight_g=10,
        price={"USD": Decimal("5.1")},
    )
    assert len(found) > 5


@pytest.mark.parametrize("date", ["0001-01-01 00:00:00", "9999-12-31 23:59:59", "yesterday"])
async def test_a_product_changed_at_no_time_there_is_holds_up_no_other(
    depot: Depot, mug: str, monkeypatch: pytest.MonkeyPatch, date: str
) -> None:
    depot.odoo.add_product("TEE-M", "Tee")
    named = adapter_items.reported

    def aged(one: Variant, *more: Any) -> ItemReported:
        return named(msgspec.structs.replace(one, write_date=date) if one.default_code == mug else one, *more)

    monkeypatch.setattr(adapter_items, "reported", aged)
    (absurd, sound), cursor = await depot.pull("items")
    with pytest.raises(MALFORMED):
        read(HARNESS, absurd.topic, absurd.body)
    assert len(read(HARNESS, sound.topic, sound.body)) == 1
    assert cursor is not None
    assert datetime.fromisoformat(msgspec.json.decode(cursor)["since"]) == AT - timedelta(minutes=10)
