"""What the path needs of the store about ledgers: what they hold, and what they expect."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple, Protocol

from hub.domain.facts import BooksReported
from hub.domain.item import Particulars

SupplyRow = tuple[str, int, int, int, date, int]
"""(reference, node, item, quantity, due, confidence in per cent)."""


class KnownItem(NamedTuple):
    """An item that the hub has."""

    particulars: Particulars
    kit: bool
    counted: bool
    """The ledger counts it in another unit, and units of the hub rest on it: stock, promises, orders, kits, supply."""
    told_at: datetime | None
    """When what this ledger told of it last was true."""


class ToldItems(NamedTuple):
    """What a ledger said of items, by SKU."""

    heard: dict[str, datetime]
    """All that it spoke of, also those of which nothing changed, and when that was true."""
    made: dict[str, Particulars]
    changed: dict[str, Particulars]


class LedgerUnit(Protocol):
    """Ledgers within a transaction."""

    async def items_of_supply(self, merchant: str, references: Sequence[str]) -> list[int]:
        """Items that are expected under these references."""
        ...

    async def put_supply(self, merchant: str, told: Mapping[str, Sequence[SupplyRow]]) -> None:
        """Write what is expected by reference, whole: what a reference does not name any more is called off."""
        ...

    async def known_items(self, merchant: str, ledger: str, units: Mapping[str, str | None]) -> dict[str, KnownItem]:
        """Items by SKU, locked; `units` are all that are asked for, with the unit that the ledger counts each in."""
        ...

    async def put_told(self, merchant: str, ledger: str, told: ToldItems, now: datetime) -> None:
        """Make and change items, close the questions that they answer and wake what waited for them. Raises the
        database's unique violation for one that somebody made since it was not known."""
        ...

    async def compare_books(self, merchant: str, ledger: str, fact: BooksReported, now: datetime) -> None:
        """Keep what a ledger holds of a day, compare it with what was posted, raise and close differences."""
        ...
