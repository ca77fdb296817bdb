"""A Square seller's own books: catalogue, stock, orders, payments and refunds, and the rules by which they change.

Documents are kept as Square writes them, with no more fields than its specification has. Money is in minor units.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from hub.sdk.testkit.simulator import Sent, Simulator

Document = dict[str, Any]

OVER: Final = frozenset({"COMPLETED", "CANCELED", "FAILED"})


class Refusal(Exception):
    """An answer with errors."""

    def __init__(self, code: str, detail: str, *, field: str | None = None, status: int = 400, kind: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.fault: Document = {"category": kind or "INVALID_REQUEST_ERROR", "code": code, "detail": detail}
        if field is not None:
            self.fault["field"] = field


class Variation(msgspec.Struct, kw_only=True):
    """An item variation of the catalogue."""

    id: str
    sku: str
    name: str
    price: int
    deleted: bool = False


class Books(Simulator):
    """One seller. `orders`, `payments`, `refunds` by id; `counts` by (variation, location)."""

    def __init__(
        self, *, merchant_id: str, currency: str = "USD", locations: Iterable[str] = ("L1",), **base: Any
    ) -> None:
        super().__init__(**base)
        self.merchant_id, self.currency = merchant_id, currency
        self.locations = {one: f"Store {one}" for one in locations}
        self.variations: dict[str, Variation] = {}
        self.orders: dict[str, Document] = {}
        self.payments: dict[str, Document] = {}
        self.refunds: dict[str, Document] = {}
        self.counts: dict[tuple[str, str], int] = {}
        self.counted_at: dict[tuple[str, str], str] = {}
        self.listener: tuple[str, str] | None = None
        """Notification URL and signature key of the webhook subscription."""
        self._number = 0

    # --- what the seller and the customers do ------------------------------------------------------------------------

    def sell(self, sku: str, *, price: int, name: str = "", quantity: int = 0) -> Variation:
        """Put a variation up for sale, counted at every location."""
        made = Variation(id=self.new_id("VAR"), sku=sku, name=name or sku, price=price)
        self.variations[made.id] = made
        for location in self.locations:
            self.count((made.id, location), quantity)
        return made

    def count(self, place: tuple[str, str], quantity: int) -> None:
        """What is on a shelf from now on; told as an event where somebody listens."""
        self.counts[place], self.counted_at[place] = quantity, self.stamp()
        self.notify("inventory.count.updated", self.new_id("CNT"), {"inventory_counts": [self.counted(place)]})

    def counted(self, place: tuple[str, str]) -> Document:
        """A count as Square writes it."""
        return {
            "catalog_object_id": place[0],
            "catalog_object_type": "ITEM_VARIATION",
            "location_id": place[1],
            "state": "IN_STOCK",
            "quantity": str(self.counts[place]),
            "calculated_at": self.counted_at[place],
        }

    def ring_up(
        self,
        lines: Iterable[tuple[str, int]],
        *,
        at: datetime | None = None,
        tax_percent: int = 0,
        tip: int = 0,
        method: str = "CARD",
        location: str | None = None,
    ) -> Document:
        """A sale at the till: completed at once, without version. `at`: made offline then, and sent only now."""
        order = self._order(lines, at=at, tax_percent=tax_percent, tip=tip, location=location)
        self._pay(order, method=method, captured=True)
        order["state"], order["closed_at"] = "COMPLETED", order["created_at"]
        for line in order["line_items"]:
            place = (line["catalog_object_id"], order["location_id"])
            self.count(place, self.counts.get(place, 0) - int(line["quantity"]))
        self._tell(order, "created")
        return order

    def place_order(
        self,
        lines: Iterable[tuple[str, int]],
        *,
        kind: str = "SHIPMENT",
        paid: bool = True,
        captured: bool = True,
        tax_percent: int = 0,
        shipping: int = 0,
        carried: Iterable[tuple[str, int]] = (),
        person: Mapping[str, Any] | None = None,
    ) -> Document:
        """An order with a fulfilment: online, or at the till for goods that the store does not have.

        `carried` goes over the counter in the same order: the fulfilment then names its lines.
        """
        order = self._order([*lines, *carried], tax_percent=tax_percent, shipping=shipping)
        order["version"] = 1
        taken = len(list(carried))
        way: Document = {"uid": self.new_id("F"), "type": kind, "state": "PROPOSED", "line_item_application": "ALL"}
        if taken:
            way["line_item_application"] = "ENTRY_LIST"
            way["entries"] = [
                {"uid": self.new_id("E"), "line_item_uid": one["uid"], "quantity": one["quantity"]}
                for one in order["line_items"][:-taken]
            ]
        way[f"{kind.lower()}_details"] = {"recipient": dict(person or PERSON)}
        order["fulfillments"] = [way]
        if paid:
            self._pay(order, method="CARD", captured=captured)
        self._tell(order, "created")
        return order

    def return_goods(self, order: Document, units: Mapping[str, int], *, status: str = "COMPLETED") -> Document:
        """The customer brings goods back: another order, and a refund that names that one."""
        lines = {line["uid"]: line for line in order["line_items"]}
        rows, total, tax = [], 0, 0
        for uid, number in units.items():
            line, whole = lines[uid], int(lines[uid]["quantity"])
            money, taxed = (line[f"total{name}_money"]["amount"] * number // whole for name in ("", "_tax"))
            total, tax = total + money, tax + taxed
            rows.append(
                {
                    "uid": self.new_id("R"),
                    "source_line_item_uid": uid,
                    "name": line["name"],
                    "quantity": str(number),
                    "catalog_object_id": line["catalog_object_id"],
                    "total_money": self.money(money),
                    "total_tax_money": self.money(taxed),
                }
            )
        back = self._return_order(order, rows, total, tax)
        self._refund(order["tenders"][0]["id"], total, back["id"], status, "returned goods")
        return back

    def edit(self, order: Document) -> None:
        """Somebody changes an order at Square."""
        self.touch(order)
        self._tell(order, "updated")

    # --- books --------------------------------------------------------------------------------------------------------

    def money(self, amount: int) -> Document:
        """A money."""
        return {"amount": amount, "currency": self.currency}

    def new_id(self, prefix: str) -> str:
        """An id that was never used."""
        self._number += 1
        return f"{prefix}{self._number:08d}Zq"

    def stamp(self) -> str:
        """The time as Square writes it."""
        return self.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def touch(self, order: Document) -> None:
        """A change of an order."""
        order["updated_at"] = self.stamp()
        if "version" in order:
            order["version"] += 1

    def settle(self, order: Document) -> None:
        """Square's own rule: a paid order whose fulfilments are all over is completed."""
        ways = order.get("fulfillments", [])
        paid = order["net_amount_due_money"]["amount"] == 0
        if order["state"] == "OPEN" and ways and paid and all(one["state"] in OVER for one in ways):
            order["state"], order["closed_at"] = "COMPLETED", self.stamp()

    def refund(self, payment: str, amount: int, reason: str) -> Document:
        """Give money back: the order of the return is made by the way."""
        paid = self.payments[payment]
        left = paid["total_money"]["amount"] - paid.get("refunded_money", {"amount": 0})["amount"]
        if paid["status"] != "COMPLETED" or amount > left:
            detail = "The requested refund amount exceeds the amount available to refund."
            raise Refusal("REFUND_AMOUNT_INVALID", detail, field="amount_money.amount", kind="REFUND_ERROR")
        back = self._return_order(self.orders[paid["order_id"]], [], amount, 0)
        return self._refund(payment, amount, back["id"], "PENDING", reason)

    def _order(
        self,
        lines: Iterable[tuple[str, int]],
        *,
        at: datetime | None = None,
        tax_percent: int = 0,
        tip: int = 0,
        shipping: int = 0,
        location: str | None = None,
    ) -> Document:
        by_sku = {one.sku: one for one in self.variations.values() if not one.deleted}
        rows = [self._line(by_sku[sku], number, tax_percent) for sku, number in lines]
        tax = sum(row["total_tax_money"]["amount"] for row in rows)
        total = sum(row["total_money"]["amount"] for row in rows) + tip + shipping
        made = at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else self.stamp()
        order: Document = {
            "id": self.new_id("ORD"),
            "location_id": location or next(iter(self.locations)),
            "source": {"name": "Square Point of Sale"},
            "line_items": rows,
            "created_at": made,
            "updated_at": self.stamp(),
            "state": "OPEN",
            "total_money": self.money(total),
            "total_tax_money": self.money(tax),
            "total_discount_money": self.money(0),
            "total_tip_money": self.money(tip),
            "total_service_charge_money": self.money(shipping),
            "net_amount_due_money": self.money(total),
        }
        if shipping:
            charge = {"uid": self.new_id("S"), "name": "Shipping", "total_tax_money": self.money(0), "type": "CUSTOM"}
            sums = dict.fromkeys(("amount_money", "applied_money", "total_money"), self.money(shipping))
            order["service_charges"] = [{**charge, **sums, "calculation_phase": "TOTAL_PHASE", "taxable": False}]
        self.orders[order["id"]] = order
        return order

    def _line(self, item: Variation, number: int, tax_percent: int) -> Document:
        gross = item.price * number
        tax = gross * tax_percent // 100
        return {
            "uid": self.new_id("LI"),
            "catalog_object_id": item.id,
            "catalog_version": 1,
            "quantity": str(number),
            "name": item.name,
            "variation_name": "Regular",
            "item_type": "ITEM",
            "base_price_money": self.money(item.price),
            "variation_total_price_money": self.money(gross),
            "gross_sales_money": self.money(gross),
            "total_tax_money": self.money(tax),
            "total_discount_money": self.money(0),
            "total_money": self.money(gross + tax),
        }

    def _pay(self, order: Document, *, method: str, captured: bool) -> None:
        payment: Document = {
            "id": self.new_id("PAY"),
            "created_at": order["created_at"],
            "updated_at": self.stamp(),
            "amount_money": self.money(order["total_money"]["amount"] - order["total_tip_money"]["amount"]),
            "total_money": dict(order["total_money"]),
            "approved_money": dict(order["total_money"]),
            "status": "COMPLETED" if captured else "APPROVED",
            "source_type": method,
            "location_id": order["location_id"],
            "order_id": order["id"],
        }
        tender: Document = {
            "id": payment["id"],
            "location_id": order["location_id"],
            "created_at": order["created_at"],
            "amount_money": dict(order["total_money"]),
            "type": method,
            "payment_id": payment["id"],
        }
        if method == "CARD":
            tender["card_details"] = {"status": "CAPTURED" if captured else "AUTHORIZED", "entry_method": "EMV"}
        self.payments[payment["id"]] = payment
        order["tenders"] = [tender]
        order["net_amount_due_money"] = self.money(0)

    def _return_order(self, order: Document, rows: list[Document], total: int, tax: int) -> Document:
        names = ("total_money", "tax_money", "discount_money", "tip_money", "service_charge_money")
        sums = dict(zip(names, (self.money(one) for one in (total, tax, 0, 0, 0)), strict=True))
        part: Document = {"uid": self.new_id("RET"), "source_order_id": order["id"], "return_amounts": sums}
        if rows:
            part["return_line_items"] = rows
        back: Document = {
            "id": self.new_id("ORD"),
            "location_id": order["location_id"],
            "created_at": self.stamp(),
            "updated_at": self.stamp(),
            "closed_at": self.stamp(),
            "state": "COMPLETED",
            "returns": [part],
            "return_amounts": sums,
            "total_money": self.money(0),
        }
        self.orders[back["id"]] = back
        return back

    def _refund(self, payment: str, amount: int, order: str, status: str, reason: str) -> Document:
        made: Document = {
            "id": f"{payment}_{self.new_id('RF')}",
            "status": status,
            "location_id": self.payments[payment]["location_id"],
            "destination_type": self.payments[payment]["source_type"],
            "amount_money": self.money(amount),
            "order_id": order,
            "payment_id": payment,
            "reason": reason,
            "created_at": self.stamp(),
            "updated_at": self.stamp(),
        }
        self.refunds[made["id"]] = made
        paid = self.payments[payment]
        before = paid.get("refunded_money", {"amount": 0})["amount"]
        paid["refunded_money"] = self.money(before + amount)
        paid.setdefault("refund_ids", []).append(made["id"])
        self.notify("refund.created", made["id"], {"refund": made})
        return made

    # --- events -------------------------------------------------------------------------------------------------------

    def _tell(self, order: Document, what: str) -> None:
        self.notify(f"order.{what}", order["id"], thin(order, what))

    def notify(self, topic: str, about: str, inner: Document) -> None:
        """Send an event to the subscription, if there is one."""
        if self.listener is None:
            return
        url, key = self.listener
        body = self.event(topic, about, inner)
        self.deliver(Sent(url=url, headers=event_headers(url, key, body), body=body))

    def event(self, topic: str, about: str, inner: Document, *, event_id: str | None = None) -> bytes:
        """The body of an event."""
        kind = next(iter(inner), topic.partition(".")[0])
        return msgspec.json.encode(
            {
                "merchant_id": self.merchant_id,
                "type": topic,
                "event_id": event_id or self.new_id("EV"),
                "created_at": self.stamp(),
                "data": {"type": kind, "id": about, "object": inner},
            }
        )


def thin(order: Document, what: str) -> Document:
    """What an order event says of its order."""
    head = {"order_id": order["id"], "location_id": order["location_id"], "state": order["state"]}
    times = {"created_at": order["created_at"], "version": order.get("version", 1)}
    return {f"order_{what.replace('.', '_')}": {**head, **times}}


def event_headers(url: str, key: str, body: bytes) -> dict[str, str]:
    """Headers of a delivery, signed over URL and body."""
    digest = hmac.digest(key.encode(), url.encode() + body, hashlib.sha256)
    return {"content-type": "application/json", "x-square-hmacsha256-signature": base64.b64encode(digest).decode()}


PERSON: Final[Mapping[str, Any]] = {
    "display_name": "Ines Okafor",
    "email_address": "ines@example.com",
    "phone_number": "+14155550177",
    "address": {
        "address_line_1": "88 Mission Street",
        "locality": "San Francisco",
        "administrative_district_level_1": "CA",
        "postal_code": "94105",
        "country": "US",
    },
}
"""An invented customer."""
