"""The shapes of ShipHero's webhooks, as far as we read them, and what is stored of a fetched one."""

import msgspec

from adapters.shiphero.schemas import Id, Number, OrderNode


class Typed(msgspec.Struct, frozen=True):
    """What every delivery says of itself."""

    webhook_type: str


class Stocked(msgspec.Struct, frozen=True):
    """A SKU of which stock is told."""

    sku: str | None = None


class Subject(msgspec.Struct, frozen=True):
    """What tells which order or SKU a delivery is about; everything optional."""

    partner_order_id: Id | None = None
    order_number: Id | None = None
    order_uuid: str | None = None
    order_id: Id | None = None
    sku: str | None = None
    fulfillment: "Subject | None" = None
    inventory: tuple[Stocked, ...] = ()


class PackageLabel(msgspec.Struct, frozen=True):
    """Label inside a package of a webhook."""

    tracking_number: str | None = None
    tracking_url: str | None = None
    carrier: str | None = None
    shipping_method: str | None = None


class Package(msgspec.Struct, frozen=True):
    """A box: these fields are the accurate ones, the shipment's own are legacy."""

    name: str | None = None
    tracking_number: str | None = None
    shipping_carrier: str | None = None
    shipping_method: str | None = None
    shipping_label: PackageLabel | None = None


class FulfilledLine(msgspec.Struct, frozen=True):
    """Units that left. `id` is our line reference; `package` names the box."""

    quantity: Number
    id: Id | None = None
    sku: str | None = None
    package: str | None = None


class Fulfilment(msgspec.Struct, frozen=True):
    """The shipment in a Shipment Update."""

    shipment_id: Id | None = None
    shipment_uuid: str | None = None
    partner_order_id: Id | None = None
    tracking_number: str | None = None
    custom_tracking_url: str | None = None
    shipping_method: str | None = None
    shipping_carrier: str | None = None
    completed: bool | None = None
    created_at: str | None = None
    line_items: tuple[FulfilledLine, ...] = ()
    packages: tuple[Package, ...] | None = None


class ShipmentUpdate(msgspec.Struct, frozen=True):
    """Webhook "Shipment Update". `packages` was seen beside and inside the shipment."""

    fulfillment: Fulfilment
    test: Id | None = None
    packages: tuple[Package, ...] | None = None


class OrderCanceled(msgspec.Struct, frozen=True):
    """Webhook "Order Canceled"; says no time."""

    partner_order_id: Id | None = None


class OrderAllocated(msgspec.Struct, frozen=True):
    """Webhook "Order Allocated"."""

    partner_order_id: Id | None = None
    order_uuid: str | None = None
    order_id: Id | None = None
    allocated_at: str | None = None


class PackedItem(msgspec.Struct, frozen=True):
    """A pick that was packed; ShipHero says no quantity."""

    line_item_id: int | None = None


class PackedOut(msgspec.Struct, frozen=True):
    """Webhook "Order Packed Out"; names the order by ShipHero's ids only."""

    order_uuid: str | None = None
    order_id: Id | None = None
    items: tuple[PackedItem, ...] = ()


class PackedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """ "Order Packed Out" with the order it names, as we store it."""

    as_of: str
    notice: PackedOut
    order: OrderNode


class UpdatedWarehouse(msgspec.Struct, frozen=True):
    """The warehouse in which stock moved."""

    warehouse_id: Id | None = None
    warehouse_uuid: str | None = None
    on_hand: Number | None = None


class UpdatedItem(msgspec.Struct, frozen=True):
    """New levels of a SKU: the outer ones are over all warehouses, the inner ones are of one."""

    sku: str
    virtual: bool = False
    updated_warehouse: UpdatedWarehouse | None = None


class InventoryUpdate(msgspec.Struct, frozen=True):
    """Webhook "Inventory Update"; says no time."""

    inventory: tuple[UpdatedItem, ...]


class InventoryChange(msgspec.Struct, frozen=True):
    """Webhook "Inventory Change": `quantity` is how much on hand changed."""

    sku: str
    quantity: Number
    timestamp: str
    warehouse_id: Id | None = None
    warehouse_uuid: str | None = None
    reason: str | None = None
    source: str | None = None
    lot_id: Id | None = None
