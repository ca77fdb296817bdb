"""A day's adjustment is two documents at most, and each of them is booked once."""

from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from hub.sdk.outcomes import Done, Interrupted, NeedsPerson
from hub.sdk.posting import AdjustedLine, StockAdjustment
from hub.sdk.stock_booking import booked, by_direction, living


class Paper(NamedTuple):
    mark: str
    name: str
    cancelled: bool = False


def day(**units: int) -> StockAdjustment:
    lines = tuple(AdjustedLine(sku=sku, quantity=quantity, reason="count") for sku, quantity in units.items())
    return StockAdjustment(key="EAST-1", node="EAST", lines=lines, dated=datetime(2026, 1, 16, tzinfo=UTC))


@pytest.mark.parametrize(
    ("units", "documents"),
    [
        ({"MUG": -2, "TEE": 3, "CAP": -1}, {"EAST-1/out": ["MUG", "CAP"], "EAST-1/in": ["TEE"]}),
        ({"TEE": 3}, {"EAST-1/in": ["TEE"]}),
        ({"MUG": -2}, {"EAST-1/out": ["MUG"]}),
    ],
)
def test_each_direction_that_has_lines_is_a_document(units: dict[str, int], documents: dict[str, list[str]]) -> None:
    ways = by_direction(day(**units))
    assert {mark: [line.sku for line in lines] for mark, lines in ways.items()} == documents


def test_a_cancelled_one_does_not_hide_the_one_that_took_its_place() -> None:
    gone, again, other = Paper("k/out", "INT/1", cancelled=True), Paper("k/out", "INT/2"), Paper("k/in", "INT/3")
    kept = living([gone, again, other], "the ledger", "its reference")
    assert kept == {"k/out": again, "k/in": other}
    assert booked(kept, found=True) == Done(reference="INT/3, INT/2", found=True)


@pytest.mark.parametrize(
    ("found", "said", "step"),
    [
        ([Paper("k/in", "INT/1"), Paper("k/in", "INT/2")], "k/in is in the ledger several times", "cancel all but one"),
        (
            [Paper("k/in", "INT/1"), Paper("k/out", "INT/2", cancelled=True)],
            "k/out was cancelled in the ledger (INT/2)",
            "clear its reference to book it anew",
        ),
    ],
)
def test_what_a_person_did_is_a_persons_to_mend(found: list[Paper], said: str, step: str) -> None:
    with pytest.raises(Interrupted) as raised:
        living(found, "the ledger", "its reference")
    outcome = raised.value.outcome
    assert isinstance(outcome, NeedsPerson)
    assert outcome.reason == said
    assert outcome.next_step.startswith(step)
