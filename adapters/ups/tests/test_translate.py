"""UPS's words to ours: every code of the tables, times, places, and what nobody has mapped."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from adapters.ups.harness import ALERT, NUMBER, TRACK
from adapters.ups.schemas import Status
from adapters.ups.translate import BY_CODE, alert_facts, raw, status, track_facts
from hub.domain.facts import ParcelScanned
from hub.domain.shipping import TrackingStatus
from hub.mapping.tables import CodeTables, Layered, load_tables
from hub.sdk.translate import Malformed, Unmapped


def alert(**changes: Any) -> bytes:
    return msgspec.json.encode({**ALERT, **changes})


def activity(**changes: Any) -> bytes:
    document = msgspec.json.decode(msgspec.json.encode(TRACK))
    document["trackResponse"]["shipment"][0]["package"][0]["activity"][0] |= changes
    return msgspec.json.encode(document)


def scan(body: bytes, tables: CodeTables) -> ParcelScanned:
    (fact,) = track_facts(body, tables)
    assert isinstance(fact, ParcelScanned)
    return fact


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (Status(type="M", code="MP", status_code="003"), TrackingStatus.PRE_TRANSIT),
        (Status(type="M", code="VP", status_code="007"), TrackingStatus.CANCELLED),
        (Status(type="MV", code="VP"), TrackingStatus.CANCELLED),
        (Status(type="I", code="OR"), TrackingStatus.IN_TRANSIT),
        (Status(type="I", code="OT", description_code=17), TrackingStatus.OUT_FOR_DELIVERY),
        (Status(type="P", code="XD"), TrackingStatus.IN_TRANSIT),
        (Status(type="U", code="SD"), TrackingStatus.UNKNOWN),
        (Status(type="D", code="??", status_code="011"), TrackingStatus.DELIVERED),
        (Status(type="D", code="ZP", status_code="040"), TrackingStatus.AVAILABLE_FOR_PICKUP),
        (Status(type="X", code="48", status_code="024"), TrackingStatus.FAILED),
        (Status(type="X", code="RS", status_code="013"), TrackingStatus.RETURN_TO_SENDER),
        (Status(type="X", code="G3", description_code=32), TrackingStatus.IN_TRANSIT),
    ],
)
def test_statuses(said: Status, meant: TrackingStatus, tables: CodeTables) -> None:
    assert status(said, tables) is meant


@pytest.mark.parametrize(
    ("said", "kind", "word"),
    [
        (Status(type="Q", code="FS", status_code="011"), "type", "Q"),
        (Status(type="X", code="ZZ"), "status", "X:ZZ"),
        (Status(type="D", code="ZZ", status_code="999"), "status", "D:ZZ"),
        (Status(type="D"), "status", "D:-"),
    ],
)
def test_what_nobody_mapped_is_asked_about(said: Status, kind: str, word: str, tables: CodeTables) -> None:
    with pytest.raises(Unmapped) as caught:
        status(said, tables)
    assert (caught.value.kind, caught.value.value) == (kind, word)


def test_a_merchants_answer_settles_it(tables: CodeTables) -> None:
    own = Layered({"status": {"X:ZZ": "failed"}}, tables)
    assert status(Status(type="X", code="ZZ"), own) is TrackingStatus.FAILED


def test_every_word_of_the_tables_is_a_status(request: pytest.FixtureRequest) -> None:
    text = (request.config.rootpath / "mappings" / "ups" / "tables.toml").read_text("utf-8")
    shipped = load_tables(text)
    words = {*shipped["status"].values(), *shipped["type"].values()} - {BY_CODE}
    assert words <= set(TrackingStatus)
    assert set(shipped["type"]) == {"M", "MV", "P", "I", "U", "D", "X"}


def test_raw_words_are_kept() -> None:
    said = Status(type="X", code="A2", status_code="046", description="The address is incorrect. ")
    assert raw(said) == "X A2 046: The address is incorrect."
    assert raw(Status(type="I")) == "I"


@pytest.mark.parametrize(
    ("changes", "moment"),
    [
        ({}, datetime(2026, 1, 17, 7, 30, tzinfo=UTC)),
        ({"gmtTime": "07:30:05"}, datetime(2026, 1, 17, 7, 30, 5, tzinfo=UTC)),
        ({"gmtTime": "5"}, datetime(2026, 1, 17, 0, 0, 5, tzinfo=UTC)),
        ({"gmtDate": None, "gmtTime": None}, datetime(2026, 1, 17, 7, 30, tzinfo=UTC)),
        ({"gmtTime": "", "gmtOffset": "+05.30"}, datetime(2026, 1, 16, 21, 0, tzinfo=UTC)),
    ],
)
def test_times(changes: dict[str, Any], moment: datetime, tables: CodeTables) -> None:
    assert scan(activity(**changes), tables).at == moment


@pytest.mark.parametrize(
    "changes",
    [{"gmtTime": None, "gmtOffset": None}, {"gmtDate": "soon"}, {"gmtTime": "256060"}, {"gmtDate": "20261301"}],
)
def test_a_time_that_names_no_moment(changes: dict[str, Any], tables: CodeTables) -> None:
    with pytest.raises(Malformed):
        track_facts(activity(**changes), tables)


def test_an_alert_with_empty_fields(tables: CodeTables) -> None:
    """As UPS prints it in UPS-API/api-documentation#41: empty texts for what is not known yet."""
    place = {"city": "", "stateProvince": " ", "postalCode": "", "country": "US"}
    status_only = {"type": "I", "code": "OR", "description": "On the Way"}
    body = alert(activityLocation=place, activityStatus=status_only, deliveryPhoto="", deliveryStartTime="")
    (fact,) = alert_facts(body, tables)
    assert isinstance(fact, ParcelScanned)
    assert (fact.event.place, fact.event.raw) == ("US", "I OR: On the Way")
    assert fact.event.status is TrackingStatus.IN_TRANSIT


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Bad gateway</body></html>",
        msgspec.json.encode(TRACK)[:-20],
        b'{"trackResponse":{"shipment":[{"inquiryNumber":"1Z"}]}}',
        b'{"response":{"errors":[{"code":"10004","message":"Something went wrong"}]}}',
        b"[]",
        b'{"trackResponse":{"shipment":"\xff"}}',
    ],
)
def test_bad_tracking_bodies_are_malformed(body: bytes, tables: CodeTables) -> None:
    with pytest.raises(Malformed):
        track_facts(body, tables)


@pytest.mark.parametrize("body", [b"", b"<html>", alert()[:-9], alert(trackingNumber=None), b'"1Z"', b'{"a":"\xff"}'])
def test_bad_alerts_are_malformed(body: bytes, tables: CodeTables) -> None:
    with pytest.raises(Malformed):
        alert_facts(body, tables)


def test_malformed_names_the_place_and_no_value(tables: CodeTables) -> None:
    with pytest.raises(Malformed) as caught:
        alert_facts(alert(trackingNumber=17), tables)
    assert caught.value.path == "$.trackingNumber"
    assert NUMBER not in str(caught.value)
