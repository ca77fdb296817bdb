"""What becomes of shelves and nodes: counted, changed, expected, received, out of order."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.property.life.nodes import depots
from tests.property.life.stage import PICK, THEN, Stage, choose

which = st.integers(0, 1)
node = st.sampled_from(("EAST", "WEST", "STORE"))

_numbers = count(1)


class Shelves(Stage):
    """Steps of stock."""

    @property
    def counts(self) -> list[tuple[datetime, str, str, int]]:
        """Counts that were taken and not told yet."""
        found: list[tuple[datetime, str, str, int]] = self.__dict__.setdefault("_counts", [])
        return found

    def report(self, kind: str, code: str, sku: str, **line: Any) -> None:
        """Tell a figure through the API."""
        as_of = line.pop("as_of", None)
        body = {"kind": kind, "source": "dock", "lines": [{"node": code, "sku": sku, **line}]}
        told = self.ask(None, "PUT", "/stock", body | ({"as_of": as_of.isoformat()} if as_of else {}))
        assert told is not None

    def change_shelf(self, code: str, sku: str, change: int, **line: Any) -> None:
        """Goods come or go, and it is told at once."""
        there = self.world.depot.shelves[code, sku]
        change = max(change, -there)
        if change:
            self.world.depot.shelves[code, sku] = there + change
            self.report("delta", code, sku, delta=change, **line)

    @rule(code=node, which=which, change=st.integers(-3, 5), then=THEN)
    def change(self, code: str, which: int, change: int, then: str) -> None:
        """Something came or went."""
        self.change_shelf(code, self.goods[which], change)
        self.go(then)

    @rule(code=depots, which=which, then=THEN)
    def take_count(self, code: str, which: int, then: str) -> None:
        """Somebody counts; the figure is told later."""
        sku = self.goods[which]
        self.counts.append((datetime.now(UTC), code, sku, self.world.depot.shelves[code, sku]))
        self.go(then)

    @precondition(lambda self: self.counts)
    @rule(pick=PICK, kind=st.sampled_from(("snapshot", "count")), then=THEN)
    def tell_count(self, pick: int, kind: str, then: str) -> None:
        """The figure of a count, maybe after a newer one."""
        at, code, sku, figure = self.counts.pop(pick % len(self.counts))
        self.report(kind, code, sku, on_hand=figure, as_of=at)
        self.go(then)

    @rule(code=depots, which=which, units=st.integers(1, 6), days=st.integers(1, 9), then=THEN)
    def expect(self, code: str, which: int, units: int, days: int, then: str) -> None:
        """Goods are ordered from a supplier."""
        due = (datetime.now(UTC) + timedelta(days=days)).date()
        sku = self.goods[which]
        body = {"reference": f"PO-{next(_numbers)}", "node": code, "sku": sku, "quantity": units}
        assert self.ask(None, "PUT", "/supply", body | {"due": due.isoformat()}) is not None
        self.go(then)

    @rule(pick=PICK, units=st.integers(1, 6), then=THEN)
    def come_in(self, pick: int, units: int, then: str) -> None:
        """Expected goods arrive: fewer, as many, or more."""
        rows = self.rows(
            "SELECT s.reference, n.code, i.sku FROM supply s JOIN node n ON n.id = s.node_id JOIN item i "
            "ON i.id = s.item_id WHERE i.sku = ANY($1::text[]) ORDER BY s.id",
            self.goods,
        )
        if rows:
            one = choose(pick, rows)
            self.change_shelf(one["code"], one["sku"], units, supply=one["reference"])
        self.go(then)

    @rule(code=node, up=st.booleans(), then=THEN)
    def node_up_or_down(self, code: str, up: bool, then: str) -> None:
        """A node is taken out of the network, or back into it."""
        self.run(self.world.house.run("UPDATE node SET enabled = $2 WHERE code = $1", code, up))
        self.go(then)
