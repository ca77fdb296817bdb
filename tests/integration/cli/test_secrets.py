"""`crossdock secrets rotate`, beside a hub that goes on with two keys and then with the new one alone."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result

from hub.cli.main import crossdock
from hub.sdk.auth import Token
from hub.settings import Settings, secret_keys
from hub.store.credentials import StoredTokens
from hub.store.database import Database
from hub.store.reseal import BATCH, SEALED, reseal
from hub.store.vault import SealBroken, Vault

OLD, NEW, LOST = b"o" * 32, b"n" * 32, b"l" * 32
UNTIL = datetime(2030, 1, 1, tzinfo=UTC)
CONNECTIONS = BATCH + 3


@pytest.fixture
async def filled(database: Database, database_url: str, queue_url: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    """More sealed connections than one transaction takes, a token, a subscription: all under the old key."""
    monkeypatch.setenv("CROSSDOCK_DATABASE_URL", database_url)
    monkeypatch.setenv("CROSSDOCK_QUEUE_URL", queue_url)
    old = Vault(OLD)
    async with database.transaction() as link:
        await link.execute(
            "INSERT INTO account (id, merchant, adapter, name) VALUES (900, 'default', 'corner', 'shop')"
        )
        for no in range(CONNECTIONS):
            id = f"C{no:03}"
            sealed = old.seal({"key": id}, table="connection", row=id, field="secrets")
            await link.execute(
                "INSERT INTO connection (id, merchant, account_id, adapter, name, secrets, enabled) "
                "VALUES ($1, 'default', 900, 'corner', $1, $2, false)", id, sealed,
            )  # fmt: skip
        sealed = old.seal({"secret": "whsec"}, table="subscription", row="S1", field="secrets")
        await link.execute(
            "INSERT INTO subscription (id, merchant, name, channel, config, secrets) "
            "VALUES ('S1', 'default', 'shop', 'webhook', '{}', $1)", sealed,
        )  # fmt: skip
    await StoredTokens(database, old, "C000").replace(Token(access_token="first", expires_at=UNTIL))
    return database


async def rotate(monkeypatch: pytest.MonkeyPatch, key: bytes, *others: bytes) -> Result:
    monkeypatch.setenv("CROSSDOCK_SECRET_KEY", base64.b64encode(key).decode())
    monkeypatch.setenv("CROSSDOCK_OTHER_SECRET_KEYS", ", ".join(base64.b64encode(one).decode() for one in others))
    return await asyncio.to_thread(CliRunner().invoke, crossdock, ["secrets", "rotate", "--json"])


def told(result: Result) -> dict[str, tuple[int, int]]:
    """(resealed, broken) by table."""
    return {row["table"]: (row["resealed"], row["broken"]) for row in json.loads(result.stdout)}


async def test_everything_opens_with_the_new_key_alone_afterwards(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await rotate(monkeypatch, NEW, OLD)
    assert first.exit_code == 0, first.output
    assert told(first) == {"connection": (CONNECTIONS, 0), "connection_token": (1, 0), "subscription": (1, 0)}

    new = Vault(NEW)
    async with filled.connection() as link:
        rows = await link.fetch("SELECT id, secrets FROM connection")
        told_of = await link.fetchval("SELECT secrets FROM subscription")
    opened = {row["id"]: new.open(row["secrets"], table="connection", row=row["id"], field="secrets") for row in rows}
    assert opened == {id: {"key": id} for id in opened}
    assert len(opened) == CONNECTIONS
    assert new.open(told_of, table="subscription", row="S1", field="secrets") == {"secret": "whsec"}
    assert await StoredTokens(filled, new, "C000").load() == Token(access_token="first", expires_at=UNTIL)
    with pytest.raises(SealBroken):
        await StoredTokens(filled, Vault(OLD), "C000").load()

    again = await rotate(monkeypatch, NEW, OLD)
    assert {resealed for resealed, _ in told(again).values()} == {0}


async def test_what_no_key_opens_is_named_and_left(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = Vault(LOST).seal({"key": "x"}, table="connection", row="C001", field="secrets")
    async with filled.connection() as link:
        await link.execute("UPDATE connection SET secrets = $1 WHERE id = 'C001'", foreign)
        await link.execute("UPDATE subscription SET secrets = 'rubbish' WHERE id = 'S1'")

    result = await rotate(monkeypatch, NEW, OLD)
    assert result.exit_code == 1
    assert told(result) == {"connection": (CONNECTIONS - 1, 1), "connection_token": (1, 0), "subscription": (0, 1)}
    assert "connection C001 secrets: sealed with key" in result.stderr
    assert "subscription S1: not an envelope" in result.stderr
    async with filled.connection() as link:
        assert await link.fetchval("SELECT secrets FROM connection WHERE id = 'C001'") == foreign


async def test_a_token_renewed_meanwhile_is_not_put_back(filled: Database) -> None:
    place = SEALED[1]
    async with filled.transaction() as renewing:
        newer = Vault(OLD).seal(
            {"access_token": "second", "expires_at": (UNTIL + timedelta(hours=1)).isoformat()},
            table="connection_token", row="C000", field="envelope",
        )  # fmt: skip
        await renewing.execute("UPDATE connection_token SET envelope = $1", newer)
        rotating = asyncio.create_task(reseal(filled, Vault(NEW, OLD), place))
        await asyncio.sleep(0.1)
        assert not rotating.done()
    assert (await rotating).resealed == 1
    kept = await StoredTokens(filled, Vault(NEW), "C000").load()
    assert kept is not None
    assert kept.access_token == "second"


def test_a_link_signed_before_still_leads_somewhere() -> None:
    from hub.domain.signed_link import BadLink, sign, verify

    now = datetime(2029, 1, 1, tzinfo=UTC)
    token = sign("O1", UNTIL, OLD)
    assert verify(token, now, NEW, OLD) == "O1"
    with pytest.raises(BadLink):
        verify(token, now, NEW, LOST)


def test_keys_of_the_settings_keep_their_order() -> None:
    one, two = (base64.b64encode(key).decode() for key in (NEW, OLD))
    assert secret_keys(Settings(secret_key=one, other_secret_keys=f"{two},{one}")) == (NEW, OLD)
