"""When what may be sold will be there: now, when supply is due, or when an allowance ships. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple


class Inbound(NamedTuple):
    """Expected supply inside the window, as far as it is trusted."""

    due: date
    units: int


class Component(NamedTuple):
    """What a sold unit takes of one item; an item that is no kit is its own only component."""

    per_unit: int
    raw: int
    """What may be sold of it without supply; below zero, promises come before new ones."""
    inbound: tuple[Inbound, ...] = ()


class Allowance(NamedTuple):
    """Units that may be sold beyond what is there or expected."""

    kind: str
    """backorder, preorder."""
    units: int
    ships_on: date | None


class Available(NamedTuple):
    """So many units, from then on."""

    quantity: int
    on: date | None
    """None for stock is now; for an allowance, that no day is known."""
    source: str
    """stock, supply, backorder, preorder."""


def dates(components: Sequence[Component], buffer: int = 0, allowances: Sequence[Allowance] = ()) -> list[Available]:
    """Quantities by the day they can leave, the earliest first. They sum to what may be sold.

    A deficit takes from the earliest first: a new promise never overtakes an old one.
    """
    if not components:
        return []
    days: list[date | None] = [None, *sorted({one.due for part in components for one in part.inbound})]
    total, found = 0, []
    shown = 0
    for day in days:
        total = min(_units(part, day) // part.per_unit for part in components) - buffer
        if total > shown:
            found.append(Available(total - shown, day, "stock" if day is None else "supply"))
            shown = total
    for one in allowances:
        # What is lacking is made good out of the allowance too.
        total += one.units
        if total > shown:
            found.append(Available(total - shown, one.ships_on, one.kind))
            shown = total
    return found


def _units(part: Component, day: date | None) -> int:
    return part.raw + sum(one.units for one in part.inbound if day is not None and one.due <= day)
