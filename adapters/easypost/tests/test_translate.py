"""Trackers become scans."""

import copy
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from adapters.easypost.calls import CARRIERS
from adapters.easypost.harness import SCANNED, TRACKER
from adapters.easypost.translate import event_facts, tracker_facts
from hub.domain.shipping import TrackingStatus
from hub.mapping.tables import CodeTables
from hub.sdk.testkit.reading import MALFORMED, UNMAPPED


@pytest.fixture
def tracker() -> dict[str, Any]:
    return copy.deepcopy(TRACKER)


def read(tracker: dict[str, Any], tables: CodeTables) -> list[Any]:
    return list(tracker_facts(msgspec.json.encode(tracker), tables))


def test_each_detail_is_a_scan_with_its_raw_words_and_place(tracker: dict[str, Any], tables: CodeTables) -> None:
    assert read(tracker, tables) == [SCANNED]


def test_a_jump_to_delivered_without_a_detail_is_a_scan_of_its_own(tracker: dict[str, Any], tables: CodeTables) -> None:
    tracker.update(status="delivered", status_detail=None)
    last = read(tracker, tables)[-1]
    assert last.event.status is TrackingStatus.DELIVERED
    assert last.at == SCANNED.at
    assert last.event.raw == "delivered"


def test_a_status_without_a_detail_is_the_same_scan_however_often_it_is_told(
    tracker: dict[str, Any], tables: CodeTables
) -> None:
    tracker.update(status="out_for_delivery", status_detail=None)
    first = read(tracker, tables)
    tracker["updated_at"] = "2026-01-20T12:00:00Z"
    assert read(tracker, tables) == first
    tracker["tracking_details"].append({**TRACKER["tracking_details"][0], "datetime": "2026-01-21T08:00:00Z"})
    assert read(tracker, tables)[-1].at == datetime(2026, 1, 21, 8, tzinfo=UTC)


def test_a_status_without_any_detail_is_dated_by_the_tracker(tracker: dict[str, Any], tables: CodeTables) -> None:
    tracker.update(status="pre_transit", tracking_details=[])
    (scan,) = read(tracker, tables)
    tracker["updated_at"] = "2026-01-20T12:00:00Z"
    assert read(tracker, tables) == [scan]
    assert scan.at == datetime(2026, 1, 15, 9, tzinfo=UTC)


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00", "9999-12-31T23:59:59-05:00"])
def test_a_scan_at_no_time_there_is_is_malformed(tracker: dict[str, Any], tables: CodeTables, when: str) -> None:
    tracker["tracking_details"][0]["datetime"] = when
    with pytest.raises(MALFORMED):
        read(tracker, tables)


def test_a_tracker_that_nobody_scanned_is_no_scan(tracker: dict[str, Any], tables: CodeTables) -> None:
    tracker.update(status="unknown", tracking_details=[], carrier=None)
    assert read(tracker, tables) == []


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pre_transit", TrackingStatus.PRE_TRANSIT),
        ("out_for_delivery", TrackingStatus.OUT_FOR_DELIVERY),
        ("available_for_pickup", TrackingStatus.AVAILABLE_FOR_PICKUP),
        ("return_to_sender", TrackingStatus.RETURN_TO_SENDER),
        ("failure", TrackingStatus.FAILED),
        ("cancelled", TrackingStatus.CANCELLED),
    ],
)
def test_easyposts_words(tracker: dict[str, Any], tables: CodeTables, word: str, status: TrackingStatus) -> None:
    tracker.update(status=word, tracking_details=[])
    (scan,) = read(tracker, tables)
    assert scan.event.status is status


def test_a_carrier_that_could_not_be_asked_says_nothing(tracker: dict[str, Any], tables: CodeTables) -> None:
    tracker.update(status="error", tracking_details=[])
    assert read(tracker, tables) == []


@pytest.mark.parametrize(("field", "word"), [("status", "lost_in_space"), ("carrier", "OwlPost")])
def test_words_nobody_mapped_are_asked_about(
    tracker: dict[str, Any], tables: CodeTables, field: str, word: str
) -> None:
    tracker[field] = word
    with pytest.raises(UNMAPPED) as caught:
        read(tracker, tables)
    assert caught.value.value == word


def test_an_event_without_a_tracker_is_malformed(tables: CodeTables) -> None:
    with pytest.raises(MALFORMED):
        event_facts(b'{"id": "evt_1", "description": "tracker.updated", "result": null}', tables)


def test_labels_and_scans_name_a_carrier_alike(tables: CodeTables) -> None:
    assert {word: tables.require("carrier", word) for word in CARRIERS} == dict(CARRIERS)
