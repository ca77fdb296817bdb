"""Reading what Odoo answers: records, or an error that says what happens next. Pure."""

from datetime import datetime
from typing import Final, TypeVar

import msgspec

from adapters.odoo.schemas import Problem, Row
from hub.sdk.booking import LOCKED
from hub.sdk.limits import retry_after
from hub.sdk.outcomes import Interrupted, NeedsPerson, Refused, RetryLater, Uncertain, blocked
from hub.sdk.wire import Response

T = TypeVar("T")
R = TypeVar("R", bound=Row)

LONGEST_QUOTE: Final = 240
"""Characters quoted of an error message; Odoo's go on for paragraphs."""

PERIOD: Final = "unlock the period in Odoo (Accounting > Lock Dates), then send it again"

NEXT_STEPS: Final[tuple[tuple[str, str], ...]] = (
    ("lock date", PERIOD),
    ("prior to and inclusive of", PERIOD),
    ("not in a state requiring confirmation", "look at the order's state in Odoo, then send it again"),
    ("Missing required value", "Odoo wants a field that the hub does not send: make it optional or give it a default"),
    ("no journal", "name a sales journal in the connection's journal_id, then send it again"),
)
"""What to do about a refusal (422), by a part of its message. The messages come in English: every call says so."""

PASSING: Final = frozenset({"odoo.exceptions.LockError", "odoo.exceptions.ConcurrencyError"})
"""Somebody else has the record open; like Postgres' own errors (psycopg2) they pass."""


def read(kind: type[T], response: Response, operation: str, *, write: bool = False) -> T:
    """A successful answer as `kind`. A shape that we do not know needs a person: modules change Odoo's models.

    What is no JSON at all, a web page or the half of an answer, is somebody's before Odoo: weather, and for a write it
    says nothing of what happened.
    """
    try:
        return msgspec.json.decode(response.body, type=kind)
    except msgspec.ValidationError as error:
        raise blocked(
            f"{operation}: Odoo answered something unknown: {error}"[:LONGEST_QUOTE],
            "run the connection test; a module may have changed this model, or the host is not an Odoo server",
        ) from None
    except msgspec.DecodeError:
        said = f"{operation}: answered {response.status} with {_form(response)}, which is no JSON"
        raise Interrupted(Uncertain(reason=said) if write else RetryLater(reason=said)) from None


def _form(response: Response) -> str:
    """What a body is that is not JSON; never what is in it."""
    if response.body.lstrip()[:1] == b"<":
        return "a web page"
    return "half an answer" if response.body.lstrip()[:1] in (b"{", b"[") else "something else"


def read_rows(kind: type[R], response: Response, operation: str) -> list[R]:
    """The records of a `search_read` or `read`."""
    return read(list[kind], response, operation)  # type: ignore[valid-type]


def failure(response: Response, operation: str, *, write: bool, now: datetime) -> Interrupted:
    """What an answer other than 200 means.

    One call is one transaction in Odoo, so an error that Odoo itself worded surely had no effect. A proxy's page says
    less: after 502 and 504 a write may have gone through. 401 never comes here, the client knows it.
    """
    problem = _problem(response)
    said = f"{operation}: {_quote(problem, response.status)}"
    status = response.status
    if status == 429:
        return Interrupted(RetryLater(reason=said, at=retry_after(response, now)))
    if status >= 500 and problem is None:
        if write and status in (502, 504):
            return Interrupted(Uncertain(reason=said))
        return Interrupted(RetryLater(reason=said, at=retry_after(response, now)))
    if problem is not None and (problem.name.startswith("psycopg2.") or problem.name in PASSING):
        if "does not exist" in problem.message:
            return blocked(said, _next_step(404, problem))
        return Interrupted(RetryLater(reason=said))
    step = _next_step(status, problem)
    if step == PERIOD:
        return Interrupted(NeedsPerson(kind=LOCKED, reason=said, next_step=PERIOD))
    return blocked(said, step)


def refusal(interrupted: Interrupted) -> bool:
    """Whether Odoo understood and said no, as opposed to weather."""
    return isinstance(interrupted.outcome, NeedsPerson | Refused)


def _problem(response: Response) -> Problem | None:
    try:
        return msgspec.json.decode(response.body, type=Problem)
    except msgspec.MsgspecError:
        return None


def _quote(problem: Problem | None, status: int) -> str:
    """Kind and first line of an error. The rest is advice to Odoo's developers, and `debug` their traceback."""
    if problem is None:
        return f"HTTP {status} and not a word of Odoo's"
    first = problem.message.partition("\n")[0].strip()
    return f"{problem.name.rpartition('.')[2]} ({status}): {first}"[:LONGEST_QUOTE]


def _next_step(status: int, problem: Problem | None) -> str:
    if problem is None and status in (403, 404, 405):
        return (
            "check the connection's host and database; a server before Odoo 19, or one without JSON-2, is spoken to "
            "by JSON-RPC: set login in the connection"
        )
    if status == 403:
        return "give the API key's user this access right in Odoo, then send it again"
    if status == 404:
        return "check the connection's host and database, and that Sales, Inventory and Invoicing are installed there"
    if 300 <= status < 400:
        return "check the connection's host: it redirects, and credentials are not sent elsewhere"
    if status >= 500:
        return "run the connection test: a field or method that the hub uses is missing in this database"
    message = problem.message.lower() if problem else ""
    for part, step in NEXT_STEPS:
        if part.lower() in message:
            return step
    return "correct it in Odoo, then send it again"
