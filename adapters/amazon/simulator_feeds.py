"""How the simulated Amazon works off feeds: listings in JSON, acknowledgements and refunds in XML."""

import gzip
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from xml.etree import ElementTree

import msgspec

from adapters.amazon.simulator_books import Books, Feed, Listing, Refund

SHORTEST_ZIPPED: Final = 400
"""Result documents of more bytes come compressed."""

Works = Callable[[bytes, Feed, datetime], tuple[str, bytes]]


class FeedWork:
    """Processes feeds that are due, once each, in the order they came."""

    def __init__(self, books: Books, seller: str) -> None:
        self.takes = timedelta(0)
        """How long a feed stays in the queue."""
        self.stuck = False
        """Feeds stay IN_PROGRESS, as they sometimes do for days."""
        self.fatal = False
        """Feeds end FATAL, with no result."""
        self._books = books
        self._seller = seller
        self._works: dict[str, Works] = {
            "JSON_LISTINGS_FEED": self._listings,
            "POST_ORDER_ACKNOWLEDGEMENT_DATA": self._acknowledge,
            "POST_PAYMENT_ADJUSTMENT_DATA": self._adjust,
        }

    def advance(self, now: datetime) -> None:
        """Work off what is due."""
        for feed in self._books.feeds.values():
            if feed.status in ("IN_QUEUE", "IN_PROGRESS") and now >= feed.created + self.takes:
                self._process(feed, now)

    def _process(self, feed: Feed, now: datetime) -> None:
        if self.stuck:
            feed.status = "IN_PROGRESS"
            return
        source = self._books.documents[feed.document]
        if self.fatal or source.body is None or feed.kind not in self._works:
            feed.status = "FATAL"
            return
        content_type, result = self._works[feed.kind](source.body, feed, now)
        zipped = len(result) > SHORTEST_ZIPPED
        body = gzip.compress(result) if zipped else result
        feed.result = self._books.put(content_type, body, gzip=zipped).id
        feed.status = "DONE"

    def _listings(self, body: bytes, feed: Feed, now: datetime) -> tuple[str, bytes]:
        document: dict[str, Any] = msgspec.json.decode(body)
        issues: list[dict[str, Any]] = []
        for message in document["messages"]:
            listing = self._books.listings.get(message["sku"])
            reason = "SKU does not match any ASIN" if listing is None else listing.refuses
            if reason is not None or listing is None:
                row = {"messageId": message["messageId"], "sku": message["sku"], "code": "90041"}
                issues.append({**row, "severity": "ERROR", "message": reason})
                continue
            for patch in message["patches"]:
                apply(listing, patch["op"], patch["value"])
        count = len(document["messages"])
        report = {
            "header": {"sellerId": self._seller, "version": "2.0", "feedId": feed.id},
            "issues": issues,
            "summary": {
                "errors": len(issues),
                "warnings": 0,
                "messagesProcessed": count,
                "messagesAccepted": count - len(issues),
                "messagesInvalid": len(issues),
            },
        }
        return "application/json; charset=UTF-8", msgspec.json.encode(report)

    def _acknowledge(self, body: bytes, feed: Feed, now: datetime) -> tuple[str, bytes]:
        faults: list[tuple[str, str]] = []
        messages = ElementTree.fromstring(body).findall("Message/OrderAcknowledgement")
        for message in messages:
            order = self._books.orders.get(message.findtext("AmazonOrderID", ""))
            lines = {
                item.findtext("AmazonOrderItemCode", ""): item.findtext("CancelReason", "")
                for item in message.findall("Item")
            }
            if order is None or message.findtext("StatusCode") != "Failure" or not lines:
                faults.append(("18028", "The data that you submitted is incomplete or invalid"))
                continue
            fault = self._books.acknowledge(order, lines, now)
            if fault is not None:
                faults.append(("18028", fault))
        return "text/xml; charset=UTF-8", _report(feed, len(messages), faults)

    def _adjust(self, body: bytes, feed: Feed, now: datetime) -> tuple[str, bytes]:
        faults: list[tuple[str, str]] = []
        messages = ElementTree.fromstring(body).findall("Message/OrderAdjustment")
        for message in messages:
            order = self._books.orders.get(message.findtext("AmazonOrderID", ""))
            if order is None or order.status not in ("SHIPPED", "PARTIALLY_SHIPPED"):
                faults.append(("18037", "Only shipped orders can be adjusted"))
                continue
            amounts = list(message.iter("Amount"))
            refund = Refund(
                id=f"refund-{self._books.number()}",
                amount=sum((Decimal(amount.text or "0") for amount in amounts), Decimal(0)),
                currency=amounts[0].attrib["currency"],
                at=now,
            )
            self._books.refunds.setdefault(order.id, []).append(refund)
        return "text/xml; charset=UTF-8", _report(feed, len(messages), faults)


def apply(listing: Listing, operation: str, values: list[dict[str, object]]) -> None:
    """A patch of the availability: `replace` drops what is not sent of a channel, `merge` keeps it."""
    for value in values:
        code = value["fulfillment_channel_code"]
        known = next((part for part in listing.submitted if part["fulfillment_channel_code"] == code), None)
        if known is None:
            listing.submitted.append(dict(value))
        elif operation == "replace":
            known.clear()
            known.update(value)
        else:
            known.update(value)
        quantity = value["quantity"]
        assert isinstance(quantity, int)
        listing.quantity = quantity


def _report(feed: Feed, count: int, faults: list[tuple[str, str]]) -> bytes:
    root = ElementTree.Element("AmazonEnvelope")
    report = ElementTree.SubElement(ElementTree.SubElement(root, "Message"), "ProcessingReport")
    ElementTree.SubElement(report, "DocumentTransactionID").text = feed.id
    ElementTree.SubElement(report, "StatusCode").text = "Complete"
    summary = ElementTree.SubElement(report, "ProcessingSummary")
    named = {"MessagesProcessed": count, "MessagesSuccessful": count - len(faults), "MessagesWithError": len(faults)}
    for name, number in {**named, "MessagesWithWarning": 0}.items():
        ElementTree.SubElement(summary, name).text = str(number)
    for code, text in faults:
        result = ElementTree.SubElement(report, "Result")
        ElementTree.SubElement(result, "MessageID").text = "1"
        ElementTree.SubElement(result, "ResultCode").text = "Error"
        ElementTree.SubElement(result, "ResultMessageCode").text = code
        ElementTree.SubElement(result, "ResultDescription").text = text
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document
