"""The parts of EasyPost's objects (v2) that we read. Fields we do not name may come and go."""

from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from hub.sdk.translate import Malformed


class VendorRate(msgspec.Struct, frozen=True, kw_only=True):
    """An offer. `rate` is what we pay, a string on the wire; list and retail rates are for comparison only."""

    id: str
    carrier: str
    service: str
    rate: Decimal
    currency: str
    delivery_days: int | None = None
    est_delivery_days: int | None = None


class PostageLabel(msgspec.Struct, frozen=True, kw_only=True):
    """Where the label lies."""

    label_url: str | None = None
    label_file_type: str | None = None


class CarrierMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Why a carrier made no offer. The text may be anything."""

    carrier: str | None = None
    message: object = None


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel with its offers; bought once `postage_label` is there."""

    id: str
    created_at: datetime
    reference: str | None = None
    tracking_code: str | None = None
    refund_status: str | None = None
    postage_label: PostageLabel | None = None
    selected_rate: VendorRate | None = None
    rates: list[VendorRate] | None = None
    messages: list[CarrierMessage] | None = None


class Shipments(msgspec.Struct, frozen=True, kw_only=True):
    """A page, newest first."""

    shipments: list[Shipment]
    has_more: bool = False


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a parcel was seen."""

    city: str | None = None
    state: str | None = None
    country: str | None = None


class TrackingDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the carrier."""

    status: str
    datetime: datetime
    status_detail: str | None = None
    message: str | None = None
    tracking_location: Place | None = None


class Tracker(msgspec.Struct, frozen=True, kw_only=True):
    """Where a parcel is, with its history."""

    id: str
    tracking_code: str
    status: str
    created_at: datetime
    carrier: str | None = None
    status_detail: str | None = None
    tracking_details: list[TrackingDetail] | None = None


class TrackerEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery about a tracker."""

    id: str
    description: str
    result: Tracker


class EventSubject(msgspec.Struct, frozen=True, kw_only=True):
    """What an event is about, as far as its key and sequence need it."""

    id: str | None = None
    tracking_code: str | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a delivery."""

    id: str
    description: str
    result: EventSubject | None = None


class VendorError(msgspec.Struct, frozen=True, kw_only=True):
    """EasyPost's error. `message` may be text, a list or an object ("alternative format")."""

    code: str | None = None
    message: object = None


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an error."""

    error: VendorError


shipment_decoder: Final = msgspec.json.Decoder(Shipment)
shipments_decoder: Final = msgspec.json.Decoder(Shipments)
tracker_decoder: Final = msgspec.json.Decoder(Tracker)
tracker_event_decoder: Final = msgspec.json.Decoder(TrackerEvent)
event_decoder: Final = msgspec.json.Decoder(Event)
error_decoder: Final = msgspec.json.Decoder(ErrorBody)


def malformed(what: str, error: msgspec.MsgspecError) -> Malformed:
    """Our error for a body that does not fit. The decoder's text names the path and the types, never the value."""
    text, _, path = str(error).partition(" - at ")
    return Malformed(what, path.strip("`") or "$", text)
