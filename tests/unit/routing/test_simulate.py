"""Replaying history: byte for byte under its own policies, and what another policy would have made of it."""

from collections.abc import Iterable
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.domain.contact import Place
from hub.routing.counterfactual import Emptied, Freed
from hub.routing.decide import decide
from hub.routing.model import Group, GroupLine, NodeState, Policy, Snapshot
from hub.routing.record import Input, Parity, Recorded, encode, encode_input
from hub.routing.report import Mode, Report
from hub.routing.simulate import Event, Simulator, shadow, simulate
from tests.unit.routing.test_explain_flips import RULED
from tests.unit.routing.worlds import AT, PLAIN, group, line, network, node

HERE = Place(country="US", latitude=0.0, longitude=0.0)
NEAR = replace(PLAIN, version="near", per_km=10)
FAR = replace(PLAIN, version="far", per_km=0)
"""Takes the node of the lower priority number, however far it is."""

A = node(1, latitude=0.0, longitude=1.0, priority=200)
B = node(2, latitude=0.0, longitude=9.0, priority=100)


class History:
    """A small world that decides orders under a policy and stores every decision as the path does."""

    def __init__(self, policy: Policy, stock: dict[tuple[int, int], int], *nodes: NodeState) -> None:
        self.policy, self.stock, self.nodes = policy, stock, nodes or (A, B)
        self.events: list[Event] = []
        self.sent: dict[str, int] = {}
        self.now = AT

    def order(self, name: str, *lines: GroupLine, **more: object) -> Group:
        """An order that arrives an hour after the one before."""
        self.now += timedelta(hours=1)
        wanted = group(*lines, order=name, place=HERE, placed_at=self.now, **more)
        self.decide(wanted)
        return wanted

    def decide(self, wanted: Group) -> None:
        """Decide, store, and take what was chosen off the shelves."""
        seen = self.snapshot(wanted)
        made = decide(wanted, seen, self.policy)
        no = self.sent[wanted.order] = self.sent.get(wanted.order, 0) + 1
        self.events.append(
            Recorded(
                wanted.order,
                no,
                wanted.group,
                self.now,
                self.policy.version,
                made.engine,
                encode_input(wanted, seen, self.policy.version),
                encode(made),
            )
        )
        items = {one.demand: one.item for one in wanted.lines}
        for a in made.plan.assignments:
            self.stock[a.node, items[a.demand]] -= a.quantity

    def snapshot(self, wanted: Group) -> Snapshot:
        """The network with what it holds now."""
        nodes = tuple(
            replace(one, available=tuple(self.stock.get((one.id, n.item), 0) for n in wanted.lines))
            for one in self.nodes
        )
        return Snapshot(at=self.now, nodes=nodes)


def run(history: History, draft: Policy | None, mode: Mode = Mode.CARRIED, *more: Event) -> Report:
    """Simulate a history with further events."""
    policies = {history.policy.version: history.policy}
    events: Iterable[Event] = sorted([*history.events, *more], key=lambda event: event.at)
    return simulate(events, policies, draft, mode)


def two_units() -> History:
    """One unit of an item at each node, and two orders for it."""
    history = History(NEAR, {(1, 7): 1, (2, 7): 1})
    history.order("one", line(1, item=7))
    history.order("two", line(1, item=7))
    return history


# --- replay --------------------------------------------------------------------------------------------------------


def test_a_replay_under_the_live_policy_reproduces_every_byte():
    report = run(two_units(), None, Mode.AS_RECORDED)
    assert report.replayed == {Parity.IDENTICAL: 2}
    assert (report.decisions, report.orders, report.changed, report.odd, report.failed) == (2, 2, 0, (), ())
    assert report.before == report.after


def test_a_draft_that_decides_alike_changes_nothing_in_either_mode():
    for mode in Mode:
        report = run(two_units(), replace(NEAR, version="copy"), mode)
        assert (report.changed, report.before, report.not_needed) == (0, report.after, 0)


def test_a_stored_decision_that_was_tampered_with_is_named():
    history = two_units()
    first = history.events[0]
    assert isinstance(first, Recorded)
    history.events[0] = first._replace(document=first.document.replace(b'"proven":true', b'"proven":false'))
    report = run(history, None, Mode.AS_RECORDED)
    assert report.replayed == {Parity.IDENTICAL: 1, Parity.DIFFERENT: 1}
    assert [(odd.order, odd.no, odd.parity) for odd in report.odd] == [("one", 1, Parity.DIFFERENT)]


@pytest.mark.parametrize(("cost", "parity"), [(0, Parity.OLDER_SAME), (1, Parity.OLDER_DIFFERENT)])
def test_an_older_engines_decision_is_compared_and_reported(cost, parity):
    history = two_units()
    first = history.events[0]
    assert isinstance(first, Recorded)
    old = replace(msgspec.json.decode(first.input, type=Input), engine="0")
    made = msgspec.json.decode(first.document)
    made["plan"]["cost"] += cost
    history.events[0] = first._replace(
        engine="0", input=msgspec.json.encode(old), document=msgspec.json.encode(made | {"engine": "0"})
    )
    report = run(history, None, Mode.AS_RECORDED)
    assert report.replayed == {Parity.IDENTICAL: 1, parity: 1}
    assert [(odd.engine, odd.parity) for odd in report.odd] == [("0", parity)][:cost]


def test_what_cannot_be_read_or_has_lost_its_policy_is_named_and_in_no_figure():
    history = two_units()
    first, second = history.events
    assert isinstance(first, Recorded)
    assert isinstance(second, Recorded)
    history.events = [first._replace(input=b"{}"), second]
    assert simulate(history.events, {}, FAR).replayed == {Parity.UNREADABLE: 1, Parity.NO_POLICY: 1}
    report = simulate(history.events, {"near": NEAR}, FAR)
    assert (report.decisions, report.replayed) == (1, {Parity.UNREADABLE: 1, Parity.IDENTICAL: 1})


def test_a_draft_that_fails_on_an_order_is_told_with_the_order():
    broken = replace(FAR, use_groups=("gone",))
    report = run(two_units(), broken, Mode.AS_RECORDED)
    assert (report.decisions, report.changed) == (0, 0)
    assert [odd.order for odd in report.failed] == ["one", "two"]
    assert "gone" in report.failed[0].detail


# --- the two modes -------------------------------------------------------------------------------------------------


def test_as_recorded_each_order_sees_what_history_saw():
    """History sent the first order from A, so B alone was left for the second: the draft cannot change that."""
    report = run(two_units(), FAR, Mode.AS_RECORDED)
    assert [(moved.order, moved.before, moved.after) for moved in report.moved] == [("one", {"A": 1}, {"B": 1})]


def test_carried_the_draft_lives_with_what_it_took():
    """Having sent the first order from B, it finds A's unit untouched and B's gone."""
    report = run(two_units(), FAR)
    assert [(moved.order, moved.before, moved.after) for moved in report.moved] == [
        ("one", {"A": 1}, {"B": 1}),
        ("two", {"B": 1}, {"A": 1}),
    ]
    assert report.before.unfilled == report.after.unfilled == 0


def test_costs_are_compared_by_one_ruler_at_a_time():
    history = History(NEAR, {(1, 7): 1, (2, 7): 1})
    history.order("one", line(1, item=7))
    report = run(history, FAR, Mode.AS_RECORDED)
    # A parcel is 1,000; A is 111 km away, B 1,001.
    assert (report.before.measure.cost, report.after.measure.cost) == (1000 + 1110, 1000 + 10010)
    assert (report.before.measure.cost_by_draft, report.after.measure.cost_by_draft) == (1000, 1000)
    assert (report.before.measure.km, report.after.measure.km) == (111, 1001)
    load = {one.node: (one.parcels_before, one.parcels_after, one.units_after) for one in report.nodes}
    assert load == {"A": (1, 0, 0), "B": (0, 1, 1)}


def test_goods_that_arrive_arrive_in_both_worlds():
    history = two_units()
    history.stock[1, 7] += 5
    history.order("three", line(1, item=7, quantity=5))
    report = run(history, FAR)
    assert report.moved[-1].order == "two"
    assert report.after.unfilled == 0


def test_a_waiting_order_that_the_draft_had_served_needs_no_decision():
    history = History(replace(NEAR, max_distance_km=500), {(1, 7): 0, (2, 7): 1})
    wanted = history.order("one", line(1, item=7))
    history.stock[1, 7] = 1
    history.now += timedelta(hours=1)
    history.decide(wanted)
    report = run(history, FAR)
    assert (report.not_needed, report.decisions) == (1, 2)
    assert (report.before.unfilled, report.after.unfilled) == (0, 0)
    assert [(moved.before, moved.after) for moved in report.moved] == [({}, {"B": 1}), ({"A": 1}, {})]


def test_a_refusal_stands_for_whoever_sends_there():
    """A refused: history sent the unit from B then. The draft had sent it from B at once, and is asked nothing more."""
    history = History(NEAR, {(1, 7): 1, (2, 7): 2})
    wanted = history.order("one", line(1, item=7))
    history.stock[1, 7] += 1  # a refusal that says nothing of the shelf
    history.now += timedelta(hours=1)
    history.decide(replace(wanted, lines=(line(1, item=7, refused_by=(1,)),)))
    history.order("two", line(1, item=7))
    report = run(history, FAR)
    assert report.not_needed == 1
    # History's one is at B now, as the draft's is: the third decision sees the same shelves in both worlds.
    assert [(moved.order, moved.before, moved.after) for moved in report.moved] == [
        ("one", {"A": 1}, {"B": 1}),
        ("one", {"B": 1}, {}),
        ("two", {"A": 1}, {"B": 1}),
    ]


def test_a_draft_that_sends_to_the_refusing_node_too_decides_anew():
    history = History(NEAR, {(1, 7): 1, (2, 7): 1})
    wanted = history.order("one", line(1, item=7))
    history.now += timedelta(hours=1)
    history.decide(replace(wanted, lines=(line(1, item=7, refused_by=(1,)),)))
    report = run(history, replace(NEAR, version="draft", parcel_cost=5))
    assert (report.not_needed, report.changed, report.after.unfilled) == (0, 0, 0)


def test_cancelled_units_come_back_where_each_world_had_them():
    history = two_units()
    history.now += timedelta(hours=1)
    cancelled = Freed(history.now, "one", 1, 1)
    history.stock[1, 7] += 1
    history.order("three", line(1, item=7))
    report = run(history, FAR, Mode.CARRIED, cancelled)
    assert [(moved.order, moved.before, moved.after) for moved in report.moved][-1] == ("three", {"A": 1}, {"B": 1})
    assert report.after.unfilled == 0


def test_a_node_that_was_found_empty_is_empty_for_the_draft_too():
    """The draft left A's unit there; A turned out to have none."""
    history = two_units()
    history.now += timedelta(hours=1)
    found = Emptied(history.now, 1, 7)
    history.order("three", line(1, item=7))
    with_it = run(history, FAR, Mode.CARRIED, found)
    assert with_it.after.unfilled == 1
    history = History(NEAR, {(1, 7): 2, (2, 7): 1})
    history.order("one", line(1, item=7))
    found = Emptied(history.now, 1, 7)
    history.stock[1, 7] = 0
    history.order("two", line(1, item=7))
    history.order("three", line(1, item=7))
    report = run(history, FAR, Mode.CARRIED, found)
    assert (report.before.unfilled, report.after.unfilled) == (1, 2)


def test_a_day_that_the_draft_has_filled_is_full():
    history = History(NEAR, {(1, 7): 9, (2, 7): 9}, A, replace(B, capacity_left=1))
    history.order("one", line(1, item=7))
    history.order("two", line(1, item=7))
    report = run(history, FAR)
    assert [(moved.order, moved.after) for moved in report.moved] == [("one", {"B": 1})]


def test_lateness_is_counted_by_parcels_that_cannot_leave_in_time():
    history = History(NEAR, {(1, 7): 1, (2, 7): 1}, A, replace(B, transit_days=3))
    history.order("one", line(1, item=7), deliver_by=AT + timedelta(days=1))
    report = run(history, replace(FAR, late_cost=0))
    assert (report.before.measure.late, report.after.measure.late) == (0, 1)


# --- properties ----------------------------------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Up to eight orders of up to two lines over three nodes and three items, some for customers that rules know."""
    items = st.integers(1, 3)
    stock = {(k, item): draw(st.integers(0, 4)) for k in (1, 2, 3) for item in (1, 2, 3)}
    far = node(3, latitude=0.0, longitude=-4.0, priority=150, capacity_left=draw(st.sampled_from([None, 2])))
    history = History(draw(st.sampled_from([NEAR, RULED])), stock, A, B, far)
    for number in range(draw(st.integers(1, 8))):
        count = draw(st.integers(1, 2))
        history.order(
            f"o{number}",
            *(line(n, item=draw(items), quantity=draw(st.integers(1, 3))) for n in range(1, count + 1)),
            tags=draw(st.sampled_from([(), ("vip",)])),
        )
        if draw(st.booleans()):
            history.stock[draw(st.integers(1, 3)), draw(items)] += draw(st.integers(1, 2))
    return history


@settings(max_examples=150, deadline=None)
@given(histories(), st.sampled_from([FAR, RULED, replace(NEAR, version="whole", max_splits=0, split_line=False)]))
def test_carried_no_policy_takes_more_than_there_ever_was(history, draft):
    """Every unit on a shelf at the end, in the draft's world, is one that was there: history's rest and the drift."""
    simulator = Simulator({"near": NEAR, "ruled": RULED}, draft, Mode.CARRIED)
    for event in history.events:
        simulator.take(event)
    report = simulator.report()
    assert report.failed == ()
    assert simulator._book is not None
    drifts = simulator._book.drifts()
    for key, units in drifts.items():
        assert history.stock[key] + units >= 0
    assert sum(drifts.values()) == report.before.measure.units - report.after.measure.units
    assert report.before.measure.units + report.before.unfilled == report.after.measure.units + report.after.unfilled


@settings(max_examples=100, deadline=None)
@given(histories())
def test_any_history_replays_byte_for_byte(history):
    report = run(history, None, Mode.AS_RECORDED)
    assert report.replayed == {Parity.IDENTICAL: len(history.events)}
    assert report.before == report.after


# --- shadow --------------------------------------------------------------------------------------------------------


def test_a_draft_beside_the_live_policy_answers_without_effect():
    wanted, seen = group(line(1), place=HERE), network(replace(A, available=(1,)), replace(B, available=(1,)))
    live = decide(wanted, seen, NEAR)
    before = msgspec.json.encode((wanted, seen, live))
    found = shadow(wanted, seen, live, FAR)
    assert not found.agrees
    assert (found.live, [a.node for a in found.draft.plan.assignments]) == (live, [2])
    assert found.draft.policy == "far"
    assert shadow(wanted, seen, live, replace(NEAR, version="copy")).agrees
    assert msgspec.json.encode((wanted, seen, live)) == before


def test_times_of_events_are_those_of_history():
    history = two_units()
    assert [moved.at for moved in run(history, FAR).moved] == [event.at for event in history.events]
