"""What a simulated shop sells, what of it is committed to orders, and how its things are numbered and dated."""

from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from adapters.shopify.simulator_books import (
    ShopFulfilment,
    ShopFulfilmentOrder,
    ShopLine,
    ShopLocation,
    ShopOpenLine,
    ShopOrder,
    ShopRefund,
    ShopVariant,
    rounded,
)
from hub.sdk.testkit.simulator import Simulator

Edited = tuple[dict[int, int], dict[int, int]]
"""Units added and removed, by line id."""


class Goods(Simulator, ABC):
    """Books: `orders` by id, `fulfilments` by order id, `inventory` by (item, location), `committed` likewise.

    With `ties`, two changes within one second carry the same `updated_at`, as in a real shop; otherwise every change
    of an order is at least a second after the one before.
    """

    def __init__(self, *, locations: Sequence[ShopLocation], currency: str, ties: bool, **base: Any) -> None:
        super().__init__(**base)
        self.currency, self.ties = currency, ties
        self.locations = {one.id: one for one in locations}
        self.variants: dict[str, ShopVariant] = {}
        self.items: dict[int, ShopVariant] = {}
        self.inventory: dict[tuple[int, int], int] = {}
        self.committed: Counter[tuple[int, int]] = Counter()
        self.orders: dict[int, ShopOrder] = {}
        self.fulfilment_orders: dict[int, ShopFulfilmentOrder] = {}
        self.fulfilments: defaultdict[int, list[ShopFulfilment]] = defaultdict(list)
        self.fulfilments_by_id: dict[int, ShopFulfilment] = {}
        self.refunds: dict[int, tuple[ShopOrder, ShopRefund]] = {}
        self._tokens: defaultdict[str, dict[str, ShopVariant]] = defaultdict(dict)
        self._last_id = 6_000_000_000_000

    @abstractmethod
    def tell(self, order: ShopOrder, *topics: str, edited: Edited | None = None) -> None:
        """Say that something happened; every topic of one call belongs to one action."""

    # --- goods -------------------------------------------------------------------------------------------------------

    def add_variant(self, variant: ShopVariant, available: Mapping[int, int] | int = 0) -> ShopVariant:
        """Put something up for sale, stocked at every location or at those named."""
        self.variants[variant.sku] = self.items[variant.item] = variant
        for token in {variant.sku, variant.sku.partition("-")[0]}:
            self._tokens[token][variant.sku] = variant
        levels = available if isinstance(available, Mapping) else dict.fromkeys(self.locations, available)
        for location, quantity in levels.items():
            self.inventory[variant.item, location] = quantity
        return variant

    def sell(self, sku: str, *, title: str = "", price: Decimal = Decimal("10.00"), available: int = 0) -> ShopVariant:
        """Put a SKU up for sale with ids of its own."""
        variant = ShopVariant(
            sku=sku,
            title=title or sku,
            price=rounded(price, self.currency),
            variant=self.next_id(),
            item=self.next_id(),
            product=self.next_id(),
        )
        return self.add_variant(variant, available)

    def available(self, sku: str, location: int | None = None) -> int:
        """What the shop sells of a SKU at a location, the first one by default."""
        return self.inventory[self.variants[sku].item, location or next(iter(self.locations))]

    def found_by_token(self, term: str) -> list[ShopVariant]:
        """Variants whose SKU holds the term as a token."""
        return list(self._tokens.get(term, {}).values())

    # --- orders ------------------------------------------------------------------------------------------------------

    def _open(
        self, order: ShopOrder, location: int, lines: Sequence[tuple[ShopLine, int]], *, commit: bool = True
    ) -> ShopFulfilmentOrder:
        open_lines = [
            ShopOpenLine(id=self.next_id(), line=line, total=quantity, remaining=quantity) for line, quantity in lines
        ]
        one = ShopFulfilmentOrder(id=self.next_id(), order=order.id, location=location, lines=open_lines)
        for line, quantity in lines if commit else ():
            key = (line.variant.item, location)
            self.inventory[key] = self.inventory.get(key, 0) - quantity
            self.committed[key] += quantity
        order.fulfilment_orders.append(one)
        self.fulfilment_orders[one.id] = one
        return one

    def _uncommit(
        self, one: ShopFulfilmentOrder, line: ShopOpenLine, quantity: int, *, restock: bool, keep: bool = False
    ) -> None:
        key = (line.line.variant.item, one.location)
        self.committed[key] -= quantity
        if restock:
            self.inventory[key] = self.inventory.get(key, 0) + quantity
        if not keep:
            line.remaining -= quantity
            line.total -= quantity

    def _touch(self, order: ShopOrder) -> None:
        now = self.now().replace(microsecond=0)
        order.updated_at = now if self.ties or now > order.updated_at else order.updated_at + timedelta(seconds=1)

    def next_id(self, step: int = 1) -> int:
        """Ids of all kinds; `step` leaves room for those that bodies derive."""
        self._last_id += step
        return self._last_id

    def uuid(self) -> str:
        """A random UUID from the simulator's seed."""
        return str(UUID(int=self.random.getrandbits(128), version=4))
