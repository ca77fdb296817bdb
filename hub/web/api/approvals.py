"""The approval step of orders: approved or declined by who may."""

from typing import Annotated

import msgspec
from litestar import Controller, Response, post
from litestar.params import FromPath, JSONBody

from hub.flow.aggregate import Order
from hub.flow.approve import approvals, decline
from hub.flow.batch import Batch
from hub.store.admin.order_views import OrderView
from hub.store.admin.tokens import Actor
from hub.web.api import order_actions as actions
from hub.web.api.order_actions import Act
from hub.web.services import ApiRequest, Hub, commit

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class DeclineBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an order is not approved."""

    reason: Text


def approve(actor: Actor) -> Act:
    """Lift everything that asks for approval: all of it, or nothing if one of them is beyond the asker."""

    def do(order: Order, batch: Batch) -> None:
        for hold in approvals(order):
            actions.end(order, hold, actor, batch)

    return do


class Approvals(Controller):
    """What waits for approval is in the review queue of holds, under the kinds that begin with "approval"."""

    path = "/orders"
    tags = ("orders",)

    @post("/{id:str}/approve", summary="Approve an order", status_code=200)
    async def approve(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[OrderView]:
        """It goes on at once, unless something else holds it. 403 when a rule asks for a higher role."""
        return await commit(hub, request, lambda tx: actions.act(tx, id, approve(request.user)))

    @post("/{id:str}/decline", summary="Decline an order", status_code=200)
    async def decline(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[DeclineBody]
    ) -> Response[OrderView]:
        """Cancel an order that waits for approval."""

        def do(order: Order, batch: Batch) -> None:
            decline(order, reason=data.reason, who=f"token:{request.user.name}", batch=batch)

        return await commit(hub, request, lambda tx: actions.act(tx, id, do))
