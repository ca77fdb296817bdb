"""Faults in front of a real Tryton: every call is passed on to a peer that we did not write."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from litestar import Request, Response, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from adapters.tryton.peer import Rpc
from hub.sdk.testkit.simulator import Simulator


class TrytonBehindFaults(Simulator):
    """Passes calls on to the Tryton at `url`; `rpc` is a session of its administrator.

    The books are the peer's own and outlive this: `order` is an order number that no other of these had.
    """

    vendor = "tryton"

    def __init__(self, url: str, rpc: Rpc, order: str) -> None:
        super().__init__()
        self.url = url
        self.rpc = rpc
        self.order = order

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """See `Simulator.routes`."""

        @post("/{rest:path}", status_code=200)
        async def pass_on(request: Request[Any, Any, Any], rest: FromPath[str]) -> Response[bytes]:
            headers = {name: request.headers[name] for name in ("authorization",) if name in request.headers}
            status, kind, body = await asyncio.to_thread(
                _asked, f"{self.url}{rest.rstrip('/')}/", await request.body(), headers
            )
            return Response(body, status_code=status, media_type=kind)

        return [pass_on]


def _asked(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
    request = urllib.request.Request(url, data=body, headers={"content-type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers.get("content-type", ""), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("content-type", ""), error.read()
