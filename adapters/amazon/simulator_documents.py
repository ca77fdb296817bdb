"""What the simulated Amazon writes: its documents, built from the books."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from adapters.amazon.simulator_books import Feed, Line, Listing, Order, Package, Refund
from hub.domain.money import MINOR_UNITS

UNPRICED = ("PENDING", "PENDING_AVAILABILITY")
FEES = Decimal("0.12")
"""Share of a refund that Amazon gives back to the seller."""


def stamp(moment: datetime) -> str:
    """A moment as Amazon writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def money(amount: Decimal, currency: str) -> dict[str, str]:
    """An amount with the places of its currency."""
    return {"amount": str(rounded(amount, currency)), "currencyCode": currency}


def rounded(amount: Decimal, currency: str) -> Decimal:
    """An amount of whole minor units."""
    return amount.quantize(Decimal(1).scaleb(-MINOR_UNITS[currency]), ROUND_HALF_UP)


def order_document(order: Order) -> dict[str, Any]:
    """An order of Orders 2026-01-01; a pending one has neither address nor amounts."""
    priced = order.status not in UNPRICED
    document: dict[str, Any] = {
        "orderId": order.id,
        "createdTime": stamp(order.placed),
        "lastUpdatedTime": stamp(order.updated),
        "programs": list(order.programs),
        "salesChannel": {
            "channelName": "AMAZON",
            "marketplaceId": order.marketplace,
            "marketplaceName": "Amazon.example",
        },
        "fulfillment": {
            "fulfillmentStatus": order.status,
            "fulfilledBy": order.fulfilled_by,
            "fulfillmentServiceLevel": "STANDARD",
        },
        "orderItems": [_item(order, line, priced) for line in order.lines],
        "packages": [_package(package) for package in order.packages.values()],
    }
    if priced:
        document["buyer"] = {"buyerName": order.address.get("name", ""), "buyerEmail": "alias@marketplace.example"}
        document["recipient"] = {"deliveryAddress": dict(order.address)}
        document["proceeds"] = _proceeds(order)
    return document


def _item(order: Order, line: Line, priced: bool) -> dict[str, Any]:
    cancelled = line.cancelled_by is not None
    document: dict[str, Any] = {
        "orderItemId": line.id,
        "quantityOrdered": line.quantity,
        "product": {"asin": f"B0{line.sku[:8]:X<8}", "title": line.title, "sellerSku": line.sku},
        "fulfillment": {
            "quantityFulfilled": line.shipped,
            "quantityUnfulfilled": 0 if cancelled or not priced else line.quantity - line.shipped,
        },
    }
    if priced:
        rows = _line_rows(order, line)
        document["product"]["price"] = {"unitPrice": money(line.price, order.currency)}
        total = sum((Decimal(row["subtotal"]["amount"]) for row in _charged(order, rows)), Decimal(0))
        document["proceeds"] = {"proceedsTotal": money(total, order.currency), "breakdowns": rows}
    if line.buyer_wish:
        document["cancellation"] = {"cancellationRequest": {"requester": "BUYER", "cancelReason": line.buyer_wish}}
    if cancelled:
        execution = {"cancelledBy": line.cancelled_by, "cancelReason": line.buyer_wish or "Seller cancelled"}
        document.setdefault("cancellation", {})["cancellationExecution"] = execution
    return document


def _line_rows(order: Order, line: Line) -> list[dict[str, Any]]:
    price = line.price * line.quantity
    taxed = _tax(order, price)
    rows: list[dict[str, Any]] = [{"type": "ITEM", "subtotal": money(price, order.currency)}]
    if taxed:
        detail = {"subtype": "ITEM", "value": money(taxed, order.currency)}
        rows.append({"type": "TAX", "subtotal": money(taxed, order.currency), "detailedBreakdowns": [detail]})
    return rows


def _tax(order: Order, price: Decimal) -> Decimal:
    share = order.tax_rate / (1 + order.tax_rate) if order.tax_included else order.tax_rate
    return rounded(price * share, order.currency)


def _charged(order: Order, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["type"] != "TAX"] if order.tax_included else rows


def _proceeds(order: Order) -> dict[str, Any]:
    sums: dict[str, Decimal] = {}
    for line in order.lines:
        for row in _line_rows(order, line):
            sums[row["type"]] = sums.get(row["type"], Decimal(0)) + Decimal(row["subtotal"]["amount"])
    if order.shipping:
        sums["SHIPPING"] = order.shipping
    rows = [{"type": kind, "subtotal": money(amount, order.currency)} for kind, amount in sums.items()]
    total = sum((Decimal(row["subtotal"]["amount"]) for row in _charged(order, rows)), Decimal(0))
    return {"grandTotal": money(total, order.currency), "breakdowns": rows}


def _package(package: Package) -> dict[str, Any]:
    return {
        "packageReferenceId": package.reference,
        "packageStatus": {"status": "SHIPPED"},
        "carrier": package.carrier,
        "shipTime": package.shipped,
        "shippingService": package.service or "",
        "trackingNumber": package.tracking,
        "packageItems": [{"orderItemId": line, "quantity": units} for line, units in package.contents.items()],
    }


def listing_document(listing: Listing, marketplace: str, now: datetime) -> dict[str, Any]:
    """A listing with summaries, attributes and issues."""
    issues = [issue(listing.suffers)] if listing.suffers else []
    return {
        "sku": listing.sku,
        "summaries": [
            {
                "marketplaceId": marketplace,
                "asin": f"B0{listing.sku[:8]:X<8}",
                "productType": listing.product_type,
                "status": ["BUYABLE"],
                "createdDate": "2026-01-01T00:00:00Z",
                "lastUpdatedDate": stamp(now),
            }
        ],
        "attributes": {"fulfillment_availability": listing.submitted},
        "fulfillmentAvailability": [{"fulfillmentChannelCode": "DEFAULT", "quantity": listing.quantity}],
        "issues": issues,
    }


def issue(message: str) -> dict[str, Any]:
    """An issue about availability."""
    return {
        "code": "90220",
        "message": message,
        "severity": "ERROR",
        "attributeNames": ["fulfillment_availability"],
        "categories": ["INVALID_ATTRIBUTE"],
    }


def feed_document(feed: Feed, marketplaces: tuple[str, ...]) -> dict[str, Any]:
    """A job."""
    document: dict[str, Any] = {
        "feedId": feed.id,
        "feedType": feed.kind,
        "marketplaceIds": list(marketplaces),
        "createdTime": stamp(feed.created),
        "processingStatus": feed.status,
    }
    if feed.result:
        document["resultFeedDocumentId"] = feed.result
    return document


def refund_transaction(refund: Refund, seller: str, order: str) -> dict[str, Any]:
    """A refund as the seller's account shows it: what the buyer got, less the fees that Amazon gives back."""
    fees = rounded(refund.amount * FEES, refund.currency)
    parts = [
        _part("Sales", -refund.amount, refund.currency, [_part("ProductCharges", -refund.amount, refund.currency, [])]),
        _part("Expenses", fees, refund.currency, [_part("AmazonFees", fees, refund.currency, [])]),
    ]
    return {
        "sellingPartnerMetadata": {"sellingPartnerId": seller, "accountType": "PAYABLE"},
        "relatedIdentifiers": [{"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": order}],
        "transactionType": "Refund",
        "transactionId": refund.id,
        "transactionStatus": "RELEASED",
        "postedDate": stamp(refund.at),
        "totalAmount": _wire(fees - refund.amount, refund.currency),
        "breakdowns": parts,
    }


def _part(word: str, amount: Decimal, currency: str, within: list[dict[str, Any]]) -> dict[str, Any]:
    return {"breakdownType": word, "breakdownAmount": _wire(amount, currency), "breakdowns": within}


def _wire(amount: Decimal, currency: str) -> dict[str, Any]:
    """Exact as the wire's numbers are."""
    return {"currencyAmount": msgspec.Raw(str(amount).encode()), "currencyCode": currency}


def participation(marketplace: str) -> dict[str, Any]:
    """How the seller takes part in a marketplace."""
    return {
        "marketplace": {
            "id": marketplace,
            "name": f"Amazon {marketplace}",
            "countryCode": "US",
            "defaultCurrencyCode": "USD",
            "defaultLanguageCode": "en_US",
            "domainName": "www.amazon.example",
        },
        "storeName": "Crossdock",
        "participation": {"isParticipating": True, "hasSuspendedListings": False},
    }


def order_change(order: Order, seller: str, identity: str) -> dict[str, Any]:
    """An ORDER_CHANGE notification."""
    words = {"PENDING": "Pending", "UNSHIPPED": "Unshipped", "PARTIALLY_SHIPPED": "PartiallyShipped"}
    words |= {"SHIPPED": "Shipped", "CANCELLED": "Canceled", "PENDING_AVAILABILITY": "PendingAvailability"}
    changed = stamp(order.updated).replace("Z", ".000Z")
    return {
        "NotificationVersion": "1.0",
        "NotificationType": "ORDER_CHANGE",
        "PayloadVersion": "1.0",
        "EventTime": changed,
        "Payload": {
            "OrderChangeNotification": {
                "NotificationLevel": "OrderLevel",
                "SellerId": seller,
                "AmazonOrderId": order.id,
                "OrderChangeType": "OrderStatusChange",
                "OrderChangeTrigger": {"TimeOfOrderChange": changed, "ChangeReason": "OrderStatusChange"},
                "Summary": {
                    "MarketplaceId": order.marketplace,
                    "OrderStatus": words[order.status],
                    "PurchaseDate": stamp(order.placed).replace("Z", ".000Z"),
                    "DestinationPostalCode": order.address.get("postalCode", ""),
                    "FulfillmentType": "MFN" if order.fulfilled_by == "MERCHANT" else "AFN",
                    "OrderType": "StandardOrder",
                    "NumberOfItemsShipped": sum(line.shipped for line in order.lines),
                    "NumberOfItemsUnshipped": sum(line.quantity - line.shipped for line in order.lines),
                    "OrderItems": [
                        {
                            "OrderItemId": line.id,
                            "SellerSKU": line.sku,
                            "SupplySourceId": "",
                            "Quantity": line.quantity,
                            "QuantityShipped": line.shipped,
                            "IsBuyerRequestedCancel": line.buyer_wish is not None,
                        }
                        for line in order.lines
                    ],
                },
            }
        },
        "NotificationMetadata": {
            "ApplicationId": "app-id-simulated",
            "SubscriptionId": "subscription-simulated",
            "PublishTime": changed,
            "NotificationId": identity,
        },
    }
