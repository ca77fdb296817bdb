"""Magento in the demo: a store that captures at once and keeps its stock at one source."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from adapters.magento.simulator import MagentoSimulator
from adapters.magento.simulator_books import StoreOrder, StoreSource
from hub.domain.contact import Contact
from hub.domain.money import minor
from hub.sdk.testkit.player import BookedOrder, ChannelPlayer, Good, Part

SOURCE: Final = "default"
UNHURRIED: Final = 200.0
"""Requests a second: loopback has no checkout to disturb."""
ITEMS: Final = 5000
"""Source items a call: input limits are off, as the store is delivered."""


class MagentoPlayer(ChannelPlayer):
    """A store with one source. It sends nothing: the hub asks every two seconds."""

    schedule = {"orders": 2, "open_orders": 3600}  # noqa: RUF012
    service = "flatrate_flatrate"

    def __init__(self, part: Part) -> None:
        super().__init__(part)
        self._store = MagentoSimulator(
            consumer_key=f"ck-{part.name}",
            consumer_secret=f"cs-{part.secret}",
            access_token=f"at-{part.secret}",
            access_token_secret=f"ats-{part.secret}",
            store_url=f"https://{part.name}.example/",
            entity_limit=ITEMS,
            sources=(StoreSource(code=SOURCE, name=part.places[0]),),
            currency=part.currency,
            seed=part.seed,
            faults=part.faults,
        )

    @property
    def simulator(self) -> MagentoSimulator:
        """The store."""
        return self._store

    @property
    def location(self) -> str:
        """Its only source."""
        return SOURCE

    def config(self) -> dict[str, Any]:
        """A connection's config."""
        store = self._store
        return {
            "store_url": store.store_url,
            "consumer_key": store.consumer_key,
            "consumer_secret": store.consumer_secret,
            "access_token": store.access_token,
            "access_token_secret": store.access_token_secret,
            "requests_per_second": UNHURRIED,
            "items_per_call": ITEMS,
            "base_url": store.base_url,
        }

    def sell(self, goods: Iterable[Good]) -> None:
        """Put goods up for sale."""
        for good in goods:
            self._store.sell(good.sku, name=good.title, price=good.price)

    def place(self, lines: Sequence[tuple[str, int]], ship_to: Contact, prices: Mapping[str, Decimal]) -> str:
        """A customer orders, and the card is charged."""
        made = self._store.place_order(
            lines,
            ship_to=ship_to,
            shipping_method=self.service,
            tax_rate=self.part.tax_rate,
            prices_include_tax=self.part.tax_included,
            payment_method="cardgateway",
            paid=True,
            prices=prices,
        )
        return str(made.id)

    def reduce(self, order: str, sku: str, quantity: int) -> None:
        """The staff gives units back that have not left: there is no other way to take something off an order."""
        found = self._store.orders[int(order)]
        for item in found.items:
            units = item.ordered - item.refunded - quantity
            if item.sku == sku and 0 < units <= item.to_ship:
                self._store.refund(found, {item.id: units}, shipping=Decimal(0), back_to=[item.id])

    def cancel(self, order: str) -> None:
        """The staff gives everything back, unless something has left."""
        found = self._store.orders[int(order)]
        if not found.shipments and found.state != "closed":
            self._store.refund(found, {}, back_to=[item.id for item in found.items])

    def orders(self) -> Mapping[str, BookedOrder]:
        """Every order."""
        return {str(order.id): self._booked(order) for order in self._store.orders.values()}

    def published(self) -> Mapping[str, int]:
        """What the store sells."""
        return {sku: self._store.salable(sku) for sku in self._store.products}

    def _booked(self, order: StoreOrder) -> BookedOrder:
        wanted, fulfilled = Counter[str](), Counter[str]()
        for item in order.items:
            wanted[item.sku] += item.ordered - item.cancelled - max(0, item.refunded - item.shipped)
            fulfilled[item.sku] += item.shipped
        return BookedOrder(
            total=minor(order.grand_total - order.refunded, order.base_currency),
            cancelled=order.state in ("canceled", "closed") and not order.shipments,
            edited=bool(order.memos),
            wanted=wanted,
            fulfilled=+fulfilled,
            trackings=tuple(track.number for made in order.shipments for track in made.tracks),
        )


PLAYER: Final = MagentoPlayer
