"""One Postgres and one Valkey for the whole run; every test that asks gets a fresh, migrated database of its own."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from pkgutil import resolve_name

import pytest

from hub.embedded import PostgresEngine, create_database, start_postgres, start_valkey
from hub.store.database import Database
from hub.store.schema import upgrade
from tests.standing import Standing

TEMPLATE = "crossdock_template"
_numbers = count(1)
READ_ONCE = (
    "hub.wiring.find_adapters",
    "hub.wiring.shipped_notices",
    "hub.store.configuration.load_address_rules",
    "hub.store.configuration.load_change_policy",
    "hub.store.configuration.load_hold_policy",
    "hub.store.configuration.load_offer",
    "hub.store.configuration.load_packing",
    "hub.store.configuration.load_pick_up_policy",
    "hub.store.configuration.load_return_policy",
    "hub.store.configuration.load_shipped",
)
UNHURRIED = (
    "hub.web.grouping.PATIENCE_SECONDS",
    "hub.web.grouping.COMMIT_SECONDS",
    "hub.web.webhooks.PATIENCE_SECONDS",
    "hub.worker.pull.PATIENCE_SECONDS",
)


@pytest.fixture(scope="session", autouse=True)
def read_once() -> Iterator[None]:
    """Hundreds of hubs in one process read the same shipped policies: what a text means does not change."""
    with pytest.MonkeyPatch.context() as patch:
        for name in READ_ONCE:
            patch.setattr(name, cache(resolve_name(name)))
        yield


@pytest.fixture(scope="session")
def engine_folder() -> Iterator[Path]:
    """A short folder that another user may pass through: pytest's own are closed to the server's user."""
    folder = Path(tempfile.mkdtemp(prefix="cd-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(engine_folder: Path) -> Iterator[PostgresEngine]:
    """The engine that production runs, without waiting for the disk."""
    engine = start_postgres(engine_folder, durable=False)
    url = create_database(engine, TEMPLATE)
    asyncio.run(upgrade(url))
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def queue_url(engine_folder: Path) -> Iterator[str]:
    """A Valkey."""
    engine = start_valkey(engine_folder)
    yield engine.url
    engine.stop()


@pytest.fixture(scope="session")
async def spare(postgres: PostgresEngine) -> AsyncIterator[list[Standing]]:
    """Emptied databases that no test uses now."""
    found: list[Standing] = []
    yield found
    for standing in found:
        await standing.end()


@pytest.fixture
async def standing(postgres: PostgresEngine, spare: list[Standing]) -> AsyncIterator[Standing]:
    """A database as it is after its migrations, with pools to share."""
    made = spare.pop() if spare else Standing(postgres, f"test_{os.getpid()}_{next(_numbers)}", TEMPLATE)
    await made.begin()
    before = asyncio.all_tasks()
    yield made
    # What a test left running would go on working in the next test's database.
    left = {task for task in asyncio.all_tasks() - before if not task.done() and task is not asyncio.current_task()}
    if not left and await made.empty():
        spare.append(made)
    else:
        await made.end()


@pytest.fixture
def database_url(standing: Standing) -> str:
    """A fresh, migrated database."""
    return standing.url


@pytest.fixture
def database(standing: Standing) -> Database:
    """A pool to a fresh database."""
    return standing.open(standing.url, size=8, name="test")


@pytest.fixture(autouse=True)
def unhurried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub in the test's own process waits longer for its database: the loop is shared with simulators and workers.

    Tests about that very wait are marked `hurried`.
    """
    if "house" in request.fixturenames and request.node.get_closest_marker("hurried") is None:
        for constant in UNHURRIED:
            monkeypatch.setattr(constant, 15.0)
