"""What the search over nodes works on: pieces with their prices as single integers, and the plan for a set of nodes."""

from collections.abc import Iterable, Sequence
from operator import mul
from typing import NamedTuple

from hub.routing.ascent import Offers
from hub.routing.pieces import Piece, Placement, capacity, units_of
from hub.routing.survey import Survey


class Worth(NamedTuple):
    """What is compared between plans: fewer units left over, then cost, then parcels."""

    units_left: int
    cost: int
    parcels: int


class Plan(NamedTuple):
    """A plan met by the search, and its candidates."""

    worth: Worth
    placements: list[Placement]
    used: frozenset[int]


class Relaxed(NamedTuple):
    """The pieces as if a node that holds some of one held all of it, but no more in total than the nodes hold."""

    offers: list[Offers]
    ceilings: list[int]
    lost: int
    """What cannot be placed whatever is chosen."""


class _Scarce(NamedTuple):
    """Pieces of one item that may have to come from several nodes, or not at all."""

    places: tuple[int, ...]
    need: int
    held: dict[int, int]
    unit_cost: dict[int, int]


class Field:
    """Pieces over the allowed candidates. Keys compare plans as `Worth` does."""

    def __init__(self, seen: Survey, pieces: Sequence[Piece], allowed: Sequence[int]) -> None:
        self.seen = seen
        self.pieces = pieces
        self.caps = {k: [capacity(seen, piece, k) for piece in pieces] for k in allowed}
        most = sum(seen.fixed[k] for k in allowed) + seen.policy.unfilled_cost * len(seen.group.lines)
        most += sum(max((self._cost(piece, k) for k in allowed), default=0) for piece in pieces)
        self._parcel_bits = max(8, len(allowed).bit_length())
        self._unit_shift = most.bit_length() + self._parcel_bits + 1
        self.fixed = {k: (seen.fixed[k] << self._parcel_bits) + 1 for k in allowed}
        self._offers: list[Offers] = [
            sorted((self._cost(piece, k) << self._parcel_bits, k, 1) for k in allowed if self.caps[k][place])
            for place, piece in enumerate(pieces)
        ]
        self._ceilings = [self._key(piece.units, len(piece.lines) * seen.policy.unfilled_cost) for piece in pieces]
        self._shared_of = {position: n for n, lines in enumerate(seen.shared) for position in lines}
        self._order = sorted(range(len(pieces)), key=lambda place: (len(self._offers[place]), place))
        self._scarce = list(self._scarcities(allowed))

    def _cost(self, piece: Piece, candidate: int) -> int:
        lines = self.seen.group.lines
        return sum(lines[n].quantity * self.seen.unit_cost(candidate, n) for n in piece.lines)

    def _scarcities(self, allowed: Sequence[int]) -> Iterable[_Scarce]:
        seen, pieces = self.seen, self.pieces
        for place, piece in enumerate(pieces):
            line = piece.lines[0]
            if piece.spread and line not in self._shared_of:
                held = {k: self.caps[k][place] * piece.step for k in allowed}
                yield _Scarce((place,), piece.units, held, {k: seen.unit_cost(k, line) for k in allowed})
        for lines in seen.shared:
            places = tuple(place for place, piece in enumerate(pieces) if not set(lines).isdisjoint(piece.lines))
            if places and all(len(pieces[place].lines) == 1 for place in places):
                held = {k: seen.pool(k, lines) for k in allowed}
                unit = {k: min(seen.unit_cost(k, pieces[place].lines[0]) for place in places) for k in allowed}
                yield _Scarce(places, sum(pieces[place].units for place in places), held, unit)

    def _key(self, units: int, cost: int, parcels: int = 0) -> int:
        return (units << self._unit_shift) + (cost << self._parcel_bits) + parcels

    def key(self, worth: Worth) -> int:
        """A worth as one integer."""
        return self._key(*worth)

    def worth(self, key: int) -> Worth:
        """The worth that a key stands for."""
        low = key & (1 << self._unit_shift) - 1
        return Worth(key >> self._unit_shift, low >> self._parcel_bits, low & (1 << self._parcel_bits) - 1)

    def relaxed(self, free: Sequence[int], limit: int | None) -> Relaxed:
        """What is left of the pieces when only `free` candidates, and at most `limit` of them, may send."""
        kept = set(free)
        offers: list[Offers] = [[offer for offer in own if offer[1] in kept] for own in self._offers]
        ceilings, lost = self._ceilings[:], 0
        for scarce in self._scarce:
            room = sum(sorted((scarce.held[k] for k in free), reverse=True)[:limit])
            if room >= scarce.need:
                continue
            for place in scarce.places:  # all of the item becomes one piece, of as much as there is
                offers[place], ceilings[place] = [], 0
            holders = (k for k in free if scarce.held[k])
            first = scarce.places[0]
            offers[first] = sorted((room * scarce.unit_cost[k] << self._parcel_bits, k, 1) for k in holders)
            ceilings[first] = self._key(room, 0)
            lost += self._key(scarce.need - room, self.seen.policy.unfilled_cost)
        return Relaxed(offers, ceilings, lost)

    def greedy(self, banned: int | None) -> list[int]:
        """Candidates one by one, each the cheapest for what it adds."""
        left = [piece.parts for piece in self.pieces]
        shares = [4096 // piece.parts + 1 for piece in self.pieces]
        rest = {k: caps for k, caps in self.caps.items() if k != banned}
        chosen: list[int] = []
        while True:
            adds = {k: sum(map(mul, shares, map(min, left, caps))) for k, caps in rest.items()}
            ranked = [(self.fixed[k] * 4096 // add, k) for k, add in adds.items() if add]
            if not ranked:
                return chosen
            best = min(ranked)[1]
            chosen.append(best)
            left = [parts - min(parts, cap) for parts, cap in zip(left, rest.pop(best), strict=True)]

    def plan(self, chosen: Iterable[int]) -> Plan:
        """Every piece from the cheapest of the chosen candidates that still has it, scarce pieces first."""
        chosen = set(chosen)
        seen = self.seen
        pools = {(k, n): seen.pool(k, lines) for k in chosen for n, lines in enumerate(seen.shared)}
        taken: dict[int, list[int]] = {}
        left = [piece.parts for piece in self.pieces]
        for place in self._order:
            needs = self._pool_needs(self.pieces[place])
            for _, k, _ in self._offers[place]:
                if k not in chosen or not left[place]:
                    continue
                parts = min(left[place], self.caps[k][place], *(pools[k, n] // each for n, each in needs.items()))
                if parts > 0:
                    taken.setdefault(k, [0] * len(self.pieces))[place] += parts
                    left[place] -= parts
                    for n, each in needs.items():
                        pools[k, n] -= parts * each
        return self._plan(taken, left)

    def _pool_needs(self, piece: Piece) -> dict[int, int]:
        """Units that one part takes of each shared stock."""
        needs: dict[int, int] = {}
        for position in piece.lines:
            if position in self._shared_of:
                each = piece.step if piece.spread else self.seen.group.lines[position].quantity
                pool = self._shared_of[position]
                needs[pool] = needs.get(pool, 0) + each
        return needs

    def _plan(self, taken: dict[int, list[int]], left: list[int]) -> Plan:
        cost = 0
        placements: list[Placement] = []
        for k, parts in taken.items():
            units = units_of(self.seen, self.pieces, parts)
            cost += self.seen.parcel_cost(k, units)
            placements += [(position, k, amount) for position, amount in enumerate(units) if amount]
        over = [(piece, parts) for piece, parts in zip(self.pieces, left, strict=True) if parts]
        cost += sum(len(piece.lines) for piece, _ in over) * self.seen.policy.unfilled_cost
        worth = Worth(sum(piece.step * parts for piece, parts in over), cost, len(taken))
        return Plan(worth, placements, frozenset(taken))
