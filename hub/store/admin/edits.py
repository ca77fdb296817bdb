"""A message that nobody could read is corrected by a person: the original stays, a copy that names it goes the path."""

import hashlib
from datetime import datetime

from hub.store.admin.errors import Conflict, Missing
from hub.store.admin.messages import Stored
from hub.store.auto_close import leave_messages
from hub.store.database import PooledConnection
from hub.store.inbox import Arrival, finish, store_arrivals

KEY = "edited:{origin}:{digest}"
"""Key of a copy: the same correction twice is one message."""


async def edit_message(
    connection: PooledConnection,
    stored: Stored,
    *,
    body: bytes,
    lane: str,
    author: str,
    reason: str,
    now: datetime,
) -> int:
    """Store a corrected copy and queue it; its number. What was parked of the original waits no more.

    The same body as the original's is refused (`Conflict`): that is a replay. A copy may be corrected again; it names
    the message that it was made from.
    """
    origin = await connection.fetchrow("SELECT * FROM message WHERE id = $1 FOR UPDATE", stored.number)
    if origin is None:
        raise Missing(f"no message in-{stored.number}")
    if origin["body"] == body:
        raise Conflict("nothing-edited", f"The payload is the one of in-{stored.number}; replay it instead")
    digest = hashlib.blake2b(body, digest_size=16).digest()
    arrival = Arrival(
        account=origin["account_id"],
        key=KEY.format(origin=stored.number, digest=digest.hex()),
        hash=digest,
        merchant=origin["merchant"],
        connection=origin["connection_id"],
        topic=origin["topic"],
        object=origin["object"],
        lane=lane,
        received_at=now,
        headers=origin["headers"],
        body=body,
    )
    ((number, new),) = await store_arrivals(connection, [arrival], now)
    if new:
        await connection.execute(
            "UPDATE message SET edited_from = $2, edited_by = $3, edit_reason = $4 WHERE id = $1",
            number,
            stored.number,
            author,
            reason,
        )
        await finish(connection, [stored.number])
        await leave_messages(connection, [stored.number])
    return number
