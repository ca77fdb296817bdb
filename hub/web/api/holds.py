"""The review queue: what is held, by whose say, and lifting many at once."""

from typing import Annotated

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromQuery, JSONBody, QueryParameter

from hub.flow.hold import pick
from hub.flow.refusal import CannotDo
from hub.flow.take_order import advance
from hub.store.admin import holds
from hub.store.admin.errors import Conflict, Fault, Invalid
from hub.store.admin.holds import HeldView, HoldCount, HoldState
from hub.store.admin.paging import Page
from hub.web.api import order_actions as actions
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit

HoldId = Annotated[str, msgspec.Meta(min_length=3, max_length=100)]


class LiftMany(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Holds to lift, by their ids in the queue: all of them, or none and which of them could not be."""

    holds: Annotated[list[HoldId], msgspec.Meta(min_length=1, max_length=200)]


class Lifted(msgspec.Struct, frozen=True, kw_only=True):
    """What was lifted."""

    lifted: list[str]
    orders: int
    """How many orders went on."""


async def lift_many(tx: Work, data: LiftMany) -> Lifted:
    """Lift all of them in one transaction. Raises with every hold that could not be lifted, and lifts none then."""
    wanted = holds.split_ids(data.holds)
    orders = {id: order for id, order in (await tx.unit.by_id({order for order, _ in wanted})).items()
              if order.merchant == tx.merchant}  # fmt: skip
    unknown = [
        Fault(f"there is no order {id}", f"/holds/{index}") for index, (id, _) in enumerate(wanted) if id not in orders
    ]
    if unknown:
        raise Invalid(unknown)
    batch = await tx.batch()
    late = []
    for id, no in wanted:
        try:
            (found,) = pick(orders[id], None, no, None)
        except CannotDo as error:
            late.append({"hold": f"{id}:{no}", "detail": str(error)})
            continue
        actions.end(orders[id], found, tx.actor, batch)
    if late:
        raise Conflict("cannot-do", f"{len(late)} of {len(wanted)} holds cannot be lifted; none was", holds=late)
    await advance(tx.unit, orders.values(), batch)
    tx.ring("deliver", "availability", "waiting")
    return Lifted(lifted=data.holds, orders=len(orders))


class Holds(Controller):
    """Holds of every order."""

    path = "/holds"
    tags = ("holds",)

    @get("/", summary="The review queue")
    async def list_holds(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        owner: FromQuery[str | None] = None,
        kind: FromQuery[str | None] = None,
        order: FromQuery[str | None] = None,
        wanted: Annotated[HoldState, QueryParameter(name="state")] = "active",
    ) -> Page[HeldView]:
        """Holds, the longest standing first; those that stand unless `state` says otherwise."""
        async with hub.database.connection() as database:
            return await holds.list_holds(
                database, request.user.merchant, cut, hub.clock(), owner=owner, kind=kind, order=order, state=wanted
            )

    @get("/counts", summary="What stands in the queue")
    async def count_holds(self, hub: Hub, request: ApiRequest) -> Page[HoldCount]:
        """Active holds by owner and kind, with the oldest of each."""
        async with hub.database.connection() as database:
            return Page(items=await holds.count_holds(database, request.user.merchant), next=None)

    @post("/lift", summary="Lift many holds", status_code=200)
    async def lift(self, hub: Hub, request: ApiRequest, data: JSONBody[LiftMany]) -> Response[Lifted]:
        """All of them or none; what nothing else holds is released at once."""
        return await commit(hub, request, lambda tx: lift_many(tx, data))
