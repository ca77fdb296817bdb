"""What figures do to a shelf."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.stock.dates import Allowance, Available, Component, Inbound, dates
from hub.stock.ledger import Reported, Shelf, apply
from hub.stock.units import UnknownUnit, base_units

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("figures", "sellable", "deltas"),
    [
        ([Reported("snapshot", 7, at(1))], 7, [-3]),
        ([Reported("snapshot", 7, at(1), moved=-2)], 5, [-5]),
        ([Reported("snapshot", 7, at(-1))], 10, []),
        ([Reported("count", 10, at(1))], 10, []),
        ([Reported("delta", -4, at(1))], 6, [-4]),
        ([Reported("delta", -4, at(1), told=True)], 10, []),
        # True before the shelf was counted: recorded, and on the count already.
        ([Reported("delta", -4, at(-1))], 10, [-4, 4]),
        ([Reported("delta", -4, at(2)), Reported("snapshot", 7, at(1))], 3, [-3, -4]),
        ([Reported("snapshot", 7, at(1)), Reported("delta", -4, at(1))], 7, [-4, 1]),
        ([Reported("snapshot", 3, at(2)), Reported("snapshot", 7, at(1))], 3, [-3, -4]),
    ],
)
def test_a_shelf_of_ten_counted_at_noon(figures: list[Reported], sellable: int, deltas: list[int]) -> None:
    shelf, moves = apply(Shelf(10, NOON), figures)
    assert shelf.sellable == sellable
    assert [move.delta for move in moves] == deltas
    assert 10 + sum(deltas) == sellable


def test_units_convert_by_the_items_table_or_not_at_all() -> None:
    case = {"case": 12}
    assert base_units(3, None, base_unit="each", conversions=case) == 3
    assert base_units(3, "each", base_unit="each", conversions=case) == 3
    assert base_units(-3, "case", base_unit="each", conversions=case) == -36
    with pytest.raises(UnknownUnit, match=r"pallet.*each, case"):
        base_units(3, "pallet", base_unit="each", conversions=case)


def test_dates_sum_to_what_may_be_sold_and_a_deficit_takes_from_the_earliest() -> None:
    first, second = NOON.date(), NOON.date() + timedelta(days=9)
    part = Component(1, -4, (Inbound(first, 3), Inbound(second, 5)))
    found = dates([part], 0, [Allowance("backorder", 2, None)])
    assert found == [Available(4, second, "supply"), Available(2, None, "backorder")]
    assert dates([Component(1, 6)], 2) == [Available(4, None, "stock")]
    assert dates([]) == []


def test_a_kit_is_dated_by_the_component_that_comes_last() -> None:
    later = NOON.date() + timedelta(days=3)
    found = dates([Component(2, 9), Component(1, 1, (Inbound(later, 10),))])
    assert found == [Available(1, None, "stock"), Available(3, later, "supply")]
