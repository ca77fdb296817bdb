"""Bodies of a simulated shop's webhooks: the whole REST resource, as large as a real one."""

from decimal import Decimal

import msgspec

from adapters.shopify.simulator_books import (
    ZERO,
    ShopFulfilment,
    ShopOrder,
    ShopRefund,
    current,
    gateways,
    local,
    placed,
)
from adapters.shopify.simulator_parts import Body, address_body, line_body, pair, tax_lines, text

encode = msgspec.json.Encoder(decimal_format="number").encode
"""Amounts are written as text by `text`; what stays a Decimal is a number on this vendor's wire too."""


def order_body(order: ShopOrder, fulfilments: list[ShopFulfilment], shop: str) -> bytes:
    """Body of orders/create, orders/updated and their like."""
    discount = placed(order).discount
    body: Body = {
        "id": order.id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order.id}",
        **_checkout(order, shop),
        **_states(order),
        **_money(order),
        "billing_address": address_body(order.ship_to),
        "customer": _customer(order),
        "discount_applications": _applications(order, discount),
        "discount_codes": _discount_codes(order, discount),
        "fulfillments": [fulfilment_body(order, one) for one in fulfilments],
        "line_items": [line_body(order, line) for line in order.lines],
        "company": None if order.company is None else {"id": order.company, "location_id": order.company + 1},
        "payment_terms": _terms(order),
        "refunds": [refund_body(order, one) for one in order.refunds],
        "shipping_address": address_body(order.ship_to),
        "shipping_lines": [_shipping_line(order)] if order.ship_to is not None else [],
    }
    return encode(body)


def _checkout(order: ShopOrder, shop: str) -> Body:
    """Where the order came from."""
    token = f"{order.id:032x}"
    return {
        "app_id": 580111,
        "browser_ip": "192.0.2.7",
        "buyer_accepts_marketing": False,
        "cart_token": f"c1-{token}",
        "checkout_id": order.id + 11,
        "checkout_token": token[::-1],
        "client_details": {
            "accept_language": "en-US",
            "browser_height": None,
            "browser_ip": "192.0.2.7",
            "browser_width": None,
            "session_hash": None,
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
        },
        "customer_locale": order.locale,
        "device_id": None,
        "landing_site": "/collections/all?utm_source=newsletter",
        "landing_site_ref": None,
        "location_id": order.retail_location,
        "merchant_business_entity_id": "MTIzNDU2Nzg5",
        "merchant_of_record_app_id": None,
        "order_status_url": f"https://{shop}/{order.id}/orders/{token}/authenticate?key={token[::-1]}",
        "reference": None,
        "referring_site": "",
        "source_identifier": None,
        "source_name": order.source,
        "source_url": None,
        "token": token,
        "user_id": None,
    }


def _terms(order: ShopOrder) -> Body | None:
    """When a company pays."""
    days = order.terms_days
    if days is None:
        return None
    return {"due_in_days": days, "payment_terms_name": f"Net {days}", "payment_terms_type": "net"}


def _states(order: ShopOrder) -> Body:
    """Names, times, states and words."""
    return {
        "cancel_reason": order.cancel_reason,
        "cancelled_at": None if order.cancelled_at is None else local(order.cancelled_at),
        "closed_at": None,
        "confirmation_number": f"CD{order.number:07d}",
        "confirmed": True,
        "contact_email": order.email,
        "created_at": local(order.created_at),
        "duties_included": False,
        "email": order.email,
        "estimated_taxes": False,
        "financial_status": order.financial,
        "fulfillment_status": order.fulfilment_status,
        "name": order.name,
        "note": order.note,
        "note_attributes": [],
        "number": order.number - 1000,
        "order_number": order.number,
        "payment_gateway_names": gateways(order),
        "phone": None,
        "po_number": order.po_number,
        "processed_at": local(order.created_at),
        "tags": ", ".join(order.tags),
        "tax_exempt": order.tax_exempt,
        "taxes_included": order.taxes_included,
        "test": order.test,
        "total_weight": sum(line.variant.grams * line.quantity for line in order.lines),
        "updated_at": local(order.updated_at),
    }


def _money(order: ShopOrder) -> Body:
    """Every total, as text and as a pair."""
    was, now, money = placed(order), current(order), order.currency
    amounts = {
        "current_subtotal_price": now.subtotal,
        "current_total_discounts": now.discount,
        "current_total_price": now.total,
        "current_total_tax": now.tax,
        "subtotal_price": was.subtotal,
        "total_discounts": was.discount,
        "total_line_items_price": was.lines,
        "total_price": was.total,
        "total_tax": was.tax,
    }
    body: Body = {
        "currency": money,
        "current_total_additional_fees_set": None,
        "current_total_duties_set": None,
        "original_total_additional_fees_set": None,
        "original_total_duties_set": None,
        "presentment_currency": money,
        "tax_lines": tax_lines(order, was.tax),
        "total_cash_rounding_payment_adjustment_set": pair(ZERO, money),
        "total_cash_rounding_refund_adjustment_set": pair(ZERO, money),
        "total_outstanding": "0.00",
        "total_shipping_price_set": pair(order.shipping, money),
        "total_tip_received": "0.00",
    }
    for name, amount in amounts.items():
        body[name], body[f"{name}_set"] = text(amount), pair(amount, money)
    return body


def fulfilment_body(order: ShopOrder, one: ShopFulfilment) -> Body:
    """Body of fulfillments/create, and its place in the order."""
    return {
        "id": one.id,
        "admin_graphql_api_id": f"gid://shopify/Fulfillment/{one.id}",
        "created_at": local(one.created_at),
        "location_id": one.location,
        "name": one.name,
        "order_id": one.order,
        "origin_address": {},
        "receipt": {},
        "service": "manual",
        "shipment_status": None,
        "status": one.status.lower(),
        "tracking_company": one.company,
        "tracking_number": one.numbers[0] if one.numbers else None,
        "tracking_numbers": one.numbers,
        "tracking_url": one.urls[0] if one.urls else None,
        "tracking_urls": one.urls,
        "updated_at": local(one.created_at),
        "line_items": [{**line_body(order, order.by_line[id]), "quantity": units} for id, units in one.lines.items()],
    }


def refund_body(order: ShopOrder, refund: ShopRefund) -> Body:
    """Body of refunds/create, and its place in the order."""
    return {
        "id": refund.id,
        "admin_graphql_api_id": f"gid://shopify/Refund/{refund.id}",
        "created_at": local(refund.created_at),
        "note": refund.note,
        "order_id": order.id,
        "processed_at": local(refund.created_at),
        "restock": refund.restock != "no_restock",
        "total_duties_set": pair(ZERO, order.currency),
        "user_id": None,
        "order_adjustments": [],
        "transactions": [_refund_transaction(order, refund)] if refund.moved(order) else [],
        "refund_line_items": [_refund_line(order, refund, place, id) for place, id in enumerate(refund.lines, 1)],
    }


def risk_body(order: ShopOrder) -> bytes:
    """Body of orders/risk_assessment_changed."""
    return encode(
        {
            "provider_id": None,
            "provider_title": None,
            "risk_level": (order.risk or "none"),
            "risk_facts": [],
            "created_at": local(order.updated_at),
            "order_id": order.id,
            "admin_graphql_api_order_id": f"gid://shopify/Order/{order.id}",
        }
    )


def return_body(order: ShopOrder, id: int, topic: str) -> bytes:
    """Body of returns/*: names its order."""
    named = {"id": order.id, "admin_graphql_api_id": f"gid://shopify/Order/{order.id}"}
    gid = f"gid://shopify/Return/{id}"
    word = topic.partition("/")[2]
    return encode({"id": id, "admin_graphql_api_id": gid, "status": word, "order": named, "return_line_items": []})


def _refund_transaction(order: ShopOrder, refund: ShopRefund) -> Body:
    return {
        "id": refund.transaction,
        "admin_graphql_api_id": f"gid://shopify/OrderTransaction/{refund.transaction}",
        "amount": text(refund.moved(order)),
        "created_at": local(refund.created_at),
        "currency": order.currency,
        "gateway": "shopify_payments",
        "kind": "refund",
        "order_id": order.id,
        "parent_id": refund.parent or order.id + 21,
        "processed_at": local(refund.created_at),
        "status": "success",
        "test": order.test,
    }


def _refund_line(order: ShopOrder, refund: ShopRefund, place: int, line: int) -> Body:
    return {
        "id": refund.id * 100 + place,
        "line_item_id": line,
        "location_id": refund.location,
        "quantity": refund.lines[line],
        "restock_type": refund.restock,
        "subtotal": refund.amounts[line],
        "subtotal_set": pair(refund.amounts[line], order.currency),
        "total_tax": refund.taxes[line],
        "total_tax_set": pair(refund.taxes[line], order.currency),
        "line_item": line_body(order, order.by_line[line]),
    }


def edit_body(order: ShopOrder, edit: int, added: dict[int, int], removed: dict[int, int]) -> bytes:
    """Body of orders/edited: about an order, without being one."""
    changes = {
        "additions": [{"id": id, "delta": delta} for id, delta in added.items()],
        "removals": [{"id": id, "delta": delta} for id, delta in removed.items()],
    }
    body: Body = {
        "id": edit,
        "app_id": None,
        "created_at": local(order.updated_at),
        "notify_customer": False,
        "order_id": order.id,
        "staff_note": "",
        "user_id": None,
        "line_items": changes,
        "discounts": {"line_item": {"additions": [], "removals": []}},
        "shipping_lines": {"additions": [], "removals": []},
    }
    return encode({"order_edit": body})


def _shipping_line(order: ShopOrder) -> Body:
    price = pair(order.shipping, order.currency)
    return {
        "id": order.id + 31,
        "carrier_identifier": None,
        "code": order.shipping_title,
        "discounted_price": text(order.shipping),
        "discounted_price_set": price,
        "is_removed": False,
        "phone": None,
        "price": text(order.shipping),
        "price_set": price,
        "requested_fulfillment_service_id": None,
        "source": "shopify",
        "title": order.shipping_title,
        "tax_lines": [],
        "discount_allocations": [],
    }


def _discount_codes(order: ShopOrder, discount: Decimal) -> list[Body]:
    if order.discount_code is None:
        return []
    return [{"code": order.discount_code, "amount": text(discount), "type": "fixed_amount"}]


def _applications(order: ShopOrder, discount: Decimal) -> list[Body]:
    if order.discount_code is None:
        return []
    return [
        {
            "target_type": "line_item",
            "type": "discount_code",
            "value": text(discount),
            "value_type": "fixed_amount",
            "allocation_method": "across",
            "target_selection": "all",
            "code": order.discount_code,
        }
    ]


def _customer(order: ShopOrder) -> Body | None:
    if order.ship_to is None:
        return None
    first, _, last = (order.ship_to.name or "").partition(" ")
    return {
        "id": order.id + 41,
        "email": order.email,
        "created_at": local(order.created_at),
        "updated_at": local(order.updated_at),
        "first_name": first,
        "last_name": last,
        "state": "disabled",
        "note": None,
        "verified_email": True,
        "multipass_identifier": None,
        "tax_exempt": False,
        "phone": None,
        "tags": "",
        "currency": order.currency,
        "tax_exemptions": [],
        "admin_graphql_api_id": f"gid://shopify/Customer/{order.id + 41}",
        "default_address": address_body(order.ship_to),
    }
