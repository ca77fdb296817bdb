"""How a simulated vendor plays its part in the demo: a class per kind, the vendor's own in `adapters/<vendor>/demo.py`.

A player holds one simulator. It knows how the hub connects to it, how its world is furnished, what its customers do,
and what is in its books afterwards. All of it speaks the hub's words; the vendor's stay behind it. The module's
`PLAYER` names the class; a demo makes as many of them as it has parts for.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from hub.domain.contact import Contact
from hub.domain.network import NodeKind
from hub.sdk.testkit.simulator import Faults, Simulator


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What a player is to be: `name` (letters, digits and hyphens) becomes the name of its account."""

    name: str
    secret: str
    """Whatever credentials the simulator accepts are made from this."""
    seed: int = 1
    faults: Faults
    currency: str = "USD"
    tax_rate: Decimal = Decimal(0)
    tax_included: bool = False
    places: tuple[str, ...] = ("Main",)
    """Titles of its locations."""
    currencies: tuple[str, ...] = ()
    """Every currency that its documents may be in."""


class Good(msgspec.Struct, frozen=True, kw_only=True):
    """Something to sell. `price` is in the player's currency, with no more places than that has."""

    sku: str
    title: str
    price: Decimal
    weight_g: int


class Player(ABC):
    """A simulated vendor in the demo."""

    schedule: ClassVar[Mapping[str, int]] = {}
    """Seconds between pulls, by pull, so that a run of a minute sees many."""

    def __init__(self, part: Part) -> None:
        self.part = part

    @property
    @abstractmethod
    def simulator(self) -> Simulator:
        """What serves the vendor's API. Whoever made the player starts and stops it."""

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """The `config` of a connection to the started simulator, secrets included."""

    def listen(self, url: str) -> None:
        """Send webhooks there from now on; a vendor that is only asked sends none."""
        self.url = url


class BookedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order in a channel's own books."""

    total: int
    """Minor units, as the order is now."""
    cancelled: bool
    edited: bool
    wanted: Mapping[str, int]
    """Units by SKU, as the order is now."""
    fulfilled: Mapping[str, int]
    """Units by SKU that the channel was told had left."""
    trackings: tuple[str, ...]
    """Tracking numbers of every fulfilment: one that stands twice was told twice."""


class ChannelPlayer(Player):
    """Sells, and says so by webhooks."""

    service: ClassVar[str]
    """Its customers' word for ordinary delivery."""

    @property
    @abstractmethod
    def location(self) -> str:
        """Its own name of the place that it sells from."""

    @abstractmethod
    def sell(self, goods: Iterable[Good]) -> None:
        """Put goods up for sale, with nothing in stock: the hub publishes what there is."""

    @abstractmethod
    def place(self, lines: Sequence[tuple[str, int]], ship_to: Contact, prices: Mapping[str, Decimal]) -> str:
        """A customer orders; answers the channel's id. `prices` replace those of the catalogue, by SKU."""

    @abstractmethod
    def reduce(self, order: str, sku: str, quantity: int) -> None:
        """The merchant edits an order: so many units of a SKU remain."""

    @abstractmethod
    def cancel(self, order: str) -> None:
        """The customer cancels."""

    @abstractmethod
    def orders(self) -> Mapping[str, BookedOrder]:
        """Every order by its id."""

    @abstractmethod
    def published(self) -> Mapping[str, int]:
        """What it believes may be sold, by SKU."""


class Dispatch(msgspec.Struct, frozen=True, kw_only=True):
    """Units that left a location, for a fulfilment order of ours."""

    fulfilment: str
    location: str
    sku: str
    quantity: int


class NodePlayer(Player):
    """Fulfils from its locations by itself."""

    node_kind: ClassVar[NodeKind]

    @property
    @abstractmethod
    def locations(self) -> tuple[str, ...]:
        """Its own names of its places, in the order of `part.places`."""

    @abstractmethod
    def shelve(self, location: str, levels: Mapping[str, int]) -> None:
        """Put units on the shelves, as a count."""

    @abstractmethod
    def shelf(self, location: str) -> Mapping[str, int]:
        """Units on the shelves, promised or not."""

    @abstractmethod
    def taken(self) -> Mapping[str, int]:
        """How many orders it has, by our fulfilment order: more than one is a duplicate."""

    @abstractmethod
    def dispatched(self) -> Sequence[Dispatch]:
        """Everything that left."""


class CarrierPlayer(Player):
    """Sells labels and carries parcels."""

    service: ClassVar[str]
    """Its word for ordinary delivery."""

    @abstractmethod
    def labels(self) -> Mapping[str, int]:
        """Labels bought, by our key: more than one is money thrown away."""

    @abstractmethod
    def delivered(self) -> frozenset[str]:
        """Tracking numbers of the parcels that arrived."""


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """What the books hold of one order."""

    orders: int
    """Order documents; more than one is a duplicate."""
    ordered: int
    """Their total, in minor units."""
    deliveries: int
    invoices: int
    """Posted ones."""
    drafts: int
    invoiced: int
    """Total of the posted invoices, in minor units."""


class LedgerPlayer(Player):
    """Keeps the books."""

    @abstractmethod
    def know(self, goods: Iterable[Good]) -> None:
        """Put goods into its catalogue."""

    @abstractmethod
    def booked(self, order: str, currency: str) -> Booked:
        """What it has of one order, by our id."""
