"""Messages of ShipHero, written by us after its documentation, and what each means."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from adapters.shiphero.simulator_documents import global_id
from adapters.shiphero.translate import UNSTATED
from hub.domain.facts import (
    CancelConfirmed,
    FactLine,
    FulfilmentAccepted,
    FulfilmentHeld,
    GoodsReturned,
    GoodsShipped,
    ReturnedLine,
    StockLine,
    StockReported,
    UnitsPacked,
    UnitsShort,
)
from hub.domain.returns import Disposition
from hub.domain.shipping import Parcel, ParcelLine
from hub.domain.stock import ReportKind
from hub.sdk.testkit.harness import json_sample
from hub.sdk.testkit.samples import FULFILMENT_ID

WAREHOUSE: Final = "76733"
REFERENCE: Final = FULFILMENT_ID

ORDER_ID: Final = global_id("Order", 300000001)
SHIPMENT_ID: Final = global_id("Shipment", 300000009)
AT: Final = datetime(2026, 1, 16, 15, 29, 26, tzinfo=UTC)

BACK: Final = GoodsReturned(
    at=UNSTATED,
    receipt=f"{global_id('Return', 3394303)}:{WAREHOUSE}",
    location=WAREHOUSE,
    lines=(
        ReturnedLine(sku="MUG-RED", quantity=1, disposition=Disposition.RESTOCK),
        ReturnedLine(sku="MUG-RED", quantity=1),
    ),
    order=REFERENCE,
    tracking="1Z999",
)
TWO_PARCELS: Final = GoodsShipped(
    at=AT,
    fulfilment=REFERENCE,
    shipment=SHIPMENT_ID,
    parcels=(
        Parcel(
            tracking="1Z999AA10300000001", carrier="ups", service="Ground", lines=(ParcelLine(line="1", quantity=2),)
        ),
        Parcel(service="Counter", lines=(ParcelLine(line="2", quantity=1),)),
    ),
)
"""What the webhook and the pull say of the same shipment."""


SAMPLES: Final = (
    json_sample(
        "Shipment Update",
        {
            "test": "0",
            "webhook_type": "Shipment Update",
            "total_packages": 2,
            "fulfillment": {
                "shipment_id": 300000009,
                "shipment_uuid": SHIPMENT_ID,
                "warehouse_id": 76733,
                "partner_order_id": REFERENCE,
                "order_number": "#1001",
                "tracking_number": "1Z999AA10300000001",
                "shipping_carrier": "UPS",
                "shipping_method": "Ground",
                "completed": True,
                "created_at": "2026-01-16 15:29:26",
                "line_items": [
                    {"id": "1", "shiphero_id": 11, "quantity": 2, "sku": "MUG-RED", "package": "Package #1"},
                    {"id": "2", "shiphero_id": 12, "quantity": "1", "sku": "TEE-M", "package": "Package #2"},
                ],
                "packages": [
                    {
                        "name": "Package #1",
                        "tracking_number": "1Z999AA10300000001",
                        "shipping_carrier": "UPS",
                        "shipping_method": "Ground",
                    },
                    {
                        "name": "Package #2",
                        "tracking_number": "Pickup",
                        "shipping_carrier": "Pickup",
                        "shipping_method": "Counter",
                    },
                ],
            },
        },
        identity="fulfillment.partner_order_id",
        status="fulfillment.packages.0.shipping_carrier",
        event="message-1",
        expect=(TWO_PARCELS,),
    ),
    json_sample(
        "shipment",
        {
            "id": SHIPMENT_ID,
            "legacy_id": 300000009,
            "created_date": "2026-01-16T15:29:26",
            "completed": True,
            "order": {"id": ORDER_ID, "partner_order_id": REFERENCE, "shop_name": "Crossdock"},
            "shipping_labels": [
                {
                    "id": "label-0",
                    "tracking_number": "1Z999AA10300000000",
                    "carrier": "UPS",
                    "shipping_method": "Ground",
                    "refunded": True,
                },
                {
                    "id": "label-1",
                    "tracking_number": "1Z999AA10300000001",
                    "carrier": "UPS",
                    "shipping_method": "Ground",
                    "refunded": False,
                },
                {
                    "id": "label-2",
                    "tracking_number": "Pickup",
                    "carrier": "Pickup",
                    "shipping_method": "Counter",
                    "refunded": None,
                },
            ],
            "line_items": {
                "pageInfo": {"hasNextPage": False},
                "edges": [
                    {
                        "node": {
                            "quantity": 2,
                            "shipping_label_id": "label-1",
                            "line_item": {"partner_line_item_id": "1", "sku": "MUG-RED"},
                        }
                    },
                    {
                        "node": {
                            "quantity": 1,
                            "shipping_label_id": "label-2",
                            "line_item": {"partner_line_item_id": "2", "sku": "TEE-M"},
                        }
                    },
                ],
            },
        },
        identity="order.partner_order_id",
        status="shipping_labels.1.carrier",
        event="pulled-1",
        signed=False,
        expect=(TWO_PARCELS,),
    ),
    json_sample(
        "Order Canceled",
        {
            "webhook_type": "Order Canceled",
            "order_number": "#1001",
            "partner_order_id": REFERENCE,
            "fulfillment-status": "canceled",
            "order_id": 300000001,
            "order_uuid": ORDER_ID,
            "shop_name": "Crossdock",
        },
        identity="partner_order_id",
        event="message-2",
        expect=(CancelConfirmed(at=UNSTATED, fulfilment=REFERENCE),),
    ),
    json_sample(
        "Order Allocated",
        {
            "webhook_type": "Order Allocated",
            "partner_order_id": REFERENCE,
            "order_id": 300000001,
            "allocated_at": "2026-01-16T15:29:26",
            "line_items": [{"id": 11, "partner_line_item_id": "1", "quantity": 2, "sku": "MUG-RED"}],
            "ready_to_ship": 1,
        },
        identity="partner_order_id",
        event="message-3",
        expect=(FulfilmentAccepted(at=AT, fulfilment=REFERENCE, partner_reference=ORDER_ID),),
    ),
    json_sample(
        "Order Packed Out",
        {"webhook_type": "Order Packed Out", "order_uuid": ORDER_ID, "items": [{"line_item_id": 11, "sku": "MUG-RED"}]},
        identity="order_uuid",
        event="message-4",
    ),
    json_sample(
        "packed_order",
        {
            "as_of": "2026-01-16T15:29:26+00:00",
            "notice": {
                "order_uuid": ORDER_ID,
                "items": [{"line_item_id": 11}, {"line_item_id": 11}, {"line_item_id": 12}],
            },
            "order": {
                "id": ORDER_ID,
                "partner_order_id": REFERENCE,
                "fulfillment_status": "pending",
                "line_items": {
                    "edges": [
                        {"node": {"partner_line_item_id": "1", "sku": "MUG-RED", "quantity": 2, "legacy_id": 11}},
                        {"node": {"partner_line_item_id": None, "sku": "GIFT", "quantity": 1, "legacy_id": 12}},
                    ]
                },
            },
        },
        identity="order.partner_order_id",
        event="fetched-1",
        signed=False,
        expect=(
            UnitsPacked(
                at=AT, fulfilment=REFERENCE, lines=(FactLine(quantity=2, line="1"), FactLine(quantity=1, sku="GIFT"))
            ),
        ),
    ),
    json_sample(
        "order",
        {
            "id": ORDER_ID,
            "partner_order_id": REFERENCE,
            "order_number": "#1001",
            "fulfillment_status": "Fulfilled",
            "line_items": {
                "pageInfo": {"hasNextPage": False},
                "edges": [
                    {
                        "node": {
                            "partner_line_item_id": "1",
                            "sku": "MUG-RED",
                            "quantity": 3,
                            "quantity_shipped": 1,
                            "legacy_id": 11,
                        }
                    },
                    {
                        "node": {
                            "partner_line_item_id": "2",
                            "sku": "TEE-M",
                            "quantity": 1,
                            "quantity_shipped": 1,
                            "legacy_id": 12,
                        }
                    },
                ],
            },
        },
        identity="partner_order_id",
        status="fulfillment_status",
        event="pulled-2",
        signed=False,
        expect=(UnitsShort(at=UNSTATED, fulfilment=REFERENCE, lines=(FactLine(quantity=2, line="1"),)),),
    ),
    json_sample(
        "order_holds",
        {
            "id": ORDER_ID,
            "partner_order_id": REFERENCE,
            "fulfillment_status": "pending",
            "updated_at": "2026-01-16T15:29:26",
            "holds": {"fraud_hold": False, "address_hold": True, "operator_hold": True, "client_hold": None},
        },
        identity="partner_order_id",
        status="fulfillment_status",
        event="pulled-5",
        signed=False,
        expect=(FulfilmentHeld(at=AT, fulfilment=REFERENCE, reasons=("address_hold", "operator_hold")),),
    ),
    json_sample(
        "Inventory Update",
        {
            "webhook_type": "Inventory Update",
            "account_id": 18963,
            "inventory": [
                {
                    "sku": "MUG-RED",
                    "inventory": "90",
                    "on_hand": "100",
                    "virtual": False,
                    "reserve": 3,
                    "updated_warehouse": {"warehouse_id": 76733, "inventory": "20", "on_hand": "25", "non_sellable": 4},
                },
                {"sku": "BUNDLE", "inventory": "7", "on_hand": "0", "virtual": True},
            ],
        },
        identity="inventory.0.updated_warehouse",
        event="message-5",
        expect=(
            StockReported(
                at=UNSTATED,
                kind=ReportKind.SNAPSHOT,
                lines=(StockLine(location=WAREHOUSE, sku="MUG-RED", on_hand=25),),
            ),
        ),
    ),
    json_sample(
        "Inventory Change",
        {
            "webhook_type": "Inventory Change",
            "warehouse_uuid": global_id("Warehouse", 76733),
            "sku": "MUG-RED",
            "quantity": -3,
            "old_quantity": 9,
            "previous_on_hand": 28,
            "timestamp": "2026-01-16 15:29:26",
            "reason": "Cycle count",
            "source": "manual",
        },
        identity="warehouse_uuid",
        event="message-6",
        expect=(
            StockReported(
                at=AT,
                kind=ReportKind.DELTA,
                lines=(StockLine(location=WAREHOUSE, sku="MUG-RED", delta=-3),),
                reason="manual: Cycle count",
            ),
        ),
    ),
    json_sample(
        "Return Update",
        {
            "test": "0",
            "webhook_type": "Return Update",
            "return_id": 3394303,
            "return_uuid": global_id("Return", 3394303),
            "status": "complete",
            "items": [
                {"sku": "MUG-RED", "quantity": 2, "quantity_received": 2, "restock": 1, "warehouse_id": 76733},
            ],
            "partner_order_id": REFERENCE,
            "tracking_number": "1Z999",
        },
        identity="items.0.warehouse_id",
        status="status",
        event="message-7",
        expect=(BACK,),
    ),
    json_sample(
        "return",
        {
            "id": global_id("Return", 3394303),
            "status": "Warehouse Complete",
            "order": {"id": ORDER_ID, "partner_order_id": REFERENCE},
            "line_items": [
                {
                    "quantity": 2,
                    "quantity_received": 2,
                    "restock": 1,
                    "warehouse_id": global_id("Warehouse", 76733),
                    "line_item": {"sku": "MUG-RED"},
                },
            ],
        },
        identity="line_items.0.warehouse_id",
        status="status",
        event="pulled-4",
        signed=False,
        expect=(msgspec.structs.replace(BACK, tracking=None),),
    ),
    json_sample(
        "inventory_snapshot",
        {
            "as_of": "2026-01-16T15:29:26+00:00",
            "products": [
                {"sku": "MUG-RED", "warehouse_id": global_id("Warehouse", 76733), "on_hand": 25},
                {"sku": "TEE-M", "warehouse_id": "76733", "on_hand": 0},
            ],
        },
        identity="products.0.on_hand",
        event="pulled-3",
        signed=False,
        expect=(
            StockReported(
                at=AT,
                kind=ReportKind.SNAPSHOT,
                lines=(
                    StockLine(location=WAREHOUSE, sku="MUG-RED", on_hand=25),
                    StockLine(location=WAREHOUSE, sku="TEE-M", on_hand=0),
                ),
            ),
        ),
    ),
)
