"""Orders by notification and by scan, the connection test, and answers that are none."""

from datetime import timedelta

import msgspec
import pytest

from adapters.amazon import client
from adapters.amazon.harness import fill_orders, two_lines
from adapters.amazon.settings import Settings
from adapters.amazon.simulator import AmazonSimulator
from adapters.amazon.tests.stub import Stub, answer
from adapters.amazon.tests.stub import context as stubbed
from hub.sdk.capabilities import Context, Page
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater, Unauthorised


async def scan(context: Context[Settings], cursor: str | None = None) -> list[Page]:
    return [page async for page in client.pull_orders(context, cursor)]


async def test_a_notification_leads_to_the_order(sim: AmazonSimulator, context: Context[Settings]) -> None:
    order = two_lines(sim)
    item = await client.fetch(context, "ORDER_CHANGE", f"order:{order.id}", b"{}")
    assert (item.topic, item.object) == ("order", f"order:{order.id}")
    assert msgspec.json.decode(item.body)["order"]["orderId"] == order.id


async def test_a_scan_and_a_fetch_of_one_version_share_a_key(sim: AmazonSimulator, context: Context[Settings]) -> None:
    order = two_lines(sim)
    (page,) = await scan(context)
    fetched = await client.fetch(context, "ORDER_CHANGE", f"order:{order.id}", b"{}")
    assert [item.key for item in page.items] == [fetched.key]


async def test_a_change_has_a_key_of_its_own(sim: AmazonSimulator, context: Context[Settings]) -> None:
    order = two_lines(sim)
    first = await client.fetch(context, "ORDER_CHANGE", f"order:{order.id}", b"{}")
    sim.books.wish(order, sim.now())
    second = await client.fetch(context, "ORDER_CHANGE", f"order:{order.id}", b"{}")
    assert first.key != second.key


@pytest.mark.parametrize("where", ["EventTime", "eventTime", "detail"])
async def test_an_order_that_cannot_be_read_yet_is_asked_for_again_for_an_hour(
    context: Context[Settings], where: str
) -> None:
    """A notification may come before its order can be read."""
    for minutes, outcome in ((1, RetryLater), (59, RetryLater), (61, NeedsPerson)):
        at = (context.now() - timedelta(minutes=minutes)).isoformat()
        body = msgspec.json.encode({"detail": {"EventTime": at}} if where == "detail" else {where: at})
        with pytest.raises(Interrupted) as caught:
            await client.fetch(context, "ORDER_CHANGE", "order:111-1111111-1111111", body)
        assert isinstance(caught.value.outcome, outcome)


async def test_an_order_of_somebody_else_needs_a_person(context: Context[Settings]) -> None:
    with pytest.raises(Interrupted) as caught:
        await client.fetch(context, "ORDER_CHANGE", "order:111-1111111-1111111", b"{}")
    assert isinstance(caught.value.outcome, NeedsPerson)


async def test_a_scan_goes_on_where_it_was_broken_off(sim: AmazonSimulator, context: Context[Settings]) -> None:
    wanted = fill_orders(sim)
    sim.page = 50
    first = await anext(client.pull_orders(context, None))
    rest = await scan(context, first.cursor)
    found = {item.key for page in (first, *rest) for item in page.items}
    assert (len(first.items), len(found)) == (50, wanted)


async def test_a_scan_whose_token_died_begins_again(sim: AmazonSimulator, context: Context[Settings]) -> None:
    wanted = fill_orders(sim)
    sim.page = 50
    first = await anext(client.pull_orders(context, None))
    sim._pages.clear()
    rest = await scan(context, first.cursor)
    assert len({item.key for page in rest for item in page.items}) == wanted


async def test_the_next_scan_looks_back_over_the_last(sim: AmazonSimulator, context: Context[Settings]) -> None:
    two_lines(sim)
    (page,) = await scan(context)
    scanned = msgspec.json.decode(page.cursor, type=client.Scan)
    assert scanned.token is None
    assert context.now() - scanned.since >= timedelta(seconds=client.OVERLAP_SECONDS)
    (again,) = await scan(context, page.cursor)
    assert [item.key for item in again.items] == [item.key for item in page.items]


async def test_nothing_older_than_two_years_is_asked_for(sim: AmazonSimulator, context: Context[Settings]) -> None:
    two_lines(sim)
    long_ago = context.now() - timedelta(days=4000)
    (page,) = await scan(context, msgspec.json.encode(client.Scan(since=long_ago, until=long_ago)).decode())
    assert len(page.items) == 1


async def test_an_order_without_identity_in_a_list_is_kept() -> None:
    page = {"orders": [{"orderId": 7}, {"orderId": "A", "lastUpdatedTime": "2026-01-01T00:00:00Z"}]}
    (found,) = await scan(stubbed(Stub(answer(200, page))))
    assert [item.topic for item in found.items] == ["order", "order"]
    assert found.items[0].key.startswith("order:unread:")
    assert found.items[1].object == "order:A"


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (answer(200, b"<html>Sign in</html>"), RetryLater),
        (answer(200, b'{"order": {"orderId": "1'), RetryLater),
        (answer(200, b""), RetryLater),
        (answer(200, {"errors": [{"code": "InternalFailure", "message": "no"}]}), NeedsPerson),
        (answer(200, {"errors": [{"code": "QuotaExceeded", "message": "no"}]}), RetryLater),
        (answer(200, {"order": "no object"}), NeedsPerson),
        (answer(400, {"errors": [{"code": "InvalidInput", "message": "no"}]}), NeedsPerson),
        (answer(403, {"errors": [{"code": "Unauthorized", "message": "Access is denied"}]}), NeedsPerson),
        (answer(403, {"errors": [{"code": "InvalidToken", "message": "no"}]}), Unauthorised),
        (answer(429, b""), RetryLater),
        (answer(500, b"\xff\xfe"), RetryLater),
        (answer(503, b"<html>"), RetryLater),
    ],
)
async def test_answers_that_are_none(response: object, outcome: type) -> None:
    with pytest.raises(Interrupted) as caught:
        await client.fetch(stubbed(Stub(response)), "ORDER_CHANGE", "order:1", b"{}")  # type: ignore[arg-type]
    assert isinstance(caught.value.outcome, outcome)


async def test_the_connection_test_names_what_is_missing(sim: AmazonSimulator, context: Context[Settings]) -> None:
    sim.subscribed = False
    there = msgspec.structs.replace(
        context.settings,
        marketplace_ids=("ATVPDKIKX0DER", "A1F83G8C2ARO7P"),
        app_renewed_on=(context.now() - timedelta(days=170)).date(),
    )
    probe = await client.probe(msgspec.structs.replace(context, settings=there))
    assert {check.name: check.ok for check in probe.checks} == {
        "token": True,
        "marketplace ATVPDKIKX0DER": True,
        "marketplace A1F83G8C2ARO7P": False,
        "ORDER_CHANGE": False,
        "client_secret": False,
    }
