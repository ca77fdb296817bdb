"""What the simulator keeps, and how ShipHero would show it: GraphQL nodes and webhook bodies."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

Json = dict[str, object]


class Line(msgspec.Struct, kw_only=True):
    """A line of an order."""

    number: int
    reference: str
    sku: str
    quantity: int
    warehouse: str
    shipped: int = 0

    @property
    def open(self) -> int:
        """Units that have not left."""
        return self.quantity - self.shipped


class Order(msgspec.Struct, kw_only=True):
    """An order. `reference` is the client's own id, which ShipHero does not keep unique."""

    number: int
    reference: str
    order_number: str
    shop_name: str
    status: str
    lines: list[Line]
    updated_at: datetime
    shipments: list[int] = []
    service: str = "Ground"
    holds: set[str] = set()

    @property
    def id(self) -> str:
        """ShipHero's global id."""
        return global_id("Order", self.number)


class Shipment(msgspec.Struct, kw_only=True):
    """What left together, in one parcel."""

    number: int
    order: Order
    warehouse: str
    created_at: datetime
    units: list[tuple[Line, int]]
    tracking: str
    carrier: str = "UPS"
    completed: bool = True

    @property
    def id(self) -> str:
        """ShipHero's global id."""
        return global_id("Shipment", self.number)


class Return(msgspec.Struct, kw_only=True):
    """What came back of an order: (received, restocked) by SKU."""

    number: int
    order: Order
    created_at: datetime
    units: dict[str, tuple[int, int]]
    status: str


class Shelf(msgspec.Struct, kw_only=True):
    """Stock of one SKU in one warehouse."""

    on_hand: int
    updated_at: datetime


HOLDS = ("fraud_hold", "address_hold", "shipping_method_hold", "operator_hold", "payment_hold", "client_hold")


def global_id(kind: str, number: int | str) -> str:
    """ShipHero's id of anything."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def number_of(identity: str) -> str:
    """The number inside a global id; a bare number stays."""
    return identity if identity.isdigit() else base64.b64decode(identity).decode().partition(":")[2]


# --- what GraphQL shows ----------------------------------------------------------------------------------------------


def head(order: Order) -> Json:
    """An order without lines, as mutations answer it."""
    return {
        "id": order.id,
        "legacy_id": order.number,
        "partner_order_id": order.reference,
        "fulfillment_status": order.status,
    }


def state(order: Order) -> Json:
    """An order with the ids of its shipments."""
    return {**head(order), "shipments": [{"id": global_id("Shipment", number)} for number in order.shipments]}


def with_lines(order: Order, most: int, after: int = 0) -> Json:
    """An order with `most` of its lines after so many."""
    lines = [
        {
            "partner_line_item_id": line.reference,
            "sku": line.sku,
            "quantity": line.quantity,
            "quantity_shipped": line.shipped,
            "legacy_id": line.number,
        }
        for line in order.lines
    ]
    return head(order) | {
        "order_number": order.order_number,
        "updated_at": iso(order.updated_at),
        "holds": {name: name in order.holds for name in HOLDS},
        "line_items": _connection(lines, most, after),
    }


def shipment_node(shipment: Shipment, most: int, after: int = 0) -> Json:
    """A shipment with `most` of its lines after so many."""
    order, label = shipment.order, global_id("ShippingLabel", shipment.number)
    lines = [
        {
            "quantity": quantity,
            "shipping_label_id": label,
            "line_item": {"partner_line_item_id": line.reference, "sku": line.sku},
        }
        for line, quantity in shipment.units
    ]
    return {
        "id": shipment.id,
        "legacy_id": shipment.number,
        "warehouse_id": global_id("Warehouse", shipment.warehouse),
        "created_date": iso(shipment.created_at),
        "completed": shipment.completed,
        "order": {
            "id": order.id,
            "partner_order_id": order.reference,
            "order_number": order.order_number,
            "shop_name": order.shop_name,
        },
        "shipping_labels": [
            {
                "id": label,
                "tracking_number": shipment.tracking,
                "carrier": shipment.carrier,
                "shipping_method": order.service,
                "refunded": False,
            }
        ],
        "line_items": _connection(lines, most, after),
    }


def warehouse_product(warehouse: str, sku: str, shelf: Shelf) -> Json:
    """Stock of one SKU in one warehouse."""
    return {
        "sku": sku,
        "warehouse_id": global_id("Warehouse", warehouse),
        "on_hand": shelf.on_hand,
        "updated_at": iso(shelf.updated_at),
    }


def snapshot(identity: str, status: str, url: str | None, error: str | None) -> Json:
    """A job that writes a file."""
    return {"snapshot": {"snapshot_id": identity, "status": status, "error": error, "snapshot_url": url}}


def snapshot_file(account: int, warehouse: str, shelves: Sequence[tuple[str, Shelf]]) -> Json:
    """The file, products under their account."""
    owner, place = global_id("Account", account), global_id("Warehouse", warehouse)
    products = {
        sku: {
            "sku": sku,
            "account_id": owner,
            "vendors": {},
            "warehouse_products": {
                place: {"warehouse_id": place, "on_hand": shelf.on_hand, "allocated": 0, "item_bins": {}}
            },
        }
        for sku, shelf in shelves
    }
    return {"products": {owner: products}}


def _connection(nodes: Sequence[Json], most: int, after: int) -> Json:
    end = min(after + most, len(nodes))
    info = {"hasNextPage": end < len(nodes), "endCursor": str(end) if nodes else None}
    return {"pageInfo": info, "edges": [{"node": node} for node in nodes[after:end]]}


def paged(nodes: Sequence[Json], end: str | None, more: bool) -> Json:
    """A page of a Relay connection."""
    return {
        "data": {"pageInfo": {"hasNextPage": more, "endCursor": end}, "edges": [{"node": node} for node in nodes]},
    }


# --- what webhooks say -----------------------------------------------------------------------------------------------


def return_update(made: Return) -> Json:
    """The webhook about a return."""
    return {
        "test": "0",
        "webhook_type": "Return Update",
        "return_id": made.number,
        "return_uuid": global_id("Return", made.number),
        "status": made.status,
        "items": [
            {
                "quantity": received,
                "quantity_received": received,
                "sku": line.sku,
                "restock": restocked,
                "partner_line_item_id": line.reference,
                "warehouse_id": int(line.warehouse),
            }
            for line, received, restocked in _came_back(made)
        ],
        "order_id": made.order.number,
        "order_uuid": made.order.id,
        "partner_order_id": made.order.reference,
        "shop_name": made.order.shop_name,
        "created_at": spaced(made.created_at),
        "tracking_number": None,
    }


def return_node(made: Return) -> Json:
    """A return as the list has it."""
    return {
        "id": global_id("Return", made.number),
        "status": made.status,
        "order": {"id": made.order.id, "partner_order_id": made.order.reference},
        "line_items": [
            {
                "quantity": received,
                "quantity_received": received,
                "restock": restocked,
                "warehouse_id": global_id("Warehouse", line.warehouse),
                "line_item": {"sku": line.sku},
            }
            for line, received, restocked in _came_back(made)
        ],
    }


def _came_back(made: Return) -> list[tuple[Line, int, int]]:
    return [(line, *made.units[line.sku]) for line in made.order.lines if line.sku in made.units]


def shipment_update(shipment: Shipment, warehouse_name: str) -> Json:
    """ "Shipment Update": the accurate packages beside the legacy fields."""
    order = shipment.order
    box = "Package #1"
    return {
        "test": "0",
        "webhook_type": "Shipment Update",
        "fulfillment": {
            "shipment_id": shipment.number,
            "shipment_uuid": shipment.id,
            "warehouse": warehouse_name,
            "warehouse_id": int(shipment.warehouse),
            "warehouse_uuid": global_id("Warehouse", shipment.warehouse),
            "webhook_type": "Shipment Update",
            "partner_order_id": order.reference,
            "order_number": order.order_number,
            "order_uuid": order.id,
            "tracking_number": shipment.tracking,
            "custom_tracking_url": "",
            "shipping_method": order.service,
            "shipping_carrier": shipment.carrier,
            "package_number": 1,
            "total_packages": 1,
            "completed": shipment.completed,
            "created_at": spaced(shipment.created_at),
            "line_items": [
                {
                    "id": line.reference,
                    "shiphero_id": line.number,
                    "quantity": quantity,
                    "sku": line.sku,
                    "serial_numbers": [],
                    "package": box,
                    "lot_id": None,
                }
                for line, quantity in shipment.units
            ],
            "packages": [
                {
                    "name": box,
                    "tracking_number": shipment.tracking,
                    "shipping_carrier": shipment.carrier,
                    "shipping_method": order.service,
                }
            ],
        },
    }


def inventory_update(account: int, warehouse: str, name: str, levels: Sequence[tuple[str, int]]) -> Json:
    """ "Inventory Update": new levels, counts as text beside numbers as ShipHero mixes them."""
    return {
        "account_id": account,
        "account_uuid": global_id("Account", account),
        "webhook_type": "Inventory Update",
        "inventory": [
            {
                "sku": sku,
                "inventory": str(on_hand),
                "backorder_quantity": "0",
                "on_hand": str(on_hand),
                "virtual": False,
                "sell_ahead": 0,
                "reserve": 0,
                "updated_warehouse": {
                    "warehouse_id": int(warehouse),
                    "warehouse_uuid": global_id("Warehouse", warehouse),
                    "identifier": name,
                    "inventory": str(on_hand),
                    "on_hand": str(on_hand),
                    "sell_ahead": 0,
                    "non_sellable": 0,
                },
            }
            for sku, on_hand in levels
        ],
    }


def order_canceled(order: Order) -> Json:
    """ "Order Canceled", hyphen included."""
    return {
        "webhook_type": "Order Canceled",
        "order_number": order.order_number,
        "partner_order_id": order.reference,
        "fulfillment-status": "canceled",
        "order_id": order.number,
        "order_uuid": order.id,
        "shop_name": order.shop_name,
    }


def order_packed_out(shipment: Shipment) -> Json:
    """ "Order Packed Out": ShipHero's own ids and no quantities, here one row per unit picked."""
    order = shipment.order
    rows = [
        {"order_id": order.number, "order_uuid": order.id, "line_item_id": line.number, "sku": line.sku}
        for line, quantity in shipment.units
        for _ in range(quantity)
    ]
    return {
        "webhook_type": "Order Packed Out",
        "tote_id": "1",
        "order_id": order.number,
        "order_uuid": order.id,
        "items": rows,
    }


def iso(moment: datetime) -> str:
    """A time in GraphQL: no zone."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def spaced(moment: datetime) -> str:
    """A time in a webhook: no zone and no T."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
