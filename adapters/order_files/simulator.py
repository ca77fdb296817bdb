"""A sender of order files: an SFTP server with the orders that it dropped, and a hand for uploads."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from hub.sdk.testkit.sftp import SftpSimulator
from hub.sdk.testkit.simulator import Sent
from hub.sdk.webhook import standard_key

COLUMNS: Final = (
    *("order_number", "placed_at", "currency", "order_total", "financial_status"),
    *("ship_name", "ship_email", "ship_address_1", "ship_city", "ship_region", "ship_postal_code", "ship_country"),
    *("line_id", "sku", "quantity", "title", "unit_price", "line_total"),
)
SECRET: Final = "whsec_" + base64.b64encode(b"order-files-conformance-secret-1").decode()


class Line(msgspec.Struct, kw_only=True):
    """A line of an order in the books: units at a price in hundredths."""

    sku: str
    quantity: int
    price: int


class Order(msgspec.Struct, kw_only=True):
    """An order in the books."""

    number: str
    placed_at: datetime
    lines: list[Line]

    @property
    def total(self) -> int:
        """Hundredths."""
        return sum(line.quantity * line.price for line in self.lines)


class OrderFilesPartner(SftpSimulator):
    """Keeps orders, drops them as tables, and takes confirmations and stock files into folders of its own."""

    vendor = "order_files"

    def __init__(self, *, secret: str = SECRET, **base: Any) -> None:
        super().__init__(folders=("orders", "confirmations", "stock"), **base)
        self.secret = secret
        self.orders: dict[str, Order] = {}
        self.hub_url: str | None = None
        """Where uploads go."""

    def place_order(self, lines: Sequence[tuple[str, int]], *, price: int = 1999) -> Order:
        """A customer orders; no file is written yet."""
        bought = [Line(sku=sku, quantity=units, price=price) for sku, units in lines]
        order = Order(number=f"F-{len(self.orders) + 1}", placed_at=self.now(), lines=bought)
        self.orders[order.number] = order
        return order

    def table(self, orders: Sequence[Order]) -> bytes:
        """A file with a row per line, in the default layout."""
        rows = [",".join(COLUMNS)]
        for order in orders:
            address = "Zoë Quimby,zoe.quimby@example.com,417 Montgomery Street,San Francisco,CA,94104,US"
            head = f"{order.number},{order.placed_at.isoformat()},USD,{_money(order.total)},paid,{address}"
            for number, line in enumerate(order.lines, 1):
                amounts = f"{_money(line.price)},{_money(line.price * line.quantity)}"
                rows.append(f'{head},{number},{line.sku},{line.quantity},"{line.sku}, new",{amounts}')
        return "\r\n".join((*rows, "")).encode()

    def drop_orders(self, name: str, orders: Sequence[Order]) -> bytes:
        """Put a file where the hub takes it from."""
        body = self.table(orders)
        self.drop(f"orders/{name}", body)
        return body

    def signed(self, name: str, body: bytes, url: str = "") -> Sent:
        """An upload, as Standard Webhooks signs it."""
        stamp = str(int(self.now().timestamp()))
        return Sent(url=url or self.hub_url or "", headers=signature(self.secret, name, stamp, body), body=body)

    def upload(self, name: str, body: bytes) -> None:
        """Send a file to the hub."""
        self.deliver(self.signed(name, body))


def signature(secret: str, name: str, stamp: str, body: bytes) -> dict[str, str]:
    """The three headers."""
    signed = hmac.digest(standard_key(secret), f"{name}.{stamp}.".encode() + body, hashlib.sha256)
    given = f"v1,{base64.b64encode(signed).decode()}"
    return {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": given}


def _money(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02}"
