"""One line a request: method, path, status, duration, request id. Never a query, a header or a body."""

import re
import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from hub.domain.customer_link import PATH as CUSTOMER_PAGES
from hub.domain.ids import NewId
from hub.domain.supplier_link import PATH as SUPPLIER_PAGES

HEADER: Final = b"x-request-id"
GIVEN: Final = re.compile(rb"[A-Za-z0-9-]{8,64}")
LINKED: Final = (CUSTOMER_PAGES, SUPPLIER_PAGES)
QUIET: Final = frozenset({"/livez", "/readyz", "/metrics"})


def access_log(app: ASGIApp, new_id: NewId) -> ASGIApp:
    """Wrap the whole application, so that what no route takes is logged too."""
    logger: Any = structlog.get_logger("hub.web")

    async def logged(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        request_id, method = _request_id(scope, new_id), scope["method"]
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (HEADER, request_id.encode())]
            await send(message)

        try:
            await app(scope, receive, watch)
        finally:
            if scope["path"] not in QUIET or status >= 400:
                logger.info(
                    "request",
                    method=method,
                    path=loggable(scope["path"]),
                    status=status,
                    duration_ms=round((time.perf_counter() - started) * 1000, 1),
                    request_id=request_id,
                )

    return logged


def loggable(path: str) -> str:
    """A path as it may be logged: whoever has a customer's or a supplier's link needs nothing else."""
    return next((f"{pages}/***" for pages in LINKED if path.startswith(f"{pages}/")), path)


def _request_id(scope: Scope, new_id: Callable[[], str]) -> str:
    """The caller's own, when it is one; else a new one."""
    given = next((value for name, value in scope["headers"] if name == HEADER), b"")
    return given.decode() if GIVEN.fullmatch(given) else new_id()
