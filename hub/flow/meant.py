"""Which of an order's units somebody means who speaks of lines: by our reference, or by SKU."""

from collections.abc import Callable, Sequence

from hub.domain.demand import Slice
from hub.domain.facts import FactLine
from hub.domain.shipping import ParcelLine
from hub.flow.aggregate import Order


def units_meant(
    order: Order, no: int, lines: Sequence[FactLine], fits: Callable[[Slice], bool]
) -> list[tuple[Slice, int]]:
    """Slices of a fulfilment order that lines mean, with units; no lines means all of them."""
    parts = [part for part in order.of_fulfilment(no) if fits(part)]
    if not lines:
        return [(part, part.quantity) for part in parts]
    taken: dict[int, int] = {}
    for line in lines:
        left = line.quantity
        for part in parts:
            if left > 0 and means(order, part.demand, line):
                units = min(left, part.quantity - taken.get(part.no, 0))
                if units > 0:
                    taken[part.no] = taken.get(part.no, 0) + units
                    left -= units
    return [(part, taken[part.no]) for part in parts if part.no in taken]


def means(order: Order, demand: int, line: FactLine) -> bool:
    """Whether a line is about a demand: by our reference, else by the SKU, the channel's or the item's own."""
    if line.line is not None:
        return line.line == str(demand)
    wanted = order.demands[demand]
    return line.sku is not None and (line.sku == wanted.sku or order.skus.get(line.sku, 0) == wanted.item)


def line_meant(part: ParcelLine) -> FactLine:
    """A line of a parcel, as its sender wrote it."""
    if part.line.startswith("sku:"):
        return FactLine(sku=part.line.removeprefix("sku:"), quantity=part.quantity)
    return FactLine(line=part.line, quantity=part.quantity)
