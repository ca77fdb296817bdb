"""Calls to Odoo, by JSON-2 or JSON-RPC. It sends, and decides nothing but which of the two."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

import msgspec

from adapters.odoo import jsonrpc
from adapters.odoo.answers import failure, read, read_rows
from adapters.odoo.older import ASKED, older
from adapters.odoo.schemas import Row, RpcVersion, UserContext, Version
from adapters.odoo.settings import Settings
from adapters.odoo.translate import Values
from hub.sdk.capabilities import Context
from hub.sdk.outcomes import Interrupted, Unauthorised, blocked
from hub.sdk.wire import Request, Response

R = TypeVar("R", bound=Row)

Domain = Sequence[list[object] | str]
"""Search terms, all of which must hold; before two of which either will do stands "|"."""

READ_SECONDS: Final = 20.0
WRITE_SECONDS: Final = 60.0
"""Confirming or validating runs whatever the installed modules hang on it."""

TOO_MANY: Final = "see in Odoo what made so many, and report it: the hub would not have seen all of them"

_encoder: Final = msgspec.json.Encoder(decimal_format="number")


class Odoo:
    """One database, through one connection. Raises `Interrupted` for every answer that is no result."""

    def __init__(self, context: Context[Settings]) -> None:
        self._context = context
        self.settings = context.settings
        self.rpc = self.settings.protocol == "jsonrpc"
        """Whether JSON-RPC is spoken: set so, or found out by asking for JSON-2 in vain."""
        self._user_id: int | None = None

    def now(self) -> datetime:
        """The moment, by our clock."""
        return self._context.now()

    async def rows(
        self, kind: type[R], domain: Domain, *, limit: int, archived: bool = False, lacking: Collection[str] = ()
    ) -> list[R]:
        """Records that match, oldest first. A limit is a must: Odoo knows none of its own. `lacking` fields are not in
        this database, and have defaults."""
        fields = [name for name in _fields(kind) if name not in lacking]
        arguments = {"domain": domain, "fields": fields, "limit": limit, "order": "id"}
        context: dict[str, object] = {"active_test": False} if archived else {}
        response = await self._call(kind.model, "search_read", arguments, context=context)
        return read_rows(kind, response, f"{kind.model}.search_read")

    async def every(self, kind: type[R], domain: Domain, *, limit: int, archived: bool = False) -> list[R]:
        """All records that match. Raises NeedsPerson where there are `limit`: some would be missing, unseen."""
        found = await self.rows(kind, domain, limit=limit, archived=archived)
        if len(found) >= limit:
            raise blocked(f"Odoo has {limit} or more of {kind.model} where fewer were expected", TOO_MANY)
        return found

    async def create(self, model: str, records: Sequence[Values]) -> list[int]:
        """Create records; their ids in the same order."""
        if self.rpc and model in ASKED:
            asked, name = ASKED[model]
            records = records if await self.fields(asked, [name]) else older(model, records)
        response = await self._call(model, "create", {"vals_list": records}, write=True)
        return read(list[int], response, f"{model}.create", write=True)

    async def write(self, model: str, record: int, values: Values) -> None:
        """Change a record."""
        response = await self._call(model, "write", {"vals": values}, ids=[record], write=True)
        read(object, response, f"{model}.write", write=True)

    async def act(self, model: str, method: str, record: int, **context: object) -> object:
        """Do what a button does. The answer says little: false may be success, an object is a question back."""
        response = await self._call(model, method, {}, ids=[record], write=True, context=context)
        return read(object, response, f"{model}.{method}", write=True)

    async def user(self) -> UserContext:
        """Whose the API key is."""
        response = await self._call("res.users", "context_get", {})
        return read(UserContext, response, "res.users.context_get")

    async def fields(self, model: str, names: Sequence[str]) -> set[str]:
        """Those of `names` that the model has in this database."""
        response = await self._call(model, "fields_get", {"allfields": names, "attributes": ["type"]})
        return set(read(dict[str, object], response, f"{model}.fields_get"))

    async def version(self) -> Version:
        """The server's version; needs no key. Odoo before 19 tells it by JSON-RPC only."""
        if self.rpc:
            answer = await self._rpc("version", jsonrpc.call("common", "version", []))
            told = read(RpcVersion, answer, "version")
            return Version(version=told.version, version_info=told.info)
        request = Request(method="GET", path="/web/version", operation="version", deadline_seconds=READ_SECONDS)
        response = await self._context.client.send(request)
        if response.status != 200:
            raise failure(response, request.operation, write=False, now=self._context.now())
        return read(Version, response, "version")

    async def _call(
        self,
        model: str,
        method: str,
        arguments: Mapping[str, object],
        *,
        ids: Sequence[int] | None = None,
        write: bool = False,
        context: Mapping[str, object] | None = None,
    ) -> Response:
        """One call, one transaction."""
        said = {"lang": "en_US", **(context or {})}
        if self.settings.company_id is not None:
            said["allowed_company_ids"] = [self.settings.company_id]
        named = {**arguments, "context": said}
        if not self.rpc:
            response = await self._json2(model, method, ids, named, write)
            if not self._without_json2(response):
                if response.status != 200:
                    raise failure(response, f"{model}.{method}", write=write, now=self._context.now())
                return response
            self.rpc = True
        user = await self._user()
        settings = self.settings
        body = jsonrpc.execute(settings.database, user, settings.api_key, model, method, ids, named)
        return await self._rpc(f"{model}.{method}", body, write=write)

    async def _json2(
        self, model: str, method: str, ids: Sequence[int] | None, named: Mapping[str, object], write: bool
    ) -> Response:
        """The body is always an object: Odoo reads a list as "no arguments"."""
        request = Request(
            method="POST",
            path=f"/json/2/{model}/{method}",
            operation=f"{model}.{method}",
            body=_encoder.encode(named if ids is None else {"ids": ids, **named}),
            write=write,
            deadline_seconds=WRITE_SECONDS if write else READ_SECONDS,
        )
        return await self._context.client.send(request)

    def _without_json2(self, response: Response) -> bool:
        """Whether there is no JSON-2 here: a server that has it words its 404, an older one shows a web page.

        Nothing was done then, so that even a write may be said again in the other way.
        """
        page = response.status in (403, 404, 405) and response.body.lstrip()[:1] != b"{"
        return page and self.settings.protocol == "auto" and self.settings.login is not None

    async def _user(self) -> int:
        """Id of the key's user, which JSON-RPC wants with every call; asked once an operation."""
        if self._user_id is None:
            settings = self.settings
            if settings.login is None:
                raise blocked("JSON-RPC needs the log-in name of the key's user", "set login in the connection")
            body = jsonrpc.call("common", "authenticate", [settings.database, settings.login, settings.api_key, {}])
            found = read(object, await self._rpc("authenticate", body), "authenticate")
            if isinstance(found, bool) or not isinstance(found, int):
                raise Interrupted(Unauthorised(reason="Odoo refused the log-in or the API key"))
            self._user_id = found
        return self._user_id

    async def _rpc(self, operation: str, body: bytes, *, write: bool = False) -> Response:
        request = Request(
            method="POST",
            path=jsonrpc.PATH,
            operation=operation,
            body=body,
            write=write,
            deadline_seconds=WRITE_SECONDS if write else READ_SECONDS,
        )
        return jsonrpc.unwrap(await self._context.client.send(request), request, self._context.now())


def _fields(kind: type[Row]) -> list[str]:
    return [name for name in kind.__struct_fields__ if name != "id"]
