"""Routing policies: kept as immutable versions, linted, tried on past orders, activated."""

import asyncio
from typing import Annotated, Literal

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from hub.routing.decide import decide
from hub.routing.model import Plan, Policy
from hub.routing.policy import PolicyError, load_policy
from hub.routing.prepare import RoutingInputError
from hub.routing.record import decode, decode_input
from hub.store.admin import decisions, policies
from hub.store.admin.decisions import DecisionRow
from hub.store.admin.errors import Fault, Invalid
from hub.store.admin.mending import wake_queue
from hub.store.admin.paging import Page
from hub.store.admin.policies import PolicyView, State
from hub.store.admin.tokens import Role
from hub.web.auth import NEEDS
from hub.web.openapi import UNKEYED
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit

Kind = Literal["routing"]
PolicyText = Annotated[str, msgspec.Meta(min_length=1, max_length=200_000)]
Version = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class NewPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new version, as a draft. Its name is the text's own `version` unless given here."""

    text: PolicyText
    kind: Kind = "routing"
    version: Version | None = None


class LintBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text to check."""

    text: PolicyText
    kind: Kind = "routing"


class LintFault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a policy text."""

    key: str
    line: int
    """Counts from 1; 0 where the text does not name the key."""
    message: str


class LintView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a policy text can be used."""

    ok: bool
    errors: list[LintFault]


class SimulateBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A policy, by text or by id, to try on the newest stored decisions."""

    text: PolicyText | None = None
    policy: Version | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100


class MovedView(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that would have been another."""

    order: str
    group: str
    before: dict[str, int]
    """Units by node."""
    after: dict[str, int]
    unfilled_before: int
    unfilled_after: int
    cost_before: int
    cost_after: int


class SimulationView(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy would have decided. Nothing was changed. Costs are each policy's own, in 1/1000 minor units."""

    decisions: int
    changed: int
    parcels_before: int
    parcels_after: int
    unfilled_before: int
    unfilled_after: int
    skipped: int
    """Decisions whose input this engine cannot read."""
    moved: list[MovedView]


def check(text: str) -> Policy:
    """The policy of a text; raises `Invalid` with the place."""
    try:
        return load_policy(text)
    except PolicyError as error:
        raise Invalid([Fault(str(error), "/text")]) from error


async def keep(tx: Work, data: NewPolicy) -> PolicyView:
    """Keep a new version."""
    version = data.version or check(data.text).version
    check(data.text)
    return await policies.add_policy(
        tx.connection, tx.merchant, kind=data.kind, version=version, text=data.text, author=tx.actor.name
    )


async def activate(tx: Work, id: str) -> PolicyView:
    """Make it the active one; what waits is decided anew under it."""
    found = await policies.get_policy(tx.connection, tx.merchant, id)
    check(found.text)
    await wake_queue(tx.connection, "shortage", tx.now, tx.merchant)
    tx.ring("waiting")
    return await policies.activate(tx.connection, tx.merchant, id)


def simulate(rows: list[DecisionRow], policy: Policy) -> SimulationView:
    """Decide stored inputs again under another policy. Pure and slow: run it beside the loop."""
    moved: list[MovedView] = []
    totals = [0, 0, 0, 0]
    skipped = changed = 0
    for row in rows:
        try:
            given, old = decode_input(row.input), decode(row.document)
            new = decide(given.group, given.snapshot, policy)
        except (msgspec.MsgspecError, RoutingInputError):
            skipped += 1
            continue
        codes = {node.id: node.code for node in given.snapshot.nodes}
        view = MovedView(
            order=row.order,
            group=row.group,
            before=_units(old.plan, codes),
            after=_units(new.plan, codes),
            unfilled_before=sum(units for _, units in old.plan.unfilled),
            unfilled_after=sum(units for _, units in new.plan.unfilled),
            cost_before=old.plan.cost,
            cost_after=new.plan.cost,
        )
        found = (len(view.before), len(view.after), view.unfilled_before, view.unfilled_after)
        totals = [total + one for total, one in zip(totals, found, strict=True)]
        if old.plan.assignments != new.plan.assignments:
            changed += 1
            moved.append(view)
    return SimulationView(
        decisions=len(rows) - skipped,
        changed=changed,
        parcels_before=totals[0],
        parcels_after=totals[1],
        unfilled_before=totals[2],
        unfilled_after=totals[3],
        skipped=skipped,
        moved=moved,
    )


def _units(plan: Plan, codes: dict[int, str]) -> dict[str, int]:
    units: dict[str, int] = {}
    for assignment in plan.assignments:
        code = codes[assignment.node]
        units[code] = units.get(code, 0) + assignment.quantity
    return units


class Policies(Controller):
    """Policies as data."""

    path = "/policies"
    tags = ("policies",)
    opt = {NEEDS: Role.INTEGRATOR}  # noqa: RUF012

    @get("/", summary="List policies", opt={NEEDS: Role.VIEWER})
    async def list_policies(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        kind: FromQuery[str | None] = None,
        wanted: Annotated[State | None, QueryParameter(name="state")] = None,
    ) -> Page[PolicyView]:
        """Versions, the newest first. Without an active one the shipped default decides."""
        async with hub.database.connection() as connection:
            return await policies.list_policies(connection, request.user.merchant, cut, kind=kind, state=wanted)

    @get("/{id:str}", summary="Read a policy", opt={NEEDS: Role.VIEWER})
    async def get_policy(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> PolicyView:
        """One version."""
        async with hub.database.connection() as connection:
            return await policies.get_policy(connection, request.user.merchant, id)

    @post("/", summary="Keep a new version")
    async def add_policy(self, hub: Hub, request: ApiRequest, data: JSONBody[NewPolicy]) -> Response[PolicyView]:
        """A draft; it decides nothing until it is activated."""
        return await commit(hub, request, lambda tx: keep(tx, data), status=201)

    @post("/{id:str}/activate", summary="Activate a version", status_code=200, opt={NEEDS: Role.ADMIN})
    async def activate(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[PolicyView]:
        """From the next decision on; an older version can be activated again."""
        return await commit(hub, request, lambda tx: activate(tx, id))

    @post("/lint", summary="Check a text", status_code=200, opt={NEEDS: Role.VIEWER, UNKEYED: True})
    async def lint(self, data: JSONBody[LintBody]) -> LintView:
        """Whether it could be kept."""
        try:
            load_policy(data.text)
        except PolicyError as error:
            return LintView(ok=False, errors=[LintFault(key=error.key, line=error.line, message=str(error))])
        return LintView(ok=True, errors=[])

    @post("/simulate", summary="Try a policy on past orders", status_code=200, opt={UNKEYED: True})
    async def simulate(self, hub: Hub, request: ApiRequest, data: JSONBody[SimulateBody]) -> SimulationView:
        """Decide the newest stored decisions again under another policy. Changes nothing."""
        if (data.text is None) == (data.policy is None):
            raise Invalid([Fault("give either a text or the id of a policy", "")])
        merchant = request.user.merchant
        async with hub.database.connection() as connection:
            text = data.text or (await policies.get_policy(connection, merchant, data.policy or "")).text
            rows = await decisions.latest_decisions(connection, merchant, data.limit)
        return await asyncio.to_thread(simulate, rows, check(text))
