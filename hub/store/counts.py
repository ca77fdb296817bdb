"""Apply stock reports: rows locked in (item, node) order, ledger and balance changed together."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from hub.domain.ids import make_id
from hub.flow.stock_ports import StockReport
from hub.flow.writes import LedgerRow
from hub.stock.ledger import Movement, Reported, Shelf, apply
from hub.store.database import PooledConnection
from hub.store.sources import whole_as_of

ENSURE: Final = (
    "INSERT INTO stock (item_id, node_id, safety) SELECT u.item, u.node, i.safety "
    "FROM unnest($1::bigint[], $2::bigint[]) AS u(item, node) JOIN item i ON i.id = u.item "
    "ORDER BY u.item, u.node ON CONFLICT DO NOTHING"
)
LOCK: Final = (
    "SELECT s.item_id, s.node_id, s.sellable, s.pinned, s.counted_at FROM stock s "
    "JOIN unnest($1::bigint[], $2::bigint[]) AS u(item, node) ON s.item_id = u.item AND s.node_id = u.node "
    "ORDER BY s.item_id, s.node_id FOR UPDATE OF s"
)
# What moved after a snapshot was taken is not in the snapshot: it is added to it. What it tells again is not.
SINCE: Final = (
    "SELECT u.at, coalesce((SELECT sum(l.delta) FROM stock_ledger l WHERE l.item_id = u.item AND l.node_id = u.node "
    "AND l.true_at > u.as_of AND l.condition = 'sellable'), 0), "
    "EXISTS (SELECT 1 FROM stock_ledger l WHERE l.item_id = u.item AND l.node_id = u.node AND l.true_at = u.as_of "
    "AND l.cause = u.cause) FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[]) "
    "AS u(at, item, node, as_of, cause)"
)
# What a node was asked for before its figure was true and had not sent by then, as far as it may have taken it off.
# Orders carry their time in their id: older ones than the horizon are not looked for, whatever the node has seen.
OPEN_AT: Final = (
    "SELECT u.at, sum(s.quantity)::bigint FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::timestamptz[]) "
    "AS u(at, item, node, as_of) JOIN fulfilment_order f ON f.node_id = u.node AND f.order_id >= $5 "
    "AND f.created_at <= u.as_of AND f.handoff IN ('sent', 'uncertain', 'accepted') "
    "JOIN slice s ON s.order_id = f.order_id AND s.fulfilment_no = f.no "
    "JOIN demand d ON d.order_id = s.order_id AND d.no = s.demand_no AND d.item_id = u.item AND d.tracked "
    "WHERE s.state IN ('released', 'accepted', 'picked', 'packed', 'ready', 'expired') OR (s.state IN "
    "('in_transit', 'shipped', 'delivered', 'collected') "
    "AND EXISTS (SELECT 1 FROM shipment p WHERE p.order_id = f.order_id "
    "AND p.fulfilment_no = f.no AND p.shipped_at > u.as_of)) GROUP BY u.at"
)
HORIZON: Final = timedelta(days=60)
CHANGE: Final = (
    "UPDATE stock s SET sellable = u.sellable, counted_at = coalesce(u.counted_at, s.counted_at) "
    "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[]) AS u(item, node, sellable, counted_at) "
    "WHERE s.item_id = u.item AND s.node_id = u.node"
)


class Counted(NamedTuple):
    """What reports did."""

    ledger: list[LedgerRow]
    """To be written."""
    more: list[tuple[int, int]]
    """(item, node) where more is there than before."""
    short: list[tuple[int, int]]
    """(item, node) where less is there than is promised."""
    level: list[tuple[int, int]]
    """(item, node) where all that is promised is there."""


async def apply_reports(
    connection: PooledConnection, merchant: str, reports: Sequence[StockReport], now: datetime
) -> Counted:
    """Change balances.

    A level older than the last one at its place, or than the last complete one of its node, changes nothing, nor does
    a change that was applied already under the same cause. Several levels of one place, moment and cause are lots of
    one figure. Balances may go below what is promised: it is a fact.
    """
    reports = _whole(reports)
    keys = sorted({(report.item, report.node) for report in reports})
    items, nodes = [key[0] for key in keys], [key[1] for key in keys]
    await connection.execute(ENSURE, items, nodes)
    held = {(row[0], row[1]): row for row in await connection.fetch(LOCK, items, nodes)}
    # Whoever was told of by nobody when all was told was not there: as good as a count of nothing.
    whole = await whole_as_of(connection, merchant, nodes)
    figures = await _figures(connection, reports, now)
    shelves: dict[tuple[int, int], Shelf] = {}
    ledger = []
    places: dict[tuple[int, int], list[int]] = {}
    for position, report in enumerate(reports):
        places.setdefault((report.item, report.node), []).append(position)
    for key, mine in places.items():
        counted = [at for at in (held[key][4], whole.get(key[1])) if at is not None]
        shelf = Shelf(held[key][2], max(counted, default=None))
        shelves[key], moves = apply(shelf, [figures[position] for position in mine])
        ledger += [_row(merchant, reports[mine[move.position]], move) for move in moves]
    after = [shelves[key] for key in keys]
    await connection.execute(CHANGE, items, nodes, [s.sellable for s in after], [s.counted_at for s in after])
    return Counted(
        ledger,
        [key for key in keys if shelves[key].sellable > held[key][2]],
        [key for key in keys if shelves[key].sellable < held[key][3]],
        [key for key in keys if shelves[key].sellable >= held[key][3]],
    )


def _whole(reports: Iterable[StockReport]) -> list[StockReport]:
    """One figure per place, moment and cause: a level told lot by lot is the sum of its lots."""
    found: dict[tuple[object, ...], StockReport] = {}
    for at, report in enumerate(reports):
        key: tuple[object, ...] = (report.item, report.node, report.kind, report.as_of, report.cause)
        if report.kind == "delta":
            key = (*key, at)
        known = found.get(key)
        found[key] = report if known is None else known._replace(units=known.units + report.units, lot="")
    return list(found.values())


async def _figures(connection: PooledConnection, reports: Sequence[StockReport], now: datetime) -> list[Reported]:
    since = await connection.fetch(
        SINCE,
        list(range(len(reports))),
        [r.item for r in reports],
        [r.node for r in reports],
        [r.as_of for r in reports],
        [r.cause for r in reports],
    )
    moved = {row[0]: (int(row[1]), bool(row[2])) for row in since}
    asking = [at for at, r in enumerate(reports) if r.subtracts and r.kind != "delta"]
    taken_off: dict[int, int] = {}
    if asking:
        rows = await connection.fetch(
            OPEN_AT,
            asking,
            [reports[at].item for at in asking],
            [reports[at].node for at in asking],
            [reports[at].as_of for at in asking],
            make_id(now - HORIZON, 0),
        )
        taken_off = {row[0]: row[1] for row in rows}
    return [
        Reported(r.kind, r.units + taken_off.get(at, 0), r.as_of, moved[at][0], moved[at][1])
        for at, r in enumerate(reports)
    ]


def _row(merchant: str, report: StockReport, move: Movement) -> LedgerRow:
    return LedgerRow(
        merchant,
        report.node,
        report.item,
        move.delta,
        move.reason,
        report.source,
        report.cause,
        move.true_at,
        lot=report.lot,
    )
