"""Fulfillment Outbound 2020-07-01: answers in a `payload`, lists without shipments."""

from datetime import datetime
from typing import Final

import msgspec

from adapters.amazon_mcf.calls import address, request, speed_of
from adapters.amazon_mcf.outbound import Changes, Item, Line, Listed, Order, Package, Shipment
from adapters.amazon_mcf.settings import Settings
from hub.sdk.capabilities import FulfilmentRequest
from hub.sdk.wire import Request, Response

ROOT: Final = "/fba/outbound/2020-07-01/fulfillmentOrders"
LONGEST_NUMBER: Final = 40
UNDER_WAY: Final = "processing"
"""Status of an order that is being picked, from the first shipment to the one before the last."""


class _Shape(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class _Head(_Shape, frozen=True):
    seller_fulfillment_order_id: str
    fulfillment_order_status: str
    received_date: datetime
    status_updated_date: datetime


class _Line(_Shape, frozen=True):
    seller_fulfillment_order_item_id: str
    seller_sku: str
    quantity: int
    cancelled_quantity: int = 0
    unfulfillable_quantity: int = 0


class _Item(_Shape, frozen=True):
    seller_fulfillment_order_item_id: str
    quantity: int
    package_number: int | None = None


class _Package(_Shape, frozen=True):
    package_number: int
    carrier_code: str
    tracking_number: str | None = None
    amazon_fulfillment_tracking_number: str | None = None


class _Shipment(_Shape, frozen=True):
    amazon_shipment_id: str
    fulfillment_center_id: str
    fulfillment_shipment_status: str
    shipping_date: datetime | None = None
    fulfillment_shipment_item: tuple[_Item, ...] = ()
    fulfillment_shipment_package: tuple[_Package, ...] = ()


class _Order(_Shape, frozen=True):
    fulfillment_order: _Head
    fulfillment_order_items: tuple[_Line, ...]
    fulfillment_shipments: tuple[_Shipment, ...] | None = None


class _Answer(_Shape, frozen=True):
    payload: _Order


class _Listed(_Shape, frozen=True):
    seller_fulfillment_order_id: str
    fulfillment_order_status: str = ""
    status_updated_date: datetime | None = None


class _List(_Shape, frozen=True):
    fulfillment_orders: tuple[_Listed, ...] | None = None
    next_token: str | None = None


class _Page(_Shape, frozen=True):
    payload: _List


_answer = msgspec.json.Decoder(_Answer)
_page = msgspec.json.Decoder(_Page)


class Outbound2020:
    """See `outbound.Outbound`."""

    topic = "order_2020"
    lists_shipments = False

    def create(self, wanted: FulfilmentRequest, settings: Settings) -> Request:
        """POST fulfillmentOrders: our fulfilment order's id is the order's, our line names are the items'."""
        document: dict[str, object] = {
            "marketplaceId": settings.marketplace_id,
            "sellerFulfillmentOrderId": wanted.fulfilment,
            "displayableOrderId": wanted.order_number[:LONGEST_NUMBER],
            "displayableOrderDate": wanted.ordered_at.isoformat(),
            "displayableOrderComment": settings.comment,
            "shippingSpeedCategory": speed_of(wanted, settings),
            "destinationAddress": address(wanted.ship_to),
            "fulfillmentAction": "Ship",
            "fulfillmentPolicy": settings.policy,
            "items": [
                {"sellerSku": line.sku, "sellerFulfillmentOrderItemId": line.line, "quantity": line.quantity}
                for line in wanted.lines
            ],
        }
        if settings.unbranded:
            feature = {"featureName": "BLANK_BOX", "featureFulfillmentPolicy": "Required"}
            document["featureConstraints"] = [feature]
        return request("POST", ROOT, "createFulfillmentOrder", document=document, write=True)

    def get(self, order: str) -> Request:
        """GET one."""
        return request("GET", f"{ROOT}/{order}", "getFulfillmentOrder")

    def cancel(self, order: str) -> Request:
        """PUT cancel."""
        return request("PUT", f"{ROOT}/{order}/cancel", "cancelFulfillmentOrder", write=True)

    def list(self, since: datetime, token: str | None) -> Request:
        """GET what changed its status since."""
        query = {"nextToken": token} if token else {"queryStartDate": since.isoformat()}
        return request("GET", ROOT, "listAllFulfillmentOrders", query=query)

    def created(self, response: Response) -> Order | None:
        """The answer says nothing of the order."""
        return None

    def order(self, body: bytes) -> Order:
        """See `Outbound.order`."""
        found = _answer.decode(body).payload
        head = found.fulfillment_order
        return Order(
            id=head.seller_fulfillment_order_id,
            status=head.fulfillment_order_status,
            received_at=head.received_date,
            changed_at=head.status_updated_date,
            lines=tuple(
                Line(
                    id=line.seller_fulfillment_order_item_id,
                    sku=line.seller_sku,
                    quantity=line.quantity,
                    cancelled=line.cancelled_quantity,
                    unfulfillable=line.unfulfillable_quantity,
                )
                for line in found.fulfillment_order_items
            ),
            shipments=tuple(_shipment(one) for one in found.fulfillment_shipments or ()),
        )

    def changes(self, body: bytes) -> Changes:
        """See `Outbound.changes`."""
        page = _page.decode(body).payload
        orders = tuple(
            Listed(
                id=one.seller_fulfillment_order_id,
                changed_at=one.status_updated_date,
                under_way=one.fulfillment_order_status.casefold() == UNDER_WAY,
            )
            for one in page.fulfillment_orders or ()
        )
        return Changes(orders=orders, token=page.next_token or None)


def _shipment(one: _Shipment) -> Shipment:
    return Shipment(
        id=one.amazon_shipment_id,
        status=one.fulfillment_shipment_status,
        facility=one.fulfillment_center_id,
        at=one.shipping_date,
        items=tuple(
            Item(
                line=item.seller_fulfillment_order_item_id,
                quantity=item.quantity,
                # 0 stands for no package yet.
                package=str(item.package_number) if item.package_number else None,
            )
            for item in one.fulfillment_shipment_item
        ),
        packages=tuple(
            Package(
                id=str(package.package_number),
                carrier=package.carrier_code,
                tracking=package.tracking_number or package.amazon_fulfillment_tracking_number,
            )
            for package in one.fulfillment_shipment_package
        ),
    )
