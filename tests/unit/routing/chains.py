"""Policies with rules for the tests of the chain, and decisions under them that the checker has looked at."""

from hub.domain.contact import Place
from hub.routing.certificate import check
from hub.routing.decide import decide
from hub.routing.model import Snapshot
from hub.routing.policy import load_policy
from hub.routing.prepare import prepare, way_of
from tests.unit.routing.worlds import AT

HERE = Place(country="DE", latitude=50.0, longitude=10.0)
NEAR = {"latitude": 50.0, "longitude": 11.0, "country": "DE"}
FAR = {"latitude": 40.0, "longitude": -4.0, "country": "ES"}

BASE = """
version = "chain-1"
parcel_cost = 1000
per_km = 1
per_kg = 0
late_cost = 0
"""


def policy(text):
    """A policy of these rules over flat costs."""
    return load_policy(BASE + text)


def told(decision):
    """Reasons by node."""
    return dict(decision.reasons)


def decided(text, wanted, *nodes, at=AT):
    """A decision that the independent checker accepts on the input that the rules made of it."""
    rules, seen = policy(text), Snapshot(at=at, nodes=nodes)
    decision = decide(wanted, seen, rules)
    way = way_of(wanted, seen, prepare(nodes, rules), decision.attempt)
    assert check(way.group, way.snapshot, way.prepared.policy, decision) == []
    return decision


DROP_STORES = """
[[rule]]
name = "dear orders not from stores"
when = 'order.value >= 5000 && order.country == "DE"'
fence = [{ drop = 'node.kind == "store"' }]
"""


BLACKOUT = """
[[blackout]]
name = "stocktaking"
nodes = ["A"]
from = 2026-03-29T01:30:00
until = 2026-03-29T03:30:00
"""
