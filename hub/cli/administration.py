"""Commands that look into a hub or set it up: they talk to its database, beside `crossdock up`."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import rich_click as click
from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.cli.errors import NO_SCHEMA
from hub.cli.output import AS_JSON, show
from hub.domain.ids import id_source
from hub.embedded import Engines
from hub.flow.fetch import lane_again
from hub.registry import find_adapters
from hub.settings import from_environment
from hub.store.admin.errors import Conflict, Missing
from hub.store.admin.messages import find_inbound, replay_outbound, split_id
from hub.store.admin.tokens import Role, create_token
from hub.store.database import FAULTS, Database, PooledConnection
from hub.store.replay import replay
from hub.store.schema import current_revision, newest_revision, upgrade
from hub.store.verify import verify_stock

T = TypeVar("T")


def _with_database(work: Callable[[PooledConnection], Awaitable[T]]) -> T:
    async def run() -> T:
        database = Database(Engines.attach(from_environment()).database_url, size=1, name="crossdock-cli")
        try:
            async with database.transaction() as connection:
                return await work(connection)
        finally:
            await database.close()

    return asyncio.run(run())


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema to the newest revision."""
    url = Engines.attach(from_environment()).database_url
    asyncio.run(upgrade(url))
    print(f"schema is at {newest_revision()}")


@click.group()
def token() -> None:
    """API tokens."""


@token.command("create")
@click.option("--name", required=True, help="Whose it is.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What it may do.")
@AS_JSON
def token_create(name: str, role: str, as_json: bool) -> None:
    """Make a token and print it once; only its hash is kept."""

    async def work(connection: PooledConnection) -> str:
        now = datetime.now(UTC)
        made = await create_token(
            connection, merchant="default", name=name, role=Role(role), new_id=id_source(lambda: now)
        )
        return made.token

    secret = _with_database(work)
    print(json.dumps({"token": secret, "name": name, "role": role}) if as_json else secret)


@click.group()
def orders() -> None:
    """Orders."""


@orders.command("show")
@click.argument("order")
@AS_JSON
def ordersshow(order: str, as_json: bool) -> None:
    """An order's slices and timeline, by its id, number or the channel's id."""

    async def work(connection: PooledConnection) -> dict[str, object] | None:
        head = await connection.fetchrow(
            "SELECT id, number, external_id, state, currency, placed_at, revision FROM customer_order "
            "WHERE id = $1 OR number = $1 OR external_id = $1 ORDER BY id LIMIT 1",
            order,
        )
        if head is None:
            return None
        slices = await connection.fetch(
            "SELECT s.no, d.sku, s.quantity, s.state, n.code AS node, s.fulfilment_no FROM slice s JOIN demand d "
            "ON d.order_id = s.order_id AND d.no = s.demand_no LEFT JOIN node n ON n.id = s.node_id "
            "WHERE s.order_id = $1 ORDER BY s.no",
            head["id"],
        )
        timeline = await connection.fetch(
            "SELECT at, kind, detail FROM timeline WHERE order_id = $1 ORDER BY id", head["id"]
        )
        return {**head, "slices": [dict(row) for row in slices], "timeline": [dict(row) for row in timeline]}

    found = _with_database(work)
    if found is None:
        print(f"crossdock: no order {order!r}", file=sys.stderr)
        sys.exit(1)
    if as_json:
        print(json.dumps(found, default=str))
        return
    for name in ("id", "number", "external_id", "state", "currency", "placed_at", "revision"):
        print(f"{name:12} {found[name]}")
    show(found["slices"], as_json=False)  # type: ignore[arg-type]
    show(found["timeline"], as_json=False)  # type: ignore[arg-type]


@click.group()
def messages() -> None:
    """Messages."""


@messages.command("replay")
@click.argument("message")
def messages_replay(message: str) -> None:
    """Take a stored message along the path again, under today's mapping and through the version checks.

    MESSAGE is its id in the API ("in-42", "out-7") or the number of an inbound one.
    """

    async def work(connection: PooledConnection) -> None:
        direction, number = split_id(message)
        if direction == "out":
            await replay_outbound(connection, "default", number)
            return
        stored = await find_inbound(connection, "default", number)
        name = await connection.fetchval("SELECT adapter FROM connection WHERE id = $1", stored.connection)
        await replay(connection, number, lane_again(stored.topic, find_adapters().get(name)))

    try:
        _with_database(work)
    except (Missing, Conflict) as missing:
        print(f"crossdock: {missing}", file=sys.stderr)
        sys.exit(1)
    print(f"message {message} is due again")


@click.group()
def stock() -> None:
    """Stock."""


@stock.command("verify")
@AS_JSON
def stock_verify(as_json: bool) -> None:
    """Rebuild every balance from the ledger and every counter from the slices; exit 1 when one differs."""
    drifts = _with_database(verify_stock)
    rows = [drift._asdict() for drift in drifts]
    if as_json or rows:
        show(rows, as_json)
    else:
        print("every balance equals its ledger and its slices")
    sys.exit(1 if rows else 0)


@click.group()
def policy() -> None:
    """Routing policies."""


def _schema_told(found: str | None, newest: str) -> str:
    if found is None:
        return NO_SCHEMA
    return f"at {found}, newest is {newest}" + ("" if found == newest else ": run `crossdock db upgrade`")


@click.command()
@AS_JSON
def doctor(as_json: bool) -> None:
    """Check configuration, engines, schema and adapters; exit 1 when something is wrong."""
    rows: list[dict[str, object]] = []
    settings = from_environment()
    rows.append({"check": "settings", "ok": True, "detail": repr(settings)})
    engines = Engines.attach(settings)
    rows += asyncio.run(_database_told(engines.database_url))
    rows.append(asyncio.run(_queue_told(engines.queue_url)))
    names = ", ".join(find_adapters())
    rows.append({"check": "adapters", "ok": bool(names), "detail": names})
    show(rows, as_json)
    sys.exit(0 if all(row["ok"] for row in rows) else 1)


async def _database_told(url: str) -> list[dict[str, object]]:
    """Whether the database answers, and if so whether its schema is the newest."""
    try:
        found = await current_revision(url)
    except FAULTS as error:
        return [{"check": "database", "ok": False, "detail": f"{type(error).__name__}: {error}"}]
    newest = newest_revision()
    return [
        {"check": "database", "ok": True, "detail": "answers"},
        {"check": "schema", "ok": found == newest, "detail": _schema_told(found, newest)},
    ]


async def _queue_told(url: str) -> dict[str, object]:
    """Whether the queue answers: without it nothing is lost, but work waits for the sweep."""
    client = Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)
    try:
        await client.get("crossdock:doctor")
    except RedisError as error:
        return {"check": "queue", "ok": False, "detail": f"{type(error).__name__}: {error}"}
    finally:
        await client.aclose()
    return {"check": "queue", "ok": True, "detail": "answers"}
