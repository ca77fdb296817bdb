"""Routing policies: kept as immutable versions, linted, activated. Tried on past orders in `simulation.py`."""

import asyncio
from typing import Annotated, Literal

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from hub.flow.policy_texts import LOADERS, WRONG, fault_of
from hub.flow.scene import node_state
from hub.flow.waiting import ROUTING
from hub.routing.lint import Finding, Severity, lint
from hub.store.admin import policies
from hub.store.admin.errors import Fault, Invalid
from hub.store.admin.mending import wake_queue
from hub.store.admin.paging import Page
from hub.store.admin.policies import PolicyView, State
from hub.store.admin.tokens import Role
from hub.web.auth import NEEDS
from hub.web.openapi import UNKEYED
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit

Kind = Literal["routing", "promise", "returns", "exceptions", "holds", "changes", "pick_up", "packing"]
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
    """Routing is looked at over the nodes that there are; of the others, whether it could be kept."""


class LintFault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a policy text."""

    code: str
    key: str
    line: int
    """Counts from 1; 0 where the text does not name the key, or where a node is what is wrong."""
    message: str


class LintView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a policy text can be used."""

    ok: bool
    errors: list[LintFault]
    """What keeps it from being used, or makes it fail on orders."""
    warnings: list[LintFault]
    """What does not mean what it seems to."""


def check(text: str, kind: str) -> str:
    """The version that a text names for itself; raises `Invalid` with the place."""
    try:
        return LOADERS[kind](text).version
    except WRONG as error:
        raise Invalid([Fault(str(error), "/text")]) from error


async def keep(tx: Work, data: NewPolicy) -> PolicyView:
    """Keep a new version."""
    named = check(data.text, data.kind)
    return await policies.add_policy(
        tx.connection, tx.merchant, kind=data.kind, version=data.version or named, text=data.text, author=tx.actor.name
    )


async def activate(tx: Work, id: str) -> PolicyView:
    """Make it the active one; what waits is decided anew under it."""
    found = await policies.get_policy(tx.connection, tx.merchant, id)
    check(found.text, found.kind)
    for queue in ROUTING:
        await wake_queue(tx.connection, queue, tx.now, tx.merchant)
    tx.ring("waiting")
    return await policies.activate(tx.connection, tx.merchant, id)


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
    async def lint(self, hub: Hub, data: JSONBody[LintBody]) -> LintView:
        """Whether it could be kept, and what in it is likely a mistake over the nodes that there are."""
        if data.kind != "routing":
            fault = await asyncio.to_thread(fault_of, data.text, data.kind)
            errors = [] if fault is None else [LintFault(code="unusable", key="", line=0, message=fault)]
            return LintView(ok=not errors, errors=errors, warnings=[])
        directory = await hub.directory()
        nodes = [node_state(node, serves=True) for node in directory.nodes.values()]
        found = await asyncio.to_thread(lint, data.text, nodes or None)
        return LintView(
            ok=not any(finding.severity is Severity.ERROR for finding in found),
            errors=[_fault(finding) for finding in found if finding.severity is Severity.ERROR],
            warnings=[_fault(finding) for finding in found if finding.severity is Severity.WARNING],
        )


def _fault(finding: Finding) -> LintFault:
    return LintFault(code=finding.code, key=finding.key, line=finding.line, message=finding.message)
