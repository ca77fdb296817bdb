"""What a person must know of, one row per cause, and trying again what waits for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

import asyncpg
import msgspec

from hub.flow.exception_rules import ANY, ExceptionRules, Severity, load_exception_rules
from hub.flow.hold import NEXT_STEPS
from hub.flow.waiting import SHORTAGE, UNDECIDED, UNROUTABLE
from hub.store import availability, inbox, outbox
from hub.store.admin.errors import Conflict, Missing
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection
from hub.store.replay import replay


class ExceptionView(msgspec.Struct, frozen=True, kw_only=True):
    """An exception: one cause, however many orders it stops."""

    id: str
    kind: str
    cause: str
    next_step: str
    state: Literal["open", "closed"]
    order: str | None
    """The first order it concerned."""
    connection: str | None
    external_id: str | None
    count: int
    opened_at: datetime
    since: datetime
    """When the cause began: earlier than the opening where it came back after a try that mended nothing."""
    retries: int
    """How often it came back so."""
    last_at: datetime
    owner: str | None
    """The person who took it; until then it is its team's."""
    snoozed_until: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    resolution: str | None
    waiting: int
    """Messages, effects and orders that are tried again when it closes."""


class RankedException(ExceptionView, frozen=True, kw_only=True):
    """An exception with what the rules of its kind say."""

    severity: Severity
    team: str
    due_at: datetime
    """By when somebody should have seen to it."""
    age_seconds: int
    """From its beginning to its end, or to now."""
    overdue: bool
    """Open, past its time, and nobody set it aside until later."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which exceptions of a list; None is any."""

    kind: str | None = None
    state: str | None = None
    connection: str | None = None
    order: str | None = None
    severity: str | None = None
    team: str | None = None
    owner: str | None = None
    """A person, or "nobody"."""
    overdue: bool | None = None
    snoozed: bool | None = None


OF_QUEUES: Final = frozenset({"unknown_sku", SHORTAGE, UNROUTABLE, UNDECIDED})
"""Kinds whose orders wait in a named queue, and raise nothing as long as they wait there."""

NOBODY: Final = "nobody"
RANKED: Final = (
    "SELECT * FROM (SELECT e.*, r.severity, r.team, e.since + make_interval(hours => r.hours) AS due_at, "
    "coalesce(e.snoozed_until > $2, false) AS asleep, "
    "(SELECT count(*) FROM exception_waiter w WHERE w.exception_id = e.id) AS waiting FROM exception e "
    "CROSS JOIN LATERAL (SELECT * FROM unnest($3::text[], $4::text[], $5::int[], $6::text[]) "
    "WITH ORDINALITY AS u(name, severity, hours, team, n) WHERE CASE WHEN right(u.name, 1) = '*' "
    "THEN starts_with(e.kind, left(u.name, -1)) ELSE e.kind = u.name END ORDER BY n LIMIT 1) r "
    "WHERE e.merchant = $1) e "
)
MATCHING: Final = (
    "WHERE ($7::text IS NULL OR e.kind = $7) AND ($8::text IS NULL OR (e.closed_at IS NULL) = ($8 = 'open')) "
    "AND ($9::text IS NULL OR e.connection_id = $9) AND ($10::text IS NULL OR e.order_id = $10 OR EXISTS (SELECT 1 "
    "FROM exception_waiter w WHERE w.exception_id = e.id AND w.what = 'order' AND w.ref = $10)) "
    "AND ($11::text IS NULL OR e.severity = $11) AND ($12::text IS NULL OR e.team = $12) "
    f"AND ($13::text IS NULL OR e.owner IS NOT DISTINCT FROM nullif($13, '{NOBODY}')) "
    "AND ($14::bool IS NULL OR (e.closed_at IS NULL AND NOT e.asleep AND e.due_at < $2) = $14) "
    "AND ($15::bool IS NULL OR (e.closed_at IS NULL AND e.asleep) = $15) "
)


def _ranking(merchant: str, rules: ExceptionRules, now: datetime) -> tuple[object, ...]:
    named = [*rules.ordered(), (ANY, rules.default)]
    return (
        merchant,
        now,
        [name for name, _ in named],
        [rule.severity.value for _, rule in named],
        [rule.sla_hours for _, rule in named],
        [rule.team for _, rule in named],
    )


async def rules_of(connection: PooledConnection, merchant: str, shipped: str) -> ExceptionRules:
    """The merchant's own active rules, or the shipped ones."""
    own = await connection.fetchval(
        "SELECT text FROM policy WHERE merchant = $1 AND kind = 'exceptions' AND state = 'active'", merchant
    )
    return load_exception_rules(own or shipped)


async def list_exceptions(
    connection: PooledConnection,
    merchant: str,
    cut: Cut,
    wanted: Wanted,
    *,
    rules: ExceptionRules,
    now: datetime,
    soonest: bool = False,
) -> Page[RankedException]:
    """Exceptions, the newest first, or those first that are due the soonest."""
    due, before = cut.after(datetime, int) if soonest else (None, *cut.after(int))
    after, order = (
        ("(e.due_at, e.id) > ($16::timestamptz, $17)", "e.due_at, e.id")
        if soonest
        else ("$16::timestamptz IS NULL AND e.id < $17", "e.id DESC")
    )
    rows = await connection.fetch(
        RANKED + MATCHING + f"AND ($17::bigint IS NULL OR {after}) ORDER BY {order} LIMIT $18",
        *_ranking(merchant, rules, now),
        *msgspec.structs.astuple(wanted),
        due,
        before,
        cut.limit + 1,
    )
    return page(
        [_ranked(row, now) for row in rows],
        cut,
        lambda found: (found.due_at, int(found.id)) if soonest else (int(found.id),),
    )


async def of_orders(connection: PooledConnection, orders: Sequence[str]) -> dict[str, list[ExceptionView]]:
    """Exceptions by order, of those that name it or that it waits for."""
    rows = await connection.fetch(
        "SELECT u.id AS of_order, e.*, 0 AS waiting FROM unnest($1::text[]) AS u(id) JOIN exception e "
        "ON e.order_id = u.id OR e.id IN (SELECT w.exception_id FROM exception_waiter w "
        "WHERE w.what = 'order' AND w.ref = u.id) ORDER BY e.id",
        list(orders),
    )
    found: dict[str, list[ExceptionView]] = {order: [] for order in orders}
    for row in rows:
        found[row["of_order"]].append(_view(row))
    return found


async def get_exception(
    connection: PooledConnection, merchant: str, id: str, *, rules: ExceptionRules, now: datetime
) -> RankedException:
    """One exception; raises `Missing`."""
    row = await connection.fetchrow(RANKED + "WHERE e.id = $7", *_ranking(merchant, rules, now), _number(id))
    if row is None:
        raise Missing(f"no exception {id}")
    return _ranked(row, now)


async def open_ones(
    connection: PooledConnection, merchant: str, ids: Sequence[str], *, lock: bool = True
) -> dict[int, str]:
    """Open exceptions, locked in the order in which everybody locks them: id -> kind. Raises `Missing`, `Conflict`."""
    numbers = [_number(id) for id in ids]
    rows = await connection.fetch(
        "SELECT id, kind, closed_at, closed_by FROM exception WHERE merchant = $1 AND id = ANY($2::bigint[]) "
        "ORDER BY merchant, kind, cause, id" + (" FOR UPDATE" if lock else ""),
        merchant,
        numbers,
    )
    known = {row["id"]: row["kind"] for row in rows}
    for number in numbers:
        if number not in known:
            raise Missing(f"no exception {number}")
    for row in rows:
        if row["closed_at"] is not None:
            raise Conflict(
                "already-closed", f"Exception {row['id']} was closed by {row['closed_by']} at {row['closed_at']}"
            )
    return known


async def close(
    connection: PooledConnection,
    merchant: str,
    ids: Sequence[str],
    *,
    who: str,
    now: datetime,
    retry: bool,
    resolution: str | None = None,
) -> None:
    """Close exceptions; with `retry`, what waits for them goes on, and opens them anew if nothing was mended.

    Those of orders in a named queue are tried again and stay open: they close with the last order that leaves it.
    Raises as `open_ones`. What waits is locked first and exceptions last, as handlers do it.
    """
    if retry:
        await retry_all(connection, await open_ones(connection, merchant, ids, lock=False), now)
    kinds = await open_ones(connection, merchant, ids)
    stay = [number for number, kind in kinds.items() if retry and kind in OF_QUEUES]
    await connection.execute("UPDATE exception SET retries = retries + 1 WHERE id = ANY($1::bigint[])", stay)
    ended = [number for number in kinds if number not in stay]
    await close_all(connection, ended, who=who, now=now, retried=retry, resolution=resolution)


async def close_all(
    connection: PooledConnection,
    ids: Sequence[int],
    *,
    who: str,
    now: datetime,
    retried: bool = False,
    resolution: str | None = None,
) -> None:
    """Close exceptions."""
    await connection.execute(
        "UPDATE exception SET closed_at = $2, closed_by = $3, retried = $4, resolution = $5 "
        "WHERE id = ANY($1::bigint[]) AND closed_at IS NULL",
        list(ids),
        now,
        who,
        retried,
        resolution,
    )


async def assign(connection: PooledConnection, merchant: str, id: str, owner: str | None) -> None:
    """Somebody takes an open exception, or gives it back to its team."""
    await open_ones(connection, merchant, [id])
    await connection.execute("UPDATE exception SET owner = $2 WHERE id = $1", _number(id), owner)


async def snooze(connection: PooledConnection, merchant: str, id: str, until: datetime | None) -> None:
    """Set an open exception aside until a time; what waits for it waits on. None wakes it."""
    await open_ones(connection, merchant, [id])
    await connection.execute("UPDATE exception SET snoozed_until = $2 WHERE id = $1", _number(id), until)


async def retry_all(connection: PooledConnection, kinds: dict[int, str], now: datetime) -> None:
    """Try again what waits for these exceptions: id -> kind."""
    waiters = await connection.fetch(
        "SELECT exception_id, what, ref FROM exception_waiter WHERE exception_id = ANY($1::bigint[])", list(kinds)
    )
    messages = [int(row["ref"]) for row in waiters if row["what"] == "message"]
    effects = [int(row["ref"]) for row in waiters if row["what"] == "effect"]
    orders = sorted({row["ref"] for row in waiters if row["what"] == "order"})
    levels = [row["ref"] for row in waiters if row["what"] == "levels"]
    asked = sorted(
        {row["ref"] for row in waiters if row["what"] == "order" and _asks_again(kinds[row["exception_id"]])}
    )
    if messages:
        await inbox.unpark(connection, messages)
    if effects:
        await outbox.unpark(connection, effects)
    if levels:
        await availability.try_again(connection, levels)
    await connection.execute("UPDATE waiting SET due_at = $2 WHERE order_id = ANY($1::text[])", orders, now)
    await read_again(connection, asked)


def _asks_again(kind: str) -> bool:
    """Whether a snapshot raised it: then the stored snapshot is read again, under today's mapping."""
    return kind in NEXT_STEPS or kind.startswith("unmapped_")


async def read_again(connection: PooledConnection, orders: Sequence[str]) -> None:
    """Queue the message behind each order's newest revision again."""
    rows = await connection.fetch(
        "SELECT DISTINCT ON (order_id) order_id, message_id FROM order_revision WHERE order_id = ANY($1::text[]) "
        "ORDER BY order_id, no DESC",
        list(orders),
    )
    for row in rows:
        if row["message_id"] is not None:
            await replay(connection, row["message_id"])


async def open_of_connection(connection: PooledConnection, merchant: str, link: str) -> list[asyncpg.Record]:
    """Open exceptions of a connection: id, kind, cause."""
    rows: list[Any] = await connection.fetch(
        "SELECT id, kind, cause FROM exception WHERE merchant = $1 AND closed_at IS NULL "
        "AND (connection_id = $2 OR cause LIKE $2 || ':%')",
        merchant,
        link,
    )
    return rows


def _number(id: str) -> int:
    if not (id.isascii() and id.isdigit()) or len(id) > 18:
        raise Missing(f"no exception {id!r}")
    return int(id)


def _view(row: asyncpg.Record) -> ExceptionView:
    return ExceptionView(**_shown(row))


def _ranked(row: asyncpg.Record, now: datetime) -> RankedException:
    due: datetime = row["due_at"]
    return RankedException(
        **_shown(row),
        severity=Severity(row["severity"]),
        team=row["team"],
        due_at=due,
        age_seconds=max(0, int(((row["closed_at"] or now) - row["since"]).total_seconds())),
        overdue=row["closed_at"] is None and not row["asleep"] and due < now,
    )


def _shown(row: asyncpg.Record) -> dict[str, Any]:
    same = "kind cause next_step external_id count opened_at since retries last_at owner snoozed_until closed_at"
    return {key: row[key] for key in (*same.split(), "closed_by", "resolution", "waiting")} | {
        "id": str(row["id"]),
        "state": "open" if row["closed_at"] is None else "closed",
        "order": row["order_id"],
        "connection": row["connection_id"],
    }
