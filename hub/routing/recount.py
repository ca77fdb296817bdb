"""What parcels cost, worked out a second time: from the policy's own words, without the code that prices decisions.

The checker weighs plans by it, so that a fault in a cost term, in the weights or in the order of preferences shows as a
cost that is not the sum of its parts, or as a bound that does not hold. A term that is not known here (a file somebody
added) cannot be counted again: `counts` says so, and the checker then asks the term itself.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import atan2, cos, radians, sin, sqrt
from typing import Any, Final
from zoneinfo import ZoneInfo

from hub.domain.contact import Place
from hub.domain.order import Method
from hub.routing.model import Group, GroupLine, NodeState, Policy
from hub.routing.places import rough_place
from hub.routing.recount_rates import carrier_rate, step_rate

BORDERLINE_KM: Final = 0.001
"""Two formulas for one distance may round to different kilometres this close to a half."""

SETTINGS: Final = frozenset({"border", "carrier_rates", "lateness", "load", "picking", "split", "stock_out"})
"""Terms with settings of their own that are known here."""
ALWAYS: Final = frozenset({"distance", "handling", "parcel", "preference", "rate_steps", "weight"})

NEVER_DAYS: Final = 400
"""A parcel that never leaves is so late."""


def counts(policy: Policy, names: Sequence[str]) -> bool:
    """Whether everything that such a policy charges is known here; `names` are the terms that count."""
    return policy.terms.keys() <= SETTINGS and set(names) <= SETTINGS | ALWAYS


class Recount:
    """The costs of parcels from some nodes. `lean` km decide which way a distance on the edge of two is rounded."""

    def __init__(
        self, group: Group, at: datetime, policy: Policy, nodes: Sequence[NodeState], lean: float = BORDERLINE_KM
    ) -> None:
        self._group, self._at, self._policy, self._nodes = group, at, policy, nodes
        self._brought = group.method in (Method.SHIP, Method.DELIVER)
        known = [kilometres(group.place, node, policy) if self._brought else 0.0 for node in nodes]
        self._known = [None if km is None else round(km + lean) for km in known]
        self._km = [policy.unknown_distance_km if km is None else km for km in self._known]
        self._late = [days_late(group, at, policy, node) for node in nodes]
        self.fixed = [sum(self._per_parcel(k)) for k in range(len(nodes))]
        self.unit = [[sum(self._per_unit(k, line)) for line in group.lines] for k in range(len(nodes))]

    def _share(self, name: str, cost: int) -> int:
        """A cost at the policy's weight, what is less than one rounded up."""
        percent = self._policy.weights.get(name, 100)
        return cost if percent == 100 else (cost * percent + 99) // 100

    def _preferred(self) -> bool:
        return bool(self._policy.prefer) and self._policy.weights.get("preference", 100) > 0

    def _per_parcel(self, k: int) -> Iterator[int]:
        policy, node, own = self._policy, self._nodes[k], self._policy.terms
        if self._preferred():
            yield self._share("preference", self._rank(k))
            return
        yield self._share("handling", node.handling_cost)
        if self._brought:
            yield self._share("parcel", policy.parcel_cost)
            yield self._share("distance", policy.per_km * self._km[k])
        if self._late[k]:
            per_day = _whole(own.get("lateness", {}), "per_day", 0)
            yield self._share("lateness", policy.late_cost + per_day * self._late[k])
        if "split" in own:
            yield self._share("split", _whole(own["split"], "cost"))
        if "load" in own:
            free = _whole(own["load"], "free_percent", 50)
            above = min(_taken(node), 100) - free
            if above > 0:
                yield self._share("load", _whole(own["load"], "cost") * above // max(1, 100 - free))
        if "border" in own and self._crosses(node):
            yield self._share("border", _whole(own["border"], "per_parcel"))

    def _per_unit(self, k: int, line: GroupLine) -> Iterator[int]:
        policy, node, own = self._policy, self._nodes[k], self._policy.terms
        if self._preferred():
            return
        if self._brought:
            grams = policy.unknown_weight_g if line.weight_g is None else line.weight_g
            yield self._share("weight", (policy.per_kg * grams * 2 + 1000) // 2000)
        if "stock_out" in own:
            keep = _whole(own["stock_out"], "keep_units", 5)
            left = max(0, node.available[self._group.lines.index(line)] - line.quantity)
            if left < keep:
                yield self._share("stock_out", _whole(own["stock_out"], "cost") * (keep - left) // keep)
        if "border" in own and self._crosses(node):
            duty = line.value * 1000 * _whole(own["border"], "duty_percent", 0) // (100 * line.quantity)
            strange = self._group.currency != policy.currency
            yield self._share("border", max(0, _whole(own["border"], "unknown_duty", 0) if strange else duty))

    @property
    def load(self) -> Callable[[int, Sequence[int]], int] | None:
        """What is charged for a parcel as a whole: (node, units per line) -> cost; None where nothing is."""
        own = self._policy.terms
        some = bool(self._policy.rate_steps) or "carrier_rates" in own or "picking" in own
        return self._whole_parcel if some and not self._preferred() else None

    def _whole_parcel(self, k: int, units: Sequence[int]) -> int:
        policy, own, cost = self._policy, self._policy.terms, 0
        sent = [(line, count) for line, count in zip(self._group.lines, units, strict=True) if count]
        if "picking" in own:
            by_line, by_unit = _whole(own["picking"], "per_line"), _whole(own["picking"], "per_unit", 0)
            cost += self._share("picking", sum(by_line + by_unit * count for _, count in sent))
        if not self._brought:
            return cost
        unknown = policy.unknown_weight_g
        grams = sum(count * (unknown if line.weight_g is None else line.weight_g) for line, count in sent)
        if policy.rate_steps:
            cost += self._share("rate_steps", step_rate(policy.rate_steps, grams))
        if "carrier_rates" in own:
            rate = carrier_rate(own["carrier_rates"], self._group, self._nodes[k], self._known[k], sent, grams)
            cost += self._share("carrier_rates", rate)
        return cost

    def parcel(self, k: int, units: Sequence[int]) -> int:
        """One parcel from a node, by its place, with so many units of each line."""
        cost = self.fixed[k] + sum(count * price for count, price in zip(units, self.unit[k], strict=True))
        return cost if self.load is None else cost + self.load(k, units)

    def _crosses(self, node: NodeState) -> bool:
        here = None if self._group.place is None else self._group.place.country
        if here is None or node.country is None:
            return self._brought
        shared = any({here, node.country} <= set(countries) for countries in self._policy.markets.values())
        return self._brought and here != node.country and not shared

    def _rank(self, k: int) -> int:
        """The words of `prefer` as the digits of one number, each digit as wide as all nodes together may need."""
        rank = 0
        for word in self._policy.prefer:
            values = self._values(word)
            base = 1
            while base <= sum(values):
                base *= 2
            rank = rank * base + values[k]
        return rank

    def _values(self, word: str) -> list[int]:
        nodes = self._nodes
        if word == "priority":
            return [len({other.priority for other in nodes if other.priority < node.priority}) for node in nodes]
        return {
            "parcels": [1 for _ in nodes],
            "distance": self._km,
            "load": [_taken(node) for node in nodes],
            "handling": [node.handling_cost for node in nodes],
            "on_time": [int(days > 0) for days in self._late],
        }[word]


def _whole(settings: Any, name: str, otherwise: int | None = None) -> int:
    value = settings[name] if otherwise is None else settings.get(name, otherwise)
    assert isinstance(value, int)
    return value


def _taken(node: NodeState) -> int:
    """Percent of a node's day that is taken."""
    if node.capacity is None or node.capacity_left is None:
        return 0
    return 100 if node.capacity <= 0 else max(0, 100 * (node.capacity - node.capacity_left) // node.capacity)


def kilometres(place: Place | None, node: NodeState, policy: Policy) -> float | None:
    """The way from a node to a place; None where either is unknown. A coarse place is as far as it may be."""
    if place is None or node.latitude is None or node.longitude is None:
        return None
    latitude, longitude, further = place.latitude, place.longitude, 0
    if (latitude is None or longitude is None) and policy.coarse_distance:
        latitude, longitude, further = rough_place(place.country, place.postal_code) or (None, None, 0)
    if latitude is None or longitude is None:
        return None
    a, b = radians(latitude), radians(node.latitude)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(node.longitude - longitude) / 2) ** 2
    return 6371.0 * 2 * atan2(sqrt(half), sqrt(max(0.0, 1 - half))) + further


def days_late(group: Group, at: datetime, policy: Policy, node: NodeState) -> int:
    """Days, begun ones whole, by which goods that leave at the node's next possible cut-off come too late."""
    if group.deliver_by is None:
        return 0
    if node.arrives_by is not None:
        return _days_over(node.arrives_by - group.deliver_by)
    asked = max(at, group.no_earlier_than or at)
    try:
        zone = ZoneInfo(node.timezone)
    except (KeyError, ValueError):
        return NEVER_DAYS
    hours = node.calendar
    first = asked.astimezone(zone).date()
    days = (first + timedelta(days=n) for n in range(NEVER_DAYS))
    worked = [day for day in days if day.weekday() in hours.weekdays and str(day) not in hours.holidays]
    ends = [datetime.combine(day, hours.cut_off, tzinfo=zone).astimezone(UTC) for day in worked]
    ends = [end for end in ends if end >= asked]
    if len(ends) <= hours.processing_days:
        return NEVER_DAYS
    transit = policy.unknown_transit_days if node.transit_days is None else node.transit_days
    return _days_over(ends[hours.processing_days] + timedelta(days=transit) - group.deliver_by)


def _days_over(late: timedelta) -> int:
    return max(0, late.days + (late.seconds > 0 or late.microseconds > 0))
