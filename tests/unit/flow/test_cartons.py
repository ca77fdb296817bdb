"""Boxes: the cases beside the list, what no list may say, and what holds for every packing."""

import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.item import Dimensions
from hub.flow.cartons import MOST_UNITS, Box, Goods, Packed, Packing, PackingError, in_one, load_packing, pack
from hub.registry import rule_text

CASES = sorted((Path(__file__).parents[3] / "rules" / "packing" / "cases").glob("*.toml"))


class Some(msgspec.Struct, forbid_unknown_fields=True):
    sku: str
    units: int
    weight_g: int | None = None
    size: tuple[int, int, int] | None = None


class Want(msgspec.Struct, forbid_unknown_fields=True):
    weight_g: int
    units: dict[str, int]
    code: str = ""
    size: tuple[int, int, int] | None = None


class Case(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    goods: list[Some]
    box: list[Want]
    policy: str | None = None
    node: str = "ANY"
    assumed: list[str] = []


A_BOX = '\n[[box]]\ncode = "a"\nlength_mm = 1\nwidth_mm = 1\nheight_mm = 1'


def known(one: Some) -> Goods:
    size = Dimensions(length_mm=one.size[0], width_mm=one.size[1], height_mm=one.size[2]) if one.size else None
    return Goods(one.sku, None, one.weight_g, size)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_case_comes_out_as_it_says(path: Path) -> None:
    case = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Case)
    packing = load_packing(case.policy or rule_text("packing", "default"))
    wanted = [(no, known(one), one.units) for no, one in enumerate(case.goods)]
    packed = pack(wanted, packing.boxes_of(case.node), packing)
    found = [
        Want(
            box.parcel.weight_g,
            {case.goods[no].sku: units for no, units in box.units.items()},
            box.box or "",
            None
            if box.parcel.length_mm is None
            else (box.parcel.length_mm, box.parcel.width_mm or 0, box.parcel.height_mm or 0),
        )
        for box in packed.boxes
    ]
    assert (found, list(packed.assumed)) == (case.box, case.assumed)


def test_there_are_cases() -> None:
    assert len(CASES) == 4


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version = ", "packing"),
        ('version = ""', "version"),
        ('version = "v"\nmax_g = 0', "max_g"),
        ('version = "v"\n[[box]]\ncode = "a"\nlength_mm = 1\nwidth_mm = 1', "height_mm"),
        (f'version = "v"\nmax_g = 10{A_BOX}\nempty_g = 10', "'a'"),
        (f'version = "v"{A_BOX}{A_BOX}', "twice"),
    ],
)
def test_a_list_that_nobody_can_mean_is_refused(text: str, told: str) -> None:
    with pytest.raises(PackingError, match=told):
        load_packing(text)


def test_a_carrier_of_single_labels_is_given_one_parcel() -> None:
    packed = in_one([(1, Goods("A", None, 20_000), 2), (2, None, 1)])
    assert [(box.parcel.weight_g, box.units) for box in packed.boxes] == [(40_500, {1: 2, 2: 1})]
    assert in_one([]) == Packed((), ())


def test_a_thousand_pallets_take_no_longer() -> None:
    packed = pack([(1, Goods("A", None, 10), 100 * MOST_UNITS)], (), Packing(version="v"))
    assert len(packed.boxes) == 100 * MOST_UNITS * 10 // 30_000 + 1
    assert packed.assumed[-1].endswith("divided by weight alone")


SIZE = st.integers(10, 500)
GOODS = st.builds(
    lambda weight, x, y, z: Goods("A", None, weight, Dimensions(length_mm=x, width_mm=y, height_mm=z)),
    st.integers(1, 6_000),
    SIZE,
    SIZE,
    SIZE,
)
BOXES = tuple(
    Box(code=f"b{edge}", length_mm=edge, width_mm=edge, height_mm=edge, empty_g=edge) for edge in (500, 300, 120)
)


@given(st.lists(st.tuples(GOODS, st.integers(1, 4)), min_size=1, max_size=6))
def test_every_unit_is_in_one_box_that_holds_it(bought: list[tuple[Goods, int]]) -> None:
    packing = Packing(version="v", max_g=8_000, boxes=BOXES)
    packed = pack([(no, goods, units) for no, (goods, units) in enumerate(bought)], packing.boxes_of("X"), packing)
    for no, (_, units) in enumerate(bought):
        assert sum(box.units.get(no, 0) for box in packed.boxes) == units
    for box in packed.boxes:
        weight = sum((bought[no][0].weight_g or 0) * units for no, units in box.units.items())
        edge = int(box.box[1:]) if box.box else 0
        assert box.parcel.weight_g == weight + edge
        if box.box is None:
            assert sum(box.units.values()) == 1
            continue
        assert box.parcel.weight_g <= packing.max_g
        volumes = [
            size.length_mm * size.width_mm * size.height_mm * units
            for no, units in box.units.items()
            if (size := bought[no][0].size)
        ]
        assert sum(volumes) * 100 <= edge**3 * packing.fill_percent
