"""Messages in and out: what came, what went, every try."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

import asyncpg
import msgspec

from hub.store.admin.errors import Conflict, Missing
from hub.store.admin.paging import Cut, Page, encode_cursor
from hub.store.database import PooledConnection

Direction = Literal["in", "out"]
State = Literal["queued", "parked", "done", "refused", "void"]


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One try of sending."""

    no: int
    started_at: datetime
    finished_at: datetime
    outcome: str
    reason: str
    reference: str | None
    """The partner's own id of what it made."""


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """A message."""

    id: str
    direction: Direction
    state: State
    topic: str
    connection: str
    key: str
    """The sender's own id of it, or ours of an effect: the same key is never done twice."""
    object: str | None
    order: str | None
    received_at: datetime
    tries: int
    due_at: datetime | None
    """When it is tried next, while it is queued."""
    last_error: str | None
    attempts: list[AttemptView]
    edited_from: str | None = None
    """The message that a person made this corrected copy of, which is kept as it came."""
    edited_by: str | None = None
    edit_reason: str | None = None
    payload: str | None = None
    """Text, or base64 where it is not text; only for one message at a time, and gone after its retention."""
    payload_encoding: Literal["json", "text", "base64"] | None = None
    headers: dict[str, str] | None = None


# An object is named "<kind>:<id>" or by its id alone; of a fulfilment order, the id begins with its order's.
INBOUND: Final = (
    "SELECT m.id, m.topic, m.connection_id, m.key, m.object, m.received_at, i.id IS NOT NULL AS queued, i.parked, "
    "coalesce(i.tries, 0) AS tries, i.due_at, i.last_error, m.edited_from, m.edited_by, m.edit_reason, "
    "coalesce((SELECT o.id FROM customer_order o WHERE o.account_id = m.account_id "
    "AND o.external_id = ANY(ARRAY[m.object, split_part(m.object, ':', 2)]) LIMIT 1), "
    "(SELECT o.id FROM customer_order o WHERE o.id = regexp_replace(split_part(m.object, ':', 2), '-[0-9]+$', ''))) "
    "AS order_id"
)
OUTBOUND: Final = (
    "SELECT e.id, e.kind AS topic, e.connection_id, e.key, e.subject AS object, e.order_id, "
    "e.created_at AS received_at, "
    "o.id IS NOT NULL AS queued, o.parked, coalesce(o.tries, 0) AS tries, o.due_at, o.last_error, "
    "NULL::bigint AS edited_from, NULL AS edited_by, NULL AS edit_reason"
)
STATES_IN: Final = {
    "queued": "AND i.id IS NOT NULL AND NOT i.parked ",
    "parked": "AND i.parked ",
    "done": "AND i.id IS NULL ",
    "refused": "AND false ",
    "void": "AND false ",
}
LAST: Final = "(SELECT a.outcome FROM attempt a WHERE a.effect_id = e.id ORDER BY a.no DESC LIMIT 1)"
STATES_OUT: Final = {
    "queued": "AND o.id IS NOT NULL AND NOT o.parked ",
    "parked": "AND o.parked ",
    "done": f"AND o.id IS NULL AND {LAST} = 'done' ",
    "refused": f"AND o.id IS NULL AND {LAST} = 'refused' ",
    "void": f"AND o.id IS NULL AND {LAST} IS NULL ",
}


async def list_messages(
    connection: PooledConnection,
    merchant: str,
    cut: Cut,
    *,
    link: str | None,
    direction: Direction | None,
    state: State | None,
    topic: str | None,
) -> Page[MessageView]:
    """Messages, the newest first; both directions merged by time unless one is asked for."""
    before_in, before_out = cut.after(int | None, int | None)
    found: list[MessageView] = []
    if direction != "out":
        found += await _inbound(connection, merchant, cut.limit + 1, before_in, link, state, topic)
    if direction != "in":
        found += await _outbound(connection, merchant, cut.limit + 1, before_out, link, state, topic)
    found.sort(key=lambda message: (message.received_at, message.direction, _number(message.id)), reverse=True)
    kept = found[: cut.limit]
    if len(found) <= cut.limit:
        return Page(items=kept, next=None)
    last_in = min((_number(m.id) for m in kept if m.direction == "in"), default=before_in)
    last_out = min((_number(m.id) for m in kept if m.direction == "out"), default=before_out)
    return Page(items=kept, next=encode_cursor((last_in, last_out)))


async def _inbound(
    connection: PooledConnection,
    merchant: str,
    limit: int,
    before: int | None,
    link: str | None,
    state: State | None,
    topic: str | None,
) -> list[MessageView]:
    rows = await connection.fetch(
        INBOUND + " FROM message m LEFT JOIN inbox i ON i.id = m.id WHERE m.merchant = $1 "
        "AND ($2::bigint IS NULL OR m.id < $2) AND ($3::text IS NULL OR m.connection_id = $3) "
        "AND ($4::text IS NULL OR m.topic = $4) " + (STATES_IN[state] if state else "") + "ORDER BY m.id DESC LIMIT $5",
        merchant,
        before,
        link,
        topic,
        limit,
    )
    return [_view(row, "in", []) for row in rows]


async def _outbound(
    connection: PooledConnection,
    merchant: str,
    limit: int,
    before: int | None,
    link: str | None,
    state: State | None,
    topic: str | None,
) -> list[MessageView]:
    rows = await connection.fetch(
        OUTBOUND + " FROM effect e LEFT JOIN outbox o ON o.id = e.id WHERE e.merchant = $1 "
        "AND ($2::bigint IS NULL OR e.id < $2) AND ($3::text IS NULL OR e.connection_id = $3) "
        "AND ($4::text IS NULL OR e.kind = $4) " + (STATES_OUT[state] if state else "") + "ORDER BY e.id DESC LIMIT $5",
        merchant,
        before,
        link,
        topic,
        limit,
    )
    return await _with_attempts(connection, rows)


async def of_order(connection: PooledConnection, order: str, messages: Sequence[int]) -> list[MessageView]:
    """The messages that touched an order, and the effects made for it."""
    rows = await connection.fetch(
        INBOUND + " FROM message m LEFT JOIN inbox i ON i.id = m.id WHERE m.id = ANY($1::bigint[])", list(messages)
    )
    effects = await connection.fetch(
        OUTBOUND + " FROM effect e LEFT JOIN outbox o ON o.id = e.id WHERE e.order_id = $1", order
    )
    return [_view(row, "in", []) for row in rows] + await _with_attempts(connection, effects)


async def get_message(connection: PooledConnection, merchant: str, id: str, *, payload: bool) -> MessageView:
    """One message, with what it says if the asker may read it; raises `Missing`."""
    direction, number = split_id(id)
    if direction == "in":
        row = await connection.fetchrow(
            INBOUND + ", m.body, m.headers FROM message m LEFT JOIN inbox i ON i.id = m.id "
            "WHERE m.id = $1 AND m.merchant = $2",
            number,
            merchant,
        )
    else:
        row = await connection.fetchrow(
            OUTBOUND + ", convert_to(e.document, 'UTF8') AS body, NULL AS headers FROM effect e "
            "LEFT JOIN outbox o ON o.id = e.id WHERE e.id = $1 AND e.merchant = $2",
            number,
            merchant,
        )
    if row is None:
        raise Missing(f"no message {id}")
    (found,) = [_view(row, "in", [])] if direction == "in" else await _with_attempts(connection, [row])
    if not payload or row["body"] is None:
        return found
    text, encoding = readable(row["body"])
    headers = msgspec.json.decode(row["headers"], type=dict[str, str]) if row["headers"] else None
    return msgspec.structs.replace(found, payload=text, payload_encoding=encoding, headers=headers)


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay needs to know of an inbound message."""

    number: int
    connection: str
    topic: str


async def find_inbound(connection: PooledConnection, merchant: str, number: int) -> Stored:
    """An inbound message that still has its bytes; raises `Missing` and `Conflict`."""
    row = await connection.fetchrow(
        "SELECT connection_id, topic, body IS NULL AS gone FROM message WHERE id = $1 AND merchant = $2",
        number,
        merchant,
    )
    if row is None:
        raise Missing(f"no message in-{number}")
    if row["gone"]:
        raise Conflict("payload-gone", "The message's bytes are past their retention; pull the object again instead")
    return Stored(number=number, connection=row["connection_id"], topic=row["topic"])


async def replay_outbound(connection: PooledConnection, merchant: str, number: int) -> None:
    """Repeat an effect under the same key: the partner is asked first whether it has it. Raises as `find_inbound`."""
    effect = await connection.fetchrow(
        "SELECT e.connection_id, e.subject, o.id IS NOT NULL AS queued, e.kind = 'PostStock' AND NOT EXISTS "
        "(SELECT FROM stock_posting p WHERE p.connection_id = e.connection_id AND p.key = e.key) AS forgotten, "
        "(SELECT count(*) FROM attempt a WHERE a.effect_id = e.id) AS tries "
        "FROM effect e LEFT JOIN outbox o ON o.id = e.id WHERE e.id = $1 AND e.merchant = $2",
        number,
        merchant,
    )
    if effect is None:
        raise Missing(f"no message out-{number}")
    if effect["forgotten"]:
        raise Conflict("payload-gone", "What the document was made of is past its retention; the ledger has had it")
    if not effect["queued"] and not effect["tries"]:
        raise Conflict("taken-back", "The effect was taken back before anybody was told; there is nothing to repeat")
    await connection.execute(
        "INSERT INTO outbox AS o (id, connection_id, subject, due_at, tries, look_first) "
        "VALUES ($1, $2, $3, now(), $4, true) "
        "ON CONFLICT (id) DO UPDATE SET parked = false, due_at = now(), look_first = o.look_first OR o.tries > 0",
        number,
        effect["connection_id"],
        effect["subject"],
        effect["tries"],
    )


def split_id(id: str) -> tuple[Direction, int]:
    """Direction and number of a message's id: "in-12", "out-7"; a bare number came in. Raises `Missing`."""
    word, _, number = id.rpartition("-")
    if word not in ("", "in", "out") or not (number.isascii() and number.isdigit()) or len(number) > 18:
        raise Missing(f"no message {id!r}; ids read in-12 or out-7")
    return "out" if word == "out" else "in", int(number)


def readable(body: bytes) -> tuple[str, Literal["json", "text", "base64"]]:
    """A body as text: itself when it is JSON or other text, base64 otherwise."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), "base64"
    try:
        msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return text, "text"
    return text, "json"


def _number(id: str) -> int:
    return int(id.rpartition("-")[2])


async def _with_attempts(connection: PooledConnection, rows: Sequence[asyncpg.Record]) -> list[MessageView]:
    tries: dict[int, list[AttemptView]] = {row["id"]: [] for row in rows}
    for row in await connection.fetch(
        "SELECT * FROM attempt WHERE effect_id = ANY($1::bigint[]) ORDER BY effect_id, no", list(tries)
    ):
        tries[row["effect_id"]].append(
            AttemptView(
                no=row["no"],
                started_at=row["started_at"],
                finished_at=row["finished_at"],
                outcome=row["outcome"],
                reason=row["reason"],
                reference=row["reference"],
            )
        )
    return [_view(row, "out", tries[row["id"]]) for row in rows]


def _view(row: asyncpg.Record, direction: Direction, attempts: list[AttemptView]) -> MessageView:
    return MessageView(
        id=f"{direction}-{row['id']}",
        direction=direction,
        state=_state(row, direction, attempts),
        topic=row["topic"],
        connection=row["connection_id"],
        key=row["key"],
        object=row["object"],
        order=row["order_id"],
        received_at=row["received_at"],
        tries=row["tries"],
        due_at=row["due_at"] if row["queued"] and not row["parked"] else None,
        last_error=row["last_error"],
        attempts=attempts,
        edited_from=f"in-{row['edited_from']}" if row["edited_from"] else None,
        edited_by=row["edited_by"],
        edit_reason=row["edit_reason"],
    )


def _state(row: asyncpg.Record, direction: Direction, attempts: list[AttemptView]) -> State:
    if row["queued"]:
        return "parked" if row["parked"] else "queued"
    if direction == "in":
        return "done"
    if not attempts:
        return "void"
    return "refused" if attempts[-1].outcome == "refused" else "done"
