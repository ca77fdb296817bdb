"""The simulator's books and its warehouse: orders come in, units leave the shelf, webhooks say so."""

import asyncio
import base64
import hashlib
import hmac
import math
from collections import Counter, deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from adapters.shiphero import simulator_documents as documents
from adapters.shiphero.simulator_documents import Json, Line, Order, Return, Shelf, Shipment
from hub.sdk.testkit.simulator import Faults, Sent
from hub.sdk.testkit.working import Working

ACCOUNT_NUMBER = 18963


class Said(Exception):
    """An error told in GraphQL."""

    def __init__(self, message: str, code: int, **more: object) -> None:
        super().__init__(message)
        self.error: Json = {"message": message, "code": code, **more}


class LineInput(msgspec.Struct):
    sku: str
    partner_line_item_id: str
    quantity: int
    price: str
    warehouse_id: str | None = None


class Warehouse(Working):
    """Books of one account as public attributes, and the work on them. Knobs may be turned while it runs.

    `auto_ship` ships an accepted order after `ship_after_ms`: in two shipments with probability `split`, one unit
    short with probability `short` (the shelf turns out to be empty); one that is held waits. `webhooks` names the types
    that are subscribed; they are sent to `hub_url`. `orders_created` counts per reference, `sent` webhooks per type.
    """

    def __init__(
        self,
        *,
        webhook_secret: str = "shared-signature-1",
        warehouses: Mapping[str, str] | None = None,
        hub_url: str | None = None,
        auto_ship: bool = False,
        ship_after_ms: int = 200,
        seed: int = 1,
        faults: Faults | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(seed=seed, faults=faults, now=now)
        self.webhook_secret = webhook_secret
        self.warehouses: dict[str, str] = dict(warehouses or {"76733": "Primary"})
        self.hub_url = hub_url
        self.auto_ship, self.ship_after_ms = auto_ship, ship_after_ms
        self.split = self.short = 0.0
        self.webhooks = {"Shipment Update", "Inventory Update", "Order Canceled", "Return Update"}
        self.orders: dict[int, Order] = {}
        self.orders_created: Counter[str] = Counter()
        self.shipments: list[Shipment] = []
        self.returns: list[Return] = []
        self.inventory: dict[tuple[str, str], Shelf] = {}
        self.sent: Counter[str] = Counter()
        self._by_reference: dict[str, list[Order]] = {}
        self._touched: dict[int, Order] = {}
        self._numbers = iter(range(300_000_001, 2**62))
        self._due: deque[tuple[datetime, Order]] = deque()

    # --- the books ---

    def find(self, identity: str) -> Order:
        """An order by ShipHero's id. Raises `Said`."""
        number = documents.number_of(identity) if identity else ""
        order = self.orders.get(int(number)) if number.isdigit() else None
        if order is None:
            raise Said("Order not found", 5)
        return order

    def updated(self, since: datetime | None) -> list[Order]:
        """Orders touched since then, the latest first; looks at no others."""
        found = []
        for order in reversed(self._touched.values()):
            if since is not None and order.updated_at < since:
                break
            found.append(order)
        return found

    def stock(self, warehouse: str, sku: str, on_hand: int) -> None:
        """Put units on a shelf: a count, not told to anybody. A new warehouse number opens the warehouse."""
        self.warehouses.setdefault(warehouse, f"Warehouse {warehouse}")
        self.inventory[warehouse, sku] = Shelf(on_hand=on_hand, updated_at=self.now())

    def found(self, reference: str) -> list[Order]:
        """Orders under a client's reference."""
        return self._by_reference.get(reference, [])

    def take_order(self, data: Mapping[str, object]) -> Order:
        """Enter an order as `order_create` takes it."""
        lines = msgspec.convert(data.get("line_items") or [], list[LineInput])
        if not lines or not isinstance(data.get("shipping_address"), dict):
            raise Said("An order needs line items and a shipping address", 1)
        shipping = data.get("shipping_lines")
        order = Order(
            number=next(self._numbers),
            reference=str(data.get("partner_order_id") or ""),
            order_number=str(data.get("order_number") or ""),
            shop_name=str(data.get("shop_name") or ""),
            status=str(data.get("fulfillment_status") or "pending"),
            lines=[self._line(line) for line in lines],
            updated_at=self.now(),
            service=str(shipping["title"]) if isinstance(shipping, dict) else "Ground",
        )
        self.orders[order.number] = order
        self.orders_created[order.reference] += 1
        self._by_reference.setdefault(order.reference, []).append(order)
        self._touch(order)
        if self.auto_ship:
            self._due.append((self.now() + timedelta(milliseconds=self.ship_after_ms), order))
        return order

    def _line(self, line: LineInput) -> Line:
        warehouse = documents.number_of(line.warehouse_id) if line.warehouse_id else next(iter(self.warehouses))
        if warehouse not in self.warehouses:
            raise Said("Warehouse not found", 5)
        return Line(
            number=next(self._numbers),
            reference=line.partner_line_item_id,
            sku=line.sku,
            quantity=line.quantity,
            warehouse=warehouse,
        )

    def ship(self, order: Order, *, part: bool = False, short: bool = False) -> Shipment | None:
        """Ship what is there: half of it for a part, else all, after which the order is closed, short or not.

        With nothing to ship the order is cancelled, as a warehouse would, and None is answered.
        """
        budget = sum(line.open for line in order.lines) // 2 if part else math.inf
        units: list[tuple[Line, int]] = []
        for line in order.lines:
            shelf = self.inventory.get((line.warehouse, line.sku)) or Shelf(on_hand=0, updated_at=self.now())
            if short and line.open:
                shelf.on_hand, short = min(shelf.on_hand, line.open - 1), False
            quantity = int(min(line.open, shelf.on_hand, budget))
            if quantity > 0:
                units.append((line, quantity))
                line.shipped += quantity
                budget -= quantity
                shelf.on_hand -= quantity
                shelf.updated_at = self.now()
        if not units:
            if not part and not order.shipments:
                self.cancel(order)
            return None
        return self._dispatch(order, units, closed=not part)

    def _dispatch(self, order: Order, units: list[tuple[Line, int]], *, closed: bool) -> Shipment:
        number = next(self._numbers)
        shipment = Shipment(
            number=number,
            order=order,
            warehouse=units[0][0].warehouse,
            created_at=self.now(),
            units=units,
            tracking=f"1Z999AA1{number:010d}",
        )
        self.shipments.append(shipment)
        order.shipments.append(number)
        order.status = "fulfilled" if closed else "partially_fulfilled"
        self._touch(order)
        name = self.warehouses[shipment.warehouse]
        self.tell(documents.order_packed_out(shipment))
        self.tell(documents.shipment_update(shipment, name))
        levels = [(line.sku, self.inventory[line.warehouse, line.sku].on_hand) for line, _ in units]
        self.tell(documents.inventory_update(ACCOUNT_NUMBER, shipment.warehouse, name, levels))
        return shipment

    def take_back(self, order: Order, units: Mapping[str, tuple[int, int]], status: str = "complete") -> Return:
        """Goods come back: (received, restocked) by SKU. What is restocked is on the shelf again."""
        made = Return(number=next(self._numbers), order=order, created_at=self.now(), units=dict(units), status=status)
        self.returns.append(made)
        for line in order.lines:
            _, restocked = units.get(line.sku, (0, 0))
            if restocked:
                shelf = self.inventory[line.warehouse, line.sku]
                shelf.on_hand, shelf.updated_at = shelf.on_hand + restocked, self.now()
        self.tell(documents.return_update(made))
        return made

    def cancel(self, order: Order) -> None:
        """Cancel an order and say so."""
        order.status = "canceled"
        self._touch(order)
        self.tell(documents.order_canceled(order))

    def hold(self, order: Order, *holds: str) -> None:
        """Hold an order for these and nothing else, as `operator_hold`; for none, it goes on. No webhook says so."""
        unknown = set(holds) - set(documents.HOLDS)
        if unknown:
            raise Said(f"There is no {', '.join(sorted(unknown))}", 1)
        order.holds = set(holds)
        self._touch(order)

    def _touch(self, order: Order) -> None:
        order.updated_at = self.now()
        self._touched.pop(order.number, None)
        self._touched[order.number] = order

    # --- webhooks and the warehouse's work ---

    def tell(self, body: Json) -> None:
        """Send a webhook, signed, when its type is subscribed and there is somewhere to send it."""
        kind = str(body["webhook_type"])
        if self.hub_url is None or kind not in self.webhooks:
            return
        self.sent[kind] += 1
        raw = msgspec.json.encode(body)
        message_id = f"{self.random.getrandbits(128):032x}"
        self.deliver(Sent(url=self.hub_url, headers=self.signed(raw, message_id), body=raw))

    def signed(self, raw: bytes, message_id: str) -> dict[str, str]:
        """Headers of a genuine delivery."""
        digest = hmac.digest(self.webhook_secret.encode(), raw, hashlib.sha256)
        return {
            "content-type": "application/json",
            "x-shiphero-hmac-sha256": base64.b64encode(digest).decode(),
            "x-shiphero-message-id": message_id,
        }

    async def work(self) -> None:
        """Pick what is due, one order after another."""
        while self._due and self._due[0][0] <= self.now():
            self._pick(self._due.popleft()[1])
            await asyncio.sleep(0)

    def _pick(self, order: Order) -> None:
        if order.status == "canceled":
            return
        if order.holds:
            self._due.append((self.now() + timedelta(milliseconds=self.ship_after_ms), order))
            return
        chance = self.random.random
        if not order.shipments and sum(line.open for line in order.lines) > 1 and chance() < self.split:
            self.ship(order, part=True)
            self._due.append((self.now() + timedelta(milliseconds=self.ship_after_ms), order))
        else:
            self.ship(order, short=chance() < self.short)
