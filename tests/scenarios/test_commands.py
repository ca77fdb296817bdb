"""The commands of API.md that look into a running hub, beside it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli.main import crossdock
from tests.scenarios.town import Town


class Commands:
    """`crossdock ...`, run against the town's engines."""

    def __init__(self, database_url: str, queue_url: str) -> None:
        self._settings = {"CROSSDOCK_DATABASE_URL": database_url, "CROSSDOCK_QUEUE_URL": queue_url}

    async def run(self, *words: str) -> Result:
        """Run a command, whatever comes of it."""
        return await asyncio.to_thread(CliRunner().invoke, crossdock, words, env=self._settings)

    async def told(self, *words: str) -> Any:
        """What a command prints as JSON, having succeeded."""
        result = await self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def commands(database_url: str, queue_url: str) -> Commands:
    """The command line beside the town's hub."""
    return Commands(database_url, queue_url)


async def test_a_token_is_printed_once_and_kept_as_a_hash(town: Town, commands: Commands) -> None:
    made = await commands.told("token", "create", "--name", "ci", "--role", "viewer")
    rows = await town.house.rows("SELECT * FROM api_token WHERE name = 'ci'")

    assert [row["role"] for row in rows] == ["viewer"]
    assert made["token"] not in str([dict(row) for row in rows])


async def test_an_order_is_shown_by_any_of_its_names(town: Town, commands: Commands) -> None:
    placed, order = await town.buy([("PASS", 2)])

    for name in (order["id"], str(placed.id), order["number"]):
        shown = await commands.told("orders", "show", name)
        assert shown["id"] == order["id"]
        assert [(part["sku"], part["quantity"], part["state"]) for part in shown["slices"]] == [("PASS", 2, "accepted")]
    unknown = await commands.run("orders", "show", "nobody")
    assert (unknown.exit_code, unknown.stderr) == (1, "crossdock: no order 'nobody'\n")


async def test_a_message_is_taken_again_in_its_own_lane(town: Town, commands: Commands) -> None:
    _, order = await town.buy([("PASS", 2)])
    town.depot.ship(town.asked(order["id"]))
    await town.depot.delivered()
    await town.settle()
    messages = {row["topic"]: row["id"] for row in await town.house.rows("SELECT id, topic FROM message ORDER BY id")}
    before = await town.slices(order["id"])

    for topic, lane in (("orders/create", "orders"), ("Shipment Update", "facts")):
        result = await commands.run("messages", "replay", f"in-{messages[topic]}")
        assert result.exit_code == 0, result.output
        assert await town.house.value("SELECT lane FROM inbox WHERE id = $1", messages[topic]) == lane
    await town.settle()

    assert await town.slices(order["id"]) == before
    assert await town.house.value("SELECT count(*) FROM shipment") == 1
    assert (await commands.run("messages", "replay", "in-987654")).exit_code == 1


async def test_stock_is_verified_and_a_drift_is_named(town: Town, commands: Commands) -> None:
    await town.buy([("PASS", 2)])
    assert await commands.told("stock", "verify") == []

    await town.house.run("UPDATE stock SET pinned = pinned + 1 WHERE node_id = $1", town.east)
    result = await commands.run("stock", "verify", "--json")
    await town.house.run("UPDATE stock SET pinned = pinned - 1 WHERE node_id = $1", town.east)

    assert result.exit_code == 1
    assert len(json.loads(result.stdout)) == 1


async def test_the_doctor_finds_a_sound_hub_sound(town: Town, commands: Commands) -> None:
    checks = await commands.told("doctor")

    assert {check["check"]: check["ok"] for check in checks} == {
        "settings": True,
        "database": True,
        "schema": True,
        "queue": True,
        "adapters": True,
    }


async def test_adapters_are_listed_and_certified(town: Town, commands: Commands) -> None:
    listed = await commands.told("adapters", "list")
    assert {"shopify", "shiphero", "shipbob", "easypost", "odoo"} <= {one["name"] for one in listed}

    report = await commands.told("adapters", "check", "easypost", "--only", "error_read")
    assert report["ok"]
    assert {finding["rule"] for finding in report["findings"]} == {"error_read"}
    unknown = await commands.run("adapters", "check", "nobody")
    assert unknown.exit_code == 1
    assert "no adapter 'nobody'" in unknown.stderr


async def test_a_policy_that_cannot_be_meant_is_named_with_its_line(
    town: Town, commands: Commands, engine_folder: Path
) -> None:
    file = engine_folder / "policy.toml"
    file.write_text('version = "mine"\ncurrency = "USD"\nper_km = -1\n')
    result = await commands.run("policy", "lint", str(file))

    assert result.exit_code == 1
    assert "line 3" in result.stderr
    assert "per_km" in result.stderr
