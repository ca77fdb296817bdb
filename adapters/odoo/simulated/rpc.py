"""JSON-RPC in front of the simulator's methods: another wrapping, by position, always with status 200."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from adapters.odoo.simulated.books import OdooError

OF_THE_MODEL: Final = frozenset({"create", "search_read", "fields_get", "context_get"})
"""Methods that are not about records: their first argument is no list of ids."""

Perform = Callable[[str, str, dict[str, Any]], object]
"""(model, method, arguments by name) -> result."""


class Service(msgspec.Struct, kw_only=True):
    """What a database answers at /jsonrpc."""

    database: str
    login: str
    key: str
    version: Sequence[object]
    user: int = 2

    def answer(self, call: Mapping[str, Any], perform: Perform, names: Callable[[str, str], Sequence[str]]) -> object:
        """The envelope. `names` are a method's arguments in their order."""
        shown: dict[str, object] = {"jsonrpc": "2.0", "id": call.get("id")}
        try:
            params = call["params"]
            result = self._serve(params["service"], params["method"], params["args"], perform, names)
        except OdooError as error:
            return {**shown, "error": {"code": 0, "message": "Odoo Server Error", "data": problem(error)}}
        # A result of nothing is left out.
        return shown if result is None else {**shown, "result": result}

    def _serve(
        self,
        service: str,
        method: str,
        args: Sequence[Any],
        perform: Perform,
        names: Callable[[str, str], Sequence[str]],
    ) -> object:
        if (service, method) == ("common", "version"):
            major = f"{self.version[0]}.{self.version[1]}"
            told = {"server_version": major, "server_version_info": self.version, "server_serie": major}
            return {**told, "protocol_version": 1}
        if (service, method) == ("common", "authenticate"):
            return self.user if list(args[:3]) == [self.database, self.login, self.key] else False
        database, user, key, model, name, positional, *rest = args
        if database != self.database:
            raise _rpc_error("psycopg2.OperationalError", f'database "{database}" does not exist')
        if (user, key) != (self.user, self.key):
            raise _rpc_error("odoo.exceptions.AccessDenied", "Access Denied")
        arguments = dict(rest[0]) if rest else {}
        given = list(positional)
        if name not in OF_THE_MODEL and given:
            arguments["ids"] = given.pop(0)
        return perform(model, name, {**dict(zip(names(model, name), given, strict=False)), **arguments})


def _rpc_error(name: str, message: str) -> OdooError:
    return OdooError(200, name, message)


def worded(error: OdooError) -> OdooError:
    """The same error as JSON-RPC names it: it has no notion of a page that is not found."""
    if error.name == "werkzeug.exceptions.NotFound" and error.message.startswith("The method"):
        return _rpc_error("builtins.AttributeError", error.message)
    if error.name == "werkzeug.exceptions.NotFound":
        return _rpc_error("odoo.exceptions.UserError", error.message)
    return error


def problem(error: OdooError) -> dict[str, object]:
    """The error's body, with a traceback in it."""
    told = worded(error)
    trace = f'Traceback (most recent call last):\n  File "/srv/odoo/http.py", line 1, in serve\n{told.name}: {told}\n'
    return {"name": told.name, "message": told.message, "arguments": [told.message], "context": {}, "debug": trace}


def order_of(function: Callable[..., object]) -> tuple[str, ...]:
    """Names of a simulated method's own arguments, in their order."""
    parameters = inspect.signature(function).parameters.values()
    return tuple(one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY)
