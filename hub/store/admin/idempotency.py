"""`Idempotency-Key`: the answer to a write is kept with its effect, in one transaction."""

from typing import NamedTuple

from hub.store.database import PooledConnection


class Kept(NamedTuple):
    """The answer that the first request under a key got."""

    request_hash: bytes
    status: int
    content_type: str
    body: bytes


async def begin(connection: PooledConnection, token: str, key: str, request_hash: bytes) -> Kept | None:
    """Claim a key, or return the answer given under it. Waits for a request with the same key that is under way."""
    claimed = await connection.fetchval(
        "INSERT INTO idempotency (token_id, key, request_hash) VALUES ($1, $2, $3) "
        "ON CONFLICT DO NOTHING RETURNING true",
        token,
        key,
        request_hash,
    )
    if claimed:
        return None
    kept = await find(connection, token, key)
    assert kept is not None
    return kept


async def find(connection: PooledConnection, token: str, key: str) -> Kept | None:
    """The answer that was given under a key; None for one that is new, or whose request is under way."""
    row = await connection.fetchrow(
        "SELECT request_hash, status, content_type, body FROM idempotency WHERE token_id = $1 AND key = $2", token, key
    )
    return None if row is None else Kept(row["request_hash"], row["status"], row["content_type"], row["body"])


async def keep(connection: PooledConnection, token: str, key: str, status: int, content_type: str, body: bytes) -> None:
    """Store the answer with what it answers."""
    await connection.execute(
        "UPDATE idempotency SET status = $3, content_type = $4, body = $5 WHERE token_id = $1 AND key = $2",
        token,
        key,
        status,
        content_type,
        body,
    )
