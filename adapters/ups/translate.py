"""Pure: UPS's stored bodies to facts. Requests and answers of our own calls are in `calls.py` and `labels.py`."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from adapters.ups.schemas import Activity, Address, Package, Status, alert_decoder, malformed, many, track_decoder
from hub.domain.facts import AnyFact, ParcelScanned
from hub.domain.shipping import ScanEvent, TrackingStatus
from hub.sdk.translate import Malformed, Tables, Unmapped

CARRIER: Final = "ups"

BY_CODE: Final = "by_code"
"""Word of the `type` table: the type alone says too little (D is also loaded on a van, X is anything unusual)."""

_NOT_DIGITS: Final = re.compile(r"\D")
_OFFSET: Final = re.compile(r"([+-])(\d{2})[:.]?(\d{2})")


def alert_facts(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """The scan that an alert is about. Raises `Malformed`, or `Unmapped` for a status that no table knows."""
    try:
        alert = alert_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _unreadable("alert", error) from error
    event = ScanEvent(
        at=_moment(
            (alert.gmt_activity_date, alert.gmt_activity_time),
            (alert.local_activity_date, alert.local_activity_time),
            alert.gmt_offset,
        ),
        status=status(alert.activity_status, tables),
        raw=raw(alert.activity_status),
        place=_place(alert.activity_location),
    )
    return (ParcelScanned(at=event.at, tracking=alert.tracking_number, carrier=CARRIER, event=event),)


def track_facts(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """Every scan of every parcel in a tracking answer, oldest first: what an alert lost is healed by the next look.

    A number that UPS does not know (only a warning) is no scan.
    """
    try:
        answer = track_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _unreadable("tracking", error) from error
    facts: list[ParcelScanned] = []
    for shipment in many(answer.track_response.shipment):
        if shipment.package is None and shipment.warnings is None:
            raise Malformed("tracking", "$.trackResponse.shipment", "neither package nor warnings")
        for package in many(shipment.package):
            facts += _scans(package, tables)
    return tuple(facts)


def status(said: Status, tables: Tables) -> TrackingStatus:
    """What a status means: by type and code, by the simplified code, and by the type where that is enough.

    Raises `Unmapped`: ("type", word) for an unknown type, ("status", "X:YZ") for a code that nobody mapped.
    """
    of_type = tables.require("type", said.type)
    named = f"{said.type}:{said.code or '-'}"
    found = tables.find("status", named) or tables.find("status", simplified(said)) or of_type
    if found == BY_CODE:
        raise Unmapped("status", named)
    return TrackingStatus(found)


def simplified(said: Status) -> str:
    """The three-digit code; empty where there is none."""
    code = said.status_code or said.description_code
    return "" if code is None or code == "" else str(code).strip().zfill(3)


def raw(said: Status) -> str:
    """UPS's own words."""
    codes = " ".join(word for word in (said.type, said.code, simplified(said)) if word)
    return f"{codes}: {said.description.strip()}" if said.description else codes


def _scans(package: Package, tables: Tables) -> list[ParcelScanned]:
    return [_scan(package.tracking_number, activity, tables) for activity in reversed(many(package.activity))]


def _scan(tracking: str, activity: Activity, tables: Tables) -> ParcelScanned:
    event = ScanEvent(
        at=_moment((activity.gmt_date, activity.gmt_time), (activity.date, activity.time), activity.gmt_offset),
        status=status(activity.status, tables),
        raw=raw(activity.status),
        place=_place(activity.location.address if activity.location else None),
    )
    return ParcelScanned(at=event.at, tracking=tracking, carrier=CARRIER, event=event)


def _moment(
    universal: tuple[str | None, str | None], local: tuple[str | None, str | None], offset: str | None
) -> datetime:
    """The time in UTC: as told, else local time with its offset. A local time alone names no moment: `Malformed`."""
    if universal[0] and universal[1]:
        return _parsed(universal[0], universal[1])
    known = _OFFSET.fullmatch(offset or "")
    if known is None or not (local[0] and local[1]):
        raise Malformed("time of the scan", "$", "neither in GMT nor local with an offset")
    sign, hours, minutes = known.groups()
    ahead = timedelta(hours=int(hours), minutes=int(minutes))
    return _parsed(local[0], local[1]) - (ahead if sign == "+" else -ahead)


def _parsed(date: str, time: str) -> datetime:
    digits = _NOT_DIGITS.sub("", date) + _NOT_DIGITS.sub("", time).zfill(6)
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise Malformed("time of the scan", "$", f"{date} {time}") from error


def _place(address: Address | None) -> str | None:
    if address is None:
        return None
    parts = (address.city, address.state_province, address.country_code or address.country)
    return ", ".join(part.strip() for part in parts if part and part.strip()) or None


def _unreadable(what: str, error: Exception) -> Malformed:
    if isinstance(error, msgspec.MsgspecError):
        return malformed(what, error)
    return Malformed(what, "$", "not UTF-8")
