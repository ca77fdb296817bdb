"""Reading ShipHero's answers: the table that says what an error means for us, and what was learned about credits.

A failure comes as HTTP 200 with `errors`; several may come at once and the first one decides. A code or sentence that
is not in the table is nobody's default: a person looks at it.
"""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar

import msgspec

from adapters.shiphero.schemas import Answer, ApiError
from hub.sdk.outcomes import Interrupted, NeedsPerson, Refused, RetryLater, Unauthorised, Uncertain
from hub.sdk.wire import RateReading, Response

T = TypeVar("T")

Failure = RetryLater | Refused | NeedsPerson | Unauthorised | Uncertain


class Meaning(StrEnum):
    """What an error comes to."""

    THROTTLED = "throttled"
    UNAUTHORISED = "unauthorised"
    FORBIDDEN = "forbidden"
    TOO_LATE = "too late"
    ALREADY_CANCELLED = "already cancelled"
    NOT_FOUND = "not found"
    BROKEN = "broken"
    INVALID = "invalid"


ERRORS: Final[tuple[tuple[str | None, str, Meaning], ...]] = (
    ("30", "", Meaning.THROTTLED),
    (None, "not enough credits", Meaning.THROTTLED),
    (None, "already canceled", Meaning.ALREADY_CANCELLED),
    (None, "already cancelled", Meaning.ALREADY_CANCELLED),
    (None, "already fulfilled", Meaning.TOO_LATE),
    (None, "already shipped", Meaning.TOO_LATE),
    (None, "can't be canceled", Meaning.TOO_LATE),
    (None, "cannot be canceled", Meaning.TOO_LATE),
    (None, "token", Meaning.UNAUTHORISED),
    (None, "unauthorized", Meaning.UNAUTHORISED),
    (None, "permission", Meaning.FORBIDDEN),
    (None, "scope", Meaning.FORBIDDEN),
    ("5", "", Meaning.NOT_FOUND),
    (None, "not found", Meaning.NOT_FOUND),
    (None, "unexpected error", Meaning.BROKEN),
    (None, "internal server error", Meaning.BROKEN),
    (None, "timed out", Meaning.BROKEN),
    (None, "timeout", Meaning.BROKEN),
)
"""(code, part of the sentence in lower case, meaning), first match wins. Codes 5 and 30 are documented; the sentences
are ShipHero's error glossary's and what integrators report."""

_WAIT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(second|minute|hour)")
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600}
_CREDITS_PER_SECOND: Final = 60


def meaning(error: ApiError) -> Meaning:
    """What an error comes to, by the table."""
    code, says = None if error.code is None else str(error.code), error.message.lower()
    for listed, part, means in ERRORS:
        if listed in (None, code) and part in says:
            return means
    return Meaning.INVALID


def credits_back_at(error: ApiError, now: datetime) -> datetime:
    """When the missing credits are there again: as ShipHero says it, else by its restore rate, else in a second."""
    stated = _WAIT.search(error.time_remaining or "") or _WAIT.search(error.message)
    if stated:
        seconds = float(stated[1]) * _SECONDS[stated[2]]
    elif error.required_credits is not None and error.remaining_credits is not None:
        seconds = (error.required_credits - error.remaining_credits) / _CREDITS_PER_SECOND
    else:
        seconds = 1.0
    return now + timedelta(seconds=max(seconds, 1.0))


def failure(error: ApiError, *, write: bool, now: datetime) -> Failure:
    """What happens next after an error."""
    said = f"ShipHero says: {error.message or 'nothing'} (code {error.code}, request {error.request_id})"
    match meaning(error):
        case Meaning.THROTTLED:
            return RetryLater(reason=said, at=credits_back_at(error, now))
        case Meaning.UNAUTHORISED:
            return Unauthorised(reason=said)
        case Meaning.TOO_LATE | Meaning.ALREADY_CANCELLED:
            return Refused(reason=said)
        case Meaning.BROKEN:
            return Uncertain(reason=said) if write else RetryLater(reason=said)
        case Meaning.FORBIDDEN:
            return NeedsPerson(reason=said, next_step="Give the integration's ShipHero user this permission or scope.")
        case Meaning.NOT_FOUND:
            return NeedsPerson(reason=said, next_step="Compare warehouse, order and account ids with ShipHero.")
        case Meaning.INVALID:
            return NeedsPerson(reason=said, next_step="Look the sentence up in ShipHero's error glossary.")


def read(response: Response, decoder: msgspec.json.Decoder[Answer[T]], *, write: bool, now: datetime) -> T:
    """The data of an answer. Raises `Interrupted` with what happens next when there is none.

    Data beside errors is a success: warnings travel in the same list.
    """
    refused = by_status(response, write=write, now=now)
    if refused is not None:
        raise Interrupted(refused)
    try:
        answer = decoder.decode(response.body)
    except msgspec.MsgspecError as error:
        said = f"ShipHero's answer cannot be read: {error}"
        raise Interrupted(Uncertain(reason=said) if write else RetryLater(reason=said)) from error
    if answer.errors and not _says_something(response.body):
        raise Interrupted(failure(answer.errors[0], write=write, now=now))
    if answer.data is None:
        said = "ShipHero answered neither data nor errors"
        raise Interrupted(Uncertain(reason=said) if write else RetryLater(reason=said))
    return answer.data


def by_status(response: Response, *, write: bool, now: datetime) -> Failure | None:
    """What an HTTP status other than success means; None for success and for errors told in GraphQL."""
    status = response.status
    if status == 429:
        after = response.headers.get("retry-after", "")
        at = now + timedelta(seconds=int(after)) if after.isdigit() else None
        return RetryLater(reason="ShipHero counts too many requests", at=at)
    if status >= 500:
        said = f"ShipHero answered {status}"
        return Uncertain(reason=said) if write else RetryLater(reason=said)
    if status == 401:
        return Unauthorised(reason="ShipHero refused the token; check user name and password")
    if status == 403:
        return NeedsPerson(
            reason="ShipHero answered 403",
            next_step="Check the user's permissions; ShipHero also blocks some cloud networks by address.",
        )
    if status >= 300 and not told(response):
        return NeedsPerson(reason=f"ShipHero answered {status}", next_step="Check the connection's base URL.")
    return None


def told(response: Response) -> tuple[ApiError, ...]:
    """Errors told in GraphQL; none when the body is something else."""
    try:
        return _failed.decode(response.body).errors or ()
    except msgspec.MsgspecError:
        return ()


def read_rates(response: Response, now: datetime) -> tuple[RateReading, ...]:
    """What an answer says about credits: only the one that lacked them says anything."""
    if b"credits" not in response.body:
        return ()
    return tuple(
        RateReading(scope="account", remaining=error.remaining_credits, not_before=credits_back_at(error, now))
        for error in told(response)
        if meaning(error) is Meaning.THROTTLED
    )


def _says_something(body: bytes) -> bool:
    """Whether any operation of the answer brought a result."""
    data = _failed.decode(body).data
    return data is not None and any(value is not None for value in data.values())


class _Failed(msgspec.Struct):
    errors: tuple[ApiError, ...] | None = None
    data: dict[str, object] | None = None


_failed: Final = msgspec.json.Decoder(_Failed)
