"""An order as GraphQL answers it (`documents.ORDER`). A missing field is an error with its path, null is null."""

from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


def rest_id(gid: str) -> int:
    """The number at the end of a global id: "gid://shopify/Order/123?x=1" is 123."""
    return int(gid.rpartition("/")[2].partition("?")[0])


class Shape(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of all: GraphQL names are camel case, unknown keys are ignored."""


class Amount(Shape, frozen=True):
    """Money; the amount stays text."""

    amount: str
    currency_code: str


class Pair(Shape, frozen=True):
    """The same money in the shop's currency and in the customer's."""

    shop_money: Amount
    presentment_money: Amount


class PageInfo(Shape, frozen=True):
    """Whether a connection goes on."""

    has_next_page: bool
    end_cursor: str | None = None


class Nodes(Shape, Generic[T], frozen=True):
    """A connection that is read whole."""

    nodes: tuple[T, ...]


class Paged(Shape, Generic[T], frozen=True):
    """A connection that may go on."""

    nodes: tuple[T, ...]
    page_info: PageInfo


class Ref(Shape, frozen=True):
    """Only the id of something."""

    id: str


class Attribute(Shape, frozen=True):
    """A custom attribute; Shopify allows empty ones."""

    key: str
    value: str | None


class TaxLine(Shape, frozen=True):
    """One tax; the rate is informative."""

    title: str
    rate: Decimal | None
    channel_liable: bool | None
    price_set: Pair


class ApplicationIndex(Shape, frozen=True):
    """Which discount of the order an allocation belongs to."""

    index: int


class Allocation(Shape, frozen=True):
    """A discount's share of a line, in money."""

    allocated_amount_set: Pair
    discount_application: ApplicationIndex


class Line(Shape, frozen=True):
    """An order line. `quantity` is as bought, `current_quantity` after edits and refunds."""

    id: str
    title: str
    variant_title: str | None
    name: str
    sku: str | None
    vendor: str | None
    quantity: int
    current_quantity: int
    unfulfilled_quantity: int
    requires_shipping: bool
    taxable: bool
    is_gift_card: bool
    product: Ref | None
    variant: Ref | None
    custom_attributes: tuple[Attribute, ...]
    original_unit_price_set: Pair
    total_discount_set: Pair
    tax_lines: tuple[TaxLine, ...]
    discount_allocations: tuple[Allocation, ...]


class ShippingLine(Shape, frozen=True):
    """A delivery charge."""

    id: str | None
    title: str
    code: str | None
    source: str | None
    carrier_identifier: str | None
    delivery_category: str | None
    phone: str | None
    original_price_set: Pair
    discounted_price_set: Pair
    tax_lines: tuple[TaxLine, ...]
    discount_allocations: tuple[Allocation, ...]


class PricingValue(Shape, frozen=True):
    """An amount or a percentage."""

    amount: str | None = None
    percentage: Decimal | None = None


class DiscountApplication(Shape, frozen=True):
    """Why there is a discount."""

    type_name: str = msgspec.field(name="__typename")
    index: int
    allocation_method: str
    target_selection: str
    target_type: str
    value: PricingValue
    code: str | None = None
    title: str | None = None


class RefundLine(Shape, frozen=True):
    """Units given back."""

    id: str | None
    quantity: int
    restock_type: str
    line_item: Ref
    location: Ref | None
    subtotal_set: Pair
    total_tax_set: Pair


class Adjustment(Shape, frozen=True):
    """The part of a refund that no line explains."""

    id: str
    reason: str | None
    amount_set: Pair
    tax_amount_set: Pair


class RefundedShipping(Shape, frozen=True):
    """Shipping given back; positive."""

    id: str
    subtotal_amount_set: Pair
    tax_amount_set: Pair


class Transaction(Shape, frozen=True):
    """A movement of money."""

    id: str
    kind: str
    status: str
    gateway: str | None
    created_at: str
    processed_at: str | None
    test: bool
    amount_set: Pair
    parent_transaction: Ref | None


class RefundedDuty(Shape, frozen=True):
    """A duty given back."""

    amount_set: Pair


class Refund(Shape, frozen=True):
    """A refund."""

    id: str
    created_at: str | None
    processed_at: str
    note: str | None
    duties: tuple[RefundedDuty, ...] | None
    refund_line_items: Paged[RefundLine]
    refund_shipping_lines: Nodes[RefundedShipping]
    order_adjustments: Nodes[Adjustment]
    transactions: Nodes[Transaction]


class Tracking(Shape, frozen=True):
    """A tracking number."""

    company: str | None = None
    number: str | None = None
    url: str | None = None


class FulfilledLine(Shape, frozen=True):
    """Units that left."""

    quantity: int | None
    line_item: Ref


class Fulfillment(Shape, frozen=True):
    """What left together."""

    id: str
    name: str
    status: str
    created_at: str
    updated_at: str
    location: Ref | None
    tracking_info: tuple[Tracking, ...]
    fulfillment_line_items: Paged[FulfilledLine]


class Address(Shape, frozen=True):
    """An address; every field may be null without approval for protected customer data."""

    first_name: str | None
    last_name: str | None
    name: str | None
    company: str | None
    phone: str | None
    address1: str | None
    address2: str | None
    city: str | None
    province: str | None
    province_code: str | None
    country: str | None
    country_code_v2: str | None
    zip: str | None
    latitude: float | None
    longitude: float | None


class Email(Shape, frozen=True):
    """The customer's default address."""

    email_address: str


class Phone(Shape, frozen=True):
    """The customer's default number."""

    phone_number: str


class Customer(Shape, frozen=True):
    """Who ordered."""

    id: str
    first_name: str | None
    last_name: str | None
    default_email_address: Email | None
    default_phone_number: Phone | None
    tags: tuple[str, ...]


class Assessment(Shape, frozen=True):
    """What one provider thinks of an order: HIGH, MEDIUM, LOW, NONE (nothing to say) or PENDING."""

    risk_level: str


class Risk(Shape, frozen=True):
    """What all providers think of it."""

    assessments: tuple[Assessment, ...] = ()


class Held(Shape, frozen=True):
    """Why somebody wants nothing of a fulfilment order to leave."""

    reason: str


class FulfillmentOrder(Shape, frozen=True):
    """What the shop asks of one location, as far as it says whether that may go on."""

    status: str
    fulfillment_holds: tuple[Held, ...] = ()


class Order(Shape, frozen=True):
    """The whole order."""

    id: str
    name: str
    created_at: str
    processed_at: str
    updated_at: str
    cancelled_at: str | None
    cancel_reason: str | None
    closed_at: str | None
    test: bool
    confirmed: bool
    confirmation_number: str | None
    currency_code: str
    presentment_currency_code: str
    taxes_included: bool
    duties_included: bool
    tax_exempt: bool
    source_name: str | None
    source_identifier: str | None
    note: str | None
    tags: tuple[str, ...]
    email: str | None
    phone: str | None
    po_number: str | None
    customer_locale: str | None
    display_financial_status: str | None
    display_fulfillment_status: str
    payment_gateway_names: tuple[str, ...]
    custom_attributes: tuple[Attribute, ...]
    retail_location: Ref | None
    subtotal_price_set: Pair | None
    total_price_set: Pair
    total_discounts_set: Pair | None
    total_tax_set: Pair | None
    total_tip_received_set: Pair
    total_outstanding_set: Pair
    current_subtotal_price_set: Pair
    current_total_price_set: Pair
    current_total_discounts_set: Pair
    current_total_tax_set: Pair
    current_total_duties_set: Pair | None
    current_total_additional_fees_set: Pair | None
    original_total_duties_set: Pair | None
    original_total_additional_fees_set: Pair | None
    tax_lines: tuple[TaxLine, ...]
    customer: Customer | None
    shipping_address: Address | None
    billing_address: Address | None
    shipping_lines: Nodes[ShippingLine]
    discount_applications: Nodes[DiscountApplication]
    line_items: Paged[Line]
    refunds: tuple[Refund, ...]
    transactions: tuple[Transaction, ...]
    fulfillments: tuple[Fulfillment, ...]
    fulfillment_orders: Nodes[FulfillmentOrder]
    risk: Risk = Risk()


class Work(Shape, frozen=True):
    """Answer of `documents.ORDER_OF_WORK`."""

    order: Order


class OrderPage(Shape, frozen=True):
    """A page of `documents.ORDERS`."""

    nodes: tuple[Order, ...]
    page_info: PageInfo


class OrderLines(Shape, frozen=True):
    """Further lines of an order."""

    line_items: Paged[Line]


class RefundLines(Shape, frozen=True):
    """Further lines of a refund."""

    refund_line_items: Paged[RefundLine]


class FulfilledLines(Shape, frozen=True):
    """Further lines of a fulfilment."""

    fulfillment_line_items: Paged[FulfilledLine]
