"""Several shipments of one order that are heard of together: each left its shelf when it left, not when another did."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.facts import GoodsShipped
from hub.domain.shipping import Parcel, ParcelLine
from tests.scenarios.town import Town


def left(fulfilment: str, name: str, at: datetime, *units: int) -> GoodsShipped:
    """A shipment of units of the first demand, or of all that is left."""
    boxes = tuple(Parcel(tracking=f"T-{name}", lines=(ParcelLine(line="1", quantity=count),)) for count in units)
    return GoodsShipped(at=at, fulfilment=fulfilment, shipment=name, parcels=boxes)


async def counted(town: Town, at: datetime) -> None:
    """Every shelf was counted, and the books were right."""
    await town.house.run("UPDATE stock SET counted_at = $1", at)


@pytest.mark.parametrize("turned", [False, True])
async def test_each_node_is_compared_with_its_own_count(town: Town, turned: bool) -> None:
    await town.goods("LAMP", east=4, west=3)
    _, order = await town.buy([("LAMP", 7)])
    first, second = await town.fulfilments(order["id"])
    noon = datetime.now(UTC) - timedelta(hours=2)
    await counted(town, noon)
    before = left(f"{order['id']}-{first['no']}", "s-1", noon - timedelta(hours=1))
    after = left(f"{order['id']}-{second['no']}", "s-2", noon + timedelta(hours=1))
    facts = (after, before) if turned else (before, after)
    await town.house.hear("depot", *facts)
    units = {town.east: 4, town.west: 3}
    kept, gone = first["node_id"], second["node_id"]
    assert await town.stock("LAMP", kept) == (units[kept], 0), "the count had it subtracted"
    assert await town.stock("LAMP", gone) == (0, 0), "it left after the count"
    await town.house.verify()


async def test_two_shipments_of_one_fulfilment_left_at_two_times(town: Town) -> None:
    await town.goods("LAMP", east=5)
    _, order = await town.buy([("LAMP", 5)])
    noon = datetime.now(UTC) - timedelta(hours=2)
    await counted(town, noon)
    work = f"{order['id']}-1"
    await town.house.hear(
        "depot", left(work, "s-1", noon - timedelta(hours=1), 2), left(work, "s-2", noon + timedelta(hours=1), 3)
    )
    assert await town.stock("LAMP", town.east) == (2, 0)
    await town.house.verify()


async def test_what_left_unasked_left_at_its_own_time(town: Town) -> None:
    await town.goods("LAMP", east=9)
    _, order = await town.buy([("LAMP", 2)])
    noon = datetime.now(UTC) - timedelta(hours=2)
    await counted(town, noon)
    work = f"{order['id']}-1"
    await town.house.hear(
        "depot", left(work, "s-1", noon + timedelta(hours=1), 5), left(work, "s-2", noon - timedelta(hours=1), 1)
    )
    assert await town.stock("LAMP", town.east) == (4, 0), "five since the count, the sixth before it"
