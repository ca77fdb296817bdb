"""Policies tried on recorded history, in small slices beside the loop: nothing is changed, nobody waits for it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec
from litestar import Controller, post
from litestar.params import JSONBody

from hub.routing.counterfactual import Emptied, Freed
from hub.routing.model import Policy
from hub.routing.policy import PolicyError, load_policy
from hub.routing.record import Recorded
from hub.routing.report import Load, Mode, Moved, Odd, Report, Totals
from hub.routing.simulate import Simulator
from hub.store.admin import policies
from hub.store.admin.errors import Conflict, Fault, Invalid
from hub.store.admin.tokens import Role
from hub.store.decisions import Key, meanwhile, policies_of, recorded, stretch
from hub.web.auth import NEEDS
from hub.web.openapi import UNKEYED
from hub.web.services import ApiRequest, Hub, Services

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Aware = Annotated[datetime, msgspec.Meta(tz=True)]

SLICE: Final = 20
"""Decisions taken at once; between slices the clock is looked at."""
MOST: Final = 5_000
PATIENCE: Final = timedelta(seconds=25)
"""What is done by then is reported, and that it is not all."""
MOST_TOLD: Final = 500
"""Differences told order by order; the figures count all."""


class SimulateBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A policy by text or by id, or `replay` for those that were live; and the stretch of history to try it on."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=200_000)] | None = None
    policy: Text | None = None
    replay: bool = False
    """Decide again under the policies that were live: every decision must come out as it was stored."""
    mode: Mode = Mode.AS_RECORDED
    """`as_recorded`: each order sees what it saw then. `carried`: the policy lives with the stock and capacity that it
    took, or left, in every earlier decision of the stretch."""
    since: Aware | None = None
    """Without it the newest decisions are taken."""
    until: Aware | None = None
    connection: Text | None = None
    """Only orders of one connection."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 500


class SimulationView(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy would have decided. Nothing was changed. Costs are in 1/1000 minor units, of one ruler each."""

    complete: bool
    """False when time ran out: the figures are about the first decisions of the stretch only."""
    mode: Mode
    draft: str | None
    since: datetime | None
    until: datetime | None
    """When the first and the last of these decisions were made."""
    decisions: int
    orders: int
    changed: int
    not_needed: int
    """Decisions of history that the policy would not have had to make, having sent the units elsewhere."""
    before: Totals
    after: Totals
    nodes: tuple[Load, ...]
    moved: tuple[Moved, ...]
    moved_left_off: int
    replayed: dict[str, int]
    """How history's own decisions come out when decided again under their own policies."""
    odd: tuple[Odd, ...]
    failed: tuple[Odd, ...]


async def run(hub: Services, merchant: str, data: SimulateBody) -> SimulationView:
    """Simulate. Raises `Invalid`, `Missing`, and `Conflict` while another one runs."""
    if sum((data.text is not None, data.policy is not None, data.replay)) != 1:
        raise Invalid([Fault("give a text, the id of a policy, or `replay`: one of the three", "")])
    if data.since and data.until and data.until <= data.since:
        raise Invalid([Fault("ends before it begins", "/until")])
    if hub.simulating.locked():
        raise Conflict("simulation-running", "A simulation is running; try again when it has ended")
    async with hub.simulating:
        return await _run(hub, merchant, data)


async def _run(hub: Services, merchant: str, data: SimulateBody) -> SimulationView:
    shipped = (await hub.directory()).policies[""]
    draft = await _draft(hub, merchant, data)
    async with hub.database.connection() as connection:
        keys = await stretch(
            connection, merchant, since=data.since, until=data.until, link=data.connection, limit=data.limit
        )
        known = await policies_of(connection, merchant, (key.policy for key in keys), shipped)
        events = await meanwhile(connection, merchant, keys) if data.mode is Mode.CARRIED else []
    done, report = await _slices(hub, Simulator(known, draft, data.mode), keys, events)
    return _view(report, keys[:done], complete=done == len(keys))


async def _draft(hub: Services, merchant: str, data: SimulateBody) -> Policy | None:
    if data.replay:
        return None
    version, text = "draft", data.text or ""
    if data.policy is not None:
        async with hub.database.connection() as connection:
            kept = await policies.get_policy(connection, merchant, data.policy)
        version, text = kept.version, kept.text
    try:
        loaded = load_policy(text)
    except PolicyError as error:
        raise Invalid([Fault(str(error), "/text" if data.text else "/policy")]) from error
    return msgspec.structs.replace(loaded, version=version) if data.policy else loaded


async def _slices(
    hub: Services, simulator: Simulator, keys: Sequence[Key], events: Sequence[Freed | Emptied]
) -> tuple[int, Report]:
    """Run slice by slice in a thread, until all is done or time is up; returns how many decisions were taken."""
    began, done, waiting = hub.clock(), 0, list(events)
    while done < len(keys) and (done == 0 or hub.clock() - began < PATIENCE):
        part = keys[done : done + SLICE]
        async with hub.database.connection() as connection:
            rows = await recorded(connection, part)
        due = [event for event in waiting if event.at <= part[-1].at]
        waiting = waiting[len(due) :]
        await asyncio.to_thread(_take, simulator, rows, due)
        done += len(part)
    return done, await asyncio.to_thread(simulator.report)


def _take(simulator: Simulator, rows: Sequence[Recorded], events: Sequence[Freed | Emptied]) -> None:
    for event in sorted([*rows, *events], key=lambda event: event.at):
        simulator.take(event)


def _view(report: Report, keys: Sequence[Key], *, complete: bool) -> SimulationView:
    replayed: Mapping[str, int] = {parity.value: count for parity, count in report.replayed.items()}
    return SimulationView(
        complete=complete,
        mode=report.mode,
        draft=report.draft,
        since=keys[0].at if keys else None,
        until=keys[-1].at if keys else None,
        decisions=report.decisions,
        orders=report.orders,
        changed=report.changed,
        not_needed=report.not_needed,
        before=report.before,
        after=report.after,
        nodes=report.nodes,
        moved=report.moved[:MOST_TOLD],
        moved_left_off=max(0, len(report.moved) - MOST_TOLD),
        replayed=dict(replayed),
        odd=report.odd[:MOST_TOLD],
        failed=report.failed[:MOST_TOLD],
    )


class Simulation(Controller):
    """What another policy would have done."""

    path = "/policies/simulate"
    tags = ("policies",)

    @post("/", summary="Try a policy on past orders", status_code=200, opt={UNKEYED: True, NEEDS: Role.INTEGRATOR})
    async def simulate(self, hub: Hub, request: ApiRequest, data: JSONBody[SimulateBody]) -> SimulationView:
        """Decide recorded orders again under another policy, or replay them under their own. Changes nothing."""
        return await run(hub, request.user.merchant, data)
