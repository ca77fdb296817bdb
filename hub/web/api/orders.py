"""Orders: read, captured, acted on."""

import asyncio
from typing import Annotated, cast

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from hub.domain.states import OrderState
from hub.store.admin import decisions, orders
from hub.store.admin.messages import MessageView
from hub.store.admin.order_views import OrderView
from hub.store.admin.paging import Page
from hub.store.admin.timelines import EntryView, read_timeline
from hub.store.admin.tokens import Role
from hub.store.decisions import policies_of
from hub.web.api import order_actions as actions
from hub.web.api.decisions import DecisionView, views
from hub.web.api.order_actions import AddressBody, CancelBody, DirectOrder, HoldBody, LiftBody
from hub.web.openapi import ACCEPTED
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, commit


class Orders(Controller):
    """Orders of every channel."""

    path = "/orders"
    tags = ("orders",)

    @get("/", summary="List orders")
    async def list_orders(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        external_id: FromQuery[str | None] = None,
        number: FromQuery[str | None] = None,
        connection: FromQuery[str | None] = None,
        wanted: Annotated[OrderState | None, QueryParameter(name="state")] = None,
        sku: FromQuery[str | None] = None,
        q: FromQuery[str | None] = None,
    ) -> Page[OrderView]:
        """Orders, the newest first. `q` is any id: ours, the channel's, a partner's, a tracking number."""
        async with hub.database.connection() as database:
            return await orders.list_orders(
                database,
                request.user.merchant,
                cut,
                external_id=external_id,
                number=number,
                link=connection,
                state=wanted.value if wanted else None,
                sku=sku,
                query=q,
            )

    @post("/", summary="Capture an order", opt={ACCEPTED: MessageView})
    async def capture(self, hub: Hub, request: ApiRequest, data: JSONBody[DirectOrder]) -> Response[OrderView]:
        """Stored like any delivery: 201 with the order, or 202 with the message while no worker has taken it up.

        The same external id again amends the order; the newest version wins.
        """
        stored = await commit(hub, request, lambda tx: actions.capture(tx, data), status=202)
        message = msgspec.json.decode(cast(bytes, stored.content), type=actions.Captured).message
        found = await actions.follow(hub, request.user.merchant, message)
        status = 201 if isinstance(found, OrderView) else 202
        return Response(
            cast(OrderView, msgspec.json.encode(found)),
            status_code=status,
            media_type="application/json",
            headers=dict(stored.headers),
        )

    @get("/{id:str}", summary="Read an order")
    async def get_order(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> OrderView:
        """One order; its contacts from the role operator on."""
        people = request.user.role.reaches(Role.OPERATOR)
        async with hub.database.connection() as connection:
            return await orders.get_order(connection, request.user.merchant, id, people=people)

    @get("/{id:str}/timeline", summary="What happened to an order")
    async def timeline(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Page[EntryView]:
        """Every moment, every message in and out with its attempts, by time."""
        async with hub.database.connection() as connection:
            await orders.get_order(connection, request.user.merchant, id)
            return Page(items=await read_timeline(connection, id), next=None)

    @get("/{id:str}/decisions", summary="Why these nodes")
    async def decisions(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Page[DecisionView]:
        """Every routing decision: candidates with fences and costs, the runner-up, what would have changed it."""
        merchant, shipped = request.user.merchant, (await hub.directory()).policies[""]
        async with hub.database.connection() as connection:
            await orders.get_order(connection, merchant, id)
            rows = await decisions.decisions_of(connection, id)
            skus = await decisions.demand_skus(connection, id)
            policies = await policies_of(connection, merchant, (row.policy for row in rows), shipped)
        return Page(items=await asyncio.to_thread(views, rows, skus, policies), next=None)

    @post("/{id:str}/cancel", summary="Cancel an order", status_code=200)
    async def cancel(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[CancelBody | None] = None
    ) -> Response[OrderView]:
        """Cancel all or units of lines. What a node works on is asked back; what has left is not undone."""
        do = actions.cancel(data or CancelBody(), request.user.name)
        return await commit(hub, request, lambda tx: actions.act(tx, id, do))

    @post("/{id:str}/hold", summary="Hold an order", status_code=200)
    async def hold(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[HoldBody]
    ) -> Response[OrderView]:
        """Nothing more is released until the hold is lifted; reservations stay."""
        return await commit(hub, request, lambda tx: actions.act(tx, id, actions.hold(data, request.user)))

    @post("/{id:str}/lift", summary="Lift a hold", status_code=200)
    async def lift(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[LiftBody | None] = None
    ) -> Response[OrderView]:
        """Lift the active holds of a kind; what nothing else holds is released at once."""
        return await commit(
            hub, request, lambda tx: actions.act(tx, id, actions.lift(data or LiftBody(), request.user))
        )

    @post("/{id:str}/reroute", summary="Decide anew", status_code=200)
    async def reroute(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[OrderView]:
        """Reserved units are decided anew; nodes that work on it are asked back first."""
        return await commit(hub, request, lambda tx: actions.act(tx, id, actions.reroute(request.user.name)))

    @post("/{id:str}/address", summary="Correct the delivery address", status_code=200)
    async def address(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[AddressBody]
    ) -> Response[OrderView]:
        """A node that works on it is asked back first. 409, with nothing done, past the window or where none serves."""
        return await commit(hub, request, lambda tx: actions.address(tx, id, data))
