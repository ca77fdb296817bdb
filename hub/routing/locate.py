"""The search over which nodes send, where a parcel costs so much and every unit in it so much more.

Prices (`ascent.py`) prove a lower bound and say how much dearer a plan must be that uses a certain node; a depth-first
search then tries only the sets of nodes that this leaves open. Any number of rows; lines that no node holds whole are
spread. It knows no stock that lines share, no least worth of a part and no term that prices a whole parcel.

The budget counts steps: the same input stops at the same place. A search that is stopped keeps the bound of the prices.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from hub.routing.ascent import Ascent, ascend
from hub.routing.opening import Opened, Opening, Want, placements_of
from hub.routing.pieces import Placement
from hub.routing.survey import Survey

SECOND_SHARE: Final = 4
"""One part in so many of the budget may go into the runner-up, and into deciding between plans that cost the same."""


class Located(NamedTuple):
    """The best plan, and the best on another set of candidates."""

    placements: list[Placement]
    cost: int
    bound: int
    other: list[Placement] | None
    other_is_exact: bool
    """Whether no plan on another set of candidates is better than `other`, or exists where that is None."""
    prices: list[int]
    """Per want, for a part: the certificate of what the bound is without a search."""


def locate(seen: Survey, wanted: Sequence[Want], limit: int | None, budget: int) -> Located | None:
    """The cheapest way to place all of `wanted` with at most `limit` parcels, or the best met within so many steps.

    None where there is no such way, or none was met.
    """
    offers, needs = [want.offers for want in wanted], [want.need for want in wanted]
    root = ascend(offers, needs, [None] * len(wanted), dict(enumerate(seen.fixed)))
    search = _Search(Opening(wanted, seen.fixed), root, limit)
    search.begin()
    search.run(budget)
    best, other = search.best, search.other
    if best is None:
        return None
    return Located(
        placements=placements_of(seen, wanted, best),
        cost=best.worth.cost,
        bound=best.worth.cost if search.complete else min(best.worth.cost, root.bound),
        other=None if other is None else placements_of(seen, wanted, other),
        other_is_exact=search.complete and not search.strict,
        prices=root.prices,
    )


class _Search:
    """Depth first: the want with the fewest nodes left to serve it is tried with each of them."""

    def __init__(self, opening: Opening, root: Ascent, limit: int | None) -> None:
        self.opening = opening
        self.root = root
        self.slack = root.slack
        self.limit = len(root.slack) if limit is None else limit
        self.best: Opened | None = None
        self.other: Opened | None = None
        self.complete = True
        self.strict = False
        """Whether only plans are looked for that cost less, or as much with fewer parcels: no runner-up, no ties."""
        self.steps_left = 0
        self.usable = sorted(root.slack, key=lambda k: (root.slack[k], k))
        self.order = [[k for k in self.usable if k in parts] for parts in opening.parts]
        self.cheapest = min(opening.fixed, default=0)
        self.least = opening.beyond_parcels(opening.plan(self.usable))
        self.holders = [sum(1 << k for k in parts) for parts in opening.parts]
        self.pays = self._paid()

    def _paid(self) -> dict[int, list[tuple[int, int]]]:
        """Per candidate: (want, what its price pays to the candidate), of wants that go whole."""
        found: dict[int, list[tuple[int, int]]] = {k: [] for k in self.slack}
        for place, (want, price) in enumerate(zip(self.opening.wanted, self.root.prices, strict=True)):
            for cost, k, _ in () if want.spread else want.offers:
                if cost >= price:
                    break
                found[k].append((place, price - cost))
        return found

    def begin(self) -> None:
        """Plans to start from: what the prices opened, filled up; and by the node that adds most for its cost."""
        filled = self.opening.filled
        self._improve(filled(self.root.opened, self.usable))
        self._improve(filled((), self.usable))
        if self.best is not None:
            used = self.best.used
            for left_out in sorted(used):
                self._improve(filled(used - {left_out}, [k for k in self.usable if k != left_out]))

    def _improve(self, chosen: Iterable[int]) -> None:
        """Note a set of nodes, and what is left of it without those that it does better without."""
        chosen = set(chosen)
        if not chosen or not self.opening.serves(chosen):
            return
        plan = self._note(self.opening.plan(chosen))
        for k in sorted(plan.used):
            fewer = plan.used - {k}
            if self.opening.serves(fewer):
                left = self._note(self.opening.plan(fewer))
                if left.worth < plan.worth:
                    plan = left

    def _note(self, plan: Opened) -> Opened:
        if len(plan.used) > self.limit:
            return plan
        if self.best is None:
            self.best = plan
        elif plan.worth < self.best.worth:
            if plan.used != self.best.used:
                self.other = self.best
            self.best = plan
        elif plan.used != self.best.used and (self.other is None or plan.worth < self.other.worth):
            self.other = plan
        return plan

    def run(self, budget: int) -> None:
        """Search for the two best, and for the best alone when that is too much; `complete` says if it is proven."""
        self._start(budget // SECOND_SHARE)
        if not self.complete:
            self.strict = True
            self._start(budget)
        if self.best is not None:
            for k in self.usable:
                if k not in self.best.used:
                    self._note(self.opening.one_more(self.best, k))

    def _start(self, steps: int) -> None:
        self.steps_left, self.complete = steps, True
        self._down(sum(1 << k for k in self.usable), (), self.root.bound, [0] * len(self.holders))

    def _down(self, free: int, inside: tuple[int, ...], bound: int, paid: list[int]) -> None:
        """Try every set of the nodes inside and some of the free ones. `paid` is the most that each want pays one."""
        if self.steps_left < 0:
            self.complete = False
            return
        options = self._fewest(free, inside)
        if options is None:
            plan = self._note(self.opening.plan(inside))
            options = self._helpers(free, inside, plan)
        self.steps_left -= len(self.holders) + len(options)
        parcels = len(inside) + 1
        for k in options:
            free &= ~(1 << k)
            more = bound + self.slack[k]
            if self._worse(more, parcels):
                continue
            most = paid[:]
            for place, pays in self.pays[k]:
                before = most[place]
                if pays > before:
                    most[place] = pays
                    more += before
                else:
                    more += pays  # it uses one node and has paid two
            if not self._worse(more, parcels):
                self._down(free, (*inside, k), more, most)

    def _fewest(self, free: int, inside: tuple[int, ...]) -> list[int] | None:
        """The free nodes that may serve the want with the fewest of them; None when every want is served."""
        taken = sum([1 << k for k in inside])
        best, fewest = -1, 0
        for place, holders in enumerate(self.holders):
            if holders & taken and (not self.opening.wanted[place].spread or self._enough(place, inside)):
                continue
            count = (holders & free).bit_count()
            if best < 0 or count < fewest:
                best, fewest = place, count
        return None if best < 0 else [k for k in self.order[best] if free >> k & 1]

    def _enough(self, place: int, inside: tuple[int, ...]) -> bool:
        parts = self.opening.parts[place]
        return sum(parts.get(k, 0) for k in inside) >= self.opening.wanted[place].need

    def _helpers(self, free: int, inside: tuple[int, ...], plan: Opened) -> list[int]:
        """Free nodes that one by one make a plan cheaper. One that does not will not help a greater set either."""
        if self.opening.beyond_parcels(plan) - self.least <= self.cheapest:
            return []
        self.steps_left -= len(self.usable) * len(self.holders)
        cost = plan.worth.cost
        return [k for k in self.usable if free >> k & 1 and self.opening.plan((*inside, k)).worth.cost < cost]

    def _worse(self, bound: int, parcels: int) -> bool:
        """Whether no plan of at least this cost and so many parcels is worth finding."""
        if parcels > self.limit:
            return True
        known = self.best if self.strict else self.other
        if known is None:
            return False
        if bound != known.worth.cost:
            return bound > known.worth.cost
        return parcels >= known.worth.parcels if self.strict else parcels > known.worth.parcels
