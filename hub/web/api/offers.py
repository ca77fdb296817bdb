"""Orders that several stores are offered: the first that takes one has it."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from hub.domain.fulfilment import OfferState, split_offer_id
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.claim import OfferOver, claim, decline
from hub.flow.take_order import advance
from hub.store.admin.errors import Conflict, no_such
from hub.store.admin.order_views import OrderView
from hub.store.admin.orders import get_order
from hub.store.admin.paging import Page
from hub.store.store_work import OfferView, list_offers
from hub.web.api.order_actions import load
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit

Answer = Callable[[Order, int, Batch], Awaitable[None]]


async def answer(tx: Work, id: str, give: Answer) -> OrderView:
    """A store's answer to an offer, under the order's lock. Raises `Missing`, or `Conflict` when it is too late."""
    try:
        order_id, no = split_offer_id(id)
    except ValueError as error:
        raise no_such("offer", id) from error
    order, batch = await load(tx, order_id), await tx.batch()
    await tx.unit.offers([order])
    if no not in order.offers:
        raise no_such("offer", id)
    try:
        await give(order, no, batch)
    except OfferOver as over:
        raise Conflict("offer-over", str(over)) from over
    await advance(tx.unit, [order], batch)
    tx.ring("deliver", "availability", "waiting")
    return await get_order(tx.connection, tx.merchant, order_id)


class Offers(Controller):
    """What stores may take."""

    path = "/offers"
    tags = ("fulfilment",)

    @get("/", summary="List offers")
    async def list_offers(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        node: FromQuery[str | None] = None,
        wanted: Annotated[OfferState | None, QueryParameter(name="state")] = None,
    ) -> Page[OfferView]:
        """The newest first; `node` is a node's code."""
        async with hub.database.connection() as connection:
            return await list_offers(connection, request.user.merchant, cut, node=node, state=wanted)

    @post("/{id:str}/claim", summary="Take an offer", status_code=200)
    async def claim(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[OrderView]:
        """The first store that asks has it, with its fulfilment order accepted; the others are told no (409)."""

        async def work(tx: Work) -> OrderView:
            return await answer(tx, id, lambda order, no, batch: claim(tx.unit, order, no, tx.who, batch))

        return await commit(hub, request, work)

    @post("/{id:str}/refuse", summary="Refuse an offer", status_code=200)
    async def refuse(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[OrderView]:
        """Not from here: with the last offer, the node that routing chose is told."""

        async def work(tx: Work) -> OrderView:
            async def give(order: Order, no: int, batch: Batch) -> None:
                decline(order, no, tx.who, batch)

            return await answer(tx, id, give)

        return await commit(hub, request, work)
