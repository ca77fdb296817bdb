"""Pure: EasyPost's stored bodies to facts. Requests and answers of our own calls are in `calls.py`."""

from collections.abc import Sequence

import msgspec

from adapters.easypost.schemas import Place, Tracker, malformed, tracker_decoder, tracker_event_decoder
from hub.domain.facts import AnyFact, ParcelScanned
from hub.domain.shipping import ScanEvent, TrackingStatus
from hub.sdk.translate import Tables, utc


def event_facts(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """The scans that a tracker event carries: all of its history, so that a lost delivery is healed by the next.

    Raises `Malformed`, or `Unmapped` for a status or carrier that no table knows.
    """
    try:
        event = tracker_event_decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise malformed("event", error) from error
    return _scans(event.result, tables)


def tracker_facts(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """The scans of a tracker that we asked for."""
    try:
        tracker = tracker_decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise malformed("tracker", error) from error
    return _scans(tracker, tables)


def _scans(tracker: Tracker, tables: Tables) -> tuple[ParcelScanned, ...]:
    """One fact per detail, and one for the tracker's own status where no detail tells it.

    EasyPost may jump from unknown to delivered without a detail. Such a status is dated by the newest detail, without
    any by the tracker's beginning: `updated_at` moves with every update, and each would be one more sign of life of a
    parcel that stands still. A tracker that nobody has scanned is no scan.
    """
    now = _status(tracker.status, tables)
    events = []
    for detail in tracker.tracking_details or ():
        words = (detail.status, detail.status_detail, detail.message)
        event = ScanEvent(
            at=utc(detail.datetime),
            status=_status(detail.status, tables),
            raw=": ".join(word for word in words if word),
            place=_place(detail.tracking_location),
        )
        events.append(event)
    if now is not TrackingStatus.UNKNOWN and all(event.status is not now for event in events):
        raw = ": ".join(word for word in (tracker.status, tracker.status_detail) if word)
        at = max(event.at for event in events) if events else utc(tracker.created_at)
        events.append(ScanEvent(at=at, status=now, raw=raw))
    if not events:
        return ()
    carrier = tables.require("carrier", tracker.carrier or "(none)")
    return tuple(
        ParcelScanned(at=event.at, tracking=tracker.tracking_code, carrier=carrier, event=event) for event in events
    )


def _status(word: str, tables: Tables) -> TrackingStatus:
    return TrackingStatus(tables.require("status", word))


def _place(place: Place | None) -> str | None:
    parts = (place.city, place.state, place.country) if place is not None else ()
    return ", ".join(part for part in parts if part) or None
