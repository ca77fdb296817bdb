"""Shopify in the demo: a shop on the Plus plan."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from adapters.shopify.simulator import ShopifySimulator
from adapters.shopify.simulator_books import ShopLocation, ShopOrder, current
from hub.domain.contact import Contact
from hub.domain.money import minor
from hub.sdk.testkit.player import BookedOrder, ChannelPlayer, Good, Part

LOCATION: Final = 501
PLUS_BUCKET: Final = 20_000.0
PLUS_PER_SECOND: Final = 1000.0


class ShopifyPlayer(ChannelPlayer):
    """A shop with one location."""

    schedule = {"orders": 15}  # noqa: RUF012
    service = "Standard"

    def __init__(self, part: Part) -> None:
        super().__init__(part)
        self._shop = ShopifySimulator(
            client_secret=f"shpss_{part.secret}",
            access_token=f"shpat_{part.secret}",
            shop=f"{part.name}.myshopify.com",
            title=part.name,
            locations=(ShopLocation(id=LOCATION, name=part.places[0]),),
            currency=part.currency,
            bucket=PLUS_BUCKET,
            restore_per_second=PLUS_PER_SECOND,
            seed=part.seed,
            faults=part.faults,
        )

    @property
    def simulator(self) -> ShopifySimulator:
        """The shop."""
        return self._shop

    @property
    def location(self) -> str:
        """Its only one."""
        return str(LOCATION)

    def config(self) -> dict[str, Any]:
        """A connection's config."""
        shop = self._shop
        return {
            "shop": shop.shop,
            "client_secret": shop.client_secret,
            "access_token": shop.access_token,
            "base_url": shop.base_url,
        }

    def listen(self, url: str) -> None:
        """Send webhooks there."""
        self._shop.hub_url = url

    def sell(self, goods: Iterable[Good]) -> None:
        """Put goods up for sale."""
        for good in goods:
            self._shop.sell(good.sku, title=good.title, price=good.price, available=0)

    def place(self, lines: Sequence[tuple[str, int]], ship_to: Contact, prices: Mapping[str, Decimal]) -> str:
        """A customer orders."""
        variants = self._shop.variants
        for sku, price in prices.items():
            variants[sku] = msgspec.structs.replace(variants[sku], price=price)
        made = self._shop.place_order(
            lines,
            ship_to=ship_to,
            shipping_title=self.service,
            tax_rate=self.part.tax_rate,
            taxes_included=self.part.tax_included,
        )
        return str(made.id)

    def reduce(self, order: str, sku: str, quantity: int) -> None:
        """The merchant edits."""
        self._shop.edit_order(int(order), {sku: quantity})

    def cancel(self, order: str) -> None:
        """The customer cancels."""
        self._shop.cancel_order(int(order))

    def orders(self) -> Mapping[str, BookedOrder]:
        """Every order."""
        return {str(order.id): self._booked(order) for order in self._shop.orders.values()}

    def published(self) -> Mapping[str, int]:
        """What the shop sells."""
        inventory = self._shop.inventory
        return {sku: inventory[variant.item, LOCATION] for sku, variant in self._shop.variants.items()}

    def _booked(self, order: ShopOrder) -> BookedOrder:
        wanted, fulfilled = Counter[str](), Counter[str]()
        for line in order.lines:
            wanted[line.variant.sku] += line.current
        for made in self._shop.fulfilments.get(order.id, ()):
            for line_id, units in made.lines.items():
                fulfilled[order.by_line[line_id].variant.sku] += units
        return BookedOrder(
            total=minor(current(order).total, order.currency),
            cancelled=order.cancelled_at is not None,
            edited=any(line.current != line.quantity for line in order.lines),
            wanted=wanted,
            fulfilled=fulfilled,
            trackings=tuple(n for made in self._shop.fulfilments.get(order.id, ()) for n in made.numbers),
        )


PLAYER: Final = ShopifyPlayer
