"""An order read through GraphQL, in the shape of a webhook's body, so that one mapping serves webhook, fetch and pull.

Pure. What GraphQL does not say is absent, not invented: `grams`, `fulfillment_service`, `discount_codes`, duties of a
line, cash rounding.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from adapters.shopify import orders
from adapters.shopify.orders import rest_id
from adapters.shopify.rest_people import address_shape, customer_shape

Shape = dict[str, object]

_encoder = msgspec.json.Encoder(decimal_format="number")

_FULFILLMENT_STATUS: Final = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial", "RESTOCKED": "restocked"}
"""Of GraphQL's display words the REST resource knows these; all others are null there."""

RISK_LEVELS: Final = ("HIGH", "MEDIUM", "LOW")
"""Worst first."""

_DISCOUNT_TYPE: Final = {
    "DiscountCodeApplication": "discount_code",
    "ManualDiscountApplication": "manual",
    "AutomaticDiscountApplication": "automatic",
    "ScriptDiscountApplication": "script",
}


def rest_body(order: orders.Order, more: Mapping[str, object]) -> bytes:
    """The bytes that are stored for a fetched or pulled order; `more` is what was read apart from it."""
    return _encoder.encode({**rest_shaped(order), **more})


def rest_shaped(order: orders.Order) -> Shape:
    """The order as the REST resource of a webhook writes it."""
    return {
        **_head(order),
        **_totals(order),
        "customer": customer_shape(order.customer),
        "shipping_address": address_shape(order.shipping_address),
        "billing_address": address_shape(order.billing_address),
        "discount_applications": [_application(one) for one in order.discount_applications.nodes],
        "line_items": [_line(line) for line in order.line_items.nodes],
        "shipping_lines": [_shipping_line(line) for line in order.shipping_lines.nodes],
        "transactions": _transactions(order),
        "refunds": [_refund(refund, order) for refund in order.refunds],
        "fulfillments": [_fulfillment(fulfillment, order.id) for fulfillment in order.fulfillments],
    }


def _head(order: orders.Order) -> Shape:
    """Identity, times, states and words."""
    return {
        "id": rest_id(order.id),
        "admin_graphql_api_id": order.id,
        "name": order.name,
        "order_number": _digits(order.name),
        "created_at": order.created_at,
        "processed_at": order.processed_at,
        "updated_at": order.updated_at,
        "cancelled_at": order.cancelled_at,
        "cancel_reason": _lower(order.cancel_reason),
        "closed_at": order.closed_at,
        "test": order.test,
        "confirmed": order.confirmed,
        "confirmation_number": order.confirmation_number,
        "currency": order.currency_code,
        "presentment_currency": order.presentment_currency_code,
        "taxes_included": order.taxes_included,
        "duties_included": order.duties_included,
        "tax_exempt": order.tax_exempt,
        "source_name": order.source_name,
        "source_identifier": order.source_identifier,
        "note": order.note,
        "tags": ", ".join(order.tags),
        "email": order.email,
        "contact_email": order.email,
        "phone": order.phone,
        "po_number": order.po_number,
        "customer_locale": order.customer_locale,
        "risk_level": _risk_level(order.risk),
        "held_by": _held_by(order.fulfillment_orders),
        "financial_status": _lower(order.display_financial_status),
        "fulfillment_status": _FULFILLMENT_STATUS.get(order.display_fulfillment_status),
        "payment_gateway_names": order.payment_gateway_names,
        "note_attributes": _attributes(order.custom_attributes),
        "location_id": None if order.retail_location is None else rest_id(order.retail_location.id),
    }


def _risk_level(risk: orders.Risk) -> str | None:
    """The worst that anybody thinks; no webhook of an order carries it. None while nobody has said anything."""
    said = {one.risk_level for one in risk.assessments}
    return next((level.lower() for level in RISK_LEVELS if level in said), None)


def _held_by(found: orders.Nodes[orders.FulfillmentOrder]) -> list[str]:
    """Reasons for which a part of the order is on hold; no webhook of an order carries them."""
    held = [one for one in found.nodes if one.status == "ON_HOLD"]
    # Holds of others may be hidden from us; the status is not.
    return sorted({hold.reason.lower() for one in held for hold in one.fulfillment_holds}) or ["on_hold"] * bool(held)


def _totals(order: orders.Order) -> Shape:
    """Every total as text in shop currency and as a pair."""
    shaped: Shape = {}
    pairs = {
        "subtotal_price": order.subtotal_price_set,
        "total_price": order.total_price_set,
        "total_discounts": order.total_discounts_set,
        "total_tax": order.total_tax_set,
        "current_subtotal_price": order.current_subtotal_price_set,
        "current_total_price": order.current_total_price_set,
        "current_total_discounts": order.current_total_discounts_set,
        "current_total_tax": order.current_total_tax_set,
        "total_line_items_price": _sum(
            ((line.original_unit_price_set, line.quantity) for line in order.line_items.nodes), order
        ),
    }
    for name, pair in pairs.items():
        shaped[name] = None if pair is None else pair.shop_money.amount
        shaped[f"{name}_set"] = _pair(pair)
    shaped["total_tip_received"] = order.total_tip_received_set.shop_money.amount
    shaped["total_outstanding"] = order.total_outstanding_set.shop_money.amount
    # GraphQL's `totalShippingPriceSet` is described as what was given back; REST's total is before discounts.
    shipping = _sum(((line.original_price_set, 1) for line in order.shipping_lines.nodes), order)
    shaped["total_shipping_price_set"] = _pair(shipping)
    shaped["current_total_duties_set"] = _pair(order.current_total_duties_set)
    shaped["current_total_additional_fees_set"] = _pair(order.current_total_additional_fees_set)
    shaped["original_total_duties_set"] = _pair(order.original_total_duties_set)
    shaped["original_total_additional_fees_set"] = _pair(order.original_total_additional_fees_set)
    shaped["tax_lines"] = [_tax_line(tax) for tax in order.tax_lines]
    return shaped


def _sum(parts: Iterable[tuple[orders.Pair, int]], order: orders.Order) -> orders.Pair:
    """Exact sum of pairs times quantities."""
    shop = presentment = Decimal(0)
    for pair, times in parts:
        shop += Decimal(pair.shop_money.amount) * times
        presentment += Decimal(pair.presentment_money.amount) * times
    return orders.Pair(
        shop_money=orders.Amount(amount=str(shop), currency_code=order.currency_code),
        presentment_money=orders.Amount(amount=str(presentment), currency_code=order.presentment_currency_code),
    )


def _pair(pair: orders.Pair | None) -> Shape | None:
    if pair is None:
        return None
    shop, presentment = pair.shop_money, pair.presentment_money
    return {
        "shop_money": {"amount": shop.amount, "currency_code": shop.currency_code},
        "presentment_money": {"amount": presentment.amount, "currency_code": presentment.currency_code},
    }


def _line(line: orders.Line) -> Shape:
    fulfilled = line.current_quantity - line.unfulfilled_quantity
    status = "fulfilled" if line.unfulfilled_quantity == 0 else "partial"
    return {
        "id": rest_id(line.id),
        "admin_graphql_api_id": line.id,
        "title": line.title,
        "variant_title": line.variant_title,
        "name": line.name,
        "sku": line.sku,
        "vendor": line.vendor,
        "quantity": line.quantity,
        "current_quantity": line.current_quantity,
        "fulfillable_quantity": line.unfulfilled_quantity,
        "fulfillment_status": status if fulfilled > 0 else None,
        "requires_shipping": line.requires_shipping,
        "taxable": line.taxable,
        "gift_card": line.is_gift_card,
        "product_id": None if line.product is None else rest_id(line.product.id),
        "product_exists": line.product is not None,
        "variant_id": None if line.variant is None else rest_id(line.variant.id),
        "properties": _attributes(line.custom_attributes),
        "price": line.original_unit_price_set.shop_money.amount,
        "price_set": _pair(line.original_unit_price_set),
        "total_discount": line.total_discount_set.shop_money.amount,
        "total_discount_set": _pair(line.total_discount_set),
        "tax_lines": [_tax_line(tax) for tax in line.tax_lines],
        "discount_allocations": [_allocation(one) for one in line.discount_allocations],
    }


def _shipping_line(line: orders.ShippingLine) -> Shape:
    return {
        "id": None if line.id is None else rest_id(line.id),
        "title": line.title,
        "code": line.code,
        "source": line.source,
        "carrier_identifier": line.carrier_identifier,
        "delivery_category": line.delivery_category,
        "phone": line.phone,
        "is_removed": False,
        "price": line.original_price_set.shop_money.amount,
        "price_set": _pair(line.original_price_set),
        "discounted_price": line.discounted_price_set.shop_money.amount,
        "discounted_price_set": _pair(line.discounted_price_set),
        "tax_lines": [_tax_line(tax) for tax in line.tax_lines],
        "discount_allocations": [_allocation(one) for one in line.discount_allocations],
    }


def _tax_line(tax: orders.TaxLine) -> Shape:
    return {
        "title": tax.title,
        "rate": tax.rate,
        "channel_liable": tax.channel_liable,
        "price": tax.price_set.shop_money.amount,
        "price_set": _pair(tax.price_set),
    }


def _allocation(one: orders.Allocation) -> Shape:
    return {
        "amount": one.allocated_amount_set.shop_money.amount,
        "amount_set": _pair(one.allocated_amount_set),
        "discount_application_index": one.discount_application.index,
    }


def _application(one: orders.DiscountApplication) -> Shape:
    value = one.value
    shaped: Shape = {
        "type": _DISCOUNT_TYPE.get(one.type_name, one.type_name),
        "target_type": one.target_type.lower(),
        "target_selection": one.target_selection.lower(),
        "allocation_method": one.allocation_method.lower(),
        "value": value.amount if value.amount is not None else str(value.percentage),
        "value_type": "fixed_amount" if value.amount is not None else "percentage",
    }
    if one.code is not None:
        shaped["code"] = one.code
    if one.title is not None:
        shaped["title"] = one.title
    return shaped


def _refund(refund: orders.Refund, whole: orders.Order) -> Shape:
    order = whole.id
    return {
        "id": rest_id(refund.id),
        "admin_graphql_api_id": refund.id,
        "order_id": rest_id(order),
        "created_at": refund.created_at,
        "processed_at": refund.processed_at,
        "note": refund.note,
        "total_duties_set": _pair(_sum(((duty.amount_set, 1) for duty in refund.duties or ()), whole)),
        "refund_line_items": [
            {
                "id": None if line.id is None else rest_id(line.id),
                "line_item_id": rest_id(line.line_item.id),
                "location_id": None if line.location is None else rest_id(line.location.id),
                "quantity": line.quantity,
                "restock_type": line.restock_type.lower(),
                "subtotal": line.subtotal_set.shop_money.amount,
                "subtotal_set": _pair(line.subtotal_set),
                "total_tax": line.total_tax_set.shop_money.amount,
                "total_tax_set": _pair(line.total_tax_set),
            }
            for line in refund.refund_line_items.nodes
        ],
        "order_adjustments": [
            *(_adjustment(one, "refund_discrepancy") for one in refund.order_adjustments.nodes),
            *(_shipping_refund(one) for one in refund.refund_shipping_lines.nodes),
        ],
        "transactions": [_transaction(one, order) for one in refund.transactions.nodes],
    }


def _adjustment(one: orders.Adjustment, kind: str) -> Shape:
    return {
        "id": rest_id(one.id),
        "kind": kind,
        "reason": _lower(one.reason),
        "amount": one.amount_set.shop_money.amount,
        "amount_set": _pair(one.amount_set),
        "tax_amount": one.tax_amount_set.shop_money.amount,
        "tax_amount_set": _pair(one.tax_amount_set),
    }


def _shipping_refund(one: orders.RefundedShipping) -> Shape:
    """REST has refunded shipping among the adjustments, and negative."""
    amounts = orders.Adjustment(
        id=one.id,
        reason="Shipping refund",
        amount_set=_negative(one.subtotal_amount_set),
        tax_amount_set=_negative(one.tax_amount_set),
    )
    return _adjustment(amounts, "shipping_refund")


def _negative(pair: orders.Pair) -> orders.Pair:
    shop, presentment = pair.shop_money, pair.presentment_money
    return orders.Pair(
        shop_money=orders.Amount(amount=str(-Decimal(shop.amount)), currency_code=shop.currency_code),
        presentment_money=orders.Amount(
            amount=str(-Decimal(presentment.amount)), currency_code=presentment.currency_code
        ),
    )


def _transaction(one: orders.Transaction, order: str) -> Shape:
    """Amount and currency as the customer's account saw them, as in the REST resource."""
    money = one.amount_set.presentment_money
    return {
        "id": rest_id(one.id),
        "admin_graphql_api_id": one.id,
        "order_id": rest_id(order),
        "parent_id": None if one.parent_transaction is None else rest_id(one.parent_transaction.id),
        "kind": one.kind.lower(),
        "status": one.status.lower(),
        "gateway": one.gateway,
        "created_at": one.created_at,
        "processed_at": one.processed_at,
        "test": one.test,
        "amount": money.amount,
        "currency": money.currency_code,
        "amount_set": _pair(one.amount_set),
    }


def _transactions(order: orders.Order) -> list[Shape]:
    """What was paid, where several gateways took it, as a gift card and a card do: no webhook implies payments of it.

    Left out where there is one. A webhook may imply its sum before or after, and the books would be told the same money
    under two names. Refunds bring their own.
    """
    if len(set(filter(None, order.payment_gateway_names))) < 2:
        return []
    of_refunds = {one.id for refund in order.refunds for one in refund.transactions.nodes}
    return [_transaction(one, order.id) for one in order.transactions if one.id not in of_refunds]


def _fulfillment(one: orders.Fulfillment, order: str) -> Shape:
    numbers = [tracking.number for tracking in one.tracking_info if tracking.number]
    urls = [tracking.url for tracking in one.tracking_info if tracking.url]
    return {
        "id": rest_id(one.id),
        "admin_graphql_api_id": one.id,
        "order_id": rest_id(order),
        "name": one.name,
        "status": one.status.lower(),
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "location_id": None if one.location is None else rest_id(one.location.id),
        "tracking_company": one.tracking_info[0].company if one.tracking_info else None,
        "tracking_number": numbers[0] if numbers else None,
        "tracking_numbers": numbers,
        "tracking_url": urls[0] if urls else None,
        "tracking_urls": urls,
        "line_items": [
            {"id": rest_id(line.line_item.id), "quantity": line.quantity} for line in one.fulfillment_line_items.nodes
        ],
    }


def _attributes(attributes: tuple[orders.Attribute, ...]) -> list[Shape]:
    return [{"name": one.key, "value": one.value} for one in attributes]


def _lower(word: str | None) -> str | None:
    return None if word is None else word.lower()


def _digits(name: str) -> int | None:
    """ "#1001" is 1001; a shop with letters in its format has no number."""
    digits = "".join(letter for letter in name if letter.isdigit())
    return int(digits) if digits else None
