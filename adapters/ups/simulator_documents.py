"""The simulated UPS's answers: books written down as its specifications say, all values text."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.ups.simulator_books import Parcel, Scan, Shipment, Tariff, discounted

HEAD = {"ResponseStatus": {"Code": "1", "Description": "Success"}}
ZONE = timedelta(hours=-5)
"""Where the simulated parcels are scanned."""


def token_document(token: str, now: datetime, lives: timedelta) -> dict[str, str]:
    """A token; its times are text."""
    return {
        "token_type": "Bearer",
        "issued_at": str(int(now.timestamp() * 1000)),
        "client_id": "simulated",
        "access_token": token,
        "expires_in": str(int(lives.total_seconds())),
        "status": "approved",
    }


def head(document: dict[str, Any]) -> dict[str, Any]:
    """The head of an answer, with the caller's context."""
    context = ((document.get("Request") or {}).get("TransactionReference") or {}).get("CustomerContext")
    return {**HEAD, "TransactionReference": {"CustomerContext": context}} if context else dict(HEAD)


def rated_document(tariff: Tariff, cents: int, now: datetime, *, negotiated: bool, transit: bool) -> dict[str, Any]:
    """An offer."""
    arrival = now + timedelta(days=tariff.days)
    found: dict[str, Any] = {
        "Service": {"Code": tariff.code, "Description": tariff.name},
        "RatedShipmentAlert": [{"Code": "110971", "Description": "Your invoice may vary from the displayed rates"}],
        "BillingWeight": {"UnitOfMeasurement": {"Code": "LBS", "Description": "Pounds"}, "Weight": "13.0"},
        "TransportationCharges": _money(cents),
        "ServiceOptionsCharges": _money(0),
        "TotalCharges": _money(cents),
        "RatedPackage": [{"TotalCharges": _money(cents), "Weight": "13.0"}],
    }
    if negotiated:
        found["NegotiatedRateCharges"] = {"TotalCharge": _money(discounted(cents))}
    if transit:
        found["TimeInTransit"] = {
            "PickupDate": f"{now:%Y%m%d}",
            "PackageBillType": "03",
            "ServiceSummary": {
                "Service": {"Description": tariff.name},
                "EstimatedArrival": {
                    "Arrival": {"Date": f"{arrival:%Y%m%d}", "Time": "230000"},
                    "BusinessDaysInTransit": str(tariff.days),
                    "Pickup": {"Date": f"{now:%Y%m%d}", "Time": "180000"},
                    "DayOfWeek": f"{arrival:%a}".upper(),
                },
            },
        }
    return found


def shipped_document(shipment: Shipment, asked: dict[str, Any]) -> dict[str, Any]:
    """A bought shipment."""
    return {
        "ShipmentResponse": {
            "Response": head(asked),
            "ShipmentResults": {
                "ShipmentCharges": {
                    "TransportationCharges": _money(shipment.cents),
                    "ServiceOptionsCharges": _money(0),
                    "TotalCharges": _money(shipment.cents),
                },
                "NegotiatedRateCharges": {"TotalCharge": _money(discounted(shipment.cents))},
                "BillingWeight": {"UnitOfMeasurement": {"Code": "LBS", "Description": "Pounds"}, "Weight": "13.0"},
                "ShipmentIdentificationNumber": shipment.id,
                "PackageResults": [
                    {
                        "TrackingNumber": parcel.tracking,
                        "ServiceOptionsCharges": _money(0),
                        "ShippingLabel": {
                            "ImageFormat": {"Code": shipment.image, "Description": shipment.image},
                            "GraphicImage": image(parcel),
                        },
                    }
                    for parcel in shipment.parcels
                ],
            },
        }
    }


def recovered_document(shipment: Shipment, kind: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Labels printed again."""
    return {
        "LabelRecoveryResponse": {
            "Response": head(asked),
            "ShipmentIdentificationNumber": shipment.id,
            "LabelResults": [
                {
                    "TrackingNumber": parcel.tracking,
                    "LabelImage": {"LabelImageFormat": {"Code": kind}, "GraphicImage": image(parcel)},
                }
                for parcel in shipment.parcels
            ],
        }
    }


def voided_document() -> dict[str, Any]:
    """A void."""
    return {
        "VoidShipmentResponse": {
            "Response": dict(HEAD),
            "SummaryResult": {"Status": {"Code": "1", "Description": "Voided"}},
        }
    }


def tracked_document(inquiry: str, parcels: list[Parcel]) -> dict[str, Any]:
    """Parcels with their histories, newest first."""
    return {
        "trackResponse": {
            "shipment": [
                {
                    "inquiryNumber": inquiry,
                    "package": [
                        {
                            "trackingNumber": parcel.tracking,
                            "currentStatus": {
                                "description": parcel.scans[-1].words,
                                "code": parcel.scans[-1].simplified,
                            },
                            "activity": [_activity(scan) for scan in reversed(parcel.scans)],
                            "referenceNumber": [{"number": name, "type": "SHIPMENT"} for name in parcel.references],
                            "packageCount": len(parcels),
                        }
                        for parcel in parcels
                    ],
                }
            ]
        }
    }


def unknown_document(inquiry: str) -> dict[str, Any]:
    """What a 200 says about a number that nobody knows."""
    warning = {"code": "TW0001", "message": "Tracking Information Not Found"}
    return {"trackResponse": {"shipment": [{"inquiryNumber": inquiry, "warnings": [warning]}]}}


def alert_document(parcel: Parcel, scan: Scan) -> dict[str, Any]:
    """An alert."""
    at, local = scan.at.astimezone(UTC), scan.at.astimezone(UTC) + ZONE
    return {
        "trackingNumber": parcel.tracking,
        "localActivityDate": f"{local:%Y%m%d}",
        "localActivityTime": f"{local:%H%M%S}",
        "activityLocation": {"city": "Louisville", "stateProvince": "KY", "postalCode": "", "country": "US"},
        "activityStatus": {
            "type": scan.type,
            "code": scan.code,
            "description": scan.words,
            "descriptionCode": scan.simplified,
        },
        "gmtActivityDate": f"{at:%Y%m%d}",
        "gmtActivityTime": f"{at:%H%M%S}",
        "gmtOffset": "-05.00",
    }


def error_document(code: str, message: str) -> dict[str, Any]:
    """An error body."""
    return {"response": {"errors": [{"code": code, "message": message}]}}


def image(parcel: Parcel) -> str:
    """A label that stands for a picture."""
    return base64.b64encode(f"label of {parcel.tracking}".encode()).decode()


def _activity(scan: Scan) -> dict[str, Any]:
    at, local = scan.at.astimezone(UTC), scan.at.astimezone(UTC) + ZONE
    return {
        "location": {
            "address": {"city": "Louisville", "stateProvince": "KY", "countryCode": "US", "country": "US"},
            "slic": "4009",
        },
        "status": {
            "type": scan.type,
            "description": scan.words,
            "code": scan.code,
            "statusCode": scan.simplified,
        },
        "date": f"{local:%Y%m%d}",
        "time": f"{local:%H%M%S}",
        "gmtDate": f"{at:%Y%m%d}",
        "gmtOffset": "-05:00",
        # Without leading zeros, as UPS's own example prints it.
        "gmtTime": f"{at:%H%M%S}".lstrip("0") or "0",
    }


def _money(cents: int) -> dict[str, str]:
    return {"CurrencyCode": "USD", "MonetaryValue": f"{cents // 100}.{cents % 100:02d}"}
