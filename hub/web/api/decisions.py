"""Why this node: stored decisions, explained from their input when somebody asks."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from hub.routing.conditions import ConditionFailed
from hub.routing.explain import WORDS, Explanation, NodeRow, explain
from hub.routing.model import Decision, Plan, Policy
from hub.routing.pricing import Parcel
from hub.routing.record import Input, decode, decode_input
from hub.store.admin.decisions import DecisionRow


class AssignmentView(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a demand from a node."""

    demand: int
    sku: str | None
    node: str
    quantity: int


class UnfilledView(msgspec.Struct, frozen=True, kw_only=True):
    """Units that no node serves."""

    demand: int
    sku: str | None
    quantity: int


class TermView(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a cost."""

    name: str
    cost: int


class ParcelView(msgspec.Struct, frozen=True, kw_only=True):
    """What one node sends, and what that costs, term by term."""

    node: str
    km: int
    cost: int
    terms: list[TermView]


class PlanView(msgspec.Struct, frozen=True, kw_only=True):
    """A way to serve a group. Costs are in thousandths of a minor unit of the policy's currency."""

    assignments: list[AssignmentView]
    unfilled: list[UnfilledView]
    cost: int
    parcels: list[ParcelView]
    """Empty when the policy's version is gone."""


class FenceView(msgspec.Struct, frozen=True, kw_only=True):
    """A fence, and the value that it saw at a node."""

    fence: str
    passed: bool
    seen: str
    wanted: str
    demand: int | None
    """Where it keeps the node out for one demand only."""


class CandidateView(msgspec.Struct, frozen=True, kw_only=True):
    """A node that was looked at, and why it is or is not in the plan."""

    node: str
    reason: str
    text: str
    available: dict[str, int]
    """Units that it held free when this was decided, by demand."""
    cost: int | None
    """Of a parcel with what it could send; null for a node outside the fences."""
    terms: list[TermView]
    fences: list[FenceView]
    more: int | None
    """How much more than the plan it would cost to send everything from here; null where it cannot."""


class FlipView(msgspec.Struct, frozen=True, kw_only=True):
    """A small change that would have made another plan win. Each was tried before it is told."""

    change: str
    node: str
    amount: int
    """Thousandths of a minor unit, for changes of a price."""
    units: dict[str, int]
    """By demand, for changes of stock. Demands of one item share it: they name the same units."""
    nodes: list[str]
    """Which send then."""
    text: str


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """A decision."""

    no: int
    group: str
    at: datetime
    policy: str
    engine: str
    solver: str
    rules: list[str]
    """Rules of the policy that fired."""
    sentence: str | None
    """In words; null when it cannot be explained any more: `note` says why."""
    note: str | None
    proven: bool
    """Whether no other plan can be better."""
    gap: int
    """How much cheaper another plan could at most be."""
    plan: PlanView
    runner_up: PlanView | None
    candidates: list[CandidateView]
    flips: list[FlipView]


def views(
    rows: Sequence[DecisionRow], skus: Mapping[int, str | None], policies: Mapping[str, Policy]
) -> list[DecisionView]:
    """Stored decisions as the API shows them. A few milliseconds each: run it beside the loop."""
    return [view(row, skus, policies) for row in rows]


def view(row: DecisionRow, skus: Mapping[int, str | None], policies: Mapping[str, Policy]) -> DecisionView:
    """A stored decision, explained from its own input."""
    given, decision = decode_input(row.input), decode(row.document)
    told, note = _told(given, decision, skus, policies)
    codes = {node.id: node.code for node in given.snapshot.nodes}
    return DecisionView(
        no=row.no,
        group=row.group,
        at=row.at,
        policy=row.policy,
        engine=row.engine,
        solver=decision.solver.value,
        rules=list(decision.rules),
        sentence=told.sentence if told else None,
        note=note,
        proven=row.proven,
        gap=row.gap,
        plan=_plan(decision.plan, told.parcels if told else (), codes, skus),
        runner_up=_plan(decision.runner_up, told.runner_up if told else (), codes, skus)
        if decision.runner_up
        else None,
        candidates=[_candidate(one, given) for one in (told.nodes if told else _reasons(decision, codes))],
        flips=_flips(told, codes) if told else [],
    )


def _told(
    given: Input, decision: Decision, skus: Mapping[int, str | None], policies: Mapping[str, Policy]
) -> tuple[Explanation | None, str | None]:
    """The explanation, or why there is none."""
    policy = policies.get(given.policy)
    if policy is None:
        return None, f"policy {given.policy!r} is gone or cannot be read any more"
    names = {demand: sku for demand, sku in skus.items() if sku is not None}
    try:
        return explain(given.group, given.snapshot, policy, decision, names), None
    except (ValueError, ConditionFailed) as error:
        return None, f"this engine cannot decide it again: {error}"


def _flips(told: Explanation, codes: Mapping[int, str]) -> list[FlipView]:
    return [
        FlipView(
            change=flip.change.value,
            node=codes[flip.node],
            amount=flip.amount,
            units={str(demand): units for demand, units in flip.units},
            nodes=[codes[node] for node in flip.senders],
            text=text,
        )
        for flip, text in zip(told.flips, told.flip_texts, strict=True)
    ]


def _reasons(decision: Decision, codes: Mapping[int, str]) -> tuple[NodeRow, ...]:
    return tuple(
        NodeRow(node=node, code=codes[node], reason=reason, text=f"{codes[node]} {WORDS[reason]}")
        for node, reason in decision.reasons
    )


def _candidate(row: NodeRow, given: Input) -> CandidateView:
    state = next(node for node in given.snapshot.nodes if node.id == row.node)
    return CandidateView(
        node=row.code,
        reason=row.reason.value,
        text=row.text,
        available={str(line.demand): units for line, units in zip(given.group.lines, state.available, strict=True)},
        cost=row.cost if row.terms else None,
        terms=[TermView(name=name, cost=cost) for name, cost in row.terms],
        fences=[
            FenceView(fence=one.fence, passed=one.passed, seen=one.seen, wanted=one.wanted, demand=one.demand)
            for one in row.fences
        ],
        more=row.more,
    )


def _plan(plan: Plan, parcels: Sequence[Parcel], codes: Mapping[int, str], skus: Mapping[int, str | None]) -> PlanView:
    return PlanView(
        assignments=[
            AssignmentView(demand=a.demand, sku=skus.get(a.demand), node=codes[a.node], quantity=a.quantity)
            for a in plan.assignments
        ],
        unfilled=[UnfilledView(demand=demand, sku=skus.get(demand), quantity=units) for demand, units in plan.unfilled],
        cost=plan.cost,
        parcels=[
            ParcelView(
                node=codes[one.node],
                km=one.km,
                cost=one.cost,
                terms=[TermView(name=name, cost=cost) for name, cost in one.terms],
            )
            for one in parcels
        ],
    )
