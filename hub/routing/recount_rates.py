"""Rates by weight, worked out a second time for the checker: see `recount.py`."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.routing.model import Group, GroupLine, NodeState

Sent = Sequence[tuple[GroupLine, int]]
"""Lines in a parcel, and how many units of each."""


def step_rate(steps: Sequence[Sequence[int]], grams: int) -> int:
    """The step that a weight falls into; what is heavier than the last pays that one several times."""
    heaviest, dearest = steps[-1]
    cost = 0
    while grams > heaviest:
        cost, grams = cost + dearest, grams - heaviest
    return cost + next(price for limit, price in steps if grams <= limit)


def carrier_rate(
    table: Mapping[str, Any], group: Group, node: NodeState, km: int | None, sent: Sent, grams: int
) -> int:
    """What the cheapest carrier that serves asks for a parcel; `unknown_cost` where none is known to."""
    asked = [_asked(carrier, group, node, km, sent, grams) for carrier in table["carriers"]]
    known = [cost for cost in asked if cost is not None]
    return min(known) if known else int(table["unknown_cost"])


def _asked(
    carrier: Mapping[str, Any], group: Group, node: NodeState, km: int | None, sent: Sent, grams: int
) -> int | None:
    for limits, value in (("services", group.service), ("origins", node.country), ("nodes", node.code)):
        if carrier.get(limits) and value not in carrier[limits]:
            return None
    zone = _zone(carrier, group, km)
    if zone is None:
        return None
    if carrier.get("dimensional_g") is not None:
        if any(line.volume_cm3 is None for line, _ in sent):
            return None
        volume = sum((line.volume_cm3 or 0) * count for line, count in sent)
        grams = max(grams, (volume * carrier["dimensional_g"] + 999) // 1000)
    rate = step_rate(list(zip(carrier["breaks_g"], carrier["rates"][zone], strict=True)), grams)
    fuel = (rate * carrier.get("fuel_percent", 0) + 99) // 100
    kinds = {kind for line, _ in sent for kind in line.classes}
    extra = sum(price for kind, price in carrier.get("class_surcharges", {}).items() if kind in kinds)
    return int(rate + fuel + carrier.get("surcharges", {}).get(zone, 0) + extra)


def _zone(carrier: Mapping[str, Any], group: Group, km: int | None) -> str | None:
    """The longest beginning of the postal code that has a zone, else the country's, the world's, or by distance."""
    place, zones = group.place, carrier.get("zones") or {}
    if place is not None and place.country is not None:
        code = (place.postal_code or "").replace(" ", "").upper()
        named = [key for key in zones if key.startswith(f"{place.country}-")]
        fitting = [key for key in named if code and code.startswith(key.split("-", 1)[1]) and not key.endswith("-")]
        for key in (max(fitting, key=len, default=None), place.country, "*"):
            if key in zones:
                return str(zones[key])
    near = [zone for limit, zone in carrier.get("zones_km", ()) if km is not None and km <= limit]
    return str(near[0]) if near else None
