"""What the flow needs of the store. The store implements these; the flow knows nothing of tables or drivers."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Final, NamedTuple, Protocol

import msgspec

from hub.domain.effects import AnyEffect
from hub.domain.facts import ParcelScanned
from hub.domain.network import Node
from hub.flow.aggregate import Order, Trouble
from hub.flow.writes import Writes


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


_effect: Final[msgspec.json.Decoder[AnyEffect]] = msgspec.json.Decoder(AnyEffect)


class Claimed(NamedTuple):
    """An effect in the hands of a sender, until its lease ends."""

    id: int
    fence: int
    tries: int
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

    async def park(self, troubles: Sequence[tuple[Inbound, Trouble]], now: datetime) -> None:
        """These need a person: raise the exceptions, keep the messages, let others of the same object pass."""
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

    async def keep_scans(self, scans: Sequence[ParcelScanned]) -> None:
        """Keep the carriers' own events, each once."""
        ...

    async def waiting(self, limit: int, now: datetime) -> list[str]:
        """Ids of orders with demands that are due to be looked at again, not locked by others."""
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

    async def items_by_sku(self, merchant: str, skus: Iterable[str]) -> Mapping[str, int]:
        """Item ids by SKU."""
        ...


class Unit(InboxUnit, OrdersUnit, StockUnit, Protocol):
    """One transaction."""

    async def write(self, writes: Writes, now: datetime) -> None:
        """Write everything a batch changed. Raises `LostRace`."""
        ...

    async def put_off(self, orders: Iterable[str], now: datetime) -> None:
        """Look at these waiting orders again only after the sweep's interval, or when they are woken."""
        ...

    async def wake(self, merchant: str, causes: Iterable[str], now: datetime) -> int:
        """Make what waits for these causes due now; returns how many demands that is."""
        ...

    async def void(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Take back effects that nobody can have heard of: (connection, key) -> id of those taken back."""
        ...


class Store(Protocol):
    """Opens transactions."""

    def unit(self) -> AbstractAsyncContextManager[Unit]:
        """A transaction: committed at the end, rolled back on any error."""
        ...
