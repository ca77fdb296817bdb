"""JSON-RPC, which Odoo speaks since version 8 and means to drop in 22: the same calls and answers in another wrapping.

Everything is `POST /jsonrpc` with status 200, errors too; the database, the user's id and the key are arguments. Pure.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from adapters.odoo.answers import failure, read
from adapters.odoo.schemas import Problem
from hub.sdk.outcomes import Interrupted, Unauthorised
from hub.sdk.wire import Request, Response

PATH: Final = "/jsonrpc"

STATUS: Final[Mapping[str, int]] = {
    "odoo.exceptions.AccessError": 403,
    "odoo.exceptions.MissingError": 404,
    "odoo.exceptions.UserError": 422,
    "odoo.exceptions.ValidationError": 422,
    "odoo.exceptions.RedirectWarning": 422,
    "werkzeug.exceptions.NotFound": 404,
    "builtins.AttributeError": 404,
}
"""The status that JSON-2 gives to the same error; every other is 500. An unknown method is an AttributeError here."""

REFUSED_KEY: Final = frozenset({"odoo.exceptions.AccessDenied", "odoo.http.SessionExpiredException"})

_encoder: Final = msgspec.json.Encoder(decimal_format="number")


class _Error(msgspec.Struct, frozen=True, kw_only=True):
    data: Problem | None = None
    message: str = ""


class _Envelope(msgspec.Struct, frozen=True, kw_only=True):
    result: msgspec.Raw = msgspec.Raw(b"null")
    """Left out by Odoo where a method returns nothing."""
    error: _Error | None = None


def call(service: str, method: str, args: Sequence[object]) -> bytes:
    """Body of a call. Its id is of no use: one request is under way per connection."""
    params = {"service": service, "method": method, "args": args}
    return _encoder.encode({"jsonrpc": "2.0", "method": "call", "params": params, "id": 1})


def execute(
    database: str, user: int, key: str, model: str, method: str, ids: Sequence[int] | None, named: Mapping[str, object]
) -> bytes:
    """Body of a call of a model's method.

    Records and the values of `create` and `write` go by position: before 19 those two know no names.
    """
    rest = dict(named)
    args: list[object] = [] if ids is None else [list(ids)]
    for name in ("vals_list", "vals"):
        if name in rest:
            args.append(rest.pop(name))
    return call("object", "execute_kw", [database, user, key, model, method, args, rest])


def unwrap(response: Response, request: Request, now: datetime) -> Response:
    """The result as JSON-2 would have answered it. Raises `Interrupted` for the error inside a 200.

    An error that Odoo worded had no effect, as ever: one call is one transaction.
    """
    if response.status != 200:
        raise failure(response, request.operation, write=request.write, now=now)
    envelope = read(_Envelope, response, request.operation, write=request.write)
    if envelope.error is None:
        return msgspec.structs.replace(response, body=bytes(envelope.result))
    problem = envelope.error.data or Problem(name="unknown", message=envelope.error.message)
    if problem.name in REFUSED_KEY:
        raise Interrupted(Unauthorised(reason="Odoo refused the log-in or the API key"))
    status = STATUS.get(problem.name, 500)
    worded = msgspec.structs.replace(response, status=status, body=msgspec.json.encode(problem))
    raise failure(worded, request.operation, write=request.write, now=now)
