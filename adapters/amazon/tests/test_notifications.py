"""Notifications: by queue and by push, in both casings, ten times over."""

from typing import Any

import msgspec
import pytest

from adapters.amazon import client, notifications, queues
from adapters.amazon.harness import HARNESS, NOON, settings, sign, simulator, two_lines
from adapters.amazon.settings import Settings
from adapters.amazon.simulator import AmazonSimulator
from adapters.amazon.webhook import check
from hub.sdk.capabilities import Context, Page
from hub.sdk.outcomes import Interrupted, NeedsPerson
from hub.sdk.testkit.bench import Bench
from hub.sdk.webhook import Refuse, Store

SELLER = "A3TH9S8BH6GOGM"


def change(**more: Any) -> dict[str, Any]:
    told = {"SellerId": SELLER, "AmazonOrderId": "903-8868176-2219830", **more}
    return {
        "NotificationType": "ORDER_CHANGE",
        "Payload": {"OrderChangeNotification": told},
        "NotificationMetadata": {"NotificationId": "n-1"},
    }


async def drain(context: Context[Settings]) -> list[Page]:
    return [page async for page in client.pull_notifications(context, None)]


async def test_every_order_comes_once_a_page_and_the_queue_is_empty_then(
    sim: AmazonSimulator, context: Context[Settings]
) -> None:
    sim.copies = 3
    orders = {two_lines(sim).id for _ in range(4)}
    pages = await drain(context)
    items = [item for page in pages for item in page.items]
    assert {item.object for item in items} == {f"order:{order}" for order in orders}
    assert {item.topic for item in items} == {"ORDER_CHANGE"}
    assert len({item.key for item in items}) == 4
    assert not sim.books.queue


async def test_a_message_is_deleted_only_after_its_page_was_stored(
    sim: AmazonSimulator, context: Context[Settings]
) -> None:
    two_lines(sim)
    pages = client.pull_notifications(context, None)
    await anext(pages)
    assert len(sim.books.queue) == 2
    await anext(pages)
    assert not sim.books.queue


async def test_without_a_queue_nothing_is_pulled(sim: AmazonSimulator, context: Context[Settings]) -> None:
    quiet = msgspec.structs.replace(context.settings, queue_url=None)
    assert [page.items for page in await drain(msgspec.structs.replace(context, settings=quiet))] == [()]


async def test_a_queue_that_refuses_our_signature(sim: AmazonSimulator) -> None:
    wrong = msgspec.structs.replace(settings(sim), aws_secret_access_key="another secret")
    async with Bench(HARNESS, sim, wrong).context() as found:
        with pytest.raises(Interrupted) as caught:
            await drain(found)
    assert isinstance(caught.value.outcome, NeedsPerson)


async def test_what_is_no_notification_is_kept_under_a_name(sim: AmazonSimulator, context: Context[Settings]) -> None:
    foreign = msgspec.json.encode(change(SellerId="SOMEBODY")).decode()
    for body in ("<html>", foreign, '{"NotificationType": "ORDER_CHANGE"}', '{"Message": "test"}'):
        sim.books.enqueue(body, sim.now())
    items = [item for page in await drain(context) for item in page.items]
    assert sorted(item.topic for item in items) == ["other_seller", "unreadable", "unreadable", "unreadable"]
    assert not sim.books.queue


class TestReading:
    def test_both_casings_and_the_event_bus(self) -> None:
        camel = {
            "notificationType": "ORDER_CHANGE",
            "payload": {"orderChangeNotification": {"SellerId": SELLER, "AmazonOrderId": "903-8868176-2219830"}},
            "notificationMetadata": {"notificationId": "n-1"},
        }
        for body in (change(), camel, {"id": "bus", "detail": change()}):
            notice = notifications.read(msgspec.json.encode(body), SELLER)
            assert notice.key == "notification:n-1"
            assert (notice.topic, notice.object) == ("ORDER_CHANGE", "order:903-8868176-2219830")

    def test_without_an_id_the_body_is_the_key(self) -> None:
        body = change()
        del body["NotificationMetadata"]
        one, other = (notifications.read(msgspec.json.encode(x), SELLER).key for x in (body, {**body, "EventTime": ""}))
        assert one.startswith("sha256:")
        assert one != other


class TestPush:
    def test_with_our_key(self) -> None:
        verdict = check(sign(known(), topic="", body=msgspec.json.encode(change()), event="", at=NOON), known())
        assert verdict == Store(key="notification:n-1", topic="ORDER_CHANGE", object="order:903-8868176-2219830")

    @pytest.mark.parametrize("key", ["", "push-conformance-kez", "push"])
    def test_with_another_key(self, key: str) -> None:
        delivery = sign(known(), topic="", body=msgspec.json.encode(change()), event="", at=NOON)
        verdict = check(msgspec.structs.replace(delivery, headers={"x-api-key": key}), known())
        assert isinstance(verdict, Refuse)
        assert verdict.status == 401

    def test_no_key_configured_is_a_closed_door(self) -> None:
        closed = msgspec.structs.replace(known(), push_key=None)
        delivery = sign(closed, topic="", body=msgspec.json.encode(change()), event="", at=NOON)
        assert isinstance(check(delivery, closed), Refuse)

    def test_a_body_that_is_no_notification(self) -> None:
        verdict = check(sign(known(), topic="", body=b"<html>", event="", at=NOON), known())
        assert isinstance(verdict, Refuse)
        assert verdict.status == 400


def known() -> Settings:
    sim = simulator()
    sim.base_url = "http://127.0.0.1:9"
    return settings(sim)


def test_the_signature_is_by_version_4_of_aws() -> None:
    """Recomputed with openssl from the printed algorithm, not with this code."""
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "host": "sqs.us-east-1.amazonaws.com",
        "x-amz-date": "20260116T120000Z",
        "x-amz-target": "AmazonSQS.ReceiveMessage",
    }
    made = queues.signature(headers, b"{}", key_id="AKIDEXAMPLE", secret="wJalrXUtnFEMI/K7MDENG", region="us-east-1")
    assert made.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260116/us-east-1/sqs/aws4_request, ")
    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-target, " in made
    assert made.endswith("Signature=fdc3215d55064a1272bba1e30b67aa80bdf3bd45e6e9c37018faf5dc4a556cd0")
