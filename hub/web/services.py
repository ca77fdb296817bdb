"""What the web is built from, and how a write runs: one transaction, its answer kept with it, bells rung after it."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

import asyncpg
import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hub.domain.ids import NewId
from hub.flow.batch import Batch
from hub.flow.directory import Directory
from hub.flow.notices import Notices
from hub.flow.ports import LostRace, Unit
from hub.sdk.adapter import Adapter
from hub.sdk.wire import Client, Transport
from hub.settings import Settings
from hub.store.admin import idempotency
from hub.store.admin.errors import Fault, Invalid
from hub.store.admin.tokens import Actor
from hub.store.database import Database, PooledConnection
from hub.store.vault import Vault
from hub.web.reading import storable_text

T = TypeVar("T")

KEY_HEADER: Final = "idempotency-key"
LONGEST_KEY: Final = 255
RACES: Final = 3
JSON: Final = "application/json"

OpenClient = Callable[[str, Transport], AbstractAsyncContextManager[Client]]
"""(connection id, transport) -> the client that an adapter's capability is given."""

ReadDirectory = Callable[[], Awaitable[Directory]]
OpenUnit = Callable[[PooledConnection], Unit]


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything a handler may use."""

    database: Database
    vault: Vault
    adapters: Mapping[str, Adapter]
    settings: Settings
    clock: Callable[[], datetime]
    new_id: NewId
    ring: Callable[[str], None]
    """Wakes a worker lane: "orders", "waiting", "pull", "deliver", "availability", ..."""
    open_client: OpenClient
    directory: ReadDirectory
    unit: OpenUnit
    schema_revision: str
    mapping_text: Callable[[str, str], str | None] | None = None
    """Text of a shipped mapping file by (vendor, name); previews need it."""
    promise_rules: str | None = None
    """Text of the shipped promise rules, for merchants without their own."""
    exception_rules: str = 'version = "built-in"'
    """Text of the shipped rules of exceptions, for merchants without their own."""
    link_key: bytes = b""
    """Signs customers' links; empty is a closed door."""
    older_link_keys: Sequence[bytes] = ()
    """Links signed with these still lead somewhere."""
    notices: Mapping[str, Notices] = field(default_factory=dict)
    """What customers read, by language."""
    simulating: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One simulation at a time: it takes a core, and answers to vendors need it too."""


Hub = NamedDependency[SkipValidation[Services]]
ApiRequest = Request[Actor, Any, State]


@dataclass(kw_only=True)
class Work:
    """A write under way."""

    connection: PooledConnection
    actor: Actor
    now: datetime
    hub: Services
    lock_stock: bool = False
    rings: set[str] = field(default_factory=set)

    @property
    def merchant(self) -> str:
        """Whose data this is: the token says so, never the body."""
        return self.actor.merchant

    @property
    def who(self) -> str:
        """The actor as rows name it."""
        return f"token:{self.actor.name}"

    @property
    def unit(self) -> Unit:
        """The flow's view of this transaction."""
        return self.hub.unit(self.connection)

    async def batch(self) -> Batch:
        """The circumstances that the flow's functions take."""
        return Batch(await self.hub.directory(), self.now, self.hub.new_id, self.lock_stock)

    def ring(self, *lanes: str) -> None:
        """Wake lanes once the transaction stands."""
        self.rings.update(lanes)


async def commit(
    hub: Services,
    request: ApiRequest,
    work: Callable[[Work], Awaitable[T]],
    *,
    status: int = 200,
    keep_as: Callable[[T], T] | None = None,
) -> Response[T]:
    """Run `work` in one transaction and answer with what it returns.

    With an `Idempotency-Key` the answer is stored in the same transaction; a repeat gets it again, another request
    under the same key is refused. An error rolls back the key too: the request may be tried again under it.
    `keep_as` takes out what must not be stored, such as a secret that is shown once.
    """
    key = _key(request)
    digest = await _digest(request) if key else b""
    for tried in range(1, RACES + 1):
        done = Work(connection=None, actor=request.user, now=hub.clock(), hub=hub, lock_stock=tried > 1)  # type: ignore[arg-type]
        try:
            async with hub.database.transaction() as connection:
                done.connection = connection
                if key and (kept := await idempotency.begin(connection, request.user.token, key, digest)):
                    return _again(kept, digest)
                answer = await work(done)
                body = _encode(answer, status)
                if key:
                    kept_body = _encode(keep_as(answer), status) if keep_as else body
                    await idempotency.keep(connection, request.user.token, key, status, JSON, kept_body)
            break
        except (LostRace, asyncpg.DeadlockDetectedError):
            if tried == RACES:
                raise
    for lane in sorted(done.rings):
        hub.ring(lane)
    return Response(body, status_code=status, media_type=JSON)  # type: ignore[arg-type]


async def given_before(hub: Services, request: ApiRequest) -> Response[Any] | None:
    """The stored answer of a repeated request: for what would cost something before `commit` is reached."""
    key = _key(request)
    if key is None:
        return None
    async with hub.database.connection() as connection:
        kept = await idempotency.find(connection, request.user.token, key)
    return None if kept is None else _again(kept, await _digest(request))


def _encode(answer: object, status: int) -> bytes:
    return b"" if status == 204 else msgspec.json.encode(answer)


def _key(request: ApiRequest) -> str | None:
    key = request.headers.get(KEY_HEADER)
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isprintable() and storable_text(key)):
        raise Invalid([Fault(f"must be 1 to {LONGEST_KEY} printable characters", parameter="Idempotency-Key")])
    return key


async def _digest(request: ApiRequest) -> bytes:
    parts = (request.method, request.url.path, request.url.query, await request.body())
    return hashlib.sha256(msgspec.json.encode(parts)).digest()


def _again(kept: idempotency.Kept, digest: bytes) -> Response[Any]:
    if kept.request_hash != digest:
        raise Invalid([Fault("was used for another request; take a new key", parameter="Idempotency-Key")])
    return Response(
        kept.body,
        status_code=kept.status,
        media_type=kept.content_type,
        headers={"Idempotency-Replayed": "true"},
    )
