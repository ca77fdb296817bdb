"""The review queue: holds of every order, the oldest first."""

from datetime import datetime
from typing import Final, Literal

import asyncpg
import msgspec

from hub.store.admin.errors import Fault, Invalid
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection

HoldState = Literal["active", "lifted"]


class HeldView(msgspec.Struct, frozen=True, kw_only=True):
    """A hold with the order that it is on."""

    id: str
    """The order's id and the hold's number: "<order>:<no>"."""
    order: str
    number: str
    external_id: str
    connection: str
    no: int
    scope: str
    kind: str
    owner: str
    reason: str
    stops: list[str]
    lift_rule: str
    lift_at: datetime | None
    lift_role: str | None
    policy: str | None
    state: HoldState
    placed_at: datetime
    age_seconds: int
    """Since it was placed; of a lifted one, how long it stood."""
    lifted_at: datetime | None
    lifted_by: str | None


class HoldCount(msgspec.Struct, frozen=True, kw_only=True):
    """Active holds of one owner and kind."""

    owner: str
    kind: str
    active: int
    oldest: datetime


SELECT: Final = (
    "SELECT h.*, o.number, o.external_id, o.connection_id FROM hold h JOIN customer_order o ON o.id = h.order_id "
    "WHERE o.merchant = $1 AND ($2::text IS NULL OR h.owner = $2) AND ($3::text IS NULL OR h.kind = $3) "
    "AND ($4::text IS NULL OR h.order_id = $4) "
    "AND ($5::timestamptz IS NULL OR (h.placed_at, h.order_id, h.no) > ($5, $6::text, $7::int)) AND {state} "
    "ORDER BY h.placed_at, h.order_id, h.no LIMIT $8"
)
STATES: Final = {
    "active": "h.lifted_at IS NULL",
    "lifted": "h.lifted_at IS NOT NULL",
}
COUNTS: Final = (
    "SELECT h.owner, h.kind, count(*) AS active, min(h.placed_at) AS oldest FROM hold h "
    "JOIN customer_order o ON o.id = h.order_id WHERE o.merchant = $1 AND h.lifted_at IS NULL "
    "GROUP BY h.owner, h.kind ORDER BY h.owner, h.kind"
)


async def list_holds(
    connection: PooledConnection,
    merchant: str,
    cut: Cut,
    now: datetime,
    *,
    owner: str | None,
    kind: str | None,
    order: str | None,
    state: HoldState,
) -> Page[HeldView]:
    """Holds, the longest standing first."""
    at, after, no = cut.after(datetime, str, int)
    sql = SELECT.format(state=STATES[state])
    rows = await connection.fetch(sql, merchant, owner, kind, order, at, after, no, cut.limit + 1)
    found = [_view(row, now) for row in rows]
    return page(found, cut, lambda one: (one.placed_at, one.order, one.no))


async def count_holds(connection: PooledConnection, merchant: str) -> list[HoldCount]:
    """What stands, by owner and kind."""
    rows = await connection.fetch(COUNTS, merchant)
    return [HoldCount(**dict(row)) for row in rows]


def split_ids(ids: list[str]) -> list[tuple[str, int]]:
    """(order, number) of each id. Raises `Invalid`, naming every one that is none, or stands there twice."""
    found: list[tuple[str, int]] = []
    faults = []
    for index, id in enumerate(ids):
        order, _, no = id.rpartition(":")
        if not order or not no.isascii() or not no.isdigit() or len(no) > 5:
            faults.append(Fault("is not the id of a hold", f"/holds/{index}"))
        elif (order, int(no)) in found:
            faults.append(Fault("stands here twice", f"/holds/{index}"))
        else:
            found.append((order, int(no)))
    if faults:
        raise Invalid(faults)
    return found


def _view(row: asyncpg.Record, now: datetime) -> HeldView:
    until = row["lifted_at"] or now
    names = "no scope kind owner reason lift_rule lift_at lift_role placed_at lifted_at lifted_by number external_id"
    return HeldView(
        id=f"{row['order_id']}:{row['no']}",
        order=row["order_id"],
        connection=row["connection_id"],
        stops=row["stops"].split(","),
        policy=row["policy"] or None,
        state="active" if row["lifted_at"] is None else "lifted",
        age_seconds=max(0, int((until - row["placed_at"]).total_seconds())),
        **{name: row[name] for name in names.split()},
    )
