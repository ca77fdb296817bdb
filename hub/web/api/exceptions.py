"""What needs a person, and the places where orders wait."""

from typing import Annotated, Literal

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from hub.store.admin import exceptions
from hub.store.admin.exceptions import ExceptionView
from hub.store.admin.paging import Page
from hub.store.admin.queues import QueueView, list_queues
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit

LANES = ("orders", "facts", "stock", "fetch", "waiting", "deliver")


async def close(tx: Work, id: str, *, retry: bool) -> ExceptionView:
    """Close an exception, and let what waits go on."""
    if retry:
        tx.ring(*LANES)
    return await exceptions.close(tx.connection, tx.merchant, id, who=tx.who, now=tx.now, retry=retry)


class Exceptions(Controller):
    """One exception per cause, not per order."""

    path = "/exceptions"
    tags = ("exceptions",)

    @get("/", summary="List exceptions")
    async def list_exceptions(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        kind: FromQuery[str | None] = None,
        wanted: Annotated[Literal["open", "closed"] | None, QueryParameter(name="state")] = None,
        connection: FromQuery[str | None] = None,
        order: FromQuery[str | None] = None,
    ) -> Page[ExceptionView]:
        """Exceptions, the newest first, closed ones included unless `state` says otherwise."""
        async with hub.database.connection() as database:
            return await exceptions.list_exceptions(
                database, request.user.merchant, cut, kind=kind, state=wanted, link=connection, order=order
            )

    @get("/{id:str}", summary="Read an exception")
    async def get_exception(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> ExceptionView:
        """One exception."""
        async with hub.database.connection() as connection:
            return await exceptions.get_exception(connection, request.user.merchant, id)

    @post("/{id:str}/retry", summary="Try again what waits", status_code=200)
    async def retry(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[ExceptionView]:
        """Close it and try everything that waits for it again; it comes back if nothing was mended."""
        return await commit(hub, request, lambda tx: close(tx, id, retry=True))

    @post("/{id:str}/resolve", summary="Close an exception", status_code=200)
    async def resolve(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[ExceptionView]:
        """Close it: somebody has seen to it. Nothing is tried again."""
        return await commit(hub, request, lambda tx: close(tx, id, retry=False))


class Queues(Controller):
    """Named waiting places."""

    path = "/queues"
    tags = ("exceptions",)

    @get("/", summary="What waits where")
    async def list_queues(self, hub: Hub, request: ApiRequest) -> Page[QueueView]:
        """Every waiting place that is not empty, with the longest waiting."""
        async with hub.database.connection() as connection:
            return Page(items=await list_queues(connection, request.user.merchant), next=None)
