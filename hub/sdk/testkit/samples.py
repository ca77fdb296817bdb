"""Commands that the conformance suite sends unless a harness says otherwise. Invented people, awkward on purpose."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from hub.domain.contact import Contact
from hub.domain.posting import DocumentKind, EntryKind
from hub.domain.shipping import Parcel, ParcelLine
from hub.sdk.capabilities import (
    AdvisedLine,
    AvailabilityUpdate,
    CancelledLine,
    ChannelCancel,
    ChannelLineCancel,
    Command,
    ConfirmedLine,
    FulfilmentCancel,
    FulfilmentRequest,
    LabelRequest,
    LabelVoid,
    Level,
    ParcelToShip,
    PaymentCapture,
    PaymentRefund,
    PaymentVoid,
    RateRequest,
    RequestLine,
    ShipmentConfirmation,
    StockAdvice,
)
from hub.sdk.posting import AdjustedLine, EntryLine, EntryRequest, PostingLine, PostingRequest, StockAdjustment

ORDER: Final = "01KF0X5B3GCDEFGHJKMN"
FULFILMENT_ID: Final = f"{ORDER}-1"
PLACED_AT: Final = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)

CUSTOMER: Final = Contact(
    name="Zoë Quimby-O'Hara",
    company="Fjord & Sons",
    email="zoe.quimby@example.com",
    phone="+14155550123",
    lines=("417 Montgomery Street", "Floor 5"),
    city="San Francisco",
    region="CA",
    postal_code="94104",
    country="US",
)
WAREHOUSE: Final = Contact(
    name="Dock 4",
    company="Crossdock West",
    email="dock@example.com",
    phone="+14155550199",
    lines=("1201 Harbor Way",),
    city="Oakland",
    region="CA",
    postal_code="94607",
    country="US",
)


def line_cancel(order: str, *lines: tuple[str, int, int]) -> ChannelLineCancel:
    """Units taken off lines of a channel's order: (line, units, how many remain)."""
    return ChannelLineCancel(
        key=f"{ORDER}-pay-lines-1",
        order_external_id=order,
        lines=tuple(CancelledLine(line=line, quantity=units, remaining=left) for line, units, left in lines),
        reason="customer asked",
    )


FULFILMENT: Final = FulfilmentRequest(
    key=f"{FULFILMENT_ID}-submit-1",
    fulfilment=FULFILMENT_ID,
    order_number="#1001",
    lines=(
        RequestLine(line="1", sku="MUG-RED", quantity=2, title="Mug, red", value=2599),
        RequestLine(line="2", sku="TEE-M", quantity=1, title="T-shirt, M", value=1999),
    ),
    location="loc-1",
    ship_to=CUSTOMER,
    service=None,
    currency="USD",
    ordered_at=PLACED_AT,
)
FULFILMENT_CANCEL: Final = FulfilmentCancel(
    key=f"{FULFILMENT_ID}-cancel-1", fulfilment=FULFILMENT_ID, partner_reference=None, reason="customer asked"
)
CONFIRMATION: Final = ShipmentConfirmation(
    key=f"{ORDER}-confirm-1",
    order_external_id="1001",
    lines=(ConfirmedLine(line="11", quantity=2), ConfirmedLine(line="12", quantity=1)),
    parcels=(
        Parcel(
            tracking="1Z999AA10123456784",
            carrier="ups",
            service="ground",
            weight_g=1240,
            lines=(ParcelLine(line="11", quantity=2), ParcelLine(line="12", quantity=1)),
        ),
    ),
    location=None,
    shipped_at=datetime(2026, 1, 16, 15, 0, tzinfo=UTC),
)
ORDER_CANCEL: Final = ChannelCancel(key=f"{ORDER}-cancel-1", order_external_id="1001", reason="customer asked")
LINE_CANCEL: Final = line_cancel("1001", ("11", 1, 1))
PAYMENT_CAPTURE: Final = PaymentCapture(
    key=f"{ORDER}-pay-capture-1",
    order_external_id="1001",
    payment="auth-1",
    amount=2599,
    currency="USD",
    final=False,
    asked_at=datetime(2026, 1, 16, 15, 0, tzinfo=UTC),
)
PAYMENT_VOID: Final = PaymentVoid(key=f"{ORDER}-pay-void-1", order_external_id="1001", payment="auth-1")
PAYMENT_REFUND: Final = PaymentRefund(
    key=f"{ORDER}-pay-refund-1",
    order_external_id="1001",
    amount=1299,
    currency="USD",
    lines=(ConfirmedLine(line="11", quantity=1),),
    reason="damaged",
)
AVAILABILITY: Final = AvailabilityUpdate(
    key="availability-1",
    levels=(
        Level(sku="MUG-RED", location="loc-1", quantity=7, previous=9),
        Level(sku="TEE-M", location="loc-1", quantity=0, previous=1),
    ),
)
PARCEL: Final = ParcelToShip(weight_g=1240, length_mm=300, width_mm=200, height_mm=105)
LABEL: Final = LabelRequest(
    key=f"{FULFILMENT_ID}-label-1", ship_from=WAREHOUSE, ship_to=CUSTOMER, parcel=PARCEL
)  # fmt: skip
LABEL_VOID: Final = LabelVoid(key=f"{FULFILMENT_ID}-void-1", external_id="label-1")
RATE: Final = RateRequest(reference=FULFILMENT_ID, ship_from=WAREHOUSE, ship_to=CUSTOMER, parcel=PARCEL)
POSTING: Final = PostingRequest(
    key=f"{ORDER}-post-1",
    kind=DocumentKind.INVOICE,
    order=ORDER,
    order_number="#1001",
    shipment="1",
    currency="USD",
    tax_included=False,
    # 2599 for two units: a unit price that cents cannot express.
    lines=(
        PostingLine(line="1", sku="MUG-RED", title="Mug, red", quantity=2, amount=2599, tax=227),
        PostingLine(line="2", sku="TEE-M", title="T-shirt, M", quantity=1, amount=1999, tax=175),
    ),
    shipping=500,
    total=5500,
    customer=CUSTOMER,
    dated=datetime(2026, 1, 16, 15, 0, tzinfo=UTC),
)
PAYMENT_ENTRY: Final = EntryRequest(
    key=f"{ORDER}-pay-1",
    kind=EntryKind.PAYMENT,
    order=ORDER,
    order_number="#1001",
    payment="txn-1",
    method="card",
    currency="USD",
    lines=(EntryLine(account="clearing", debit=5500), EntryLine(account="customer", credit=5500)),
    customer=CUSTOMER,
    dated=datetime(2026, 1, 15, 12, 0, tzinfo=UTC),
)
STOCK_ADJUSTMENT: Final = StockAdjustment(
    key="stock-7-2026-01-15-1",
    node="loc-1",
    # The same item for two reasons, and in both directions.
    lines=(
        AdjustedLine(sku="MUG-RED", quantity=-3, reason="count"),
        AdjustedLine(sku="MUG-RED", quantity=-1, reason="scrap"),
        AdjustedLine(sku="TEE-M", quantity=2, reason="adjustment"),
    ),
    dated=datetime(2026, 1, 15, tzinfo=UTC),
)

ADVICE: Final = StockAdvice(
    key=f"{FULFILMENT_ID}-advise-1",
    reference=FULFILMENT_ID,
    lines=(AdvisedLine(line="1", sku="MUG-RED", quantity=4, title="Mug, red"),),
    location="loc-1",
    shipped_at=datetime(2026, 1, 16, 15, 0, tzinfo=UTC),
    tracking="1Z999AA10300000001",
    ship_from=WAREHOUSE,
)

COMMANDS: Final[Mapping[str, Command]] = {
    "submit_fulfilment": FULFILMENT,
    "cancel_fulfilment": FULFILMENT_CANCEL,
    "advise_stock": ADVICE,
    "confirm_shipment": CONFIRMATION,
    "cancel_order": ORDER_CANCEL,
    "cancel_lines": LINE_CANCEL,
    "capture_payment": PAYMENT_CAPTURE,
    "void_payment": PAYMENT_VOID,
    "refund_payment": PAYMENT_REFUND,
    "publish_availability": AVAILABILITY,
    "buy_label": LABEL,
    "void_label": LABEL_VOID,
    "post": POSTING,
    "post_payment": PAYMENT_ENTRY,
    "post_stock": STOCK_ADJUSTMENT,
}
"""By capability; every writing capability has one."""
