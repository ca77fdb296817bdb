"""Receiving orders and the history of shelves, as the simulated ShipBob answers for them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from adapters.shipbob.simulator_books import Announced, Books, Moved
from adapters.shipbob.simulator_documents import moment

LARGEST_PAGE: Final = 250
HISTORY_PAGE: Final = 100

Answer = tuple[int, object]


def create(body: bytes, books: Books, locations: Mapping[int, str], now: datetime) -> Answer:
    """POST /receiving."""
    document = msgspec.json.decode(body)
    arrives = datetime.fromisoformat(document["expected_arrival_date"])
    if arrives <= now:
        return 400, {"expected_arrival_date": ["Arrival date must be in the future."]}
    location = document["fulfillment_center"]["id"]
    if location not in locations:
        return 404, {"title": "Not Found", "status": 404, "detail": f"Fulfillment center {location} does not exist"}
    known = {books.inventory_id(sku): sku for sku in books.products}
    expected: dict[str, int] = {}
    for box in document["boxes"]:
        for item in box["box_items"]:
            sku = known.get(item["inventory_id"])
            if sku is None:
                return 400, {"boxes": [f"Inventory {item['inventory_id']} does not exist"]}
            expected[sku] = expected.get(sku, 0) + item["quantity"]
    made = books.announce(location, expected, arrives, now, document.get("purchase_order_number"))
    return 201, receiving_document(made, books, locations)


def listed(query: Mapping[str, str], books: Books, locations: Mapping[int, str]) -> Answer:
    """GET /receiving."""
    limit, page = min(int(query.get("Limit", "50")), LARGEST_PAGE), int(query.get("Page", "1"))
    found = [one for one in books.announced if _chosen(one, query)]
    return 200, [receiving_document(one, books, locations) for one in found[(page - 1) * limit : page * limit]]


def _chosen(one: Announced, query: Mapping[str, str]) -> bool:
    if "Statuses" in query and one.status not in query["Statuses"].split(","):
        return False
    if "PurchaseOrderNumbers" in query and one.number not in query["PurchaseOrderNumbers"].split(","):
        return False
    start = query.get("CompletedStartDate")
    if start is None:
        return True
    return one.status == "Completed" and one.stages[-1][1] >= datetime.fromisoformat(start)


def history(body: bytes, books: Books) -> Answer:
    """POST /inventory/history:query."""
    document = msgspec.json.decode(body)
    after, start = document.get("cursor") or 0, datetime.fromisoformat(document["start_date"])
    found = [
        one for one in books.movements if one.location == document["facility_id"] and one.id > after and one.at >= start
    ][:HISTORY_PAGE]
    rows = [history_document(one, books) for one in found]
    return 200, {"data": rows, "first": None, "prev": None, "next": None, "last": None}


def receiving_document(one: Announced, books: Books, locations: Mapping[int, str]) -> dict[str, Any]:
    """A receiving order."""
    return {
        "id": one.id,
        "purchase_order_number": one.number,
        "status": one.status,
        "package_type": "Package",
        "box_packaging_type": "EverythingInOneBox",
        "box_labels_uri": None,
        "expected_arrival_date": moment(one.arrives),
        "external_sync_timestamp": None,
        "fulfillment_center": {"id": one.location, "name": locations.get(one.location)},
        "insert_date": moment(one.inserted),
        "last_updated_date": moment(one.updated),
        "inventory_quantities": [
            {
                "inventory_id": books.inventory_id(sku),
                "sku": sku,
                "expected_quantity": units,
                "received_quantity": one.stowed.get(sku, 0),
                "stowed_quantity": one.stowed.get(sku, 0),
            }
            for sku, units in one.expected.items()
        ],
        "status_history": [
            {"id": number, "status": status, "timestamp": moment(at)} for number, (status, at) in enumerate(one.stages)
        ],
    }


def history_document(one: Moved, books: Books) -> dict[str, Any]:
    """An event of the history; its times have no zone."""
    side = {
        "facility_id": one.location,
        "location_id": 1,
        "quantity_change": one.change,
        "committed_quantity_change": 0,
        "sku": one.sku,
        "lot_number": None,
        "expiration_date": None,
    }
    return {
        "inventory_audit_event_id": one.id,
        "inventory_id": books.inventory_id(one.sku),
        "event_category": one.category,
        "event_datetime": one.at.replace(tzinfo=None).isoformat(timespec="microseconds") + "3",
        "shipbob_order_id": one.order,
        "increment" if one.change > 0 else "decrement": side,
    }
