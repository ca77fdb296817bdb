"""A simulated shop without its wires: customers, the merchant, and what becomes of orders by what they do."""

from abc import ABC
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from adapters.shopify.simulator_books import (
    ZERO,
    ShopFulfilment,
    ShopFulfilmentOrder,
    ShopLine,
    ShopOpenLine,
    ShopOrder,
    ShopRefund,
    add_tax,
    line_amounts,
    rounded,
    spread_discount,
)
from adapters.shopify.simulator_goods import Goods
from hub.domain.contact import Contact

CUSTOMER: Final = Contact(
    name="Ada Quill",
    email="ada.quill@example.com",
    phone="+14155550123",
    lines=("12 Mill Lane",),
    city="Portland",
    region="OR",
    postal_code="97204",
    country="US",
)


class Shop(Goods, ABC):
    """Customers, and a merchant."""

    # --- customers and merchant --------------------------------------------------------------------------------------

    def place_order(
        self,
        lines: Sequence[tuple[str, int]],
        *,
        ship_to: Contact | None = CUSTOMER,
        shipping: Decimal = Decimal("4.90"),
        shipping_title: str = "Standard",
        discount: Decimal = ZERO,
        tax_rate: Decimal = Decimal("0.08"),
        taxes_included: bool = False,
        currency: str | None = None,
        source: str = "web",
        test: bool = False,
        financial: str = "paid",
        note: str | None = None,
        tags: Sequence[str] = (),
        at_till: int | None = None,
    ) -> ShopOrder:
        """A customer orders (SKU, quantity) lines; with `at_till` he takes them along from that location."""
        money, now = currency or self.currency, self.now().replace(microsecond=0)
        ship_to = None if at_till else ship_to
        bought = [self._line(sku, quantity) for sku, quantity in lines]
        spread_discount(bought, discount, money)
        for line in bought:
            add_tax(line, tax_rate, taxes_included, money)
        order = ShopOrder(
            id=self.next_id(100),
            number=1001 + len(self.orders),
            lines=bought,
            ship_to=ship_to,
            email=None if ship_to is None else ship_to.email,
            currency=money,
            shipping=ZERO if ship_to is None else rounded(shipping, money),
            shipping_title=shipping_title,
            discount_code="WELCOME" if discount else None,
            tax_rate=tax_rate,
            taxes_included=taxes_included,
            source="pos" if at_till else source,
            test=test,
            financial=financial,
            authorised=financial == "authorized",
            note=note,
            tags=tuple(tags),
            created_at=now,
            updated_at=now,
            retail_location=at_till,
            by_line={line.id: line for line in bought},
        )
        self.orders[order.id] = order
        for location, found in self._assigned(bought, at_till).items():
            self._open(order, location, [(line, line.quantity) for line in found])
        if at_till:
            for one in order.fulfilment_orders:
                self._take_out(one, [(line, line.remaining) for line in one.lines], (), (), None, False)
        self.tell(order, "orders/create")
        return order

    def update_order(
        self, order: int, *, note: str | None = None, ship_to: Contact | None = None, tags: Sequence[str] | None = None
    ) -> None:
        """The merchant corrects an order."""
        found = self.orders[order]
        found.note = note if note is not None else found.note
        found.ship_to = ship_to or found.ship_to
        found.tags = tuple(tags) if tags is not None else found.tags
        self._touch(found)
        self.tell(found, "orders/updated")

    def edit_order(self, order: int, quantities: Mapping[str, int], add: Sequence[tuple[str, int]] = ()) -> None:
        """The merchant edits: new quantities by SKU (0 removes), new lines."""
        found = self.orders[order]
        removed, added = {}, {}
        for line in found.lines:
            wanted = quantities.get(line.variant.sku, line.current)
            if wanted < line.current:
                removed[line.id] = line.current - wanted
                self._withdraw(found, line, line.current - wanted)
        for sku, quantity in add:
            line = self._line(sku, quantity)
            add_tax(line, found.tax_rate, found.taxes_included, found.currency)
            found.lines.append(line)
            found.by_line[line.id] = line
            added[line.id] = quantity
            self._open(found, next(iter(self._assigned([line], None))), [(line, quantity)])
        self._touch(found)
        self.tell(found, "orders/edited", "orders/updated", edited=(added, removed))

    def refund_order(self, order: int, units: Mapping[int, int], restock: str = "cancel") -> ShopRefund:
        """The merchant gives units (by line id) back that have not left; with `restock` "return" those that have."""
        return self.give_back(self.orders[order], units, restock=restock)

    def give_back(
        self,
        order: ShopOrder,
        units: Mapping[int, int],
        *,
        restock: str,
        money: Decimal | None = None,
        note: str | None = None,
        parent: int | None = None,
    ) -> ShopRefund:
        """Take units off an order and give money back."""
        for id, quantity in units.items():
            self._withdraw(order, order.by_line[id], quantity)
        self._touch(order)
        amounts, taxes = line_amounts(order, units)
        refund = ShopRefund(
            id=self.next_id(),
            transaction=self.next_id(),
            lines=dict(units),
            amounts=amounts,
            taxes=taxes,
            location=next(iter(self.locations)),
            created_at=order.updated_at,
            restock=restock,
            money=money,
            note=note,
            parent=parent,
        )
        order.refunds.append(refund)
        self.refunds[refund.id] = (order, refund)
        self.tell(order, "refunds/create", "orders/updated")
        return refund

    def touched(self, order: ShopOrder) -> None:
        """Money moved: the order says so."""
        self._touch(order)
        self.tell(order, "orders/updated")

    def cancel_order(
        self, order: int, *, reason: str = "customer", restock: bool = True, pay_back: bool = True
    ) -> None:
        """Cancel: fulfilment orders close, stock that was committed is for sale again.

        Who cancels in the admin pays back with it; by the API it takes a `refundMethod`.
        """
        found = self.orders[order]
        for one in found.fulfilment_orders:
            for open_line in one.lines:
                self._uncommit(one, open_line, open_line.remaining, restock=restock)
            one.status = "CLOSED"
        for line in found.lines:
            line.current = line.fulfilled
        self._touch(found)
        found.cancelled_at, found.cancel_reason = found.updated_at, reason
        if pay_back and found.financial == "paid":
            found.financial = "refunded"
        self.tell(found, "orders/cancelled", "orders/updated")

    # --- fulfilment --------------------------------------------------------------------------------------------------

    def fulfil(
        self,
        one: ShopFulfilmentOrder,
        places: Sequence[tuple[ShopOpenLine, int]],
        *,
        numbers: Sequence[str] = (),
        urls: Sequence[str] = (),
        company: str | None = None,
        notified: bool = False,
    ) -> ShopFulfilment:
        """Units left: the books, and the webhooks that follow."""
        made = self._take_out(one, places, numbers, urls, company, notified)
        order = self.orders[one.order]
        self._touch(order)
        whole = order.fulfilment_status == "fulfilled"
        status = "orders/fulfilled" if whole else "orders/partially_fulfilled"
        self.tell(order, "fulfillments/create", "orders/updated", status)
        return made

    def move(self, one: ShopFulfilmentOrder, location: int, units: Mapping[int, int]) -> ShopFulfilmentOrder:
        """Assign units (by fulfilment order line) elsewhere; none named means all."""
        order = self.orders[one.order]
        takes = {line.id: min(units.get(line.id, 0), line.remaining) if units else line.remaining for line in one.lines}
        for line in one.lines:
            item, quantity = line.line.variant.item, takes[line.id]
            self._uncommit(one, line, quantity, restock=True, keep=True)
            self.inventory[item, location] = self.inventory.get((item, location), 0) - quantity
            self.committed[item, location] += quantity
        if all(takes[line.id] == line.total for line in one.lines):
            one.location = location
            return one
        moved = self._open(order, location, [], commit=False)
        for line in one.lines:
            quantity = takes[line.id]
            if quantity:
                line.total -= quantity
                line.remaining -= quantity
                moved.lines.append(ShopOpenLine(id=self.next_id(), line=line.line, total=quantity, remaining=quantity))
        if not any(line.remaining for line in one.lines):
            one.status = "CLOSED"
        return moved

    def _take_out(
        self,
        one: ShopFulfilmentOrder,
        places: Sequence[tuple[ShopOpenLine, int]],
        numbers: Sequence[str],
        urls: Sequence[str],
        company: str | None,
        notified: bool,
    ) -> ShopFulfilment:
        order, units = self.orders[one.order], Counter[int]()
        for line, quantity in places:
            line.remaining -= quantity
            line.line.fulfilled += quantity
            units[line.line.id] += quantity
            self.committed[line.line.variant.item, one.location] -= quantity
        for touched in order.fulfilment_orders:
            if touched.status in ("OPEN", "IN_PROGRESS"):
                left = sum(line.remaining for line in touched.lines)
                started = any(line.remaining < line.total for line in touched.lines)
                touched.status = "CLOSED" if not left else "IN_PROGRESS" if started else touched.status
        made = ShopFulfilment(
            id=self.next_id(),
            order=order.id,
            name=f"{order.name}-F{len(self.fulfilments[order.id]) + 1}",
            location=one.location,
            lines=dict(units),
            numbers=tuple(numbers),
            urls=tuple(urls),
            company=company,
            notified=notified,
            created_at=self.now().replace(microsecond=0),
        )
        self.fulfilments[order.id].append(made)
        self.fulfilments_by_id[made.id] = made
        return made

    def _line(self, sku: str, quantity: int) -> ShopLine:
        variant = self.variants[sku]
        return ShopLine(id=self.next_id(), variant=variant, quantity=quantity, current=quantity, price=variant.price)

    def _assigned(self, lines: Sequence[ShopLine], at_till: int | None) -> dict[int, list[ShopLine]]:
        """Lines by location: the first that has it all, else line by line the first that has it, else the first."""
        if at_till:
            return {at_till: list(lines)}

        def has(location: int, line: ShopLine) -> bool:
            return self.inventory.get((line.variant.item, location), 0) >= line.quantity

        first = next(iter(self.locations))
        for location in self.locations:
            if all(has(location, line) for line in lines):
                return {location: list(lines)}
        found: dict[int, list[ShopLine]] = {}
        for line in lines:
            location = next((one for one in self.locations if has(one, line)), first)
            found.setdefault(location, []).append(line)
        return found

    def _withdraw(self, order: ShopOrder, line: ShopLine, quantity: int) -> None:
        """Units that are no longer wanted."""
        line.current -= quantity
        for one in order.fulfilment_orders:
            for open_line in one.lines:
                if open_line.line is line and quantity:
                    taken = min(quantity, open_line.remaining)
                    self._uncommit(one, open_line, taken, restock=True)
                    quantity -= taken
            if one.status in ("OPEN", "IN_PROGRESS") and not any(open_line.remaining for open_line in one.lines):
                one.status = "CLOSED"
