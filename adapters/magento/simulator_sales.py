"""The simulated store by its own rules: what is shipped, invoiced, refunded and cancelled, and what stock does."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from adapters.magento.simulator_books import (
    ZERO,
    StoreDocument,
    StoreItem,
    StoreOrder,
    StoreProduct,
    StoreShipment,
    StoreSource,
    StoreTrack,
)
from hub.domain.money import MINOR_UNITS
from hub.sdk.testkit.simulator import Simulator

STATUS: Final = {"new": "pending", "payment_review": "payment_review", "holded": "holded"}


class Refusal(Exception):
    """The store says no: its message, with the values of its parameters."""

    def __init__(self, message: str, parameters: Any = None, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.parameters, self.status = message, parameters, status


def rounded(value: Decimal, currency: str) -> Decimal:
    """To the currency's minor unit."""
    return value.quantize(Decimal(1).scaleb(-MINOR_UNITS[currency]), ROUND_HALF_UP)


class Sales(Simulator):
    """Products, stock and orders of one store, and what becomes of an order."""

    def __init__(
        self, *, currency: str = "USD", sources: Sequence[StoreSource], ties: bool = False, **base: Any
    ) -> None:
        super().__init__(**base)
        self.currency, self.ties = currency, ties
        self.sources = {source.code: source for source in sources}
        self.products: dict[str, StoreProduct] = {}
        self.source_items: dict[tuple[str, str], int] = {}
        """Quantity by (SKU, source): what is on the shelf, promised or not."""
        self.in_stock: dict[tuple[str, str], bool] = {}
        self.reservations: defaultdict[str, int] = defaultdict(int)
        """Units by SKU that open orders took and no shipment has taken off a source yet."""
        self.orders: dict[int, StoreOrder] = {}
        self.shipments: dict[int, StoreShipment] = {}
        self.invoices: dict[int, StoreDocument] = {}
        self.memos: dict[int, StoreDocument] = {}
        self._folded: dict[str, StoreProduct] = {}
        self._last_id = 0

    # --- goods -------------------------------------------------------------------------------------------------------

    def sell(self, sku: str, *, price: Decimal = Decimal("10.00"), quantity: int = 0, **more: Any) -> StoreProduct:
        """Put a product up for sale, stocked at the first source; composite ones have no stock of their own."""
        product = StoreProduct(id=self.next_id(), sku=sku, name=more.pop("name", sku), price=price, **more)
        self.products[sku] = self._folded[sku.casefold()] = product
        if product.kind == "simple":
            self.set_stock(sku, next(iter(self.sources)), quantity)
        return product

    def of_skus(self, skus: Iterable[str]) -> list[StoreProduct]:
        """Products by SKU, without regard to case."""
        return [self._folded[sku.casefold()] for sku in skus if sku.casefold() in self._folded]

    def set_stock(self, sku: str, source: str, quantity: int, *, in_stock: bool | None = None) -> None:
        """Set a source item."""
        self.source_items[sku, source] = quantity
        self.in_stock[sku, source] = quantity > 0 if in_stock is None else in_stock

    def salable(self, sku: str) -> int:
        """What the store sells of a SKU: its sources that are in stock, less what open orders took."""
        held = (
            units for (one, source), units in self.source_items.items() if one == sku and self.in_stock[one, source]
        )
        return sum(held) - self.reservations[sku]

    # --- what becomes of an order ------------------------------------------------------------------------------------

    def ship(
        self, order: StoreOrder, units: Mapping[int, int], tracks: Sequence[Mapping[str, str]], **more: Any
    ) -> StoreShipment:
        """Units left. Takes them off the source and frees what the order had reserved. Raises `Refusal`."""
        source = more.get("source") or next(iter(self.sources))
        if order.state in ("holded", "canceled", "payment_review", "pending_payment", "complete", "closed"):
            raise Refusal(
                "Shipment Document Validation Error(s):\nA shipment cannot be created when an order has a status of %1",
                [order.status],
            )
        asked = dict(units) or self._everything(order)
        taken = self._taken(order, asked)
        if source not in self.sources or not self.sources[source].enabled or not self._covered(taken, source):
            raise Refusal("Could not save a shipment, see error log for details")
        for id, quantity in asked.items():
            order.by_id[id].shipped += quantity
        for sku, quantity in taken.items():
            self.source_items[sku, source] -= quantity
            self.reservations[sku] -= quantity
        made = StoreShipment(
            id=self.next_id(),
            order=order.id,
            units=asked,
            tracks=tuple(
                StoreTrack(id=self.next_id(), number=t["track_number"], title=t["title"], carrier=t["carrier_code"])
                for t in tracks
            ),
            source=source,
            notes=tuple(filter(None, (more.get("note"),))),
            notified=bool(more.get("notify")),
            created_at=self.now().replace(microsecond=0),
        )
        order.shipments.append(made)
        self.shipments[made.id] = made
        self.settle(order)
        return made

    def _everything(self, order: StoreOrder) -> dict[int, int]:
        """What a shipment without items means."""
        return {item.id: item.to_ship for item in order.items if item.to_ship and self._ships_itself(order, item)}

    def _ships_itself(self, order: StoreOrder, item: StoreItem) -> bool:
        """Configurables and bundles that leave together ship as the parent, bundles that do not as their parts."""
        if item.product.virtual:
            return False
        if item.product.kind == "bundle":
            return item.product.together
        if item.parent is None:
            return True
        parent = order.by_id[item.parent].product
        return parent.kind == "bundle" and not parent.together

    def _taken(self, order: StoreOrder, asked: Mapping[int, int]) -> Counter[str]:
        """Units by SKU that a shipment takes off a shelf. Raises `Refusal` for what the store does not ship so."""
        taken: Counter[str] = Counter()
        for id, quantity in asked.items():
            item = order.by_id.get(id)
            if item is None:
                raise Refusal(
                    "Shipment Document Validation Error(s):\n"
                    "The shipment contains product item that is not part of the original order."
                )
            if not self._ships_itself(order, item):
                raise Refusal(
                    'Shipment Document Validation Error(s):\nYou can\'t create a shipment without products ("%1").',
                    [item.sku],
                )
            if quantity > item.to_ship:
                raise Refusal(
                    "Shipment Document Validation Error(s):\n"
                    'The quantity to ship must not be greater than the unshipped quantity for product SKU "%1".',
                    [item.sku],
                )
            parts = order.children(item)
            for part in parts or [item]:
                taken[part.product.sku] += quantity * part.ordered // item.ordered
        return taken

    def _covered(self, taken: Mapping[str, int], source: str) -> bool:
        return all(self.source_items.get((sku, source), 0) >= units for sku, units in taken.items())

    def invoice(self, order: StoreOrder, units: Mapping[int, int], *, capture: bool, note: str | None) -> StoreDocument:
        """Invoice units (none named: all that is left). The first invoice takes the shipping. Raises `Refusal`."""
        if order.state in ("holded", "canceled", "closed", "payment_review"):
            raise Refusal(
                "Invoice Document Validation Error(s):\nAn invoice cannot be created when an order has a status of %1",
                [order.status],
            )
        asked = {id: quantity for id, quantity in units.items() if quantity} or {
            item.id: item.to_invoice for item in order.items if item.parent is None and item.to_invoice
        }
        if not asked or any(quantity > order.by_id[id].to_invoice for id, quantity in asked.items()):
            raise Refusal("Invoice Document Validation Error(s):\nThe invoice can't be created without products.")
        first = not any(one.state != 3 for one in order.invoices)
        made = self._document(order, asked, "invoiced", shipping=order.shipping if first else ZERO, first=first)
        made.gift_card = min(order.gift_card, made.total) if first else ZERO
        made.notes, made.captured = tuple(filter(None, (note,))), capture
        order.invoices.append(made)
        self.invoices[made.id] = made
        self.settle(order)
        return made

    def refund(
        self,
        order: StoreOrder,
        units: Mapping[int, int],
        *,
        invoice: int | None = None,
        shipping: Decimal | None = None,
        adjustment: Decimal = ZERO,
        back_to: Sequence[int] = (),
        note: str | None = None,
    ) -> StoreDocument:
        """A credit memo over units (none named: all that is invoiced). Raises `Refusal`."""
        if order.state == "holded":
            raise Refusal("Creditmemo Document Validation Error(s):\nA creditmemo can not be created when on hold")
        asked = dict(units) or {
            item.id: item.invoiced - item.refunded
            for item in order.items
            if item.parent is None and item.invoiced > item.refunded
        }
        over = any(quantity > order.by_id[id].invoiced - order.by_id[id].refunded for id, quantity in asked.items())
        if over or (not asked and not adjustment):
            raise Refusal(
                "Creditmemo Document Validation Error(s):\nThe quantity to creditmemo must not be greater than the "
                'unrefunded quantity for product SKU "%1".',
                [order.by_id[next(iter(asked))].sku if asked else ""],
            )
        given = sum((memo.shipping for memo in order.memos), ZERO)
        back = order.shipping - given if shipping is None else shipping
        made = self._document(order, asked, "refunded", shipping=back, first=back > 0)
        made.adjustment, made.invoice, made.notes = adjustment, invoice, tuple(filter(None, (note,)))
        order.memos.append(made)
        self.memos[made.id] = made
        for id in back_to:
            self._put_back(order, order.by_id[id], asked.get(id, 0))
        self.settle(order)
        return made

    def _put_back(self, order: StoreOrder, item: StoreItem, quantity: int) -> None:
        """Units that did not leave are no longer reserved; those that did are on the shelf again."""
        for part in order.children(item) or [item]:
            units = quantity * part.ordered // item.ordered
            left = max(0, item.shipped - (item.refunded - quantity)) * part.ordered // item.ordered
            self.reservations[part.product.sku] -= max(0, units - left)
            home = (part.product.sku, next(iter(self.sources)))
            self.source_items[home] = self.source_items.get(home, 0) + min(units, left)

    def _document(
        self, order: StoreOrder, units: Mapping[int, int], field: str, *, shipping: Decimal, first: bool
    ) -> StoreDocument:
        """Amounts of units, in proportion; the last units of a line take what rounding left."""
        subtotal = tax = discount = hidden = ZERO
        for id, quantity in units.items():
            item = order.by_id[id]
            for one in (item, *order.children(item)):
                before = getattr(one, field)
                count = quantity * one.ordered // item.ordered
                setattr(one, field, before + count)
                if not one.repeats_price:
                    subtotal += self._share(one.row_total, before, count, one.ordered)
                    tax += self._share(one.tax, before, count, one.ordered)
                    discount += self._share(one.discount, before, count, one.ordered)
                    hidden += self._share(one.hidden_tax, before, count, one.ordered)
        shipping_tax = order.shipping_tax if first and shipping == order.shipping else ZERO
        return StoreDocument(
            id=self.next_id(),
            order=order.id,
            units=dict(units),
            subtotal=subtotal,
            tax=tax + shipping_tax,
            discount=discount,
            hidden_tax=hidden,
            shipping=shipping,
            shipping_tax=shipping_tax,
            created_at=self.now().replace(microsecond=0),
        )

    def _share(self, amount: Decimal, before: int, count: int, ordered: int) -> Decimal:
        """Rounded up to here, less what was rounded up to before: parts add up to the whole."""
        upto = rounded(amount * (before + count) / ordered, self.currency)
        return upto - rounded(amount * before / ordered, self.currency)

    def cancel(self, order: StoreOrder) -> bool:
        """Cancel what is neither invoiced nor shipped; false where nothing is. Raises `Refusal`."""
        if order.state == "holded":
            raise Refusal("You cannot cancel an order that is on hold.")
        if order.state in ("canceled", "complete", "closed") or not any(item.to_cancel for item in order.items):
            return False
        for item in order.items:
            freed = item.to_cancel
            item.cancelled += freed
            if not self._composite(item) and not item.product.virtual:
                self.reservations[item.product.sku] -= freed
        whole = not order.invoices and not order.shipments
        order.shipping_cancelled = not order.invoices
        self.settle(order, "canceled" if whole else None)
        return True

    def settle(self, order: StoreOrder, state: str | None = None) -> None:
        """The state that follows from what was shipped, invoiced and refunded; and the order has changed."""
        own = [item for item in order.items if item.parent is None]
        if state is None:
            refunded = bool(order.memos) and order.refunded >= order.paid > 0
            shipped = not any(item.to_ship for item in order.items if self._ships_itself(order, item))
            billed = not any(item.to_invoice for item in own)
            state = "closed" if refunded else "complete" if shipped and billed and order.invoices else "processing"
        if state != order.state:
            order.state, order.status = state, STATUS.get(state, state)
        now = self.now().replace(microsecond=0)
        order.updated_at = now if self.ties or now > order.updated_at else order.updated_at + timedelta(seconds=1)
        if order.history[-1][1] != order.status:
            order.history.append((order.updated_at, order.status))

    def next_id(self) -> int:
        """One row of ids for all."""
        self._last_id += 1
        return self._last_id

    def _composite(self, item: StoreItem) -> bool:
        return item.product.kind in ("bundle", "configurable")

    def _stocked(self, order: StoreOrder) -> list[StoreItem]:
        """Items of which something lies on a shelf."""
        return [item for item in order.items if not self._composite(item) and not item.product.virtual]
