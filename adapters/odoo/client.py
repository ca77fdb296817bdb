"""Calls to Odoo's JSON-2 interface. It sends, and decides nothing."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from adapters.odoo.answers import failure, read, read_rows
from adapters.odoo.schemas import Row, UserContext, Version
from adapters.odoo.settings import Settings
from adapters.odoo.translate import Domain, Values
from hub.sdk.capabilities import Context
from hub.sdk.wire import Request, Response

R = TypeVar("R", bound=Row)

READ_SECONDS: Final = 20.0
WRITE_SECONDS: Final = 60.0
"""Confirming or validating runs whatever the installed modules hang on it."""

_encoder: Final = msgspec.json.Encoder(decimal_format="number")


class Odoo:
    """One database, through one connection. Raises `Interrupted` for every answer but 200."""

    def __init__(self, context: Context[Settings]) -> None:
        self._context = context
        self.settings = context.settings

    async def rows(self, kind: type[R], domain: Domain, *, limit: int) -> list[R]:
        """Records that match, oldest first. A limit is a must: Odoo knows none of its own."""
        arguments = {"domain": domain, "fields": _fields(kind), "limit": limit, "order": "id"}
        response = await self._call(kind.model, "search_read", arguments)
        return read_rows(kind, response, f"{kind.model}.search_read")

    async def create(self, model: str, records: Sequence[Values]) -> list[int]:
        """Create records; their ids in the same order."""
        response = await self._call(model, "create", {"vals_list": records}, write=True)
        return read(list[int], response, f"{model}.create")

    async def write(self, model: str, record: int, values: Values) -> None:
        """Change a record."""
        await self._call(model, "write", {"ids": [record], "vals": values}, write=True)

    async def act(self, model: str, method: str, record: int, **context: object) -> object:
        """Do what a button does. The answer says little: false may be success, an object is a question back."""
        response = await self._call(model, method, {"ids": [record]}, write=True, context=context)
        return read(object, response, f"{model}.{method}")

    async def user(self) -> UserContext:
        """Whose the API key is."""
        response = await self._call("res.users", "context_get", {})
        return read(UserContext, response, "res.users.context_get")

    async def fields(self, model: str, names: Sequence[str]) -> set[str]:
        """Those of `names` that the model has in this database."""
        response = await self._call(model, "fields_get", {"allfields": names, "attributes": ["type"]})
        return set(read(dict[str, object], response, f"{model}.fields_get"))

    async def version(self) -> Version:
        """The server's version; needs no key."""
        request = Request(method="GET", path="/web/version", operation="version", deadline_seconds=READ_SECONDS)
        return read(Version, self._good(await self._context.client.send(request), request), "version")

    async def _call(
        self,
        model: str,
        method: str,
        arguments: Mapping[str, object],
        *,
        write: bool = False,
        context: Mapping[str, object] | None = None,
    ) -> Response:
        """One call, one transaction. The body is always an object: Odoo reads a list as "no arguments"."""
        said = {"lang": "en_US", **(context or {})}
        if self.settings.company_id is not None:
            said["allowed_company_ids"] = [self.settings.company_id]
        request = Request(
            method="POST",
            path=f"/json/2/{model}/{method}",
            operation=f"{model}.{method}",
            body=_encoder.encode({**arguments, "context": said}),
            write=write,
            deadline_seconds=WRITE_SECONDS if write else READ_SECONDS,
        )
        return self._good(await self._context.client.send(request), request)

    def _good(self, response: Response, request: Request) -> Response:
        if response.status != 200:
            raise failure(response, request.operation, write=request.write, now=self._context.now())
        return response


def _fields(kind: type[Row]) -> list[str]:
    return [name for name in kind.__struct_fields__ if name != "id"]
