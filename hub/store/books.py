"""What ledgers hold, compared with what was posted: differences are kept, raised, and posted again under their key."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from hub.domain.facts import BookedDocument, BooksReported
from hub.flow.books import BookDrift, Found, Posted, compare, shown_as
from hub.flow.trouble import Trouble
from hub.store.database import PooledConnection
from hub.store.troubles import leave, raise_troubles

DAY_READ: Final = (
    "INSERT INTO ledger_day (connection_id, dated, read_at) VALUES ($1, $2, $3) ON CONFLICT (connection_id, dated) "
    "DO UPDATE SET read_at = EXCLUDED.read_at WHERE ledger_day.read_at <= EXCLUDED.read_at RETURNING 1"
)
CLEAR: Final = "DELETE FROM ledger_document WHERE connection_id = $1 AND dated = $2"
KEEP: Final = (
    "INSERT INTO ledger_document (connection_id, kind, number, reference, amount, currency, dated) "
    "SELECT $1, u.kind, u.number, u.reference, u.amount, u.currency, $2 FROM unnest($3::text[], $4::text[], "
    "$5::text[], $6::bigint[], $7::text[]) AS u(kind, number, reference, amount, currency) "
    "ON CONFLICT (connection_id, kind, number) DO UPDATE SET reference = EXCLUDED.reference, "
    "amount = EXCLUDED.amount, currency = EXCLUDED.currency, dated = EXCLUDED.dated"
)
OF_DAY: Final = "SELECT number, key, kind, amount, currency FROM posting WHERE connection_id = $1 AND dated = $2"
OF_NUMBERS: Final = (
    "SELECT number, key, kind, amount, currency FROM posting WHERE connection_id = $1 AND number = ANY($2::text[])"
)
ELSEWHERE: Final = (
    "SELECT number FROM ledger_document WHERE connection_id = $1 AND dated <> $2 AND number = ANY($3::text[])"
)
# Reference of ours: an order id, with something after it. What is still on its way is no difference.
OURS: Final = (
    "SELECT upper(r.reference) FROM unnest($1::text[]) AS r(reference) WHERE EXISTS (SELECT 1 FROM customer_order o "
    "WHERE o.id = left(upper(r.reference), 20)) AND NOT EXISTS (SELECT 1 FROM outbox b JOIN effect e ON e.id = b.id "
    "WHERE e.order_id = left(upper(r.reference), 20) AND b.connection_id = $2 AND NOT b.parked)"
)
RAISE: Final = (
    "INSERT INTO book_drift AS d (merchant, connection_id, kind, number, key, class, ours, theirs, currency, dated, "
    "state, found_at, last_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'raised', $11, $11) "
    "ON CONFLICT (connection_id, kind, number) WHERE closed_at IS NULL DO UPDATE SET class = EXCLUDED.class, "
    "ours = EXCLUDED.ours, theirs = EXCLUDED.theirs, state = 'raised', count = d.count + 1, last_at = EXCLUDED.last_at "
    "RETURNING d.id"
)
# The last word about each document: a person's stands as long as both sides stay as they were.
DISMISSED: Final = (
    "UPDATE book_drift d SET count = d.count + 1, last_at = $8 FROM (SELECT DISTINCT ON (b.connection_id, b.kind, "
    "b.number) b.id, u.class, u.ours, u.theirs, u.currency FROM unnest($2::text[], $3::text[], $4::text[], "
    "$5::bigint[], $6::bigint[], $7::text[]) AS u(kind, number, class, ours, theirs, currency) JOIN book_drift b "
    "ON b.connection_id = $1 AND b.kind = u.kind AND b.number = u.number "
    "ORDER BY b.connection_id, b.kind, b.number, b.id DESC) n WHERE d.id = n.id AND d.state = 'dismissed' "
    "AND (d.class, d.currency) = (n.class, n.currency) AND d.ours IS NOT DISTINCT FROM n.ours "
    "AND d.theirs IS NOT DISTINCT FROM n.theirs RETURNING d.id, d.kind, d.number"
)
GONE: Final = (
    "UPDATE book_drift SET closed_at = coalesce(closed_at, $3), "
    "state = CASE WHEN state = 'posted_again' THEN 'repaired' ELSE 'gone' END WHERE connection_id = $1 AND dated = $2 "
    "AND (closed_at IS NULL OR state = 'dismissed') AND NOT id = ANY($4::bigint[]) RETURNING id"
)
OF_DRIFTS: Final = (
    "SELECT e.id, w.ref FROM exception_waiter w JOIN exception e ON e.id = w.exception_id WHERE w.what = 'book_drift' "
    "AND w.ref = ANY($1::text[]) AND e.closed_at IS NULL ORDER BY e.merchant, e.kind, e.cause FOR UPDATE OF e"
)
EFFECT: Final = "SELECT id, connection_id, subject FROM effect WHERE connection_id = $1 AND key = $2"
AGAIN: Final = (
    "INSERT INTO outbox AS o (id, connection_id, subject, due_at, tries, look_first) VALUES ($1, $2, $3, now(), "
    "coalesce((SELECT max(no) FROM attempt WHERE effect_id = $1), 0), true) "
    "ON CONFLICT (id) DO UPDATE SET parked = false, due_at = now(), look_first = true"
)
STATE: Final = "UPDATE book_drift SET state = $2, closed_at = $3 WHERE id = $1"
GRACE: Final = timedelta(minutes=5)
"""What was posted while the ledger was being read is compared the next time."""

NEXT_STEPS: Final = {
    BookDrift.MISSING_THERE: "The ledger accepted it and holds it no more: post it again under its key",
    BookDrift.MISSING_HERE: "Somebody booked it there under our reference: take it back there, or dismiss",
    BookDrift.DOUBLED: "Take one of the two back in the ledger, then dismiss or wait for the next comparison",
    BookDrift.AMOUNT: "Correct the amount in the ledger, or dismiss if it is right",
}


async def compare_books(
    connection: PooledConnection, merchant: str, ledger: str, fact: BooksReported, now: datetime
) -> None:
    """Keep what a ledger holds of a day, and compare it with what was posted. An older word changes nothing.

    A difference that a person dismissed is raised again when its figures change, or when it was gone in between.
    """
    if await connection.fetchval(DAY_READ, ledger, fact.day, fact.at) is None:
        return
    await connection.execute(CLEAR, ledger, fact.day)
    held = await _of_ours(connection, ledger, fact.documents)
    rows = [(one.kind, one.number, one.reference, one.amount, one.currency) for one in held]
    if rows:
        await connection.execute(KEEP, ledger, fact.day, *map(list, zip(*rows, strict=True)))
    found = await _found(connection, ledger, fact.day, fact.at - GRACE, held)
    stand = await _dismissed(connection, ledger, found, now)
    ids = list(stand.values())
    for one in found:
        if (one.kind, one.number) not in stand:
            ids.append(await _raise(connection, merchant, ledger, fact.day, one, now))
    await close(connection, [row["id"] for row in await connection.fetch(GONE, ledger, fact.day, now, ids)])


async def _of_ours(
    connection: PooledConnection, ledger: str, documents: Sequence[BookedDocument]
) -> list[BookedDocument]:
    """Documents that we posted, or that bear a reference of ours; a ledger holds others' too."""
    references = [one.reference for one in documents if one.reference]
    ours = {row[0] for row in await connection.fetch(OURS, references, ledger)}
    numbers = {row["number"] for row in await connection.fetch(OF_NUMBERS, ledger, [one.number for one in documents])}
    return [one for one in documents if one.number in numbers or (one.reference or "").upper() in ours]


async def _found(
    connection: PooledConnection, ledger: str, day: date, at: datetime, held: Sequence[BookedDocument]
) -> list[Found]:
    own = await connection.fetch(OF_DAY + " AND posted_at <= $3", ledger, day, at)
    posted = [Posted(*row) for row in own if shown_as(row["kind"])]
    known = {
        (shown_as(row["kind"]) or "", row["number"]): Posted(*row)
        for row in await connection.fetch(OF_NUMBERS, ledger, [one.number for one in held])
    }
    moved = await connection.fetch(ELSEWHERE, ledger, day, [one.number for one in posted])
    return compare(posted, known, held, {row["number"] for row in moved})


async def _dismissed(
    connection: PooledConnection, ledger: str, found: Sequence[Found], now: datetime
) -> dict[tuple[str, str], int]:
    """Differences that a person dismissed as they are, by (kind, number)."""
    columns = [[one.kind, one.number, one.drift.value, one.ours, one.theirs, one.currency] for one in found]
    rows = await connection.fetch(DISMISSED, ledger, *map(list, zip(*columns, strict=True)), now) if found else ()
    return {(row["kind"], row["number"]): row["id"] for row in rows}


async def _raise(
    connection: PooledConnection, merchant: str, ledger: str, day: date, found: Found, now: datetime
) -> int:
    values = (found.kind, found.number, found.key, found.drift.value, found.ours, found.theirs, found.currency)
    id: int = await connection.fetchval(RAISE, merchant, ledger, *values, day, now)
    step = (
        f"{NEXT_STEPS[found.drift]} (POST /api/v1/books/differences/{id}/repair). We have "
        f"{_told(found.ours, found.currency)}, the ledger has {_told(found.theirs, found.currency)}."
    )
    cause = f"{ledger}: {found.drift.value}: {found.kind} {found.number} of {day}"
    trouble = Trouble("books_differ", cause, step, waiter=("book_drift", str(id)))
    await raise_troubles(connection, [(merchant, None, trouble)], now)
    return id


def _told(amount: int | None, currency: str) -> str:
    return "nothing" if amount is None else f"{amount} {currency} (minor units)"


async def close(connection: PooledConnection, drifts: Sequence[int]) -> None:
    """Nobody has to be told of these any more."""
    if drifts:
        refs = [str(drift) for drift in drifts]
        await leave(connection, "book_drift", await connection.fetch(OF_DRIFTS, refs))


async def post_again(connection: PooledConnection, drift: int, ledger: str, key: str) -> bool:
    """Send a posting again under its key, looking first; False when there is no such effect any more."""
    row = await connection.fetchrow(EFFECT, ledger, key)
    if row is None:
        return False
    await connection.execute(AGAIN, row["id"], row["connection_id"], row["subject"])
    await connection.execute(STATE, drift, "posted_again", None)
    return True
