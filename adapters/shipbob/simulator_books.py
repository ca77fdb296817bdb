"""What the simulated ShipBob keeps: orders, shipments and shelves, and how they move on by themselves."""

import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any

import msgspec


class Shipment(msgspec.Struct, kw_only=True):
    """A parcel in the making. `units` are per SKU."""

    id: int
    order: int
    location: int
    units: dict[str, int]
    created: datetime
    updated: datetime
    status: str = "Processing"
    detail: str | None = None
    tracking: str | None = None
    carrier: str | None = None
    shipped: datetime | None = None
    delivered: datetime | None = None

    @property
    def stoppable(self) -> bool:
        """Whether it can still be cancelled: not once picked."""
        return self.status in ("Exception", "OnHold") or (self.status == "Processing" and self.detail is None)


class Order(msgspec.Struct, kw_only=True):
    """An order as it was posted, and its shipments."""

    id: int
    reference: str
    channel: int
    document: dict[str, Any]
    created: datetime
    updated: datetime
    shipments: list[Shipment]

    @property
    def status(self) -> str:
        """Computed from the shipments, as ShipBob does."""
        states = {shipment.status for shipment in self.shipments}
        if states == {"Cancelled"}:
            return "Cancelled"
        states.discard("Cancelled")
        if states == {"Completed"}:
            return "Fulfilled"
        if "Completed" in states:
            return "PartiallyFulfilled"
        return "Exception" if "Exception" in states else "Processing"


class Return(msgspec.Struct, kw_only=True):
    """What came back of a shipment. `done` is units by (SKU, action)."""

    id: int
    shipment: Shipment
    created: datetime
    done: dict[tuple[str, str], int]
    completed: datetime | None = None


class Announced(msgspec.Struct, kw_only=True):
    """A receiving order: units expected and stowed by SKU."""

    id: int
    number: str | None
    location: int
    arrives: datetime
    expected: dict[str, int]
    inserted: datetime
    updated: datetime
    stowed: dict[str, int]
    stages: list[tuple[str, datetime]]

    @property
    def status(self) -> str:
        """The last state it came to."""
        return self.stages[-1][0]


class Moved(msgspec.Struct, kw_only=True):
    """An event of the history: a signed change of what is on a shelf."""

    id: int
    category: str
    location: int
    sku: str
    change: int
    at: datetime
    order: int | None = None


class Pace(msgspec.Struct, kw_only=True):
    """How the simulated warehouse works. Times are from the order's creation; None means never by itself."""

    ship_after_ms: int | None = 300
    deliver_after_ms: int | None = None
    """From shipping; None leaves delivery to the carrier."""
    split_rate: float = 0.0
    """Share of orders of two units or more that leave in two shipments."""
    exception_rate: float = 0.0
    """Share of shipments that come out as out of stock although the shelf is full."""


class Books:
    """State. `stock` is what lies on the shelf by location and SKU, promised or not."""

    def __init__(self, stock: Mapping[int, Mapping[str, int]], pace: Pace, chance: random.Random) -> None:
        self.stock = {location: dict(levels) for location, levels in stock.items()}
        self.pace = pace
        self.committed: Counter[tuple[int, str]] = Counter()
        self.orders: dict[int, Order] = {}
        self.by_reference: dict[str, Order] = {}
        self.shipments: dict[int, Shipment] = {}
        self.waiting: list[Shipment] = []
        self.products: dict[str, int] = {}
        self.returns: list[Return] = []
        self.announced: list[Announced] = []
        self.movements: list[Moved] = []
        self._random = chance
        self._due: list[tuple[datetime, int, str]] = []
        self._changes: list[tuple[datetime, int]] = []

    def add(self, document: dict[str, Any], channel: int, location: int, now: datetime) -> Order:
        """Take an order on and plan its shipments."""
        units: Counter[str] = Counter()
        for product in document["products"]:
            units[product["reference_id"]] += product["quantity"]
            self.product(product["reference_id"])
        number = 100_000 + len(self.orders)
        order = Order(
            id=number,
            reference=document["reference_id"],
            channel=channel,
            document=document,
            created=now,
            updated=now,
            shipments=[],
        )
        self.orders[number] = self.by_reference[order.reference] = order
        for part in self._parts(units):
            shipment = Shipment(
                id=500_000 + len(self.shipments), order=number, location=location, units=part, created=now, updated=now
            )
            self.shipments[shipment.id] = shipment
            order.shipments.append(shipment)
            forced = self._random.random() < self.pace.exception_rate
            self._allocate(shipment, now, forced=forced)
        self._touch(order, now)
        return order

    def product(self, sku: str) -> int:
        """ShipBob's number of a product; made when it is first seen."""
        return self.products.setdefault(sku, 7_000 + len(self.products))

    def announce(
        self, location: int, expected: dict[str, int], arrives: datetime, now: datetime, number: str | None = None
    ) -> Announced:
        """A receiving order is made."""
        made = Announced(
            id=800_000 + len(self.announced),
            number=number,
            location=location,
            arrives=arrives,
            expected=expected,
            inserted=now,
            updated=now,
            stowed={},
            stages=[("Awaiting", now)],
        )
        self.announced.append(made)
        return made

    def stow(self, order: Announced, units: Mapping[str, int], now: datetime) -> None:
        """Units of a receiving order come to the shelf."""
        order.updated = now
        order.stages.append(("Processing", now))
        for sku, quantity in units.items():
            order.stowed[sku] = order.stowed.get(sku, 0) + quantity
            self.receive(order.location, sku, quantity, now)

    def close(self, order: Announced, now: datetime, status: str = "Completed") -> None:
        """No more comes of it."""
        order.updated = now
        order.stages.append((status, now))

    def inventory_id(self, sku: str) -> int:
        """ShipBob's number of the thing on the shelf that stands for a product."""
        return 1_000_000 + self.product(sku)

    def receive(self, location: int, sku: str, quantity: int, now: datetime) -> None:
        """Goods arrive; shipments that waited for them go on by themselves."""
        shelf = self.stock.setdefault(location, {})
        shelf[sku] = shelf.get(sku, 0) + quantity
        self.move("ReceivingStow", location, sku, quantity, now)
        waiting, self.waiting = self.waiting, []
        for shipment in waiting:
            if shipment.status == "Exception":
                self._allocate(shipment, now)
                self._touch(self.orders[shipment.order], now)

    def cancel(self, order: Order, now: datetime) -> list[tuple[Shipment, bool]]:
        """Cancel what can be; says of each shipment whether it could."""
        results = []
        for shipment in order.shipments:
            if shipment.status == "Cancelled":
                continue
            can = shipment.stoppable
            if can:
                self._uncommit(shipment)
                shipment.status, shipment.detail, shipment.updated = "Cancelled", None, now
            results.append((shipment, can))
        self._touch(order, now)
        return results

    def advance(self, now: datetime) -> None:
        """Do what has become due."""
        while self._due and self._due[0][0] <= now:
            at, number, step = heappop(self._due)
            shipment = self.shipments[number]
            if step == "pick" and shipment.status == "Processing":
                shipment.detail, shipment.updated = "Picked", now
            elif step == "ship" and shipment.status == "Processing":
                self.ship(shipment, now)
            elif step == "deliver":
                shipment.detail, shipment.delivered, shipment.updated = "Delivered", at, now
            else:
                continue
            self._touch(self.orders[shipment.order], now)

    def ship(self, shipment: Shipment, now: datetime) -> None:
        """A parcel leaves the building, and its goods the shelf."""
        self._uncommit(shipment)
        shelf = self.stock[shipment.location]
        for sku, quantity in shipment.units.items():
            shelf[sku] -= quantity
            self.move("OrderPicked", shipment.location, sku, -quantity, now, shipment.order)
        shipment.status, shipment.detail, shipment.shipped, shipment.updated = "Completed", None, now, now
        shipment.carrier = "UPS" if shipment.id % 2 else "USPS"
        prefix = "1Z999AA1" if shipment.carrier == "UPS" else "94001118992"
        shipment.tracking = f"{prefix}{shipment.id:010d}"
        self._plan(shipment, now, self.pace.deliver_after_ms, "deliver")
        self._touch(self.orders[shipment.order], now)

    def take_back(self, shipment: Shipment, done: dict[tuple[str, str], int], now: datetime) -> Return:
        """A parcel comes back and is looked at; what is fit for sale is on the shelf again."""
        made = Return(id=700_000 + len(self.returns), shipment=shipment, created=now, done=done, completed=now)
        self.returns.append(made)
        for (sku, action), quantity in done.items():
            if action == "Restock":
                shelf = self.stock[shipment.location]
                shelf[sku] = shelf.get(sku, 0) + quantity
                self.move("InventoryRestocked", shipment.location, sku, quantity, now, shipment.order)
        return made

    def move(
        self, category: str, location: int, sku: str, change: int, now: datetime, order: int | None = None
    ) -> None:
        """Write an event of the history."""
        number = 9_000_000 + len(self.movements)
        self.movements.append(
            Moved(id=number, category=category, location=location, sku=sku, change=change, at=now, order=order)
        )

    def changed(self, start: datetime | None, end: datetime | None) -> Iterator[Order]:
        """Orders whose last change lies between two moments, each once, in the order of their making."""
        begin = bisect_left(self._changes, (start, 0)) if start is not None else 0
        found: set[int] = set()
        for at, number in self._changes[begin:]:
            if end is not None and at > end:
                break
            if self.orders[number].updated == at:
                found.add(number)
        return (self.orders[number] for number in sorted(found))

    def _parts(self, units: Counter[str]) -> list[dict[str, int]]:
        total = sum(units.values())
        if total < 2 or self._random.random() >= self.pace.split_rate:
            return [dict(units)]
        first: dict[str, int] = {}
        room = total // 2
        for sku, quantity in units.items():
            taken = min(room, quantity)
            room -= taken
            if taken:
                first[sku] = taken
        rest = {sku: quantity - first.get(sku, 0) for sku, quantity in units.items()}
        return [first, {sku: quantity for sku, quantity in rest.items() if quantity}]

    def _allocate(self, shipment: Shipment, now: datetime, *, forced: bool = False) -> None:
        shelf, place = self.stock.get(shipment.location, {}), shipment.location
        short = any(shelf.get(sku, 0) - self.committed[place, sku] < units for sku, units in shipment.units.items())
        shipment.updated = now
        if short or forced:
            shipment.status, shipment.detail = "Exception", "OutOfStock"
            self.waiting.append(shipment)
            return
        for sku, quantity in shipment.units.items():
            self.committed[place, sku] += quantity
        shipment.status, shipment.detail = "Processing", None
        after = self.pace.ship_after_ms
        self._plan(shipment, now, None if after is None else after // 2, "pick")
        self._plan(shipment, now, after, "ship")

    def _uncommit(self, shipment: Shipment) -> None:
        if shipment.status == "Processing":
            for sku, quantity in shipment.units.items():
                self.committed[shipment.location, sku] -= quantity

    def _plan(self, shipment: Shipment, now: datetime, after_ms: int | None, step: str) -> None:
        if after_ms is not None:
            heappush(self._due, (now + timedelta(milliseconds=after_ms), shipment.id, step))

    def _touch(self, order: Order, now: datetime) -> None:
        last = self._changes[-1][0] if self._changes else now
        order.updated = max(now, last)
        self._changes.append((order.updated, order.id))
