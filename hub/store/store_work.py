"""Rows of what stores do in time or not: what is overdue, offers, codes that customers collect with."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from hub.domain.fulfilment import Offer, OfferState
from hub.flow.aggregate import Order
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection

OVERDUE: Final = (
    "SELECT o.id FROM customer_order o WHERE o.id IN ("
    "(SELECT order_id FROM fulfilment_order WHERE accept_by <= $1 ORDER BY accept_by LIMIT $2) UNION "
    "(SELECT order_id FROM fulfilment_order WHERE collect_by <= $1 ORDER BY collect_by LIMIT $2) UNION "
    "(SELECT order_id FROM offer WHERE state = 'open' AND until <= $1 ORDER BY until LIMIT $2)) "
    "ORDER BY o.id LIMIT $2 FOR UPDATE OF o SKIP LOCKED"
)
OFFERS: Final = "SELECT order_id, no, group_key, node_id, state, until FROM offer WHERE order_id = ANY($1::text[])"
LIST: Final = (
    "SELECT o.order_id, o.no, o.group_key, o.state, o.until, n.code FROM offer o JOIN node n ON n.id = o.node_id "
    "JOIN customer_order c ON c.id = o.order_id WHERE c.merchant = $1 AND ($2::text IS NULL OR n.code = $2) "
    "AND ($3::text IS NULL OR o.state = $3) AND ($4::text IS NULL OR (o.order_id, o.no) < ($4, $5)) "
    "ORDER BY o.order_id DESC, o.no DESC LIMIT $6"
)
UNITS: Final = (
    "SELECT s.order_id, d.group_key, coalesce(i.sku, d.sku) AS sku, sum(s.quantity)::int AS quantity FROM slice s "
    "JOIN demand d ON d.order_id = s.order_id AND d.no = s.demand_no LEFT JOIN item i ON i.id = d.item_id "
    "WHERE s.order_id = ANY($1::text[]) AND s.state = 'reserved' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
)
ISSUE: Final = (
    "INSERT INTO pick_up_code (order_id, group_key, digest, issued_at, issued_by) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (order_id, group_key) DO UPDATE SET digest = EXCLUDED.digest, tries = 0, "
    "issued_at = EXCLUDED.issued_at, issued_by = EXCLUDED.issued_by"
)
SPEND: Final = (
    "UPDATE pick_up_code SET tries = tries + 1 WHERE order_id = $1 AND group_key = $2 AND tries < $3 RETURNING tries"
)


class OfferedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units that are offered."""

    sku: str | None
    quantity: int


class OfferView(msgspec.Struct, frozen=True, kw_only=True):
    """Units of an order that several stores are offered."""

    id: str
    order: str
    group: str
    node: str
    state: OfferState
    until: datetime
    lines: list[OfferedLine]


async def overdue(connection: PooledConnection, now: datetime, limit: int) -> list[str]:
    """Orders with a deadline that is over, locked, those left out that others hold."""
    return [row[0] for row in await connection.fetch(OVERDUE, now, limit)]


async def attach_offers(connection: PooledConnection, orders: Iterable[Order]) -> None:
    """Read the offers of locked orders."""
    known = {order.id: order for order in orders}
    for row in await connection.fetch(OFFERS, list(known)):
        known[row["order_id"]].offers[row["no"]] = Offer(
            order=row["order_id"],
            no=row["no"],
            group=row["group_key"],
            node=row["node_id"],
            state=OfferState(row["state"]),
            until=row["until"],
        )


async def list_offers(
    connection: PooledConnection, merchant: str, cut: Cut, *, node: str | None, state: OfferState | None
) -> Page[OfferView]:
    """Offers, the newest first."""
    at_order, at_no = cut.after(str, int)
    rows = await connection.fetch(LIST, merchant, node, state, at_order, at_no, cut.limit + 1)
    found = page(rows, cut, lambda row: (row["order_id"], row["no"]))
    lines: dict[tuple[str, str], list[OfferedLine]] = {}
    for row in await connection.fetch(UNITS, sorted({row["order_id"] for row in found.items})):
        line = OfferedLine(sku=row["sku"], quantity=row["quantity"])
        lines.setdefault((row["order_id"], row["group_key"]), []).append(line)
    views = [
        OfferView(
            id=f"{row['order_id']}-C{row['no']}",
            order=row["order_id"],
            group=row["group_key"],
            node=row["code"],
            state=OfferState(row["state"]),
            until=row["until"],
            lines=lines.get((row["order_id"], row["group_key"]), []) if row["state"] == OfferState.OPEN else [],
        )
        for row in found.items
    ]
    return Page(items=views, next=found.next)


# --- codes -----------------------------------------------------------------------------------------------------------


async def code_stands(connection: PooledConnection, order: str, group: str) -> bool:
    """Whether a code was issued for a group."""
    sql = "SELECT EXISTS (SELECT 1 FROM pick_up_code WHERE order_id = $1 AND group_key = $2)"
    return bool(await connection.fetchval(sql, order, group))


async def issue_code(
    connection: PooledConnection, order: str, group: str, digest: bytes, who: str, now: datetime
) -> None:
    """Let a code open a group instead of any that stood before."""
    await connection.execute(ISSUE, order, group, digest, now, who)


async def spend_try(connection: PooledConnection, order: str, group: str, tries: int) -> int | None:
    """Spend one of `tries`; how many are spent now, None when there is no code or none is left.

    Committed before anything is compared: many who guess at once have no more tries together than one has.
    """
    spent: int | None = await connection.fetchval(SPEND, order, group, tries)
    return spent


async def read_digest(connection: PooledConnection, order: str, group: str) -> bytes | None:
    """The digest of a group's code."""
    sql = "SELECT digest FROM pick_up_code WHERE order_id = $1 AND group_key = $2 FOR UPDATE"
    found: bytes | None = await connection.fetchval(sql, order, group)
    return found


async def forget_tries(connection: PooledConnection, order: str, group: str) -> None:
    """The code was right: wrong ones before it are forgiven."""
    await connection.execute("UPDATE pick_up_code SET tries = 0 WHERE order_id = $1 AND group_key = $2", order, group)
