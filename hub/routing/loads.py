"""Orders of many lines where terms price whole parcels, as carriers' rate tables do.

What these terms ask at least is linear, so the search over nodes finds a bound for it. Its plan is then improved at its
true price, line by line and node by node. What is left between the two is the proven gap; often it is nothing.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from hub.routing.locate import locate
from hub.routing.opening import Want, wants
from hub.routing.pieces import Placement
from hub.routing.survey import Survey
from hub.routing.terms.term import Least

STEPS_OF_A_PRICE: Final = 100
"""What pricing one parcel takes of the budget."""


class Approached(NamedTuple):
    """The best plan met, and what no plan is cheaper than."""

    placements: list[Placement]
    cost: int
    bound: int


def approach(seen: Survey, rows: Sequence[int], partly: Sequence[int], limit: int | None) -> Approached | None:
    """A plan of at most `limit` parcels that places everything; None where the search met none."""
    wanted = wants(seen, rows, partly)
    best: Approached | None = None
    weight = max(1, seen.trip.grams([line.quantity for line in seen.group.lines]))
    for share in (1, 2, 3):
        least = [term.least_of(seen.trip, weight // share) for term in seen.loads if term.least_of is not None]
        lower = seen._replace(fixed=_fixed(seen, least))
        found = locate(lower, [_at_least(seen, want, least) for want in wanted], limit, seen.policy.search_budget // 4)
        if found is None:
            return best
        for start in filter(None, (found.placements, found.other)):
            met = _Better(seen, start).placements()
            here = Approached(met, _cost(seen, met), found.bound)
            best = here if best is None else _better_of(best, here)
        if best is not None and best.bound == best.cost:
            break
    return best


def _better_of(one: Approached, other: Approached) -> Approached:
    return (other if other.cost < one.cost else one)._replace(bound=max(one.bound, other.bound))


def _fixed(seen: Survey, least: Sequence[Least]) -> list[int]:
    return [sum(costs) for costs in zip(seen.fixed, *(part.parcel for part in least), strict=True)]


def _at_least(seen: Survey, want: Want, least: Sequence[Least]) -> Want:
    """A want with what the terms ask at least on top of its prices."""
    positions = seen.rows[want.row].lines
    offers = []
    for price, k, parts in want.offers:
        for part in least:
            price += sum((part.unit if want.spread else part.line)[position][k] for position in positions)
        offers.append((price, k, parts))
    return want._replace(offers=sorted(offers))


def _cost(seen: Survey, placements: Sequence[Placement]) -> int:
    parcels: dict[int, list[int]] = {}
    for position, k, units in placements:
        parcels.setdefault(k, [0] * len(seen.group.lines))[position] += units
    return sum(seen.parcel_cost(k, units) for k, units in parcels.items())


class _Better:
    """A plan made better at its true price, as long as moving a row or doing without a node helps."""

    def __init__(self, seen: Survey, placements: Sequence[Placement]) -> None:
        self.seen = seen
        self.left = seen.policy.search_budget // STEPS_OF_A_PRICE
        self.parcels: dict[int, list[int]] = {}
        for position, k, units in placements:
            self.parcels.setdefault(k, [0] * len(seen.group.lines))[position] += units
        self.prices: dict[tuple[int, tuple[int, ...]], int] = {}
        better = True
        while better and self.left > 0:
            better = any(self._move(row) for row in range(len(seen.rows)))
            better = any(self._close(k) for k in sorted(self.parcels)) or better

    def placements(self) -> list[Placement]:
        """The plan as it is now."""
        return [(n, k, units) for k, own in sorted(self.parcels.items()) for n, units in enumerate(own) if units]

    def _price(self, k: int, units: Sequence[int]) -> int:
        key = (k, tuple(units))
        if key not in self.prices:
            self.left -= 1
            self.prices[key] = self.seen.parcel_cost(k, units) if any(units) else 0
        return self.prices[key]

    def _homes(self, row: int) -> Iterator[int]:
        """Nodes that send the whole of a row."""
        for k, own in self.parcels.items():
            if all(own[n] == self.seen.group.lines[n].quantity for n in self.seen.rows[row].lines):
                yield k

    def _shifted(self, units: Sequence[int], row: int, sign: int) -> list[int]:
        moved = list(units)
        for n in self.seen.rows[row].lines:
            moved[n] += sign * self.seen.group.lines[n].quantity
        return moved

    def _move(self, row: int) -> bool:
        """Take a row to another node of the plan where that is cheaper."""
        home = next(self._homes(row), None)
        if home is None:
            return False
        rest = self._shifted(self.parcels[home], row, -1)
        saved = self._price(home, self.parcels[home]) - self._price(home, rest)
        best, where = 0, home
        for k, own in self.parcels.items():
            if k != home and self.seen.masks[k] >> row & 1:
                gain = saved - (self._price(k, self._shifted(own, row, 1)) - self._price(k, own))
                if gain > best:
                    best, where = gain, k
        if where == home:
            return False
        self.parcels[where] = self._shifted(self.parcels[where], row, 1)
        self._keep(home, rest)
        return True

    def _close(self, k: int) -> bool:
        """Give all that a node sends to others of the plan, or to one in its place, where that is cheaper."""
        rows = [row for row in range(len(self.seen.rows)) if k in self._homes(row)]
        if k not in self.parcels or self._shed(self.parcels[k], rows):
            return False
        before, gained = self._price(k, self.parcels[k]), None
        for other, mask in enumerate(self.seen.masks):
            if other not in self.parcels and all(mask >> row & 1 for row in rows):
                price = self._price(other, self.parcels[k])
                if price < before and (gained is None or price < gained[0]):
                    gained = (price, other)
        if gained is not None:
            self.parcels[gained[1]] = self.parcels.pop(k)
            return True
        kept = {other: own[:] for other, own in self.parcels.items()}
        cost = 0
        del self.parcels[k]
        for row in rows:
            added = [
                (self._price(other, self._shifted(own, row, 1)) - self._price(other, own), other)
                for other, own in self.parcels.items()
                if self.seen.masks[other] >> row & 1
            ]
            cost += min(added)[0] if added else before
            if cost >= before:
                self.parcels = kept
                return False
            self.parcels[min(added)[1]] = self._shifted(self.parcels[min(added)[1]], row, 1)
        return True

    def _shed(self, units: Sequence[int], rows: Sequence[int]) -> bool:
        """Whether anything stays when the rows have gone: parts of lines that are spread."""
        rest = list(units)
        for row in rows:
            rest = self._shifted(rest, row, -1)
        return any(rest)

    def _keep(self, k: int, units: list[int]) -> None:
        if any(units):
            self.parcels[k] = units
        else:
            del self.parcels[k]
