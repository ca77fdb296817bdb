"""Messages in and out."""

import base64
import binascii
from typing import Annotated, Literal

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from hub.flow.fetch import lane_again
from hub.sdk.adapter import Lane
from hub.store.admin import messages
from hub.store.admin.edits import edit_message
from hub.store.admin.errors import Conflict, Fault, Invalid
from hub.store.admin.messages import Direction, MessageView, State
from hub.store.admin.paging import Page
from hub.store.admin.tokens import Role
from hub.store.replay import replay
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit


class EditBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A corrected payload, in the encoding in which the message shows its own, and why it was corrected."""

    payload: Annotated[str, msgspec.Meta(min_length=1, max_length=4_000_000)]
    reason: Annotated[str, msgspec.Meta(min_length=3, max_length=500)]
    payload_encoding: Literal["text", "json", "base64"] = "text"


async def edit(tx: Work, id: str, data: EditBody) -> MessageView:
    """Store a corrected copy of an inbound message and take it along the path; the original stays as it came."""
    direction, number = messages.split_id(id)
    if direction == "out":
        raise Conflict(
            "not-editable", "What is sent follows from the order: correct the order, and the message is made anew"
        )
    stored = await messages.find_inbound(tx.connection, tx.merchant, number)
    link = (await tx.hub.directory()).links.get(stored.connection)
    lane = lane_again(stored.topic, link.adapter if link else None)
    if lane == Lane.FETCH.value:
        raise Conflict(
            "nothing-to-edit", "It only names an object, which is read from its source; edit what that reading brought"
        )
    copy = await edit_message(
        tx.connection, stored, body=_bytes(data), lane=lane, author=tx.who, reason=data.reason, now=tx.now
    )
    tx.ring(lane)
    return await messages.get_message(tx.connection, tx.merchant, f"in-{copy}", payload=False)


def _bytes(data: EditBody) -> bytes:
    try:
        if data.payload_encoding == "base64":
            return base64.b64decode(data.payload, validate=True)
        if data.payload_encoding == "json":
            msgspec.json.decode(data.payload)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise Invalid([Fault(f"is not {data.payload_encoding}: {error}", "/payload")]) from error
    return data.payload.encode()


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

    @post("/{id:str}/edit", summary="Correct a message", status_code=201)
    async def edit(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[EditBody]
    ) -> Response[MessageView]:
        """A corrected copy takes the path instead; it names its origin, its author and the reason. The original is
        kept as it came, and no longer waits."""
        return await commit(hub, request, lambda tx: edit(tx, id, data), status=201)
