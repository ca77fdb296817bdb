"""Balances, expected supply, and what may be sold."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import msgspec

from hub.stock.ats import Ats, Loose, NodeStock, Part, Step, ats, kit_ats, uncounted
from hub.store.admin.errors import Fault, Invalid, Missing
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection


class BalanceView(msgspec.Struct, frozen=True, kw_only=True):
    """Stock of an item at a node, in base units."""

    node: str
    sku: str
    on_hand: int
    """Sellable units on the shelf, promised ones included."""
    reserved: int
    safety: int
    available: int
    """on_hand - reserved - safety; below zero when more is promised than is there."""
    damaged: int
    quarantine: int
    counted_at: datetime | None
    """As of when the last snapshot or count was true."""


class SupplyView(msgspec.Struct, frozen=True, kw_only=True):
    """Stock that is expected."""

    reference: str
    node: str
    sku: str
    quantity: int
    due: date
    confidence: int
    """Per cent."""


BALANCES: Final = (
    "SELECT n.code AS node, i.sku, s.sellable AS on_hand, s.pinned AS reserved, s.safety, "
    "s.sellable - s.pinned - s.safety AS available, s.damaged, s.quarantine, s.counted_at "
    "FROM stock s JOIN item i ON i.id = s.item_id JOIN node n ON n.id = s.node_id WHERE i.merchant = $1 "
)


async def list_balances(
    connection: PooledConnection, merchant: str, cut: Cut, *, sku: str | None, node: str | None
) -> Page[BalanceView]:
    """Balances by SKU and node."""
    at_sku, at_node = cut.after(str, str)
    rows = await connection.fetch(
        BALANCES + "AND ($2::text IS NULL OR i.sku = $2) AND ($3::text IS NULL OR n.code = $3) "
        "AND ($4::text IS NULL OR (i.sku, n.code) > ($4, $5)) ORDER BY i.sku, n.code LIMIT $6",
        merchant,
        sku,
        node,
        at_sku,
        at_node,
        cut.limit + 1,
    )
    return page([BalanceView(**row) for row in rows], cut, lambda row: (row.sku, row.node))


async def read_balances(
    connection: PooledConnection, merchant: str, pairs: Sequence[tuple[int, int]]
) -> list[BalanceView]:
    """Balances of (item, node)."""
    rows = await connection.fetch(
        BALANCES
        + "AND (s.item_id, s.node_id) IN (SELECT * FROM unnest($2::bigint[], $3::bigint[])) ORDER BY i.sku, n.code",
        merchant,
        [item for item, _ in pairs],
        [node for _, node in pairs],
    )
    return [BalanceView(**row) for row in rows]


async def put_safety(connection: PooledConnection, rows: Sequence[tuple[int, int, int]]) -> None:
    """Keep units back: (item, node, units). The rows exist and are locked by whoever calls."""
    if rows:
        await connection.execute(
            "UPDATE stock s SET safety = u.safety FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) "
            "AS u(item, node, safety) WHERE s.item_id = u.item AND s.node_id = u.node",
            *map(list, zip(*rows, strict=True)),
        )


async def list_supply(
    connection: PooledConnection, merchant: str, cut: Cut, *, sku: str | None, node: str | None
) -> Page[SupplyView]:
    """Expected supply by due date."""
    due, reference, at_node, at_sku = cut.after(date, str, str, str)
    rows = await connection.fetch(
        "SELECT u.reference, n.code AS node, i.sku, u.quantity, u.due, u.confidence FROM supply u "
        "JOIN node n ON n.id = u.node_id JOIN item i ON i.id = u.item_id WHERE u.merchant = $1 "
        "AND ($2::text IS NULL OR i.sku = $2) AND ($3::text IS NULL OR n.code = $3) "
        "AND ($4::date IS NULL OR (u.due, u.reference, n.code, i.sku) > ($4, $5, $6, $7)) "
        "ORDER BY u.due, u.reference, n.code, i.sku LIMIT $8",
        merchant,
        sku,
        node,
        due,
        reference,
        at_node,
        at_sku,
        cut.limit + 1,
    )
    views = [SupplyView(**row) for row in rows]
    return page(views, cut, lambda row: (row.due.isoformat(), row.reference, row.node, row.sku))


async def put_supply(
    connection: PooledConnection, merchant: str, rows: Sequence[tuple[str, int, int, int, date, int]]
) -> None:
    """Write expected supply: (reference, node, item, quantity, due, confidence); a quantity of 0 takes it away."""
    gone = [row[:3] for row in rows if row[3] == 0]
    kept = [row for row in rows if row[3] > 0]
    if gone:
        await connection.execute(
            "DELETE FROM supply s USING unnest($2::text[], $3::bigint[], $4::bigint[]) AS u(reference, node, item) "
            "WHERE s.merchant = $1 AND s.reference = u.reference AND s.node_id = u.node AND s.item_id = u.item",
            merchant,
            *map(list, zip(*gone, strict=True)),
        )
    if kept:
        await connection.execute(
            "INSERT INTO supply (merchant, reference, node_id, item_id, quantity, due, confidence) "
            "SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::int[], $6::date[], $7::smallint[]) "
            "ON CONFLICT (merchant, reference, node_id, item_id) DO UPDATE SET quantity = EXCLUDED.quantity, "
            "due = EXCLUDED.due, confidence = EXCLUDED.confidence",
            merchant,
            *map(list, zip(*kept, strict=True)),
        )


# --- available to sell -------------------------------------------------------------------------------------------


class Scope(NamedTuple):
    """Where it would be sold: which nodes count, and what is kept from this sink."""

    nodes: frozenset[int]
    buffer: int = 0


class Sellable(NamedTuple):
    """An item and what it is made of."""

    id: int
    sku: str
    counted: bool
    parts: tuple[tuple[int, str, int], ...]
    """(component, SKU, per kit)."""


SELLABLE: Final = (
    "SELECT i.id, i.sku, i.stock_mode, (SELECT array_agg(p.id ORDER BY p.id) FROM item_component c "
    "JOIN item p ON p.id = c.component_id WHERE c.item_id = i.id) AS ids, "
    "(SELECT array_agg(p.sku ORDER BY p.id) FROM item_component c JOIN item p ON p.id = c.component_id "
    "WHERE c.item_id = i.id) AS skus, "
    "(SELECT array_agg(c.quantity ORDER BY c.component_id) FROM item_component c WHERE c.item_id = i.id) AS quantities "
    "FROM item i WHERE i.merchant = $1 AND i.sku = ANY($2::text[])"
)


async def scope_of_network(connection: PooledConnection) -> Scope:
    """Every enabled node."""
    rows = await connection.fetch("SELECT id FROM node WHERE enabled")
    return Scope(frozenset(row["id"] for row in rows))


async def scope_of_channel(connection: PooledConnection, account: int) -> Scope:
    """The enabled nodes that serve an account: those of its stock points, or all when it has none."""
    rows = await connection.fetch(
        "SELECT p.id, p.purpose, p.buffer, l.node_id, n.enabled FROM stock_point p "
        "JOIN stock_point_node l ON l.stock_point_id = p.id JOIN node n ON n.id = l.node_id "
        "WHERE p.account_id = $1 AND p.purpose IN ('sell', 'fulfil', 'pick_up')",
        account,
    )
    if not rows:
        return await scope_of_network(connection)
    buffers = {row["id"]: row["buffer"] for row in rows if row["purpose"] == "sell"}
    return Scope(frozenset(row["node_id"] for row in rows if row["enabled"]), sum(buffers.values()))


async def scope_of_point(connection: PooledConnection, merchant: str, point: str) -> Scope:
    """The enabled nodes of one stock point, by its id or its external location. Raises `Invalid`."""
    rows = await connection.fetch(
        "SELECT p.id, p.buffer, p.purpose = 'sell' AS sells, array_agg(n.id) FILTER (WHERE n.enabled) AS nodes "
        "FROM stock_point p JOIN account a ON a.id = p.account_id JOIN stock_point_node l ON l.stock_point_id = p.id "
        "JOIN node n ON n.id = l.node_id WHERE a.merchant = $1 AND (p.external_location = $2 OR p.id::text = $2) "
        "GROUP BY p.id ORDER BY p.purpose <> 'sell', p.id",
        merchant,
        point,
    )
    found = [row for row in rows if row["sells"]] or list(rows)
    if not found:
        raise Missing(f"no stock point {point!r}")
    if len(found) > 1:
        ids = ", ".join(str(row["id"]) for row in found)
        raise Invalid([Fault(f"is a location of several accounts; say one of the ids {ids}", parameter="stock_point")])
    return Scope(frozenset(found[0]["nodes"] or ()), found[0]["buffer"])


async def find_sellables(connection: PooledConnection, merchant: str, skus: Iterable[str]) -> dict[str, Sellable]:
    """Items by SKU, with their components."""
    rows = await connection.fetch(SELLABLE, merchant, sorted(set(skus)))
    return {
        row["sku"]: Sellable(
            row["id"],
            row["sku"],
            row["stock_mode"] == "tracked",
            tuple(zip(row["ids"] or (), row["skus"] or (), row["quantities"] or (), strict=True)),
        )
        for row in rows
    }


async def available(
    connection: PooledConnection, items: Iterable[Sellable], scope: Scope, *, lock: bool = False
) -> dict[int, Ats]:
    """What may be sold of each item. With `lock`, stock and promises are locked first, in everybody's order."""
    wanted = list(items)
    ids = sorted({part[0] for item in wanted for part in item.parts} | {item.id for item in wanted})
    if lock:
        await connection.execute(
            "SELECT 1 FROM stock WHERE item_id = ANY($1::bigint[]) ORDER BY item_id, node_id FOR UPDATE", ids
        )
        await connection.execute(
            "INSERT INTO item_promise (item_id) SELECT unnest($1::bigint[]) ORDER BY 1 ON CONFLICT DO NOTHING", ids
        )
        await connection.execute(
            "SELECT 1 FROM item_promise WHERE item_id = ANY($1::bigint[]) ORDER BY item_id FOR UPDATE", ids
        )
    shelves: dict[int, list[NodeStock]] = {id: [] for id in ids}
    rows = await connection.fetch(
        "SELECT item_id, node_id, sellable, pinned, safety FROM stock WHERE item_id = ANY($1::bigint[]) "
        "AND node_id = ANY($2::bigint[])",
        ids,
        list(scope.nodes),
    )
    for row in rows:
        shelves[row["item_id"]].append(NodeStock(row["node_id"], row["sellable"], row["pinned"], row["safety"]))
    claims = await connection.fetch(
        "SELECT item_id, unpinned, backordered, soft FROM item_promise WHERE item_id = ANY($1::bigint[])", ids
    )
    loose = {row["item_id"]: Loose(row["unpinned"], row["backordered"], row["soft"]) for row in claims}

    def answer(item: Sellable) -> Ats:
        if item.parts:
            parts = [Part(sku, each, ats(shelves[id], loose.get(id, Loose()))) for id, sku, each in item.parts]
            return kit_ats(parts, buffer=scope.buffer)
        if not item.counted:
            return uncounted()
        return ats(shelves[item.id], loose.get(item.id, Loose()), buffer=scope.buffer)

    return {item.id: answer(item) for item in wanted}


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the waterfall."""

    name: str
    quantity: int
    """Added to what stood before."""
    total: int
    """What stands after."""


def waterfall(steps: Iterable[Step]) -> list[StepView]:
    """Steps with running totals."""
    shown = []
    total = 0
    for step in steps:
        total += step.quantity
        shown.append(StepView(name=step.name, quantity=step.quantity, total=total))
    return shown
