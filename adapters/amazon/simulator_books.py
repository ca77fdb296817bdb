"""The simulated seller's books: orders, listings, feeds and their documents, the queue. They move on when looked at."""

import random
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

US: Final = "ATVPDKIKX0DER"
OPEN: Final = frozenset({"UNSHIPPED", "PARTIALLY_SHIPPED"})


class Line(msgspec.Struct, kw_only=True):
    """A line of an order; `price` is for one unit."""

    id: str
    sku: str
    title: str
    quantity: int
    price: Decimal
    shipped: int = 0
    buyer_wish: str | None = None
    cancelled_by: str | None = None


class Package(msgspec.Struct, kw_only=True):
    """A package as the seller confirmed it."""

    reference: str
    tracking: str
    carrier: str
    service: str | None
    shipped: str
    contents: dict[str, int]


class Order(msgspec.Struct, kw_only=True):
    """An order, as Amazon has it."""

    id: str
    marketplace: str
    currency: str
    placed: datetime
    updated: datetime
    status: str
    fulfilled_by: str
    lines: list[Line]
    address: dict[str, str]
    shipping: Decimal = Decimal(0)
    tax_rate: Decimal = Decimal(0)
    tax_included: bool = False
    programs: tuple[str, ...] = ()
    packages: dict[str, Package] = msgspec.field(default_factory=dict)

    def line(self, identity: str) -> Line | None:
        """A line by its id."""
        return next((line for line in self.lines if line.id == identity), None)

    def settle(self) -> None:
        """The status that the lines amount to."""
        live = [line for line in self.lines if line.cancelled_by is None]
        if not live:
            self.status = "CANCELLED"
        elif all(line.shipped >= line.quantity for line in live):
            self.status = "SHIPPED"
        elif any(line.shipped for line in self.lines):
            self.status = "PARTIALLY_SHIPPED"


class Listing(msgspec.Struct, kw_only=True):
    """A SKU on sale. `submitted` shows in the attributes at once, `quantity` on the offer only later."""

    sku: str
    product_type: str = "HOME"
    submitted: list[dict[str, object]] = msgspec.field(default_factory=list)
    quantity: int = 0
    refuses: str | None = None
    """Why every submission is answered INVALID."""
    suffers: str | None = None
    """An issue that only shows when the listing is read back."""


class Document(msgspec.Struct, kw_only=True):
    """A document of a feed, or its result."""

    id: str
    content_type: str
    body: bytes | None = None
    gzip: bool = False


class Feed(msgspec.Struct, kw_only=True):
    """A job."""

    id: str
    kind: str
    document: str
    created: datetime
    status: str = "IN_QUEUE"
    result: str | None = None


class Queued(msgspec.Struct, kw_only=True):
    """A message in the queue, hidden until a moment."""

    body: str
    handle: str
    visible: datetime


class Refund(msgspec.Struct, kw_only=True):
    """Money given back."""

    id: str
    amount: Decimal
    currency: str
    at: datetime


class Books:
    """What Amazon knows of one seller."""

    def __init__(self, chance: random.Random) -> None:
        self.orders: dict[str, Order] = {}
        self.listings: dict[str, Listing] = {}
        self.feeds: dict[str, Feed] = {}
        self.documents: dict[str, Document] = {}
        self.queue: deque[Queued] = deque()
        self.refunds: dict[str, list[Refund]] = {}
        """Refunds by order: twice is twice."""
        self.acknowledged: Counter[str] = Counter()
        self._changes: list[tuple[datetime, str]] = []
        self._random = chance
        self._count = 0

    def number(self) -> int:
        """A number never given before."""
        self._count += 1
        return self._count

    def touch(self, order: Order, now: datetime) -> None:
        """Note a change; times never go back, so the list of changes stays sorted."""
        last = self._changes[-1][0] if self._changes else now
        order.updated = max(now.replace(microsecond=0), last)
        self._changes.append((order.updated, order.id))

    def changed(self, since: datetime) -> Sequence[Order]:
        """Orders changed since a moment, each once, oldest change first."""
        start = bisect_left(self._changes, (since, ""))
        current = (
            self.orders[identity] for at, identity in self._changes[start:] if self.orders[identity].updated == at
        )
        return list({order.id: order for order in current}.values())

    def place(
        self,
        lines: Sequence[tuple[str, int, Decimal]],
        now: datetime,
        *,
        address: dict[str, str],
        currency: str = "USD",
        marketplace: str = US,
        status: str = "UNSHIPPED",
        fulfilled_by: str = "MERCHANT",
        shipping: Decimal = Decimal(0),
        tax_rate: Decimal = Decimal(0),
        tax_included: bool = False,
        programs: tuple[str, ...] = (),
    ) -> Order:
        """A customer orders: (SKU, units, price of one)."""
        number = self.number()
        identity = f"{100 + number % 900}-{7_000_000 + number:07d}-{self._random.randrange(10_000_000):07d}"
        order = Order(
            id=identity,
            marketplace=marketplace,
            currency=currency,
            placed=now.replace(microsecond=0),
            updated=now,
            status=status,
            fulfilled_by=fulfilled_by,
            lines=[
                Line(id=f"{number:08d}{place:06d}", sku=sku, title=f"Title of {sku}", quantity=units, price=price)
                for place, (sku, units, price) in enumerate(lines, 1)
            ],
            address=address,
            shipping=shipping,
            tax_rate=tax_rate,
            tax_included=tax_included,
            programs=programs,
        )
        self.orders[identity] = order
        self.touch(order, now)
        return order

    def clear(self, order: Order, now: datetime) -> None:
        """A pending order is paid for."""
        order.status = "UNSHIPPED"
        self.touch(order, now)

    def wish(self, order: Order, now: datetime, reason: str = "Changed my mind") -> None:
        """The buyer asks to cancel all that has not gone."""
        for line in order.lines:
            if line.shipped < line.quantity:
                line.buyer_wish = reason
        self.touch(order, now)

    def confirm(self, order: Order, package: Package, now: datetime) -> str | None:
        """A shipment confirmation; the code of the error when it cannot be. A known reference is edited."""
        known = order.packages.get(package.reference)
        before = known.contents if known else {}
        for identity, units in package.contents.items():
            line = order.line(identity)
            if line is None or line.cancelled_by:
                return "InvalidOrderItemId"
            if line.shipped - before.get(identity, 0) + units > line.quantity:
                # All of it was confirmed in another way: Amazon looks for the package to edit and finds none.
                return "PackageToUpdateNotFound" if line.shipped >= line.quantity else "InvalidQuantity"
        for identity, units in package.contents.items():
            line = order.line(identity)
            assert line is not None
            line.shipped += units - before.get(identity, 0)
        order.packages[package.reference] = package
        order.settle()
        self.touch(order, now)
        return None

    def acknowledge(self, order: Order, lines: dict[str, str], now: datetime) -> str | None:
        """Cancel lines with reasons; why not, when Amazon refuses."""
        if order.status not in OPEN:
            return f"The order is {order.status} and cannot be acknowledged"
        for identity, reason in lines.items():
            line = order.line(identity)
            if line is None or line.shipped:
                return f"AmazonOrderItemCode {identity} is not open"
            line.cancelled_by = "BUYER" if reason == "BuyerCanceled" else "MERCHANT"
        self.acknowledged[order.id] += 1
        order.settle()
        self.touch(order, now)
        return None

    def put(self, content_type: str, body: bytes | None = None, *, gzip: bool = False) -> Document:
        """A place for a document."""
        document = Document(
            id=f"amzn1.tortuga.3.{self.number():08d}.DOC", content_type=content_type, body=body, gzip=gzip
        )
        self.documents[document.id] = document
        return document

    def enqueue(self, body: str, now: datetime, copies: int = 1) -> None:
        """A notification reaches the queue, maybe several times."""
        for _ in range(copies):
            self.queue.append(Queued(body=body, handle=f"handle-{self.number()}", visible=now))

    def receive(self, most: int, now: datetime, hidden: timedelta) -> list[Queued]:
        """Visible messages, in no order anybody promised."""
        found = [message for message in self.queue if message.visible <= now]
        self._random.shuffle(found)
        for message in found[:most]:
            message.visible = now + hidden
        return found[:most]

    def delete(self, handles: set[str]) -> None:
        """Messages that were dealt with."""
        self.queue = deque(message for message in self.queue if message.handle not in handles)
