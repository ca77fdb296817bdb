"""Soft reservations of carts: the only place, besides promises, that may say no."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg
import msgspec

from hub.store.admin.errors import Conflict, Fault, Invalid, Missing, no_such, pointer
from hub.store.admin.mending import mark_dirty
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection
from hub.store.sellable import Answer, Scope, Sellable, available, find_sellables
from hub.store.stock import change_stock

Units = dict[tuple[int, int], int]
"""Units by (item, node); node 0 is no node: unpinned."""


class CartLineView(msgspec.Struct, frozen=True, kw_only=True):
    """Units of an item; a kit shows as its components, which are what is kept."""

    sku: str
    quantity: int
    node: str | None = None
    """Where they are kept; null is anywhere."""


class ReservationView(msgspec.Struct, frozen=True, kw_only=True):
    """A cart's reservation."""

    id: str
    lines: list[CartLineView]
    expires_at: datetime
    created_at: datetime
    ended: str | None
    """expired, cancelled, ordered, displaced; null while it holds."""
    order: str | None = None
    """The channel's id of the order that the cart becomes; its reservation ends when that order is there."""


class CartWrite(NamedTuple):
    """A line of a cart; node 0 is any."""

    sku: str
    quantity: int
    node: int = 0


class Becomes(NamedTuple):
    """The order that a cart becomes."""

    account: int
    external_id: str


async def reserve(
    connection: PooledConnection,
    merchant: str,
    *,
    id: str,
    lines: Sequence[CartWrite],
    scope: Scope,
    now: datetime,
    expires_at: datetime,
    becomes: Becomes | None = None,
) -> ReservationView:
    """Reserve all lines or none. Raises `Conflict` with what is available, `Invalid` for unknown SKUs."""
    items = await find_sellables(connection, merchant, [line.sku for line in lines])
    faults = [
        Fault(f"no item {line.sku!r}", pointer("lines", n, "sku"))
        for n, line in enumerate(lines)
        if line.sku not in items
    ]
    if faults:
        raise Invalid(faults)
    wanted: dict[str, int] = {}
    for line in lines:
        wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
    units, single = _counted(lines, items)
    free = await available(connection, items.values(), scope, now, lock=True)
    shelf = await available(connection, single.values(), scope_without_buffer(scope), now)
    told = [
        {"sku": sku, "requested": quantity, "available": free[items[sku].id].ats.available}
        for sku, quantity in wanted.items()
    ]
    if not (_fits_alone(wanted, items, free) and _fits_together(units, shelf)):
        raise Conflict("not-available", "Not everything is available; nothing was reserved", available=told)
    await connection.execute(
        "INSERT INTO cart_reservation (id, merchant, expires_at, created_at, account_id, external_id) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        id,
        merchant,
        expires_at,
        now,
        becomes.account if becomes else None,
        becomes.external_id if becomes else None,
    )
    await _insert_lines(connection, id, units)
    await _claim(connection, units)
    return await get_reservation(connection, merchant, id)


def scope_without_buffer(scope: Scope) -> Scope:
    """Components of kits are held against the shelf, not against what the channel withholds of the kit."""
    return Scope(scope.nodes, supply_days=scope.supply_days)


def _fits_alone(wanted: Mapping[str, int], items: Mapping[str, Sellable], free: Mapping[int, Answer]) -> bool:
    return all(quantity <= free[items[sku].id].ats.available for sku, quantity in wanted.items())


def _fits_together(units: Units, shelf: Mapping[int, Answer]) -> bool:
    """Two kits, or a kit and its component, may each fit alone and not together; and a node has its own limit."""
    totals: dict[int, int] = {}
    for (item, _), quantity in units.items():
        totals[item] = totals.get(item, 0) + quantity
    at_node = {(item, row.node): row for item, answer in shelf.items() for row in answer.nodes}
    for (item, node), quantity in units.items():
        if node:
            row = at_node.get((item, node))
            if row is None or quantity > row.sellable - row.pinned - row.safety:
                return False
    return all(quantity <= shelf[item].ats.available for item, quantity in totals.items())


def _counted(lines: Iterable[CartWrite], items: Mapping[str, Sellable]) -> tuple[Units, dict[int, Sellable]]:
    """Units of every item whose stock is kept, kits taken apart; and those items."""
    units: Units = {}
    single: dict[int, Sellable] = {}
    for line in lines:
        item = items[line.sku]
        parts = item.parts or (((item.id, item.sku, 1),) if item.counted else ())
        for id, name, each in parts:
            units[id, line.node] = units.get((id, line.node), 0) + each * line.quantity
            single[id] = Sellable(id, name, True, ())
    return units, single


async def _insert_lines(connection: PooledConnection, id: str, units: Units) -> None:
    await connection.execute(
        "INSERT INTO cart_line (reservation_id, item_id, node_id, quantity) "
        "SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::int[])",
        id,
        [item for item, _ in units],
        [node for _, node in units],
        list(units.values()),
    )


SOFT: Final = (
    "INSERT INTO item_promise AS p (item_id, soft) SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS u(item, soft) "
    "ORDER BY item ON CONFLICT (item_id) DO UPDATE SET soft = p.soft + EXCLUDED.soft"
)


async def _claim(connection: PooledConnection, units: Units) -> None:
    """Count units in, or out when they are negative. Raises `LostRace` for more than a node has."""
    pinned = sorted((item, node, quantity) for (item, node), quantity in units.items() if node and quantity)
    soft: dict[int, int] = {}
    for (item, node), quantity in units.items():
        if not node:
            soft[item] = soft.get(item, 0) + quantity
    await change_stock(connection, pinned, [])
    if soft:
        await connection.execute(SOFT, sorted(soft), [soft[item] for item in sorted(soft)])
    await mark_dirty(connection, {item for item, _ in units})


# --- looks -------------------------------------------------------------------------------------------------------

LINES: Final = (
    "SELECT l.reservation_id, i.sku, n.code, l.quantity FROM cart_line l JOIN item i ON i.id = l.item_id "
    "LEFT JOIN node n ON n.id = l.node_id WHERE l.reservation_id = ANY($1::text[]) ORDER BY 1, 2, 3"
)


async def get_reservation(connection: PooledConnection, merchant: str, id: str) -> ReservationView:
    """One reservation, ended ones included; raises `Missing`."""
    row = await connection.fetchrow("SELECT * FROM cart_reservation WHERE id = $1 AND merchant = $2", id, merchant)
    if row is None:
        raise no_such("reservation", id)
    (view,) = await _views(connection, [row])
    return view


async def list_reservations(
    connection: PooledConnection, merchant: str, cut: Cut, *, sku: str | None, ended: bool
) -> Page[ReservationView]:
    """Carts, the newest last; those that hold something now unless ended ones are asked for."""
    (after,) = cut.after(str)
    rows = await connection.fetch(
        "SELECT r.* FROM cart_reservation r WHERE r.merchant = $1 AND (r.ended IS NOT NULL) = $2 "
        "AND ($3::text IS NULL OR EXISTS (SELECT 1 FROM cart_line l JOIN item i ON i.id = l.item_id "
        "WHERE l.reservation_id = r.id AND i.sku = $3)) AND ($4::text IS NULL OR r.id > $4) ORDER BY r.id LIMIT $5",
        merchant,
        ended,
        sku,
        after,
        cut.limit + 1,
    )
    return page(await _views(connection, rows), cut, lambda row: (row.id,))


async def _views(connection: PooledConnection, rows: Sequence[asyncpg.Record]) -> list[ReservationView]:
    lines: dict[str, list[CartLineView]] = {row["id"]: [] for row in rows}
    for id, sku, node, quantity in await connection.fetch(LINES, list(lines)):
        lines[id].append(CartLineView(sku=sku, quantity=quantity, node=node))
    return [
        ReservationView(
            id=row["id"],
            lines=lines[row["id"]],
            expires_at=row["expires_at"],
            created_at=row["created_at"],
            ended=row["ended"],
            order=row["external_id"],
        )
        for row in rows
    ]


# --- changes -----------------------------------------------------------------------------------------------------


async def _held(connection: PooledConnection, merchant: str, id: str) -> tuple[asyncpg.Record, Units]:
    """Lock a cart that still holds. Raises `Missing`, `Conflict`."""
    row = await connection.fetchrow(
        "SELECT * FROM cart_reservation WHERE id = $1 AND merchant = $2 FOR UPDATE", id, merchant
    )
    if row is None:
        raise no_such("reservation", id)
    if row["ended"] is not None:
        raise Conflict("reservation-ended", f"The reservation has {row['ended']}; reserve anew")
    lines = await connection.fetch("SELECT item_id, node_id, quantity FROM cart_line WHERE reservation_id = $1", id)
    return row, {(item, node): quantity for item, node, quantity in lines}


async def extend(
    connection: PooledConnection, merchant: str, id: str, *, expires_at: datetime, latest: datetime
) -> ReservationView:
    """Keep a cart longer, up to `latest` after it was made. Raises `Missing`, `Conflict`, `Invalid`."""
    await _held(connection, merchant, id)
    if expires_at > latest:
        raise Invalid([Fault(f"would keep it after {latest.isoformat()}, the longest allowed", "/ttl_seconds")])
    await connection.execute("UPDATE cart_reservation SET expires_at = $2 WHERE id = $1", id, expires_at)
    return await get_reservation(connection, merchant, id)


async def transfer(
    connection: PooledConnection, merchant: str, id: str, *, node: int, sku: str | None
) -> ReservationView:
    """Keep a cart's units at another node (0: at none), all of them or those of one SKU, in one move.

    Raises `Missing`, `Conflict` when they are not free there: then they stay where they are.
    """
    _, units = await _held(connection, merchant, id)
    item = None
    if sku is not None:
        item = await connection.fetchval("SELECT id FROM item WHERE merchant = $1 AND sku = $2", merchant, sku)
        if item not in {held for held, _ in units}:
            raise Missing(f"reservation {id} holds no {sku!r}")
    going = {key: quantity for key, quantity in units.items() if item in (None, key[0]) and key[1] != node}
    changes: Units = {}
    for (held, place), quantity in going.items():
        changes[held, place] = changes.get((held, place), 0) - quantity
        changes[held, node] = changes.get((held, node), 0) + quantity
    await _room(connection, changes)
    await _claim(connection, changes)
    after = dict(units)
    for key, quantity in changes.items():
        after[key] = after.get(key, 0) + quantity
    await connection.execute("DELETE FROM cart_line WHERE reservation_id = $1", id)
    await _insert_lines(connection, id, {key: quantity for key, quantity in after.items() if quantity})
    return await get_reservation(connection, merchant, id)


async def _room(connection: PooledConnection, changes: Units) -> None:
    """Lock the shelves and see that what is to be pinned is free. Raises `Conflict`."""
    rows = await connection.fetch(
        "SELECT item_id, node_id, sellable - pinned - safety AS free FROM stock WHERE item_id = ANY($1::bigint[]) "
        "ORDER BY item_id, node_id FOR UPDATE",
        sorted({item for item, _ in changes}),
    )
    free = {(row["item_id"], row["node_id"]): row["free"] for row in rows}
    short = [key for key, units in changes.items() if key[1] and units > 0 and units > free.get(key, 0)]
    if short:
        raise Conflict("not-available", "The node has not enough of it free; nothing was moved")


async def cancel_reservation(connection: PooledConnection, merchant: str, id: str) -> set[int]:
    """Give a cart's units back; an ended reservation stays as it ended. The items given back. Raises `Missing`."""
    await get_reservation(connection, merchant, id)
    return await end(connection, [id], "cancelled")


# Locked before anything else, those that somebody else is ending left out.
EXPIRED: Final = (
    "SELECT id FROM cart_reservation WHERE ended IS NULL AND expires_at <= $1 ORDER BY id LIMIT $2 "
    "FOR UPDATE SKIP LOCKED"
)
ORDERED: Final = (
    "SELECT c.id FROM cart_reservation c WHERE c.ended IS NULL AND c.external_id IS NOT NULL AND EXISTS "
    "(SELECT 1 FROM customer_order o WHERE o.account_id = c.account_id AND o.external_id = c.external_id) "
    "ORDER BY c.id LIMIT $1 FOR UPDATE SKIP LOCKED"
)
PINNED_AT: Final = (
    "SELECT c.id, l.item_id, l.node_id, l.quantity FROM cart_line l JOIN cart_reservation c ON c.id = l.reservation_id "
    "WHERE l.item_id = ANY($1::bigint[]) AND l.node_id = ANY($2::bigint[]) AND c.ended IS NULL "
    "ORDER BY c.id DESC FOR UPDATE OF c SKIP LOCKED"
)


async def expire_reservations(connection: PooledConnection, now: datetime, limit: int = 500) -> int:
    """Sweep: end carts whose time is over or whose order has come; returns how many that was."""
    ordered = [row["id"] for row in await connection.fetch(ORDERED, limit)]
    expired = [row["id"] for row in await connection.fetch(EXPIRED, now, limit) if row["id"] not in ordered]
    await end(connection, ordered, "ordered")
    await end(connection, expired, "expired")
    return len(ordered) + len(expired)


async def displace_carts(
    connection: PooledConnection, missing: Mapping[tuple[int, int], int]
) -> dict[tuple[int, int], int]:
    """Carts give way before orders do, the newest first: what is freed at each shelf that lacks something."""
    rows = await connection.fetch(PINNED_AT, [item for item, _ in missing], [node for _, node in missing])
    freed: dict[tuple[int, int], int] = {}
    chosen: set[str] = set()
    for id, item, node, quantity in rows:
        key = (item, node)
        if id in chosen or freed.get(key, 0) < missing.get(key, 0):
            chosen.add(id)
            freed[key] = freed.get(key, 0) + quantity
    await end(connection, sorted(chosen), "displaced")
    return freed


async def end(connection: PooledConnection, ids: Collection[str], how: str) -> set[int]:
    """End carts that still hold; returns the items that were given back. What waits for pinned ones is looked at."""
    if not ids:
        return set()
    ended = await connection.fetch(
        "UPDATE cart_reservation SET ended = $2 WHERE id = ANY($1::text[]) AND ended IS NULL RETURNING id, merchant",
        sorted(ids),
        how,
    )
    lines = await connection.fetch(
        "SELECT item_id, node_id, sum(quantity)::bigint AS units FROM cart_line WHERE reservation_id = ANY($1::text[]) "
        "GROUP BY item_id, node_id ORDER BY item_id, node_id",
        [row["id"] for row in ended],
    )
    await _claim(connection, {(row["item_id"], row["node_id"]): -row["units"] for row in lines})
    items = {row["item_id"] for row in lines if row["node_id"]}
    if items:
        await connection.execute(
            "UPDATE waiting SET due_at = now() WHERE merchant = ANY($1::text[]) AND cause = ANY($2::text[])",
            sorted({row["merchant"] for row in ended}),
            [f"item:{item}" for item in sorted(items)],
        )
    return items
