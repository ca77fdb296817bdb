"""Which failures a row is to blame for: they come again with it, and go without it."""

from typing import Final

from hub.domain.states import IllegalMove
from hub.flow.ports import LostRace
from hub.flow.refund import CannotRefund
from hub.flow.refusal import CannotDo
from hub.flow.settle_stock import InvariantBroken
from hub.store.database import is_data_fault, is_weather

_BAD_ROW: Final = (
    IllegalMove,
    InvariantBroken,
    CannotDo,
    CannotRefund,
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    RecursionError,
    LostRace,
)
"""What a single message or order can make of our own code: it is set aside with its reason, and the others go on.

A race lost with the stock locked was lost to the books, not to another worker: it would be lost for ever."""


def blames_a_row(error: Exception) -> bool:
    """Whether this comes of what a row is; false is weather, or nothing that anybody foresaw."""
    return not is_weather(error) and (isinstance(error, _BAD_ROW) or is_data_fault(error))
