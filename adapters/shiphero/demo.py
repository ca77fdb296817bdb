"""ShipHero in the demo: the warehouse system of the merchant's own distribution centres, on a raised plan."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from adapters.shiphero.simulator import ShipHeroSimulator
from hub.domain.network import NodeKind
from hub.sdk.testkit.player import Dispatch, NodePlayer, Part

FIRST_WAREHOUSE: Final = 76_733
CREDITS: Final = 400_400.0
CREDITS_PER_SECOND: Final = 6000.0
REQUESTS: Final = 700_000
"""In five minutes. A hundred times the public figures: a demo's day is a minute."""
SPLIT: Final = 0.05
SHORT: Final = 0.01


class ShipHeroPlayer(NodePlayer):
    """An account with a warehouse per place."""

    node_kind = NodeKind.DC
    schedule = {"status": 2, "stock": 20}  # noqa: RUF012

    def __init__(self, part: Part) -> None:
        super().__init__(part)
        self._warehouses = {str(FIRST_WAREHOUSE + number): title for number, title in enumerate(part.places)}
        self._account = ShipHeroSimulator(
            username=f"hub@{part.name}.example",
            password=part.secret,
            webhook_secret=f"signature-{part.secret}",
            account=part.name,
            warehouses=self._warehouses,
            credits=CREDITS,
            credits_per_second=CREDITS_PER_SECOND,
            requests_per_five_minutes=REQUESTS,
            auto_ship=True,
            ship_after_ms=2000,
            seed=part.seed,
            faults=part.faults,
        )
        self._account.split, self._account.short = SPLIT, SHORT

    @property
    def simulator(self) -> ShipHeroSimulator:
        """The account."""
        return self._account

    @property
    def locations(self) -> tuple[str, ...]:
        """Warehouse numbers."""
        return tuple(self._warehouses)

    def config(self) -> dict[str, Any]:
        """A connection's config."""
        account = self._account
        return {
            "account": account.account,
            "username": account.username,
            "password": account.password,
            "webhook_secret": account.webhook_secret,
            "credit_capacity": CREDITS,
            "credits_per_second": CREDITS_PER_SECOND,
            "requests_per_five_minutes": REQUESTS,
            "base_url": account.base_url,
        }

    def listen(self, url: str) -> None:
        """Send webhooks there."""
        self._account.hub_url = url

    def shelve(self, location: str, levels: Mapping[str, int]) -> None:
        """Put units on the shelves."""
        for sku, units in levels.items():
            self._account.stock(location, sku, units)

    def shelf(self, location: str) -> Mapping[str, int]:
        """Units on the shelves."""
        shelves = self._account.inventory.items()
        return {sku: shelf.on_hand for (warehouse, sku), shelf in shelves if warehouse == location}

    def taken(self) -> Mapping[str, int]:
        """Orders by our reference."""
        return self._account.orders_created

    def dispatched(self) -> Sequence[Dispatch]:
        """Everything that left."""
        return [
            Dispatch(fulfilment=shipment.order.reference, location=shipment.warehouse, sku=line.sku, quantity=quantity)
            for shipment in self._account.shipments
            for line, quantity in shipment.units
        ]


PLAYER: Final = ShipHeroPlayer
