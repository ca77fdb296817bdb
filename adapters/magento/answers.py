"""What the store's answers mean. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec

from hub.sdk.limits import retry_after
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater, Uncertain
from hub.sdk.wire import Response

T = TypeVar("T")
Stop = RetryLater | NeedsPerson | Uncertain

LONGEST_MESSAGE: Final = 400
PAUSE: Final = timedelta(minutes=1)
"""How long a store that says "too many" without a time is left alone."""


class _Error(msgspec.Struct):
    message: str
    parameters: Any = None
    errors: list["_Error"] | None = None


_error = msgspec.json.Decoder(_Error)
_anything = msgspec.json.Decoder()

ID: Final[msgspec.json.Decoder[int | str]] = msgspec.json.Decoder(int | str)
"""Answer of a call that makes something; some versions write the number as text."""
VERDICT: Final[msgspec.json.Decoder[bool]] = msgspec.json.Decoder(bool)
NOTHING: Final[msgspec.json.Decoder[list[object] | None]] = msgspec.json.Decoder(list[object] | None)
"""Answer of a call without a result: `[]`."""


def told(body: bytes) -> str | None:
    """The store's message with its parameters in place; None when the body is no error of the store.

    Messages hold %1 or %fieldName, the values come as a list or by name. The `trace` of developer mode is left out.
    """
    try:
        error = _error.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    parts = [_filled(error), *(_filled(inner) for inner in error.errors or ())]
    return "; ".join(parts)[:LONGEST_MESSAGE]


def _filled(error: _Error) -> str:
    text, given = error.message, error.parameters
    named: Mapping[str, object] = {}
    if isinstance(given, dict):
        named = given
    elif isinstance(given, list):
        named = {str(place): value for place, value in enumerate(given, 1)}
    for name in sorted(named, key=len, reverse=True):
        text = text.replace(f"%{name}", str(named[name]))
    return text.replace("\n", " ")


def read(response: Response, decoder: msgspec.json.Decoder[T], what: str, now: datetime, *, write: bool = False) -> T:
    """The answer of a call that went well. Raises `Interrupted` for everything else.

    A 2xx whose body is not what it should be (HTML of a login page or a firewall, an error inside, half a document)
    leaves a write uncertain: it may have been done.
    """
    if not 200 <= response.status < 300:
        raise Interrupted(refusal(response, what, now, write=write))
    try:
        return decoder.decode(response.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        reason = f"{what}: the store answered {response.status} with {_instead(response, error)}"
        raise Interrupted(Uncertain(reason=reason) if write else RetryLater(reason=reason)) from None


def refusal(response: Response, what: str, now: datetime, *, write: bool) -> Stop:
    """What an answer outside 2xx means, where the caller does not know better."""
    message = told(response.body)
    reason = f"{what}: the store answered {response.status}" + (f": {message}" if message else "")
    match response.status:
        case 429:
            return RetryLater(reason=reason, at=retry_after(response, now) or now + PAUSE)
        case status if status >= 500:
            # A cache in front says 503 for a request that the store behind it may have carried out.
            at = retry_after(response, now)
            return Uncertain(reason=reason) if write else RetryLater(reason=reason, at=at)
        case status if 300 <= status < 400:
            step = "write store_url as the store does itself: https or http, www or not, and the path"
            return NeedsPerson(reason=f"{reason}: it redirects elsewhere", next_step=step)
        case 403:
            step = "a firewall or the web server refused it: let the hub's address through, or check the integration"
            return NeedsPerson(reason=reason, next_step=step)
        case _:
            return NeedsPerson(reason=reason, next_step="compare with the store's admin, correct it there, then retry")


def _instead(response: Response, error: Exception) -> str:
    message = told(response.body)
    if message is not None:
        return f"an error inside: {message}"
    if response.body.lstrip()[:1] == b"<":
        return "HTML instead of JSON: a login page, maintenance or a firewall answers for the store"
    try:
        _anything.decode(response.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return f"{len(response.body)} bytes that are no whole JSON document"
    return f"another document than the one asked for ({error})"
