"""Deliveries are EasyPost's if the signature over the raw bytes says so."""

import unicodedata
from datetime import UTC, datetime

import msgspec

from adapters.easypost.harness import settings, sign, simulator
from adapters.easypost.webhook import PREFIX, check
from hub.sdk.webhook import Delivery, Refuse, Store, hmac_sha256

AT = datetime(2026, 1, 16, 12, tzinfo=UTC)
SETTINGS = settings(simulator())
BODY = b'{"id": "evt_1", "description": "tracker.updated", "result": {"id": "trk_1", "tracking_code": "1Z"}}'


def delivered(body: bytes, signature: str) -> Delivery:
    headers = {"x-hmac-signature": signature}
    return Delivery(method="POST", url="https://hub.example", headers=headers, query={}, body=body, received_at=AT)


def test_the_key_is_the_events_id_and_the_object_the_parcel() -> None:
    verdict = check(sign(SETTINGS, topic="tracker.updated", body=BODY, event="evt_1", at=AT), SETTINGS)
    assert verdict == Store(key="evt_1", topic="tracker.updated", object="tracker:1Z")


def test_the_secret_is_normalised() -> None:
    composed, decomposed = "schlüssel-9", unicodedata.normalize("NFKD", "schlüssel-9")
    assert composed != decomposed
    known = msgspec.structs.replace(SETTINGS, webhook_secret=composed)
    assert isinstance(check(delivered(BODY, PREFIX + hmac_sha256(decomposed, BODY).hex()), known), Store)
    assert check(delivered(BODY, PREFIX + hmac_sha256(composed, BODY).hex()), known) == Refuse()


def test_a_signature_without_its_name_is_none() -> None:
    assert check(delivered(BODY, hmac_sha256(SETTINGS.webhook_secret, BODY).hex()), SETTINGS) == Refuse()


def test_the_previous_secret_is_good_while_it_is_changed() -> None:
    signature = PREFIX + hmac_sha256("old secret", BODY).hex()
    assert check(delivered(BODY, signature), SETTINGS) == Refuse()
    changing = msgspec.structs.replace(SETTINGS, previous_webhook_secret="old secret")
    assert isinstance(check(delivered(BODY, signature), changing), Store)


def test_another_event_is_stored_under_its_own_name() -> None:
    body = b'{"id": "evt_2", "description": "batch.updated", "result": {"id": "batch_1"}}'
    verdict = check(sign(SETTINGS, topic="", body=body, event="evt_2", at=AT), SETTINGS)
    assert verdict == Store(key="evt_2", topic="batch.updated", object="batch_1")


def test_what_is_no_event_is_refused() -> None:
    verdict = check(sign(SETTINGS, topic="", body=b"[]", event="x", at=AT), SETTINGS)
    assert isinstance(verdict, Refuse)
    assert verdict.status == 400
