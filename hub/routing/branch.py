"""The search of last resort: branch and bound over which nodes send at all, best bound first.

Exact for costs that are a parcel's plus so much per unit, when it ends within its budget. When the budget ends first,
or a term prices loads, or lines compete for one item's stock beyond what a choice of nodes settles, the answer is the
best plan met, with a bound that holds for all plans. The budget counts steps: the same input stops at the same place.
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from hub.routing.ascent import ascend
from hub.routing.field import Field, Plan, Worth
from hub.routing.pieces import Piece
from hub.routing.survey import Survey


class Branched(NamedTuple):
    """The best plan, what no plan is better than, and the best met on another set of candidates."""

    plan: Plan
    bound: Worth
    other: Plan | None


def branch(seen: Survey, pieces: Sequence[Piece], allowed: Sequence[int], limit: int | None, budget: int) -> Branched:
    """Search sets of at most `limit` candidates, for at most `budget` steps."""
    search = _Search(Field(seen, pieces, allowed), limit)
    search.begin()
    heap = [(0, 0, frozenset[int](), frozenset[int]())]
    serial, unsettled = 0, search.best_key
    while heap and heap[0][0] < search.best_key and search.steps < budget:
        bound, _, inside, closed = heappop(heap)
        bound, pick = search.expand(bound, inside, closed)
        if bound >= search.best_key:
            continue
        if pick is None:
            unsettled = min(unsettled, bound)
            continue
        for child in ((inside | {pick}, closed), (inside, closed | {pick})):
            serial += 1
            heappush(heap, (bound, serial, *child))
    least = min(search.best_key, unsettled, heap[0][0] if heap else search.best_key)
    return Branched(search.best, search.field.worth(least), search.other())


class _Search:
    """The best plans met so far, and how one set is looked at."""

    def __init__(self, field: Field, limit: int | None) -> None:
        self.field = field
        self.limit = limit
        self.best = field.plan(())
        self.best_key = field.key(self.best.worth)
        self.met: dict[frozenset[int], Plan] = {}
        self.steps = 0

    def begin(self) -> None:
        """Plans to start from: the greedy one, and what it becomes without one of its candidates."""
        self.look(self.field.greedy(None))
        better = True
        while better:
            before = self.best_key
            for k in sorted(self.best.used):
                self.look(self.field.greedy(k))
            better = self.best_key < before

    def expand(self, bound: int, inside: frozenset[int], closed: frozenset[int]) -> tuple[int, int | None]:
        """Bound a choice, look at the plans it suggests, and say on which candidate to branch; None at its end."""
        field = self.field
        full = self.limit is not None and len(inside) >= self.limit
        free = [k for k in field.fixed if k not in closed and (k in inside or not full)]
        relaxed = field.relaxed(free, self.limit)
        costs = {k: 0 if k in inside else field.fixed[k] for k in free}
        found = ascend(relaxed.offers, [1] * len(relaxed.offers), relaxed.ceilings, costs)
        self.steps += found.steps
        bound = max(bound, found.bound + relaxed.lost + sum(field.fixed[k] for k in inside))
        self.look(sorted(inside.union(found.opened)))
        undecided = [k for k in free if k not in inside]
        if not undecided:
            return bound, None
        return bound, next((k for k in (*found.contested, *found.opened) if k not in inside), undecided[0])

    def look(self, chosen: list[int]) -> None:
        """Take a set, leave out the candidates it does better without, and remember what is met."""
        if self.limit is not None and len(chosen) > self.limit:
            chosen = self._strongest(chosen, self.limit)
        plan = self._note(self.field.plan(chosen))
        for k in sorted(plan.used):
            fewer = self._note(self.field.plan(plan.used - {k}))
            if fewer.worth < plan.worth:
                plan = fewer

    def _strongest(self, chosen: list[int], limit: int) -> list[int]:
        """As many as the limit allows, each the one that helps most with those already taken."""
        taken: list[int] = []
        for _ in range(limit):
            rest = [k for k in chosen if k not in taken]
            taken.append(min(rest, key=lambda k: (self.field.plan([*taken, k]).worth, k)))
        return taken

    def _note(self, plan: Plan) -> Plan:
        known = self.met.get(plan.used)
        if known is None or plan.worth < known.worth:
            self.met[plan.used] = plan
        key = self.field.key(plan.worth)
        if key < self.best_key:
            self.best, self.best_key = plan, key
        return plan

    def other(self) -> Plan | None:
        """The best plan met that places as much from another set of candidates."""
        left = self.best.worth.units_left
        others = [p for used, p in self.met.items() if used != self.best.used and p.worth.units_left == left]
        return min(others, key=lambda p: (p.worth, sorted(p.used)), default=None)
