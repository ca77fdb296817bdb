"""Writes Shopify orders of the REST resource's shape from a seed, with sums that add up. Ours, no vendor's sample."""

import json
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hub.domain.money import MINOR_UNITS

Json = dict[str, Any]

_GOODS = (
    ("Alpine Rope 9.5 mm", "60 m / blue", "ROPE-95-60-BL"),
    ("Merino Crew Sock", "39-42", "SOCK-ME-M"),
    ("Headlamp 400", "graphite", "LAMP-400-GR"),
    ("Trail Bottle", "0.75 l", "BOTL-75"),
    ("Down Parka", "L / moss", "PARK-DW-L-MO"),
    ("Camp Stove", None, "STOV-01"),
)


class Writer:
    """Amounts of one order in its shop currency, and in the customer's at a fixed rate."""

    def __init__(self, currency: str = "EUR", presentment: str | None = None) -> None:
        self.currency = currency
        self.presentment = presentment or currency

    def text(self, minor: int, currency: str) -> str:
        places = MINOR_UNITS[currency]
        return str(Decimal(minor).scaleb(-places)) if places else str(minor)

    def plain(self, minor: int) -> str:
        return self.text(minor, self.currency)

    def pair(self, minor: int) -> Json:
        """Both views; one unit of the shop's smallest coin is two of the customer's where they differ."""
        seen = minor if self.presentment == self.currency else minor * 2
        return {
            "shop_money": {"amount": self.plain(minor), "currency_code": self.currency},
            "presentment_money": {"amount": self.text(seen, self.presentment), "currency_code": self.presentment},
        }

    def money(self, name: str, minor: int) -> Json:
        return {name: self.plain(minor), f"{name}_set": self.pair(minor)}


def shopify_order(
    seed: int = 1,
    *,
    lines: int = 4,
    currency: str = "EUR",
    presentment: str | None = None,
    taxes_included: bool = True,
    prices: Sequence[int] | None = None,
    quantities: Sequence[int] | None = None,
    discount: int = 1000,
    shipping: int = 490,
) -> Json:
    """An order of `lines` lines; `discount` is spread over the lines, money in minor units."""
    chance = random.Random(seed)
    write = Writer(currency, presentment)
    prices = list(prices or (chance.randrange(900, 19900) for _ in range(lines)))
    quantities = list(quantities or (chance.randrange(1, 4) for _ in range(lines)))
    subtotal = sum(price * quantity for price, quantity in zip(prices, quantities, strict=True))
    discount = min(discount, subtotal)
    shares = [discount // len(prices)] * len(prices)
    shares[0] += discount - sum(shares)
    taxes = [price * quantity * 19 // 119 for price, quantity in zip(prices, quantities, strict=True)]
    shipping_tax = shipping * 19 // 119
    tax = sum(taxes) + shipping_tax
    total = subtotal - discount + shipping + (0 if taxes_included else tax)
    parts = [
        _line(write, chance, place, prices[place], quantities[place], shares[place], taxes[place])
        for place in range(len(prices))
    ]
    return {
        **_head(seed, chance, write),
        **_totals(write, subtotal, discount, shipping, tax, total),
        "taxes_included": taxes_included,
        "line_items": parts,
        "shipping_lines": [_shipping_line(write, shipping, shipping_tax)],
        "billing_address": _address(),
        "customer": _customer(currency),
        "shipping_address": _address(),
        "fulfillments": [],
        "refunds": [],
        "payment_terms": None,
    }


def _head(seed: int, chance: random.Random, write: Writer) -> Json:
    """Who, when, through what."""
    number = 1000 + seed
    order_id = 5_600_000_000_000 + seed
    return {
        "id": order_id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order_id}",
        "app_id": 580111,
        "browser_ip": "203.0.113.7",
        "buyer_accepts_marketing": False,
        "cancel_reason": None,
        "cancelled_at": None,
        "cart_token": f"{chance.getrandbits(128):032x}",
        "checkout_id": 36_000_000_000_000 + seed,
        "checkout_token": f"{chance.getrandbits(128):032x}",
        "client_details": {
            "accept_language": "de-DE",
            "browser_height": None,
            "browser_ip": "203.0.113.7",
            "browser_width": None,
            "session_hash": None,
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
        },
        "closed_at": None,
        "confirmation_number": f"{chance.getrandbits(44):09X}"[:9],
        "confirmed": True,
        "contact_email": "kim.winter@shop.example",
        "created_at": "2026-03-02T10:15:30+01:00",
        "currency": write.currency,
        "customer_locale": "de-DE",
        "device_id": None,
        "email": "kim.winter@shop.example",
        "estimated_taxes": False,
        "financial_status": "paid",
        "fulfillment_status": None,
        "landing_site": "/products/alpine-rope?utm_source=news&utm_medium=mail",
        "landing_site_ref": None,
        "location_id": None,
        "merchant_of_record_app_id": None,
        "name": f"#{number}",
        "note": None,
        "note_attributes": [],
        "number": seed,
        "order_number": number,
        "order_status_url": f"https://alpine.shop.example/69/orders/{chance.getrandbits(128):032x}/authenticate?key=k&a=b",
        "payment_gateway_names": ["shopify_payments"],
        "phone": None,
        "po_number": None,
        "presentment_currency": write.presentment,
        "processed_at": "2026-03-02T10:15:29+01:00",
        "reference": None,
        "referring_site": "https://search.example/",
        "source_identifier": None,
        "source_name": "web",
        "source_url": None,
        "tags": "newsletter, vip",
        "tax_exempt": False,
        "test": False,
        "token": f"{chance.getrandbits(128):032x}",
        "updated_at": "2026-03-02T10:15:31+01:00",
        "user_id": None,
    }


def _totals(write: Writer, subtotal: int, discount: int, shipping: int, tax: int, total: int) -> Json:
    """Everything that is summed up."""
    return {
        **write.money("current_subtotal_price", subtotal - discount),
        "current_total_additional_fees_set": None,
        **write.money("current_total_discounts", discount),
        "current_total_duties_set": None,
        **write.money("current_total_price", total),
        **write.money("current_total_tax", tax),
        "discount_codes": [{"code": "SPRING", "amount": write.plain(discount), "type": "fixed_amount"}],
        "duties_included": False,
        "original_total_additional_fees_set": None,
        "original_total_duties_set": None,
        **write.money("subtotal_price", subtotal - discount),
        "tax_lines": [{**write.money("price", tax), "rate": 0.19, "title": "MwSt", "channel_liable": False}],
        "total_cash_rounding_payment_adjustment_set": write.pair(0),
        "total_cash_rounding_refund_adjustment_set": write.pair(0),
        **write.money("total_discounts", discount),
        **write.money("total_line_items_price", subtotal),
        "total_outstanding": write.plain(0),
        **write.money("total_price", total),
        "total_shipping_price_set": write.pair(shipping),
        **write.money("total_tax", tax),
        "total_tip_received": write.plain(0),
        "total_weight": 2400,
        "discount_applications": [
            {
                "target_type": "line_item",
                "type": "discount_code",
                "value": write.plain(discount),
                "value_type": "fixed_amount",
                "allocation_method": "across",
                "target_selection": "all",
                "code": "SPRING",
            }
        ],
    }


def order_bytes(order: Json) -> bytes:
    """As Shopify sends it: compact, "&" escaped."""
    return json.dumps(order, separators=(",", ":"), ensure_ascii=False).replace("&", "\\u0026").encode()


def _line(write: Writer, chance: random.Random, place: int, price: int, quantity: int, share: int, tax: int) -> Json:
    title, variant, sku = _GOODS[place % len(_GOODS)]
    line_id = 13_000_000_000_000 + chance.getrandbits(30)
    return {
        "id": line_id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line_id}",
        "attributed_staffs": [],
        "current_quantity": quantity,
        "fulfillable_quantity": quantity,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "gift_card": False,
        "grams": 300,
        "name": title if variant is None else f"{title} - {variant}",
        **write.money("price", price),
        "product_exists": True,
        "product_id": 8_100_000_000_000 + place,
        "properties": [],
        "quantity": quantity,
        "requires_shipping": True,
        "sku": sku,
        "taxable": True,
        "title": title,
        **write.money("total_discount", 0),
        "variant_id": 44_000_000_000_000 + place,
        "variant_inventory_management": "shopify",
        "variant_title": variant,
        "vendor": "Alpine",
        "tax_lines": [{"channel_liable": False, **write.money("price", tax), "rate": 0.19, "title": "MwSt"}],
        "duties": [],
        "discount_allocations": [
            {"amount": write.plain(share), "amount_set": write.pair(share), "discount_application_index": 0}
        ],
    }


def _shipping_line(write: Writer, price: int, tax: int) -> Json:
    return {
        "id": 4_700_000_000_001,
        "carrier_identifier": None,
        "code": "Standard",
        **write.money("discounted_price", price),
        "is_removed": False,
        "phone": None,
        **write.money("price", price),
        "requested_fulfillment_service_id": None,
        "source": "shopify",
        "title": "Standard",
        "tax_lines": [{"channel_liable": False, **write.money("price", tax), "rate": 0.19, "title": "MwSt"}],
        "discount_allocations": [],
    }


def _address() -> Json:
    return {
        "first_name": "Kim",
        "address1": "Lindenweg 4",
        "phone": "+49 30 555 0100",
        "city": "Berlin",
        "zip": "10115",
        "province": "Berlin",
        "country": "Germany",
        "last_name": "Winter",
        "address2": None,
        "company": None,
        "latitude": 52.5323,
        "longitude": 13.3846,
        "name": "Kim Winter",
        "country_code": "DE",
        "province_code": "BE",
    }


def _customer(currency: str) -> Json:
    return {
        "id": 7_200_000_000_001,
        "email": "kim.winter@shop.example",
        "created_at": "2025-11-02T09:00:00+01:00",
        "updated_at": "2026-03-02T10:15:30+01:00",
        "first_name": "Kim",
        "last_name": "Winter",
        "state": "disabled",
        "note": None,
        "verified_email": True,
        "multipass_identifier": None,
        "tax_exempt": False,
        "phone": None,
        "tags": "",
        "currency": currency,
        "tax_exemptions": [],
        "admin_graphql_api_id": "gid://shopify/Customer/7200000000001",
    }
