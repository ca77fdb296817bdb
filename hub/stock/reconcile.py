"""Two sides name different numbers: which kind of difference is it? Pure, and the same answer every time.

A difference that a few known movements explain is named after them; what nothing explains is simply wrong. Small
numbers can be explained in several ways: the harmless explanation goes first, for a wrong repair is worse than none.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple


class DriftClass(StrEnum):
    """How a figure differs."""

    LATE = "late"
    """One side has not counted yet what the other has: it goes away by itself."""
    LOST = "lost"
    """One side never counted something, and will not."""
    DOUBLED = "doubled"
    """One side counted something twice."""
    WRONG = "wrong"
    """Nothing known explains it."""


class Move(NamedTuple):
    """A movement in our ledger."""

    delta: int
    true_at: datetime
    cause: str


class Verdict(NamedTuple):
    """What a difference is, and why we think so."""

    kind: DriftClass
    because: str


GRACE: Final = timedelta(minutes=30)
"""A movement younger than this may simply not have been counted yet."""

TWICE: Final = timedelta(minutes=5)
"""Two equal movements this close may be one that was told twice."""


def of_shelf(
    theirs: int, ours: int, as_of: datetime, moves: Sequence[Move], asked: Sequence[tuple[str, int]] = ()
) -> Verdict | None:
    """Their figure of a shelf against our ledger, both as of the same moment; None when they agree.

    `moves` are ours around that moment, in any order; `asked` are the units of each fulfilment order that the node was
    asked for and has not reported as gone.
    """
    difference = theirs - ours
    if difference == 0:
        return None
    before = sorted((m for m in moves if m.true_at <= as_of), key=lambda m: (m.true_at, m.cause), reverse=True)
    after = sorted((m for m in moves if m.true_at > as_of), key=lambda m: (m.true_at, m.cause))
    return (
        _late(difference, as_of, before, after)
        or _doubled_here(difference, before)
        or _lost(difference, before, asked)
        or _doubled_there(difference, before)
        or Verdict(DriftClass.WRONG, f"nothing known explains {difference:+d}")
    )


def _late(difference: int, as_of: datetime, before: Sequence[Move], after: Sequence[Move]) -> Verdict | None:
    total = 0
    for count, move in enumerate((m for m in before if m.true_at > as_of - GRACE), 1):
        total += move.delta
        if total and difference == -total:
            return Verdict(DriftClass.LATE, f"they have not counted our last {count} movements yet")
    total = 0
    for count, move in enumerate(after, 1):
        total += move.delta
        if total and difference == total:
            return Verdict(DriftClass.LATE, f"they have counted {count} movements that we date later")
    return None


def _doubled_here(difference: int, before: Sequence[Move]) -> Verdict | None:
    for newer, older in pairwise(before):
        same = newer.delta == older.delta == -difference
        if same and newer.cause != older.cause and newer.true_at - older.true_at <= TWICE:
            return Verdict(DriftClass.DOUBLED, f"{newer.cause} looks like {older.cause} told twice to us")
    return None


def _lost(difference: int, before: Sequence[Move], asked: Sequence[tuple[str, int]]) -> Verdict | None:
    for fulfilment, units in asked:
        if difference == -units:
            return Verdict(DriftClass.LOST, f"{fulfilment} may have left without our being told")
    for move in before:
        if difference == -move.delta:
            return Verdict(DriftClass.LOST, f"they never counted {move.cause}")
    return None


def _doubled_there(difference: int, before: Sequence[Move]) -> Verdict | None:
    for move in before:
        if difference == move.delta:
            return Verdict(DriftClass.DOUBLED, f"they counted {move.cause} twice")
    return None


class Told(NamedTuple):
    """What a channel was told of an item."""

    sent: int | None
    """The last number; None when never."""
    before: int | None
    """The number before it."""
    sent_at: datetime | None
    under_way: bool
    """A newer number, or news of the channel's own sales, is on its way."""


def of_channel(theirs: int, told: Told, as_of: datetime) -> Verdict | None:
    """A channel's own number against what it was told; None when it is an echo of that."""
    if told.sent is None:
        return None if told.under_way else Verdict(DriftClass.LOST, "it was never told a number")
    if theirs == told.sent:
        return None
    if told.under_way or (told.sent_at is not None and as_of <= told.sent_at):
        return Verdict(DriftClass.LATE, "a newer number is on its way, or had not arrived by then")
    if told.before is not None and theirs == told.before:
        return Verdict(DriftClass.LOST, f"it still has {told.before}: {told.sent} did not arrive")
    if told.before is not None and theirs == told.sent + (told.sent - told.before):
        return Verdict(DriftClass.DOUBLED, f"the change from {told.before} to {told.sent} was applied twice")
    return Verdict(DriftClass.WRONG, f"somebody else wrote {theirs} where we told {told.sent}")
