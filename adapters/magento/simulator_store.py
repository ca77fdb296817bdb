"""What customers and staff of the simulated store do: orders are placed and reckoned, held, corrected.

Prices are reckoned as the store does by row: tax out of the price where the catalogue has it in, discount on the stated
price, tax on what is left, and the tax inside the discount as "discount tax compensation".
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from adapters.magento.simulator_books import ZERO, StoreItem, StoreOrder, StoreProduct
from adapters.magento.simulator_sales import STATUS, Sales, rounded
from hub.domain.contact import Contact

CUSTOMER: Final = Contact(
    name="Ida Marlowe",
    company=None,
    email="ida.marlowe@shop.example",
    phone="+1 415 555 0117",
    lines=("88 Alder Street", "Apt 4"),
    city="Portland",
    region="OR",
    postal_code="97205",
    country="US",
)


class Store(Sales):
    """One store, its customers and its staff."""

    def place_order(
        self,
        lines: Sequence[tuple[str, int]],
        *,
        ship_to: Contact = CUSTOMER,
        shipping: Decimal = Decimal("5.00"),
        shipping_method: str = "flatrate_flatrate",
        tax_rate: Decimal = ZERO,
        prices_include_tax: bool = False,
        discount_percent: Decimal = ZERO,
        currency: str | None = None,
        rate: Decimal = Decimal(1),
        payment_method: str = "checkmo",
        paid: bool = False,
        authorised: bool = True,
        gift_card: Decimal = ZERO,
        pickup: str | None = None,
        store: int = 1,
        prices: Mapping[str, Decimal] | None = None,
        state: str | None = None,
    ) -> StoreOrder:
        """A customer orders (SKU, quantity) lines. `paid` is invoiced at once; `authorised` leaves that for later."""
        items = self._items(lines, prices or {}, tax_rate, prices_include_tax, discount_percent)
        goes = any(not item.product.virtual for item in items if not self._composite(item))
        cost = rounded(shipping, self.currency) if goes else ZERO
        now = self.now().replace(microsecond=0)
        order = StoreOrder(
            id=self.next_id(),
            number=f"{len(self.orders) + 1:09d}",
            items=items,
            ship_to=ship_to if goes else None,
            email=ship_to.email or "guest@shop.example",
            base_currency=self.currency,
            currency=currency or self.currency,
            rate=rate,
            shipping=cost,
            shipping_tax=rounded(cost * tax_rate, self.currency),
            shipping_method="instore_pickup" if pickup else shipping_method,
            payment_method=payment_method,
            created_at=now,
            updated_at=now,
            state=state or ("processing" if paid or authorised else "new"),
            gift_card=gift_card,
            pickup=pickup,
            store=store,
        )
        order.status = STATUS.get(order.state, order.state)
        order.history.append((now, order.status))
        order.authorised = order.grand_total if authorised and not paid else ZERO
        self.orders[order.id] = order
        for item in self._stocked(order):
            self.reservations[item.product.sku] += item.ordered
        if paid:
            self.invoice(order, {}, capture=True, note=None)
            order.created_at = order.updated_at = now
        return order

    def _items(
        self,
        lines: Sequence[tuple[str, int]],
        prices: Mapping[str, Decimal],
        rate: Decimal,
        included: bool,
        off: Decimal,
    ) -> list[StoreItem]:
        items: list[StoreItem] = []
        for sku, quantity in lines:
            self._add_line(items, self.products[sku], quantity, prices)
        for item in items:
            self._price(item, rate, included, off)
        return items

    def _add_line(
        self, items: list[StoreItem], product: StoreProduct, quantity: int, prices: Mapping[str, Decimal]
    ) -> None:
        price = prices.get(product.sku, product.price)
        if product.kind == "configurable":
            child = self.products[product.child or ""]
            parent = StoreItem(id=self.next_id(), product=product, sku=child.sku, ordered=quantity, price=price)
            items += [
                parent,
                StoreItem(id=self.next_id(), product=child, sku=child.sku, ordered=quantity, parent=parent.id),
            ]
            return
        item = StoreItem(id=self.next_id(), product=product, sku=product.sku, ordered=quantity)
        items.append(item)
        if product.kind != "bundle":
            item.price = price
            return
        item.price = price if product.fixed_price else ZERO
        for sku, each in product.parts:
            part = self.products[sku]
            own = ZERO if product.fixed_price else prices.get(sku, part.price)
            part_item = StoreItem(
                id=self.next_id(), product=part, sku=sku, ordered=each * quantity, parent=item.id, price=own
            )
            items.append(part_item)

    def _price(self, item: StoreItem, rate: Decimal, included: bool, percent: Decimal) -> None:
        """Row totals: tax taken out of the price or put on it, discount on the stated price, tax on what is left."""
        stated = item.price * item.ordered
        item.discount = rounded(stated * percent / 100, self.currency)
        item.tax_percent = rate * 100
        if included:
            item.row_total_incl_tax = stated
            full_tax = rounded(stated - stated / (1 + rate), self.currency)
            item.row_total = stated - full_tax
            left = stated - item.discount
            item.tax = rounded(left - left / (1 + rate), self.currency)
            item.hidden_tax = full_tax - item.tax
            item.price = rounded(item.price / (1 + rate), self.currency)
            return
        item.row_total = stated
        item.tax = rounded((stated - item.discount) * rate, self.currency)
        item.row_total_incl_tax = stated + rounded(stated * rate, self.currency)

    def hold(self, order: int) -> None:
        """The staff holds an order."""
        found = self.orders[order]
        found.hold_before = found.state
        self.settle(found, "holded")

    def unhold(self, order: int) -> None:
        """And lets it go."""
        found = self.orders[order]
        self.settle(found, found.hold_before or "processing")
        found.hold_before = None

    def correct_address(self, order: int, ship_to: Contact) -> None:
        """The staff edits the address, which moves no `updated_at`."""
        self.orders[order].ship_to = ship_to
