"""Deliveries only say which order to read."""

from datetime import UTC, datetime

import msgspec
import pytest

from adapters.shipbob.harness import settings, sign, simulator
from adapters.shipbob.webhook import check
from hub.sdk.webhook import Refuse, Store

AT = datetime(2026, 1, 16, 12, tzinfo=UTC)
SETTINGS = settings(simulator())


@pytest.mark.parametrize(
    ("topic", "body", "subject"),
    [
        ("order.shipped", b'{"id": 4242, "shipments": []}', "order:4242"),
        ("order.shipment.exception", b'{"id": 902, "order_id": 4242}', "order:4242"),
        ("billing.charge.created", b'{"id": 7}', None),
    ],
)
def test_the_order_is_named(topic: str, body: bytes, subject: str | None) -> None:
    verdict = check(sign(SETTINGS, topic=topic, body=body, event="msg_1", at=AT), SETTINGS)
    assert verdict == Store(key="msg_1", topic=topic, object=subject)


def test_without_a_secret_the_door_is_closed() -> None:
    closed = msgspec.structs.replace(SETTINGS, webhook_secret=None)
    verdict = check(sign(SETTINGS, topic="order.shipped", body=b'{"id": 1}', event="m", at=AT), closed)
    assert verdict == Refuse()


def test_the_previous_secret_is_good_while_it_is_changed() -> None:
    delivery = sign(SETTINGS, topic="order.shipped", body=b'{"id": 1}', event="m", at=AT)
    changed = msgspec.structs.replace(
        SETTINGS, webhook_secret="whsec_bmV3IG9uZQ==", previous_webhook_secret=SETTINGS.webhook_secret
    )
    assert isinstance(check(delivery, changed), Store)


@pytest.mark.parametrize(("topic", "body"), [("order.shipped", b"[]"), ("order.shipped", b"{}"), ("", b'{"id": 1}')])
def test_what_names_no_order_or_topic_is_refused(topic: str, body: bytes) -> None:
    verdict = check(sign(SETTINGS, topic=topic, body=body, event="m", at=AT), SETTINGS)
    assert isinstance(verdict, Refuse)
    assert verdict.status == 400
