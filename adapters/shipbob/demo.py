"""ShipBob in the demo: a 3PL with several fulfilment centres, on a raised rate limit, asked and never told."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from adapters.shipbob.simulator import ShipBobSimulator
from adapters.shipbob.simulator_books import Pace
from hub.domain.network import NodeKind
from hub.sdk.testkit.player import Dispatch, NodePlayer, Part

FIRST_LOCATION: Final = 3
PER_MINUTE: Final = 15_000
"""A hundred times the public figure: a demo's day is a minute."""
SPLIT: Final = 0.05


class ShipBobPlayer(NodePlayer):
    """An account with a fulfilment centre per place."""

    node_kind = NodeKind.THIRD_PARTY
    schedule = {"status": 1, "stock": 20}  # noqa: RUF012

    def __init__(self, part: Part) -> None:
        super().__init__(part)
        self._centres = {FIRST_LOCATION + number: title for number, title in enumerate(part.places)}
        self._account = ShipBobSimulator(
            token=part.secret,
            locations=self._centres,
            pace=Pace(ship_after_ms=2000, split_rate=SPLIT),
            per_minute=PER_MINUTE,
            seed=part.seed,
            faults=part.faults,
        )

    @property
    def simulator(self) -> ShipBobSimulator:
        """The account."""
        return self._account

    @property
    def locations(self) -> tuple[str, ...]:
        """Numbers of the centres."""
        return tuple(str(number) for number in self._centres)

    def config(self) -> dict[str, Any]:
        """A connection's config."""
        return {
            "account": self.part.name,
            "token": self._account.token,
            "channel_id": self._account.channel_id,
            "requests_per_minute": PER_MINUTE,
            "overlap_seconds": 5,
            "base_url": self._account.base_url,
        }

    def shelve(self, location: str, levels: Mapping[str, int]) -> None:
        """Put units on the shelves."""
        self._account.books.stock[int(location)].update(levels)
        for sku in levels:
            self._account.books.product(sku)

    def shelf(self, location: str) -> Mapping[str, int]:
        """Units on the shelves."""
        return self._account.books.stock[int(location)]

    def taken(self) -> Mapping[str, int]:
        """Orders by our reference."""
        return self._account.orders_created

    def dispatched(self) -> Sequence[Dispatch]:
        """Everything that left."""
        books = self._account.books
        return [
            Dispatch(
                fulfilment=books.orders[shipment.order].reference,
                location=str(shipment.location),
                sku=sku,
                quantity=quantity,
            )
            for shipment in books.shipments.values()
            if shipment.shipped is not None
            for sku, quantity in shipment.units.items()
        ]


PLAYER: Final = ShipBobPlayer
