"""The ledger's arithmetic: the same events in any order, in any batches, come to the same balance."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.flow.writes import LedgerRow
from hub.stock.ats import Loose, NodeStock, Part, ats, kit_ats
from hub.stock.buffer import BufferRule, withheld
from hub.stock.dates import Allowance, Component, Inbound, dates
from hub.stock.ledger import Reported, Shelf, apply
from hub.store.stock import in_the_count

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Event(NamedTuple):
    """A level or change that a source told, or goods that left; true at its own minute."""

    kind: str
    units: int
    minute: int

    @property
    def at(self) -> datetime:
        return NOON + timedelta(minutes=self.minute)


class Books:
    """A ledger and its balance, kept the way the store keeps them."""

    def __init__(self) -> None:
        self.shelf = Shelf(0, None)
        self.entries: list[tuple[int, datetime, str]] = []

    def take(self, batch: list[Event]) -> None:
        """Reports of one batch, or a departure alone, as they come."""
        reports = [event for event in batch if event.kind != "dispatch"]
        figures = [
            Reported(
                event.kind,
                event.units,
                event.at,
                sum(delta for delta, at, _ in self.entries if at > event.at),
                any(cause == f"{event}" for _, _, cause in self.entries),
            )
            for event in reports
        ]
        self.shelf, moves = apply(self.shelf, figures)
        self.entries += [(m.delta, m.true_at, f"{reports[m.position]}") for m in moves]
        for event in batch:
            if event.kind == "dispatch":
                self._leave(event)

    def _leave(self, event: Event) -> None:
        row = LedgerRow("m", 1, 1, -event.units, "dispatch", "hub", f"{event}", event.at)
        rows = [row, *in_the_count([row], {(1, 1): self.shelf.counted_at})]
        self.entries += [(one.delta, one.true_at, one.cause) for one in rows]
        self.shelf = self.shelf._replace(sellable=self.shelf.sellable + sum(one.delta for one in rows))


def truth(events: list[Event]) -> int:
    """The last level, and what moved after it; what moved when nothing was ever counted."""
    levels = [event for event in events if event.kind in ("snapshot", "count")]
    last = max(levels, key=lambda one: one.minute, default=None)
    moved = [e for e in events if e.kind not in ("snapshot", "count") and (last is None or e.minute > last.minute)]
    return (last.units if last else 0) + sum(-e.units if e.kind == "dispatch" else e.units for e in moved)


def by_minute(event: Event) -> int:
    return event.minute


kinds = st.sampled_from(("snapshot", "count", "delta", "delta", "dispatch", "dispatch"))
events = st.lists(st.builds(Event, kinds, st.integers(0, 50), st.integers(0, 30)), max_size=9, unique_by=by_minute)


@settings(max_examples=400, deadline=None)
@given(events, st.data())
def test_any_order_and_any_batches_come_to_the_same_end(found: list[Event], data: st.DataObject) -> None:
    order = data.draw(st.permutations(found))
    books = Books()
    while order:
        size = data.draw(st.integers(1, len(order)))
        books.take(order[:size])
        order = order[size:]
    assert books.shelf.sellable == truth(found)
    assert sum(delta for delta, _, _ in books.entries) == books.shelf.sellable


@settings(max_examples=200, deadline=None)
@given(events, st.data())
def test_what_is_told_again_changes_nothing(found: list[Event], data: st.DataObject) -> None:
    books = Books()
    for event in found:
        books.take([event])
    end, entries = books.shelf, len(books.entries)
    again = [event for event in found if event.kind in ("snapshot", "count", "delta") and event.units]
    for event in data.draw(st.permutations(again)):
        books.take([event])
    assert books.shelf == end
    assert len(books.entries) == entries


counts = st.integers(0, 1000)
nodes = st.lists(st.builds(NodeStock, st.integers(1, 9), st.integers(-50, 1000), counts, counts), max_size=5)
loose = st.builds(Loose, counts, counts, counts)
rules = st.builds(BufferRule, counts, st.integers(0, 100), st.none() | st.integers(1, 999_999))


@given(nodes, loose, rules, counts, counts)
def test_ats_is_never_above_what_is_there_and_allowed(
    shelves: list[NodeStock], claims: Loose, rule: BufferRule, supply: int, allowed: int
) -> None:
    def keep(base: int) -> int:
        return withheld(rule, base, delay_ms=1000, units_per_day=500)

    found = ats(shelves, claims, buffer=keep, supply=supply, backorder=allowed)
    there = sum(max(0, one.sellable - one.pinned) for one in shelves)
    assert found.available <= max(0, there - sum(claims) + supply + allowed)
    assert found.available <= ats(shelves, claims, supply=supply, backorder=allowed).available
    assert found.raw == sum(step.quantity for step in found.steps)


parts = st.lists(
    st.tuples(st.integers(1, 5), st.integers(-20, 100), st.lists(st.tuples(st.integers(0, 9), counts), max_size=3)),
    min_size=1,
    max_size=3,
)


@given(parts, st.integers(0, 30), st.lists(st.integers(0, 40), max_size=2))
def test_dates_sum_to_what_may_be_sold_of_a_kit(
    raw: list[tuple[int, int, list[tuple[int, int]]]], buffer: int, extra: list[int]
) -> None:
    made = [
        Component(each, units, tuple(Inbound(NOON.date() + timedelta(days=day), more) for day, more in due))
        for each, units, due in raw
    ]
    whole = [
        Part(f"{n}", part.per_unit, ats([NodeStock(1, part.raw, 0, 0)], Loose(unpinned=max(0, -part.raw)),
             supply=sum(one.units for one in part.inbound)))
        for n, part in enumerate(made)
    ]  # fmt: skip
    found = dates(made, buffer, [Allowance("backorder", units, None) for units in extra])
    assert sum(one.quantity for one in found) == kit_ats(whole, buffer=buffer, backorder=sum(extra)).available
    days = [one.on for one in found if one.source == "supply"]
    assert days == sorted(days)
