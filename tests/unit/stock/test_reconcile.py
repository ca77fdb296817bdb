"""Which kind of difference it is, as a table."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.stock.reconcile import DriftClass, Move, Told, of_channel, of_shelf

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def move(minutes: float, delta: int, cause: str = "") -> Move:
    """A movement so many minutes before (negative) or after noon."""
    return Move(delta, NOON + timedelta(minutes=minutes), cause or f"cause{minutes}")


@pytest.mark.parametrize(
    ("theirs", "moves", "asked", "kind"),
    [
        (10, [move(-1, -3)], [], None),
        (13, [move(-1, -3)], [], DriftClass.LATE),
        (15, [move(-1, -3), move(-2, -2)], [], DriftClass.LATE),
        (7, [move(5, -3)], [], DriftClass.LATE),
        (13, [move(-300, -3)], [], DriftClass.LOST),
        (8, [move(-300, -3)], [("ORDER-1", 2)], DriftClass.LOST),
        (7, [move(-300, -3)], [], DriftClass.DOUBLED),
        (15, [move(-300, -5), move(-302, -5)], [], DriftClass.DOUBLED),
        (15, [move(-300, -5, "same"), move(-302, -5, "same")], [], DriftClass.LOST),
        (99, [move(-1, -3), move(-300, 4)], [("ORDER-1", 2)], DriftClass.WRONG),
        (11, [], [], DriftClass.WRONG),
    ],
)
def test_a_shelf_of_ten(theirs: int, moves: list[Move], asked: list[tuple[str, int]], kind: DriftClass | None) -> None:
    found = of_shelf(theirs, 10, NOON, moves, asked)
    assert (found.kind if found else None) is kind
    assert found is None or len(found.because) > 10
    assert of_shelf(theirs, 10, NOON, list(reversed(moves)), asked) == found


LATER = NOON + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("theirs", "told", "as_of", "kind"),
    [
        (5, Told(5, 8, NOON, False), LATER, None),
        (5, Told(5, 8, NOON, True), LATER, None),
        (4, Told(5, 8, NOON, True), LATER, DriftClass.LATE),
        (4, Told(5, 8, NOON, False), NOON, DriftClass.LATE),
        (8, Told(5, 8, NOON, False), LATER, DriftClass.LOST),
        (2, Told(5, 8, NOON, False), LATER, DriftClass.DOUBLED),
        (77, Told(5, 8, NOON, False), LATER, DriftClass.WRONG),
        (77, Told(5, None, NOON, False), LATER, DriftClass.WRONG),
        (3, Told(None, None, None, False), LATER, DriftClass.LOST),
        (3, Told(None, None, None, True), LATER, None),
    ],
)
def test_a_channel(theirs: int, told: Told, as_of: datetime, kind: DriftClass | None) -> None:
    found = of_channel(theirs, told, as_of)
    assert (found.kind if found else None) is kind
