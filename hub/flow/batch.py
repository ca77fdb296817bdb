"""What every handler is given beside its messages: configuration, time, ids, and how to treat the stock."""

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
