"""A run has a database and processes of its own."""

import socket
import tomllib
from pathlib import Path

import pytest

from hub.demo.engines import QUICK, Address, NotEmpty, free_port, prepare_database, processes
from hub.embedded import Engines
from hub.settings import Settings, load
from hub.store.admin.tokens import Role, find_actor
from hub.store.database import Database

HOST = "127.0.0.1"


async def test_the_login_is_an_admin_of_an_empty_database(database: Database, database_url: str) -> None:
    token = await prepare_database(database, database_url)
    async with database.connection() as connection:
        actor = await find_actor(connection, token)
    assert actor is not None
    assert (actor.role, actor.merchant) == (Role.ADMIN, "default")


async def test_a_database_in_use_is_left_alone(database: Database, database_url: str) -> None:
    async with database.connection() as connection:
        account = await connection.fetchval(
            "INSERT INTO account (merchant, adapter, name) VALUES ('default', 'acme', 'shop') RETURNING id"
        )
        await connection.execute(
            "INSERT INTO connection (id, merchant, account_id, adapter, name) "
            "VALUES ('c1', 'default', $1, 'acme', 's')",
            account,
        )
        with pytest.raises(NotEmpty, match="give the demo an empty one"):
            await prepare_database(database, database_url)
        assert await connection.fetchval("SELECT count(*) FROM api_token") == 0


def test_a_taken_port_is_replaced() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        wanted = taken.getsockname()[1]
        assert free_port(HOST, wanted) != wanted
    assert free_port(HOST, wanted) == wanted
    assert free_port(HOST, 0) > 0


def test_a_wildcard_address_is_reached_on_loopback() -> None:
    assert Address(host="0.0.0.0", port=80).url == "http://127.0.0.1:80"
    assert Address(host="::1", port=80).url == "http://[::1]:80"


async def test_children_are_quick_and_keep_the_installations_choices(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, batch_size=7, secret_key="a" * 43 + "=")
    engines = Engines("postgresql:///demo", "redis:///0")
    children = await processes(settings, Address(host=HOST, port=8123), engines)
    assert [child.name for child in children] == ["web", "worker-1", "worker-2"]
    for child in children:
        told = load(child.env, Path(child.env["CROSSDOCK_CONFIG"]))
        assert (told.backoff, told.batch_size, told.log_level) == (QUICK, 7, "error")
        assert (told.database_url, told.queue_url) == ("postgresql:///demo", "redis:///0")
        assert told.secret_key == settings.secret_key
        assert told.data_dir == tmp_path
    written = tomllib.loads((tmp_path / "demo.toml").read_text())
    assert "secret_key" not in written
