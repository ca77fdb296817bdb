"""Calls to Business Central's API v2.0. It sends, and decides nothing."""

from collections.abc import AsyncIterator, Mapping
from typing import Final, TypeVar

import msgspec

from adapters.business_central.answers import failure, read, read_rows
from adapters.business_central.schemas import Company, Row, Subscription
from adapters.business_central.settings import Settings, company_path, root
from hub.sdk.capabilities import Context
from hub.sdk.wire import Request, Response

R = TypeVar("R", bound=Row)
Values = dict[str, object]

READ_SECONDS: Final = 30.0
WRITE_SECONDS: Final = 120.0
"""Posting runs whatever the installed extensions hang on it."""
MOST_PAGES: Final = 10_000

_encoder: Final = msgspec.json.Encoder(decimal_format="number")


class BusinessCentral:
    """One company, through one connection. Raises `Interrupted` for every answer but 2xx, `Changed` for a stale tag."""

    def __init__(self, context: Context[Settings]) -> None:
        self._context = context
        self.settings = context.settings

    async def rows(self, kind: type[R], terms: str, *, expand: str | None = None) -> list[R]:
        """All records that match a filter."""
        return [row async for page in self.pages(kind, terms, expand=expand) for row in page]

    async def pages(self, kind: type[R], terms: str, *, expand: str | None = None) -> AsyncIterator[list[R]]:
        """Records that match, in the pages that the server cuts; each names the next by a link."""
        query = ({"$filter": terms} if terms else {}) | ({"$expand": expand} if expand else {})
        async for rows in self._pages(kind, self._path(kind.entity), query):
            yield rows

    async def rows_of(self, kind: type[R], path: str) -> list[R]:
        """All records under another one: `journals({id})/journalLines`."""
        return [row async for page in self._pages(kind, self._path(path), {}) for row in page]

    async def _pages(self, kind: type[R], start: str, query: dict[str, str]) -> AsyncIterator[list[R]]:
        operation = f"GET {kind.entity}"
        path: str | None = start
        for _ in range(MOST_PAGES):
            if path is None:
                return
            response = await self._send(Request(method="GET", path=path, operation=operation, query=query))
            rows, path = read_rows(kind, response, operation)
            query = {}
            yield rows

    async def read_path(self, kind: type[R], path: str) -> R:
        """The record that a notification names."""
        operation = f"GET {kind.entity}({{id}})"
        return read(kind, (await self._send(Request(method="GET", path=path, operation=operation))).body, operation)

    async def create(self, entity: str, values: Values) -> None:
        """Create a record with its lines; whoever wants to know its number reads it by its external number."""
        await self._write("POST", self._path(entity), f"POST {entity.partition('(')[0]}", values)

    async def change(self, kind: type[R], record: str, etag: str, values: Values) -> None:
        """Change a record that is still as it was read."""
        path = f"{self._path(kind.entity)}({record})"
        await self._write("PATCH", path, f"PATCH {kind.entity}", values, {"if-match": etag})

    async def remove(self, kind: type[R], record: str) -> None:
        """Delete a record."""
        path = f"{self._path(kind.entity)}({record})"
        await self._write("DELETE", path, f"DELETE {kind.entity}", None, {"if-match": "*"})

    async def act(self, kind: type[R], record: str, action: str) -> None:
        """Do a bound action: post, shipAndInvoice."""
        path = f"{self._path(kind.entity)}({record})/Microsoft.NAV.{action}"
        await self._write("POST", path, f"{kind.entity}.{action}", None)

    async def company(self) -> Company:
        """The company itself."""
        path = company_path(self.settings)
        response = await self._send(Request(method="GET", path=path, operation="GET companies({id})"))
        return read(Company, response.body, "GET companies({id})")

    async def subscriptions(self) -> list[Subscription]:
        """Webhook subscriptions of the environment that this app may see."""
        path = f"{root(self.settings)}/subscriptions"
        response = await self._send(Request(method="GET", path=path, operation="GET subscriptions"))
        return read_rows(Subscription, response, "GET subscriptions")[0]

    async def subscribe(self, values: Values) -> None:
        """Make a subscription. Before it answers, Business Central asks the notification address to echo a token."""
        await self._write("POST", f"{root(self.settings)}/subscriptions", "POST subscriptions", values)

    async def renew(self, subscription: Subscription, values: Values) -> None:
        """Renew a subscription for three days: the same echo again. It wants a body and the tag."""
        path = f"{root(self.settings)}/subscriptions('{subscription.subscription_id}')"
        await self._write("PATCH", path, "PATCH subscriptions", values, {"if-match": subscription.etag})

    def _path(self, entity: str) -> str:
        return f"{company_path(self.settings)}/{entity}"

    async def _write(
        self, method: str, path: str, operation: str, values: Values | None, headers: Mapping[str, str] | None = None
    ) -> None:
        request = Request(
            method=method,
            path=path,
            operation=operation,
            headers={**(headers or {}), "content-type": "application/json"},
            body=b"" if values is None else _encoder.encode(values),
            write=True,
            deadline_seconds=WRITE_SECONDS,
        )
        await self._send(request)

    async def _send(self, request: Request) -> Response:
        if not request.write:
            request = msgspec.structs.replace(request, deadline_seconds=READ_SECONDS)
        response = await self._context.client.send(request)
        if not 200 <= response.status < 300:
            raise failure(response, request.operation, write=request.write, now=self._context.now())
        return response
