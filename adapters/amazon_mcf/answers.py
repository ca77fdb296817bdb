"""Pure: what Amazon's answers mean. One table of errors for every operation of both versions."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from adapters.amazon_mcf.limits import back_at
from hub.sdk.limits import retry_after
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater, Unauthorised, Uncertain
from hub.sdk.wire import Request, Response

Failure = RetryLater | NeedsPerson | Unauthorised | Uncertain

PASSING: Final = frozenset({408, 425, 500, 502, 503, 504})


class Error(msgspec.Struct, frozen=True):
    """One of Amazon's errors; `details` may quote what was sent, and is not repeated."""

    code: str = ""
    message: str = ""


class _Errors(msgspec.Struct, frozen=True):
    errors: tuple[Error, ...] | None = None


_errors = msgspec.json.Decoder(_Errors)


def failures(response: Response) -> tuple[Error, ...]:
    """The errors of a body, also of one that was answered with 200; none where it has another shape."""
    try:
        return _errors.decode(response.body).errors or ()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ()


def good(response: Response) -> bool:
    """Whether it says yes: a status of success, a JSON object or nothing, and no error inside."""
    if response.status not in (200, 202) or failures(response):
        return False
    try:
        return isinstance(msgspec.json.decode(response.body or b"{}"), dict)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False


def expect(response: Response, request: Request, subject: str, now: datetime) -> None:
    """Raise `Interrupted` for what is no good answer to a read."""
    if not good(response):
        raise Interrupted(refusal(response, request, subject, now))


def refusal(response: Response, request: Request, subject: str, now: datetime) -> Failure:
    """The table: what each failure means for us."""
    status, operation = response.status, request.operation
    codes = {error.code for error in failures(response)}
    text = f"{subject}: {operation} answered {status}: {said(response)}"
    if status == 429 or "QuotaExceeded" in codes:
        at = retry_after(response, now) or back_at(operation, now)
        return RetryLater(reason=f"{subject}: {operation} was throttled", at=at)
    if status == 401 or codes & {"InvalidToken", "ExpiredToken"}:
        return Unauthorised(reason=text)
    if status == 403:
        step = "grant the app the role Amazon Fulfillment, and have the seller authorise it again"
        return NeedsPerson(reason=text, next_step=step)
    # A success that is no JSON is a proxy's page, or cut off: a write may have happened.
    if status in PASSING or (status in (200, 202) and not codes):
        return Uncertain(reason=text) if request.write else RetryLater(reason=text)
    return NeedsPerson(reason=text, next_step="mend what Amazon names, then retry the delivery")


def said(response: Response) -> str:
    """Amazon's own words, without those about the address: they may quote a person."""
    words = (
        f"{error.code}: (about the address)" if "address" in error.message.lower() else f"{error.code}: {error.message}"
        for error in failures(response)
    )
    return "; ".join(words)[:300] or "no reason that can be read"


def names_item(response: Response, skus: Iterable[str]) -> bool:
    """Whether an error speaks of one of our SKUs: then it is a no of this node, and the order moves on."""
    words = " ".join(error.message for error in failures(response))
    return any(sku in words for sku in skus)
