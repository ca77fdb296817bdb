"""What the path needs of the store about ledgers: what they hold, and what they expect."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from hub.domain.facts import BooksReported

SupplyRow = tuple[str, int, int, int, date, int]
"""(reference, node, item, quantity, due, confidence in per cent)."""


class LedgerUnit(Protocol):
    """Ledgers within a transaction."""

    async def items_of_supply(self, merchant: str, references: Sequence[str]) -> list[int]:
        """Items that are expected under these references."""
        ...

    async def put_supply(self, merchant: str, told: Mapping[str, Sequence[SupplyRow]]) -> None:
        """Write what is expected by reference, whole: what a reference does not name any more is called off."""
        ...

    async def compare_books(self, merchant: str, ledger: str, fact: BooksReported, now: datetime) -> None:
        """Keep what a ledger holds of a day, compare it with what was posted, raise and close differences."""
        ...
