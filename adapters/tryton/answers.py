"""Reading what Tryton answers: a result, or an error that says what happens next. Pure."""

from datetime import datetime
from typing import Final, TypeVar

import msgspec

from hub.sdk.booking import LOCKED
from hub.sdk.limits import retry_after
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater, Uncertain, blocked
from hub.sdk.wire import Response

T = TypeVar("T")

LONGEST_QUOTE: Final = 240

PERIOD: Final = (
    "open the period or fiscal year in Tryton (Financial > Configuration > Fiscal Years), then send it again"
)

NEXT_STEPS: Final[tuple[tuple[str, str], ...]] = (
    ("period", PERIOD),
    ("must set an invoice date", "post it in Tryton with a date after the last number's, then send it again"),
    ("sequence", "give the fiscal year its sequences in Tryton, then send it again"),
    ("not allowed", "give the user the access group that Tryton names, then send it again"),
    ("required", "Tryton wants a field that the hub does not send: make it optional or give it a default"),
)
"""What to do about a refusal, by a part of its message. The messages come in English: every call asks for it."""


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: tuple[object, ...] | None = None


def read(kind: type[T], response: Response, operation: str, *, write: bool, now: datetime) -> T:
    """The result of a call as `kind`. Raises `Interrupted` for everything else."""
    if response.status != 200:
        raise _failure(response, operation, write=write, now=now)
    try:
        answer = msgspec.json.decode(response.body, type=_Answer)
        if answer.error is None:
            return msgspec.json.decode(answer.result, type=kind)
    except msgspec.MsgspecError as error:
        raise blocked(
            f"{operation}: Tryton answered something unknown: {error}"[:LONGEST_QUOTE],
            "run the connection test; a module may have changed this model, or the host is not a Tryton 8 server",
        ) from None
    raise _refusal(answer.error, operation)


def _failure(response: Response, operation: str, *, write: bool, now: datetime) -> Interrupted:
    """What an answer other than 200 means: one that Tryton's own code did not word. 401 never comes here."""
    said = f"{operation}: HTTP {response.status}"
    if response.status == 429 or response.status >= 500:
        if write and response.status in (502, 504):
            return Interrupted(Uncertain(reason=said))
        return Interrupted(RetryLater(reason=said, at=retry_after(response, now)))
    if response.status == 403:
        return blocked(said, "give the user the access groups of the connection's guide in Tryton, then send it again")
    return blocked(said, "check the connection's host and database")


def _refusal(error: tuple[object, ...], operation: str) -> Interrupted:
    """An error that Tryton worded, with status 200. One call is one transaction: it had no effect."""
    kind = str(error[0]) if error else "?"
    details = error[1] if len(error) > 1 else None
    words = [str(word) for word in details if word] if isinstance(details, list) else []
    if kind == "ConcurrencyException":
        return Interrupted(RetryLater(reason=f"{operation}: somebody changed the record meanwhile"))
    if kind == "UserWarning":
        message = words[1] if len(words) > 1 else "a question"
        return blocked(f"{operation}: Tryton asks: {message}"[:LONGEST_QUOTE], "do it by hand in Tryton and answer")
    if kind != "UserError":
        # What follows is a server traceback, which is nobody's business.
        return blocked(f"{operation}: Tryton failed with {kind[:80]}", "run the connection test; look at Tryton's log")
    said = f"{operation}: {words[0] if words else 'refused'}"[:LONGEST_QUOTE]
    step = next((step for part, step in NEXT_STEPS if part in said.lower()), None)
    if step == PERIOD:
        return Interrupted(NeedsPerson(kind=LOCKED, reason=said, next_step=PERIOD))
    return blocked(said, step or "correct it in Tryton, then send it again")
