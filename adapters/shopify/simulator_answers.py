"""GraphQL answers of a simulated shop, in the exact shape of the documents that the client sends."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from adapters.shopify.simulator_books import (
    ZERO,
    ShopFulfilment,
    ShopFulfilmentOrder,
    ShopLine,
    ShopMoved,
    ShopOrder,
    ShopRefund,
    current,
    gateways,
    placed,
    transactions,
    utc,
)
from hub.domain.contact import Contact

Node = dict[str, Any]

FIRST_LINES: Final = 20
FIRST_MOVED: Final = 10
"""Lines of a refund or fulfilment that come with an order."""
FIRST_FULFILLED: Final = 50
FURTHER_LINES: Final = 100

_FINANCIAL: Final = {
    "paid": "PAID",
    "pending": "PENDING",
    "authorized": "AUTHORIZED",
    "refunded": "REFUNDED",
    "partially_paid": "PARTIALLY_PAID",
    "voided": "VOIDED",
}
_FULFILLMENT: Final = {None: "UNFULFILLED", "partial": "PARTIALLY_FULFILLED", "fulfilled": "FULFILLED"}


def gid(kind: str, id: int) -> str:
    """A global id."""
    return f"gid://shopify/{kind}/{id}"


def ref(kind: str, id: int | None) -> Node | None:
    """Only the id."""
    return None if id is None else {"id": gid(kind, id)}


def connection(nodes: Sequence[Node], first: int, after: object = None) -> Node:
    """A page of a list; the cursor is the place of its last node."""
    start = int(str(after)) if after else 0
    shown = nodes[start : start + first]
    end = start + len(shown)
    page = {"hasNextPage": end < len(nodes), "endCursor": str(end) if shown else None}
    return {"nodes": list(shown), "pageInfo": page}


def whole_order(order: ShopOrder, fulfilments: list[ShopFulfilment]) -> Node:
    """The fragment WholeOrder."""
    return {
        **_head(order),
        **_money(order),
        "customer": _customer(order),
        "shippingAddress": _address(order.ship_to),
        "billingAddress": _address(order.ship_to),
        "shippingLines": {"nodes": [_shipping_line(order)] if order.ship_to is not None else []},
        "discountApplications": {"nodes": _applications(order, placed(order).discount)},
        "lineItems": connection(order_lines(order), FIRST_LINES),
        "refunds": [_refund(order, one) for one in order.refunds],
        "transactions": [moved(order, one) for one in transactions(order)],
        "fulfillments": [_fulfillment(one) for one in fulfilments],
        "fulfillmentOrders": {"nodes": [_held(one) for one in order.fulfilment_orders]},
    }


def _head(order: ShopOrder) -> Node:
    """Names, times, states and words."""
    return {
        "id": gid("Order", order.id),
        "name": order.name,
        "createdAt": utc(order.created_at),
        "processedAt": utc(order.created_at),
        "updatedAt": utc(order.updated_at),
        "cancelledAt": None if order.cancelled_at is None else utc(order.cancelled_at),
        "cancelReason": None if order.cancel_reason is None else order.cancel_reason.upper(),
        "closedAt": None,
        "test": order.test,
        "confirmed": True,
        "confirmationNumber": f"CD{order.number:07d}",
        "taxExempt": order.tax_exempt,
        "sourceName": order.source,
        "sourceIdentifier": None,
        "note": order.note,
        "tags": list(order.tags),
        "email": order.email,
        "phone": None,
        "poNumber": order.po_number,
        "customerLocale": order.locale,
        "displayFinancialStatus": _FINANCIAL[order.financial],
        "displayFulfillmentStatus": _FULFILLMENT[order.fulfilment_status],
        "paymentGatewayNames": gateways(order),
        "customAttributes": [],
        "retailLocation": ref("Location", order.retail_location),
        "risk": {"assessments": [] if order.risk is None else [{"riskLevel": order.risk.upper()}]},
    }


def _money(order: ShopOrder) -> Node:
    """Every total."""
    was, now, money = placed(order), current(order), order.currency
    return {
        "currencyCode": money,
        "presentmentCurrencyCode": money,
        "taxesIncluded": order.taxes_included,
        "dutiesIncluded": False,
        "subtotalPriceSet": bag(was.subtotal, money),
        "totalPriceSet": bag(was.total, money),
        "totalDiscountsSet": bag(was.discount, money),
        "totalTaxSet": bag(was.tax, money),
        "totalTipReceivedSet": bag(ZERO, money),
        "totalOutstandingSet": bag(ZERO, money),
        "currentSubtotalPriceSet": bag(now.subtotal, money),
        "currentTotalPriceSet": bag(now.total, money),
        "currentTotalDiscountsSet": bag(now.discount, money),
        "currentTotalTaxSet": bag(now.tax, money),
        "currentTotalDutiesSet": None,
        "currentTotalAdditionalFeesSet": None,
        "originalTotalDutiesSet": None,
        "originalTotalAdditionalFeesSet": None,
        "taxLines": _tax_lines(order, was.tax),
    }


def order_lines(order: ShopOrder) -> list[Node]:
    """The fragment Line, for every line."""
    return [_line(order, line) for line in order.lines]


def refund_lines(order: ShopOrder, refund: ShopRefund) -> list[Node]:
    """The fragment RefundLine, for every line of a refund."""
    return [
        {
            "id": gid("RefundLineItem", refund.id * 100 + place),
            "quantity": units,
            "restockType": refund.restock.upper(),
            "lineItem": ref("LineItem", id),
            "location": ref("Location", refund.location),
            "subtotalSet": bag(refund.amounts[id], order.currency),
            "totalTaxSet": bag(refund.taxes[id], order.currency),
        }
        for place, (id, units) in enumerate(refund.lines.items(), 1)
    ]


def fulfilled_lines(one: ShopFulfilment) -> list[Node]:
    """The fragment FulfilledLine, for every line of a fulfilment."""
    return [{"quantity": units, "lineItem": ref("LineItem", id)} for id, units in one.lines.items()]


def open_lines(one: ShopFulfilmentOrder) -> list[Node]:
    """The fragment OpenLine, for every line of a fulfilment order."""
    return [
        {
            "id": gid("FulfillmentOrderLineItem", line.id),
            "remainingQuantity": line.remaining,
            "lineItem": ref("LineItem", line.line.id),
        }
        for line in one.lines
    ]


def work(order: ShopOrder, fulfilments: list[ShopFulfilment], visible: bool, after: object) -> Node:
    """What `documents.FULFILLMENT_ORDERS` asks of an order; without a scope its fulfilment orders are just empty."""
    shown = [_fulfillment_order(one) for one in order.fulfilment_orders] if visible else []
    return {
        "id": gid("Order", order.id),
        "name": order.name,
        "cancelledAt": None if order.cancelled_at is None else utc(order.cancelled_at),
        "fulfillments": [_made(one) for one in fulfilments],
        "fulfillmentOrders": connection(shown, 10, after),
    }


def user_errors(errors: Iterable[tuple[Sequence[str], str, str | None]], coded: bool = True) -> list[Node]:
    """Errors of a mutation as (field, message, code)."""
    return [
        {"field": list(field), "message": message, **({"code": code} if coded else {})}
        for field, message, code in errors
    ]


def bag(amount: Decimal, currency: str) -> Node:
    """The same money twice; GraphQL drops trailing zeros but one."""
    text = f"{amount.normalize():f}"
    money = {"amount": text if "." in text else f"{text}.0", "currencyCode": currency}
    return {"shopMoney": money, "presentmentMoney": money}


def _fulfillment_order(one: ShopFulfilmentOrder) -> Node:
    return {
        "id": gid("FulfillmentOrder", one.id),
        "status": one.status,
        "requestStatus": "UNSUBMITTED",
        "assignedLocation": {"location": ref("Location", one.location)},
        "lineItems": connection(open_lines(one), FIRST_FULFILLED),
    }


def _held(one: ShopFulfilmentOrder) -> Node:
    return {"status": one.status, "fulfillmentHolds": [{"reason": reason} for reason in one.holds]}


def _made(one: ShopFulfilment) -> Node:
    return {
        "id": gid("Fulfillment", one.id),
        "name": one.name,
        "status": one.status,
        "createdAt": utc(one.created_at),
        "location": ref("Location", one.location),
        "trackingInfo": [{"number": number} for number in one.numbers],
        "fulfillmentLineItems": connection(fulfilled_lines(one), FIRST_FULFILLED),
    }


def _fulfillment(one: ShopFulfilment) -> Node:
    urls = [*one.urls, *([None] * len(one.numbers))]
    tracking = [{"company": one.company, "number": number, "url": urls[n]} for n, number in enumerate(one.numbers)]
    return {
        "id": gid("Fulfillment", one.id),
        "name": one.name,
        "status": one.status,
        "createdAt": utc(one.created_at),
        "updatedAt": utc(one.created_at),
        "location": ref("Location", one.location),
        "trackingInfo": tracking,
        "fulfillmentLineItems": connection(fulfilled_lines(one), FIRST_MOVED),
    }


def _refund(order: ShopOrder, refund: ShopRefund) -> Node:
    transaction = {
        "id": gid("OrderTransaction", refund.transaction),
        "kind": "REFUND",
        "status": "SUCCESS",
        "gateway": "shopify_payments",
        "createdAt": utc(refund.created_at),
        "processedAt": utc(refund.created_at),
        "test": order.test,
        "amountSet": bag(refund.moved(order), order.currency),
        "parentTransaction": ref("OrderTransaction", refund.parent or order.id + 21),
    }
    return {
        "id": gid("Refund", refund.id),
        "createdAt": utc(refund.created_at),
        "processedAt": utc(refund.created_at),
        "note": refund.note,
        "duties": None,
        "refundLineItems": connection(refund_lines(order, refund), FIRST_MOVED),
        "refundShippingLines": {"nodes": []},
        "orderAdjustments": {"nodes": []},
        "transactions": {"nodes": [transaction]},
    }


def moved(order: ShopOrder, one: ShopMoved) -> Node:
    """A transaction: the fragment Moved."""
    return {
        "id": gid("OrderTransaction", one.id),
        "kind": one.kind,
        "status": one.status,
        "gateway": one.gateway,
        "createdAt": utc(one.created_at),
        "processedAt": utc(one.created_at),
        "test": order.test,
        "amountSet": bag(one.amount, order.currency),
        "parentTransaction": ref("OrderTransaction", one.parent),
    }


def _line(order: ShopOrder, line: ShopLine) -> Node:
    variant = line.variant
    allocation = {
        "allocatedAmountSet": bag(line.discount, order.currency),
        "discountApplication": {"index": 0},
    }
    return {
        "id": gid("LineItem", line.id),
        "title": variant.title,
        "variantTitle": None,
        "name": variant.title,
        "sku": variant.sku,
        "vendor": "Northwind Outfitters",
        "quantity": line.quantity,
        "currentQuantity": line.current,
        "unfulfilledQuantity": line.open,
        "requiresShipping": variant.ships,
        "taxable": True,
        "isGiftCard": variant.gift_card,
        "product": ref("Product", variant.product),
        "variant": ref("ProductVariant", variant.variant),
        "customAttributes": [],
        "originalUnitPriceSet": bag(line.price, order.currency),
        "totalDiscountSet": bag(ZERO, order.currency),
        "taxLines": _tax_lines(order, line.tax),
        "discountAllocations": [allocation] if line.discount else [],
    }


def _tax_lines(order: ShopOrder, tax: Decimal) -> list[Node]:
    if not tax:
        return []
    return [
        {
            "title": "Sales tax",
            "rate": order.tax_rate,
            "channelLiable": False,
            "priceSet": bag(tax, order.currency),
        }
    ]


def _shipping_line(order: ShopOrder) -> Node:
    return {
        "id": gid("ShippingLine", order.id + 31),
        "title": order.shipping_title,
        "code": order.shipping_title,
        "source": "shopify",
        "carrierIdentifier": None,
        "deliveryCategory": None,
        "phone": None,
        "originalPriceSet": bag(order.shipping, order.currency),
        "discountedPriceSet": bag(order.shipping, order.currency),
        "taxLines": [],
        "discountAllocations": [],
    }


def _applications(order: ShopOrder, discount: Decimal) -> list[Node]:
    if order.discount_code is None:
        return []
    amount = bag(discount, order.currency)["shopMoney"]
    return [
        {
            "index": 0,
            "allocationMethod": "ACROSS",
            "targetSelection": "ALL",
            "targetType": "LINE_ITEM",
            "value": {"__typename": "MoneyV2", **amount},
            "__typename": "DiscountCodeApplication",
            "code": order.discount_code,
        }
    ]


def _customer(order: ShopOrder) -> Node | None:
    if order.ship_to is None:
        return None
    first, _, last = (order.ship_to.name or "").partition(" ")
    return {
        "id": gid("Customer", order.id + 41),
        "firstName": first,
        "lastName": last,
        "defaultEmailAddress": None if order.email is None else {"emailAddress": order.email},
        "defaultPhoneNumber": None,
        "tags": [],
    }


def _address(contact: Contact | None) -> Node | None:
    if contact is None:
        return None
    first, _, last = (contact.name or "").partition(" ")
    return {
        "firstName": first,
        "lastName": last,
        "name": contact.name,
        "company": contact.company,
        "phone": contact.phone,
        "address1": contact.lines[0] if contact.lines else None,
        "address2": contact.lines[1] if len(contact.lines) > 1 else None,
        "city": contact.city,
        "province": contact.region,
        "provinceCode": contact.region,
        "country": contact.country,
        "countryCodeV2": contact.country,
        "zip": contact.postal_code,
        "latitude": contact.latitude,
        "longitude": contact.longitude,
    }
