"""The parts of UPS's answers that we read. Fields we do not name may come and go.

Where UPS means a list it may send one object instead (RatedShipment, PackageResults, LabelResults), whatever the
version says: such fields are `Many` and read through `many`. Values of the integration environment may carry carriage
returns written out as `&#xD;` (UPS-API/api-documentation#63): codes and numbers are read through `clean`.
"""

from typing import Final, TypeVar

import msgspec

from hub.sdk.translate import Malformed

T = TypeVar("T")


def many(found: list[T] | T | None) -> list[T]:
    """A list of whatever was there."""
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def clean(text: str) -> str:
    """Without the carriage returns that UPS may write out."""
    return text.replace("&#xD;", "").strip()


class Upper(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """Base of what the shipping and rating APIs answer: fields in PascalCase."""


class Coded(Upper, frozen=True, kw_only=True):
    """A code with words for people."""

    code: str
    description: str | None = None


class Amount(Upper, frozen=True, kw_only=True):
    """Money as text."""

    currency_code: str
    monetary_value: str


class Head(Upper, frozen=True, kw_only=True):
    """Whether UPS counts its own answer as a success: code 1."""

    response_status: Coded


class Negotiated(Upper, frozen=True, kw_only=True):
    """What the account pays. `total_charge` may be missing (karrioapi/karrio#703)."""

    total_charge: Amount | None = None


class Arrival(Upper, frozen=True, kw_only=True):
    """When a parcel of this service arrives."""

    business_days_in_transit: str | None = None


class ServiceSummary(Upper, frozen=True, kw_only=True):
    """Time in transit of one service."""

    estimated_arrival: Arrival | None = None


class TimeInTransit(Upper, frozen=True, kw_only=True):
    """Only with the request options that end on timeintransit."""

    service_summary: ServiceSummary | None = None


class RatedShipment(Upper, frozen=True, kw_only=True):
    """An offer."""

    service: Coded
    total_charges: Amount
    negotiated_rate_charges: Negotiated | None = None
    guaranteed_delivery: Arrival | None = None
    time_in_transit: TimeInTransit | None = None


class RateResponse(Upper, frozen=True, kw_only=True):
    """All offers."""

    response: Head
    rated_shipment: list[RatedShipment] | RatedShipment


class RateAnswer(Upper, frozen=True, kw_only=True):
    """POST /rating."""

    rate_response: RateResponse


class ShippingLabel(Upper, frozen=True, kw_only=True):
    """A label in base64."""

    image_format: Coded
    graphic_image: str


class PackageResult(Upper, frozen=True, kw_only=True):
    """A box with its number."""

    tracking_number: str
    shipping_label: ShippingLabel | None = None


class ShipmentCharges(Upper, frozen=True, kw_only=True):
    """List price."""

    total_charges: Amount


class ShipmentResults(Upper, frozen=True, kw_only=True):
    """What was bought."""

    shipment_identification_number: str
    package_results: list[PackageResult] | PackageResult
    shipment_charges: ShipmentCharges | None = None
    negotiated_rate_charges: Negotiated | None = None


class ShipmentResponse(Upper, frozen=True, kw_only=True):
    """What was bought, and whether."""

    response: Head
    shipment_results: ShipmentResults


class ShipAnswer(Upper, frozen=True, kw_only=True):
    """POST /shipments/ship."""

    shipment_response: ShipmentResponse


class LabelImage(Upper, frozen=True, kw_only=True):
    """A label in base64."""

    label_image_format: Coded
    graphic_image: str


class LabelResult(Upper, frozen=True, kw_only=True):
    """A box whose label was found."""

    tracking_number: str
    label_image: LabelImage | None = None


class LabelRecoveryResponse(Upper, frozen=True, kw_only=True):
    """Labels under a number or reference."""

    response: Head
    label_results: list[LabelResult] | LabelResult
    shipment_identification_number: str | None = None


class RecoveryAnswer(Upper, frozen=True, kw_only=True):
    """POST /labels/recovery."""

    label_recovery_response: LabelRecoveryResponse


class SummaryResult(Upper, frozen=True, kw_only=True):
    """Of a void."""

    status: Coded


class VoidShipmentResponse(Upper, frozen=True, kw_only=True):
    """Of a void."""

    response: Head
    summary_result: SummaryResult


class VoidAnswer(Upper, frozen=True, kw_only=True):
    """DELETE /shipments/void/cancel."""

    void_shipment_response: VoidShipmentResponse


class Lower(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of what the tracking APIs say: fields in camelCase."""


class Status(Lower, frozen=True, kw_only=True):
    """Where a parcel is: a type, a code of two letters and a simplified code of three digits."""

    type: str
    code: str | None = None
    status_code: str | None = None
    description: str | None = None
    description_code: str | int | None = None
    """The simplified code in an alert; printed without quotes in UPS's own example."""


class Address(Lower, frozen=True, kw_only=True):
    """A place."""

    city: str | None = None
    state_province: str | None = None
    country_code: str | None = None
    country: str | None = None


class Location(Lower, frozen=True, kw_only=True):
    """A place."""

    address: Address | None = None


class Activity(Lower, frozen=True, kw_only=True):
    """A scan. Dates are YYYYMMDD, times HHMMSS, maybe without their leading zeros."""

    status: Status
    gmt_date: str | None = None
    gmt_time: str | None = None
    gmt_offset: str | None = None
    date: str | None = None
    time: str | None = None
    location: Location | None = None


class Package(Lower, frozen=True, kw_only=True):
    """A parcel with its history, newest first."""

    tracking_number: str
    activity: list[Activity] | Activity | None = None


class Warned(Lower, frozen=True, kw_only=True):
    """A warning, or an error."""

    code: str | None = None
    message: str | None = None


class TrackedShipment(Lower, frozen=True, kw_only=True):
    """What is known under a number; only a warning where nothing is (UPS-API/api-documentation#198)."""

    package: list[Package] | Package | None = None
    warnings: list[Warned] | Warned | None = None


class TrackResponse(Lower, frozen=True, kw_only=True):
    """What is known."""

    shipment: list[TrackedShipment] | TrackedShipment


class TrackAnswer(Lower, frozen=True, kw_only=True):
    """GET /track/v1/details, and by reference."""

    track_response: TrackResponse


class Alert(Lower, frozen=True, kw_only=True):
    """An event of Track Alert."""

    tracking_number: str
    activity_status: Status
    gmt_activity_date: str | None = None
    gmt_activity_time: str | None = None
    local_activity_date: str | None = None
    local_activity_time: str | None = None
    gmt_offset: str | None = None
    activity_location: Address | None = None


class AlertHead(Lower, frozen=True, kw_only=True):
    """As far as a delivery's key needs it."""

    tracking_number: str


class SubscriptionAnswer(Lower, frozen=True, kw_only=True):
    """POST /track/v2/subscription/standard/package."""

    valid_tracking_numbers: list[str] = []
    invalid_tracking_numbers: list[str] = []


class Errors(Lower, frozen=True, kw_only=True):
    """What UPS objects to."""

    errors: list[Warned] | Warned


class ErrorBody(Lower, frozen=True, kw_only=True):
    """The body of an error, with whatever status."""

    response: Errors


rate_decoder: Final = msgspec.json.Decoder(RateAnswer)
ship_decoder: Final = msgspec.json.Decoder(ShipAnswer)
recovery_decoder: Final = msgspec.json.Decoder(RecoveryAnswer)
void_decoder: Final = msgspec.json.Decoder(VoidAnswer)
track_decoder: Final = msgspec.json.Decoder(TrackAnswer)
alert_decoder: Final = msgspec.json.Decoder(Alert)
alert_head_decoder: Final = msgspec.json.Decoder(AlertHead)
subscription_decoder: Final = msgspec.json.Decoder(SubscriptionAnswer)
error_decoder: Final = msgspec.json.Decoder(ErrorBody)


def malformed(what: str, error: msgspec.MsgspecError) -> Malformed:
    """Our error for a body that does not fit. The decoder's text names the path and the types, never the value."""
    text, _, path = str(error).partition(" - at ")
    return Malformed(what, path.strip("`") or "$", text)
