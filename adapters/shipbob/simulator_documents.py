"""The simulated ShipBob's answers: books written down as the OpenAPI of 2026-01 says."""

from datetime import UTC, datetime
from typing import Any

from adapters.shipbob.simulator_books import Books, Order, Return, Shipment


def moment(at: datetime | None) -> str | None:
    """A time as .NET prints it: seven digits after the point, which strict ISO parsers refuse."""
    if at is None:
        return None
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0+00:00"


def order_document(order: Order, books: Books, channel: str, locations: dict[int, str]) -> dict[str, Any]:
    """GET /order/{id}."""
    posted = order.document
    products = [{"id": books.product(product["reference_id"]), **product} for product in posted["products"]]
    for product in products:
        product.pop("name", None)
    return {
        "id": order.id,
        "created_date": moment(order.created),
        "purchase_date": posted.get("purchase_date"),
        "reference_id": order.reference,
        "order_number": posted.get("order_number") or order.reference,
        "status": order.status,
        "type": posted["type"],
        "channel": {"id": order.channel, "name": channel},
        "shipping_method": posted["shipping_method"],
        "recipient": posted["recipient"],
        "products": products,
        "tags": posted.get("tags"),
        "shipments": [shipment_document(part, order, books, locations) for part in order.shipments],
        "gift_message": None,
    }


def return_document(one: Return, books: Books, locations: dict[int, str]) -> dict[str, Any]:
    """GET /return/{id}."""
    order = books.orders[one.shipment.order]
    units: dict[str, list[dict[str, Any]]] = {}
    for (sku, action), quantity in one.done.items():
        units.setdefault(sku, []).append(
            {"action": action, "action_reason": "As requested", "quantity_processed": quantity, "image_url": None}
        )
    return {
        "id": one.id,
        "reference_id": f"RMA-{one.id}",
        "return_type": "Regular",
        "status": "Completed" if one.completed else "AwaitingArrival",
        "insert_date": moment(one.created),
        "arrived_date": moment(one.created),
        "completed_date": moment(one.completed),
        "original_shipment_id": one.shipment.id,
        "store_order_id": order.reference,
        "shipment_tracking_number": one.shipment.tracking,
        "tracking_number": None,
        "fulfillment_center": {"id": one.shipment.location, "name": locations.get(one.shipment.location)},
        "channel": {"id": order.channel, "name": "Crossdock"},
        "inventory": [
            {
                "id": books.product(sku),
                "sku": sku,
                "name": sku,
                "quantity": sum(part["quantity_processed"] for part in taken),
                "action_taken": taken,
            }
            for sku, taken in units.items()
        ],
    }


def shipment_document(shipment: Shipment, order: Order, books: Books, locations: dict[int, str]) -> dict[str, Any]:
    """GET /shipment/{id}."""
    recipient = order.document["recipient"]
    # An object or nothing: the specification has no null here.
    tracking = {"tracking": _tracking(shipment)} if shipment.tracking else {}
    return {
        **tracking,
        "id": shipment.id,
        "order_id": order.id,
        "reference_id": order.reference,
        "status": shipment.status,
        "status_details": _details(shipment),
        "created_date": moment(shipment.created),
        "last_update_at": moment(shipment.updated),
        "last_tracking_update_at": moment(shipment.delivered or shipment.shipped),
        "actual_fulfillment_date": moment(shipment.shipped),
        "delivery_date": moment(shipment.delivered),
        "location": {"id": shipment.location, "name": locations.get(shipment.location)},
        "recipient": {**recipient, "full_name": recipient["name"]},
        "products": [_product(sku, units, shipment, books) for sku, units in shipment.units.items()],
        "measurements": {"total_weight_oz": 16, "length_in": 10, "width_in": 8, "depth_in": 4},
        "is_tracking_uploaded": False,
        "require_signature": False,
        "ship_option": order.document["shipping_method"],
        "package_material_type": "Box",
    }


def levels_document(skus: list[str], books: Books, locations: dict[int, str], following: str | None) -> dict[str, Any]:
    """GET /inventory-level/locations."""
    return {
        "items": [_level(sku, books, locations) for sku in skus],
        "first": None,
        "prev": None,
        "last": None,
        "next": following,
    }


def _level(sku: str, books: Books, locations: dict[int, str]) -> dict[str, Any]:
    places = []
    for location, shelf in books.stock.items():
        on_hand, committed = shelf.get(sku, 0), books.committed[location, sku]
        places.append(
            {
                "location_id": location,
                "name": locations.get(location),
                "on_hand_quantity": on_hand,
                "committed_quantity": committed,
                "fulfillable_quantity": max(0, on_hand - committed),
                "awaiting_quantity": 0,
                "internal_transfer_quantity": 0,
            }
        )
    return {"inventory_id": books.inventory_id(sku), "name": sku, "sku": sku, "locations": places}


def _product(sku: str, units: int, shipment: Shipment, books: Books) -> dict[str, Any]:
    return {
        "id": books.product(sku),
        "name": sku,
        "sku": sku,
        "reference_id": sku,
        "inventory_items": [
            {
                "id": books.inventory_id(sku),
                "name": sku,
                "quantity": units,
                "quantity_committed": 0 if shipment.status == "Exception" else units,
                "lot": None,
                "expiration_date": None,
                "serial_numbers": None,
                "is_dangerous_goods": False,
            }
        ],
    }


def _details(shipment: Shipment) -> list[dict[str, Any]]:
    numbers = {"Picked": 100, "OutOfStock": 303, "Delivered": 203}
    if shipment.detail is None:
        return []
    name = shipment.detail
    return [{"id": numbers[name], "name": name, "description": name, "inventory_id": None}]


def _tracking(shipment: Shipment) -> dict[str, Any]:
    return {
        "carrier": shipment.carrier,
        "carrier_service": "Ground",
        "tracking_number": shipment.tracking,
        "tracking_url": f"https://tracking.example/{shipment.tracking}",
        "bol": None,
        "pro_number": None,
        "scac": None,
        "shipping_date": moment(shipment.shipped),
    }
