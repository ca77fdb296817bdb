"""Fulfillment Outbound 2026-07-04: creates and cancels are taken on (202) and done later; lists hold whole orders."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from adapters.amazon_mcf.calls import address, request, speed_of
from adapters.amazon_mcf.outbound import Changes, Item, Line, Listed, Order, Package, Shipment
from adapters.amazon_mcf.settings import Settings
from hub.sdk.capabilities import FulfilmentRequest
from hub.sdk.wire import Request, Response

ROOT: Final = "/fulfillment/outbound/2026-07-04/orders"
PIECES: Final = "EACHES"
POLICIES: Final = {"FillOrKill": "FILL_OR_KILL", "FillAll": "FILL_ALL", "FillAllAvailable": "FILL_ALL_AVAILABLE"}


class _Shape(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class _Amount(_Shape, frozen=True):
    value: Decimal
    unit: str = PIECES

    def pieces(self) -> int:
        if self.unit != PIECES or self.value != int(self.value):
            raise ValueError(f"{self.value} {self.unit} is no whole number of pieces")
        return int(self.value)


class _Product(_Shape, frozen=True):
    amazon_sku: str


class _Named(_Shape, frozen=True):
    product_identifier: _Product


class _Line(_Shape, frozen=True):
    line_item_id: str
    product: _Named
    amount: _Amount
    cancelled_amount: _Amount | None = None
    unfulfillable_amount: _Amount | None = None


class _Item(_Shape, frozen=True):
    line_item_id: str
    amount: _Amount
    package_id: str | None = None
    shipment_item_id: str | None = None


class _Carrier(_Shape, frozen=True):
    carrier_code: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None


class _Tracking(_Shape, frozen=True):
    carrier: _Carrier | None = None
    amazon: _Carrier | None = None


class _Package(_Shape, frozen=True):
    package_id: str
    status: str | None = None
    delivery_time: datetime | None = None
    tracking: _Tracking | None = None
    shipment_item_ids: tuple[str, ...] | None = None


class _Facility(_Shape, frozen=True):
    facility_id: str


class _Shipment(_Shape, frozen=True):
    amazon_shipment_id: str
    amazon_facility: _Facility
    status: str
    ship_time: datetime | None = None
    items: tuple[_Item, ...] = ()
    packages: tuple[_Package, ...] | None = None


class _Order(_Shape, frozen=True):
    order_id: str
    receive_time: datetime
    line_items: tuple[_Line, ...]
    status: str
    status_update_time: datetime | None = None
    shipments: tuple[_Shipment, ...] | None = None


class _Answer(_Shape, frozen=True):
    order: _Order


class _Created(_Shape, frozen=True):
    """200 with the order, or 202 with its id."""

    order: _Order | None = None


class _Id(_Shape, frozen=True):
    order_id: str


class _Pagination(_Shape, frozen=True):
    next_token: str | None = None


class _Page(_Shape, frozen=True):
    orders: tuple[msgspec.Raw, ...]
    pagination: _Pagination | None = None


_answer = msgspec.json.Decoder(_Answer)
_created = msgspec.json.Decoder(_Created)
_page = msgspec.json.Decoder(_Page)
_id = msgspec.json.Decoder(_Id)


class Outbound2026:
    """See `outbound.Outbound`."""

    topic = "order_2026"
    lists_shipments = True

    def create(self, wanted: FulfilmentRequest, settings: Settings) -> Request:
        """POST orders: our fulfilment order's id is the order's, our line names are the line items'."""
        speed = speed_of(wanted, settings)
        configuration: dict[str, object] = {
            "serviceLevel": {"serviceTiers": [speed.upper()]},
            "action": "SHIP",
            "policy": POLICIES[settings.policy],
        }
        if settings.unbranded:
            configuration["services"] = {"packaging": {"packagingOption": "UNBRANDED"}}
        document: dict[str, object] = {
            "orderId": wanted.fulfilment,
            "fulfillmentConfiguration": configuration,
            "destination": {"deliveryAddress": address(wanted.ship_to, email=True)},
            "lineItems": [
                {
                    "lineItemId": line.line,
                    "product": {"productIdentifier": {"amazonSku": line.sku}},
                    "amount": {"unit": PIECES, "value": str(line.quantity)},
                }
                for line in wanted.lines
            ],
        }
        if settings.channel:
            document["channel"] = settings.channel
        return request("POST", ROOT, "createOrder", document=document, write=True)

    def get(self, order: str) -> Request:
        """GET one."""
        return request("GET", f"{ROOT}/{order}", "getOrder")

    def cancel(self, order: str) -> Request:
        """PUT cancel."""
        return request("PUT", f"{ROOT}/{order}/cancel", "cancelOrder", write=True)

    def list(self, since: datetime, token: str | None) -> Request:
        """GET what was updated since, shipments included."""
        stamp = since.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        query = {"updatedAfter": stamp, **({"pageToken": token} if token else {})}
        return request("GET", ROOT, "listOrders", query=query)

    def created(self, response: Response) -> Order | None:
        """The order of a 200; None after a 202."""
        found = _created.decode(response.body).order
        return None if found is None else _order(found)

    def order(self, body: bytes) -> Order:
        """See `Outbound.order`."""
        return _order(_answer.decode(body).order)

    def changes(self, body: bytes) -> Changes:
        """See `Outbound.changes`. Each order is wrapped as `get` answers it."""
        page = _page.decode(body)
        wrapped = ((raw, b'{"order":' + bytes(raw) + b"}") for raw in page.orders)
        orders = tuple(Listed(id=_id.decode(raw).order_id, body=whole) for raw, whole in wrapped)
        return Changes(orders=orders, token=(page.pagination.next_token or None) if page.pagination else None)


def _order(found: _Order) -> Order:
    return Order(
        id=found.order_id,
        status=found.status,
        received_at=found.receive_time,
        changed_at=found.status_update_time or found.receive_time,
        lines=tuple(
            Line(
                id=line.line_item_id,
                sku=line.product.product_identifier.amazon_sku,
                quantity=line.amount.pieces(),
                cancelled=line.cancelled_amount.pieces() if line.cancelled_amount else 0,
                unfulfillable=line.unfulfillable_amount.pieces() if line.unfulfillable_amount else 0,
            )
            for line in found.line_items
        ),
        shipments=tuple(_shipment(one) for one in found.shipments or ()),
    )


def _shipment(one: _Shipment) -> Shipment:
    holding = {item: package.package_id for package in one.packages or () for item in package.shipment_item_ids or ()}
    return Shipment(
        id=one.amazon_shipment_id,
        status=one.status,
        facility=one.amazon_facility.facility_id,
        at=one.ship_time,
        items=tuple(
            Item(
                line=item.line_item_id,
                quantity=item.amount.pieces(),
                package=item.package_id or holding.get(item.shipment_item_id or ""),
            )
            for item in one.items
        ),
        packages=tuple(_package(package) for package in one.packages or ()),
    )


def _package(package: _Package) -> Package:
    tracking = package.tracking or _Tracking()
    carrier, amazon = tracking.carrier or _Carrier(), tracking.amazon or _Carrier()
    return Package(
        id=package.package_id,
        carrier=carrier.carrier_code,
        tracking=carrier.tracking_number or amazon.tracking_number,
        url=carrier.tracking_url or amazon.tracking_url,
        status=package.status,
        # An estimate until it has arrived.
        delivered_at=package.delivery_time if package.status == "DELIVERED" else None,
    )
