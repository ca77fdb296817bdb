"""Commands beside a database that nobody has set up yet."""

import asyncio
import json
import os
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from hub.cli.errors import NO_SCHEMA, in_one_line
from hub.cli.main import crossdock
from hub.embedded import PostgresEngine, create_database, drop_database


@pytest.fixture
def blank(postgres: PostgresEngine, queue_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty database as the settings' own."""
    name = f"blank_{os.getpid()}"
    monkeypatch.setenv("CROSSDOCK_DATABASE_URL", create_database(postgres, name))
    monkeypatch.setenv("CROSSDOCK_QUEUE_URL", queue_url)
    yield
    drop_database(postgres, name)


@pytest.mark.parametrize(
    "words",
    [
        ("orders", "show", "1"),
        ("token", "create", "--name", "ci", "--role", "viewer"),
        ("policy", "simulate", "--replay"),
        ("stock", "verify"),
    ],
)
def test_a_command_says_what_to_do_first(
    blank: None, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as left, in_one_line():
        crossdock(words, standalone_mode=False)
    assert left.value.code == 1
    assert capsys.readouterr().err.startswith(f"crossdock: {NO_SCHEMA} (")


async def test_the_doctor_says_it_too(blank: None) -> None:
    result = await asyncio.to_thread(CliRunner().invoke, crossdock, ["doctor", "--json"])
    assert result.exit_code == 1
    checks = {check["check"]: check for check in json.loads(result.stdout)}
    assert (checks["database"]["ok"], checks["schema"]["ok"]) == (True, False)
    assert checks["schema"]["detail"] == NO_SCHEMA


@pytest.mark.parametrize(
    ("missing", "broken"),
    [("DATABASE", ["database"]), ("QUEUE", ["queue"])],
)
async def test_the_doctor_names_the_engine_that_does_not_answer_and_no_password(
    blank: None, monkeypatch: pytest.MonkeyPatch, missing: str, broken: list[str]
) -> None:
    scheme = {"DATABASE": "postgresql://hub", "QUEUE": "redis://"}[missing]
    monkeypatch.setenv(f"CROSSDOCK_{missing}_URL", f"{scheme}:s3same@127.0.0.1:1/0")
    result = await asyncio.to_thread(CliRunner().invoke, crossdock, ["doctor", "--json"])
    assert result.exit_code == 1
    checks = {check["check"]: check["ok"] for check in json.loads(result.stdout)}
    assert [name for name in ("settings", "database", "queue", "adapters") if not checks[name]] == broken
    assert "s3same" not in result.output
