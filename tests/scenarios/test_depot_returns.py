"""Goods that a partner found in a parcel and put on its shelf again, or only set aside."""

from tests.scenarios.sold import shelf, sold
from tests.scenarios.town import Town


async def test_what_a_depot_took_back_is_a_return_and_what_it_restocked_is_for_sale(town: Town) -> None:
    _, order, line = await sold(town, 3)
    assert await shelf(town) == (97, 0, 0, 0)
    asked = town.asked(order["id"])
    town.depot.take_back(asked, {"PASS": (3, 2)}, status="pending")
    await town.settle()
    assert await town.house.value("SELECT count(*) FROM return_order") == 0
    town.depot.take_back(asked, {"PASS": (3, 2)})
    await town.settle()
    (made,) = await town.house.rows("SELECT * FROM return_order WHERE order_id = $1", order["id"])
    sellable, pinned, damaged, quarantine = await shelf(town)
    assert (pinned, damaged) == (0, 0)
    assert sellable == 99
    assert quarantine == 1, "nobody has said what becomes of it"
    assert await town.house.open_exceptions() == []
