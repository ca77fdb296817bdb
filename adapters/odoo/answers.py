"""Reading what Odoo's JSON-2 interface answers: records, or an error that says what happens next. Pure."""

from datetime import datetime
from typing import Final, TypeVar

import msgspec

from adapters.odoo.schemas import Problem, Row
from hub.sdk.limits import retry_after
from hub.sdk.outcomes import Interrupted, NeedsPerson, Refused, RetryLater, Uncertain
from hub.sdk.wire import Response

T = TypeVar("T")
R = TypeVar("R", bound=Row)

LONGEST_QUOTE: Final = 240
"""Characters quoted of an error message; Odoo's go on for paragraphs."""

NEXT_STEPS: Final[tuple[tuple[str, str], ...]] = (
    ("lock date", "unlock the period in Odoo (Accounting > Lock Dates), then send it again"),
    ("prior to and inclusive of", "unlock the period in Odoo (Accounting > Lock Dates), then send it again"),
    ("not in a state requiring confirmation", "look at the order's state in Odoo, then send it again"),
    ("Missing required value", "Odoo wants a field that the hub does not send: make it optional or give it a default"),
    ("no journal", "name a sales journal in the connection's journal_id, then send it again"),
)
"""What to do about a refusal (422), by a part of its message. The messages come in English: every call says so."""


def blocked(reason: str, next_step: str) -> Interrupted:
    """A person must change something before this can go on."""
    return Interrupted(NeedsPerson(reason=reason, next_step=next_step))


def read(kind: type[T], response: Response, operation: str) -> T:
    """A successful answer as `kind`. A shape that we do not know needs a person: modules change Odoo's models."""
    try:
        return msgspec.json.decode(response.body, type=kind)
    except msgspec.MsgspecError as error:
        raise blocked(
            f"{operation}: Odoo answered something unknown: {error}"[:LONGEST_QUOTE],
            "run the connection test; a module may have changed this model, or the host is not an Odoo 19 server",
        ) from None


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
    if problem is not None and problem.name.startswith("psycopg2."):
        return Interrupted(RetryLater(reason=said))
    return blocked(said, _next_step(status, problem))


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
