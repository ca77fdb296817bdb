"""Returns: asked for, taken on or turned down, received, graded, exchanged, closed."""

from typing import Annotated

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from hub.domain.states import ReturnState
from hub.flow import returns as flow
from hub.store.admin.paging import Page
from hub.store.admin.returns import ReturnView, get_return, list_returns
from hub.web.api import return_actions as actions
from hub.web.api.return_actions import ExchangeBody, GradeBody, MatchBody, NewReturn, ReceiveBody, WhyBody
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit


class Returns(Controller):
    """Goods that come back."""

    path = "/returns"
    tags = ("returns",)

    @get("/", summary="List returns")
    async def list_returns(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        order: FromQuery[str | None] = None,
        wanted: Annotated[ReturnState | None, QueryParameter(name="state")] = None,
        node: FromQuery[str | None] = None,
    ) -> Page[ReturnView]:
        """Returns, the newest first."""
        async with hub.database.connection() as connection:
            state = wanted.value if wanted else None
            return await list_returns(connection, request.user.merchant, cut, order=order, state=state, node=node)

    @post("/", summary="Open a return")
    async def create_return(self, hub: Hub, request: ApiRequest, data: JSONBody[NewReturn]) -> Response[ReturnView]:
        """Judged by the merchant's rules, sent where the router says, with a label where a carrier sells one."""
        return await commit(hub, request, lambda tx: actions.make(tx, data), status=201)

    @get("/{id:str}", summary="Read a return")
    async def get_return(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> ReturnView:
        """One return."""
        async with hub.database.connection() as connection:
            return await get_return(connection, request.user.merchant, id)

    @post("/{id:str}/approve", summary="Take a request on", status_code=200)
    async def approve(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[ReturnView]:
        """Where a person decides."""

        async def work(tx: Work) -> ReturnView:
            return await actions.act_on(tx, id, lambda order, batch: flow.approve(tx.unit, order, id, batch))

        return await commit(hub, request, work)

    @post("/{id:str}/refuse", summary="Turn a request down", status_code=200)
    async def refuse(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[WhyBody]
    ) -> Response[ReturnView]:
        """Before it was taken on."""
        return await commit(
            hub,
            request,
            lambda tx: actions.act_on(tx, id, lambda order, batch: flow.refuse(order, id, data.reason, batch)),
        )

    @post("/{id:str}/cancel", summary="The customer keeps it", status_code=200)
    async def cancel(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[ReturnView]:
        """Until something arrived."""
        return await commit(
            hub,
            request,
            lambda tx: actions.act_on(tx, id, lambda order, batch: flow.cancel_return(order, id, tx.who, batch)),
        )

    @post("/{id:str}/receive", summary="Goods arrived", status_code=200)
    async def receive(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[ReceiveBody | None] = None
    ) -> Response[ReturnView]:
        """They are set aside until they are graded. May be told in parts."""
        return await commit(hub, request, lambda tx: actions.act_on(tx, id, actions.receive(data or ReceiveBody(), id)))

    @post("/{id:str}/grade", summary="Say what becomes of the goods", status_code=200)
    async def grade(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[GradeBody]
    ) -> Response[ReturnView]:
        """Shelf, availability and refund follow at once."""
        return await commit(hub, request, lambda tx: actions.grade_it(tx, id, data))

    @post("/{id:str}/exchange", summary="Something else instead", status_code=200)
    async def exchange(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[ExchangeBody]
    ) -> Response[ReturnView]:
        """A new order, paid by the value of the goods; a difference is refunded, or held for payment."""

        async def work(tx: Work) -> ReturnView:
            return await actions.act_on(
                tx, id, lambda order, batch: actions.exchange_for(tx, order, id, data.lines, batch)
            )

        return await commit(hub, request, work)

    @post("/{id:str}/match", summary="Say whose goods they are", status_code=200)
    async def match(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[MatchBody]
    ) -> Response[ReturnView]:
        """For goods that came without a word."""
        return await commit(hub, request, lambda tx: actions.match_it(tx, id, data.order))

    @post("/{id:str}/close", summary="Close a return", status_code=200)
    async def close(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[ReturnView]:
        """Nothing more is expected."""
        return await commit(
            hub, request, lambda tx: actions.act_on(tx, id, lambda order, batch: flow.close(order, id, tx.who, batch))
        )
