"""Take a stored message along the path again: the same bytes, today's mapping, the same version checks."""

from typing import Final

from hub.store.database import PooledConnection

FIND: Final = "SELECT id, received_on, account_id, connection_id, topic, object FROM message WHERE id = $1"
QUEUE: Final = (
    "INSERT INTO inbox (id, received_on, lane, account_id, object, due_at) VALUES ($1, $2, $3, $4, $5, now()) "
    "ON CONFLICT (id) DO UPDATE SET parked = false, due_at = now(), tries = 0"
)


async def replay(connection: PooledConnection, message: int, lane: str | None = None) -> bool:
    """Queue a message again; False when there is none. Its lane is the one it had unless one is given."""
    row = await connection.fetchrow(FIND, message)
    if row is None:
        return False
    where = lane or await connection.fetchval("SELECT lane FROM inbox WHERE id = $1", message) or "orders"
    await connection.execute(QUEUE, row["id"], row["received_on"], where, row["account_id"], row["object"])
    return True
