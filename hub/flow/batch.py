"""What every handler is given beside its messages: configuration, time, ids, and how to treat the stock."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from hub.domain.ids import NewId
from hub.flow.directory import Directory

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far a partner's clock may run ahead of ours before we stop believing its times."""


class Batch(NamedTuple):
    """Circumstances of one batch. The clock and the id maker are values here, so that handlers stay repeatable."""

    directory: Directory
    now: datetime
    new_id: NewId
    lock_stock: bool = False
    """Set on the second attempt after a lost race: stock is locked before it is decided, and cannot be lost again."""
    aside: frozenset[str] = frozenset()
    """Orders to leave alone for now: our own code stumbled over them."""
    only: str | None = None
    """The one order that this is about; None is whatever is due."""

    def among(self, ids: Iterable[str]) -> list[str]:
        """Those of these orders that are to be seen to."""
        return [id for id in ids if id not in self.aside and self.only in (None, id)]
