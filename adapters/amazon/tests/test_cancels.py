"""Cancels: a feed of XML as a job with a result."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest

from adapters.amazon import cancels, feeds
from adapters.amazon.cancels import cancel_order
from adapters.amazon.client import get_order
from adapters.amazon.harness import NOON, two_lines
from adapters.amazon.schemas import Feed, Order
from adapters.amazon.settings import Settings
from adapters.amazon.simulator import AmazonSimulator
from adapters.amazon.xml_feeds import read_result
from hub.sdk.capabilities import ChannelCancel, Context
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused, RetryLater, Uncertain


def asked(order: str, reason: str = "no stock", *, look_first: bool = False) -> ChannelCancel:
    return ChannelCancel(key=f"{order}-cancel-1", order_external_id=order, reason=reason, look_first=look_first)


async def test_a_cancel_is_acknowledged_for_every_line(sim: AmazonSimulator, context: Context[Settings]) -> None:
    order = two_lines(sim)
    outcome = await cancel_order(context, asked(order.id))
    assert isinstance(outcome, Done)
    assert (order.status, [line.cancelled_by for line in order.lines]) == ("CANCELLED", ["MERCHANT", "MERCHANT"])
    assert sim.books.feeds[outcome.reference or ""].kind == cancels.ACKNOWLEDGE


async def test_cancelled_already(sim: AmazonSimulator, context: Context[Settings]) -> None:
    order = two_lines(sim)
    order.status = "CANCELLED"
    assert await cancel_order(context, asked(order.id)) == Done(found=True)
    assert sim.books.feeds == {}


@pytest.mark.parametrize(
    ("status", "outcome"), [("SHIPPED", Refused), ("PENDING", RetryLater), ("SOMETHING_NEW", NeedsPerson)]
)
async def test_states_that_answer_by_themselves(
    sim: AmazonSimulator, context: Context[Settings], status: str, outcome: type[Outcome]
) -> None:
    order = two_lines(sim)
    order.status = status
    assert isinstance(await cancel_order(context, asked(order.id)), outcome)
    assert sim.books.feeds == {}


async def test_an_order_that_amazon_ships_is_not_ours_to_cancel(
    sim: AmazonSimulator, context: Context[Settings]
) -> None:
    order = two_lines(sim)
    order.fulfilled_by = "AMAZON"
    assert isinstance(await cancel_order(context, asked(order.id)), Refused)


async def test_a_buyers_wish_is_answered_for_the_lines_it_is_about(
    sim: AmazonSimulator, context: Context[Settings]
) -> None:
    order = two_lines(sim)
    order.lines[0].buyer_wish = "Changed my mind"
    assert isinstance(await cancel_order(context, asked(order.id, "buyer asked")), Done)
    assert [line.cancelled_by for line in order.lines] == ["BUYER", None]
    assert order.status == "UNSHIPPED"


async def test_reasons_in_amazons_words(sim: AmazonSimulator, context: Context[Settings]) -> None:
    order = two_lines(sim)
    order.lines[1].buyer_wish = "Changed my mind"
    read = await get_order(context, order.id, Order)

    def reasons(reason: str) -> list[str | None]:
        document = ElementTree.fromstring(cancels.acknowledgement("S", read, reason))
        return [node.text for node in document.iter("CancelReason")]

    assert reasons("no stock anywhere") == ["NoInventory", "BuyerCanceled"]
    assert reasons("customer asked") == ["BuyerCanceled", "BuyerCanceled"]
    assert reasons("because") == ["GeneralAdjustment", "BuyerCanceled"]
    assert reasons("buyer asked") == ["BuyerCanceled"]


async def test_what_the_report_refuses_needs_a_person(
    sim: AmazonSimulator, context: Context[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    order = two_lines(sim)
    monkeypatch.setattr(sim.books, "acknowledge", lambda *_: "the seller may not cancel")
    outcome = await cancel_order(context, asked(order.id))
    assert isinstance(outcome, NeedsPerson)
    assert "the seller may not cancel" in outcome.reason


async def test_a_job_that_runs_on_is_looked_at_before_it_is_repeated(
    sim: AmazonSimulator, context: Context[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "WAITS_SECONDS", (0.0,))
    order = two_lines(sim)
    sim.work.takes = timedelta(hours=1)
    assert isinstance(await cancel_order(context, asked(order.id)), Uncertain)
    assert isinstance(await cancel_order(context, asked(order.id, look_first=True)), Uncertain)
    assert len(sim.books.feeds) == 1
    sim.work.takes = timedelta(0)
    assert await cancel_order(context, asked(order.id, look_first=True)) == Done(found=True)
    assert sim.books.acknowledged[order.id] == 1


async def test_jobs_of_other_orders_are_not_waited_for_and_a_late_refusal_is_read(
    sim: AmazonSimulator, context: Context[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "WAITS_SECONDS", (0.0,))
    sim.work.takes = timedelta(minutes=5)
    refused, other = two_lines(sim), two_lines(sim)
    monkeypatch.setattr(sim.books, "acknowledge", lambda *_: "the seller may not cancel")
    assert isinstance(await cancel_order(context, asked(refused.id)), Uncertain)
    (feed,) = sim.books.feeds.values()
    assert isinstance(await cancel_order(context, asked(other.id)), Uncertain)
    feed.created -= timedelta(minutes=6)
    outcome = await cancel_order(context, asked(refused.id, look_first=True))
    assert isinstance(outcome, NeedsPerson)
    assert "the seller may not cancel" in outcome.reason
    assert isinstance(await cancel_order(context, asked(other.id, look_first=True)), Uncertain)
    assert len(sim.books.feeds) == 2


ENDED = Feed(
    feed_id="9",
    feed_type=cancels.ACKNOWLEDGE,
    processing_status="DONE",
    created_time=NOON,
    result_feed_document_id="d",
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Service Unavailable</body></html>",
        b"<AmazonEnvelope><Message>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        b"<R><MessagesProcessed>1</MessagesProcessed></R>",
        b"<R><MessagesProcessed>1</MessagesProcessed><MessagesSuccessful>0</MessagesSuccessful>"
        b"<MessagesWithError>0</MessagesWithError></R>",
    ],
)
def test_a_report_that_says_nothing_is_no_success(body: bytes) -> None:
    assert isinstance(read_result(body, ENDED, "order 1"), NeedsPerson)
