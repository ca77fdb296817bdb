"""What the flow needs of stock and items within a transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple, Protocol

from hub.domain.network import Node
from hub.flow.trouble import Trouble
from hub.stock.supply import Expected


class ItemFacts(NamedTuple):
    """What capture and routing need of an item."""

    id: int
    sku: str
    stock_mode: str
    ships: bool
    weight_g: int | None
    classes: tuple[str, ...]
    components: tuple[tuple[int, int], ...]
    """(component item, quantity) of a kit."""
    volume_cm3: int | None = None
    """Of one unit, rounded up; None is unknown."""
    available_from: date | None = None
    """The day before which it is not sent, whatever is on the shelves."""
    unit_cost: Mapping[str, Decimal] = {}
    """What a unit costs the merchant, by currency; one that is not here is unknown."""


class StockReport(NamedTuple):
    """A figure of a stock master about one item at one node."""

    kind: str
    item: int
    node: int
    units: int
    """On hand for a snapshot or count, a signed change for a delta."""
    as_of: datetime
    source: str
    cause: str
    lot: str = ""
    subtracts: bool = False
    """The source has taken off already what its node was asked for: exactly that is added back."""


class StockItem(NamedTuple):
    """What a stock report has to know of an item."""

    id: int
    kit: bool
    base_unit: str
    conversions: Mapping[str, int]
    """Base units per other unit."""


LARGEST_DROP: Final = 50


class StockSource(NamedTuple):
    """What a source of figures declared of itself."""

    kinds: frozenset[str]
    subtracts: bool
    largest_drop: int = LARGEST_DROP
    """Percent of what a node has that a complete snapshot may leave out and be believed."""


class AllowedDay(NamedTuple):
    """The day from which what an allowance sells is sent. Account 0 is every channel."""

    item: int
    account: int
    kind: str
    """backorder, preorder."""
    on: date


class Figure(NamedTuple):
    """What somebody who is not believed about a shelf says of it, to be compared with what we say."""

    party: str
    """node, channel, erp."""
    source: str
    item: int
    node: int
    """0 when it is about a stock point or about everything."""
    stock_point: int
    quantity: int
    as_of: datetime
    cause: str


class StockUnit(Protocol):
    """Stock inside a transaction."""

    async def free(self, items: Iterable[int], *, lock: bool) -> dict[int, dict[int, int]]:
        """What may still be reserved: item -> node -> units."""
        ...

    async def items(
        self, merchant: str, account: int, skus: Iterable[str], variants: Iterable[str]
    ) -> tuple[Mapping[str, ItemFacts], Mapping[str, ItemFacts]]:
        """Items by SKU, and by the channel's variant."""
        ...

    async def items_by_id(self, ids: Iterable[int]) -> Mapping[int, ItemFacts]:
        """Items by id."""
        ...

    async def loads(self, nodes: Mapping[int, Node], now: datetime, *, lock: bool) -> Mapping[int, int]:
        """Fulfilment orders of each node on its own local day."""
        ...

    async def count(self, merchant: str, reports: Sequence[StockReport], now: datetime) -> list[tuple[int, int]]:
        """Apply stock reports, ledger and balances together; returns (item, node) where more became available."""
        ...

    async def supply(self, items: Iterable[int], *, lock: bool) -> list[Expected]:
        """What is expected of items, and how much of it is promised."""
        ...

    async def receive(self, merchant: str, received: Sequence[tuple[str, int, int, int]]) -> None:
        """Expected goods came in, (reference, node, item, units): so much less is expected from now on."""
        ...

    async def allowed_days(self, items: Iterable[int], today: date) -> list[AllowedDay]:
        """Days, from today on, from which allowances of items ship."""
        ...

    async def in_line(self, merchant: str, causes: Iterable[str], limit: int) -> list[str]:
        """Orders that wait for these causes, not locked: the most urgent, and the least urgent that have supply."""
        ...

    async def opened(self, now: datetime) -> list[tuple[str, int]]:
        """(merchant, item) of pre-ordered items whose day has come."""
        ...

    async def items_by_sku(self, merchant: str, skus: Iterable[str]) -> Mapping[str, int]:
        """Item ids by SKU."""
        ...

    async def merchants(self, items: Iterable[int]) -> Mapping[int, str]:
        """Whose items these are."""
        ...

    async def stock_items(self, merchant: str, skus: Iterable[str]) -> Mapping[str, StockItem]:
        """What stock reports have to know of items, by SKU."""
        ...

    async def stock_sources(self, merchant: str, names: Iterable[str]) -> Mapping[str, StockSource]:
        """Declared sources by name."""
        ...

    async def stocked(self, merchant: str, nodes: Iterable[int]) -> list[tuple[int, int]]:
        """(item, node) of a merchant's balances that are not zero."""
        ...

    async def whole_as_of(self, merchant: str, nodes: Iterable[int]) -> Mapping[int, datetime]:
        """As of when all that a merchant has at these nodes was told last, where it was."""
        ...

    async def told_whole(self, merchant: str, nodes: Mapping[int, datetime]) -> None:
        """All that a merchant has at nodes was told as of these moments: older levels say nothing any more."""
        ...

    async def keep_figures(self, merchant: str, figures: Sequence[Figure]) -> None:
        """Keep the newest figure of each source; an older one changes nothing."""
        ...

    async def deficits(self, limit: int) -> list[tuple[int, int]]:
        """Claim marked shelves, (item, node), that no other worker holds. The marks go with this transaction."""
        ...

    async def yielding(self, shelves: Sequence[tuple[int, int]], limit: int) -> list[str]:
        """Orders with unreleased units at these shelves, the least urgent first, at most `limit` of each shelf."""
        ...

    async def missing(self, shelves: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """Lock these shelves; by how many units each holds less than is promised of it, where it does."""
        ...

    async def displace_carts(self, missing: Mapping[tuple[int, int], int]) -> dict[tuple[int, int], int]:
        """End carts that hold what shelves lack, the newest first; units freed at each."""
        ...

    async def mark_deficits(self, shelves: Sequence[tuple[int, int]]) -> None:
        """Have somebody give way at these shelves."""
        ...

    async def raise_troubles(self, troubles: Sequence[tuple[str, str | None, Trouble]], now: datetime) -> None:
        """Open or count exceptions: (merchant, order id or None, trouble)."""
        ...
