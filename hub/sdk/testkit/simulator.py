"""Base of all vendor simulators: a real HTTP server on loopback, with books of its own and faults on demand."""

import asyncio
import random
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import httpx
import msgspec
import structlog
import uvicorn
from litestar import Litestar
from litestar.types import ASGIApp, ControllerRouterHandler, Message, Receive, Scope, Send

log = structlog.get_logger(__name__)


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
    `violations` names every request that broke the vendor's own limits.
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
        self._server: uvicorn.Server | None = None
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
        inner = Litestar(route_handlers=list(self.routes()), openapi_config=None, logging_config=None)
        return _faulty(self, inner)

    async def start(self, port: int = 0) -> str:
        """Listen on 127.0.0.1 and return the base URL."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        config = uvicorn.Config(self.app(), log_config=None, access_log=False, lifespan="off", ws="none")
        self._server = uvicorn.Server(config)
        self._server.capture_signals = _no_signals  # type: ignore[method-assign,assignment]
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            await asyncio.sleep(0.005)
        self.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._client = httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=32))
        return self.base_url

    async def stop(self) -> None:
        """Stop listening; deliveries under way are given up."""
        for task in tuple(self._deliveries):
            task.cancel()
        if self._client is not None:
            await self._client.aclose()
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving

    def deliver(self, sent: Sent) -> None:
        """Send a webhook as this vendor would: maybe late, twice or out of order, and again until it is answered 2xx."""
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
        assert self._client is not None
        await asyncio.sleep(wait)
        for attempt in range(9):
            try:
                answer = await self._client.post(sent.url, headers=sent.headers, content=sent.body)
            except httpx.HTTPError:
                pass
            else:
                if answer.is_success:
                    return
                if answer.status_code in (401, 404, 413):
                    break
            await asyncio.sleep(min(5.0, 0.2 * 2**attempt))
        self.undelivered.append(sent)
        log.warning("webhook.given_up", vendor=self.vendor, url=sent.url)


def _faulty(simulator: Simulator, app: ASGIApp) -> ASGIApp:
    """Put the faults in front of an application. Paths that begin with `/_` are the simulator's own: no faults there."""

    async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_"):
            await app(scope, receive, send)
            return
        faults, chance = simulator.faults, simulator.random.random
        simulator.calls[scope["path"]] += 1
        if faults.delay_ms:
            await asyncio.sleep(simulator.random.uniform(0, faults.delay_ms / 1000))
        if faults.outage or chance() < faults.server_error:
            await _answer(send, 503, {"content-type": "text/html"}, b"<html>Service Unavailable</html>")
        elif chance() < faults.throttle:
            await _answer(send, *simulator.throttled())
        elif chance() < faults.lost_reply:
            await app(scope, receive, _breaking(send))
        else:
            await app(scope, receive, send)

    return faulty


def _breaking(send: Send) -> Send:
    """Let the handler act, then leave the answer unfinished so that the client sees a broken connection."""

    async def broken(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(b"content-length", b"1000000")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            raise ConnectionAbortedError("reply lost on purpose")

    return broken


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body, "more_body": False})


class _no_signals:
    """The process that runs the simulator handles signals, not its server."""

    def __enter__(self) -> None: ...

    def __exit__(self, *exc: object) -> None: ...
