"""Cost terms, each with figures worked out by hand, and terms of other makes."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from hub.domain.contact import Place
from hub.domain.network import OpeningHours
from hub.domain.order import Method
from hub.routing.decide import decide
from hub.routing.geography import kilometres, point
from hub.routing.model import Policy, RunnerUp, Snapshot, Solver
from hub.routing.prepare import prepare
from hub.routing.terms import TERMS
from hub.routing.terms.term import Term, Trip
from tests.unit.routing.worlds import AT, best_of_all, group, line, network, node, sent, summary

FREE = Policy(parcel_cost=0, per_km=0, per_kg=0, late_cost=0, unfilled_cost=0)


def costs(wanted, seen, **rates):
    """What the plan costs when only these rates count."""
    free = {"parcel_cost": 0, "per_km": 0, "per_kg": 0, "late_cost": 0, "unfilled_cost": 0}
    return decide(wanted, seen, Policy(**{**free, **rates})).plan.cost


@pytest.mark.parametrize(
    ("a", "b", "km"),
    [
        ((52.5200, 13.4050), (48.1374, 11.5755), 504),
        ((40.7128, -74.0060), (34.0522, -118.2437), 3936),
        ((0.0, 179.0), (0.0, -179.0), 222),
        ((90.0, 0.0), (-90.0, 77.0), 20015),
        ((10.0, 20.0), (10.0, 20.0), 0),
    ],
)
def test_distance_is_the_great_circle(a, b, km):
    here, there = point(*a), point(*b)
    assert here is not None
    assert there is not None
    assert kilometres(here, there) == kilometres(there, here) == km


def test_half_known_coordinates_are_no_point():
    assert point(None, 1.0) is None
    assert point(1.0, None) is None
    assert point(0.0, 0.0) is not None


def test_each_parcel_costs_once():
    apart = network(node(1, 5, 0), node(2, 0, 5))
    assert costs(group(line(1, quantity=3), line(2)), apart, parcel_cost=700) == 1400


def test_distance_counts_per_kilometre_and_parcel():
    wanted = group(line(1), place=Place(latitude=0.0, longitude=0.0))
    assert costs(wanted, network(node(1, 1, latitude=0.0, longitude=1.0)), per_km=3) == 111 * 3
    assert costs(wanted, network(node(1, 1)), per_km=3, unknown_distance_km=5000) == 15_000


def test_weight_counts_per_unit_and_unknown_is_not_light():
    seen = network(node(1, 9, 9))
    assert costs(group(line(1, quantity=3, weight_g=250), line(2, weight_g=0)), seen, per_kg=4000) == 3 * 1000
    assert costs(group(line(1), line(2, weight_g=0)), seen, per_kg=4000, unknown_weight_g=1500) == 6000
    assert costs(group(line(1, weight_g=1), line(2, weight_g=0)), seen, per_kg=1499) == 1


def test_handling_is_the_nodes_own():
    assert costs(group(line(1, quantity=2)), network(node(1, 2, handling_cost=33))) == 33


@pytest.mark.parametrize(("grams", "cost"), [(1, 10), (1000, 10), (1001, 25), (3000, 25), (3001, 35), (6000, 50)])
def test_rate_steps_price_the_parcel_as_a_whole(grams, cost):
    wanted = group(line(1, weight_g=grams))
    assert costs(wanted, network(node(1, 1)), rate_steps=((1000, 10), (3000, 25))) == cost


def test_nothing_that_is_collected_costs_a_carrier():
    wanted = group(line(1), method=Method.PICK_UP, pickup_node=1)
    seen = network(node(1, 1, capabilities=("pick_up",), handling_cost=5))
    assert costs(wanted, seen, parcel_cost=100, per_km=100, per_kg=100, rate_steps=((1000, 100),)) == 5


def late(state, deliver_by, at=AT, **more):
    """Whether the one node is late."""
    wanted = group(line(1), deliver_by=deliver_by, **more)
    return costs(wanted, Snapshot(at=at, nodes=(state,)), late_cost=9) == 9


def test_the_cut_off_is_in_the_nodes_time():
    hours = OpeningHours(cut_off=time(16, 0))
    berlin = node(1, 1, timezone="Europe/Berlin", calendar=hours)
    at = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
    tonight = datetime(2026, 3, 2, 23, 59, tzinfo=UTC)
    assert late(berlin, tonight, at)  # 16:30 in Berlin
    assert not late(node(1, 1, timezone="Europe/Lisbon", calendar=hours), tonight, at)  # 15:30


def test_weekends_holidays_preparation_and_transit_make_late():
    friday_evening = datetime(2026, 3, 6, 18, 0, tzinfo=UTC)
    monday_night = datetime(2026, 3, 9, 23, 0, tzinfo=UTC)
    assert not late(node(1, 1), monday_night, friday_evening)
    assert late(node(1, 1, calendar=OpeningHours(holidays=("2026-03-09",))), monday_night, friday_evening)
    assert late(node(1, 1, calendar=OpeningHours(processing_days=1)), monday_night, friday_evening)
    assert late(node(1, 1, transit_days=1), monday_night, friday_evening)


def test_unknown_transit_is_what_the_policy_says():
    wanted, seen = group(line(1), deliver_by=AT + timedelta(days=1)), network(node(1, 1))
    assert costs(wanted, seen, late_cost=9) == 0
    assert costs(wanted, seen, late_cost=9, unknown_transit_days=2) == 9


def test_a_node_that_never_works_or_is_in_no_zone_is_late():
    some_day = AT + timedelta(days=300)
    assert late(node(1, 1, calendar=OpeningHours(weekdays=())), some_day)
    assert late(node(1, 1, timezone="Mars/Olympus"), some_day)
    assert late(node(1, 1, timezone=""), some_day)


def test_what_may_not_leave_before_a_day_is_judged_from_that_day():
    assert not late(node(1, 1), datetime(2026, 3, 4, 12, 0, tzinfo=UTC))
    assert late(
        node(1, 1), datetime(2026, 3, 4, 12, 0, tzinfo=UTC), no_earlier_than=datetime(2026, 3, 4, 9, tzinfo=UTC)
    )


def test_without_a_wish_nobody_is_late():
    assert costs(group(line(1)), network(node(1, 1, calendar=OpeningHours(weekdays=()))), late_cost=9) == 0


def test_every_term_has_a_name_of_its_own():
    assert len({term.name for term in TERMS}) == len(TERMS)


SCARCITY = {(1, 1): 40, (1, 2): 5, (2, 1): 5, (2, 2): 40, (3, 1): 9, (3, 2): 9}


def _scarcity(trip: Trip, wanted):
    return [SCARCITY[wanted.demand, state.id] for state in trip.nodes]


def test_a_term_may_price_units_by_line_and_node():
    """The price of a shelf: what the line's own node will miss."""
    term = Term(name="scarcity", applies=lambda _: True, per_unit_at=_scarcity)
    seen = network(node(1, 9, 9, 9), node(2, 9, 9, 9))
    prepared = prepare(seen.nodes, FREE, (term,))
    wanted = group(line(1), line(2, quantity=2), line(3))
    decision = decide(wanted, seen, FREE, prepared)
    assert sent(decision.plan) == {(1, 2): 1, (2, 1): 2, (3, 1): 1}
    assert decision.plan.cost == 5 + 2 * 5 + 9
    assert decision.proven


def _odd_load(trip: Trip, index, units):
    """Any function at all of what is in the parcel: here a scrambled one, neither rising nor additive."""
    return (sum((place + 3) * count for place, count in enumerate(units)) * 7919 + index * 104729) % 1009


def test_a_term_may_price_loads_by_any_function():
    """Two parcels from one node may then look cheaper than one: what a node sends is one parcel all the same."""
    term = Term(name="odd", applies=lambda _: True, per_load=_odd_load)
    solvers = set()
    for stock in range(64):
        held = [tuple(stock >> (place + 3 * k) & 1 for place in range(3)) for k in range(2)]
        seen = network(*(node(k + 1, *held[k]) for k in range(2)), node(3, 1, 1, 1))
        wanted = group(line(1), line(2), line(3))
        decision = decide(wanted, seen, FREE, prepare(seen.nodes, FREE, (term,)))
        trip = Trip(wanted, FREE, AT, seen.nodes, (0, 0, 0), True)
        answers = best_of_all(
            wanted, seen, FREE, lambda load, trip=trip: sum(_odd_load(trip, k, units) for k, units in load.items())
        )
        assert summary(wanted, seen, decision) == answers[0]
        assert decision.proven
        other = next((answer for answer in answers if answer.nodes != answers[0].nodes), None)
        assert decision.runner_up_is is (RunnerUp.EXACT if other else RunnerUp.NONE_EXISTS)
        assert (decision.runner_up.cost if decision.runner_up else None) == (other.cost if other else None)
        solvers.add(decision.solver)
    assert solvers == {Solver.SUBSETS, Solver.COUNTING}


def test_a_day_at_the_clock_change_is_late_by_the_instant():
    """New York leaves 16:00 local: 20:00 UTC on the first day of summer time, 21:00 the day before."""
    yorker = node(1, 1, timezone="America/New_York", calendar=OpeningHours(weekdays=(5, 6), cut_off=time(16, 0)))
    for day, hour in ((date(2026, 3, 7), 21), (date(2026, 3, 8), 20)):
        at = datetime(day.year, day.month, day.day, 15, 0, tzinfo=UTC)
        leaves = at.replace(hour=hour)
        assert not late(yorker, leaves, at)
        assert late(yorker, leaves - timedelta(seconds=1), at)
