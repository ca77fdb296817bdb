"""`crossdock db restored`: after a backup of an earlier moment was put back, before anything is started."""

import asyncio
import sys

import rich_click as click

from hub.cli.output import AS_JSON, show
from hub.embedded import Engines
from hub.settings import from_environment
from hub.store.database import Database
from hub.store.restored import Prepared, begin, end


@click.command("restored")
@click.option(
    "--over", is_flag=True, help="Everything was compared: lift the holds that still stand, trust the outbox."
)
@AS_JSON
def db_restored(over: bool, as_json: bool) -> None:
    """Say that the database was restored to an earlier moment, before web and workers are started.

    Pauses every connection, holds every open order, and has each partner asked whether it has a thing already before
    it is sent, until --over.
    """
    done = asyncio.run(_over() if over else _begun())
    if done is None:
        print("crossdock: no restore is under way: say `crossdock db restored` first", file=sys.stderr)
        sys.exit(1)
    show([done], as_json)


async def _begun() -> dict[str, object]:
    database = _database()
    try:
        async with database.transaction() as connection:
            prepared: Prepared = await begin(connection)
    finally:
        await database.close()
    return dict(prepared._asdict())


async def _over() -> dict[str, object] | None:
    database = _database()
    try:
        async with database.transaction() as connection:
            lifted = await end(connection)
    finally:
        await database.close()
    return None if lifted is None else {"holds_to_lift": lifted}


def _database() -> Database:
    return Database(Engines.attach(from_environment()).database_url, size=1, name="crossdock-cli")
