"""Available to sell: one function, one waterfall. Pure integer arithmetic, nothing read, nothing asked."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple


class NodeStock(NamedTuple):
    """What one node holds of one item, in base units."""

    node: int
    sellable: int
    pinned: int
    safety: int


class Loose(NamedTuple):
    """Claims on an item that name no node: captured orders, back-orders, carts."""

    unpinned: int = 0
    backordered: int = 0
    soft: int = 0


NOTHING_LOOSE = Loose()

Withheld = Callable[[int], int]
"""Units withheld of what could be sold otherwise."""


class Step(NamedTuple):
    """One step of the waterfall: `quantity` is added to what stood before it."""

    name: str
    quantity: int


UNCOUNTED = 1_000_000_000
"""What may be sold of an item whose stock nobody counts: as many as anybody will ever want."""


class Ats(NamedTuple):
    """The answer. The steps sum to `available - deficit`: one of the two is always zero."""

    available: int
    """Never below zero."""
    deficit: int
    """By how much promises exceed the truth."""
    steps: tuple[Step, ...]

    @property
    def raw(self) -> int:
        """The sum before the floor."""
        return self.available - self.deficit


def ats(
    nodes: Iterable[NodeStock],
    loose: Loose = NOTHING_LOOSE,
    *,
    buffer: int | Withheld = 0,
    supply: int = 0,
    backorder: int = 0,
    preorder: int = 0,
) -> Ats:
    """Sum over nodes of max(0, sellable - pinned - safety), minus loose claims and buffer, plus what may be sold
    beyond it: supply in the window, allowances for back- and pre-orders. Floored at 0.

    A buffer is units, or a rule over what stands before it. A node below zero cannot be helped by another's stock, nor
    may it take from it: `node_floor` shows what was cut.
    """
    sellable = pinned = safety = floor = 0
    for row in nodes:
        sellable += row.sellable
        pinned += row.pinned
        safety += row.safety
        floor += max(0, row.pinned + row.safety - row.sellable)
    steps = (
        Step("on_hand", sellable),
        Step("reserved", -pinned),
        Step("safety", -safety),
        Step("node_floor", floor),
        Step("unpinned", -loose.unpinned),
        Step("backordered", -loose.backordered),
        Step("carts", -loose.soft),
    )
    return _answer(
        *steps,
        Step("buffer", -_units(buffer, steps)),
        Step("supply", supply),
        Step("backorder_allowance", backorder),
        Step("preorder_allowance", preorder),
    )


def _units(buffer: int | Withheld, steps: Iterable[Step]) -> int:
    return buffer if isinstance(buffer, int) else buffer(sum(step.quantity for step in steps))


class Part(NamedTuple):
    """A component of a kit with its own answer, made without the channel's buffer."""

    sku: str
    per_kit: int
    ats: Ats


def kit_ats(parts: Sequence[Part], *, buffer: int | Withheld = 0, backorder: int = 0, preorder: int = 0) -> Ats:
    """Kits that the scarcest component allows, minus the buffer, plus the kit's own allowances.

    A kit without components cannot be sold.
    """
    if not parts:
        return _answer()
    scarcest = min(parts, key=lambda part: (part.ats.raw // part.per_kit, part.sku))
    kits = scarcest.ats.raw // scarcest.per_kit
    step = Step(f"component {scarcest.sku} / {scarcest.per_kit}", kits)
    return _answer(
        step,
        Step("buffer", -_units(buffer, (step,))),
        Step("backorder_allowance", backorder),
        Step("preorder_allowance", preorder),
    )


def uncounted() -> Ats:
    """The answer for an item of unlimited or no stock."""
    return _answer(Step("unlimited", UNCOUNTED))


def _answer(*steps: Step) -> Ats:
    raw = sum(step.quantity for step in steps)
    return Ats(max(0, raw), max(0, -raw), steps)


def for_sink(available: int, own_open_units: int) -> int:
    """The number to send to a sink that subtracts `own_open_units` by itself: exactly that is added back."""
    return available + own_open_units
