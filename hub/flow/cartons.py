"""How many boxes, and what is in each: first fit, the bulkiest first, by size, room and weight. Pure.

A stated rule of thumb, not a packing plan: a unit must fit into the box edge by edge, all units together may take so
many percent of its room, and the box may not become too heavy. Where the size of anything is unknown nobody can say
what fits: then goods are divided by weight alone, and the boxes have no size.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Final, NamedTuple

import msgspec

from hub.domain.item import Customs, Dimensions
from hub.sdk.capabilities import ParcelToShip

DEFAULT_WEIGHT_G: Final = 500
"""Weight of a unit whose item has none: a stated assumption, told with the boxes."""

MOST_UNITS: Final = 2_000
"""Units that are packed one by one; more of them go by weight alone, which takes no longer for more."""

Positive = Annotated[int, msgspec.Meta(ge=1)]


class PackingError(ValueError):
    """A list of boxes that cannot be used; the text says which key and why."""


class Box(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A box in stock, by its inner size."""

    code: str
    length_mm: Positive
    width_mm: Positive
    height_mm: Positive
    empty_g: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Of the box itself, with what fills it up."""
    max_g: Positive | None = None
    """Most that it carries, itself included; None is the limit of all boxes."""
    nodes: tuple[str, ...] = ()
    """Codes of the nodes that have it; empty is every node."""

    @property
    def edges(self) -> tuple[int, int, int]:
        """Longest first."""
        return edges(self.length_mm, self.width_mm, self.height_mm)

    @property
    def room(self) -> int:
        """Cubic millimetres."""
        return self.length_mm * self.width_mm * self.height_mm


class Packing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goods are packed in. Without boxes they are divided by weight alone."""

    version: str
    max_g: Positive = 30_000
    """Most that any parcel may weigh."""
    fill_percent: Annotated[int, msgspec.Meta(ge=1, le=100)] = 85
    """How much of a box's room goods may take."""
    boxes: tuple[Box, ...] = msgspec.field(name="box", default=())

    def boxes_of(self, node: str) -> tuple[Box, ...]:
        """The boxes that a node has, the roomiest first."""
        mine = [box for box in self.boxes if not box.nodes or node in box.nodes]
        return tuple(sorted(mine, key=lambda box: (-box.room, box.code)))


class Goods(NamedTuple):
    """What packing and customs ask of an item."""

    sku: str
    title: str | None = None
    weight_g: int | None = None
    size: Dimensions | None = None
    customs: Customs | None = None
    price: Mapping[str, Decimal] = {}
    """List price of a base unit, by currency."""


class Filled(NamedTuple):
    """A box and what is in it."""

    parcel: ParcelToShip
    units: dict[int, int]
    """By demand."""
    box: str | None = None
    """Its code; None for goods that go as they are, and where nobody knows their size."""


class Packed(NamedTuple):
    """Boxes, and what was assumed."""

    boxes: tuple[Filled, ...]
    assumed: tuple[str, ...] = ()


Wanted = tuple[int, Goods | None, int]
"""(demand, what is known of its item, units)."""


class _Unit(NamedTuple):
    demand: int
    weight: int
    edges: tuple[int, int, int] | None

    @property
    def bulk(self) -> int:
        return self.edges[0] * self.edges[1] * self.edges[2] if self.edges else 0


def load_packing(text: str) -> Packing:
    """Read a list of boxes. Raises `PackingError` for the first thing that is wrong."""
    try:
        packing = msgspec.convert(tomllib.loads(text), Packing, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise PackingError(f"packing: {error}") from error
    if not packing.version:
        raise PackingError("packing: version a list of boxes needs a version")
    codes = [box.code for box in packing.boxes]
    for box in packing.boxes:
        if codes.count(box.code) > 1:
            raise PackingError(f"packing: box {box.code!r} stands twice")
        if box.empty_g >= (box.max_g or packing.max_g):
            raise PackingError(f"packing: box {box.code!r} weighs more empty than it may weigh full")
    return packing


def edges(length: int, width: int, height: int) -> tuple[int, int, int]:
    """Three edges, the longest first: goods may be turned."""
    longest, middle, shortest = sorted((length, width, height), reverse=True)
    return longest, middle, shortest


def pack(wanted: Sequence[Wanted], boxes: Sequence[Box], packing: Packing) -> Packed:
    """Boxes for units. `boxes` are those at hand, the roomiest first."""
    assumed = list(_assumed(wanted))
    many = sum(units for _, _, units in wanted) > MOST_UNITS
    if many:
        assumed.append(f"more than {MOST_UNITS} units: divided by weight alone")
    if many or not boxes or any(goods is None or goods.size is None for _, goods, _ in wanted):
        return Packed(_by_weight(wanted, packing.max_g), tuple(assumed))
    units = [_Unit(demand, _weight(goods), _size(goods)) for demand, goods, quantity in wanted for _ in range(quantity)]
    units.sort(key=lambda unit: (-unit.bulk, -unit.weight, unit.demand))
    return Packed(_first_fit(units, boxes, packing), tuple(assumed))


def in_one(wanted: Sequence[Wanted]) -> Packed:
    """One parcel for everything, of unknown size."""
    return Packed(_by_weight(wanted, None), tuple(_assumed(wanted)))


def _assumed(wanted: Sequence[Wanted]) -> Iterable[str]:
    for demand, goods, _ in wanted:
        name = goods.sku if goods else f"demand {demand}"
        if goods is None or goods.weight_g is None:
            yield f"{name}: weight unknown, taken as {DEFAULT_WEIGHT_G} g"
        if goods is None or goods.size is None:
            yield f"{name}: size unknown, so boxes are filled by weight alone and have no size"


def _weight(goods: Goods | None) -> int:
    return (goods.weight_g if goods else None) or DEFAULT_WEIGHT_G


def _size(goods: Goods | None) -> tuple[int, int, int] | None:
    if goods is None or goods.size is None:
        return None
    return edges(goods.size.length_mm, goods.size.width_mm, goods.size.height_mm)


def _by_weight(wanted: Sequence[Wanted], limit: int | None) -> tuple[Filled, ...]:
    """The heaviest units first, each into the first box that may carry it; arithmetic, not unit by unit."""
    open_boxes: list[tuple[int, dict[int, int]]] = []
    for demand, goods, quantity in sorted(wanted, key=lambda one: (-_weight(one[1]), one[0])):
        each, left = _weight(goods), quantity
        for place, (weight, content) in enumerate(open_boxes):
            fits = left if limit is None else min(left, max(0, (limit - weight) // each))
            if fits:
                content[demand] = content.get(demand, 0) + fits
                open_boxes[place] = (weight + fits * each, content)
                left -= fits
        while left:
            fits = left if limit is None else min(left, max(1, limit // each))
            open_boxes.append((fits * each, {demand: fits}))
            left -= fits
    return tuple(Filled(ParcelToShip(weight_g=weight), content) for weight, content in open_boxes)


class _Open:
    """A box being filled."""

    def __init__(self, box: Box | None, unit: _Unit) -> None:
        self.box, self.units = box, [unit]
        self.weight = unit.weight + (box.empty_g if box else 0)
        self.bulk = unit.bulk

    def takes(self, unit: _Unit, packing: Packing) -> bool:
        """Whether one more fits."""
        return self.box is not None and _holds(
            self.box, [unit], self.bulk + unit.bulk, self.weight - self.box.empty_g + unit.weight, packing
        )

    def put(self, unit: _Unit) -> None:
        """Put one more in."""
        self.units.append(unit)
        self.weight += unit.weight
        self.bulk += unit.bulk


def _holds(box: Box, units: Iterable[_Unit], bulk: int, goods_g: int, packing: Packing) -> bool:
    limit = min(box.max_g or packing.max_g, packing.max_g)
    if bulk * 100 > box.room * packing.fill_percent or goods_g + box.empty_g > limit:
        return False
    return all(
        unit.edges is not None and all(edge <= room for edge, room in zip(unit.edges, box.edges, strict=True))
        for unit in units
    )


def _first_fit(units: Sequence[_Unit], boxes: Sequence[Box], packing: Packing) -> tuple[Filled, ...]:
    """Into the first open box that takes it, else into a new one of the roomiest kind; small boxes are taken at the
    end, where they hold as much. What no box holds goes as it is."""
    filling: list[_Open] = []
    for unit in units:
        place = next((one for one in filling if one.takes(unit, packing)), None)
        if place is not None:
            place.put(unit)
            continue
        kind = next((box for box in boxes if _holds(box, [unit], unit.bulk, unit.weight, packing)), None)
        filling.append(_Open(kind, unit))
    return tuple(_filled(one, boxes, packing) for one in filling)


def _filled(one: _Open, boxes: Sequence[Box], packing: Packing) -> Filled:
    content: dict[int, int] = {}
    for unit in one.units:
        content[unit.demand] = content.get(unit.demand, 0) + 1
    if one.box is None:
        size = one.units[0].edges or (1, 1, 1)
        return Filled(_parcel(one.weight, size), content)
    goods_g = one.weight - one.box.empty_g
    least = next(box for box in reversed(boxes) if _holds(box, one.units, one.bulk, goods_g, packing))
    return Filled(_parcel(goods_g + least.empty_g, least.edges), content, least.code)


def _parcel(weight: int, size: tuple[int, int, int]) -> ParcelToShip:
    return ParcelToShip(weight_g=weight, length_mm=size[0], width_mm=size[1], height_mm=size[2])
