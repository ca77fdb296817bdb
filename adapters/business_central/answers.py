"""Reading what Business Central answers: records, or an error that says what happens next. Pure."""

from collections.abc import Awaitable
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from adapters.business_central.schemas import Fault, Problem
from hub.sdk.booking import LOCKED
from hub.sdk.limits import retry_after
from hub.sdk.outcomes import Interrupted, NeedsPerson, Outcome, RetryLater, Uncertain, blocked
from hub.sdk.wire import Response

T = TypeVar("T")

LONGEST_QUOTE: Final = 240
PERIOD: Final = "open the period (General Ledger Setup: Allow Posting From and To; User Setup), then send it again"
ACCOUNTING_PERIOD: Final = "open the accounting period or its fiscal year, then send it again"

NEXT_STEPS: Final[tuple[tuple[str, str], ...]] = (
    ("range of allowed posting dates", PERIOD),
    ("posting date is not within", PERIOD),
    ("accounting period", ACCOUNTING_PERIOD),
    ("posting group", "complete the posting setup of the item, account or customer named, then send it again"),
    ("posting setup", "complete the posting setup of the item, account or customer named, then send it again"),
    ("credit limit", "release the customer's credit limit in Business Central, then send it again"),
    ("not enough", "correct the stock in Business Central or allow negative inventory, then send it again"),
)
"""What to do about a refusal, by a part of its message. The messages come in English: every call asks for it."""


class Changed(Exception):
    """Somebody else changed the record since it was read: read it again."""


async def later_if_changed(posting: Awaitable[Outcome]) -> Outcome:
    """A posting's outcome, and RetryLater where somebody was at the same record: the next try reads it again."""
    try:
        return await posting
    except Changed as changed:
        raise Interrupted(RetryLater(reason=str(changed))) from changed


class _Rows(msgspec.Struct, frozen=True, kw_only=True):
    value: msgspec.Raw
    next: str | None = msgspec.field(name="@odata.nextLink", default=None)


def read(kind: type[T], body: bytes | msgspec.Raw, operation: str) -> T:
    """A successful answer as `kind`. A shape that we do not know needs a person: extensions change pages."""
    try:
        # Decimal fields read JSON numbers by their text, so no amount passes through a float.
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise blocked(
            f"{operation}: Business Central answered something unknown: {error}"[:LONGEST_QUOTE],
            "run the connection test; an extension may have changed this page",
        ) from None


def read_rows(kind: type[T], response: Response, operation: str) -> tuple[list[T], str | None]:
    """The records of a page, and the address of the next one."""
    page = read(_Rows, response.body, operation)
    return read(list[kind], page.value, operation), page.next  # type: ignore[valid-type]


def failure(response: Response, operation: str, *, write: bool, now: datetime) -> Interrupted | Changed:
    """What an answer other than 2xx means.

    A call is one transaction that an error rolls back, but a gateway knows nothing of it: after 502 and 504 (also sent
    when a call takes ten minutes) a write may have gone through. 401 never comes here, the client knows it.
    """
    fault = _fault(response)
    status = response.status
    said = f"{operation}: {_quote(fault, status)}"
    if status == 412 or (status == 409 and (fault is None or "EntityChanged" in fault.code)):
        return Changed(said)
    if status == 429 or status >= 500:
        if write and status in (502, 504):
            return Interrupted(Uncertain(reason=said))
        return Interrupted(RetryLater(reason=said, at=retry_after(response, now)))
    step = _next_step(status, fault)
    if step in (PERIOD, ACCOUNTING_PERIOD):
        return Interrupted(NeedsPerson(kind=LOCKED, reason=said, next_step=step))
    return blocked(said, step)


def quantity(value: Decimal) -> int | None:
    """A whole number of units; None for a part of one."""
    return int(value) if value == int(value) else None


def _fault(response: Response) -> Fault | None:
    try:
        return msgspec.json.decode(response.body, type=Problem).error
    except msgspec.MsgspecError:
        return None


def _quote(fault: Fault | None, status: int) -> str:
    """Code and message of an error, without the correlation id that only Microsoft's support can use."""
    if fault is None:
        return f"HTTP {status} and not a word of Business Central's"
    message = fault.message.partition("CorrelationId:")[0].strip()
    return f"{fault.code} ({status}): {message}"[:LONGEST_QUOTE]


def _next_step(status: int, fault: Fault | None) -> str:
    if status == 403:
        return "give the app its permission sets in Business Central (Microsoft Entra Applications), then send it again"
    if status == 404:
        return "check the connection's environment and company"
    if 300 <= status < 400:
        return "check the connection's base_url: it redirects, and credentials are not sent elsewhere"
    message = fault.message.lower() if fault else ""
    for part, step in NEXT_STEPS:
        if part in message:
            return step
    return "correct it in Business Central, then send it again"
