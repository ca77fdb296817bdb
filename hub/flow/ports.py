"""What the flow needs of the store. The store implements these; the flow knows nothing of tables or drivers."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

import msgspec

from hub.domain.contact import Contact
from hub.domain.effects import AnyEffect
from hub.domain.facts import ParcelScanned
from hub.flow.aggregate import Order
from hub.flow.ledger_ports import LedgerUnit
from hub.flow.once import OnceUnit
from hub.flow.risk_facts import Seen
from hub.flow.stock_ports import StockUnit
from hub.flow.trouble import Trouble
from hub.flow.writes import Writes
from hub.promise.lanes import Delivered


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
