"""History with refusals, cancellations, late stock and a change of policy: replayed to the byte, tried another way."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub.cli.main import crossdock
from hub.domain.facts import FulfilmentRefused, StockMeaning
from hub.registry import rule_text
from hub.routing.policy import load_shipped
from tests.scenarios.test_promises import PORTLAND, caller
from tests.scenarios.town import Town

TEXT = rule_text("routing", "default")


def version(name: str, extra: str = "") -> str:
    """The shipped policy under another name, with settings of its own."""
    own = {line.split("=")[0].strip() for line in extra.splitlines()} | {"version"}
    kept = [line for line in TEXT.splitlines() if line.split("=")[0].strip() not in own]
    return "\n".join([f'version = "{name}"', extra, *kept])


EASTERN = version("eastern", 'node_groups = { coast = ["EAST"] }\nuse_groups = ["coast"]')
DEAR_KM = version("dear-km", "per_km = 900")


async def call(town: Town, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """A call of the API."""
    async with await caller(town.house) as client:
        answer = await client.post(path, json=body, timeout=60)
    assert answer.status_code < 300, answer.text
    answered: dict[str, Any] = answer.json()
    return answered


async def lived(town: Town) -> None:
    """Some weeks in the life of a shop, made short."""
    await town.goods("MUG", east=4, west=4)
    await town.goods("LAMP", east=3, west=1)
    for number in range(4):
        await town.buy([("MUG", 1), ("LAMP", 1)] if number % 2 else [("MUG", 2)], ship_to=PORTLAND)
    _, refused = await town.buy([("PASS", 2)], ship_to=PORTLAND)
    await town.house.hear("depot", _refusal(refused["id"], StockMeaning.NOTHING))
    await town.goods("VASE", east=1, west=1)
    _, gone = await town.buy([("VASE", 1)], ship_to=PORTLAND)
    await town.house.hear("depot", _refusal(gone["id"], StockMeaning.ALL))
    async with await caller(town.house) as client:
        await client.post(f"/orders/{gone['id']}/cancel")
    await town.settle()
    kept = await town.house.value(
        "INSERT INTO policy (merchant, kind, version, text, author) VALUES ('default', 'routing', 'dear-km', $1, 'me') "
        "RETURNING id",
        DEAR_KM,
    )
    await town.house.run("UPDATE policy SET state = 'active' WHERE id = $1", kept)
    await town.buy([("MUG", 1)], ship_to=PORTLAND)
    await town.buy([("MUG", 90)], ship_to=PORTLAND)


def _refusal(order: str, stock: StockMeaning) -> FulfilmentRefused:
    return FulfilmentRefused(at=datetime.now(UTC), fulfilment=f"{order}-1", reason="cannot", stock=stock)


async def test_every_stored_decision_comes_out_byte_for_byte(town: Town) -> None:
    await lived(town)
    stored = await town.house.rows("SELECT policy FROM decision")
    assert {row["policy"] for row in stored} == {load_shipped(rule_text("routing", "default")).version, "dear-km"}
    for mode in ("as_recorded", "carried"):
        report = await call(town, "/policies/simulate", {"replay": True, "mode": mode})
        assert report["replayed"] == {"identical": len(stored)}
        assert (report["decisions"], report["changed"], report["failed"]) == (len(stored), 0, [])
        assert report["before"] == report["after"]


async def test_another_policy_is_measured_and_changes_nothing(town: Town) -> None:
    await lived(town)
    tables = ("customer_order", "slice", "decision", "stock", "outbox", "effect", "waiting", "policy")
    before = [await town.house.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]
    report = await call(town, "/policies/simulate", {"text": EASTERN, "mode": "carried"})
    assert [await town.house.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables] == before
    assert report["failed"] == []
    assert report["changed"] == len(report["moved"]) > 3
    loads = {load["node"]: load for load in report["nodes"]}
    assert loads["WEST"]["parcels_before"] > 0
    assert loads["WEST"]["parcels_after"] == 0
    assert report["after"]["measure"]["km"] > report["before"]["measure"]["km"]
    # Half of the mugs are in the west: an eastern policy leaves more unfilled, once it lives with what it took.
    assert report["after"]["unfilled"] > report["before"]["unfilled"]


@pytest.fixture
def command(database_url: str, queue_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command line of the same hub."""
    monkeypatch.setenv("CROSSDOCK_DATABASE_URL", database_url)
    monkeypatch.setenv("CROSSDOCK_QUEUE_URL", queue_url)
    monkeypatch.setenv("CROSSDOCK_DATA_DIR", str(tmp_path))
    return CliRunner()


async def simulate(command: CliRunner, *arguments: str) -> tuple[int, str]:
    """Run the command beside this loop; its exit code and what it printed."""
    made = await asyncio.to_thread(command.invoke, crossdock, ["policy", "simulate", *arguments])
    assert made.exception is None or isinstance(made.exception, SystemExit), made.exception
    return made.exit_code, made.output


async def test_the_command_replays_tries_and_refuses(town: Town, command: CliRunner, tmp_path: Path) -> None:
    await lived(town)
    code, said = await simulate(command, "--replay", "--json")
    assert (code, json.loads(said)["replayed"]) == (0, {"identical": json.loads(said)["decisions"]})
    file = tmp_path / "eastern.toml"
    file.write_text(EASTERN)
    code, said = await simulate(command, str(file), "--carry")
    assert code == 0
    assert "(carried)" in said
    assert "WEST" in said
    code, said = await simulate(command, "--policy", "dear-km", "--json")
    assert (code, json.loads(said)["draft"]) == (0, "dear-km")
    assert (await simulate(command))[0] == 2
    assert (await simulate(command, "--policy", "none"))[0] == 1
    file.write_text("colour = 1")
    assert (await simulate(command, str(file)))[0] == 1
    await town.house.run(
        "UPDATE decision SET document = convert_to(replace(convert_from(document, 'UTF8'), "
        "'\"proven\":true', '\"proven\":false'), 'UTF8') WHERE no = 1 "
        "AND order_id = (SELECT min(order_id) FROM decision)"
    )
    code, said = await simulate(command, "--replay")
    assert code == 1
    assert "1 different" in said


async def test_the_command_takes_a_file_of_orders(town: Town, command: CliRunner, tmp_path: Path) -> None:
    await town.goods("MUG", east=6, west=6)
    await town.goods("LAMP", east=6, west=6)
    rows = ["order_id,ordered_at,sku,qty,unit_price,customer_id,country"]
    for number in range(10):
        rows += [f"{number},2026-01-01T10:00,{sku},1,4.00,c{number},USA" for sku in ("MUG", "LAMP")]
    rows.append("10,2026-01-01T10:00,NO-SUCH,1,4.00,c,USA")
    orders = tmp_path / "orders.csv"
    orders.write_text("\n".join(rows))
    file = tmp_path / "eastern.toml"
    file.write_text(EASTERN)
    code, said = await simulate(command, str(file), "--orders-file", str(orders), "--json")
    report = json.loads(said)
    assert code == 0
    assert (report["decisions"], report["mode"], report["failed"]) == (10, "carried", [])
    assert report["replayed"] == {"identical": 10}
    assert "1 of 3 SKUs are no items here and were left out" in report["notes"]
    # Six of each are in the east, so four orders stay without.
    assert (report["before"]["unfilled"], report["after"]["unfilled"]) == (0, 8)
    assert await town.house.value("SELECT count(*) FROM decision") == 0
