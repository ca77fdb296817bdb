"""The people in the stores, against an API of a few lines."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.demo.api import ApiFault
from hub.demo.staff import REFUSED, SHORT, Staff
from hub.sdk.testkit.player import Dispatch
from hub.store.database import Database

NEXT = {"accept": "accepted", "pick": "picked", "pack": "packed", "ship": "shipped", "refuse": "cancelled"}
LABEL = "INSERT INTO label VALUES ($1, 1, 'shp_1', '1Z42', '{\"carrier\": \"ups\"}', now())"


class Desk:
    """One fulfilment order at one store."""

    def __init__(self, fulfilment: str, lines: dict[str, int]) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.conflict = False
        self.view: dict[str, Any] = {
            "id": fulfilment,
            "node": "ST-PARIS",
            "status": "released",
            "shipments": [],
            "lines": [
                {"line": str(no), "sku": sku, "quantity": units, "state": "released"}
                for no, (sku, units) in enumerate(lines.items(), 1)
            ],
        }

    async def every(self, path: str, **query: str) -> AsyncIterator[dict[str, Any]]:
        assert (path, query["by_hand"]) == ("/fulfilment-orders", "true")
        if self.view["status"] == query["state"]:
            yield self.view

    async def call(self, method: str, path: str, document: Any = None) -> dict[str, Any]:
        verb = path.rpartition("/")[2]
        if method == "POST":
            if self.conflict:
                raise ApiFault(409, "changed meanwhile")
            self.calls.append((verb, document))
            self.view |= {"status": NEXT.get(verb, self.view["status"])}
            if verb == "ship":
                self.view["shipments"] = [document]
        return self.view


def _fulfilment(low: float, high: float) -> str:
    """An id whose mood lies between: moods are drawn from the id."""
    return next(f"O{n}-1" for n in range(10_000) if low <= random.Random(f"1:O{n}-1").random() < high)


def _staff(desk: Desk, database: Database, **shelf: int) -> Staff:
    return Staff(api=desk, database=database, shelves={"ST-PARIS": Counter(shelf)}, seed=1)  # type: ignore[arg-type]


GOOD_DAY = _fulfilment(REFUSED + SHORT, 1.0)


async def test_goods_leave_with_the_label_that_the_hub_bought(database: Database) -> None:
    desk = Desk(GOOD_DAY, {"MUG": 2, "TEE": 1})
    staff = _staff(desk, database, MUG=5, TEE=1)
    await staff.round()
    assert [verb for verb, _ in desk.calls] == ["accept", "pick", "pack"]
    assert staff.dispatched == []
    async with database.connection() as connection:
        await connection.execute(LABEL, GOOD_DAY.removesuffix("-1"))
    await staff.round()
    verb, document = desk.calls[-1]
    assert verb == "ship"
    assert document == {"shipment": "1", "parcels": [{"tracking": "1Z42", "carrier": "ups"}]}
    assert staff.dispatched == [
        Dispatch(fulfilment=GOOD_DAY, location="ST-PARIS", sku="MUG", quantity=2),
        Dispatch(fulfilment=GOOD_DAY, location="ST-PARIS", sku="TEE", quantity=1),
    ]
    assert staff.shelves["ST-PARIS"] == {"MUG": 3, "TEE": 0}
    await staff.round()
    assert len(desk.calls) == 4


async def test_what_is_not_on_the_shelf_is_said_and_counted(database: Database) -> None:
    desk = Desk(GOOD_DAY, {"MUG": 2, "TEE": 1})
    staff = _staff(desk, database, MUG=5)
    await staff.round()
    assert ("short", {"lines": [{"line": "2", "quantity": 1}], "reason": "broken or not on the shelf"}) in desk.calls
    assert staff.missing == 1


async def test_some_orders_are_refused_and_some_goods_broken(database: Database) -> None:
    desk = Desk(_fulfilment(0, REFUSED), {"MUG": 2})
    await _staff(desk, database, MUG=5).round()
    assert [verb for verb, _ in desk.calls] == ["refuse"]
    desk = Desk(_fulfilment(REFUSED, REFUSED + SHORT), {"MUG": 2})
    staff = _staff(desk, database, MUG=5)
    await staff.round()
    assert ("short", {"lines": [{"line": "1", "quantity": 1}], "reason": "broken or not on the shelf"}) in desk.calls
    assert (staff.missing, staff.shelves["ST-PARIS"]["MUG"]) == (0, 3)


async def test_goods_of_a_stopped_order_go_back_to_the_shelf(database: Database) -> None:
    desk = Desk(GOOD_DAY, {"MUG": 2})
    staff = _staff(desk, database, MUG=5)
    await staff.round()
    assert staff.shelves["ST-PARIS"]["MUG"] == 3
    desk.view["status"] = "cancelled"
    await staff.round()
    assert staff.shelves["ST-PARIS"]["MUG"] == 5
    assert staff.dispatched == []


async def test_a_conflict_is_looked_at_again(database: Database) -> None:
    desk = Desk(GOOD_DAY, {"MUG": 2})
    staff = _staff(desk, database, MUG=5)
    desk.conflict = True
    await staff.round()
    desk.conflict = False
    await staff.round()
    assert [verb for verb, _ in desk.calls] == ["accept", "pick", "pack"]


async def test_any_other_fault_is_told(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(GOOD_DAY, {"MUG": 2})

    async def fail(*arguments: object, **words: object) -> None:
        raise ApiFault(500, "broken")

    monkeypatch.setattr(desk, "call", fail)
    with pytest.raises(ApiFault, match="broken"):
        await _staff(desk, database, MUG=5).round()
