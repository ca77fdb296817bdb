"""Numbers that are given out once, in Postgres: durable before they are used, never given again."""

from typing import Final

from hub.sdk.numbers import Numbered
from hub.store.database import Database

HELD: Final = "SELECT number, taken_at FROM control_number WHERE account_id = $1 AND series = $2 AND key = $3"
# Two at once wait for each other here, so that the highest number is the last that was given.
ALONE: Final = "SELECT pg_advisory_xact_lock(hashtextextended('control_number:' || $1, 0))"
NEXT: Final = (
    "INSERT INTO control_number (account_id, series, number, key) "
    "SELECT $1, $2, coalesce(max(number), 0) + 1, $3 FROM control_number WHERE account_id = $1 AND series = $2 "
    "RETURNING number, taken_at"
)
HOLDER: Final = "SELECT key FROM control_number WHERE account_id = $1 AND series = $2 AND number = $3"


class StoredNumbers:
    """See `hub.sdk.numbers.Numbers`: the counters of one account."""

    def __init__(self, database: Database, account: int) -> None:
        self._database = database
        self._account = account

    async def take(self, series: str, key: str) -> Numbered:
        """See `Numbers.take`."""
        async with self._database.transaction() as connection:
            held = await connection.fetchrow(HELD, self._account, series, key)
            if held is None:
                await connection.execute(ALONE, f"{self._account}:{series}")
                held = await connection.fetchrow(HELD, self._account, series, key)
            if held is None:
                held = await connection.fetchrow(NEXT, self._account, series, key)
        assert held is not None
        return Numbered(number=held["number"], at=held["taken_at"])

    async def holder(self, series: str, number: int) -> str | None:
        """See `Numbers.holder`."""
        async with self._database.connection() as connection:
            key: str | None = await connection.fetchval(HOLDER, self._account, series, number)
        return key
