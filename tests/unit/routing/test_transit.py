"""Transit on the path: days and arrival by the service that an order goes by, in the network that routing sees."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.contact import Place
from hub.domain.network import OpeningHours
from hub.domain.order import Method
from hub.flow.directory import Network
from hub.flow.transit import under_way
from hub.promise.offer import load_offer
from hub.routing.certificate import check
from hub.routing.decide import decide
from hub.routing.model import Policy, Snapshot
from hub.routing.policy import load_policy
from hub.routing.prepare import prepare
from tests.unit.routing.worlds import AT, group, line, node, used

OFFER = load_offer("""
version = "t"
unnamed = "standard"
[[service]]
name = "standard"
also_called = ["Standard Shipping"]
band = [{ domestic = true, max_km = 300, days = 1 }, { domestic = true, days = 3 }]
[[service]]
name = "express"
band = [{ domestic = true, days = 1 }]
[timezones]
DE = "Europe/Berlin"
""")
BERLIN = Place(country="DE", latitude=52.5, longitude=13.4)
NEAR = {"country": "DE", "latitude": 52.4, "longitude": 13.0, "timezone": "Europe/Berlin"}
FAR = {"country": "DE", "latitude": 48.1, "longitude": 11.6, "timezone": "Europe/Berlin"}
NODES = (node(1, 1, **NEAR), node(2, 1, **FAR), node(3, 1, country="FR"))
LATE = Policy(version="late", parcel_cost=1000, per_km=0, per_kg=0, late_cost=5000)
FRIDAY = datetime(2026, 3, 6, 10, 0, tzinfo=UTC)


def seen(policy=LATE, at=AT, nodes=NODES, offer=OFFER, **more):
    """The nodes with what is known of the way from them."""
    wanted = group(line(1), place=BERLIN, **more)
    return tuple(under_way(nodes, Network(policy, nodes, prepare(nodes, policy), offer), wanted, at))


@pytest.mark.parametrize(
    ("service", "days"),
    [
        ("standard", [1, 3, None]),
        ("Standard Shipping", [1, 3, None]),
        (None, [1, 3, None]),
        ("express", [1, 1, None]),
        ("by owl", [None, None, None]),  # a service that nobody described has no known transit, not none
    ],
)
def test_days_are_by_service_and_lane(service, days):
    assert [n.transit_days for n in seen(service=service, deliver_by=AT + timedelta(days=5))] == days


def test_arrival_counts_the_carriers_working_days_and_the_places_own_evening():
    near, far, _ = seen(at=FRIDAY, deliver_by=FRIDAY + timedelta(days=9))
    assert near.arrives_by == datetime(2026, 3, 9, 19, 0, tzinfo=UTC)  # Monday, 20:00 in Berlin
    assert far.arrives_by == datetime(2026, 3, 11, 19, 0, tzinfo=UTC)


def test_it_leaves_no_earlier_than_the_order_wants():
    near, *_ = seen(deliver_by=AT + timedelta(days=9), no_earlier_than=FRIDAY)
    assert near.arrives_by == datetime(2026, 3, 9, 19, 0, tzinfo=UTC)


def test_nothing_is_worked_out_where_nobody_asks():
    assert seen() == NODES
    assert seen(deliver_by=AT + timedelta(days=1), method=Method.PICK_UP) == NODES
    assert seen(deliver_by=AT + timedelta(days=1), offer=None) == NODES
    reads = load_policy('version = "r"\n[[rule]]\nname = "quick"\nfence = [{ keep = "node.transit_days != null" }]')
    assert [n.transit_days for n in seen(reads)] == [1, 3, None]


def test_a_broken_calendar_leaves_it_unknown_and_late():
    closed = (node(1, 1, **NEAR, calendar=OpeningHours(weekdays=())), node(2, 1, **FAR, handling_cost=900))
    found = seen(nodes=closed, deliver_by=AT + timedelta(days=9))
    assert (found[0].arrives_by, found[0].transit_days) == (None, None)
    wanted = group(line(1), place=BERLIN, deliver_by=AT + timedelta(days=9))
    assert used(decide(wanted, Snapshot(at=AT, nodes=found), LATE).plan) == {2}


@pytest.mark.parametrize(("wait", "sender"), [(timedelta(days=9), 2), (timedelta(days=1, hours=12), 1)])
def test_the_node_that_arrives_in_time_sends_though_it_is_dearer(wait, sender):
    """Without transit both left in time, and the cheaper one two days too far away was chosen."""
    wanted = group(line(1), place=BERLIN, deliver_by=AT + wait)
    nodes = (node(1, 1, **NEAR, handling_cost=500), node(2, 1, **FAR))
    found = Snapshot(at=AT, nodes=seen(nodes=nodes, deliver_by=AT + wait))
    decision = decide(wanted, found, LATE)
    assert used(decision.plan) == {sender}
    assert check(wanted, found, LATE, decision) == []


def test_what_arrives_at_the_very_moment_of_the_promise_is_in_time():
    arrives = datetime(2026, 3, 3, 19, 0, tzinfo=UTC)
    for wanted_by, cost in ((arrives, 1000), (arrives - timedelta(seconds=1), 6000)):
        wanted = group(line(1), place=BERLIN, deliver_by=wanted_by)
        found = Snapshot(at=AT, nodes=seen(nodes=(node(1, 1, **NEAR),), deliver_by=wanted_by))
        assert decide(wanted, found, LATE).plan.cost == cost
        assert check(wanted, found, LATE, decide(wanted, found, LATE)) == []
