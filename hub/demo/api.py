"""The demo's way into the hub: its HTTP API, like anybody else's."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from hub.sdk.http import HttpClient
from hub.sdk.outcomes import Interrupted, Unauthorised
from hub.sdk.wire import Request, Transport

READY_SECONDS: Final = 60.0
DEADLINE_SECONDS: Final = 60.0


class ApiFault(Exception):
    """The hub's API refused, or did not answer; the message quotes it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class HubApi:
    """A client of the hub's API."""

    def __init__(self, base_url: str, token: str, clock: Callable[[], datetime]) -> None:
        self._base_url = base_url
        transport = Transport(base_url=base_url, headers={"authorization": f"Bearer {token}"})
        self._client = HttpClient(transport, clock=clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def ready(self) -> None:
        """Wait until the hub says that it is, and is ours. Raises `ApiFault` when it is not."""
        loop = asyncio.get_running_loop()
        until = loop.time() + READY_SECONDS
        told = "no answer"
        while loop.time() < until:
            try:
                response = await self._client.send(Request(method="GET", path="/readyz", operation="GET /readyz"))
            except Interrupted as error:
                told = error.outcome.reason
            else:
                if response.status == 200:
                    await self._recognise()
                    return
                told = response.body.decode(errors="replace")
            await asyncio.sleep(0.1)
        raise ApiFault(0, f"the hub is not ready after {READY_SECONDS:.0f} s: {told}")

    async def _recognise(self) -> None:
        try:
            await self.call("GET", "/tokens")
        except ApiFault as fault:
            if fault.status == 401:
                text = f"another hub answers at {self._base_url}; stop it, or set CROSSDOCK_PORT"
                raise ApiFault(401, text) from fault
            raise

    async def call(
        self, method: str, path: str, document: object = None, *, query: Mapping[str, str] | None = None
    ) -> Any:
        """A call under /api/v1; answers the decoded body. Raises `ApiFault` for everything but 2xx."""
        request = Request(
            method=method,
            path=f"/api/v1{path}",
            operation=f"{method} {path}",
            query=query or {},
            headers={"content-type": "application/json"},
            body=None if document is None else msgspec.json.encode(document),
            write=method != "GET",
            deadline_seconds=DEADLINE_SECONDS,
        )
        try:
            response = await self._client.send(request)
        except Interrupted as error:
            status = 401 if isinstance(error.outcome, Unauthorised) else 0
            raise ApiFault(status, f"{method} {path}: {error.outcome.reason}") from error
        if response.status >= 300:
            raise ApiFault(response.status, f"{method} {path}: {response.status} {response.body[:1000].decode()}")
        return msgspec.json.decode(response.body) if response.body else None

    async def every(self, path: str, **query: str) -> AsyncIterator[dict[str, Any]]:
        """All items of a list, page by page."""
        cursor: str | None = None
        while True:
            page = await self.call("GET", path, query=query | ({"cursor": cursor} if cursor else {}))
            for item in page["items"]:
                yield item
            cursor = page["next"]
            if cursor is None:
                return
