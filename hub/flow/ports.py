"""What the flow needs of the store. The store implements these; the flow knows nothing of tables or drivers."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple, Protocol

import msgspec

from hub.domain.contact import Contact
from hub.domain.effects import AnyEffect
from hub.domain.facts import ParcelScanned
from hub.domain.network import Node
from hub.flow.aggregate import Order, Trouble
from hub.flow.ledger_ports import LedgerUnit
from hub.flow.once import OnceUnit
from hub.flow.risk_facts import Seen
from hub.flow.writes import Writes
from hub.promise.lanes import Delivered
from hub.stock.supply import Expected


class LostRace(Exception):
    """Another transaction took what this one had seen as free. The batch is repeated: it locks first, then decides."""


class Inbound(NamedTuple):
    """A stored message in a handler's hands."""

    id: int
    merchant: str
    connection: str
    account: int
    topic: str
    object: str | None
    received_at: datetime
    tries: int
    body: bytes


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


_effect: Final[msgspec.json.Decoder[AnyEffect]] = msgspec.json.Decoder(AnyEffect)


class Claimed(NamedTuple):
    """An effect in the hands of a sender, until its lease ends."""

    id: int
    fence: int
    tries: int
    waits: int
    """Of the tries, those that ended with a time that the partner named."""
    look_first: bool
    connection: str
    merchant: str
    subject: str
    key: str
    order: str
    document: str

    @property
    def effect(self) -> AnyEffect:
        """What to do."""
        return _effect.decode(self.document)


class LabelAsked(NamedTuple):
    """A purchase of postage that is not wanted any more."""

    connection: str
    taken_back: int | None
    """The effect, where nobody can have heard of it; None: it was bought, or may have been."""


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


class StockSource(NamedTuple):
    """What a source of figures declared of itself."""

    kinds: frozenset[str]
    subtracts: bool


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


class Mark(NamedTuple):
    """A digest of who ordered or where to, to count an order's equals by."""

    merchant: str
    kind: str
    mark: bytes
    order: str
    at: datetime
    since: datetime
    """From when on equals are recent."""


class InboxUnit(Protocol):
    """The inbox inside a transaction. Claimed rows are locked until its end."""

    async def claim(self, lane: str, limit: int, only: Sequence[int] | None = None) -> list[Inbound]:
        """Lock and read due messages that no other worker holds, at most one per object, oldest first."""
        ...

    async def finish(self, ids: Iterable[int]) -> None:
        """These are done."""
        ...

    async def postpone(self, ids: Iterable[int], until: datetime, error: str) -> None:
        """Try these again later."""
        ...

    async def park(self, troubles: Sequence[tuple[Inbound, Trouble]], now: datetime, epoch: int | None = None) -> None:
        """These need a person: raise the exceptions, keep the messages, let others of the same object pass. Where the
        configuration is newer than `epoch`, they are tried again instead."""
        ...


class OrdersUnit(Protocol):
    """Orders inside a transaction, each locked when it is loaded."""

    async def by_external(self, keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], Order]:
        """Load and lock the orders that exist, by (account, external id)."""
        ...

    async def by_id(self, ids: Iterable[str]) -> dict[str, Order]:
        """Load and lock orders by their ids."""
        ...

    async def by_tracking(self, numbers: Iterable[str]) -> dict[str, list[str]]:
        """Order ids by tracking number; not locked."""
        ...

    async def peers(self, orders: Iterable[Order]) -> None:
        """Read what stands beside locked orders: returns, refunds, payment requests, payments. Known ones are left."""
        ...

    async def return_told(self, merchant: str, source: str) -> bool:
        """Whether something opened a return already."""
        ...

    async def orders_of_returns(self, ids: Iterable[str]) -> list[str]:
        """Ids of the orders of returns."""
        ...

    async def return_labels(self, numbers: Iterable[str]) -> dict[str, tuple[str, str]]:
        """(order, return) by the tracking number of a return's label."""
        ...

    async def contacts(self, ids: Iterable[str]) -> Mapping[str, Mapping[str, Contact]]:
        """The newest contacts of orders, by order and key."""
        ...

    async def history(self, marks: Sequence[Mark]) -> Mapping[tuple[str, str], Seen]:
        """How often each mark was seen on earlier orders, by (order, kind)."""
        ...

    async def keep_marks(self, marks: Sequence[Mark]) -> None:
        """Keep marks; those of an order replace none of its earlier ones."""
        ...

    async def due_holds(self, now: datetime, limit: int) -> list[str]:
        """Ids of orders with a hold whose timer has run out, locked, without those that others hold."""
        ...

    async def ending_authorisations(
        self, merchant: str, now: datetime, within: timedelta, kinds: Sequence[str], limit: int
    ) -> list[str]:
        """Ids of orders with unreleased goods whose authorisation ends within that time and that no hold of these kinds
        was ever placed on, locked, without those that others hold."""
        ...

    async def mark_earlier(self, merchant: str, now: datetime) -> int:
        """Mark a batch of orders that came before any rule asked; returns how many were looked at."""
        ...

    async def give_up_labels(self, fulfilments: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], LabelAsked]:
        """Purchases of labels for these (order, fulfilment order), where there are any. What nobody can have heard of
        is taken back; what is parked and may have been bought is looked for at once."""
        ...

    async def keep_scans(self, scans: Sequence[tuple[str, ParcelScanned]]) -> None:
        """Keep the carriers' own events, (merchant, scan), each once."""
        ...

    async def keep_transits(self, delivered: Sequence[Delivered]) -> None:
        """Count parcels that arrived, by lane and days."""
        ...

    async def forget_people(self, account: int, orders: Sequence[str] | None) -> list[str]:
        """Forget who the orders of an account (by the channel's ids; None for all) were for, where they are over.

        Returns the numbers of those that are not over, whose people are still needed."""
        ...

    async def overdue(self, now: datetime, limit: int) -> list[str]:
        """Lock orders with a store's deadline that is over, those left out that others hold; their ids."""
        ...

    async def offers(self, orders: Iterable[Order]) -> None:
        """Read what locked orders were offered to which nodes."""
        ...

    async def waiting(self, limit: int, epoch: int) -> dict[str, datetime]:
        """Ids of orders with demands that are due to be looked at again, not locked by others, and when they were due.

        None when the configuration is newer than `epoch`: they would be decided under what holds no more.
        """
        ...


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


class Unit(InboxUnit, OrdersUnit, StockUnit, LedgerUnit, OnceUnit, Protocol):
    """One transaction."""

    async def write(self, writes: Writes, now: datetime) -> None:
        """Write everything a batch changed. Raises `LostRace`."""
        ...

    async def put_off(self, due: Mapping[str, datetime]) -> None:
        """Look at these orders again only after the sweep's interval, or when they are woken, which they may have been
        since they were due."""
        ...

    async def wake(self, merchant: str, causes: Iterable[str], now: datetime, *, skip_locked: bool = False) -> int:
        """Make what waits for these causes due now; returns how many demands that is.

        `skip_locked` leaves out what another transaction is deciding: for those that hold waiting places themselves,
        and would wait for each other.
        """
        ...

    async def void(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Take back effects that nobody can have heard of: (connection, key) -> id of those taken back."""
        ...


class Store(Protocol):
    """Opens transactions."""

    def unit(self) -> AbstractAsyncContextManager[Unit]:
        """A transaction: committed at the end, rolled back on any error."""
        ...
