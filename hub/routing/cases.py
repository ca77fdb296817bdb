"""Worked cases: a small network, an order and the plan that somebody computed by hand. Policies ship with cases."""

import tomllib
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from hub.domain.contact import Place
from hub.domain.network import OpeningHours
from hub.domain.order import Method
from hub.routing.decide import decide
from hub.routing.model import Decision, Group, GroupLine, NodeState, Policy, Reason, Snapshot


class CaseLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line; demands are numbered from 1 in the order of the lines. Nodes are named by code."""

    item: str
    quantity: int = 1
    weight_g: int | None = None
    classes: tuple[str, ...] = ()
    together: str | None = None
    refused_by: tuple[str, ...] = ()


class CaseNode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A node with its stock by item; what is not named it does not hold."""

    code: str
    stock: dict[str, int] = {}
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    timezone: str = "UTC"
    calendar: OpeningHours = OpeningHours()
    capacity_left: int | None = None
    capabilities: tuple[str, ...] = ("ship",)
    handling_cost: int = 0
    priority: int = 100
    enabled: bool = True
    serves: bool = True
    transit_days: int | None = None


class CaseGroup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the customer asked for."""

    at: datetime
    method: Method = Method.SHIP
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    pickup_node: str | None = None
    keep_together: bool = False
    deliver_by: datetime | None = None


class CaseParcel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units per demand that one node sends."""

    node: str
    demands: dict[int, int]


class Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The plan; `runner_up` and `reasons` are compared when given."""

    cost: int
    parcels: tuple[CaseParcel, ...] = ()
    unfilled: dict[int, int] = {}
    runner_up: tuple[str, ...] | None = None
    reasons: dict[str, Reason] = {}


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One worked case. `policy` overrides keys of the policy under test."""

    title: str
    group: CaseGroup
    lines: tuple[CaseLine, ...]
    nodes: tuple[CaseNode, ...]
    expected: Expected
    policy: dict[str, object] = {}


_SAME_NAMES: Final = tuple(field for field in CaseNode.__struct_fields__ if field != "stock")


def load_case(text: str) -> Case:
    """Read a case. Raises `tomllib.TOMLDecodeError` and `msgspec.ValidationError`, which name the place."""
    return msgspec.convert(tomllib.loads(text), Case, str_keys=True)


def differences(case: Case, policy: Policy) -> list[str]:
    """Decide a case under a policy and say where it differs from what is expected; empty when it does not."""
    merged = msgspec.convert({**msgspec.to_builtins(policy), **case.policy}, Policy)
    group, snapshot = build(case)
    return list(_differences(case.expected, snapshot, decide(group, snapshot, merged)))


def build(case: Case) -> tuple[Group, Snapshot]:
    """The input of a decision. Items, demands and nodes are numbered from 1 as they come."""
    ids = {node.code: number for number, node in enumerate(case.nodes, start=1)}
    items = {name: number for number, name in enumerate(dict.fromkeys(line.item for line in case.lines), start=1)}
    asked = case.group
    lines = tuple(
        GroupLine(
            demand=demand,
            item=items[line.item],
            quantity=line.quantity,
            weight_g=line.weight_g,
            classes=line.classes,
            together=line.together,
            refused_by=tuple(ids[code] for code in line.refused_by),
        )
        for demand, line in enumerate(case.lines, start=1)
    )
    group = Group(
        order="case",
        group="main",
        method=asked.method,
        channel="case",
        currency="USD",
        placed_at=asked.at,
        lines=lines,
        place=Place(country=asked.country, latitude=asked.latitude, longitude=asked.longitude),
        pickup_node=None if asked.pickup_node is None else ids[asked.pickup_node],
        keep_together=asked.keep_together,
        deliver_by=asked.deliver_by,
    )
    return group, Snapshot(at=asked.at, nodes=tuple(_state(node, ids[node.code], case.lines) for node in case.nodes))


def _state(node: CaseNode, number: int, lines: tuple[CaseLine, ...]) -> NodeState:
    available = tuple(node.stock.get(line.item, 0) for line in lines)
    fields = {name: getattr(node, name) for name in _SAME_NAMES}
    return NodeState(id=number, kind="dc", available=available, **fields)


def _differences(expected: Expected, snapshot: Snapshot, decision: Decision) -> Iterator[str]:
    codes = {node.id: node.code for node in snapshot.nodes}
    plan = decision.plan
    parcels: dict[str, dict[int, int]] = {}
    for a in plan.assignments:
        parcels.setdefault(codes[a.node], {})[a.demand] = a.quantity
    wanted = {parcel.node: parcel.demands for parcel in expected.parcels}
    if parcels != wanted:
        yield f"parcels: expected {wanted}, decided {parcels}"
    if dict(plan.unfilled) != expected.unfilled:
        yield f"unfilled: expected {expected.unfilled}, decided {dict(plan.unfilled)}"
    if plan.cost != expected.cost:
        yield f"cost: expected {expected.cost}, decided {plan.cost}"
    if not decision.proven:
        yield f"the plan is not proven the best, the gap is {decision.gap}"
    if expected.runner_up is not None:
        other = decision.runner_up.assignments if decision.runner_up else ()
        nodes = tuple(sorted({codes[a.node] for a in other}))
        if nodes != tuple(sorted(expected.runner_up)):
            yield f"runner-up: expected {expected.runner_up}, decided {nodes}"
    reasons = {codes[node]: reason for node, reason in decision.reasons}
    for code, reason in expected.reasons.items():
        if reasons[code] is not reason:
            yield f"reason of {code}: expected {reason}, decided {reasons[code]}"
