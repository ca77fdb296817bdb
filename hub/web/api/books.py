"""The books: what was posted and what ledgers hold of it, day by day, and what is done about differences."""

from datetime import timedelta
from typing import Annotated, Literal

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from hub.store import books as store
from hub.store.admin import books
from hub.store.admin.books import BookDifference, BookTally
from hub.store.admin.errors import Conflict
from hub.store.admin.paging import Page
from hub.store.admin.tokens import Role
from hub.web.auth import NEEDS
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit


class BookRepair(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do: `post_again` sends the same posting under the same key, after looking; `dismiss` leaves it."""

    action: Literal["post_again", "dismiss"] = "post_again"


async def repair(tx: Work, id: str, body: BookRepair) -> BookDifference:
    """Do something about a difference; doing it again changes nothing more."""
    row = await books.difference(tx.connection, tx.merchant, id, lock=True)
    if row["closed_at"] is not None:
        raise Conflict("closed", f"Difference {id} is closed ({row['state']})")
    if body.action == "dismiss":
        await tx.connection.execute(store.STATE, row["id"], "dismissed", tx.now)
    elif row["class"] != "missing_there":
        raise Conflict(
            "does-not-apply", f"Posting again mends nothing that is {row['class']}; correct it in the ledger"
        )
    elif not await store.post_again(tx.connection, row["id"], row["connection"], row["key"]):
        raise Conflict("effect-gone", "The posting is too old to be sent again; book it in the ledger, then dismiss")
    await store.close(tx.connection, [row["id"]])
    tx.ring("deliver")
    return books.view(await books.difference(tx.connection, tx.merchant, id))


class Books(Controller):
    """The hub's postings against the ledgers' documents."""

    path = "/books"
    tags = ("books",)

    @get("/", summary="Compare days")
    async def tally(
        self, hub: Hub, request: ApiRequest, days: Annotated[int, QueryParameter(ge=1, le=365)] = 7
    ) -> Page[BookTally]:
        """Counts and amounts on both sides per ledger, day, kind and currency, the newest first."""
        async with hub.database.connection() as connection:
            since = (hub.clock() - timedelta(days=days)).date()
            return Page(items=await books.tally(connection, request.user.merchant, since), next=None)

    @get("/differences", summary="List differences")
    async def list_differences(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        wanted: Annotated[str | None, QueryParameter(name="state")] = None,
        kind: Annotated[str | None, QueryParameter(name="class")] = None,
    ) -> Page[BookDifference]:
        """Differences, the newest first; `state` is open, closed, or a difference's own."""
        async with hub.database.connection() as connection:
            return await books.list_differences(connection, request.user.merchant, cut, state=wanted, kind=kind)

    @post("/differences/{id:str}/repair", summary="Repair a difference", status_code=200, opt={NEEDS: Role.OPERATOR})
    async def repair(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[BookRepair]
    ) -> Response[BookDifference]:
        """Post it again under its key, or dismiss it."""
        return await commit(hub, request, lambda tx: repair(tx, id, data))
