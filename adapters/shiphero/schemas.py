"""The shapes ShipHero speaks, as far as we read them. Unknown fields are ignored; a missing one that matters is named.

Ids come twice: a global one (base64 of "Type:number") and the old number. Numbers come as JSON numbers or as text.
"""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

Id = str | int
Number = int | str


class ApiError(msgspec.Struct, frozen=True):
    """One entry of `errors`; the HTTP status is 200 all the same."""

    message: str = ""
    code: Id | None = None
    operation: str | None = None
    request_id: str | None = None
    required_credits: float | None = None
    remaining_credits: float | None = None
    time_remaining: str | None = None


class Answer(msgspec.Struct, Generic[T], frozen=True):
    """A GraphQL answer."""

    data: T | None = None
    errors: tuple[ApiError, ...] | None = None


class PageInfo(msgspec.Struct, frozen=True, rename="camel"):
    """Relay paging."""

    has_next_page: bool = False
    end_cursor: str | None = None


class Edge(msgspec.Struct, Generic[T], frozen=True):
    """Relay edge."""

    node: T


class Edges(msgspec.Struct, Generic[T], frozen=True):
    """Relay connection. `page_info` is absent where we did not ask for it."""

    edges: tuple[Edge[T], ...] = ()
    page_info: PageInfo = msgspec.field(default=PageInfo(), name="pageInfo")

    @property
    def nodes(self) -> tuple[T, ...]:
        """The objects of this page."""
        return tuple(edge.node for edge in self.edges)

    @property
    def whole(self) -> bool:
        """Whether nothing was left off."""
        return not self.page_info.has_next_page


class Result(msgspec.Struct, Generic[T], frozen=True):
    """What a query answers."""

    data: T | None = None
    request_id: str | None = None
    complexity: int | None = None


class RawResult(msgspec.Struct, frozen=True):
    """What a read by id answers, as it came. msgspec knows no "raw or null": null is raw too."""

    data: msgspec.Raw = msgspec.Raw(b"null")

    @property
    def found(self) -> bool:
        """Whether there is such an object."""
        return bytes(self.data) != b"null"


# --- orders ----------------------------------------------------------------------------------------------------------


class Named(msgspec.Struct, frozen=True):
    """An object of which only the id is of interest."""

    id: str


class OrderHead(msgspec.Struct, frozen=True):
    """An order without its lines."""

    id: str
    legacy_id: int | None = None
    partner_order_id: str | None = None
    fulfillment_status: str | None = None
    shipments: tuple[Named, ...] | None = None


class OrderLine(msgspec.Struct, frozen=True):
    """A line of an order as ShipHero keeps it."""

    partner_line_item_id: str | None = None
    sku: str | None = None
    quantity: int | None = None
    quantity_shipped: int | None = None
    legacy_id: int | None = None


class OrderNode(msgspec.Struct, frozen=True):
    """An order with its lines."""

    id: str
    partner_order_id: str | None = None
    order_number: str | None = None
    fulfillment_status: str | None = None
    line_items: Edges[OrderLine] = Edges()


class OrderHolds(msgspec.Struct, frozen=True):
    """Why an order is not to leave; each of them for itself."""

    fraud_hold: bool | None = None
    address_hold: bool | None = None
    shipping_method_hold: bool | None = None
    operator_hold: bool | None = None
    payment_hold: bool | None = None
    client_hold: bool | None = None


class HeldOrder(msgspec.Struct, frozen=True):
    """An order's holds, as we store them."""

    id: str
    partner_order_id: str | None = None
    fulfillment_status: str | None = None
    updated_at: str | None = None
    holds: OrderHolds | None = None


class Mutated(msgspec.Struct, frozen=True):
    """What both order mutations answer."""

    order: OrderHead | None = None
    request_id: str | None = None


class Created(msgspec.Struct, frozen=True):
    """Data of `order_create`."""

    order_create: Mutated | None = None


class Cancelled(msgspec.Struct, frozen=True):
    """Data of `order_cancel`."""

    order_cancel: Mutated | None = None


class FoundOrders(msgspec.Struct, frozen=True):
    """Data of a search by reference."""

    orders: Result[Edges[OrderHead]] | None = None


class FoundOrder(msgspec.Struct, frozen=True):
    """Data of a read by id."""

    order: Result[OrderHead] | None = None


class OrderPage(msgspec.Struct, frozen=True):
    """Data of a page of updated orders. Nodes stay raw: they are stored as they came."""

    orders: Result[Edges[msgspec.Raw]] | None = None


class WholeOrder(msgspec.Struct, frozen=True):
    """Data of one order with all its lines, raw."""

    order: RawResult | None = None


# --- shipments -------------------------------------------------------------------------------------------------------


class ShippedLineItem(msgspec.Struct, frozen=True):
    """The order line behind a shipped one."""

    partner_line_item_id: str | None = None
    sku: str | None = None


class ShippedLine(msgspec.Struct, frozen=True):
    """Units in a shipment, and the label of the parcel they are in."""

    quantity: int
    shipping_label_id: str | None = None
    line_item: ShippedLineItem | None = None


class ShippingLabel(msgspec.Struct, frozen=True):
    """A label, which stands for a parcel."""

    id: str
    tracking_number: str | None = None
    carrier: str | None = None
    shipping_method: str | None = None
    refunded: bool | None = None


class ShipmentOrder(msgspec.Struct, frozen=True):
    """The order a shipment belongs to."""

    id: str = ""
    partner_order_id: str | None = None
    shop_name: str | None = None


class ShipmentNode(msgspec.Struct, frozen=True):
    """A shipment as a pull brings it."""

    id: str
    created_date: str | None = None
    completed: bool | None = None
    order: ShipmentOrder | None = None
    shipping_labels: tuple[ShippingLabel, ...] | None = None
    line_items: Edges[ShippedLine] = Edges()


class ShipmentPage(msgspec.Struct, frozen=True):
    """Data of a page of shipments, nodes raw."""

    shipments: Result[Edges[msgspec.Raw]] | None = None


class WholeShipment(msgspec.Struct, frozen=True):
    """Data of one shipment with all its lines, raw."""

    shipment: RawResult | None = None


# --- stock -----------------------------------------------------------------------------------------------------------


class WarehouseProduct(msgspec.Struct, frozen=True):
    """Stock of one SKU in one warehouse."""

    sku: str
    warehouse_id: Id
    on_hand: int | None = None


class StockPage(msgspec.Struct, frozen=True):
    """Data of a page of stock."""

    warehouse_products: Result[Edges[WarehouseProduct]] | None = None


class StockAsOf(msgspec.Struct, frozen=True, kw_only=True):
    """A page of stock as we store it: ShipHero says no time, so it is the moment before we asked."""

    as_of: str
    products: tuple[WarehouseProduct, ...]


class Snapshot(msgspec.Struct, frozen=True):
    """A job that writes stock into a file, and where the file is."""

    snapshot_id: str | None = None
    status: str | None = None
    error: str | None = None
    snapshot_url: str | None = None


class SnapshotResult(msgspec.Struct, frozen=True):
    """What asking for one, and looking at one, answer."""

    snapshot: Snapshot | None = None


class SnapshotAsked(msgspec.Struct, frozen=True):
    """Data of asking for a snapshot."""

    inventory_generate_snapshot: SnapshotResult | None = None


class SnapshotSeen(msgspec.Struct, frozen=True):
    """Data of looking at a snapshot."""

    inventory_snapshot: SnapshotResult | None = None


# --- account ---------------------------------------------------------------------------------------------------------


class Warehouse(msgspec.Struct, frozen=True):
    """A warehouse of the account."""

    id: str | None = None
    legacy_id: int | None = None
    identifier: str | None = None


class AccountNode(msgspec.Struct, frozen=True):
    """The account behind the credentials."""

    id: str | None = None
    legacy_id: int | None = None
    email: str | None = None
    username: str | None = None
    status: str | None = None
    warehouses: tuple[Warehouse, ...] | None = None


class UserQuota(msgspec.Struct, frozen=True):
    """Credits: left, at most, and restored per second."""

    credits_remaining: int | None = None
    max_available: int | None = None
    increment_rate: int | None = None


class AccountProbe(msgspec.Struct, frozen=True):
    """Data of the connection test."""

    account: Result[AccountNode] | None = None
    user_quota: UserQuota | None = None
