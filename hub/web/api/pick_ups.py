"""Pick-up at the counter: the customer's code, and what a person decides when the store will not have it."""

import asyncio
import os
import secrets
from typing import Annotated, Final

import msgspec
from litestar import Controller, Response, post
from litestar.params import FromPath, JSONBody

from hub.domain.order import DeliveryGroup, Method
from hub.domain.pick_up_code import SALT_BYTES, digest, digits, matches
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.pick_up import code_issued, code_locked, redirect
from hub.flow.take_order import advance, group_of
from hub.store import store_work
from hub.store.admin.errors import Conflict, Fault, Invalid, Missing
from hub.store.admin.order_views import FulfilmentView, OrderView
from hub.store.admin.orders import get_order
from hub.store.admin.tokens import Role
from hub.web.api.order_actions import act, load
from hub.web.problems import forbidden
from hub.web.services import ApiRequest, Hub, Services, Work, commit

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Code = Annotated[str, msgspec.Meta(pattern="^[0-9]{4,12}$")]
MAY_OVERRIDE: Final = Role.ADMIN


class IssueBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code for the customer of a group. One that stands already is replaced only with `renew`."""

    group: Text = "main"
    renew: bool = False


class IssuedCode(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer collects with: shown here and never again."""

    order: str
    group: str
    code: str | None
    """Null when the answer is repeated under its Idempotency-Key."""


class RedirectBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the customer collects instead, or `ship`: exactly one of them."""

    reason: Text
    group: Text = "main"
    node: Text | None = None
    ship: bool = False


async def issue(tx: Work, id: str, data: IssueBody) -> IssuedCode:
    """Issue a code in the order's transaction. Raises `Conflict` for one that was shown already."""
    order = await load(tx, id)
    if _asked(order, data.group).method is not Method.PICK_UP:
        raise Conflict("not-a-pick-up", f"Group {data.group} of order {id} is not collected: it needs no code")
    if not data.renew and await store_work.code_stands(tx.connection, id, data.group):
        raise Conflict("code-shown", "The code was shown already; send `renew` to replace it by a new one")
    batch = await tx.batch()
    length = batch.directory.pick_up_policy(order.merchant).code.length
    code = digits(secrets.randbelow(10**length), length)
    kept = await asyncio.to_thread(digest, code, os.urandom(SALT_BYTES))
    await store_work.issue_code(tx.connection, id, data.group, kept, tx.who, tx.now)
    code_issued(order, data.group, tx.who, batch)
    await advance(tx.unit, [order], batch)
    return IssuedCode(order=id, group=data.group, code=code)


def _asked(order: Order, group: str) -> DeliveryGroup:
    content = order.content
    if content is None or group not in {demand.group for demand in order.demands.values()}:
        raise Missing(f"no group {group} in order {order.id}")
    return group_of(content, group)


async def check_code(
    hub: Services, request: ApiRequest, view: FulfilmentView, code: str | None, override: str | None
) -> str | None:
    """Whether this may be handed over; the words for the timeline when somebody took it upon himself.

    A try is spent, and committed, before it is compared. Raises `Conflict` for a wrong code, or none that is left.
    """
    merchant = request.user.merchant
    rule = (await hub.directory()).pick_up_policy(merchant).code
    if view.connection is not None or not rule.required or not await _collected(hub, merchant, view):
        return None
    if override is not None:
        if not request.user.role.reaches(MAY_OVERRIDE):
            raise forbidden(f"To hand over without the code takes the role {MAY_OVERRIDE.value}")
        return f"without the code, by {request.user.name}: {override}"
    if code is None:
        raise Invalid([Fault("the customer's code is needed to hand it over", "/code")])
    async with hub.database.transaction() as connection:
        spent = await store_work.spend_try(connection, view.order, view.group, rule.tries)
        kept = await store_work.read_digest(connection, view.order, view.group)
    if kept is None:
        raise Conflict("no-code", f"No code was issued: POST /api/v1/orders/{view.order}/pick-up-code")
    if spent is None:
        raise Conflict("code-locked", f"{rule.tries} wrong codes were tried: make sure who asks, then issue a new one")
    if not await asyncio.to_thread(matches, code, kept):
        await _wrong(hub, request, view, spent, rule.tries)
        raise Conflict("wrong-code", "This is not the code", tries_left=rule.tries - spent)
    async with hub.database.transaction() as connection:
        await store_work.forget_tries(connection, view.order, view.group)
    return None


async def _collected(hub: Services, merchant: str, view: FulfilmentView) -> bool:
    async with hub.database.connection() as connection:
        order = await get_order(connection, merchant, view.order)
    return any(group.key == view.group and group.method is Method.PICK_UP for group in order.groups)


async def _wrong(hub: Services, request: ApiRequest, view: FulfilmentView, spent: int, tries: int) -> None:
    """Note a wrong code; with the last try a person is told."""

    async def work(tx: Work) -> None:
        order, batch = await load(tx, view.order), await tx.batch()
        order.note(batch.now, "pick_up_code_wrong", f"group {view.group}: try {spent} of {tries} by {tx.who}")
        if spent >= tries:
            order.troubles.append(code_locked(order, view.group, tries))
        await advance(tx.unit, [order], batch)

    async with hub.database.transaction() as connection:
        await work(Work(connection=connection, actor=request.user, now=hub.clock(), hub=hub))


async def send_elsewhere(tx: Work, id: str, data: RedirectBody) -> OrderView:
    """A person's decision about a pick-up that the store will not have."""
    if (data.node is None) is not data.ship:
        raise Invalid([Fault("name a node to collect at, or say `ship`", "/node")])
    directory = await tx.hub.directory()
    target = next((node.id for node in directory.nodes.values() if node.code == data.node), None)
    if data.node is not None and target is None:
        raise Invalid([Fault(f"no node {data.node!r}", "/node")])

    def do(order: Order, batch: Batch) -> None:
        redirect(order, data.group, target, who=tx.who, reason=data.reason, batch=batch)

    return await act(tx, id, do)


class PickUps(Controller):
    """Orders that customers collect."""

    path = "/orders"
    tags = ("fulfilment",)

    @post("/{id:str}/pick-up-code", summary="Issue the customer's code")
    async def issue_code(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[IssueBody | None] = None
    ) -> Response[IssuedCode]:
        """Shown once, kept as a digest; `renew` replaces it and lifts a lock."""
        return await commit(
            hub,
            request,
            lambda tx: issue(tx, id, data or IssueBody()),
            status=201,
            keep_as=lambda made: msgspec.structs.replace(made, code=None),
        )

    @post("/{id:str}/pick-up", summary="Collect elsewhere, or have it shipped", status_code=200)
    async def redirect_pick_up(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[RedirectBody]
    ) -> Response[OrderView]:
        """For what a store refused or the customer did not collect; the same store may be asked again."""
        return await commit(hub, request, lambda tx: send_elsewhere(tx, id, data))
