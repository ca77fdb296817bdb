"""Plans for a set of nodes, where a parcel costs so much and every unit in it so much more."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from hub.routing.ascent import Offers
from hub.routing.pieces import Placement
from hub.routing.survey import Survey

SHARES: Final = 4096
"""What a want counts in weighing how much a node adds, whatever its parts."""


class Want(NamedTuple):
    """A row that goes whole, or a line that is spread: then a part is a unit."""

    row: int
    need: int
    offers: Offers
    spread: bool


class Worth(NamedTuple):
    """What is compared: cost, then parcels, then per want, in order of demand, how good its nodes' places are."""

    cost: int
    parcels: int
    ranks: tuple[int, ...]


class Opened(NamedTuple):
    """A plan, and the nodes that it uses."""

    worth: Worth
    used: frozenset[int]
    shares: list[list[tuple[int, int]]]
    """Per want: (candidate, parts)."""


def wants(seen: Survey, whole: Sequence[int], spread: Sequence[int]) -> list[Want]:
    """What is to be placed: rows that some candidate holds whole, and lines of which candidates hold parts."""
    found = []
    candidates = range(len(seen.sites))
    for row in sorted((*whole, *spread)):
        if row in spread:
            position = seen.rows[row].lines[0]
            held = [min(seen.held(k, position), seen.rows[row].units) for k in candidates]
            offers = [(seen.unit_cost(k, position), k, held[k]) for k in candidates if held[k]]
            found.append(Want(row, min(seen.rows[row].units, sum(held)), sorted(offers), True))
        else:
            offers = [(seen.row_cost(k, seen.rows[row]), k, 1) for k in candidates if seen.masks[k] >> row & 1]
            found.append(Want(row, 1, sorted(offers), False))
    return found


def placements_of(seen: Survey, wanted: Sequence[Want], plan: Opened) -> list[Placement]:
    """A plan by lines of the group."""
    lines = seen.group.lines
    return [
        (position, candidate, parts if want.spread else lines[position].quantity)
        for want, shares in zip(wanted, plan.shares, strict=True)
        for candidate, parts in shares
        for position in seen.rows[want.row].lines
    ]


class Opening:
    """Wants over candidates with the fixed costs of their parcels."""

    def __init__(self, wanted: Sequence[Want], fixed: Sequence[int]) -> None:
        self.wanted = wanted
        self.fixed = fixed
        self.parts = [{k: parts for _, k, parts in want.offers} for want in wanted]
        self.prices = [{k: price for price, k, _ in want.offers} for want in wanted]

    def serves(self, chosen: Iterable[int]) -> bool:
        """Whether these candidates have all that is wanted."""
        wants_and_parts = zip(self.wanted, self.parts, strict=True)
        return all(sum(own.get(k, 0) for k in chosen) >= want.need for want, own in wants_and_parts)

    def plan(self, chosen: Iterable[int]) -> Opened:
        """Every want from the cheapest of the chosen; a node that is not used costs nothing."""
        chosen = set(chosen)
        cost, used, shares, ranks = 0, set(), [], []
        for want in self.wanted:
            left, mine, rank = want.need, [], 0
            for price, k, parts in want.offers:
                if k in chosen:
                    taken = parts if parts < left else left
                    mine.append((k, taken))
                    used.add(k)
                    cost += price * taken
                    rank += k * taken
                    left -= taken
                    if not left:
                        break
            shares.append(mine)
            ranks.append(rank)
        cost += sum([self.fixed[k] for k in used])
        return Opened(Worth(cost, len(used), tuple(ranks)), frozenset(used), shares)

    def beyond_parcels(self, plan: Opened) -> int:
        """What a plan costs apart from its parcels as such."""
        return plan.worth.cost - sum([self.fixed[k] for k in plan.used])

    def filled(self, chosen: Iterable[int], others: Sequence[int]) -> list[int]:
        """More of the others until all is served, each the cheapest for what it adds; empty where they cannot."""
        taken, rest = list(chosen), [k for k in others if k not in chosen]
        wants_and_parts = list(zip(self.wanted, self.parts, strict=True))
        lacks = [want.need - sum(own.get(k, 0) for k in taken) for want, own in wants_and_parts]
        lacking = [place for place, lack in enumerate(lacks) if lack > 0]
        while lacking:
            best, most = None, 0
            for k in rest:
                adds = sum(
                    SHARES * min(lacks[place], self.parts[place].get(k, 0)) // self.wanted[place].need
                    for place in lacking
                )
                if adds and (best is None or self.fixed[k] * most < self.fixed[best] * adds):
                    best, most = k, adds
            if best is None:
                return []
            taken.append(best)
            rest.remove(best)
            for place in lacking:
                lacks[place] -= self.parts[place].get(best, 0)
            lacking = [place for place in lacking if lacks[place] > 0]
        return taken

    def one_more(self, plan: Opened, candidate: int) -> Opened:
        """The plan with a parcel from one more candidate, of whatever makes that cheapest; the plan if it has none."""
        moves = []
        for place, shares in enumerate(plan.shares):
            if candidate in self.parts[place]:
                prices = self.prices[place]
                dearest = max((prices[k], k) for k, _ in shares)
                moves.append((prices[candidate] - dearest[0], place, dearest[1]))
        if not moves:
            return plan
        more, place, giver = min(moves)
        rest = [(k, parts - (k == giver)) for k, parts in plan.shares[place]]
        moved = sorted([(candidate, 1), *((k, parts) for k, parts in rest if parts)])
        every = [*plan.shares[:place], moved, *plan.shares[place + 1 :]]
        ranks = tuple(sum(k * parts for k, parts in own) for own in every)
        used = frozenset(k for own in every for k, _ in own)
        cost = plan.worth.cost + more + sum(self.fixed[k] for k in used) - sum(self.fixed[k] for k in plan.used)
        return Opened(Worth(cost, len(used), ranks), used, every)
