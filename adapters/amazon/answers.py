"""Pure: what Amazon's answers mean. One table of errors for every operation."""

from datetime import datetime
from typing import Final, TypeVar

import msgspec

from adapters.amazon.limits import back_at
from hub.sdk.limits import retry_after
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater, Unauthorised, Uncertain
from hub.sdk.wire import Request, Response

T = TypeVar("T")

Failure = RetryLater | NeedsPerson | Unauthorised | Uncertain
PASSING: Final = frozenset({408, 425, 500, 502, 503, 504})


class Error(msgspec.Struct, frozen=True):
    """One of Amazon's errors; `details` may quote what was sent, and is not repeated."""

    code: str = ""
    message: str = ""


class Errors(msgspec.Struct, frozen=True):
    """The body of a failure."""

    errors: tuple[Error, ...] = ()


_errors = msgspec.json.Decoder(Errors)


def failures(response: Response) -> tuple[Error, ...]:
    """The errors of a body, also of one that was answered with 200; none where it has another shape."""
    try:
        return _errors.decode(response.body).errors
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ()


def codes(response: Response) -> frozenset[str]:
    """The error codes of a body."""
    return frozenset(error.code for error in failures(response))


def read(response: Response, request: Request, kind: type[T], subject: str, now: datetime) -> T:
    """The answer as `kind`. Raises `Interrupted` for every failure, one hidden in a 200 included.

    A body that is no JSON (a proxy's page, a cut off answer) says nothing about the request: a read is made again, a
    write may have happened. JSON of another shape than the contract's needs a person.
    """
    if response.status not in (200, 201, 202) or failures(response):
        raise interrupted(response, request, subject, now)
    try:
        return msgspec.json.decode(response.body, type=kind)
    except msgspec.ValidationError as error:
        reason = f"{subject}: {request.operation}: Amazon's answer does not fit its contract: {error}"
        if request.write:
            raise Interrupted(Uncertain(reason=reason)) from None
        step = "compare the API version with the adapter's"
        raise Interrupted(NeedsPerson(reason=reason, next_step=step)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        reason = f"{subject}: {request.operation} answered {response.status} with a body that is no JSON"
        raise Interrupted(Uncertain(reason=reason) if request.write else RetryLater(reason=reason)) from None


def interrupted(response: Response, request: Request, subject: str, now: datetime) -> Interrupted:
    """A failure as an exception."""
    return Interrupted(refusal(response, request, subject, now))


def refusal(response: Response, request: Request, subject: str, now: datetime) -> Failure:
    """The table: what each failure means for us."""
    status, operation = response.status, request.operation
    text = f"{subject}: {operation} answered {status}: {said(response)}"
    if status == 429 or "QuotaExceeded" in codes(response):
        at = retry_after(response, now) or back_at(operation, now)
        return RetryLater(reason=f"{subject}: {operation} was throttled", at=at)
    if status == 401:
        return Unauthorised(reason=text)
    if status == 403:
        if codes(response) & {"InvalidToken", "ExpiredToken"} or "token" in said(response).lower():
            return Unauthorised(reason=text)
        step = "grant the app the role that this operation needs, and have the seller authorise it again"
        return NeedsPerson(reason=text, next_step=step)
    if status in PASSING:
        return Uncertain(reason=text) if request.write else RetryLater(reason=text)
    return NeedsPerson(reason=text, next_step="mend what Amazon names, then retry")


def said(response: Response) -> str:
    """Amazon's own words, shortened; a page of a proxy has none worth repeating."""
    words = "; ".join(f"{error.code}: {error.message}" for error in failures(response) if error.code or error.message)
    return words[:300] or "no reason that can be read"
