"""Everything that happened to an order, in one list."""

from datetime import datetime
from typing import Literal

import msgspec

from hub.store.admin.messages import MessageView, of_order
from hub.store.database import PooledConnection


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """One entry: something that happened here, a message that came in, or one that goes out, with its tries."""

    at: datetime
    entry: Literal["moment", "message_in", "message_out"]
    kind: str
    detail: str
    message: MessageView | None
    """Of messages: state and attempts."""
    message_id: str | None
    """Of moments: what caused it."""


async def read_timeline(connection: PooledConnection, order: str) -> list[EntryView]:
    """An order's timeline by time; what came stands before what it caused."""
    moments = await connection.fetch("SELECT * FROM timeline WHERE order_id = $1 ORDER BY id", order)
    revisions = await connection.fetch("SELECT message_id FROM order_revision WHERE order_id = $1", order)
    numbers = {row["message_id"] for row in (*moments, *revisions) if row["message_id"] is not None}
    messages = await of_order(connection, order, sorted(numbers))
    entries = [
        EntryView(
            at=message.received_at,
            entry="message_in" if message.direction == "in" else "message_out",
            kind=message.topic,
            detail=message.state,
            message=message,
            message_id=message.id,
        )
        for message in messages
    ]
    entries += [
        EntryView(
            at=row["at"],
            entry="moment",
            kind=row["kind"],
            detail=row["detail"],
            message=None,
            message_id=None if row["message_id"] is None else f"in-{row['message_id']}",
        )
        for row in moments
    ]
    rank = {"message_in": 0, "moment": 1, "message_out": 2}
    return sorted(entries, key=lambda entry: (entry.at, rank[entry.entry]))
