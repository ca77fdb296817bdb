"""Carriers' rate tables: by zone and weight, with dimensional weight and surcharges. The cheapest carrier that serves.

    [terms.carrier_rates]
    unknown_cost = 25_000_00

    [[terms.carrier_rates.carriers]]
    name = "post"
    services = ["standard"]
    zones = { DE = "1", AT = "2", "DE-18565" = "island", "*" = "world" }
    breaks_g = [1_000, 5_000, 31_500]
    rates = { 1 = [420_0, 550_0, 990_0], 2 = [890_0, 1250_0, 1990_0], island = [...], world = [...] }
    fuel_percent = 8
    dimensional_g = 200
    class_surcharges = { hazmat = 500_0 }

A parcel that is heavier than the last break pays that step several times. Where no carrier serves, or the zone is not
known, the rate is unknown and costs `unknown_cost`: unknown is never cheap.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from hub.routing.model import NodeState
from hub.routing.terms.term import Cost, Least, Positive, Term, Trip, least_by_weight, read

OTHERS = "*"
"""The zone of every country that is not named. Not of an unknown one."""


class Carrier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One carrier's table."""

    name: str
    breaks_g: tuple[Positive, ...]
    """Grams up to which each step counts, rising."""
    rates: dict[str, tuple[Cost, ...]]
    """Per zone, a cost for each step."""
    zones: dict[str, str] = {}
    """Zone by country, by "<country>-<beginning of postal code>", or by "*". The longest that fits counts."""
    zones_km: tuple[tuple[Positive, str], ...] = ()
    """(up to kilometres, zone), rising: for carriers that go by distance. Used where `zones` names none."""
    services: tuple[str, ...] = ()
    """Services of orders that it carries; empty is all, and orders that name none."""
    origins: tuple[str, ...] = ()
    """Countries of nodes that it collects from; empty is all."""
    nodes: tuple[str, ...] = ()
    """Codes of nodes that it collects from; empty is all."""
    dimensional_g: int | None = None
    """Grams that a litre counts as at least; None counts true weight alone."""
    fuel_percent: Cost = 0
    class_surcharges: dict[str, Cost] = {}
    """Per parcel that holds an item of the class."""
    surcharges: dict[str, Cost] = {}
    """Per parcel to a zone: remote areas, islands."""

    def __post_init__(self) -> None:
        if not self.breaks_g or list(self.breaks_g) != sorted(set(self.breaks_g)):
            raise ValueError(f"carrier {self.name!r}: breaks_g must rise")
        for zone, rates in self.rates.items():
            if len(rates) != len(self.breaks_g) or list(rates) != sorted(rates):
                raise ValueError(f"carrier {self.name!r}, zone {zone!r}: one rate for each of breaks_g, not falling")
        named = {*self.zones.values(), *(zone for _, zone in self.zones_km)}
        if missing := sorted(named - self.rates.keys()):
            raise ValueError(f"carrier {self.name!r}: zone {missing[0]!r} has no rates")


class CarrierRates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[terms.carrier_rates]`."""

    carriers: tuple[Carrier, ...]
    unknown_cost: Positive
    """Of a parcel whose rate is not known."""


class _Tariff(NamedTuple):
    """What one carrier asks of one node for this trip."""

    carrier: Carrier
    rates: tuple[int, ...]
    surcharge: int


def _loads_of(trip: Trip) -> Callable[[int, Sequence[int]], int]:
    asked = read(trip.policy, "carrier_rates", CarrierRates)
    if not trip.travels:
        return lambda *_: 0
    km = trip.known_km()
    tariffs = [list(_tariffs(asked, trip, node, far)) for node, far in zip(trip.nodes, km, strict=True)]
    lines = trip.group.lines

    def price(node: int, units: Sequence[int]) -> int:
        if not tariffs[node]:
            return asked.unknown_cost
        grams = trip.grams(units)
        volumes = [(line.volume_cm3, count) for line, count in zip(lines, units, strict=True) if count]
        litres_known = all(volume is not None for volume, _ in volumes)
        cm3 = sum((volume or 0) * count for volume, count in volumes)
        kinds = {kind for line, count in zip(lines, units, strict=True) if count for kind in line.classes}
        costs = [_cost(tariff, grams, cm3 if litres_known else None, kinds) for tariff in tariffs[node]]
        return min((cost for cost in costs if cost is not None), default=asked.unknown_cost)

    return price


def _tariffs(asked: CarrierRates, trip: Trip, node: NodeState, km: int | None) -> Iterator[_Tariff]:
    for carrier in asked.carriers:
        if carrier.services and trip.group.service not in carrier.services:
            continue
        if carrier.origins and node.country not in carrier.origins:
            continue
        if carrier.nodes and node.code not in carrier.nodes:
            continue
        zone = _zone(carrier, trip, km)
        if zone is not None:
            yield _Tariff(carrier, carrier.rates[zone], carrier.surcharges.get(zone, 0))


def _zone(carrier: Carrier, trip: Trip, km: int | None) -> str | None:
    place = trip.group.place
    if carrier.zones and place is not None and place.country is not None:
        code = (place.postal_code or "").replace(" ", "").upper()
        for length in range(len(code), 0, -1):
            found = carrier.zones.get(f"{place.country}-{code[:length]}")
            if found is not None:
                return found
        found = carrier.zones.get(place.country, carrier.zones.get(OTHERS))
        if found is not None:
            return found
    if km is None:
        return None
    return next((zone for limit, zone in carrier.zones_km if km <= limit), None)


def _cost(tariff: _Tariff, grams: int, cm3: int | None, kinds: set[str]) -> int | None:
    """What it asks; None where the volume counts and is not known."""
    carrier = tariff.carrier
    if carrier.dimensional_g is not None:
        if cm3 is None:
            return None
        grams = max(grams, -(-cm3 * carrier.dimensional_g // 1000))
    steps = carrier.breaks_g
    full, rest = divmod(grams, steps[-1])
    cost = full * tariff.rates[-1]
    if rest or not full:
        cost += tariff.rates[bisect_left(steps, rest)]
    cost += -(-cost * carrier.fuel_percent // 100) + tariff.surcharge
    return cost + sum(carrier.class_surcharges.get(kind, 0) for kind in kinds)


def _least_of(trip: Trip, grams: int) -> Least:
    """Weight alone, by the tariff that is cheapest: volume and surcharges for classes only add."""
    asked = read(trip.policy, "carrier_rates", CarrierRates)
    if not trip.travels:
        return least_by_weight(trip, [()] * len(trip.nodes), grams)
    sized = all(line.volume_cm3 is not None for line in trip.group.lines)
    steps = []
    for node, far in zip(trip.nodes, trip.known_km(), strict=True):
        tariffs = list(_tariffs(asked, trip, node, far))
        sure = sized or any(tariff.carrier.dimensional_g is None for tariff in tariffs)
        costs = [
            (limit, cost + -(-cost * tariff.carrier.fuel_percent // 100) + tariff.surcharge)
            for tariff in tariffs
            for limit, cost in zip(tariff.carrier.breaks_g, tariff.rates, strict=True)
        ]
        least = min((cost for _, cost in costs), default=asked.unknown_cost)
        steps.append(costs if sure and costs else [(0, min(least, asked.unknown_cost))])
    return least_by_weight(trip, steps, grams)


TERM = Term(name="carrier_rates", settings=CarrierRates, loads_of=_loads_of, least_of=_least_of)
