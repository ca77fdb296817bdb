"""Purchase orders that a ledger tells of become expected supply, whole, and are called off the same way."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hub.domain.facts import SupplyLine, SupplyReported
from tests.scenarios.town import Town

NOW = datetime.now(UTC)
SOON = (NOW + timedelta(days=10)).date()


async def told(town: Town, *lines: SupplyLine, reference: str = "PO-1") -> list[tuple[Any, ...]]:
    """A purchase order as its keeper has it, and what is expected then."""
    await town.house.hear("depot", SupplyReported(at=NOW, reference=reference, lines=lines))
    await town.house.path()
    rows = await town.house.rows("SELECT reference, node_id, item_id, quantity, due FROM supply ORDER BY 1, 3")
    return [tuple(row.values()) for row in rows]


async def test_a_purchase_order_is_expected_and_called_off_as_it_is_told(town: Town) -> None:
    lamp = await town.goods("LAMP", east=0)
    line = SupplyLine(location="EAST", sku="LAMP", quantity=7, due=SOON)
    more = SupplyLine(location="EAST", sku="PASS", quantity=2, due=SOON)
    both = [("PO-1", town.east, town.items["PASS"], 2, SOON), ("PO-1", town.east, lamp, 7, SOON)]
    assert await told(town, line, more) == both
    assert await told(town, line, more) == both, "told again, it is the same"
    assert await told(town, line) == both[1:]
    assert await told(town) == []
    assert await town.house.open_exceptions() == []


async def test_a_place_or_item_that_nobody_knows_changes_nothing_and_is_one_exception(town: Town) -> None:
    assert await told(town, SupplyLine(location="MOON", sku="PASS", quantity=1, due=SOON)) == []
    nobody = SupplyLine(location="EAST", sku="NOBODY", quantity=1, due=SOON)
    known = SupplyLine(location="EAST", sku="PASS", quantity=1, due=SOON)
    assert await told(town, known, nobody, reference="PO-2") == []
    kinds = [one["kind"] for one in await town.house.open_exceptions()]
    assert sorted(kinds) == ["unknown_location", "unknown_supply_item"]
