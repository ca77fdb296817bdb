"""What needs a person, and the places where orders wait."""

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from hub.flow.exception_rules import Severity
from hub.store.admin import exceptions
from hub.store.admin.errors import Fault, Invalid
from hub.store.admin.exceptions import RankedException, Wanted
from hub.store.admin.paging import Cut, Page
from hub.store.admin.queues import QueueView, list_queues
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit

LANES: Final = ("orders", "facts", "stock", "fetch", "waiting", "deliver")
MOST: Final = 500

Person = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Id = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,18}$")]


class AssignBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who takes it; null gives it back to its team."""

    owner: Person | None


class SnoozeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Until when it is set aside; null wakes it now."""

    until: Annotated[datetime, msgspec.Meta(tz=True)] | None


class ResolveBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was done about it."""

    resolution: Text | None = None


class ManyBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which exceptions: named ones, or every open one of a kind, of a connection, or of both."""

    ids: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=MOST)] | None = None
    kind: Text | None = None
    connection: Text | None = None


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """What was tried again."""

    ids: list[str]
    more: bool
    """There are others that fit: ask again."""


async def read_one(tx: Work, id: str) -> RankedException:
    """An exception as it stands in this transaction."""
    rules = await exceptions.rules_of(tx.connection, tx.merchant, tx.hub.exception_rules)
    return await exceptions.get_exception(tx.connection, tx.merchant, id, rules=rules, now=tx.now)


async def close(tx: Work, id: str, *, retry: bool, resolution: str | None = None) -> RankedException:
    """Close an exception, and let what waits go on."""
    if retry:
        tx.ring(*LANES)
    await exceptions.close(tx.connection, tx.merchant, [id], who=tx.who, now=tx.now, retry=retry, resolution=resolution)
    return await read_one(tx, id)


async def retry_many(tx: Work, data: ManyBody) -> Retried:
    """Close many, and let what waits for them go on: all or none."""
    if data.ids is None and data.kind is None and data.connection is None:
        raise Invalid([Fault("name `ids`, or a `kind` or `connection`", "")])
    if data.ids is not None and (data.kind or data.connection):
        raise Invalid([Fault("name either `ids`, or a `kind` or `connection`", "/ids")])
    ids = data.ids
    more = False
    if ids is None:
        rules = await exceptions.rules_of(tx.connection, tx.merchant, tx.hub.exception_rules)
        wanted = Wanted(kind=data.kind, state="open", connection=data.connection)
        found = await exceptions.list_exceptions(
            tx.connection, tx.merchant, Cut(limit=MOST), wanted, rules=rules, now=tx.now
        )
        ids, more = [one.id for one in found.items], found.next is not None
    ids = list(dict.fromkeys(ids))
    if ids:
        tx.ring(*LANES)
        await exceptions.close(tx.connection, tx.merchant, ids, who=tx.who, now=tx.now, retry=True)
    return Retried(ids=ids, more=more)


async def assign(tx: Work, id: str, owner: str | None) -> RankedException:
    """Somebody takes it."""
    await exceptions.assign(tx.connection, tx.merchant, id, owner)
    return await read_one(tx, id)


async def snooze(tx: Work, id: str, until: datetime | None) -> RankedException:
    """Set it aside."""
    if until is not None and until <= tx.now:
        raise Invalid([Fault("is over already", "/until")])
    await exceptions.snooze(tx.connection, tx.merchant, id, until)
    return await read_one(tx, id)


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
        severity: FromQuery[Severity | None] = None,
        team: FromQuery[str | None] = None,
        owner: FromQuery[str | None] = None,
        overdue: FromQuery[bool | None] = None,
        snoozed: FromQuery[bool | None] = None,
        sort: FromQuery[Literal["newest", "due"]] = "newest",
    ) -> Page[RankedException]:
        """Exceptions, the newest first or with `sort=due` the soonest due, closed ones included unless `state` says
        otherwise. `owner=nobody` lists what nobody took."""
        asked = Wanted(
            kind=kind,
            state=wanted,
            connection=connection,
            order=order,
            severity=severity.value if severity else None,
            team=team,
            owner=owner,
            overdue=overdue,
            snoozed=snoozed,
        )
        merchant = request.user.merchant
        async with hub.database.connection() as database:
            rules = await exceptions.rules_of(database, merchant, hub.exception_rules)
            return await exceptions.list_exceptions(
                database, merchant, cut, asked, rules=rules, now=hub.clock(), soonest=sort == "due"
            )

    @get("/{id:str}", summary="Read an exception")
    async def get_exception(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> RankedException:
        """One exception."""
        merchant = request.user.merchant
        async with hub.database.connection() as connection:
            rules = await exceptions.rules_of(connection, merchant, hub.exception_rules)
            return await exceptions.get_exception(connection, merchant, id, rules=rules, now=hub.clock())

    @post("/{id:str}/retry", summary="Try again what waits", status_code=200)
    async def retry(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[RankedException]:
        """Try everything that waits for it again. It closes, and comes back with its age if nothing was mended; one of
        orders in a queue stays open until the last of them leaves."""
        return await commit(hub, request, lambda tx: close(tx, id, retry=True))

    @post("/retry", summary="Try many again", status_code=200)
    async def retry_many(self, hub: Hub, request: ApiRequest, data: JSONBody[ManyBody]) -> Response[Retried]:
        """Like `retry`, for up to 500 at once in one transaction."""
        return await commit(hub, request, lambda tx: retry_many(tx, data))

    @post("/{id:str}/resolve", summary="Close an exception", status_code=200)
    async def resolve(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[ResolveBody | None] = None
    ) -> Response[RankedException]:
        """Close it: somebody has seen to it, and may say how. Nothing is tried again."""
        said = data.resolution if data else None
        return await commit(hub, request, lambda tx: close(tx, id, retry=False, resolution=said))

    @post("/{id:str}/assign", summary="Take an exception", status_code=200)
    async def assign(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[AssignBody]
    ) -> Response[RankedException]:
        """Name the person who sees to it."""
        return await commit(hub, request, lambda tx: assign(tx, id, data.owner))

    @post("/{id:str}/snooze", summary="Set an exception aside", status_code=200)
    async def snooze(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[SnoozeBody]
    ) -> Response[RankedException]:
        """It is not overdue until then, and wakes by itself. What waits for it waits on."""
        return await commit(hub, request, lambda tx: snooze(tx, id, data.until))


class Queues(Controller):
    """Named waiting places."""

    path = "/queues"
    tags = ("exceptions",)

    @get("/", summary="What waits where")
    async def list_queues(self, hub: Hub, request: ApiRequest) -> Page[QueueView]:
        """Every waiting place that is not empty, with the longest waiting."""
        async with hub.database.connection() as connection:
            return Page(items=await list_queues(connection, request.user.merchant), next=None)
