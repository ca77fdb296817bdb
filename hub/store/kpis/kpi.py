"""What a key figure is."""

from typing import Final, Literal

import msgspec

Dimension = Literal["channel", "node", "item", "reason", "currency", "day"]

DIMENSIONS: Final[tuple[Dimension, ...]] = ("channel", "node", "item", "reason", "currency", "day")

COLUMNS: Final = ("merchant", "at", "order_id", "ref", *DIMENSIONS[:-1], "numerator", "denominator")


class Kpi(msgspec.Struct, frozen=True, kw_only=True):
    """A key figure and the rows that it is the sum of."""

    name: str
    title: str
    definition: str
    """What is counted, of what, and to which day a row belongs: the only place that says so."""
    unit: Literal["share", "seconds", "minor_units"]
    """A share is from 0 to 1 (may be above); seconds and minor units of a currency are means per row."""
    good: Literal["high", "low"]
    rows: str
    """The select behind the view."""
    by: tuple[Dimension, ...] = ("channel", "day")
    """What it may be split by."""
    whole: tuple[Dimension, ...] = ()
    """Split by these, every part is a share of all rows and not of its own: reasons add up to the figure."""
    scale: int = 1
    """The numerator is in so many parts of the unit."""

    @property
    def view(self) -> str:
        """Name of its view."""
        return f"kpi_{self.name}"
