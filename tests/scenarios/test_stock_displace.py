"""Law 8 in a whole hub: less is there than was promised, and the least urgent untold units give way."""

from datetime import UTC, datetime, timedelta

from hub.domain.facts import GoodsShipped, StockLine, StockReported
from hub.domain.shipping import Parcel
from hub.domain.stock import ReportKind
from tests.scenarios.town import EAST, WEST, Town


def counted(location: str, sku: str, on_hand: int, at: datetime | None = None) -> StockReported:
    line = StockLine(location=location, sku=sku, on_hand=on_hand)
    return StockReported(at=at or datetime.now(UTC), kind=ReportKind.SNAPSHOT, lines=(line,))


async def held(town: Town, units: int, **how: object) -> str:
    """An order whose units are reserved and told to nobody: it says not where to."""
    _, order = await town.buy([("LAMP", units)], ship_to=None, **how)
    assert {state for _, state, _ in await town.slices(order["id"])} == {"reserved"}
    return str(order["id"])


async def test_the_least_urgent_reserved_units_give_way_and_wait_with_a_reason(town: Town) -> None:
    await town.goods("LAMP", east=6)
    ordinary = await held(town, 3)
    urgent = await held(town, 3, tags=("priority:1",))
    await town.house.hear("depot", counted(EAST, "LAMP", 4))
    assert await town.slices(urgent) == [(3, "reserved", town.east)]
    assert sorted(await town.slices(ordinary)) == [(1, "reserved", town.east), (2, "unallocated", None)]
    rows = await town.house.rows("SELECT reason FROM slice WHERE order_id = $1 AND state = 'unallocated'", ordinary)
    assert [row["reason"] for row in rows] == ["displaced"]
    assert await town.stock("LAMP", town.east) == (4, 4)
    assert await town.waiting() == [("shortage", f"item:{town.items['LAMP']}")]
    assert "displaced" in await town.timeline(ordinary)
    assert await town.house.value("SELECT count(*) FROM deficit") == 0


async def test_what_gives_way_goes_elsewhere_when_there_is_an_elsewhere(town: Town) -> None:
    await town.goods("LAMP", east=3)
    order = await held(town, 3)
    await town.house.shelf(town.west, town.items["LAMP"], 5)
    await town.house.hear("depot", counted(EAST, "LAMP", 0))
    assert await town.slices(order) == [(3, "reserved", town.west)]
    assert await town.stock("LAMP", town.east) == (0, 0)
    assert await town.waiting() == []


async def test_what_a_node_works_on_stays_and_the_lack_is_told_until_a_count_covers_it(town: Town) -> None:
    await town.goods("LAMP", east=6)
    _, released = await town.buy([("LAMP", 4)])
    reserved = await held(town, 2)
    await town.house.hear("depot", counted(EAST, "LAMP", 1))
    assert await town.slices(released["id"]) == [(4, "accepted", town.east)]
    assert await town.slices(reserved) == [(2, "unallocated", None)]
    kinds = {row["kind"]: row for row in await town.house.open_exceptions()}
    assert kinds["deficit"]["cause"] == "EAST: LAMP"
    assert "3 units" in kinds["deficit"]["next_step"]
    await town.house.hear("depot", counted(EAST, "LAMP", 9))
    assert {row["kind"] for row in await town.house.open_exceptions()} == {"missing_address"}
    assert await town.slices(reserved) == [(2, "reserved", town.east)]


async def test_a_lack_is_over_when_what_was_asked_for_has_left(town: Town) -> None:
    """A warehouse tells its new count before the shipment that made it: for a moment more is promised than is there."""
    await town.goods("LAMP", east=4)
    _, order = await town.buy([("LAMP", 4)])
    await town.house.hear("depot", counted(EAST, "LAMP", 0))
    assert "deficit" in {row["kind"] for row in await town.house.open_exceptions()}
    await town.house.close_mended()
    assert "deficit" in {row["kind"] for row in await town.house.open_exceptions()}, "it is not over yet"
    at = datetime.now(UTC) - timedelta(minutes=1)
    box = Parcel(tracking="T-1", carrier="ups", lines=())
    left = GoodsShipped(at=at, fulfilment=f"{order['id']}-1", shipment="S-1", parcels=(box,))
    await town.house.hear("depot", left)
    await town.house.close_mended()
    assert "deficit" not in {row["kind"] for row in await town.house.open_exceptions()}
    assert await town.stock("LAMP", town.east) == (0, 0)


async def test_goods_that_left_though_none_were_counted_are_nobodys_lack(town: Town) -> None:
    """The books are below nothing until the next count; of what was promised nothing is missing."""
    await town.goods("LAMP", east=1)
    _, order = await town.buy([("LAMP", 1)])
    await town.house.hear("depot", counted(EAST, "LAMP", 0))
    box = Parcel(tracking="T-1", carrier="ups", lines=())
    left = GoodsShipped(at=datetime.now(UTC), fulfilment=f"{order['id']}-1", shipment="S-1", parcels=(box,))
    await town.house.hear("depot", left)
    await town.house.close_mended()
    assert await town.stock("LAMP", town.east) == (-1, 0)
    assert "deficit" not in {row["kind"] for row in await town.house.open_exceptions()}


async def test_of_those_who_wait_the_most_urgent_is_served_first(town: Town) -> None:
    await town.goods("LAMP")
    orders = []
    for tags in ((), ("priority:9",), ("priority:0",), ("priority:3",)):
        _, order = await town.buy([("LAMP", 2)], tags=tags)
        orders.append(order["id"])
    await town.house.hear("depot", counted(WEST, "LAMP", 5))
    served = [sum(units for units, state, _ in await town.slices(order) if state == "accepted") for order in orders]
    assert served == [1, 0, 2, 2]


async def test_a_late_count_displaces_nobody(town: Town) -> None:
    await town.goods("LAMP", east=6)
    await town.house.hear("depot", counted(EAST, "LAMP", 6))
    order = await held(town, 4)
    await town.house.hear("depot", counted(EAST, "LAMP", 1, at=datetime.now(UTC) - timedelta(hours=1)))
    assert await town.slices(order) == [(4, "reserved", town.east)]
