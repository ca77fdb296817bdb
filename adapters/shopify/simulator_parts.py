"""Parts that several bodies of a simulated shop are made of: money, addresses, lines, taxes."""

from decimal import Decimal

from adapters.shopify.simulator_books import ZERO, ShopLine, ShopOrder
from hub.domain.contact import Contact

Body = dict[str, object]


def pair(amount: Decimal, currency: str) -> Body:
    """The same money twice: this shop sells in one currency."""
    money = {"amount": text(amount), "currency_code": currency}
    return {"shop_money": money, "presentment_money": money}


def address_body(contact: Contact | None) -> Body | None:
    """An address; null for a sale at the till."""
    if contact is None:
        return None
    first, _, last = (contact.name or "").partition(" ")
    return {
        "first_name": first,
        "address1": contact.lines[0] if contact.lines else None,
        "phone": contact.phone,
        "city": contact.city,
        "zip": contact.postal_code,
        "province": contact.region,
        "country": contact.country,
        "last_name": last,
        "address2": contact.lines[1] if len(contact.lines) > 1 else None,
        "company": contact.company,
        "latitude": contact.latitude,
        "longitude": contact.longitude,
        "name": contact.name,
        "country_code": contact.country,
        "province_code": contact.region,
    }


def line_body(order: ShopOrder, line: ShopLine) -> Body:
    """A line of an order, wherever it appears."""
    variant, money = line.variant, order.currency
    price = pair(line.price, money)
    status = "fulfilled" if line.open == 0 else "partial"
    return {
        "id": line.id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line.id}",
        "attributed_staffs": [],
        "current_quantity": line.current,
        "fulfillable_quantity": line.open,
        "fulfillment_service": "gift_card" if variant.gift_card else "manual",
        "fulfillment_status": status if line.fulfilled else None,
        "gift_card": variant.gift_card,
        "grams": variant.grams,
        "name": variant.title,
        "price": text(line.price),
        "price_set": price,
        "product_exists": True,
        "product_id": variant.product,
        "properties": [],
        "quantity": line.quantity,
        "requires_shipping": variant.ships,
        "sku": variant.sku,
        "taxable": True,
        "title": variant.title,
        "total_discount": "0.00",
        "total_discount_set": pair(ZERO, money),
        "variant_id": variant.variant,
        "variant_inventory_management": "shopify",
        "variant_title": None,
        "vendor": "Northwind Outfitters",
        "tax_lines": tax_lines(order, line.tax),
        "duties": [],
        "discount_allocations": _allocations(order, line),
    }


def _allocations(order: ShopOrder, line: ShopLine) -> list[Body]:
    if not line.discount:
        return []
    amounts = {"amount": text(line.discount), "amount_set": pair(line.discount, order.currency)}
    return [{**amounts, "discount_application_index": 0}]


def tax_lines(order: ShopOrder, tax: Decimal) -> list[Body]:
    """The one tax of this shop; none when nothing is due."""
    if not tax:
        return []
    return [
        {
            "channel_liable": False,
            "price": text(tax),
            "price_set": pair(tax, order.currency),
            "rate": order.tax_rate,
            "title": "Sales tax",
        }
    ]


def text(amount: Decimal) -> str:
    """ "12.00": REST writes the currency's places, whatever the amount carries."""
    return f"{amount:.2f}" if amount.as_tuple().exponent == 0 else str(amount)
