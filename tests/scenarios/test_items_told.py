"""Items that a ledger tells of: made, changed in what it says, and never counted in another unit unseen."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.business_central.harness import settings, simulator
from adapters.business_central.simulator import BusinessCentralSimulator
from hub.domain.facts import ItemReported, SupplyLine, SupplyReported
from tests.scenarios.counter import Counter
from tests.scenarios.town import EAST, Town

NOW = datetime.now(UTC)


async def told(town: Town, sku: str, minutes: int = 0, **values: Any) -> None:
    """The ledger tells what it changed an hour ago, and so many minutes after that."""
    await town.house.hear("depot", ItemReported(at=NOW - timedelta(minutes=60 - minutes), sku=sku, **values))
    await town.settle()


async def row(town: Town, sku: str) -> dict[str, Any]:
    (found,) = await town.house.rows("SELECT id, document, weight_g, updated_at FROM item WHERE sku = $1", sku)
    return found


async def test_what_is_told_is_changed_and_what_is_not_stays(town: Town, counter: Counter) -> None:
    mine = {"title": "Lamp", "barcodes": ["1"], "price": {"USD": "9"}, "class": ["hazmat"], "safety": 2}
    made = await counter.ok("PUT", "/items/LAMP", mine)
    await told(town, "LAMP", weight_g=700, price={"EUR": Decimal("8.50")}, barcodes=("2", "3"), hs_code="9405")
    seen = await counter.ok("GET", "/items/LAMP")
    customs: dict[str, object] = {"hs_code": "9405", "origin_country": None, "description": None, "value": {}}
    changed = {"weight_g": 700, "barcodes": ["2", "3"], "price": {"USD": "9", "EUR": "8.50"}, "customs": customs}
    assert seen == {**made, **changed, "updated_at": seen["updated_at"]}
    before = await row(town, "LAMP")
    await town.house.run("DELETE FROM dirty")
    await told(town, "LAMP", 1, weight_g=700, price={"EUR": Decimal("8.5")})
    assert await row(town, "LAMP") == before, "told again, nothing is touched"
    assert await town.house.value("SELECT count(*) FROM dirty") == 0
    await told(town, "LAMP", weight_g=1)
    assert await row(town, "LAMP") == before, "what was true before what is known changes nothing"
    await told(town, "LAMP", 2, weight_g=900, active=False)
    await told(town, "GONE", active=False)
    assert await row(town, "LAMP") == before, "what the ledger keeps no more stays"
    assert (await counter.ask("GET", "/items/GONE")).status_code == 404


async def test_a_date_that_has_not_come_is_taken_for_now(town: Town, counter: Counter) -> None:
    await told(town, "LAMP", 60 * 24 * 365, title="Tomorrow's lamp")
    await town.house.hear("depot", ItemReported(at=datetime.now(UTC), sku="LAMP", title="Lamp"))
    assert (await counter.ok("GET", "/items/LAMP"))["title"] == "Lamp", "the ledger's clock was put right"


async def test_a_kit_is_no_plain_product(town: Town, counter: Counter) -> None:
    kit = await counter.ok("PUT", "/items/SET", {"components": [{"sku": "PASS", "quantity": 2}]})
    await told(town, "SET", title="Set", base_unit="box", weight_g=1)
    assert await counter.ok("GET", "/items/SET") == kit
    assert await town.house.open_exceptions() == []


async def test_money_that_is_none_is_refused_by_name_until_it_is_told_right(town: Town, counter: Counter) -> None:
    await told(town, "LAMP", price={"EUR": Decimal("-1")})
    found = await town.trouble()
    assert (found["kind"], found["cause"]) == ("item_malformed", "depot: LAMP")
    assert "price EUR -1: negative" in found["next_step"]
    assert (await counter.ask("GET", "/items/LAMP")).status_code == 404
    await told(town, "LAMP", 1, price={"EUR": Decimal(1)})
    assert await town.house.open_exceptions() == []
    assert (await counter.ok("GET", "/items/LAMP"))["price"] == {"EUR": "1"}
    assert await town.house.value("SELECT count(*) FROM inbox") == 0


async def test_an_item_with_stock_is_never_counted_in_another_unit_unseen(town: Town, counter: Counter) -> None:
    await counter.ok("PUT", "/items/LAMP", {"conversions": {"case": 12}})
    await told(town, "LAMP", base_unit="box")
    empty = await counter.ok("GET", "/items/LAMP")
    assert (empty["base_unit"], empty["conversions"]) == ("box", {}), "nothing was counted yet"

    before = await row(town, "PASS")
    for minutes in (0, 1):
        await told(town, "PASS", minutes, base_unit="PCS", title="Pass")
    found = await town.trouble()
    assert (found["kind"], found["external_id"]) == ("item_unit_differs", "PASS")
    assert found["cause"] == "depot: counted here in 'each', in the ledger in unit 'PCS'"
    assert 'PUT /api/v1/connections/depot/tables/unit, {"PCS": "each"}' in found["next_step"]
    assert await row(town, "PASS") == before, "nothing of it is taken"
    await told(town, "PASS", 2, base_unit="each", title="Passport")
    await counter.ok("POST", f"/exceptions/{found['id']}/retry")
    await town.settle()
    assert await town.house.open_exceptions() == []
    assert (await counter.ok("GET", "/items/PASS"))["title"] == "Passport", "what was told meanwhile is newer"


@pytest.mark.parametrize(
    "rests",
    [
        "UPDATE item SET safety = 1 WHERE id = $1",
        "INSERT INTO supply (merchant, reference, node_id, item_id, quantity, due) "
        "SELECT 'default', 'PO', id, $1, 1, '2030-01-01' FROM node LIMIT 1",
        "INSERT INTO allowance (item_id, kind, units) VALUES ($1, 'backorder', 1)",
        "INSERT INTO item_component SELECT id, $1, 1 FROM item WHERE sku = 'PASS'",
    ],
)
async def test_whatever_is_counted_in_a_unit_keeps_it(town: Town, rests: str) -> None:
    lamp = await town.house.item("LAMP")
    await town.house.run(rests, lamp)
    await told(town, "LAMP", base_unit="box")
    assert (await town.trouble())["kind"] == "item_unit_differs"


async def test_an_open_order_of_what_is_not_counted_keeps_its_unit(town: Town) -> None:
    await town.goods("CARD", stock_mode="unlimited")
    _, order = await town.buy([("CARD", 1)])
    await town.house.run("DELETE FROM item_promise WHERE item_id = $1", town.items["CARD"])
    await told(town, "CARD", base_unit="box")
    assert "item_unit_differs" in [one["kind"] for one in await town.house.open_exceptions()]
    await town.house.run("UPDATE customer_order SET state = 'closed' WHERE id = $1", order["id"])
    await told(town, "CARD", 1, base_unit="box")
    assert (await row(town, "CARD"))["document"].find('"base_unit": "box"') > 0


async def test_what_waited_for_an_item_goes_on_when_the_ledger_tells_of_it(town: Town) -> None:
    town.shop.sell("NEW", available=50)
    _, order = await town.buy([("NEW", 1)])
    expected = SupplyLine(location=EAST, sku="NEW", quantity=5, due=(NOW + timedelta(days=9)).date())
    await town.house.hear("depot", SupplyReported(at=NOW, reference="PO-1", lines=(expected,)))
    assert sorted(one["kind"] for one in await town.house.open_exceptions()) == ["unknown_sku", "unknown_supply_item"]
    await told(town, "NEW", title="New", weight_g=100)
    assert await town.house.value("SELECT item_id FROM demand WHERE order_id = $1", order["id"]) is not None
    assert await town.house.value("SELECT quantity FROM supply") == 5
    kinds = [one["kind"] for one in await town.house.open_exceptions()]
    assert not {"unknown_sku", "unknown_supply_item"} & set(kinds)


# --- by the pull ------------------------------------------------------------------------------------------------------


@pytest.fixture
async def ledger(town: Town) -> AsyncIterator[BusinessCentralSimulator]:
    """The merchant's books, whose catalogue nobody has asked for yet. Nothing is booked there."""
    async with simulator() as made:
        config = msgspec.to_builtins(settings(made))
        modes = {"post": "off"}
        await town.house.connect("erp", "business_central", config, modes=modes)
        yield made
        assert made.violations == []


async def heard(town: Town) -> None:
    """The hub asks the ledger what is new in its catalogue, and nothing else."""
    await town.house.pull("erp", "items")
    await town.settle()


async def test_the_catalogue_is_pulled_once_somebody_wants_it(
    town: Town, counter: Counter, ledger: BusinessCentralSimulator
) -> None:
    ledger.books.add_item("NEW", "New thing")
    ledger.books.change_item("NEW", unitPrice=Decimal("19.90"), unitCost=Decimal(7), gtin="4006381333931")
    town.shop.sell("NEW", available=50)
    _, order = await town.buy([("NEW", 2)])
    await heard(town)
    assert (await town.trouble())["kind"] == "unknown_sku", "off until its mode is set"

    await counter.ok("PATCH", "/connections/erp", {"modes": {"post": "off", "pull_items": "live"}})
    await heard(town)
    made = await counter.ok("GET", "/items/NEW")
    told = {"title": "New thing", "base_unit": "each", "barcodes": ["4006381333931"], "stock_mode": "tracked"}
    assert {**made, **told, "price": {"USD": "19.9"}, "unit_cost": {"USD": "7"}} == made
    assert "unknown_sku" not in [one["kind"] for one in await town.house.open_exceptions()]
    town.items["NEW"] = made["item"]
    line = {"node": "EAST", "sku": "NEW", "delta": 5}
    await counter.ok("PUT", "/stock", {"kind": "delta", "source": "dock", "lines": [line]})
    await town.settle()
    assert await town.slices(order["id"]) == [(2, "accepted", town.east)]

    ledger.books.change_item("NEW", unitPrice=Decimal(21), gtin="")
    await heard(town)
    seen = await counter.ok("GET", "/items/NEW")
    assert (seen["price"], seen["barcodes"]) == ({"USD": "21"}, ["4006381333931"])
    await heard(town)
    assert await counter.ok("GET", "/items/NEW") == seen, "nothing changed there, nothing is touched here"

    ledger.books.change_item("NEW", baseUnitOfMeasureCode="STK", unitPrice=Decimal(22))
    await heard(town)
    found = await town.trouble()
    assert (found["kind"], found["external_id"]) == ("item_unit_differs", "NEW")
    assert await counter.ok("GET", "/items/NEW") == seen
    await counter.ok("PUT", "/connections/erp/tables/unit", {"STK": "each"})
    await town.settle()
    assert await town.house.open_exceptions() == []
    assert (await counter.ok("GET", "/items/NEW"))["price"] == {"USD": "22"}
