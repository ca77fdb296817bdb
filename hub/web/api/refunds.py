"""Refunds: asked for, read, and said to be paid where nobody can be asked."""

from typing import Annotated

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from hub.domain.effects import SHORT, RefundPayment
from hub.domain.ids import effect_key
from hub.domain.returns import Refund
from hub.domain.states import RefundState
from hub.flow.aggregate import Order
from hub.flow.refund import CannotRefund, Wish, ask_refund, money_subject, refund_done
from hub.flow.take_order import advance
from hub.store.admin.errors import Conflict, Fault, Invalid, pointer
from hub.store.admin.paging import Page
from hub.store.admin.refunds import RefundView, get_refund, list_refunds
from hub.store.admin.returns import order_meant
from hub.web.api.order_actions import load
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Units = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Amount = Annotated[int, msgspec.Meta(ge=1, le=10**15)]


class RefundLineBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sold units of a line, by its id."""

    line: Text
    quantity: Units


class NewRefund(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money to give back, in minor units of the order's currency.

    `lines` come to their share of the line's amounts; `amount` says otherwise, and alone is goodwill. With neither,
    everything that is left goes back.
    """

    order: Text
    lines: Annotated[list[RefundLineBody], msgspec.Meta(max_length=500)] = []
    amount: Amount | None = None
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] | None = None
    shipping: Annotated[int, msgspec.Meta(ge=0, le=10**15)] = 0
    """Part that is for shipping."""
    reason: Text = "refunded by hand"
    return_id: Text | None = None


class PaidBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it was paid."""

    reference: Text | None = None


async def make(tx: Work, data: NewRefund) -> RefundView:
    """Ask for a refund."""
    order = await load(tx, await order_meant(tx.connection, tx.merchant, data.order))
    await tx.unit.peers([order])
    if data.currency not in (None, order.currency):
        raise Invalid([Fault(f"the order is in {order.currency}", "/currency")])
    if data.return_id is not None and data.return_id not in order.returns:
        raise Invalid([Fault(f"no return {data.return_id} of this order", "/return_id")])
    lines: dict[str, int] = {}
    for line in data.lines:
        lines[line.line] = lines.get(line.line, 0) + line.quantity
    wish = Wish(
        lines=lines,
        shipping=data.shipping,
        amount=data.amount,
        reason=data.reason,
        who=tx.who,
        return_id=data.return_id,
    )
    batch = await tx.batch()
    try:
        made = ask_refund(order, wish, batch)
    except CannotRefund as error:
        raise _problem(error, data) from error
    await advance(tx.unit, [order], batch)
    tx.ring("deliver")
    return await get_refund(tx.connection, tx.merchant, made.id)


def _problem(error: CannotRefund, data: NewRefund) -> Exception:
    if error.slug in ("no-such-line", "refund-above-bought"):
        index = next((i for i, line in enumerate(data.lines) if f"line {line.line}" in str(error)), 0)
        return Invalid([Fault(str(error), f"{pointer('lines', index)}/quantity")])
    return Conflict(error.slug, str(error), captured=error.captured, refundable=error.refundable)


async def paid(tx: Work, id: str, data: PaidBody) -> RefundView:
    """A person paid it."""
    found = await get_refund(tx.connection, tx.merchant, id)
    order = await load(tx, found.order)
    await tx.unit.peers([order])
    one = order.refunds[id]
    batch = await tx.batch()
    if one.state is RefundState.ASKED:
        await _take_back(tx, order, one)
    elif one.state not in (RefundState.BY_HAND, RefundState.REFUSED):
        raise Conflict("cannot-do", f"refund {one.no} of order {order.number} is {one.state.value}")
    refund_done(order, one.no, (), data.reference, batch)
    await advance(tx.unit, [order], batch)
    tx.ring("deliver")
    return await get_refund(tx.connection, tx.merchant, id)


async def _take_back(tx: Work, order: Order, one: Refund) -> None:
    """The channel shall not pay it as well. Raises `Conflict` when it may have heard of it."""
    key = effect_key(money_subject(order), SHORT[RefundPayment], one.no)
    links = [link.connection.id for link in (await tx.hub.directory()).links.values()]
    taken = await tx.unit.void([(link, key) for link in links])
    if not taken:
        detail = f"refund {one.no} of order {order.number} is with the channel: wait for its answer"
        raise Conflict("may-be-paid", detail)
    order.taken_back += taken.values()


class Refunds(Controller):
    """Money that goes back."""

    path = "/refunds"
    tags = ("returns",)

    @get("/", summary="List refunds")
    async def list_refunds(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        order: FromQuery[str | None] = None,
        wanted: Annotated[RefundState | None, QueryParameter(name="state")] = None,
        return_id: FromQuery[str | None] = None,
    ) -> Page[RefundView]:
        """Refunds, the newest first; those that the channel made itself are among them."""
        async with hub.database.connection() as connection:
            state = wanted.value if wanted else None
            return await list_refunds(
                connection, request.user.merchant, cut, order=order, state=state, return_id=return_id
            )

    @post("/", summary="Refund")
    async def create_refund(self, hub: Hub, request: ApiRequest, data: JSONBody[NewRefund]) -> Response[RefundView]:
        """With or without goods, never more than was captured. The books get a credit note of what was invoiced."""
        return await commit(hub, request, lambda tx: make(tx, data), status=201)

    @get("/{id:str}", summary="Read a refund")
    async def get_refund(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> RefundView:
        """One refund."""
        async with hub.database.connection() as connection:
            return await get_refund(connection, request.user.merchant, id)

    @post("/{id:str}/paid", summary="Say that it was paid", status_code=200)
    async def paid(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[PaidBody | None] = None
    ) -> Response[RefundView]:
        """For refunds that a person paid where it was taken."""
        return await commit(hub, request, lambda tx: paid(tx, id, data or PaidBody()))
