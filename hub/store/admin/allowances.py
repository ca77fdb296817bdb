"""Units that may be sold beyond what is there: back-orders and pre-orders, with their days."""

from collections.abc import Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

import msgspec

from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection

Kind = Literal["backorder", "preorder"]


class AllowanceView(msgspec.Struct, frozen=True, kw_only=True):
    """Units of an item that may be sold beyond stock."""

    sku: str
    channel: str | None
    """Name of the account; null is every channel."""
    kind: Kind
    units: int
    since: date | None
    until: date | None
    """Last day on which it may be sold."""
    ships_on: date | None


class AllowanceWrite(NamedTuple):
    """An allowance as it shall be; no units take it away. Account 0 is every channel."""

    item: int
    account: int
    kind: str
    units: int
    since: date | None
    until: date | None
    ships_on: date | None


PUT: Final = (
    "INSERT INTO allowance (item_id, account_id, kind, units, since, until, ships_on) SELECT * FROM "
    "unnest($1::bigint[], $2::bigint[], $3::text[], $4::int[], $5::date[], $6::date[], $7::date[]) "
    "ON CONFLICT (item_id, account_id, kind) DO UPDATE SET units = EXCLUDED.units, since = EXCLUDED.since, "
    "until = EXCLUDED.until, ships_on = EXCLUDED.ships_on"
)


async def list_allowances(
    connection: PooledConnection, merchant: str, cut: Cut, *, sku: str | None
) -> Page[AllowanceView]:
    """Allowances by SKU."""
    at_sku, at_kind, at_channel = cut.after(str, str, str)
    rows = await connection.fetch(
        "SELECT i.sku, a.name AS channel, l.kind, l.units, l.since, l.until, l.ships_on FROM allowance l "
        "JOIN item i ON i.id = l.item_id LEFT JOIN account a ON a.id = l.account_id WHERE i.merchant = $1 "
        "AND ($2::text IS NULL OR i.sku = $2) "
        "AND ($3::text IS NULL OR (i.sku, l.kind, coalesce(a.name, '')) > ($3, $4, $5)) "
        "ORDER BY i.sku, l.kind, coalesce(a.name, '') LIMIT $6",
        merchant,
        sku,
        at_sku,
        at_kind,
        at_channel,
        cut.limit + 1,
    )
    views = [AllowanceView(**row) for row in rows]
    return page(views, cut, lambda row: (row.sku, row.kind, row.channel or ""))


async def put_allowances(connection: PooledConnection, writes: Sequence[AllowanceWrite]) -> None:
    """Write allowances."""
    kept = [write for write in writes if write.units]
    gone = [write for write in writes if not write.units]
    if kept:
        await connection.execute(PUT, *map(list, zip(*kept, strict=True)))
    if gone:
        await connection.execute(
            "DELETE FROM allowance l USING unnest($1::bigint[], $2::bigint[], $3::text[]) AS u(item, account, kind) "
            "WHERE l.item_id = u.item AND l.account_id = u.account AND l.kind = u.kind",
            [write.item for write in gone],
            [write.account for write in gone],
            [write.kind for write in gone],
        )
