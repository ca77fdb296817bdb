"""What a call becomes when an adapter does not answer as agreed: an outcome with a reason that a person can use."""

from datetime import UTC, datetime

import pytest

from hub.domain.network import Mode
from hub.sdk.capabilities import ChannelCancel, Context
from hub.sdk.outcomes import Interrupted, NeedsPerson, Outcome, RetryLater, Uncertain
from hub.sdk.translate import Malformed, moment
from hub.sdk.wire import Request, Response
from hub.worker.deliver import perform_call
from hub.worker.requests import Call
from tests.unit.acme import Nothing, acme

NOON = datetime(2026, 1, 16, 12, tzinfo=UTC)
CALL = Call("cancel_order", ChannelCancel(key="k1", order_external_id="1001", reason="wish"))


class Silent:
    """A client that nobody asks."""

    async def send(self, request: Request) -> Response:
        raise AssertionError(request)


async def outcome_of(error: Exception, mode: Mode = Mode.LIVE) -> Outcome:
    async def cancel_order(context: Context[Nothing], request: ChannelCancel, /) -> Outcome:
        raise error

    link = acme(cancel_order, mode)
    context = Context(connection=link.connection, settings=Nothing(), client=Silent(), now=lambda: NOON)
    return await perform_call(link, context, CALL, [])


async def test_an_answer_that_cannot_be_read_names_field_value_and_connection() -> None:
    """It may have acted: the next try looks first."""
    with pytest.raises(Malformed) as unreadable:
        moment("yesterday", "order.cancelledAt")
    outcome = await outcome_of(unreadable.value)
    assert outcome == Uncertain(
        reason="the answer of 'acme-uk' cannot be read: time: cannot read 'yesterday' at order.cancelledAt"
    )


async def test_a_bug_of_an_adapter_names_the_adapter_and_no_value() -> None:
    """The text of an unforeseen error may hold a customer's data: the log, which is guarded, has it."""
    outcome = await outcome_of(KeyError("jane@example.com"))
    assert outcome == Uncertain(
        reason="the adapter 'acme' failed: KeyError; adapter.failed in the worker's log has more"
    )


async def test_what_an_adapter_interrupts_with_is_the_outcome() -> None:
    later = RetryLater(reason="busy")
    assert await outcome_of(Interrupted(later)) is later


async def test_a_capability_that_is_not_live_calls_nobody() -> None:
    outcome = await outcome_of(AssertionError("called"), Mode.OFF)
    assert isinstance(outcome, NeedsPerson)
    assert outcome.reason == "connection 'acme-uk' does not do cancel_order now"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-01-16T12:00:00Z", NOON),
        ("2026-01-16T12:00:00", NOON),
        ("2026-01-16T13:00:00+01:00", NOON),
    ],
)
def test_a_partners_time_is_utc(written: str, meant: datetime) -> None:
    assert moment(written, "at") == meant


@pytest.mark.parametrize("written", ["", "soon", None, 7, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"])
def test_what_is_no_time_is_malformed(written: object) -> None:
    with pytest.raises(Malformed, match="at at"):
        moment(written, "at")
