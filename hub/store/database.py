"""The hot path's own pool: asyncpg, hand-written statements, one transaction per batch."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import asyncpg

from hub.store.urls import asyncpg_url

if TYPE_CHECKING:
    PooledConnection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    # The driver's classes take parameters in their stubs only.
    PooledConnection, Pool = asyncpg.pool.PoolConnectionProxy, asyncpg.Pool

IDLE_IN_TRANSACTION_MS = 3000
"""A stopped worker's row locks are free after this, and what it did can no longer commit."""

FAULTS: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What using a database may raise. The last is the driver's own, about a connection that broke while it was used."""

_DATA = ("22", "23", "54")
_WEATHER = ("08", "40", "53", "57", "58")


class Database:
    """A pool of connections to one database, made when first used: a process may start before its database does."""

    def __init__(self, url: str, *, size: int = 8, name: str = "crossdock", by_index: bool = False) -> None:
        """`by_index` is for a worker's statements: none of them ever means to read a whole table."""
        self._url = asyncpg_url(url)
        self._by_index = by_index
        self._size = size
        self._name = name
        self._pool: Pool | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> "Database":
        """Connect, or raise what stands in the way (OSError, TimeoutError, asyncpg's own)."""
        async with self._opening:
            if self._pool is None:
                self._pool = await self._connect()
        return self

    async def _connect(self) -> Pool:
        return await asyncpg.create_pool(
            self._url,
            min_size=1,
            max_size=self._size,
            command_timeout=60,
            timeout=5,
            reset=_keep,
            server_settings={
                "application_name": self._name,
                "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
                "timezone": "UTC",
                "jit": "off",
                # Queues are empty one moment and long the next: a plan from the statistics of the empty one reads the
                # long one whole, at every claim.
                **({"enable_seqscan": "off"} if self._by_index else {}),
            },
        )

    async def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), 5)
            except TimeoutError:
                self._pool.terminate()
            self._pool = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PooledConnection]:
        """A connection inside a transaction: committed at the end, rolled back on any error."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[PooledConnection]:
        """A connection outside any transaction, for single statements."""
        if self._pool is None:
            await self.open()
        assert self._pool is not None
        async with self._pool.acquire() as connection:
            yield connection


async def _keep(connection: object) -> None:
    """Leave a session as it is: nothing here changes one, and the driver's reset costs a round trip per use.

    An open transaction is rolled back by the pool itself, before this.
    """


def is_data_fault(error: BaseException) -> bool:
    """Whether a row is to blame: halving the batch finds it."""
    state = getattr(error, "sqlstate", None)
    return isinstance(error, UnicodeEncodeError | asyncpg.DataError) or bool(state and state.startswith(_DATA))


def is_weather(error: BaseException) -> bool:
    """Whether the database or the way to it is to blame: the whole batch is repeated later."""
    if isinstance(error, FAULTS) and not isinstance(error, asyncpg.PostgresError):
        return True
    state = getattr(error, "sqlstate", None)
    return bool(state and state.startswith(_WEATHER))
