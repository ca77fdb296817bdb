"""The checker against pricing that is wrong: every planted fault shows, and honest pricing never looks like one.

The faults are planted in the code that prices decisions; the checker counts again from the policy's own words.
"""

import random
from bisect import bisect_right
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.domain.contact import Place
from hub.domain.order import Method
from hub.routing.certificate import check
from hub.routing.decide import decide
from hub.routing.model import Policy
from hub.routing.policy import load_policy
from hub.routing.prepare import prepare
from hub.routing.terms import (
    TERMS,
    border,
    carrier_rates,
    lateness,
    preference,
    rate_steps,
    term,
)
from tests.unit.routing.worlds import AT, group, line, network, node

RICH = load_policy("""
version = "rich"
currency = "EUR"
parcel_cost = 1000
per_km = 1
per_kg = 333
late_cost = 700
unfilled_cost = 50000
rate_steps = [[1000, 500], [5000, 900]]
weights = { distance = 75, lateness = 133, carrier_rates = 50 }

[markets]
eu = ["DE", "AT"]

[terms.split]
cost = 250
[terms.picking]
per_line = 90
per_unit = 7
[terms.lateness]
per_day = 110
[terms.load]
cost = 900
free_percent = 40
[terms.stock_out]
cost = 400
keep_units = 3
[terms.border]
per_parcel = 5000
duty_percent = 10
unknown_duty = 77

[terms.carrier_rates]
unknown_cost = 40000
[[terms.carrier_rates.carriers]]
name = "post"
zones = { DE = "1", "DE-10" = "2", "*" = "2" }
breaks_g = [1000, 5000]
rates = { 1 = [400, 900], 2 = [700, 1500] }
fuel_percent = 7
class_surcharges = { hazmat = 333 }
surcharges = { 2 = 50 }
[[terms.carrier_rates.carriers]]
name = "bulk"
zones_km = [[300, "near"], [3000, "far"]]
breaks_g = [2000, 30000]
rates = { near = [300, 1100], far = [350, 2500] }
dimensional_g = 200
origins = ["DE"]
""")

WORDS = ["parcels", "priority", "distance", "load", "handling", "on_time"]


def world(dice):
    """A group and its nodes, drawn; weights sit on the breaks often."""
    lines = tuple(
        line(
            n,
            quantity=dice.randint(1, 2),
            weight_g=dice.choice([None, 500, 1000, 2500]),
            value=dice.choice([0, 999]),
            volume_cm3=dice.choice([None, 1000, 9000]),
            classes=dice.choice([(), (), ("hazmat",)]),
        )
        for n in range(1, dice.randint(1, 3) + 1)
    )
    nodes = [
        node(
            k,
            *(dice.choice([0, 1, 2, 2, 4]) for _ in lines),
            country=dice.choice(["DE", "DE", "CH", None]),
            latitude=dice.choice([48.0, 52.0, None]),
            longitude=dice.choice([8.0, 13.0]),
            handling_cost=dice.choice([0, 150]),
            priority=dice.choice([5, 100]),
            capacity=10,
            capacity_left=dice.choice([1, 5, 10]),
            capabilities=("ship", "pick_up", "hazmat"),
            transit_days=dice.choice([None, 1, 3]),
        )
        for k in range(1, dice.randint(2, 4) + 1)
    ]
    wanted = group(
        *lines,
        currency=dice.choice(["EUR", "EUR", "USD"]),
        place=Place(country=dice.choice(["DE", "AT", "US"]), postal_code="10 115", latitude=50.0, longitude=10.0),
        method=dice.choice([Method.SHIP, Method.SHIP, Method.DELIVER]),
        deliver_by=dice.choice([None, AT + timedelta(hours=9), AT + timedelta(days=2)]),
    )
    nodes = [replace(one, capabilities=(*one.capabilities, "deliver")) for one in nodes]
    return wanted, network(*nodes)


def policies(dice):
    """The rich policy; or one of preferences."""
    if dice.random() < 0.3:
        return replace(RICH, prefer=tuple(dice.sample(WORDS, 3)), rate_steps=())
    return RICH


def faults(seed, terms=TERMS):
    """What the checker finds in a decision that was priced by `terms`."""
    dice = random.Random(seed)
    wanted, seen = world(dice)
    policy = replace(policies(dice))  # a copy, as settings that were read are kept with a policy
    decision = decide(wanted, seen, policy, prepare(seen.nodes, policy, terms))
    return check(wanted, seen, policy, decision)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9))
def test_honest_pricing_is_never_told_to_be_wrong(seed):
    assert faults(seed) == []


def without(name):
    return tuple(one for one in TERMS if one.name != name)


def changed(name, **parts):
    return tuple(replace(one, **parts) if one.name == name else one for one in TERMS)


def backwards(trip):
    """Preferences in the wrong order."""
    turned = replace(trip.policy, prefer=trip.policy.prefer[::-1])
    return preference.TERM.per_parcel(trip._replace(policy=turned))


SWAPPED = {
    "split penalty dropped": without("split"),
    "handling dropped": without("handling"),
    "border dropped": without("border"),
    "picking dropped": without("picking"),
    "weight dropped": without("weight"),
    "preferences dropped": without("preference"),
    "preferences backwards": changed("preference", per_parcel=backwards),
    "distance of some nodes forgotten": changed("distance", per_parcel=lambda trip: [0] * len(trip.nodes)),
    "duty forgotten": changed("border", per_unit_at=None),
    "load counted from nothing": changed("load", per_parcel=lambda trip: [9 * node.load for node in trip.nodes]),
}


@pytest.mark.parametrize("fault", SWAPPED)
def test_terms_that_are_wrong_are_found(fault):
    found = [seed for seed in range(60) if faults(seed, SWAPPED[fault])]
    assert len(found) >= 3, fault


def _one_day(node, start, wanted, unknown, days=lateness._days):
    return min(1, days(node, start, wanted, unknown))


BUGS = {
    "weight break of a carrier: at the break the next step": (carrier_rates, "bisect_left", bisect_right),
    "weight break of the steps: at the break the next step": (
        rate_steps,
        "bisect_left",
        lambda steps, rest, key: min(bisect_right(steps, rest, key=key), len(steps) - 1),
    ),
    "an unknown zone is free": (carrier_rates, "_zone", lambda carrier, trip, km: next(iter(carrier.rates))),
    "weights ignored": (term, "_weighted", lambda one, percent: one),
    "late is late, however many days": (lateness, "_days", _one_day),
    "places of preference by value": (preference, "_places", list),
    "markets forgotten": (border, "same_market", lambda one, other, policy: one == other),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_in_the_code_of_a_term_is_found(bug, monkeypatch):
    module, name, value = BUGS[bug]
    monkeypatch.setattr(module, name, value)
    found = [seed for seed in range(100) if _tried(seed)]
    assert len(found) >= 3, bug


def _tried(seed):
    try:
        return faults(seed)
    except IndexError:  # a table read behind its end: nobody needs a checker to find that
        return []


def test_a_term_that_nobody_else_knows_is_asked():
    """A new term is one file: the checker does not know it, and says nothing wrong of it."""
    own = term.Term(name="own", applies=lambda _: True, per_parcel=lambda trip: [17] * len(trip.nodes))
    wanted, seen = group(line(1)), network(node(1, 1), node(2, 1))
    policy = Policy(version="own")
    decision = decide(wanted, seen, policy, prepare(seen.nodes, policy, (*TERMS, own)))
    assert check(wanted, seen, policy, decision, (*TERMS, own)) == []
    assert check(wanted, seen, policy, decision) != []
