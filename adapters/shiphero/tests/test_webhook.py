"""Which deliveries are let in, under which key, about what."""

from datetime import UTC, datetime

import msgspec
import pytest

from adapters.shiphero.harness import sign
from adapters.shiphero.settings import Settings
from adapters.shiphero.webhook import check
from hub.sdk.webhook import Delivery, Refuse, Store

AT = datetime(2026, 1, 16, 12, 0, tzinfo=UTC)
SETTINGS = Settings(account="northwind", username="hub@example.com", password="p" * 8, webhook_secret="first-secret")


def delivery(body: bytes, secret: str = "first-secret", event: str = "message-1") -> Delivery:
    signer = msgspec.structs.replace(SETTINGS, webhook_secret=secret)
    return sign(signer, topic="", body=body, event=event, at=AT)


def stored(body: bytes) -> Store:
    verdict = check(delivery(body), SETTINGS)
    assert isinstance(verdict, Store)
    return verdict


def test_reply_is_what_shiphero_wants_to_read() -> None:
    reply = stored(b'{"webhook_type":"Order Canceled","partner_order_id":"A-1"}').reply

    assert (reply.status, reply.body, reply.content_type) == (200, b'{"code":"200"}', "application/json")


def test_a_secret_per_webhook_and_the_previous_ones_are_valid() -> None:
    settings = msgspec.structs.replace(
        SETTINGS, webhook_secret="shipment-secret stock-secret", previous_webhook_secret="old-secret"
    )
    body = b'{"webhook_type":"Order Canceled"}'

    verdicts = {
        secret: isinstance(check(delivery(body, secret), settings), Store)
        for secret in ("shipment-secret", "stock-secret", "old-secret", "shipment-secret stock-secret", "other")
    }

    assert verdicts == {
        "shipment-secret": True,
        "stock-secret": True,
        "old-secret": True,
        "shipment-secret stock-secret": False,
        "other": False,
    }


@pytest.mark.parametrize("secret", ["", " ", "\n"])
def test_an_empty_secret_is_a_closed_door(secret: str) -> None:
    settings = msgspec.structs.replace(SETTINGS, webhook_secret=secret)

    verdict = check(delivery(b'{"webhook_type":"Order Canceled"}', secret), settings)

    assert verdict == Refuse()


def test_without_a_message_id_the_body_is_the_key() -> None:
    good = delivery(b'{"webhook_type":"Order Canceled"}')
    headers = {name: value for name, value in good.headers.items() if name != "x-shiphero-message-id"}
    bare = msgspec.structs.replace(good, headers=headers)
    other = msgspec.structs.replace(delivery(b'{"webhook_type":"Order Canceled" }'), headers={})

    first, again = check(bare, SETTINGS), check(bare, SETTINGS)

    assert isinstance(first, Store)
    assert isinstance(again, Store)
    assert first.key == again.key
    assert len(first.key) == 64
    assert isinstance(check(other, SETTINGS), Refuse)


@pytest.mark.parametrize(
    ("body", "about"),
    [
        (b'{"webhook_type":"Shipment Update","fulfillment":{"partner_order_id":"A-1"}}', "fulfilment:A-1"),
        (b'{"webhook_type":"Order Canceled","partner_order_id":"A-1","order_number":"9"}', "fulfilment:A-1"),
        (b'{"webhook_type":"Order Canceled","partner_order_id":null,"order_number":9}', "order_number:9"),
        (b'{"webhook_type":"Order Packed Out","order_id":7,"order_uuid":"T3JkZXI6Nw=="}', "order:T3JkZXI6Nw=="),
        (b'{"webhook_type":"Order Packed Out","order_id":7}', "order:7"),
        (b'{"webhook_type":"Inventory Change","sku":"MUG"}', "sku:MUG"),
        (b'{"webhook_type":"Inventory Update","inventory":[{"sku":"MUG","inventory":"3"}]}', "sku:MUG"),
        (b'{"webhook_type":"PO Update","purchase_order":{}}', None),
        (b'{"webhook_type":"Shipment Update","fulfillment":"of another form"}', None),
    ],
)
def test_deliveries_of_one_object_share_a_sequence(body: bytes, about: str | None) -> None:
    assert stored(body).object == about


def test_an_unknown_type_is_stored_under_its_own_name() -> None:
    assert stored(b'{"webhook_type":"Robot Arrived"}').topic == "Robot Arrived"


@pytest.mark.parametrize("topic", ["Capture Payment", "Generate Label"])
def test_questions_are_not_answered_with_yes(topic: str) -> None:
    verdict = check(delivery(msgspec.json.encode({"webhook_type": topic})), SETTINGS)

    assert isinstance(verdict, Refuse)
    assert verdict.status == 400
    assert topic in verdict.reason


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"webhook_type":null}', b"\xff"])
def test_what_names_no_type_is_refused_after_its_signature_held(body: bytes) -> None:
    verdict = check(delivery(body), SETTINGS)

    assert isinstance(verdict, Refuse)
    assert verdict.status == 400
