"""Who may tell us about parcels."""

from datetime import UTC, datetime

import msgspec
import pytest

from adapters.ups.harness import ALERT, CREDENTIALS, NUMBER, settings, sign, simulator
from adapters.ups.settings import Settings
from adapters.ups.webhook import CREDENTIAL, TOPIC, check
from hub.sdk.webhook import Delivery, Refuse, Store

NOW = datetime(2026, 1, 16, 12, tzinfo=UTC)
BODY = msgspec.json.encode(ALERT)


@pytest.fixture
def known() -> Settings:
    return settings(simulator())


def delivery(known: Settings, body: bytes = BODY, **headers: str) -> Delivery:
    genuine = sign(known, topic=TOPIC, body=body, event="e", at=NOW)
    return msgspec.structs.replace(genuine, headers=headers) if headers else genuine


def test_an_alert_is_stored_under_its_parcel(known: Settings) -> None:
    verdict = check(delivery(known), known)
    assert isinstance(verdict, Store)
    assert (verdict.topic, verdict.object) == (TOPIC, f"parcel:{NUMBER}")
    other = check(delivery(known, msgspec.json.encode({**ALERT, "gmtActivityTime": "143001"})), known)
    assert isinstance(other, Store)
    assert other.key != verdict.key


@pytest.mark.parametrize(
    "headers",
    [
        {CREDENTIAL: CREDENTIALS},
        {"authorization": f"Bearer {CREDENTIALS}"},
        {"authorization": f"bearer {CREDENTIALS}", CREDENTIAL: ""},
    ],
)
def test_where_the_credential_is_shown(known: Settings, headers: dict[str, str]) -> None:
    assert isinstance(check(delivery(known, **headers), known), Store)


@pytest.mark.parametrize(
    "headers",
    [
        {CREDENTIAL: ""},
        {CREDENTIAL: CREDENTIALS[:-1]},
        {"authorization": CREDENTIALS},
        {"authorization": f"Basic {CREDENTIALS}"},
        {"x-api-key": CREDENTIALS},
        {CREDENTIAL: "Zo\u00eb"},
    ],
)
def test_what_is_not_the_credential(known: Settings, headers: dict[str, str]) -> None:
    verdict = check(delivery(known, **headers), known)
    assert isinstance(verdict, Refuse)
    assert verdict.status == 401


def test_two_credentials_are_valid_while_they_change(known: Settings) -> None:
    changing = msgspec.structs.replace(known, webhook_secret="the-new-one", previous_webhook_secret=CREDENTIALS)
    assert isinstance(check(delivery(known), changing), Store)
    over = msgspec.structs.replace(changing, previous_webhook_secret=None)
    assert isinstance(check(delivery(known), over), Refuse)


@pytest.mark.parametrize(
    "body", [b"", b"<html></html>", BODY[: len(BODY) // 4], b"[]", b'{"trackingNumber":7}', b"\xff"]
)
def test_a_body_that_is_no_event(known: Settings, body: bytes) -> None:
    verdict = check(delivery(known, body), known)
    assert isinstance(verdict, Refuse)
    assert verdict.status == 400
