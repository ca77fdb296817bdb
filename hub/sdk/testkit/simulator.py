"""Base of all vendor simulators: a real HTTP server on loopback, with books of its own and faults on demand."""

import asyncio
import logging
import random
import socket
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Literal, Self

import httpx
import msgspec
import structlog
import uvicorn
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, ControllerRouterHandler, Message, Receive, Scope, Send

from hub.sdk.testkit.loopback import Loopback

log = structlog.get_logger(__name__)

ATTEMPTS: Final = 9
"""How often a webhook is tried before it is given up."""
GIVEN_UP_AT_ONCE: Final = (401, 404, 413)
"""Answers that a repeat would not change."""

Fault = Literal["server_error", "throttle", "lost_reply", "html"]
"""What may befall a request. `html`: 200 with a page of somebody before the vendor, who acts on nothing."""


class Faults(msgspec.Struct, kw_only=True):
    """Knobs, each a probability per request or delivery unless its name carries a unit. May be turned while running."""

    server_error: float = 0.0
    """503 before acting."""
    throttle: float = 0.0
    """The vendor's own "too many requests", before acting; see `Simulator.throttled`."""
    lost_reply: float = 0.0
    """Acts, then breaks the connection before the answer is whole."""
    delay_ms: int = 0
    """Longest extra latency of an answer or a delivery."""
    duplicate: float = 0.0
    """A webhook is delivered twice."""
    reorder: float = 0.0
    """A webhook is held back and delivered after later ones."""
    outage: bool = False
    """Every request is answered 503."""


class Sent(msgspec.Struct, kw_only=True):
    """A webhook to deliver: signed already, repeated byte for byte."""

    url: str
    headers: dict[str, str]
    body: bytes


class Simulator:
    """Serve a vendor's API on loopback. Subclasses give `routes` and keep stateful books.

    `random` is seeded, `now` may be replaced by a test; nothing here is persisted. `calls` counts requests by path,
    `violations` names every request that broke the vendor's own limits. `script` says what befalls the next requests,
    one entry each (None: nothing), before `faults` roll the dice again.
    """

    vendor: str = ""

    def __init__(
        self,
        *,
        seed: int = 1,
        faults: Faults | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.random = random.Random(seed)
        self.faults = faults or Faults()
        self.now = now
        self.calls: Counter[str] = Counter()
        self.violations: list[str] = []
        self.base_url = ""
        self.undelivered: list[Sent] = []
        self.script: deque[Fault | None] = deque()
        self._server: Loopback | None = None
        self._serving: asyncio.Task[None] | None = None
        self._deliveries: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """Litestar handlers of the vendor's API."""
        raise NotImplementedError(f"{type(self).__name__} serves no routes")

    def throttled(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the vendor's "too many requests"."""
        return 429, {"retry-after": "1", "content-type": "text/plain"}, b"too many requests"

    def app(self) -> ASGIApp:
        """The ASGI application: the routes behind the faults."""
        inner = Litestar(
            route_handlers=list(self.routes()), openapi_config=None, logging_config=None, after_exception=[_tell]
        )
        return _faulty(self, inner)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> str:
        """Listen on 127.0.0.1 and return the base URL. Raises OSError when the port is taken."""
        config = uvicorn.Config(
            self.app(), log_config=None, access_log=False, lifespan="off", ws="none", date_header=False
        )
        # The protocol is named because asyncio turns Nagle's algorithm off by it: 40 ms an answer otherwise.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
        except OSError:
            listener.close()
            raise
        logging.getLogger("uvicorn.error").addFilter(_unless_on_purpose)
        self._server = Loopback(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        await self._server.listening.wait()
        self.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        return self.base_url

    async def stop(self) -> None:
        """Stop listening; requests and deliveries under way are given up."""
        for task in tuple(self._deliveries):
            task.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None
        if self._server is not None and self._serving is not None:
            self._server.closing.set()
            await self._serving

    def deliver(self, sent: Sent) -> None:
        """Send a webhook as this vendor would: maybe late, twice or out of order, and again until answered 2xx."""
        copies = 2 if self.random.random() < self.faults.duplicate else 1
        late = self.random.uniform(0.05, 0.5) if self.random.random() < self.faults.reorder else 0.0
        for copy in range(copies):
            wait = late + self.random.uniform(0, self.faults.delay_ms / 1000) + copy * 0.05
            task = asyncio.create_task(self._deliver(sent, wait))
            self._deliveries.add(task)
            task.add_done_callback(self._deliveries.discard)

    async def delivered(self) -> None:
        """Wait until every webhook was answered or given up."""
        while self._deliveries:
            await asyncio.gather(*self._deliveries, return_exceptions=True)

    async def _deliver(self, sent: Sent, wait: float) -> None:
        await asyncio.sleep(wait)
        if self._client is None:
            # Loopback without TLS: reading the trusted authorities takes 30 ms a simulator.
            self._client = httpx.AsyncClient(verify=False, timeout=30, limits=httpx.Limits(max_connections=32))
        for attempt in range(ATTEMPTS):
            try:
                answer = await self._client.post(sent.url, headers=sent.headers, content=sent.body)
            except httpx.HTTPError:
                pass
            else:
                if answer.is_success:
                    return
                if answer.status_code in GIVEN_UP_AT_ONCE:
                    break
            await asyncio.sleep(min(5.0, 0.2 * 2**attempt))
        self.undelivered.append(sent)
        log.warning("webhook.given_up", vendor=self.vendor, url=sent.url)

    def _next_fault(self) -> Fault | None:
        if self.script:
            return self.script.popleft()
        faults, chance = self.faults, self.random.random
        if faults.outage or chance() < faults.server_error:
            return "server_error"
        if chance() < faults.throttle:
            return "throttle"
        return "lost_reply" if chance() < faults.lost_reply else None


def _faulty(simulator: Simulator, app: ASGIApp) -> ASGIApp:
    """Put the faults in front of an application. Paths that begin with `/_` are the simulator's own: none there."""

    async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["path"].startswith("/_"):
            await app(scope, receive, send)
            return
        simulator.calls[scope["path"]] += 1
        if simulator.faults.delay_ms:
            await asyncio.sleep(simulator.random.uniform(0, simulator.faults.delay_ms / 1000))
        match simulator._next_fault():
            case "server_error":
                await _answer(send, 503, {"content-type": "text/html"}, b"<html>Service Unavailable</html>")
            case "throttle":
                await _answer(send, *simulator.throttled())
            case "html":
                await _answer(send, 200, {"content-type": "text/html"}, b"<html>We are back at noon.</html>")
            case "lost_reply":
                await _act_and_hang_up(app, scope, receive, send)
            case None:
                await app(scope, receive, send)

    return faulty


def _tell(error: Exception, scope: Scope) -> None:
    """A simulator's own mistake would otherwise look like an outage of the vendor."""
    if not isinstance(error, HTTPException):
        log.error("simulator.broken", path=scope["path"], exc_info=error)


async def _act_and_hang_up(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Let the handler act, then break the connection in the middle of an answer."""

    async def swallow(message: Message) -> None: ...

    await app(scope, receive, swallow)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000000")]})
    raise _ReplyLost


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body, "more_body": False})


class _ReplyLost(Exception):
    """Makes the server close the connection."""


def _unless_on_purpose(record: logging.LogRecord) -> bool:
    return not (record.exc_info and record.exc_info[0] is _ReplyLost)
