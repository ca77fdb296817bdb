"""The web application over a real database, with a made-up vendor and two tokens of every role."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Annotated, Any

import msgspec
import pytest
from httpx import ASGITransport, AsyncClient

from adapters.direct.adapter import ADAPTER as DIRECT
from hub.domain.ids import id_source
from hub.domain.money import Amounts, AmountSet
from hub.domain.order import OrderContent, OrderSnapshot
from hub.embedded import PostgresEngine, create_database, drop_database
from hub.flow.notices import load_notices
from hub.mapping.errors import Malformed
from hub.registry import rule_text
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Pull, Topic
from hub.sdk.capabilities import Check, Context, Page, Probe
from hub.sdk.outcomes import Interrupted, Unauthorised
from hub.sdk.translate import Tables
from hub.sdk.wire import Client, Request, Response, Transport
from hub.settings import Settings
from hub.store import schema
from hub.store.admin.tokens import Role, create_token
from hub.store.configuration import ConfigurationReader
from hub.store.database import Database
from hub.store.unit_of_work import PostgresStore, PostgresUnit
from hub.store.vault import Vault
from hub.web.app import build_routes, serve_with
from hub.web.services import Services
from hub.worker.perform import Performer
from tests.conftest import TEMPLATE

Secret = Annotated[str, msgspec.Meta(extra_json_schema={"x-secret": True})]


_epochs = count(1)
"""What the application remembers of one test's configuration must not pass for another's."""


class Corner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Config of the made-up vendor."""

    shop: Annotated[str, msgspec.Meta(min_length=1)]
    access_token: Secret
    webhook_secret: Secret | None = None
    page_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50
    base_url: str | None = None


async def _pages(context: Context[Corner], cursor: str | None, /) -> AsyncIterator[Page]:
    yield Page(items=(), cursor="end")


async def _probe(context: Context[Corner]) -> Probe:
    answer = await context.client.send(Request(method="GET", path="/shop", operation="shop"))
    return Probe(
        account=context.settings.shop, checks=(Check(name="read", ok=answer.status == 200, detail="shop read"),)
    )


async def _submit(context: Context[Corner], request: Any, /) -> Any:
    raise AssertionError("the web sends nothing")


def _translate(body: bytes, tables: Tables) -> tuple[OrderSnapshot, ...]:
    try:
        external_id = msgspec.json.decode(body, type=dict[str, str])["id"]
    except (msgspec.MsgspecError, KeyError) as error:
        raise Malformed("order", "$.id", str(error)) from error
    content = OrderContent(
        external_id=external_id,
        version=1,
        number=external_id,
        placed_at=now(),
        currency="EUR",
        amounts=AmountSet(shop=Amounts(currency="EUR")),
        lines=(),
    )
    return (OrderSnapshot(content=content),)


CORNER = Adapter(
    name="corner",
    title="Corner Shop",
    kind=Kind.CHANNEL,
    settings=Corner,
    account=lambda settings: settings.shop.lower(),
    transport=lambda settings: Transport(base_url=settings.base_url or "https://corner.invalid"),
    topics={"orders": Topic(lane=Lane.ORDERS, form=Form.SNAPSHOT, translate=_translate)},
    pulls={"orders": Pull(pages=_pages, every_seconds=300)},
    probe=_probe,
    submit_fulfilment=_submit,
)


class Wire:
    """The vendor's end of the client that adapters are given."""

    def __init__(self) -> None:
        self.fails: Exception | str | None = None

    async def send(self, request: Request) -> Response:
        if isinstance(self.fails, Exception):
            raise self.fails
        if self.fails is not None:
            raise Interrupted(Unauthorised(reason="401 from the vendor"))
        return Response(status=200, headers={}, body=b"{}")


class Worker:
    """A worker that takes up orders at once, and nothing else."""

    def __init__(self) -> None:
        self.rung: list[str] = []
        self.working = True
        self.performer: Performer | None = None
        self._tasks: set[asyncio.Task[int]] = set()

    def ring(self, lane: str) -> None:
        self.rung.append(lane)
        if self.working and self.performer is not None and lane == Lane.ORDERS.value:
            self._tasks.add(asyncio.create_task(self.performer.run(Lane.ORDERS)))

    async def rest(self) -> None:
        """Let it end before the next test's rows are there."""
        await asyncio.gather(*self._tasks)
        self._tasks.clear()


@dataclass
class Site:
    """A running web application and what a test needs of it."""

    client: AsyncClient
    database: Database
    services: Services
    tokens: dict[str, str]
    wire: Wire
    worker: Worker
    rung: list[str]

    async def call(self, method: str, path: str, body: Any = None, role: str = "admin", **headers: str) -> Any:
        """Call the API; headers by keyword, with underscores."""
        sent = {"authorization": f"Bearer {self.tokens[role]}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        content = None if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
        if content is not None:
            sent.setdefault("content-type", "application/json")
        return await self.client.request(method, f"/api/v1{path}", content=content, headers=sent)

    async def connect(self, shop: str = "acme.example", **more: Any) -> dict[str, Any]:
        """Make a connection to the made-up vendor."""
        body = {"adapter": "corner", "config": {"shop": shop, "access_token": "hush-hush"}} | more
        return await self.ok("POST", "/connections", body)

    async def ok(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Call, expect success, return the answer."""
        answer = await self.call(method, path, body, **headers)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def refused(self, status: int, method: str, path: str, body: Any = None, **options: str) -> dict[str, Any]:
        """Call, expect a problem of this status, return it."""
        answer = await self.call(method, path, body, **options)
        problem = answer.json()
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["status"] == status
        assert problem["type"].startswith("urn:crossdock:problem:")
        assert problem["title"]
        assert problem["detail"]
        return problem

    async def sql(self, text: str, *arguments: object) -> list[Any]:
        """Look into the database, or prepare it."""
        async with self.database.connection() as connection:
            return list(await connection.fetch(text, *arguments))


@pytest.fixture(scope="session")
async def shared(postgres: PostgresEngine) -> AsyncIterator[Database]:
    """One database for all tests of the web: copying the template anew took longer than the tests themselves."""
    name = f"web_{os.getpid()}"
    pool = await Database(create_database(postgres, name, template=TEMPLATE), size=6, name="test").open()
    yield pool
    await pool.close()
    drop_database(postgres, name)


@pytest.fixture
async def database(shared: Database) -> Database:
    """The shared database as it was after its migrations."""
    async with shared.transaction() as connection:
        # Neither foreign keys nor triggers: everything goes.
        await connection.execute("SET LOCAL session_replication_role = replica")
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        wipes = [f"DELETE FROM {row['relname']}" for row in tables if row["relname"] != "alembic_version"]
        await connection.execute("; ".join(wipes))
        await connection.execute(
            "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S' "
            "AND relnamespace = 'public'::regnamespace"
        )
        await connection.execute("INSERT INTO merchant VALUES ('default', 'Default')")
        await connection.execute("INSERT INTO configuration (epoch) VALUES ($1)", next(_epochs) * 1000)
        await connection.execute("UPDATE alembic_version SET version_num = $1", schema.newest_revision())
    return shared


Application = tuple[AsyncClient, Services, Wire, Worker]


@pytest.fixture(scope="session")
async def application(shared: Database) -> AsyncIterator[Application]:
    """One application for all tests: building it takes longer than most of them."""
    wire, worker = Wire(), Worker()
    services = build_services(shared, wire, worker)
    # Litestar's own test client runs the application in a thread with a loop of its own, where this pool is no use.
    transport = ASGITransport(app=serve_with(build_routes(), services), raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://hub.test") as client:
        yield client, services, wire, worker


@pytest.fixture
async def site(database: Database, application: Application) -> AsyncIterator[Site]:
    """The application over an empty database."""
    client, services, wire, worker = application
    wire.fails = None
    worker.rung.clear()
    worker.working = True
    yield Site(client, database, services, await make_tokens(database), wire, worker, worker.rung)
    await worker.rest()


async def make_tokens(database: Database) -> dict[str, str]:
    """A token of every role, and one of another merchant's admin."""
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO merchant VALUES ('other', 'Other')")
        made = {}
        for role in Role:
            token = await create_token(connection, name=role.value, role=role, merchant="default", new_id=new_id)
            made[role.value] = token.token
        other = await create_token(connection, name="other", role=Role.ADMIN, merchant="other", new_id=new_id)
    return made | {"other": other.token}


def build_services(database: Database, wire: Wire, worker: Worker) -> Services:
    """What the application is given: everything real but the vendor."""

    @asynccontextmanager
    async def open_client(connection: str, transport: Transport) -> AsyncIterator[Client]:
        yield wire

    adapters = {"corner": CORNER, "direct": DIRECT}
    configuration = ConfigurationReader(
        database=database,
        adapters=adapters,
        mapping_text=lambda vendor, name: None,
        default_policy=rule_text("routing", "default"),
    )
    worker.performer = Performer(PostgresStore(database), configuration, now, new_id, 100)
    return Services(
        database=database,
        vault=Vault(bytes(32)),
        adapters=adapters,
        settings=Settings(),
        clock=now,
        new_id=new_id,
        ring=worker.ring,
        open_client=open_client,
        directory=configuration.directory,
        unit=PostgresUnit,
        schema_revision=schema.newest_revision(),
        mapping_text=lambda vendor, name: None,
        promise_rules=rule_text("promise", "default"),
        notices={"en": load_notices(rule_text("notices", "en"))},
    )


def pointers(problem: dict[str, Any]) -> list[str]:
    """Where the faults of a problem are."""
    return sorted(fault["pointer"] for fault in problem["errors"])


def now() -> datetime:
    return datetime.now(UTC)


new_id = id_source(now)
