"""Calls to Tryton's JSON-RPC interface. It sends, and decides nothing."""

import base64
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from adapters.tryton.answers import read
from adapters.tryton.schemas import Row
from adapters.tryton.settings import Settings
from hub.sdk.capabilities import Context
from hub.sdk.wire import Request, Response

R = TypeVar("R", bound=Row)
T = TypeVar("T")
Values = dict[str, object]
Domain = list[object]

READ_SECONDS: Final = 20.0
WRITE_SECONDS: Final = 60.0


class Tryton:
    """One company of one database, through one session, opened by the first call.

    Checking a password costs the server a good part of a second by design, so it is shown once and not with each call.
    """

    def __init__(self, context: Context[Settings]) -> None:
        self._context = context
        self.settings = context.settings
        self._session: str | None = None

    async def rows(self, kind: type[R], domain: Domain, *, limit: int, inactive: bool = False) -> list[R]:
        """Records that match, oldest first; `inactive` ones among them, which Tryton hides otherwise."""
        arguments = [domain, 0, limit, [["id", "ASC"]], _fields(kind)]
        method = f"model.{kind.model}.search_read"
        return await self.call(list[kind], method, *arguments, inactive=inactive)  # type: ignore[valid-type]

    async def read_rows(self, kind: type[R], ids: Sequence[int]) -> list[R]:
        """Records by their ids."""
        if not ids:
            return []
        return await self.call(list[kind], f"model.{kind.model}.read", list(ids), _fields(kind))  # type: ignore[valid-type]

    async def create(self, model: str, values: Values) -> int:
        """Create a record with its lines."""
        return (await self.call(list[int], f"model.{model}.create", [values], write=True))[0]

    async def write(self, model: str, records: Sequence[int], values: Values) -> None:
        """Change records."""
        await self.call(object, f"model.{model}.write", list(records), values, write=True)

    async def act(self, model: str, button: str, record: int) -> None:
        """Press a button. The answer says nothing: the record does."""
        await self.call(object, f"model.{model}.{button}", [record], write=True)

    async def call(
        self, kind: type[T], method: str, *arguments: object, write: bool = False, inactive: bool = False
    ) -> T:
        """One call, one transaction."""
        if self._session is None:
            self._session = await self._login()
        context: Values = {"company": self.settings.company_id, "language": "en"}
        if inactive:
            context["active_test"] = False
        response = await self._send(method, [*arguments, context], write=write, session=self._session)
        return read(kind, response, method, write=write, now=self._context.now())

    async def _login(self) -> str:
        """A session; Tryton forgets it after some minutes without a call. Refused is 401, which the client raises."""
        settings = self.settings
        parameters = [settings.username, {"password": settings.password}, "en"]
        response = await self._send("common.db.login", parameters, write=False, session=None)
        found = read(tuple[int, str, object], response, "login", write=False, now=self._context.now())
        return base64.b64encode(f"{settings.username}:{found[0]}:{found[1]}".encode()).decode()

    async def _send(self, method: str, parameters: Sequence[object], *, write: bool, session: str | None) -> Response:
        body = msgspec.json.encode({"id": 1, "method": method, "params": parameters})
        request = Request(
            method="POST",
            path=f"/{self.settings.database}/rpc/",
            operation=method,
            headers={} if session is None else {"authorization": f"Session {session}"},
            body=body,
            write=write,
            deadline_seconds=WRITE_SECONDS if write else READ_SECONDS,
        )
        return await self._context.client.send(request)


def _fields(kind: type[Row]) -> list[str]:
    own = [name for name in kind.__struct_encode_fields__ if name != "id" and not name.endswith(".")]
    return [*own, *kind.links]
