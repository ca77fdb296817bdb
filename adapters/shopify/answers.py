"""Reading what GraphQL answers: the envelope, the errors by table, the cost points. Pure."""

from datetime import datetime, timedelta
from typing import Final, TypeVar

import msgspec

from adapters.shopify.operation import Operation
from hub.sdk.limits import retry_after
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater, Unauthorised, Uncertain
from hub.sdk.wire import RateReading, Response

T = TypeVar("T")

HEADROOM_POINTS: Final = 120.0
"""A query is let in by its worst cost and charged its real one, so the last points of the bucket buy nothing big."""

BUSY_SECONDS: Final = 5.0
"""Wait when the shop asks for patience without saying how much."""


class Throttle(msgspec.Struct, frozen=True, rename="camel"):
    """The bucket of cost points of this app at this shop."""

    maximum_available: float
    currently_available: float
    restore_rate: float


class Cost(msgspec.Struct, frozen=True, rename="camel"):
    """What the call cost; a throttled one has no actual cost."""

    requested_query_cost: float = 0.0
    throttle_status: Throttle | None = None


class SearchWarning(msgspec.Struct, frozen=True):
    """A search term that was ignored, and so matches everything."""

    message: str = ""
    field: str | None = None


class Search(msgspec.Struct, frozen=True):
    """How a `query:` argument was understood."""

    warnings: tuple[SearchWarning, ...] = ()


class Extensions(msgspec.Struct, frozen=True):
    """Beside the data."""

    cost: Cost | None = None
    search: tuple[Search, ...] = ()


class ErrorExtensions(msgspec.Struct, frozen=True):
    """The word by which errors are told apart."""

    code: str | None = None


class GraphQLError(msgspec.Struct, frozen=True):
    """A top-level error: the call, or a part of the answer, failed."""

    message: str
    extensions: ErrorExtensions = ErrorExtensions()
    path: tuple[str | int, ...] = ()


class Envelope(msgspec.Struct, frozen=True):
    """Every answer."""

    data: msgspec.Raw = msgspec.Raw(b"null")
    errors: tuple[GraphQLError, ...] | str = ()
    """A plain text where the request did not reach GraphQL."""
    extensions: Extensions = Extensions()


class UserError(msgspec.Struct, frozen=True):
    """Why a mutation was not carried out."""

    message: str
    field: tuple[str, ...] | None = None
    code: str | None = None


_envelope = msgspec.json.Decoder(Envelope)


class _Costs(msgspec.Struct, frozen=True):
    extensions: Extensions = Extensions()


_costs = msgspec.json.Decoder(_Costs)


def read(response: Response, operation: Operation, root: str, kind: type[T], now: datetime) -> T | None:
    """The value of the answer's one root field as `kind`, or None where the shop answers null.

    Raises `Interrupted` for everything that is not an answer. Errors below the root (a field that a scope hides)
    leave that field null and are not an error here.
    """
    raise_for_status(response, operation, now)
    try:
        envelope = _envelope.decode(response.body)
    except msgspec.MsgspecError as error:
        raise _unclear(operation, f"the answer is not GraphQL ({error})") from error
    try:
        fields = msgspec.json.decode(envelope.data, type=dict[str, msgspec.Raw] | None) or {}
        found = fields.get(root)
        value = None if found is None else msgspec.json.decode(found, type=kind | None)
    except msgspec.ValidationError as error:
        reason = f"{operation.name}: unexpected answer: {error}"
        raise Interrupted(NeedsPerson(reason=reason, next_step=_VERSION)) from error
    if value is None and envelope.errors:
        raise Interrupted(_error_outcome(envelope, operation, now))
    if any(search.warnings for search in envelope.extensions.search):
        told = "; ".join(warning.message for search in envelope.extensions.search for warning in search.warnings)
        step = "do not trust this list: an ignored search term matches everything; report the API version"
        raise Interrupted(NeedsPerson(reason=f"{operation.name}: {told}", next_step=step))
    return value


def raise_for_status(response: Response, operation: Operation, now: datetime) -> None:
    """HTTP statuses that are not 200, by table; raises `Interrupted`."""
    status, name = response.status, operation.name
    if status == 200:
        return
    if status in (429, 430):
        at = retry_after(response, now) or now + timedelta(seconds=BUSY_SECONDS)
        raise Interrupted(RetryLater(reason=f"{name}: too many requests ({status})", at=at))
    if status >= 500:
        raise _unclear(operation, f"the shop answered {status}")
    if status == 401:
        raise Interrupted(Unauthorised(reason=f"{name}: the access token was refused (401)"))
    step = _STATUS_STEPS.get(status, _READ)
    raise Interrupted(NeedsPerson(reason=f"{name}: the shop answered {status}", next_step=step))


_VERSION: Final = "check that the connection's api_version is one this adapter was made for"
_READ: Final = "read the attempt's stored answer, correct the connection, then retry"
_STATUS_STEPS: Final = {
    402: "the shop is frozen: its owner must settle the bill with Shopify",
    403: "grant the app the scopes that the connection test names, and accept them in the shop's admin",
    404: "check `shop` and `api_version` of the connection",
    423: "the shop is locked: its owner must talk to Shopify",
}


def _error_outcome(envelope: Envelope, operation: Operation, now: datetime) -> RetryLater | NeedsPerson | Uncertain:
    """What top-level errors mean. An unknown code is told to a person, raw."""
    if isinstance(envelope.errors, str):
        return NeedsPerson(reason=f"{operation.name}: {envelope.errors}", next_step=_READ)
    first = envelope.errors[0]
    reason = f"{operation.name}: {first.message}"
    match first.extensions.code:
        case "THROTTLED":
            return RetryLater(reason=reason, at=throttled_until(envelope.extensions.cost, now))
        case "INTERNAL_SERVER_ERROR" | "TIMEOUT":
            at = now + timedelta(seconds=BUSY_SECONDS)
            return Uncertain(reason=reason) if operation.write else RetryLater(reason=reason, at=at)
        case "ACCESS_DENIED":
            return NeedsPerson(reason=reason, next_step=_STATUS_STEPS[403])
        case "SHOP_INACTIVE":
            return NeedsPerson(reason=reason, next_step=_STATUS_STEPS[402])
        case "MAX_COST_EXCEEDED":
            return NeedsPerson(reason=reason, next_step="report it: this adapter asks for too much at once")
        case _:
            return NeedsPerson(reason=f"{reason} ({first.extensions.code})", next_step=_VERSION)


def throttled_until(cost: Cost | None, now: datetime) -> datetime:
    """When the bucket will hold what the call may cost: (requested - available) / restore rate from now."""
    status = cost.throttle_status if cost else None
    if cost is None or status is None or status.restore_rate <= 0:
        return now + timedelta(seconds=BUSY_SECONDS)
    missing = max(0.0, cost.requested_query_cost - status.currently_available)
    return now + timedelta(seconds=missing / status.restore_rate)


def read_rates(response: Response, now: datetime) -> tuple[RateReading, ...]:
    """What an answer says about the bucket; nothing where it is no GraphQL answer."""
    try:
        cost = _costs.decode(response.body).extensions.cost
    except msgspec.MsgspecError:
        return ()
    if cost is None or cost.throttle_status is None:
        return ()
    status = cost.throttle_status
    return (
        RateReading(
            scope="account",
            remaining=max(0.0, status.currently_available - HEADROOM_POINTS),
            per_second=status.restore_rate,
            capacity=status.maximum_available,
        ),
    )


def _unclear(operation: Operation, what: str) -> Interrupted:
    """A write may have happened, a read is simply repeated."""
    reason = f"{operation.name}: {what}"
    return Interrupted(Uncertain(reason=reason) if operation.write else RetryLater(reason=reason))
