"""A cause is mended: close its exceptions, and try again what waited for it, once and for all orders."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from hub.sdk.adapter import Lane
from hub.store import outbox
from hub.store.database import PooledConnection
from hub.store.inbox import unpark


async def mend(
    connection: PooledConnection, merchant: str, kind: str, causes: Sequence[str], *, who: str, now: datetime
) -> int:
    """Close the open exceptions of these causes and let parked messages go on; returns how many messages those are."""
    return await let_go(connection, await _close(connection, merchant, kind, causes, who, now))


async def mend_effects(
    connection: PooledConnection, merchant: str, kind: str, causes: Sequence[str], *, who: str, now: datetime
) -> int:
    """Like `mend` for causes that effects wait for: they are tried again; returns how many."""
    closed = await _close(connection, merchant, kind, causes, who, now)
    if not closed:
        return 0
    rows = await connection.fetch(
        "SELECT DISTINCT ref FROM exception_waiter WHERE exception_id = ANY($1::bigint[]) AND what = 'effect'", closed
    )
    return await outbox.unpark(connection, [int(row["ref"]) for row in rows])


async def _close(
    connection: PooledConnection, merchant: str, kind: str, causes: Sequence[str], who: str, now: datetime
) -> list[int]:
    closed = await connection.fetch(
        "UPDATE exception SET closed_at = $4, closed_by = $5 WHERE merchant = $1 AND kind = $2 "
        "AND cause = ANY($3::text[]) AND closed_at IS NULL RETURNING id",
        merchant,
        kind,
        list(causes),
        now,
        who,
    )
    return [row["id"] for row in closed]


async def mend_accounts(
    connection: PooledConnection, merchant: str, kind: str, words: Sequence[str], *, who: str, now: datetime
) -> int:
    """Like `mend` for causes that read "<account>: <word>", whatever account of the merchant it was."""
    names = await connection.fetch("SELECT name FROM account WHERE merchant = $1", merchant)
    causes = [f"{row['name']}: {word}" for row in names for word in words]
    return await mend(connection, merchant, kind, causes, who=who, now=now)


async def mend_connections(
    connection: PooledConnection, merchant: str, kind: str, words: Sequence[str], *, who: str, now: datetime
) -> int:
    """Like `mend` for causes that read "<connection>: <word>"."""
    links = await connection.fetch("SELECT id FROM connection WHERE merchant = $1", merchant)
    causes = [f"{row['id']}: {word}" for row in links for word in words]
    return await mend(connection, merchant, kind, causes, who=who, now=now)


async def mend_items(
    connection: PooledConnection, merchant: str, items: Sequence[tuple[int, str]], *, who: str, now: datetime
) -> None:
    """Items, by id and SKU, were made or changed: close the questions that they answer, compute their availability."""
    skus = [sku for _, sku in items]
    await mend_accounts(connection, merchant, "unknown_sku", skus, who=who, now=now)
    for kind in ("unknown_stock_sku", "unknown_supply_item"):
        await mend_connections(connection, merchant, kind, skus, who=who, now=now)
    await mend_effects(connection, merchant, "customs_data_missing", [f"item {sku}" for sku in skus], who=who, now=now)
    await mark_dirty(connection, [item for item, _ in items])


async def let_go(connection: PooledConnection, exceptions: Sequence[int]) -> int:
    """Try the parked messages again that wait for these exceptions, and for no other that is still open.

    Reports of stock at once: each of their lines counts by itself and once, and what is still unknown waits on.
    """
    rows = await connection.fetch(
        "SELECT DISTINCT w.ref FROM exception_waiter w WHERE w.exception_id = ANY($1::bigint[]) AND w.what = 'message' "
        "AND (EXISTS (SELECT 1 FROM inbox i WHERE i.id = w.ref::bigint AND i.lane = $2) "
        "OR NOT EXISTS (SELECT 1 FROM exception_waiter o JOIN exception e ON e.id = o.exception_id "
        "WHERE o.what = w.what AND o.ref = w.ref AND e.closed_at IS NULL))",
        list(exceptions),
        Lane.STOCK.value,
    )
    return await unpark(connection, [int(row["ref"]) for row in rows]) if rows else 0


async def wake_queue(connection: PooledConnection, queue: str, now: datetime, merchant: str | None = None) -> None:
    """Look again at everything in a named waiting place; of all merchants when the network itself changed."""
    await connection.execute(
        "UPDATE waiting SET due_at = greatest($2, clock_timestamp()) "
        "WHERE queue = $1 AND ($3::text IS NULL OR merchant = $3)",
        queue,
        now,
        merchant,
    )


async def mark_dirty(connection: PooledConnection, items: Iterable[int]) -> None:
    """The availability of these items is to be computed anew."""
    await connection.execute("INSERT INTO dirty (item_id) SELECT unnest($1::bigint[])", sorted(set(items)))


async def mark_node_dirty(connection: PooledConnection, nodes: Sequence[int]) -> None:
    """The availability of everything at these nodes is to be computed anew."""
    await connection.execute(
        "INSERT INTO dirty (item_id) SELECT DISTINCT item_id FROM stock WHERE node_id = ANY($1::bigint[])", list(nodes)
    )
