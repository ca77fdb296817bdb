"""Messages in and out."""

from typing import Annotated

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from hub.flow.fetch import lane_again
from hub.store.admin import messages
from hub.store.admin.messages import Direction, MessageView, State
from hub.store.admin.paging import Page
from hub.store.admin.tokens import Role
from hub.store.replay import replay
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit


async def run_again(tx: Work, id: str) -> MessageView:
    """Inbound: the stored bytes under today's mapping. Outbound: the same key, after looking."""
    direction, number = messages.split_id(id)
    if direction == "in":
        stored = await messages.find_inbound(tx.connection, tx.merchant, number)
        link = (await tx.hub.directory()).links.get(stored.connection)
        lane = lane_again(stored.topic, link.adapter if link else None)
        await replay(tx.connection, number, lane)
        tx.ring(lane)
    else:
        await messages.replay_outbound(tx.connection, tx.merchant, number)
        tx.ring("deliver")
    return await messages.get_message(tx.connection, tx.merchant, f"{direction}-{number}", payload=False)


class Messages(Controller):
    """Every delivery and every effect, with each try."""

    path = "/messages"
    tags = ("messages",)

    @get("/", summary="List messages")
    async def list_messages(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        connection: FromQuery[str | None] = None,
        direction: FromQuery[Direction | None] = None,
        wanted: Annotated[State | None, QueryParameter(name="state")] = None,
        topic: FromQuery[str | None] = None,
    ) -> Page[MessageView]:
        """Messages, the newest first, without their payload."""
        async with hub.database.connection() as database:
            return await messages.list_messages(
                database,
                request.user.merchant,
                cut,
                link=connection,
                direction=direction,
                state=wanted,
                topic=topic,
            )

    @get("/{id:str}", summary="Read a message")
    async def get_message(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> MessageView:
        """One message; its payload, which may hold people, from the role operator on."""
        async with hub.database.connection() as connection:
            readable = request.user.role.reaches(Role.OPERATOR)
            return await messages.get_message(connection, request.user.merchant, id, payload=readable)

    @post("/{id:str}/replay", summary="Run a message again", status_code=200)
    async def replay(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[MessageView]:
        """In: the stored bytes under today's mapping and the same version checks. Out: the same key, after looking."""
        return await commit(hub, request, lambda tx: run_again(tx, id))
