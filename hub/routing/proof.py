"""Whether a bound holds, found out again: apart from the searches, whose code and helpers it does not use.

A search that goes by prices leaves them behind. They are checked in the time it takes to read them: as long as no
parcel is overbid, no plan costs less than the bids. What prices leave open, and what searches without prices claim,
is tried: is there a set of nodes, or a way to place the lines, that is cheaper than the bound?
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from itertools import product
from typing import Final, NamedTuple, Protocol

from hub.routing.model import Decision, Group, Policy, Snapshot

STEPS: Final = 300_000
"""Sets of nodes, or placings, that are tried before the answer is that there are too many."""

Allowed = Sequence[Sequence[bool]]
"""Per node of the snapshot and line of the group: whether no fence stands between them."""


class Proof(StrEnum):
    """How a bound was seen to hold."""

    PRICES = "prices"
    """The prices that the decision carries add up to it."""
    TRIED = "tried"
    """Every cheaper plan was ruled out one by one."""
    UNTRIED = "untried"
    """There are too many plans, and no prices that would rule them out."""
    BROKEN = "broken"
    """It does not hold."""


class Scales(Protocol):
    """What parcels cost here, by the nodes' places in the snapshot."""

    @property
    def fixed(self) -> Sequence[int]:
        """A parcel for itself, per node."""
        ...

    @property
    def unit(self) -> Sequence[Sequence[int]]:
        """A unit, per node and line."""
        ...

    @property
    def load(self) -> Callable[[int, Sequence[int]], int] | None:
        """What is charged for a parcel as a whole: (node, units per line) -> cost; None where nothing is."""
        ...

    def parcel(self, k: int, units: Sequence[int], /) -> int:
        """A parcel from a node with so many units per line."""
        ...


class _Want(NamedTuple):
    """Lines that go together in one, or the units of a line that no node has whole."""

    places: tuple[int, ...]
    demand: int
    need: int
    offers: dict[int, tuple[int, int]]
    """Node -> (cost of a part, parts that it has)."""
    whole: bool


def prove(
    group: Group, snapshot: Snapshot, policy: Policy, decision: Decision, cost: Scales, allowed: Allowed
) -> Proof:
    """How sure the bound of a decision is, and with `proven` that it fills as much as can be."""
    wants = _wants(group, snapshot, policy, cost, allowed)
    units = sum(line.quantity for line in group.lines)
    most = sum(_units(group, want, min(want.need, _held(want))) for want in wants)
    over = sum(
        line.quantity > sum(_of_line(group, want, place) for want in wants) for place, line in enumerate(group.lines)
    )
    left = sum(amount for _, amount in decision.plan.unfilled)
    bare = cost.load is None and not _shares(group) and policy.min_part_value <= 0 and policy.min_part_margin <= 0
    if not decision.plan.assignments and (group.keep_together or not policy.allow_partial):
        if most < units:
            return Proof.TRIED
        return Proof.UNTRIED if policy.max_splits is not None or not bare else Proof.BROKEN
    if left < units - most:
        return Proof.BROKEN
    if not bare or left > units - most:
        return _small(group, snapshot, policy, decision, cost, wants)
    served = [want._replace(need=min(want.need, _held(want))) for want in wants if want.offers]
    target = decision.bound - over * policy.unfilled_cost
    prices = dict(decision.prices)
    bids = [prices.get(want.demand, min(price for price, _ in want.offers.values())) for want in served]
    slack = [fixed - _paid(served, bids, node) for node, fixed in enumerate(cost.fixed)]
    if min(slack, default=0) < 0:
        return Proof.BROKEN
    total = sum(bid * want.need for bid, want in zip(bids, served, strict=True))
    if total >= target:
        return Proof.PRICES
    limit = len(slack) if policy.max_splits is None else policy.max_splits + 1
    return _Trial(served, bids, slack, cost.fixed, limit).cheaper(total, target)


def _wants(group: Group, snapshot: Snapshot, policy: Policy, cost: Scales, allowed: Allowed) -> list[_Want]:
    lines = group.lines
    together: dict[object, list[int]] = {}
    for place in sorted(range(len(lines)), key=lambda place: lines[place].demand):
        mark = "all" if group.keep_together else (lines[place].together or place)
        together.setdefault(mark, []).append(place)
    wants = []
    for places in together.values():
        asked = Counter[int]()
        for place in places:
            asked[lines[place].item] += lines[place].quantity
        offers = {}
        for node, state in enumerate(snapshot.nodes):
            able = all(allowed[node][place] for place in places)
            if able and all(
                min(state.available[other] for other in places if lines[other].item == item) >= units
                for item, units in asked.items()
            ):
                price = sum(lines[place].quantity * cost.unit[node][place] for place in places)
                offers[node] = (price, 1)
        demand, alone = lines[places[0]].demand, len(places) == 1 and lines[places[0]].together is None
        if not offers and alone and policy.split_line and not group.keep_together:
            place = places[0]
            offers = {
                node: (cost.unit[node][place], min(state.available[place], lines[place].quantity))
                for node, state in enumerate(snapshot.nodes)
                if allowed[node][place] and state.available[place] > 0
            }
            wants.append(_Want(tuple(places), demand, lines[place].quantity, offers, False))
        else:
            wants.append(_Want(tuple(places), demand, 1, offers, True))
    return wants


def _held(want: _Want) -> int:
    return sum(parts for _, parts in want.offers.values())


def _units(group: Group, want: _Want, parts: int) -> int:
    return parts * (sum(group.lines[place].quantity for place in want.places) if want.whole else 1)


def _of_line(group: Group, want: _Want, place: int) -> int:
    """Units of a line that a want places when it gets all it can."""
    if place not in want.places:
        return 0
    parts = min(want.need, _held(want))
    return parts * group.lines[place].quantity if want.whole else parts


def _shares(group: Group) -> bool:
    return len({line.item for line in group.lines}) < len(group.lines)


def _paid(wants: Sequence[_Want], bids: Sequence[int], node: int) -> int:
    """What the bids pay towards a node's parcel."""
    paid = 0
    for want, bid in zip(wants, bids, strict=True):
        price, parts = want.offers.get(node, (bid, 0))
        paid += parts * max(0, bid - price)
    return paid


class _Trial:
    """Every set of nodes that the bids do not rule out."""

    def __init__(
        self, wants: Sequence[_Want], bids: Sequence[int], slack: Sequence[int], fixed: Sequence[int], limit: int
    ) -> None:
        self.wants = wants
        self.bids = bids
        self.slack = slack
        self.fixed = fixed
        self.limit = limit
        self.left = STEPS

    def cheaper(self, total: int, target: int) -> Proof:
        """BROKEN where some set costs less than the target."""
        found = self._below(frozenset(), frozenset(), total, target)
        if self.left < 0:
            return Proof.UNTRIED
        return Proof.BROKEN if found else Proof.TRIED

    def _below(self, opened: frozenset[int], closed: frozenset[int], total: int, target: int) -> bool:
        self.left -= 1
        if self.left < 0 or total + self._bid_twice(opened) >= target:
            return False
        lacking = [
            want for want in self.wants if sum(want.offers[k][1] for k in opened & want.offers.keys()) < want.need
        ]
        if lacking:
            fewest = min(lacking, key=lambda want: len(want.offers.keys() - closed - opened))
            choices = fewest.offers.keys() - closed - opened
        elif self._cost(opened) < target:
            return True
        else:
            choices = set(range(len(self.slack))) - closed - opened
        if len(opened) == self.limit:
            return False
        for k in sorted(choices, key=lambda k: (self.slack[k], k)):
            if self._below(opened | {k}, closed, total + self.slack[k], target):
                return True
            closed |= {k}
        return False

    def _bid_twice(self, opened: frozenset[int]) -> int:
        """What wants that go whole have bid to opened nodes other than the one that they would use."""
        twice = 0
        for want, bid in zip(self.wants, self.bids, strict=True):
            if want.whole:
                bids = [max(0, bid - want.offers[k][0]) for k in opened & want.offers.keys()]
                twice += sum(bids) - max(bids, default=0)
        return twice

    def _cost(self, opened: frozenset[int]) -> int:
        cost = sum(self.fixed[k] for k in opened)
        for want in self.wants:
            need = want.need
            for price, parts in sorted(want.offers[k] for k in opened & want.offers.keys()):
                taken = min(need, parts)
                cost += taken * price
                need -= taken
        return cost


def _small(
    group: Group, snapshot: Snapshot, policy: Policy, decision: Decision, cost: Scales, wants: Sequence[_Want]
) -> Proof:
    """Where lines share stock, parcels are priced whole, or few or only large parts are allowed: all ways to send wants
    whole, as long as there are not too many. What spreading could add is not tried."""
    lines = group.lines
    whole = [want for want in wants if want.whole and want.offers]
    touched = [a.demand for a in decision.plan.assignments] + [demand for demand, _ in decision.plan.unfilled]
    if len(set(touched)) < len(touched) or any(not want.whole and want.offers for want in wants):
        return Proof.UNTRIED
    if (
        sum(1 << sum(node in want.offers for want in whole) for node in range(len(snapshot.nodes))) << len(whole)
        > STEPS
    ):
        return Proof.UNTRIED
    limit = None if policy.max_splits is None else policy.max_splits + 1
    best: dict[tuple[frozenset[int], int], int] = {(frozenset(), 0): 0}
    for node in range(len(snapshot.nodes)):
        parcels = list(_parcels(group, snapshot, policy, cost, whole, node))
        for (sent, count), spent in list(best.items()):
            for more, price in parcels:
                key = (sent | more, 0 if limit is None else count + 1)
                if not sent & more and (limit is None or count < limit) and spent + price < best.get(key, 1 << 99):
                    best[key] = spent + price
    answers = []
    for (sent, _), spent in best.items():
        gone = {place for n in sent for place in whole[n].places}
        left = [0 if place in gone else line.quantity for place, line in enumerate(lines)]
        if not gone or not any(left) or _suffices(group, policy, left):
            answers.append((sum(left), spent + sum(map(bool, left)) * policy.unfilled_cost))
    missing = sum(units for _, units in decision.plan.unfilled)
    fuller = decision.proven and min(answers)[0] < missing
    cheaper = any(units == missing and spent < decision.bound for units, spent in answers)
    return Proof.BROKEN if fuller or cheaper else Proof.TRIED


def _parcels(
    group: Group, snapshot: Snapshot, policy: Policy, cost: Scales, whole: Sequence[_Want], node: int
) -> Iterator[tuple[frozenset[int], int]]:
    """What one node could send in one parcel, and what that costs."""
    able = [n for n, want in enumerate(whole) if node in want.offers]
    available = snapshot.nodes[node].available
    for chosen in product((False, True), repeat=len(able)):
        sent = frozenset(n for n, taken in zip(able, chosen, strict=True) if taken)
        places = [place for n in sent for place in whole[n].places]
        units = [line.quantity if place in places else 0 for place, line in enumerate(group.lines)]
        drawn: dict[int, list[int]] = {}
        for place in places:
            drawn.setdefault(group.lines[place].item, []).append(place)
        short = any(
            sum(units[p] for p in own) > min(available[p] for p, line in enumerate(group.lines) if line.item == item)
            for item, own in drawn.items()
        )
        if places and not short and (len(places) == len(units) or _suffices(group, policy, units)):
            yield sent, cost.parcel(node, units)


def _suffices(group: Group, policy: Policy, units: Sequence[int]) -> bool:
    """Whether a part of a parted group is worth as much as the policy asks."""
    shares = [(line, count, line.quantity) for line, count in zip(group.lines, units, strict=True)]
    value = sum(line.value * count // quantity for line, count, quantity in shares)
    margin = sum((line.margin or 0) * count // quantity for line, count, quantity in shares)
    return value >= policy.min_part_value and margin >= policy.min_part_margin
