"""Why this node: stored decisions, explained from their input when somebody asks."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from hub.routing.explain import WORDS, NodeRow, node_rows, sentence
from hub.routing.model import Decision, Plan, Policy
from hub.routing.policy import PolicyError, load_policy
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


class PlanView(msgspec.Struct, frozen=True, kw_only=True):
    """A way to serve a group. The cost is in thousandths of a minor unit of the policy's currency."""

    assignments: list[AssignmentView]
    unfilled: list[UnfilledView]
    cost: int


class TermView(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a cost."""

    name: str
    cost: int


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


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """A decision."""

    no: int
    group: str
    at: datetime
    policy: str
    engine: str
    sentence: str | None
    """In words; null when the policy's version is gone."""
    proven: bool
    """Whether no other plan can be better."""
    gap: int
    """How much cheaper another plan could at most be."""
    plan: PlanView
    runner_up: PlanView | None
    candidates: list[CandidateView]


def explain(row: DecisionRow, skus: Mapping[int, str | None], policies: Mapping[str, Policy]) -> DecisionView:
    """A stored decision as the API shows it."""
    given, decision = decode_input(row.input), decode(row.document)
    codes = {node.id: node.code for node in given.snapshot.nodes}
    policy = policies.get(row.policy)
    rows = node_rows(given.group, given.snapshot, policy, decision) if policy else _reasons(decision, codes)
    return DecisionView(
        no=row.no,
        group=row.group,
        at=row.at,
        policy=row.policy,
        engine=row.engine,
        sentence=sentence(given.group, given.snapshot, policy, decision) if policy else None,
        proven=row.proven,
        gap=row.gap,
        plan=_plan(decision.plan, codes, skus),
        runner_up=_plan(decision.runner_up, codes, skus) if decision.runner_up else None,
        candidates=[_candidate(one, given) for one in rows],
    )


def load_policies(texts: Mapping[str, str], default: Policy) -> dict[str, Policy]:
    """Every policy that can be read, by version; the shipped default under its own."""
    found = {default.version: default}
    for version, text in texts.items():
        try:
            found[version] = msgspec.structs.replace(load_policy(text), version=version)
        except PolicyError:
            # Kept by an older release that was less strict: its decisions are shown without their costs.
            continue
    return found


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
    )


def _plan(plan: Plan, codes: Mapping[int, str], skus: Mapping[int, str | None]) -> PlanView:
    return PlanView(
        assignments=[
            AssignmentView(demand=a.demand, sku=skus.get(a.demand), node=codes[a.node], quantity=a.quantity)
            for a in plan.assignments
        ],
        unfilled=[UnfilledView(demand=demand, sku=skus.get(demand), quantity=units) for demand, units in plan.unfilled],
        cost=plan.cost,
    )
