"""Stock rows: locked in (item, node) order, guarded, then changed by one statement."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from hub.domain.stock import Condition, StockReason
from hub.flow.ports import LostRace
from hub.flow.writes import LedgerRow
from hub.store.database import PooledConnection
from hub.store.deficits import mark_deficits

# The sort stands under the lock: an update that joins `unnest` alone locked in the planner's order and deadlocked
# 104 times in 976 commits.
LOCK: Final = (
    "SELECT s.item_id, s.node_id, s.sellable - s.pinned - s.safety, s.counted_at, s.sellable - s.pinned FROM stock s "
    "JOIN unnest($1::bigint[], $2::bigint[]) AS u(item, node) ON s.item_id = u.item AND s.node_id = u.node "
    "ORDER BY s.item_id, s.node_id FOR UPDATE OF s"
)
CHANGE: Final = (
    "UPDATE stock s SET pinned = s.pinned + u.pinned, sellable = s.sellable + u.sellable "
    "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS u(item, node, pinned, sellable) "
    "WHERE s.item_id = u.item AND s.node_id = u.node"
)
SET_ASIDE: Final = (
    "UPDATE stock s SET damaged = s.damaged + u.damaged, quarantine = s.quarantine + u.quarantine, "
    "in_transit = s.in_transit + u.in_transit "
    "FROM (SELECT item, node, sum(units) FILTER (WHERE condition = 'damaged') AS damaged, "
    "sum(units) FILTER (WHERE condition = 'quarantine') AS quarantine, "
    "sum(units) FILTER (WHERE condition = 'in_transit') AS in_transit "
    "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[]) AS r(item, node, units, condition) "
    "GROUP BY item, node) AS n CROSS JOIN LATERAL (SELECT coalesce(n.damaged, 0)::bigint AS damaged, "
    "coalesce(n.quarantine, 0)::bigint AS quarantine, coalesce(n.in_transit, 0)::bigint AS in_transit) "
    "AS u WHERE s.item_id = n.item AND s.node_id = n.node"
)
MISSING: Final = (
    "INSERT INTO stock (item_id, node_id) SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS u(item, node) "
    "ORDER BY item, node ON CONFLICT DO NOTHING"
)
FREE: Final = "SELECT item_id, node_id, sellable - pinned - safety FROM stock WHERE item_id = ANY($1::bigint[])"
FREE_LOCKED: Final = FREE + " ORDER BY item_id, node_id FOR UPDATE"


async def free_stock(connection: PooledConnection, items: Iterable[int], *, lock: bool) -> dict[int, dict[int, int]]:
    """What may still be reserved: item -> node -> units. With `lock` every row is locked first, in order."""
    found: dict[int, dict[int, int]] = {}
    for item, node, units in await connection.fetch(FREE_LOCKED if lock else FREE, sorted(items)):
        found.setdefault(item, {})[node] = units
    return found


async def change_stock(
    connection: PooledConnection, pinned: Sequence[tuple[int, int, int]], ledger: Sequence[LedgerRow]
) -> list[LedgerRow]:
    """Change reserved and sellable units together. Raises `LostRace` when a grant would exceed what is available.

    What left before a shelf was counted is not on the count: the ledger rows that say so are returned, to be written.
    """
    changes: dict[tuple[int, int], list[int]] = {(item, node): [units, 0] for item, node, units in pinned}
    aside = [row for row in ledger if row.condition != Condition.SELLABLE]
    ledger = [row for row in ledger if row.condition == Condition.SELLABLE]
    for row in ledger:
        changes.setdefault((row.item, row.node), [0, 0])[1] += row.delta
    for row in aside:
        changes.setdefault((row.item, row.node), [0, 0])
    if not changes:
        return []
    keys = sorted(changes)
    items, nodes = [key[0] for key in keys], [key[1] for key in keys]
    held = await connection.fetch(LOCK, items, nodes)
    free = {(row[0], row[1]): row[2] for row in held}
    brought = _brought(ledger)
    counted = in_the_count(ledger, {(row[0], row[1]): row[3] for row in held})
    for row in counted:
        changes[row.item, row.node][1] += row.delta
    for key in keys:
        granted, arriving = changes[key]
        there = free.get(key, 0)
        # A transfer for a customer who waits is that customer's: whatever else the shelf lacks for its safety, and
        # when a count that had it already shows that it was sold since.
        room = max(there + max(0, arriving), max(0, there) + brought.get(key, 0))
        if granted > 0 and granted > room:
            raise LostRace(f"item {key[0]} at node {key[1]}: {granted} wanted, {room} free")
    if len(free) < len(keys):
        # A fact about a shelf that nobody ever counted: recorded all the same.
        missing = [key for key in keys if key not in free]
        await connection.execute(MISSING, [key[0] for key in missing], [key[1] for key in missing])
    await connection.execute(CHANGE, items, nodes, [changes[key][0] for key in keys], [changes[key][1] for key in keys])
    if aside:
        rows = [(row.item, row.node, row.delta, row.condition) for row in aside]
        await connection.execute(SET_ASIDE, *zip(*rows, strict=True))
    await mark_deficits(connection, _short(changes, {(row[0], row[1]): row[4] for row in held}, brought))
    return counted


def _brought(ledger: Sequence[LedgerRow]) -> dict[tuple[int, int], int]:
    """Units that arrived from other nodes, by shelf."""
    units: dict[tuple[int, int], int] = {}
    for row in ledger:
        if row.reason == StockReason.TRANSFER and row.delta > 0:
            units[row.item, row.node] = units.get((row.item, row.node), 0) + row.delta
    return units


def _short(
    changes: Mapping[tuple[int, int], Sequence[int]],
    there: Mapping[tuple[int, int], int],
    brought: Mapping[tuple[int, int], int],
) -> list[tuple[int, int]]:
    """Shelves that lost more than was reserved of it, or were brought what is sold already, and now hold less than is
    promised. None while orders come in."""
    return [
        key
        for key, (pinned, sellable) in sorted(changes.items())
        if (sellable < min(0, pinned) or key in brought) and there.get(key, 0) + sellable - pinned < 0
    ]


def in_the_count(ledger: Sequence[LedgerRow], counted_at: Mapping[tuple[int, int], datetime | None]) -> list[LedgerRow]:
    """Add back what a count taken later had subtracted already."""
    rows = []
    for row in ledger:
        at = counted_at.get((row.item, row.node))
        if at is not None and row.true_at <= at:
            rows.append(row._replace(delta=-row.delta, reason=StockReason.CORRECTION.value, true_at=at))
    return rows


EMPTY: Final = (
    "WITH shelf AS (SELECT s.item_id, s.node_id, s.sellable, u.merchant, u.cause FROM stock s "
    "JOIN unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) AS u(item, node, merchant, cause) "
    "ON s.item_id = u.item AND s.node_id = u.node ORDER BY s.item_id, s.node_id FOR UPDATE OF s), "
    "emptied AS (UPDATE stock s SET sellable = s.pinned FROM shelf f "
    "WHERE s.item_id = f.item_id AND s.node_id = f.node_id AND s.sellable > s.pinned "
    "RETURNING s.item_id, s.node_id, s.pinned - f.sellable AS delta, f.merchant, f.cause) "
    "INSERT INTO stock_ledger (merchant, node_id, item_id, delta, reason, source, cause, true_at, learned_at) "
    "SELECT merchant, node_id, item_id, delta, 'short', 'hub', cause, $5::timestamptz, now() FROM emptied"
)


async def empty_shelves(
    connection: PooledConnection, emptied: Sequence[tuple[int, int, str, str]], now: datetime
) -> None:
    """A node has none of an item left: nothing more may be reserved there until it is counted.

    What is pinned stays: those units are at the node's own hands and are confirmed or refused one by one.
    """
    unique = {(item, node): (item, node, merchant, cause) for item, node, merchant, cause in emptied}
    if unique:
        await connection.execute(EMPTY, *zip(*(unique[key] for key in sorted(unique)), strict=True), now)
