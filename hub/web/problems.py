"""Errors as RFC 9457 problems, with stable types and, for bad input, a JSON Pointer for every fault."""

import re
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import asyncpg
import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    ValidationException,
)
from litestar.typing import FieldDefinition

from hub.domain.states import IllegalMove
from hub.flow.ports import LostRace
from hub.flow.refusal import CannotDo
from hub.sdk.redaction import redact_text
from hub.store.admin.errors import Conflict, Fault, Invalid, Missing
from hub.store.database import is_data_fault, is_weather
from hub.web.reading import NotJson, with_words

MEDIA_TYPE: Final = "application/problem+json"
PREFIX: Final = "urn:crossdock:problem:"
MISSING: Final = re.compile(r"Missing required query parameter '([^']+)'")


class InputFault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing wrong with the input."""

    detail: str
    pointer: str | None = None
    """JSON Pointer into the request body; "" is the whole body."""
    parameter: str | None = None
    """Query parameter, path parameter or header."""


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457. A problem may carry members of its own besides these."""

    type: str
    """Stable: "urn:crossdock:problem:<slug>"."""
    title: str
    status: int
    detail: str
    instance: str | None = None
    """The request, as the log names it."""
    errors: tuple[InputFault, ...] = ()


class Refusal(Exception):
    """An answer that is a problem, with what belongs to it."""

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str,
        *,
        faults: tuple[Fault, ...] = (),
        headers: dict[str, str] | None = None,
        extra: dict[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.title = title
        self.detail = detail
        self.faults = faults
        self.headers = headers or {}
        self.extra = extra or {}


def unauthenticated(detail: str) -> Refusal:
    """401: no token, or none that is valid."""
    challenge = {"WWW-Authenticate": 'Bearer realm="crossdock"'}
    return Refusal(401, "unauthenticated", "A valid token is needed", detail, headers=challenge)


def forbidden(detail: str) -> Refusal:
    """403: the token's role does not reach so far."""
    return Refusal(403, "forbidden", "The token's role does not allow this", detail)


def refusal_of(error: Exception, request: Request[Any, Any, Any]) -> Refusal:
    """What an error is to the caller. Everything unforeseen is a 500 without detail: the log has it."""
    match error:
        case Refusal():
            return error
        case Invalid():
            count = len(error.faults)
            detail = (
                f"{count} fault{'s' if count != 1 else ''} in the request; nothing was applied. First: {_first(error)}"
            )
            return Refusal(422, "invalid-input", "The input cannot be taken", detail, faults=error.faults)
        case NotJson():
            return Refusal(400, "malformed-json", "The body is not JSON", str(error))
        case Missing():
            return Refusal(404, "not-found", "There is no such thing", str(error))
        case Conflict():
            return Refusal(409, error.slug, "It conflicts with the state of things", error.detail, extra=error.extra)
        case CannotDo():
            return Refusal(409, "cannot-do", "The order is past that point", str(error))
        case IllegalMove():
            return Refusal(409, "cannot-do", "The order is past that point", str(error))
        case LostRace():
            return _try_again("Others changed the same stock at the same time; nothing was applied")
        case ValidationException():
            return _refused_parameters(error, request.route_handler.parsed_fn_signature.parameters)
        case HTTPException():
            return _refused_by_framework(error)
        case asyncpg.IntegrityConstraintViolationError():
            return Refusal(
                409, "conflict", "It conflicts with the state of things", "Another request was faster; read anew"
            )
        case _ if is_data_fault(error):
            detail = "A value in the request cannot be stored: out of range, or text that is not text"
            return Refusal(422, "invalid-input", "The input cannot be taken", detail)
        case _ if is_weather(error):
            return _try_again("The database cannot be reached just now; nothing was applied")
        case _:
            return Refusal(500, "internal", "The hub failed", "The log has it under this request's id")


def _try_again(reason: str) -> Refusal:
    detail = f"{reason}. Try again, with the same Idempotency-Key"
    return Refusal(503, "unavailable", "Try again shortly", detail, headers={"Retry-After": "2"})


def _first(error: Invalid) -> str:
    fault = error.faults[0]
    return f"{fault.pointer or fault.parameter or 'body'} {fault.detail}"


def _refused_parameters(error: ValidationException, declared: Mapping[str, FieldDefinition]) -> Refusal:
    """The framework's own complaint about parameters, or about a body that is missing.

    It names a parameter as the handler does; the caller is told the name that was sent.
    """
    missing = MISSING.search(str(error.detail))
    if missing:
        fault = Fault("is missing", parameter=missing[1])
        return Refusal(422, "invalid-input", "The input cannot be taken", f"{missing[1]} is missing", faults=(fault,))
    extra = error.extra if isinstance(error.extra, list) else []
    faults = []
    for entry in extra:
        name, text = str(entry.get("key", "")), str(entry.get("message", "is not valid"))
        if name.split(".")[0] == "data":
            return Refusal(400, "malformed-json", "The body is not JSON", "A JSON body is needed")
        text = text.replace("`", "").split(" - at")[0]
        field = declared.get(name)
        if field is not None:
            text, name = with_words(text, field.annotation), getattr(field.kwarg_definition, "name", None) or name
        faults.append(Fault(text, parameter=name))
    if not faults and "data" in str(error.detail):
        return Refusal(400, "malformed-json", "The body is not JSON", "A JSON body is needed")
    detail = "; ".join(f"{f.parameter} {f.detail}" for f in faults) or str(error.detail)
    return Refusal(422, "invalid-input", "The input cannot be taken", detail, faults=tuple(faults))


def _refused_by_framework(error: HTTPException) -> Refusal:
    try:
        phrase = HTTPStatus(error.status_code).phrase
    except ValueError:
        phrase = "Refused"
    return Refusal(
        error.status_code,
        phrase.lower().replace(" ", "-"),
        phrase,
        error.detail if error.status_code < 500 and error.detail else phrase,
        headers=dict(error.headers or {}),
    )


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The exception handler of everything under the API."""
    refusal = refusal_of(error, request)
    if refusal.status >= 500:
        logger = structlog.get_logger("hub.web")
        logger.error("request_failed", path=request.url.path, error=_told(error), at=_places(error))
    return respond(refusal, request.scope.get("state", {}).get("request_id"))


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {redact_text(str(error))[:300]}"


def _places(error: BaseException) -> list[str]:
    """Where it happened, without the values of variables: those hold people and secrets."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]


def respond(refusal: Refusal, request_id: str | None) -> Response[bytes]:
    """A problem as a response."""
    document: dict[str, object] = {
        "type": PREFIX + refusal.slug,
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
    }
    if request_id:
        document["instance"] = f"urn:crossdock:request:{request_id}"
    if refusal.faults:
        document["errors"] = [
            InputFault(detail=f.detail, pointer=f.pointer, parameter=f.parameter) for f in refusal.faults
        ]
    return Response(
        msgspec.json.encode(document | refusal.extra),
        status_code=refusal.status,
        media_type=MEDIA_TYPE,
        headers=refusal.headers,
    )
