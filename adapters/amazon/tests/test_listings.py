"""Availability: a patch for each SKU, one feed for many, and the issues of both."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from adapters.amazon import feeds
from adapters.amazon.listings import publish_availability, read_report
from adapters.amazon.settings import Settings
from adapters.amazon.simulator import AmazonSimulator
from adapters.amazon.tests.stub import Stub, answer
from adapters.amazon.tests.stub import context as stubbed
from hub.sdk.capabilities import AvailabilityUpdate, Context, Level
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, RetryLater, Uncertain


def update(*levels: tuple[str, int]) -> AvailabilityUpdate:
    return AvailabilityUpdate(
        key="a-1", levels=tuple(Level(sku=sku, location="DEFAULT", quantity=units) for sku, units in levels)
    )


@pytest.fixture
def many(sim: AmazonSimulator) -> AvailabilityUpdate:
    for number in range(40):
        sim.sell(f"SKU-{number}")
    return update(*((f"SKU-{number}", number) for number in range(40)))


async def test_a_patch_keeps_the_lead_time(sim: AmazonSimulator, context: Context[Settings]) -> None:
    assert await publish_availability(context, update(("MUG-RED", 7))) == Done()
    assert sim.books.listings["MUG-RED"].submitted == [
        {"fulfillment_channel_code": "DEFAULT", "quantity": 7, "lead_time_to_ship_max_days": 2}
    ]


async def test_a_sku_of_any_letters(sim: AmazonSimulator, context: Context[Settings]) -> None:
    sim.sell("MUG/RED +1%")
    assert await publish_availability(context, update(("MUG/RED +1%", 3))) == Done()
    assert sim.books.listings["MUG/RED +1%"].quantity == 3


async def test_200_and_invalid_is_a_failure(sim: AmazonSimulator, context: Context[Settings]) -> None:
    sim.books.listings["TEE-M"].refuses = "the listing is suppressed"
    outcome = await publish_availability(context, update(("TEE-M", 3), ("MUG-RED", 4)))
    assert isinstance(outcome, NeedsPerson)
    assert "TEE-M" in outcome.reason
    assert "suppressed" in outcome.reason
    assert "MUG-RED" not in outcome.reason
    assert sim.books.listings["MUG-RED"].quantity == 4


async def test_issues_that_show_only_when_read_back(sim: AmazonSimulator, context: Context[Settings]) -> None:
    sim.books.listings["TEE-M"].suffers = "quantity is ignored while the offer is closed"
    outcome = await publish_availability(context, update(("TEE-M", 3)))
    assert isinstance(outcome, NeedsPerson)
    assert "offer is closed" in outcome.reason


async def test_a_listing_that_is_not_there(context: Context[Settings]) -> None:
    outcome = await publish_availability(context, update(("NOWHERE", 3)))
    assert isinstance(outcome, NeedsPerson)
    assert "NOWHERE" in outcome.reason


async def test_many_levels_are_one_feed(
    sim: AmazonSimulator, context: Context[Settings], many: AvailabilityUpdate
) -> None:
    outcome = await publish_availability(context, many)
    assert isinstance(outcome, Done)
    assert outcome.reference in sim.books.feeds
    assert [sim.books.listings[f"SKU-{number}"].quantity for number in range(40)] == list(range(40))
    assert sim.books.listings["SKU-3"].submitted[0]["lead_time_to_ship_max_days"] == 2
    assert sum(sim.calls[path] for path in sim.calls if path.startswith("/listings/")) == 0


async def test_what_the_feeds_report_names_is_named(
    sim: AmazonSimulator, context: Context[Settings], many: AvailabilityUpdate
) -> None:
    sim.books.listings["SKU-7"].refuses = "the listing is suppressed"
    del sim.books.listings["SKU-9"]
    outcome = await publish_availability(context, many)
    assert isinstance(outcome, NeedsPerson)
    assert "SKU-7 (" in outcome.reason
    assert "SKU-9 (" in outcome.reason
    assert sim.books.listings["SKU-8"].quantity == 8


async def test_a_feed_that_is_stuck_is_uncertain(
    sim: AmazonSimulator, context: Context[Settings], many: AvailabilityUpdate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "WAITS_SECONDS", (0.0, 0.0))
    sim.work.stuck = True
    assert isinstance(await publish_availability(context, many), Uncertain)


def again(asked: AvailabilityUpdate, *levels: Level) -> AvailabilityUpdate:
    """The next try has a key of its own, and the levels of its time."""
    return msgspec.structs.replace(asked, key="a-2", look_first=True, levels=levels or asked.levels)


@pytest.fixture
def slow(sim: AmazonSimulator, monkeypatch: pytest.MonkeyPatch) -> AmazonSimulator:
    """Feeds take longer than a call lasts, as real ones do."""
    monkeypatch.setattr(feeds, "WAITS_SECONDS", (0.0,))
    sim.work.takes = timedelta(minutes=5)
    return sim


async def test_a_slow_feed_is_waited_for_and_its_issues_are_read(
    slow: AmazonSimulator, context: Context[Settings], many: AvailabilityUpdate
) -> None:
    slow.books.listings["SKU-7"].refuses = "the listing is suppressed"
    assert isinstance(await publish_availability(context, many), Uncertain)
    waiting = await publish_availability(context, again(many))
    assert isinstance(waiting, RetryLater)
    assert waiting.at is not None
    slow.work.takes = timedelta(0)
    outcome = await publish_availability(context, again(many))
    assert isinstance(outcome, NeedsPerson)
    assert "SKU-7 (90041: the listing is suppressed)" in outcome.reason
    assert len(slow.books.feeds) == 1


async def test_levels_that_changed_meanwhile_are_told_when_the_feed_has_ended(
    slow: AmazonSimulator, context: Context[Settings], many: AvailabilityUpdate
) -> None:
    assert isinstance(await publish_availability(context, many), Uncertain)
    changed = again(many, *many.levels[:-1], msgspec.structs.replace(many.levels[-1], quantity=99))
    assert isinstance(await publish_availability(context, changed), RetryLater)
    assert len(slow.books.feeds) == 1
    slow.work.takes = timedelta(0)
    assert isinstance(await publish_availability(context, changed), Done)
    assert len(slow.books.feeds) == 2
    assert slow.books.listings["SKU-39"].quantity == 99


async def test_a_feed_that_takes_too_long_is_told_of_and_then_no_longer_waited_for(
    slow: AmazonSimulator, context: Context[Settings], many: AvailabilityUpdate
) -> None:
    assert isinstance(await publish_availability(context, many), Uncertain)
    slow.work.stuck = True
    (feed,) = slow.books.feeds.values()
    feed.created -= timedelta(minutes=31)
    assert isinstance(await publish_availability(context, again(many)), Uncertain)
    assert len(slow.books.feeds) == 1
    feed.created -= timedelta(minutes=31)
    slow.work.stuck, slow.work.takes = False, timedelta(0)
    assert isinstance(await publish_availability(context, again(many)), Done)
    assert len(slow.books.feeds) == 2


async def test_a_feed_that_dies_needs_a_person(
    sim: AmazonSimulator, context: Context[Settings], many: AvailabilityUpdate
) -> None:
    sim.work.fatal = True
    with pytest.raises(Interrupted) as caught:
        await publish_availability(context, many)
    assert isinstance(caught.value.outcome, NeedsPerson)
    assert "FATAL" in caught.value.outcome.reason


async def test_a_document_is_sent_nowhere_but_to_amazons_storage(many: AvailabilityUpdate) -> None:
    place = {"feedDocumentId": "d", "url": "https://storage.example/d"}
    client = Stub(answer(201, place))
    with pytest.raises(Interrupted) as caught:
        await publish_availability(stubbed(client), many)
    assert isinstance(caught.value.outcome, NeedsPerson)
    assert [request.operation for request in client.asked] == ["createFeedDocument"]


REPORT: dict[str, Any] = {"issues": [], "summary": {"messagesAccepted": 0, "messagesInvalid": 2}}


def test_messages_that_nobody_accepted_are_no_success() -> None:
    levels = update(("A", 1), ("B", 2)).levels
    assert read_report(msgspec.json.encode(REPORT), levels, "f") == {"(unnamed)": "2 of 2 messages were not accepted"}


def test_messages_that_nobody_named_stand_beside_those_that_are_named() -> None:
    issue = {"messageId": 1, "severity": "ERROR", "code": "90041", "message": "gone"}
    report = {"issues": [issue], "summary": {"messagesAccepted": 1, "messagesInvalid": 2}}
    found = read_report(msgspec.json.encode(report), update(("A", 1), ("B", 2), ("C", 3)).levels, "f")
    assert found == {"A": "90041: gone", "(unnamed)": "1 of 3 messages were not accepted"}


def test_the_whole_feed_is_named_once() -> None:
    issue = {"severity": "ERROR", "code": "4000001", "message": "the header is wrong"}
    report = {"issues": [issue], "summary": {"messagesAccepted": 0}}
    found = read_report(msgspec.json.encode(report), update(("A", 1), ("B", 2)).levels, "f")
    assert found == {"(the whole feed)": "4000001: the header is wrong"}


def test_warnings_are_no_failure() -> None:
    issue = {"messageId": 1, "severity": "WARNING", "message": "price is missing"}
    report = {"issues": [issue], "summary": {"messagesAccepted": 1}}
    assert read_report(msgspec.json.encode(report), update(("A", 1)).levels, "f") == {}


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"summary": {"messagesAcc', b"[]"])
def test_a_report_that_cannot_be_read_is_read_again(body: bytes) -> None:
    with pytest.raises(Interrupted) as caught:
        read_report(body, update(("A", 1)).levels, "f")
    assert isinstance(caught.value.outcome, RetryLater)


def test_a_packed_result_that_is_cut_off() -> None:
    with pytest.raises(EOFError):
        feeds.unpacked(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "GZIP")
    with pytest.raises(ValueError, match="ZSTD"):
        feeds.unpacked(b"", "ZSTD")
