"""What a cost term is: up to five functions, each returning integers in thousandths of a minor unit, never negative.

A term may have settings of its own: a struct, read from `[terms.<name>]` of the policy. Money in settings is in
thousandths of a minor unit of the policy's currency, as everywhere in a policy.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from hub.domain.order import Method
from hub.routing.geography import place_of
from hub.routing.hull import line_below
from hub.routing.model import Group, GroupLine, NodeState, Policy

Cost = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]

S = TypeVar("S", bound=msgspec.Struct)


class Trip(NamedTuple):
    """What a term may read: the group and the nodes that it could leave from. `km` runs parallel to `nodes`."""

    group: Group
    policy: Policy
    at: datetime
    nodes: Sequence[NodeState]
    km: Sequence[int]
    travels: bool
    """Whether a carrier or driver brings it; false where the customer collects."""

    def known_km(self) -> list[int | None]:
        """Kilometres, or None where the policy only says how far an unknown distance counts."""
        here = place_of(self.group.place, coarse=self.policy.coarse_distance)
        return [
            None if here is None or node.latitude is None or node.longitude is None else km
            for node, km in zip(self.nodes, self.km, strict=True)
        ]

    def grams(self, units: Sequence[int]) -> int:
        """Weight of so many units per line, an unknown one counted as the policy says."""
        unknown = self.policy.unknown_weight_g
        return sum(
            count * (unknown if line.weight_g is None else line.weight_g)
            for line, count in zip(self.group.lines, units, strict=True)
            if count
        )


def travels(method: Method) -> bool:
    """Whether goods of a group are brought to the customer."""
    return method is Method.SHIP or method is Method.DELIVER


PerParcel = Callable[[Trip], Sequence[int]]
"""Once per parcel; the answer runs parallel to `trip.nodes`."""

PerUnit = Callable[[Trip, GroupLine], int]
"""Per unit of a line, the same from every node."""

PerUnitAt = Callable[[Trip, GroupLine], Sequence[int]]
"""Per unit of a line; the answer runs parallel to `trip.nodes`."""

PerLoad = Callable[[Trip, int, Sequence[int]], int]
"""(trip, index of the node, units per line of the group) -> cost of sending all that in one parcel. Any function."""

LoadsOf = Callable[[Trip], Callable[[int, Sequence[int]], int]]
"""The same in two steps, for terms that have something to work out once per trip."""


class Least(NamedTuple):
    """What a term that prices whole parcels asks at least: a parcel's part, and a part for what is in it, together
    never above the price. Lists run parallel to `trip.nodes`, those of lists to the group's lines."""

    parcel: Sequence[int]
    line: Sequence[Sequence[int]]
    """For the whole quantity."""
    unit: Sequence[Sequence[int]]
    """For a unit of a line that is spread."""


LeastOf = Callable[[Trip, int], Least]
"""(trip, grams of a parcel for which it should come close) -> what is asked at least."""


def least_by_weight(trip: Trip, steps: Sequence[Sequence[tuple[int, int]]], grams: int) -> Least:
    """What rates by weight ask at least, from (up to grams, cost) per node; see `hull.line_below`."""
    below = [line_below(own, grams) for own in steps]
    unknown = trip.policy.unknown_weight_g
    weights = [(unknown if line.weight_g is None else line.weight_g, line.quantity) for line in trip.group.lines]
    return Least(
        [line.base for line in below],
        [[line.at(weight * quantity) for line in below] for weight, quantity in weights],
        [[line.at(weight) for line in below] for weight, _ in weights],
    )


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One part of what a plan costs. What prices whole loads is free in form; the others let a search prove more with
    less work."""

    name: str
    applies: Callable[[Policy], bool] | None = None
    """None: where the policy has settings for it."""
    settings: type[msgspec.Struct] | None = None
    per_parcel: PerParcel | None = None
    per_unit: PerUnit | None = None
    per_unit_at: PerUnitAt | None = None
    per_load: PerLoad | None = None
    loads_of: LoadsOf | None = None
    least_of: LeastOf | None = None
    """For what prices whole loads: lets orders of many lines be decided with a proven bound."""
    first: bool = False
    """Whether it stands alone: where it applies, no other term does."""

    def stands(self, policy: Policy) -> bool:
        """Whether it counts under a policy."""
        return self.name in policy.terms if self.applies is None else self.applies(policy)

    def on(self, trip: Trip) -> "Term":
        """The same for one trip, where that saves work."""
        if self.loads_of is None:
            return self
        price = self.loads_of(trip)
        return replace(self, per_load=lambda _, node, units: price(node, units))


def read(policy: Policy, name: str, kind: type[S]) -> S:
    """A term's settings, the defaults where the policy has none. Raises `msgspec.ValidationError`."""
    known = policy.scratch.get(name)
    if isinstance(known, kind):
        return known
    made = policy.scratch[name] = msgspec.convert(policy.terms.get(name, {}), kind)
    return made


def standing(terms: Sequence[Term], policy: Policy) -> tuple[Term, ...]:
    """The terms that count under a policy, each at its weight."""
    counted = [term for term in terms if term.stands(policy) and policy.weights.get(term.name, 100) > 0]
    alone = [term for term in counted if term.first]
    return tuple(_whole(_weighted(term, policy.weights.get(term.name, 100))) for term in alone or counted)


def _whole(term: Term) -> Term:
    """With `per_load` where it has only `loads_of`."""
    loads_of = term.loads_of
    if loads_of is None:
        return term
    return replace(term, per_load=lambda trip, node, units: loads_of(trip)(node, units))


def _weighted(term: Term, percent: int) -> Term:
    """A term whose costs count at so many percent, each rounded up."""
    if percent == 100:
        return term
    parcel, unit, unit_at, load, loads_of, least_of = (
        term.per_parcel,
        term.per_unit,
        term.per_unit_at,
        term.per_load,
        term.loads_of,
        term.least_of,
    )

    def share(cost: int) -> int:
        return -(-cost * percent // 100)

    def loads(trip: Trip) -> Callable[[int, Sequence[int]], int]:
        assert loads_of is not None
        price = loads_of(trip)
        return lambda node, units: share(price(node, units))

    def least(trip: Trip, grams: int) -> Least:
        assert least_of is not None
        parts = least_of(trip, grams)
        scaled = [[[cost * percent // 100 for cost in own] for own in part] for part in parts[1:]]
        return Least([cost * percent // 100 for cost in parts.parcel], *scaled)

    return replace(
        term,
        per_parcel=parcel and (lambda trip: [share(cost) for cost in parcel(trip)]),
        per_unit=unit and (lambda trip, line: share(unit(trip, line))),
        per_unit_at=unit_at and (lambda trip, line: [share(cost) for cost in unit_at(trip, line)]),
        per_load=load and (lambda trip, node, units: share(load(trip, node, units))),
        loads_of=loads_of and loads,
        least_of=least_of and least,
    )
