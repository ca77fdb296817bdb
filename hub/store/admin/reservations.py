"""Soft reservations of carts: the only place, besides promises, that may say no."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from hub.store.admin.errors import Conflict, Fault, Invalid, Missing, pointer
from hub.store.admin.mending import mark_dirty
from hub.store.admin.stock import Scope, Sellable, available, find_sellables
from hub.store.database import PooledConnection


class CartLineView(msgspec.Struct, frozen=True, kw_only=True):
    """Units of an item; a kit shows as its components, which are what is kept."""

    sku: str
    quantity: int


class ReservationView(msgspec.Struct, frozen=True, kw_only=True):
    """A cart's reservation."""

    id: str
    lines: list[CartLineView]
    expires_at: datetime
    created_at: datetime
    ended: str | None
    """expired, cancelled; null while it holds."""


CHANGE: Final = (
    "UPDATE item_promise p SET soft = p.soft + u.units FROM unnest($1::bigint[], $2::bigint[]) AS u(item, units) "
    "WHERE p.item_id = u.item"
)


async def reserve(
    connection: PooledConnection,
    merchant: str,
    *,
    id: str,
    lines: Sequence[tuple[str, int]],
    scope: Scope,
    now: datetime,
    expires_at: datetime,
) -> ReservationView:
    """Reserve all lines or none. Raises `Conflict` with what is available, `Invalid` for unknown SKUs."""
    items = await find_sellables(connection, merchant, [sku for sku, _ in lines])
    faults = [
        Fault(f"no item {sku!r}", pointer("lines", n, "sku")) for n, (sku, _) in enumerate(lines) if sku not in items
    ]
    if faults:
        raise Invalid(faults)
    wanted: dict[str, int] = {}
    for sku, quantity in lines:
        wanted[sku] = wanted.get(sku, 0) + quantity
    units, single = _counted(wanted, items)
    free = await available(connection, items.values(), scope, lock=True)
    shelf = await available(connection, single.values(), Scope(scope.nodes))
    told = [
        {"sku": sku, "requested": quantity, "available": free[items[sku].id].available}
        for sku, quantity in wanted.items()
    ]
    alone = all(quantity <= free[items[sku].id].available for sku, quantity in wanted.items())
    # Two kits, or a kit and its component, may each fit alone and not together.
    if not alone or any(quantity > shelf[item].available for item, quantity in units.items()):
        raise Conflict("not-available", "Not everything is available; nothing was reserved", available=told)
    await connection.execute(
        "INSERT INTO cart_reservation (id, merchant, expires_at, created_at) VALUES ($1, $2, $3, $4)",
        id,
        merchant,
        expires_at,
        now,
    )
    await _hold(connection, id, units)
    return await get_reservation(connection, merchant, id)


async def _hold(connection: PooledConnection, id: str, units: dict[int, int]) -> None:
    await connection.execute(
        "INSERT INTO cart_line (reservation_id, item_id, quantity) SELECT $1, * FROM unnest($2::bigint[], $3::int[])",
        id,
        list(units),
        list(units.values()),
    )
    await connection.execute(CHANGE, list(units), list(units.values()))
    await mark_dirty(connection, units)


def _counted(wanted: dict[str, int], items: dict[str, Sellable]) -> tuple[dict[int, int], dict[int, Sellable]]:
    """Units of every item whose stock is kept, kits taken apart; and those items."""
    units: dict[int, int] = {}
    single: dict[int, Sellable] = {}
    for sku, quantity in wanted.items():
        item = items[sku]
        parts = item.parts or (((item.id, item.sku, 1),) if item.counted else ())
        for id, name, each in parts:
            units[id] = units.get(id, 0) + each * quantity
            single[id] = Sellable(id, name, True, ())
    return units, single


async def get_reservation(connection: PooledConnection, merchant: str, id: str) -> ReservationView:
    """One reservation, ended ones included; raises `Missing`."""
    row = await connection.fetchrow("SELECT * FROM cart_reservation WHERE id = $1 AND merchant = $2", id, merchant)
    if row is None:
        raise Missing(f"no reservation {id}")
    lines = await connection.fetch(
        "SELECT i.sku, l.quantity FROM cart_line l JOIN item i ON i.id = l.item_id WHERE l.reservation_id = $1 "
        "ORDER BY 1",
        id,
    )
    return ReservationView(
        id=id,
        lines=[CartLineView(sku=line["sku"], quantity=line["quantity"]) for line in lines],
        expires_at=row["expires_at"],
        created_at=row["created_at"],
        ended=row["ended"],
    )


async def cancel_reservation(connection: PooledConnection, merchant: str, id: str) -> None:
    """Give a cart's units back; an ended reservation stays as it ended. Raises `Missing`."""
    await get_reservation(connection, merchant, id)
    await _end(connection, [id], "cancelled")


async def expire_reservations(connection: PooledConnection, now: datetime, limit: int = 500) -> int:
    """Sweep: give back the units of carts whose time is over; returns how many carts that was."""
    rows = await connection.fetch(
        "SELECT id FROM cart_reservation WHERE ended IS NULL AND expires_at <= $1 ORDER BY id LIMIT $2 "
        "FOR UPDATE SKIP LOCKED",
        now,
        limit,
    )
    return await _end(connection, [row["id"] for row in rows], "expired") if rows else 0


async def _end(connection: PooledConnection, ids: Sequence[str], how: str) -> int:
    ended = await connection.fetch(
        "UPDATE cart_reservation SET ended = $2 WHERE id = ANY($1::text[]) AND ended IS NULL RETURNING id", ids, how
    )
    lines = await connection.fetch(
        "SELECT item_id, sum(quantity)::bigint AS units FROM cart_line WHERE reservation_id = ANY($1::text[]) "
        "GROUP BY item_id ORDER BY item_id",
        [row["id"] for row in ended],
    )
    items = [row["item_id"] for row in lines]
    await connection.execute(
        "SELECT 1 FROM item_promise WHERE item_id = ANY($1::bigint[]) ORDER BY item_id FOR UPDATE", items
    )
    await connection.execute(CHANGE, items, [-row["units"] for row in lines])
    await mark_dirty(connection, items)
    return len(ended)
