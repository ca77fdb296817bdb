"""What parcels cost, term by term, whoever planned them: for explanations, and to measure two plans by one ruler."""

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property

import msgspec

from hub.routing.fences import asked, distance
from hub.routing.model import Plan
from hub.routing.prepare import Prepared, Way
from hub.routing.terms.term import Trip

Terms = tuple[tuple[str, int], ...]
"""(term, thousandths of a minor unit)."""


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """What one node sends in a plan."""

    node: int
    units: tuple[tuple[int, int], ...]
    """(demand, units), by demand."""
    terms: Terms
    km: int
    """As the policy counts it: an unknown distance is `unknown_distance_km`, and 0 where nothing travels."""

    @property
    def cost(self) -> int:
        """All terms together."""
        return sum(cost for _, cost in self.terms)


class Pricer:
    """The costs of one group's parcels under a plain policy."""

    def __init__(self, trip: Trip, prepared: Prepared) -> None:
        """`trip` is over the nodes that may be asked about. A policy of preferences prices nodes among one another:
        what it says holds for just these."""
        self.group = trip.group
        self.trip = trip
        self.terms = tuple(term.on(trip) for term in prepared.terms)
        self.unfilled_cost = prepared.policy.unfilled_cost
        self.places = {node.id: place for place, node in enumerate(trip.nodes)}

    @cached_property
    def _per_parcel(self) -> dict[str, Sequence[int]]:
        return {term.name: term.per_parcel(self.trip) for term in self.terms if term.per_parcel is not None}

    @cached_property
    def _per_unit(self) -> dict[str, list[int]]:
        lines = self.group.lines
        return {term.name: [term.per_unit(self.trip, line) for line in lines] for term in self.terms if term.per_unit}

    @cached_property
    def _per_unit_at(self) -> dict[str, list[Sequence[int]]]:
        lines = self.group.lines
        return {
            term.name: [term.per_unit_at(self.trip, line) for line in lines] for term in self.terms if term.per_unit_at
        }

    def terms_of(self, node: int, units: Sequence[int]) -> Terms:
        """One parcel from a node with so many units of each line of the group."""
        return tuple(self._terms(self.places[node], units))

    def _terms(self, place: int, units: Sequence[int]) -> Iterator[tuple[str, int]]:
        for term in self.terms:
            cost = self._per_parcel[term.name][place] if term.name in self._per_parcel else 0
            if term.name in self._per_unit:
                cost += sum(map(int.__mul__, self._per_unit[term.name], units))
            if term.name in self._per_unit_at:
                at = self._per_unit_at[term.name]
                cost += sum(amount * price[place] for amount, price in zip(units, at, strict=True))
            if term.per_load is not None:
                cost += term.per_load(self.trip, place, units)
            yield term.name, cost

    def parcel(self, node: int, units: Sequence[int]) -> Parcel:
        """One parcel from a node with so many units of each line of the group."""
        lines = zip(self.group.lines, units, strict=True)
        sent = sorted((line.demand, amount) for line, amount in lines if amount)
        return Parcel(
            node=node, units=tuple(sent), terms=self.terms_of(node, units), km=self.trip.km[self.places[node]]
        )

    def parcels(self, plan: Plan) -> tuple[Parcel, ...]:
        """The parcels of a plan, in the nodes' order of priority and code."""
        sent: dict[int, dict[int, int]] = {}
        for a in plan.assignments:
            sent.setdefault(a.node, {})[a.demand] = a.quantity
        return tuple(
            self.parcel(node, [sent[node].get(line.demand, 0) for line in self.group.lines])
            for node in sorted(sent, key=self.places.__getitem__)
        )

    def unfilled(self, plan: Plan) -> int:
        """What the lines cost of which a plan leaves something over."""
        return len(plan.unfilled) * self.unfilled_cost

    def cost(self, plan: Plan) -> int:
        """All parcels, and what is left over."""
        return sum(parcel.cost for parcel in self.parcels(plan)) + self.unfilled(plan)


def pricer_over(way: Way, senders: Collection[int]) -> Pricer:
    """Prices for nodes that are named, whatever fences say of them: to measure a plan by a policy that did not make it.

    They stand in the nodes' order of priority and code.
    """
    prepared = way.prepared
    want = asked(way.group, prepared.policy)
    sites = [site for site in prepared.sites if site.id in senders]
    nodes = [way.snapshot.nodes[site.position] for site in sites]
    kms = [distance(want, site) for site in sites]
    return Pricer(Trip(way.group, prepared.policy, way.snapshot.at, nodes, kms, want.travels), prepared)
