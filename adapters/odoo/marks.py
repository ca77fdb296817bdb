"""How a transfer of Odoo's remembers our fulfilment order and its lines.

A transfer's source document (`origin`) is our fulfilment order's id: the natural key. Each of its moves has one, too,
which says which of our lines it is for: `<fulfilment>#<product>:<line>*<units>,...`. Odoo copies both to backorders and
returns, and a kit's mark to each of its components, which is how its parts are counted as kits again. Pure.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Final

import msgspec

from adapters.odoo.schemas import Text, record_id
from adapters.odoo.warehouse_rows import Move
from hub.domain.fulfilment import split_fulfilment_id
from hub.domain.ids import LENGTH
from hub.sdk.capabilities import RequestLine

OURS: Final = "_" * LENGTH + "-%"
"""Pattern (`=like`) of our ids among all source documents."""

_MARK: Final = re.compile(r"([^#]+)#(\d+):((?:[^*,]+\*\d+)(?:,[^*,]+\*\d+)*)")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Units of one product for lines of ours, in their order. A fulfilment order asks for a product once."""

    product: int
    """The product we asked for; a move's own is another where it is a component of a kit."""
    lines: tuple[tuple[str, int], ...]

    @property
    def units(self) -> int:
        """Of all lines together."""
        return sum(units for _, units in self.lines)

    def first(self, units: int) -> "Asked":
        """The same lines with so many units in all, the first lines served first."""
        kept = []
        for line, wanted in self.lines:
            kept.append((line, min(wanted, units)))
            units -= kept[-1][1]
        return Asked(product=self.product, lines=tuple(kept))


def asked_for(lines: Iterable[RequestLine], products: Mapping[str, int]) -> list[Asked]:
    """What a request asks for, product by product: Odoo itself would merge two moves of one product."""
    found: dict[int, list[tuple[str, int]]] = {}
    for line in lines:
        if line.quantity:
            found.setdefault(products[line.sku], []).append((line.line, line.quantity))
    return [Asked(product=product, lines=tuple(asked)) for product, asked in found.items()]


def mark(fulfilment: str, asked: Asked) -> str:
    """The source document of a move."""
    return f"{fulfilment}#{asked.product}:{','.join(f'{line}*{units}' for line, units in asked.lines)}"


def read_mark(origin: Text) -> tuple[str, Asked] | None:
    """Fulfilment order and lines of a move; None for a move that is not ours."""
    found = _MARK.fullmatch(origin) if isinstance(origin, str) else None
    if found is None:
        return None
    parts = (part.rpartition("*") for part in found[3].split(","))
    lines = tuple((line, int(units)) for line, _, units in parts)
    return found[1], Asked(product=int(found[2]), lines=lines)


def fulfilment_of(origin: Text) -> str | None:
    """Our fulfilment order that a transfer is for; None when it is somebody else's."""
    try:
        order, _ = split_fulfilment_id(str(origin))
    except ValueError:
        return None
    return str(origin) if len(order) == LENGTH else None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that Odoo has of one product that we asked for: its move and those split off, or a kit's parts."""

    asked: Asked
    moves: tuple[Move, ...]

    def parts(self) -> dict[int, Fraction]:
        """Units of each product that make one of what we asked for: 1 of itself, or a kit's parts."""
        if all(record_id(move.product_id) == self.asked.product for move in self.moves):
            return {self.asked.product: Fraction(1)}
        total: dict[int, Fraction] = {}
        for move in self.moves:
            product = record_id(move.product_id) or 0
            total[product] = total.get(product, Fraction(0)) + Fraction(move.product_uom_qty)
        return {product: units / self.asked.units for product, units in total.items() if units and self.asked.units}

    def whole(self, moves: Iterable[Move]) -> int:
        """How many of what we asked for the quantities of some of its moves make: of a kit, whole ones."""
        have: dict[int, Fraction] = {}
        for move in moves:
            product = record_id(move.product_id) or 0
            have[product] = have.get(product, Fraction(0)) + Fraction(move.quantity)
        parts = self.parts()
        return min((int(have.get(product, Fraction(0)) / each) for product, each in parts.items()), default=0)


def groups(fulfilment: str, moves: Sequence[Move]) -> list[Group]:
    """Moves by the product that they were asked for with; moves that carry no mark of ours are left out."""
    found: dict[int, tuple[Asked, list[Move]]] = {}
    for move in sorted(moves, key=lambda one: one.id):
        read = read_mark(move.origin)
        if read is not None and read[0] == fulfilment:
            found.setdefault(read[1].product, (read[1], []))[1].append(move)
    return [Group(asked=asked, moves=tuple(mine)) for asked, mine in found.values()]
