"""What Square's answers mean. Pure."""

from datetime import datetime, timedelta
from typing import Final, TypeVar

import msgspec

from adapters.square.schemas import Envelope, Fault
from hub.sdk.limits import retry_after
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater, Unauthorised, Uncertain
from hub.sdk.wire import Response

T = TypeVar("T")
Stop = RetryLater | NeedsPerson | Unauthorised | Uncertain

LONGEST_MESSAGE: Final = 400
PAUSE: Final = timedelta(seconds=20)
"""Square's 429 says no time; it asks for exponential back-off."""

REVOKED: Final = frozenset({"ACCESS_TOKEN_REVOKED", "ACCESS_TOKEN_EXPIRED", "UNAUTHORIZED"})
STALE: Final = frozenset({"VERSION_MISMATCH", "CONFLICT"})
"""Somebody changed the order in between: read it again."""

_envelope: Final = msgspec.json.Decoder(Envelope)
_anything: Final = msgspec.json.Decoder()


def faults(body: bytes) -> tuple[Fault, ...]:
    """The `errors` of an answer; they also stand in answers of status 200. None for a body that holds none."""
    try:
        return _envelope.decode(body).errors or ()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ()


def codes(response: Response) -> frozenset[str]:
    """Codes of an answer's errors."""
    return frozenset(fault.code for fault in faults(response.body))


def told(response: Response) -> str:
    """Square's own words: code, field and detail of each error."""
    parts = (
        " ".join(filter(None, (fault.code, fault.field and f"({fault.field})", fault.detail)))
        for fault in faults(response.body)
    )
    return "; ".join(parts).replace("\n", " ")[:LONGEST_MESSAGE]


def good(response: Response) -> bool:
    """Whether an answer is a success: 2xx, and no error inside."""
    return 200 <= response.status < 300 and not faults(response.body)


def read(response: Response, decoder: msgspec.json.Decoder[T], what: str, now: datetime, *, write: bool = False) -> T:
    """The answer of a call that went well. Raises `Interrupted` for everything else.

    A 2xx whose body is not what it should be (HTML of a proxy, half a document) leaves a write uncertain.
    """
    if not good(response):
        raise Interrupted(refusal(response, what, now, write=write))
    try:
        return decoder.decode(response.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        reason = f"{what}: Square answered {response.status} with {_instead(response, error)}"
        raise Interrupted(Uncertain(reason=reason) if write else RetryLater(reason=reason)) from None


def refusal(response: Response, what: str, now: datetime, *, write: bool) -> Stop:
    """What an answer with errors means, where the caller does not know better."""
    message, found = told(response), codes(response)
    reason = f"{what}: Square answered {response.status}" + (f": {message}" if message else "")
    if response.status == 429 or "RATE_LIMITED" in found:
        return RetryLater(reason=reason, at=retry_after(response, now) or now + PAUSE)
    if response.status == 401 or found & REVOKED:
        return Unauthorised(reason=reason)
    if response.status >= 500 or found & {"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "GATEWAY_TIMEOUT"}:
        at = retry_after(response, now)
        return Uncertain(reason=reason) if write else RetryLater(reason=reason, at=at)
    if response.status == 403:
        step = "authorise the application again with the permissions named in the README"
        return NeedsPerson(reason=reason, next_step=step)
    return NeedsPerson(reason=reason, next_step="compare with the Square Dashboard, correct it there, then retry")


def _instead(response: Response, error: Exception) -> str:
    if response.body.lstrip()[:1] == b"<":
        return "HTML instead of JSON: a proxy or a maintenance page answers for Square"
    try:
        _anything.decode(response.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return f"{len(response.body)} bytes that are no whole JSON document"
    return f"another document than the one asked for ({error})"
