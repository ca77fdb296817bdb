"""Reconciliation: compare, name each drift, repair it by an action that may be repeated, or ask a person."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from hub.flow.trouble import Trouble
from hub.stock.reconcile import DriftClass, Verdict, of_channel, of_shelf
from hub.store import figures
from hub.store.database import PooledConnection
from hub.store.figures import Stated
from hub.store.troubles import leave, raise_troubles
from hub.store.verify import Drift, rebuild, verify_stock

RECONCILE_LOCK: Final = 7_203_513
"""One at a time in the whole installation: an advisory lock, for it guards nothing but double work."""

FIGURES: Final = 500
STUBBORN: Final = 3
"""A drift that came back so often after its repair is a person's: something else writes there."""


class Run(NamedTuple):
    """What a reconciliation came to."""

    compared: int
    found: int
    repaired: int
    raised: int


class Found(NamedTuple):
    """A drift to keep. `figure` is what differs: stock for others' figures, the counter's name for our own."""

    merchant: str
    party: str
    source: str
    item: int
    node: int
    stock_point: int
    figure: str
    theirs: int
    ours: int
    kind: DriftClass
    because: str
    action: str
    place: str
    sku: str
    as_of: datetime


class Kept(NamedTuple):
    """A drift as it is stored."""

    id: int
    times: int
    """How often it was seen."""


KEEP: Final = (
    "INSERT INTO drift AS d (merchant, party, source, item_id, node_id, stock_point_id, figure, theirs, ours, class, "
    "because, action, state, as_of, found_at, last_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15) "
    "ON CONFLICT (merchant, source, item_id, node_id, stock_point_id, figure) WHERE closed_at IS NULL DO UPDATE SET "
    "theirs = EXCLUDED.theirs, ours = EXCLUDED.ours, class = EXCLUDED.class, because = EXCLUDED.because, "
    "action = EXCLUDED.action, state = EXCLUDED.state, count = d.count + 1, as_of = EXCLUDED.as_of, "
    "last_at = EXCLUDED.last_at RETURNING d.id, d.count"
)
STATE: Final = "UPDATE drift SET state = $2, closed_at = $3 WHERE id = $1"
GONE: Final = (
    "UPDATE drift d SET state = CASE WHEN d.state = 'waiting' THEN 'gone' ELSE d.state END, closed_at = $6 "
    "FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) "
    "AS u(merchant, source, item, node, point) WHERE d.merchant = u.merchant AND d.source = u.source "
    "AND d.item_id = u.item AND d.node_id = u.node AND d.stock_point_id = u.point AND d.closed_at IS NULL "
    "RETURNING d.id"
)
OF_DRIFTS: Final = (
    "SELECT e.id, w.ref FROM exception_waiter w JOIN exception e ON e.id = w.exception_id WHERE w.what = 'drift' "
    "AND w.ref = ANY($1::text[]) AND e.closed_at IS NULL ORDER BY e.merchant, e.kind, e.cause FOR UPDATE OF e"
)
# What the channel has is what the next compare-and-set has to expect.
RETELL: Final = (
    "INSERT INTO availability AS a (stock_point_id, item_id, connection_id, due_at, marked_at, sent) "
    "SELECT $1, $2, c.id, now(), now(), $3 FROM stock_point p JOIN connection c ON c.account_id = p.account_id "
    "WHERE p.id = $1 AND c.enabled ORDER BY c.id LIMIT 1 ON CONFLICT (stock_point_id, item_id) DO UPDATE SET "
    "due_at = coalesce(a.due_at, EXCLUDED.due_at), marked_at = coalesce(a.marked_at, EXCLUDED.marked_at), "
    "sent = EXCLUDED.sent"
)
PULL_STATUS: Final = (
    "UPDATE schedule s SET next_due_at = now() FROM node_binding b WHERE b.node_id = $1 AND b.merchant = $2 "
    "AND b.role = 'fulfil' AND s.connection_id = b.connection_id AND s.operation = 'status' AND s.enabled"
)
LOG: Final = (
    "INSERT INTO reconciliation (started_at, finished_at, compared, found, repaired, raised, ledger_id) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)"
)
LAST: Final = "SELECT coalesce(max(ledger_id), 0) FROM reconciliation"


KEPT_FOR: Final = timedelta(days=90)
# The newest run stays: it says how far the ledger was read.
FORGOTTEN: Final = (
    "DELETE FROM drift WHERE closed_at < $1",
    "DELETE FROM reconciliation WHERE finished_at < $1 AND id < (SELECT max(id) FROM reconciliation)",
    "DELETE FROM stock_reference WHERE learned_at < $1",
)


async def reconcile(connection: PooledConnection, now: datetime, *, own: bool) -> Run | None:
    """Compare what is due, in one transaction; None when another process is at it. `own` checks our own books too."""
    if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", RECONCILE_LOCK):
        return None
    stated = await figures.due_figures(connection, FIGURES)
    drifts = await _of_shelves(connection, [f for f in stated if not f.stock_point], now)
    drifts += await _of_channels(connection, [f for f in stated if f.stock_point])
    differing = {(d.merchant, d.source, d.item, d.node, d.stock_point) for d in drifts}
    agreeing = [f for f in stated if (f.merchant, f.source, f.item, f.node, f.stock_point) not in differing]
    await _agree(connection, agreeing, now)
    corrected, last = await _corrected(connection)
    states = [await _settle(connection, drift, now) for drift in drifts + corrected]
    if own:
        states += [await _of_hub(connection, drift, now) for drift in await verify_stock(connection)]
        for forgotten in FORGOTTEN:
            await connection.execute(forgotten, now - KEPT_FOR)
    run = Run(len(stated), len(states), states.count("repaired"), states.count("raised"))
    if stated or states or own:
        await connection.execute(LOG, now, now, *run, last)
    return run


async def _of_shelves(connection: PooledConnection, stated: Sequence[Stated], now: datetime) -> list[Found]:
    """Nodes that are not believed, and books that keep stock of their own, against our ledger as of their moment."""
    places = [(f.item, f.node, f.as_of) for f in stated]
    ours = await figures.balances_at(connection, places)
    off = [at for at, figure in enumerate(stated) if figure.quantity != ours[at]]
    moves = await figures.moves_around(connection, [places[at] for at in off])
    asked = await figures.asked_of(connection, [places[at] for at in off], now)
    found = []
    for position, at in enumerate(off):
        figure = stated[at]
        verdict = of_shelf(figure.quantity, ours[at], figure.as_of, moves[position], asked[position])
        if verdict is not None:
            ours_lost = verdict.kind is DriftClass.LOST and bool(asked[position]) and figure.quantity < ours[at]
            found.append(_found(figure, ours[at], verdict, "pull_status" if ours_lost else _ask(verdict)))
    return found


async def _of_channels(connection: PooledConnection, stated: Sequence[Stated]) -> list[Found]:
    told = await figures.told_levels(connection, [(f.item, f.stock_point) for f in stated])
    found = []
    for figure, was_told in zip(stated, told, strict=True):
        verdict = of_channel(figure.quantity, was_told, figure.as_of)
        if verdict is not None:
            action = "wait" if verdict.kind is DriftClass.LATE else "retell"
            found.append(_found(figure, was_told.sent or 0, verdict, action))
    return found


def _ask(verdict: Verdict) -> str:
    return "wait" if verdict.kind is DriftClass.LATE else "ask"


def _found(figure: Stated, ours: int, verdict: Verdict, action: str) -> Found:
    return Found(
        merchant=figure.merchant,
        party=figure.party,
        source=figure.source,
        item=figure.item,
        node=figure.node,
        stock_point=figure.stock_point,
        figure="stock",
        theirs=figure.quantity,
        ours=ours,
        kind=verdict.kind,
        because=verdict.because,
        action=action,
        place=figure.place,
        sku=figure.sku,
        as_of=figure.as_of,
    )


async def _corrected(connection: PooledConnection) -> tuple[list[Found], int]:
    """Levels of masters that moved our balance: drifts that their word has settled already, named all the same."""
    last: int = await connection.fetchval(LAST)
    rows = await connection.fetch(figures.CORRECTED, last, FIGURES)
    places = [(row["item_id"], row["node_id"], row["true_at"]) for row in rows]
    found = []
    for row, moves in zip(rows, await figures.moves_around(connection, places), strict=True):
        others = [move for move in moves if move.cause != row["cause"]]
        verdict = of_shelf(row["delta"], 0, row["true_at"], others)
        if verdict is not None:
            stated = Stated(
                row["merchant"],
                "node",
                row["source"],
                row["item_id"],
                row["sku"],
                row["node_id"],
                0,
                row["code"],
                row["delta"],
                row["true_at"],
            )
            found.append(_found(stated, 0, verdict, "taken_over")._replace(figure=f"ledger:{row['id']}"))
    return found, max([last, *(row["id"] for row in rows)])


async def _of_hub(connection: PooledConnection, drift: Drift, now: datetime) -> str:
    """Our own counter differs from what it is made of: a fault of ours. It is rebuilt, and never hidden."""
    row = await connection.fetchrow("SELECT merchant, sku FROM item WHERE id = $1", drift.item)
    merchant, sku = (row["merchant"], row["sku"]) if row else ("default", f"item {drift.item}")
    place = "all nodes"
    if drift.node is not None:
        place = await connection.fetchval("SELECT code FROM node WHERE id = $1", drift.node) or f"node {drift.node}"
    because = f"the counter {drift.kind} is {drift.kept}, what it is made of comes to {drift.rebuilt}"
    found = Found(
        merchant=merchant,
        party="hub",
        source="hub",
        item=drift.item,
        node=drift.node or 0,
        stock_point=0,
        figure=drift.kind,
        theirs=drift.rebuilt,
        ours=drift.kept,
        kind=DriftClass.WRONG,
        because=because,
        action="rebuild",
        place=place,
        sku=sku,
        as_of=now,
    )
    kept = await _keep(connection, found, "waiting", now)
    if await rebuild(connection, drift):
        await connection.execute(STATE, kept.id, "repaired", now)
        return "repaired"
    return await _raise(connection, found, kept, now)


async def _settle(connection: PooledConnection, found: Found, now: datetime) -> str:
    """Keep a drift and do what it asks for; the state it ends in."""
    if found.action == "taken_over":
        kept = await _keep(connection, found, "repaired", now)
        await connection.execute(STATE, kept.id, "repaired", now)
        return "repaired"
    kept = await _keep(connection, found, "waiting", now)
    if found.action == "wait":
        return "waiting"
    if found.action == "ask" or kept.times > STUBBORN:
        return await _raise(connection, found, kept, now)
    await act(connection, found.merchant, found.action, found.item, found.node, found.stock_point, found.theirs)
    await connection.execute(STATE, kept.id, "repaired", None)
    return "repaired"


async def act(
    connection: PooledConnection, merchant: str, action: str, item: int, node: int, stock_point: int, theirs: int
) -> None:
    """Do an action that may be done any number of times: tell a channel again, ask a node anew."""
    if action == "retell":
        await connection.execute(RETELL, stock_point, item, theirs)
    elif action == "pull_status":
        await connection.execute(PULL_STATUS, node, merchant)


async def _keep(connection: PooledConnection, found: Found, state: str, now: datetime) -> Kept:
    row = await connection.fetchrow(
        KEEP,
        found.merchant,
        found.party,
        found.source,
        found.item,
        found.node,
        found.stock_point,
        found.figure,
        found.theirs,
        found.ours,
        found.kind.value,
        found.because,
        found.action,
        state,
        found.as_of,
        now,
    )
    assert row is not None
    return Kept(row["id"], row["count"])


async def _raise(connection: PooledConnection, found: Found, kept: Kept, now: datetime) -> str:
    step = (
        f"{found.source} says {found.theirs}, we say {found.ours} ({found.kind.value}: {found.because}). Have it "
        f"counted, then repair drift {kept.id} (POST /api/v1/reconciliation/{kept.id}/repair) or dismiss it there."
    )
    cause = f"{found.source}: {found.sku} at {found.place}"
    trouble = Trouble("stock_drift", cause, step, waiter=("drift", str(kept.id)))
    await raise_troubles(connection, [(found.merchant, None, trouble)], now)
    await connection.execute(STATE, kept.id, "raised", None)
    return "raised"


async def _agree(connection: PooledConnection, stated: Sequence[Stated], now: datetime) -> None:
    """These figures agree: what was open of them is over, and so is its exception."""
    if not stated:
        return
    keys = [(f.merchant, f.source, f.item, f.node, f.stock_point) for f in stated]
    await close(connection, [row["id"] for row in await connection.fetch(GONE, *zip(*keys, strict=True), now)])


async def close(connection: PooledConnection, drifts: Sequence[int]) -> None:
    """Nobody has to be told of these any more."""
    if drifts:
        refs = [str(drift) for drift in drifts]
        await leave(connection, "drift", await connection.fetch(OF_DRIFTS, refs))
