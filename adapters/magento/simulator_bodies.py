"""The simulated store's documents, as its REST API writes them: snake case, numbers for amounts, UTC without a zone."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from adapters.magento.simulator_books import (
    ZERO,
    StoreDocument,
    StoreItem,
    StoreOrder,
    StoreShipment,
)
from adapters.magento.simulator_sales import rounded
from hub.domain.contact import Contact

Document = dict[str, Any]
STAMP: Final = "%Y-%m-%d %H:%M:%S"


def stamp(at: datetime) -> str:
    """A time as the store writes it."""
    return at.strftime(STAMP)


def order_body(order: StoreOrder) -> Document:
    """The whole order."""
    document: Document = {
        **_head(order),
        **_amounts(order),
        "items": [item_body(order, item) for item in order.items],
        "billing_address": address_body(order.ship_to, "billing", order) if order.ship_to else _nowhere(order),
        "payment": _payment(order),
        "status_histories": [
            {
                "comment": "",
                "created_at": stamp(at),
                "entity_id": number,
                "entity_name": "order",
                "is_customer_notified": 0,
                "is_visible_on_front": 0,
                "parent_id": order.id,
                "status": status,
            }
            for number, (at, status) in enumerate(order.history, 1)
        ],
        "extension_attributes": _extension(order),
    }
    if order.successor:
        document["relation_child_id"] = order.successor
    return document


def _head(order: StoreOrder) -> Document:
    name = (order.ship_to.name if order.ship_to else None) or "Guest Buyer"
    first, _, last = name.partition(" ")
    return {
        "entity_id": order.id,
        "increment_id": order.number,
        "state": order.state,
        "status": order.status,
        "created_at": stamp(order.created_at),
        "updated_at": stamp(order.updated_at),
        "base_currency_code": order.base_currency,
        "order_currency_code": order.currency,
        "global_currency_code": order.base_currency,
        "store_currency_code": order.currency,
        "base_to_order_rate": order.rate,
        "base_to_global_rate": 1,
        "store_to_base_rate": 0,
        "store_to_order_rate": 0,
        "customer_email": order.email,
        "customer_firstname": first,
        "customer_lastname": last or "-",
        "customer_group_id": 0,
        "customer_is_guest": 1,
        "is_virtual": int(order.ship_to is None),
        "store_id": order.store,
        "store_name": "Main Website\nMain Website Store\nDefault Store View",
        "shipping_description": order.shipping_method.replace("_", " - ").title(),
        "total_item_count": sum(1 for item in order.items if item.parent is None),
        "total_qty_ordered": sum(item.ordered for item in order.items if item.parent is None),
    }


def _amounts(order: StoreOrder) -> Document:
    """Sums, in base and order currency."""
    found: dict[str, Decimal] = {
        "grand_total": order.grand_total,
        "subtotal": order.subtotal,
        "subtotal_incl_tax": order.subtotal_incl_tax,
        "discount_amount": -order.discount,
        "discount_tax_compensation_amount": order.hidden_tax,
        "shipping_amount": order.shipping,
        "shipping_incl_tax": order.shipping + order.shipping_tax,
        "shipping_tax_amount": order.shipping_tax,
        "shipping_discount_amount": ZERO,
        "tax_amount": order.tax,
        "total_due": order.grand_total - order.paid if order.state != "canceled" else ZERO,
    }
    if order.invoices:
        found |= {"total_paid": order.paid, "total_invoiced": order.paid}
    if order.state == "canceled" or any(item.cancelled for item in order.items):
        found |= _cancelled(order)
    if order.memos:
        found |= {
            "total_refunded": order.refunded,
            "subtotal_refunded": sum((memo.subtotal for memo in order.memos), ZERO),
            "tax_refunded": sum((memo.tax for memo in order.memos), ZERO),
            "discount_refunded": -sum((memo.discount for memo in order.memos), ZERO),
            "discount_tax_compensation_refunded": sum((memo.hidden_tax for memo in order.memos), ZERO),
            "shipping_refunded": sum((memo.shipping for memo in order.memos), ZERO),
            "adjustment_positive": sum((max(ZERO, memo.adjustment) for memo in order.memos), ZERO),
            "adjustment_negative": -sum((min(ZERO, memo.adjustment) for memo in order.memos), ZERO),
        }
    return in_both(found, order)


def _cancelled(order: StoreOrder) -> dict[str, Decimal]:
    """Sums of what was cancelled, in base currency."""

    def gone(field: str) -> Decimal:
        shares = (getattr(item, field) * item.cancelled / item.ordered for item in order.items)
        return rounded(sum(shares, ZERO), order.base_currency)

    return {
        "subtotal_canceled": gone("row_total"),
        "tax_canceled": gone("tax") + (order.shipping_tax if order.shipping_cancelled else ZERO),
        "discount_canceled": gone("discount"),
        "shipping_canceled": order.shipping if order.shipping_cancelled else ZERO,
        "total_canceled": order.grand_total - order.paid,
    }


def in_both(amounts: dict[str, Decimal], order: StoreOrder) -> Document:
    """The same amounts as `base_...` and, at the order's rate, without the prefix."""
    based = {f"base_{name}": number(value) for name, value in amounts.items()}
    return based | {name: number(rounded(value * order.rate, order.currency)) for name, value in amounts.items()}


def number(value: Decimal) -> Decimal:
    """Without needless zeros, as PHP writes a float."""
    plain = value.normalize()
    return plain.quantize(Decimal(1)) if plain == plain.to_integral_value() else plain


def item_body(order: StoreOrder, item: StoreItem) -> Document:
    """A line. The child of a configurable has no price, or repeats its parent's."""
    source = item
    if item.repeats_price and item.parent is not None:
        source = order.by_id[item.parent]
    amounts = {
        "price": source.price,
        "original_price": source.price,
        "row_total": source.row_total,
        "row_total_incl_tax": source.row_total_incl_tax,
        "discount_amount": item.discount,
        "discount_tax_compensation_amount": item.hidden_tax,
        "tax_amount": item.tax,
    }
    document: Document = {
        "item_id": item.id,
        "order_id": order.id,
        "product_id": item.product.id,
        "product_type": item.product.kind,
        "sku": item.sku,
        "name": item.product.name,
        "is_virtual": int(item.product.virtual),
        "is_qty_decimal": 0,
        "qty_ordered": item.ordered,
        "qty_canceled": item.cancelled,
        "qty_invoiced": item.invoiced,
        "qty_refunded": item.refunded,
        "qty_shipped": item.shipped,
        "store_id": order.store,
        "tax_percent": number(item.tax_percent),
        "weee_tax_applied": "[]",
        "created_at": stamp(order.created_at),
        "updated_at": stamp(order.updated_at),
        **in_both(amounts, order),
    }
    if item.parent is not None:
        document["parent_item_id"] = item.parent
        # The store repeats the whole parent inside the child.
        document["parent_item"] = item_body(order, order.by_id[item.parent])
    return document


def address_body(who: Contact, kind: str, order: StoreOrder) -> Document:
    """An address."""
    first, _, last = (who.name or "Guest").partition(" ")
    known = {"company": who.company, "email": who.email, "region": who.region, "region_code": who.region}
    return {
        "address_type": kind,
        "entity_id": order.id * 10 + (1 if kind == "billing" else 2),
        "parent_id": order.id,
        "firstname": first,
        "lastname": last or "-",
        "street": list(who.lines),
        "city": who.city or "",
        "postcode": who.postal_code or "",
        "country_id": who.country or "",
        "telephone": who.phone or "",
        **{name: value for name, value in known.items() if value},
    }


def _nowhere(order: StoreOrder) -> Document:
    return address_body(Contact(name="Guest Buyer", email=order.email, country="US"), "billing", order)


def _payment(order: StoreOrder) -> Document:
    document: Document = {
        "entity_id": order.id,
        "parent_id": order.id,
        "method": order.payment_method,
        "account_status": "",
        "additional_information": [order.payment_method],
        "cc_last4": "",
        **in_both({"amount_ordered": order.grand_total, "shipping_amount": order.shipping}, order),
    }
    if order.authorised:
        document |= in_both({"amount_authorized": order.authorised}, order)
    if order.invoices:
        document |= in_both({"amount_paid": order.paid}, order)
    return document


def _extension(order: StoreOrder) -> Document:
    document: Document = {"applied_taxes": [], "item_applied_taxes": []}
    if order.ship_to is not None:
        elsewhere = {item for _, items in order.also_to for item in items}
        here = [item.id for item in order.items if item.id not in elsewhere]
        document["shipping_assignments"] = [
            _assignment(order, who, items) for who, items in ((order.ship_to, here), *order.also_to)
        ]
    if order.pickup:
        document["pickup_location_code"] = order.pickup
    if order.gift_card:
        document |= in_both({"gift_cards_amount": order.gift_card}, order)
    return document


def _assignment(order: StoreOrder, who: Contact, items: Any) -> Document:
    total = {
        "shipping_amount": order.shipping,
        "shipping_incl_tax": order.shipping + order.shipping_tax,
        "shipping_tax_amount": order.shipping_tax,
        "shipping_discount_amount": ZERO,
    }
    return {
        "shipping": {
            "address": address_body(who, "shipping", order),
            "method": order.shipping_method,
            "total": in_both(total, order),
        },
        "items": [item_body(order, order.by_id[item]) for item in items],
    }


def shipment_body(order: StoreOrder, shipment: StoreShipment) -> Document:
    """A shipment."""
    at = stamp(shipment.created_at)
    return {
        "entity_id": shipment.id,
        "increment_id": f"{shipment.id:09d}",
        "order_id": order.id,
        "created_at": at,
        "updated_at": at,
        "store_id": order.store,
        "total_qty": sum(shipment.units.values()),
        "items": [
            {"order_item_id": id, "qty": quantity, "sku": order.by_id[id].sku, "parent_id": shipment.id}
            for id, quantity in shipment.units.items()
        ],
        "tracks": [
            {
                "entity_id": track.id,
                "order_id": order.id,
                "parent_id": shipment.id,
                "track_number": track.number,
                "title": track.title,
                "carrier_code": track.carrier,
                "weight": 0,
                "qty": 0,
                "description": "",
                "created_at": at,
                "updated_at": at,
            }
            for track in shipment.tracks
        ],
        "comments": comments_body(shipment.notes, shipment.id, at),
        "extension_attributes": {"source_code": shipment.source},
    }


def comments_body(notes: tuple[str, ...], parent: int, at: str) -> list[Document]:
    """Notes of the staff."""
    return [
        {
            "comment": note,
            "created_at": at,
            "entity_id": parent * 10 + number,
            "is_customer_notified": 0,
            "is_visible_on_front": 0,
            "parent_id": parent,
        }
        for number, note in enumerate(notes)
    ]


def document_body(order: StoreOrder, document: StoreDocument, *, memo: bool) -> Document:
    """An invoice or a credit memo."""
    amounts = {
        "grand_total": document.total,
        "subtotal": document.subtotal,
        "tax_amount": document.tax,
        "discount_amount": -document.discount,
        "discount_tax_compensation_amount": document.hidden_tax,
        "shipping_amount": document.shipping,
        "shipping_tax_amount": document.shipping_tax,
    }
    if memo:
        amounts |= {
            "adjustment": document.adjustment,
            "adjustment_positive": max(ZERO, document.adjustment),
            "adjustment_negative": max(ZERO, -document.adjustment),
        }
    at = stamp(document.created_at)
    body: Document = {
        "entity_id": document.id,
        "increment_id": f"{document.id:09d}",
        "order_id": order.id,
        "state": document.state,
        "created_at": at,
        "updated_at": at,
        "store_id": order.store,
        "base_currency_code": order.base_currency,
        "order_currency_code": order.currency,
        "items": [_document_line(order, document, id, units, memo) for id, units in document.units.items()],
        "comments": comments_body(document.notes, document.id, at),
        **in_both(amounts, order),
    }
    if not memo:
        body["total_qty"] = sum(document.units.values())
    if document.invoice is not None:
        body["invoice_id"] = document.invoice
    return body


def _document_line(order: StoreOrder, document: StoreDocument, id: int, units: int, memo: bool) -> Document:
    item = order.by_id[id]
    line: Document = {
        "entity_id": document.id * 100 + id,
        "parent_id": document.id,
        "order_item_id": id,
        "product_id": item.product.id,
        "sku": item.sku,
        "name": item.product.name,
        "qty": units,
        **in_both({"price": item.price}, order),
    }
    return line | {"base_cost": 0} if memo else line
