"""The simulated EasyPost's answers: books written down as its documentation shows them."""

from datetime import UTC, datetime
from typing import Any

from adapters.easypost.simulator_books import Offer, Shipment, Tracker

USER = "user_0000000000000000000000000000c0de"


def moment(at: datetime) -> str:
    """A time as EasyPost prints it: seconds, Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shipment_document(shipment: Shipment, base_url: str) -> dict[str, Any]:
    """A Shipment."""
    posted, bought = shipment.document, shipment.bought
    created = moment(shipment.created)
    return {
        "id": shipment.id,
        "object": "Shipment",
        "mode": "test",
        "created_at": created,
        "updated_at": moment(shipment.bought_at or shipment.created),
        "reference": shipment.reference,
        "status": shipment.tracker.status if shipment.tracker else "unknown",
        "tracking_code": shipment.tracker.code if shipment.tracker else None,
        "is_return": False,
        "from_address": {"object": "Address", **posted["from_address"]},
        "to_address": {"object": "Address", **posted["to_address"]},
        "parcel": {"object": "Parcel", **posted["parcel"]},
        "options": posted.get("options") or {},
        "messages": [],
        "rates": [_rate(offer, shipment, created) for offer in shipment.offers],
        "selected_rate": _rate(bought, shipment, created) if bought else None,
        "postage_label": _label(shipment, base_url) if bought else None,
        "tracker": tracker_document(shipment.tracker) if shipment.tracker else None,
        "refund_status": shipment.refund,
        "insurance": None,
        "forms": [],
        "fees": [],
    }


def tracker_document(tracker: Tracker) -> dict[str, Any]:
    """A Tracker with its history. The weight is a float on purpose: whoever prints it anew breaks the signature."""
    return {
        "id": tracker.id,
        "object": "Tracker",
        "mode": "test",
        "tracking_code": tracker.code,
        "status": tracker.status,
        "status_detail": "status_update",
        "created_at": moment(tracker.created),
        "updated_at": moment(tracker.updated),
        "signed_by": None,
        "weight": 136.0,
        "shipment_id": tracker.shipment,
        "carrier": tracker.carrier,
        "tracking_details": [
            {
                "object": "TrackingDetail",
                "message": scan.status.replace("_", " ").capitalize(),
                "status": scan.status,
                "status_detail": "status_update",
                "datetime": moment(scan.at),
                "source": tracker.carrier,
                "tracking_location": {
                    "object": "TrackingLocation",
                    "city": "SPRINGFIELD",
                    "state": "IL",
                    "country": "US",
                    "zip": "62701",
                },
            }
            for scan in tracker.scans
        ],
        "carrier_detail": None,
        "finalized": tracker.status == "delivered",
        "is_return": False,
        "public_url": f"https://track.example/{tracker.id}",
    }


def event_document(number: int, tracker: Tracker, before: str | None, now: datetime) -> dict[str, Any]:
    """An Event about a tracker: created where it had no status before, else updated."""
    return {
        "id": f"evt_{number:032x}",
        "object": "Event",
        "mode": "test",
        "description": "tracker.created" if before is None else "tracker.updated",
        "previous_attributes": {} if before is None else {"status": before},
        "created_at": moment(now),
        "updated_at": moment(now),
        "status": "pending",
        "user_id": USER,
        "pending_urls": [],
        "completed_urls": [],
        "result": tracker_document(tracker),
    }


def error_document(code: str, message: str) -> dict[str, Any]:
    """An error body."""
    return {"error": {"code": code, "message": message, "errors": []}}


def _rate(offer: Offer, shipment: Shipment, created: str) -> dict[str, Any]:
    amount = f"{offer.cents // 100}.{offer.cents % 100:02d}"
    return {
        "id": offer.id,
        "object": "Rate",
        "mode": "test",
        "created_at": created,
        "updated_at": created,
        "carrier": offer.tariff.carrier,
        "service": offer.tariff.service,
        "rate": amount,
        "currency": "USD",
        "list_rate": amount,
        "list_currency": "USD",
        "retail_rate": amount,
        "retail_currency": "USD",
        "delivery_days": offer.tariff.days,
        "est_delivery_days": offer.tariff.days,
        "delivery_date": None,
        "delivery_date_guaranteed": False,
        "billing_type": "easypost",
        "shipment_id": shipment.id,
        "carrier_account_id": f"ca_{offer.tariff.carrier.lower()}",
    }


def _label(shipment: Shipment, base_url: str) -> dict[str, Any]:
    wanted = (shipment.document.get("options") or {}).get("label_format", "PNG")
    kind = {"PDF": "application/pdf", "PNG": "image/png", "ZPL": "application/zpl", "EPL2": "application/epl2"}[wanted]
    return {
        "object": "PostageLabel",
        "id": f"pl_{shipment.id[4:]}",
        "label_size": "4x6",
        "label_type": "default",
        "label_file_type": kind,
        "label_url": f"{base_url}/_labels/{shipment.id}.{wanted.lower()}",
    }
