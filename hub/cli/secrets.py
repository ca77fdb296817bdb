"""Secrets at rest, and the key that seals them."""

import asyncio
import sys

import rich_click as click

from hub.cli.output import AS_JSON, show
from hub.embedded import Engines
from hub.settings import from_environment, secret_keys
from hub.store.database import Database
from hub.store.reseal import SEALED, Resealed, reseal
from hub.store.vault import Vault


@click.group()
def secrets() -> None:
    """Secrets of connections and subscriptions."""


@secrets.command("rotate")
@AS_JSON
def secrets_rotate(as_json: bool) -> None:
    """Seal every stored secret under the key that seals now, while the hub runs.

    Each process has to know that key already; afterwards the others may be dropped from the settings. Exit 1 when a
    secret cannot be opened with any key at hand.
    """
    done = asyncio.run(_rotate())
    show([{"table": one.table, "resealed": one.resealed, "broken": len(one.broken)} for one in done], as_json)
    broken = [reason for one in done for reason in one.broken]
    for reason in broken:
        print(f"crossdock: {reason}", file=sys.stderr)
    sys.exit(1 if broken else 0)


async def _rotate() -> list[Resealed]:
    settings = from_environment()
    vault = Vault(*secret_keys(settings))
    database = Database(Engines.attach(settings).database_url, size=1, name="crossdock-cli")
    try:
        return [await reseal(database, vault, place) for place in SEALED]
    finally:
        await database.close()
