"""What the simulated Amazon writes, in both versions, from the same books."""

from datetime import UTC, datetime
from typing import Any, Final

from adapters.amazon_mcf.simulator_books import Books, Item, Order, Package, Shipment

WORDS_2020: Final = {
    "RECEIVED": "Received",
    "PLANNING": "Planning",
    "PROCESSING": "Processing",
    "COMPLETE": "Complete",
    "COMPLETE_PARTIAL": "CompletePartialled",
    "CANCELLED": "Cancelled",
    "UNFULFILLABLE": "Unfulfillable",
    "INVALID": "Invalid",
}
WORDS_2026: Final = {**{word: word for word in WORDS_2020}, "RECEIVED": "PROCESSING", "PLANNING": "PROCESSING"}


def stamp(moment: datetime) -> str:
    """A moment as Amazon writes it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


# --- 2020-07-01 -------------------------------------------------------------------------------------------------------


def head_2020(order: Order, marketplace: str) -> dict[str, Any]:
    """An order without its contents, as lists have it."""
    return {
        "sellerFulfillmentOrderId": order.id,
        "marketplaceId": marketplace,
        "displayableOrderId": order.number,
        "displayableOrderDate": stamp(order.placed),
        "displayableOrderComment": "Thank you for your order.",
        "shippingSpeedCategory": order.speed,
        "destinationAddress": order.address,
        "fulfillmentAction": "Ship",
        "fulfillmentPolicy": order.policy,
        "receivedDate": stamp(order.received),
        "fulfillmentOrderStatus": WORDS_2020[order.status],
        "statusUpdatedDate": stamp(order.stated[1] if order.stated else order.changed),
    }


def order_2020(order: Order, marketplace: str) -> dict[str, Any]:
    """A whole order."""
    return {
        "payload": {
            "fulfillmentOrder": head_2020(order, marketplace),
            "fulfillmentOrderItems": [
                {
                    "sellerSku": line.sku,
                    "sellerFulfillmentOrderItemId": line.id,
                    "quantity": line.quantity,
                    "cancelledQuantity": line.cancelled,
                    "unfulfillableQuantity": line.unfulfillable,
                }
                for line in order.lines
            ],
            "fulfillmentShipments": [_shipment_2020(one) for one in order.shipments],
            "returnItems": [],
            "returnAuthorizations": [],
        }
    }


def _shipment_2020(one: Shipment) -> dict[str, Any]:
    return {
        "amazonShipmentId": one.id,
        "fulfillmentCenterId": "PHX3",
        "fulfillmentShipmentStatus": one.status,
        "shippingDate": stamp(one.at),
        "fulfillmentShipmentItem": [
            {
                "sellerSku": item.sku,
                "sellerFulfillmentOrderItemId": item.line,
                "quantity": item.quantity,
                "packageNumber": item.package,
            }
            for item in one.items
        ],
        "fulfillmentShipmentPackage": [
            {"packageNumber": box.number, "carrierCode": box.carrier, "trackingNumber": box.tracking}
            for box in one.packages
        ],
    }


# --- 2026-07-04 -------------------------------------------------------------------------------------------------------


def order_2026(order: Order) -> dict[str, Any]:
    """A whole order, as lists have it too."""
    return {
        "orderId": order.id,
        "receiveTime": stamp(order.received),
        "status": WORDS_2026[order.status],
        "statusUpdateTime": stamp(order.changed),
        "fulfillmentConfiguration": {
            "serviceLevel": {"serviceTiers": [order.speed.upper()]},
            "action": "SHIP",
            "policy": order.policy,
        },
        "destination": {"deliveryAddress": order.address},
        "lineItems": [
            {
                "lineItemId": line.id,
                "product": {"productIdentifier": {"amazonSku": line.sku}},
                "amount": _pieces(line.quantity),
                "cancelledAmount": _pieces(line.cancelled),
                "unfulfillableAmount": _pieces(line.unfulfillable),
            }
            for line in order.lines
        ],
        "shipments": [_shipment_2026(one) for one in order.shipments],
    }


def _shipment_2026(one: Shipment) -> dict[str, Any]:
    return {
        "amazonShipmentId": one.id,
        "amazonFacility": {"facilityId": "PHX3"},
        "status": "CANCELLED" if one.status.startswith("CANCELLED") else one.status,
        "shipTime": stamp(one.at),
        "items": [_item_2026(item) for item in one.items],
        "packages": [_package_2026(box) for box in one.packages],
    }


def _item_2026(item: Item) -> dict[str, Any]:
    document = {
        "shipmentItemId": f"SI-{item.line}-{item.package}",
        "productIdentifier": {"amazonSku": item.sku},
        "lineItemId": item.line,
        "amount": _pieces(item.quantity),
    }
    return {**document, "packageId": str(item.package)} if item.package else document


def _package_2026(box: Package) -> dict[str, Any]:
    document: dict[str, Any] = {
        "packageId": str(box.number),
        "status": "IN_TRANSIT" if box.delivered is None else "DELIVERED",
        "tracking": {"carrier": {"carrierCode": box.carrier, "trackingNumber": box.tracking}},
    }
    return document if box.delivered is None else {**document, "deliveryTime": stamp(box.delivered)}


def _pieces(quantity: int) -> dict[str, str]:
    return {"unit": "EACHES", "value": f"{quantity}.0"}


# --- inventory --------------------------------------------------------------------------------------------------------


def summary(books: Books, sku: str, now: datetime) -> dict[str, Any]:
    """A SKU's figures."""
    reserved = books.reserved(sku)
    return {
        "asin": f"B0{sku[:8]:X<8}",
        "fnSku": f"X00{sku}",
        "sellerSku": sku,
        "condition": "NewItem",
        "lastUpdatedTime": stamp(books.touched.get(sku, now)),
        "totalQuantity": books.stock[sku],
        "inventoryDetails": {
            "fulfillableQuantity": books.fulfillable(sku),
            "reservedQuantity": {
                "totalReservedQuantity": reserved,
                "pendingCustomerOrderQuantity": reserved,
                "pendingTransshipmentQuantity": 0,
                "fcProcessingQuantity": 0,
            },
        },
    }
