"""The simulated network's books: inventory, orders and their shipments. They move on whenever somebody looks."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

OPEN: Final = frozenset({"RECEIVED", "PLANNING", "PROCESSING"})


class Pace(msgspec.Struct, kw_only=True):
    """How fast it works, in milliseconds after the order; None stands still."""

    process_after_ms: int | None = 0
    """From then on nothing can be cancelled."""
    ship_after_ms: int | None = 0
    rest_after_ms: int | None = None
    """Then the first line leaves alone, and all others so long after the order; None: all leave together."""
    deliver_after_ms: int | None = None
    split: bool = False
    """Two packages for an order of several units."""
    fulfiller_cancels: bool = False
    """The first shipment is cancelled by Amazon itself, and another one follows."""


class Line(msgspec.Struct, kw_only=True):
    """A line of an order."""

    id: str
    sku: str
    quantity: int
    cancelled: int = 0
    unfulfillable: int = 0


class Package(msgspec.Struct, kw_only=True):
    """A box."""

    number: int
    carrier: str
    tracking: str
    delivered: datetime | None = None


class Item(msgspec.Struct, kw_only=True):
    """Units of a line in a package."""

    line: str
    sku: str
    quantity: int
    package: int


class Shipment(msgspec.Struct, kw_only=True):
    """What leaves one centre."""

    id: str
    status: str
    at: datetime
    items: list[Item]
    packages: list[Package]


class Order(msgspec.Struct, kw_only=True):
    """An order; `status` in words of our own, between the two versions' vocabularies."""

    id: str
    number: str
    policy: str
    speed: str
    version: str
    placed: datetime
    received: datetime
    changed: datetime
    address: dict[str, str]
    lines: list[Line]
    status: str = "RECEIVED"
    stated: tuple[str, datetime] | None = None
    """The status that was last changed to, and when: of nothing else does 2020-07-01 list an order as changed."""
    shipments: list[Shipment] = msgspec.field(default_factory=list)

    def gone(self, line: Line) -> int:
        """Units of a line that left."""
        items = (item for shipment in self.shipments if shipment.status == "SHIPPED" for item in shipment.items)
        return sum(item.quantity for item in items if item.line == line.id)

    def left(self, line: Line) -> int:
        """Units of a line that are still to leave."""
        return line.quantity - line.cancelled - line.unfulfillable - self.gone(line)


class Books:
    """What Amazon knows of one seller's goods and orders."""

    def __init__(self, stock: dict[str, int], pace: Pace, chance: random.Random) -> None:
        self.stock = stock
        self.pace = pace
        self.orders: dict[str, Order] = {}
        self.created: Counter[str] = Counter()
        self.touched: dict[str, datetime] = {}
        """When a SKU's figures changed last."""
        self._random = chance
        self._count = 0

    def number(self) -> int:
        """A number never given before."""
        self._count += 1
        return self._count

    def reserved(self, sku: str) -> int:
        """Units that open orders hold."""
        return sum(
            order.left(line)
            for order in self.orders.values()
            if order.status in OPEN
            for line in order.lines
            if line.sku == sku
        )

    def fulfillable(self, sku: str) -> int:
        """Units that can still be promised."""
        return max(0, self.stock.get(sku, 0) - self.reserved(sku))

    def add(self, order: Order) -> Order:
        """Take an order on: what is not there is dealt with by its policy."""
        short = {}
        for line in order.lines:
            short[line.id] = max(0, line.quantity - self.fulfillable(line.sku))
        self.orders[order.id] = order
        self.created[order.id] += 1
        if any(short.values()):
            if order.policy == "FillOrKill":
                order.status = "UNFULFILLABLE"
                for line in order.lines:
                    line.unfulfillable = line.quantity
            elif order.policy == "FillAllAvailable":
                for line in order.lines:
                    line.unfulfillable = short[line.id]
                if all(line.unfulfillable == line.quantity for line in order.lines):
                    order.status = "UNFULFILLABLE"
        self._touch(order, order.received)
        return order

    def cancel(self, order: Order, now: datetime) -> bool:
        """Stop it, if nobody works on it yet."""
        if order.status not in ("RECEIVED", "PLANNING"):
            return False
        order.status = "CANCELLED"
        for line in order.lines:
            line.cancelled = line.quantity
        self._touch(order, now)
        return True

    def advance(self, now: datetime) -> None:
        """Everything that is due."""
        for order in self.orders.values():
            if order.status in OPEN:
                self._advance(order, now)
            if self._due(order, self.pace.deliver_after_ms, now):
                for package in (package for shipment in order.shipments for package in shipment.packages):
                    if package.delivered is None:
                        package.delivered = now
                        self._touch(order, now)

    def _advance(self, order: Order, now: datetime) -> None:
        if order.status == "RECEIVED" and self._due(order, self.pace.process_after_ms, now):
            order.status = "PROCESSING"
            self._touch(order, now)
        waiting = any(self.stock.get(line.sku, 0) < order.left(line) for line in order.lines)
        if order.status == "PROCESSING" and self._due(order, self.pace.ship_after_ms, now) and not waiting:
            if self.pace.rest_after_ms is None or self._due(order, self.pace.rest_after_ms, now):
                self._ship(order, order.lines, now)
            elif not order.shipments:
                self._ship(order, order.lines[:1], now)

    def _ship(self, order: Order, lines: Sequence[Line], now: datetime) -> None:
        wanted = {line.id: order.left(line) for line in lines}
        if self.pace.fulfiller_cancels and not order.shipments:
            order.shipments.append(self._shipment(order, wanted, "CANCELLED_BY_FULFILLER", now, packages=0))
        boxes = 2 if self.pace.split and sum(wanted.values()) > 1 else 1
        order.shipments.append(self._shipment(order, wanted, "SHIPPED", now, packages=boxes))
        for line in lines:
            self.stock[line.sku] -= wanted[line.id]
        if not any(order.left(line) for line in order.lines):
            short = any(line.unfulfillable for line in order.lines)
            order.status = "COMPLETE_PARTIAL" if short else "COMPLETE"
        self._touch(order, now)

    def _shipment(self, order: Order, wanted: dict[str, int], status: str, now: datetime, *, packages: int) -> Shipment:
        boxes = [
            Package(
                number=540_000_000 + self.number(), carrier="UPS", tracking=f"1Z{self._random.randrange(10**12):012d}"
            )
            for _ in range(packages)
        ]
        items = []
        for place, line in enumerate(order.lines):
            units = wanted.get(line.id, 0)
            box = boxes[place % len(boxes)].number if boxes else 0
            if units:
                items.append(Item(line=line.id, sku=line.sku, quantity=units, package=box))
        return Shipment(id=f"D{self.number():08d}", status=status, at=now, items=items, packages=boxes)

    def changed(self, since: datetime) -> Sequence[Order]:
        """Orders that changed since a moment, oldest change first."""
        return sorted((order for order in self.orders.values() if order.changed >= since), key=lambda one: one.changed)

    def restated(self, since: datetime) -> Sequence[Order]:
        """Orders whose status changed since a moment, oldest change first."""
        stated = ((order.stated[1], order.id) for order in self.orders.values() if order.stated)
        return [self.orders[one] for at, one in sorted(stated) if at >= since]

    def _due(self, order: Order, after_ms: int | None, now: datetime) -> bool:
        return after_ms is not None and now >= order.received + timedelta(milliseconds=after_ms)

    def _touch(self, order: Order, now: datetime) -> None:
        order.changed = now
        if order.stated is None or order.stated[0] != order.status:
            order.stated = (order.status, now)
        for line in order.lines:
            self.touched[line.sku] = now
