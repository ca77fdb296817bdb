"""Databases that stay: emptied between tests instead of made anew, and their sessions are kept.

Making a database and opening a dozen sessions took longer than most tests.
"""

from typing import Final

import asyncpg

from hub.embedded import PostgresEngine, create_database, drop_database
from hub.store.database import Database

LIFE: Final = 60
"""Tests until a database is replaced: emptied tables keep their dead rows for a while."""

PREPARE: Final = """
CREATE SCHEMA IF NOT EXISTS standing;
DO $prepare$
DECLARE
    body text := '';
    found record;
    filled boolean;
BEGIN
    FOR found IN
        SELECT c.oid, c.relname FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    LOOP
        body := body || format('DELETE FROM public.%I;', found.relname);
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', found.relname) INTO filled;
        IF filled THEN
            EXECUTE format('CREATE TABLE standing.%I AS TABLE public.%I', found.relname, found.relname);
            body := body || format('INSERT INTO public.%I OVERRIDING SYSTEM VALUE SELECT * FROM standing.%I;',
                found.relname, found.relname);
        END IF;
    END LOOP;
    FOR found IN SELECT * FROM pg_sequences WHERE schemaname = 'public' LOOP
        body := body || format(
            'PERFORM setval(%L, %s, %L);', format('public.%I', found.sequencename),
            coalesce(found.last_value, found.start_value), found.last_value IS NOT NULL);
    END LOOP;
    EXECUTE format(
        'CREATE FUNCTION standing.empty() RETURNS void LANGUAGE plpgsql AS %L',
        'BEGIN PERFORM set_config(''session_replication_role'', ''replica'', true); ' || body || ' END');
END
$prepare$
"""
"""A function that brings every table and sequence back to what it is now. Neither foreign keys nor triggers stop it."""

SHAPE: Final = """
SELECT (SELECT count(*)::text || '/' || max(oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    || '/' || (SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend')
"""


class Kept(Database):
    """A pool that stays open when its user has done with it."""

    async def close(self) -> None:
        """Leave the sessions for the next user."""

    async def end(self) -> None:
        """Close every session."""
        await super().close()

    @property
    def sessions(self) -> int:
        """How many are open."""
        return 0 if self._pool is None else self._pool.get_size()

    @property
    def busy(self) -> bool:
        """Whether somebody still uses a session."""
        return self._pool is not None and self._pool.get_idle_size() < self._pool.get_size()


class Standing:
    """A migrated database and the pools over it."""

    def __init__(self, engine: PostgresEngine, name: str, template: str) -> None:
        self._engine = engine
        self._name = name
        self.url = create_database(engine, name, template=template)
        engine.ask(PREPARE, name)
        self._keeper = Kept(self.url, size=1, name="standing")
        self._pools: dict[tuple[int, str, bool], Kept] = {}
        self._shape = ""
        self._uses = 0

    def open(self, url: str, *, size: int = 8, name: str = "crossdock", by_index: bool = False) -> Database:
        """A pool, as `Database` makes one; only one to another place is new."""
        if url != self.url:
            return Database(url, size=size, name=name, by_index=by_index)
        key = (size, name, by_index)
        if key not in self._pools:
            self._pools[key] = Kept(url, size=size, name=name, by_index=by_index)
        return self._pools[key]

    async def begin(self) -> None:
        """Note what the database looks like before a test."""
        self._shape = await self._look()

    async def empty(self) -> bool:
        """Bring every row back to what it was. False when that cannot be told or is not worth it any more."""
        self._uses += 1
        if self._uses >= LIFE or any(pool.busy for pool in self._pools.values()):
            return False
        try:
            if await self._look() != self._shape:
                return False
            async with self._keeper.connection() as connection:
                await connection.execute("SELECT standing.empty()")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            return False
        return True

    async def _look(self) -> str:
        """Tables, and sessions that are not ours: a test that changed the one or left the other has this database."""
        async with self._keeper.connection() as connection:
            tables, newest, sessions = str(await connection.fetchval(SHAPE)).split("/")
        strangers = int(sessions) - sum(pool.sessions for pool in self._pools.values())
        return f"{tables}/{newest}/{strangers}"

    async def end(self) -> None:
        """Close every session and drop the database."""
        for pool in (self._keeper, *self._pools.values()):
            await pool.end()
        drop_database(self._engine, self._name)
