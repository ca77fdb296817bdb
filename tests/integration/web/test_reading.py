"""Every fault at once, each with its pointer."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
import pytest

from hub.store.admin.errors import Invalid
from hub.web.reading import NotJson, parse, read


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    sku: Annotated[str, msgspec.Meta(min_length=1)]
    quantity: Annotated[int, msgspec.Meta(ge=1)] = 1


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    lines: Annotated[list[Line], msgspec.Meta(max_length=3)]
    first: Line | None = None
    by_name: dict[str, Line] = {}
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None

    def __post_init__(self) -> None:
        if self.name == "forbidden":
            raise ValueError("that name is forbidden")


def faults(document: Any, at: str = "") -> dict[str | None, str]:
    with pytest.raises(Invalid) as caught:
        read(Body, document, at)
    return {fault.pointer: fault.detail for fault in caught.value.faults}


def test_all_faults_are_told_at_once() -> None:
    found = faults(
        {
            "lines": [{"sku": "A"}, {"sku": "", "quantity": 0}, {"quantity": "2", "x": 1}, 7],
            "first": {"quantity": -1},
            "by_name": {"a/b": {"sku": 1}},
            "at": "2026-01-01T00:00:00",
            "more": None,
        }
    )
    assert set(found) == {
        "/name",
        "/lines/1/sku",
        "/lines/1/quantity",
        "/lines/2/sku",
        "/lines/2/quantity",
        "/lines/2/x",
        "/lines/3",
        "/first/sku",
        "/first/quantity",
        "/by_name/a~1b/sku",
        "/at",
        "/more",
    }
    assert found["/name"] == "is missing"
    assert "timezone" in found["/at"]


def test_what_only_the_whole_shows_is_told_too() -> None:
    assert faults({"name": "forbidden", "lines": []}) == {"": "that name is forbidden"}
    assert list(faults({"name": "a", "lines": [{"sku": "A"}] * 4}, "/body")) == ["/body/lines"]


@pytest.mark.parametrize("document", [None, [], "text", 3, True])
def test_something_else_than_an_object(document: Any) -> None:
    assert list(faults(document)) == [""]


def test_good_input_is_converted() -> None:
    body = read(Body, parse(b'{"name": "a", "lines": [{"sku": "A", "quantity": 2}], "at": "2026-01-01T00:00:00Z"}'))
    assert body.lines == [Line(sku="A", quantity=2)]
    assert body.at is not None
    assert body.at.tzinfo is not None


def test_fractions_are_decimals() -> None:
    assert parse(b'{"price": 0.1}') == {"price": Decimal("0.1")}


@pytest.mark.parametrize("raw", [b"", b"{", b"nope", b"\xff\xfe", b'{"a": NaN}', b"[" * 10_000])
def test_not_json(raw: bytes) -> None:
    with pytest.raises(NotJson):
        parse(raw)


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        (rb'{"a": {"b": ["x", "\u0000"]}}', "/a/b/1"),
        (rb'{"a\u0000": 1}', ""),
        (b'{"n": 9223372036854775808}', "/n"),
        (b'{"n": [-9223372036854775809]}', "/n/0"),
        (b'{"n": 1e300}', "/n"),
    ],
)
def test_values_that_no_column_holds(raw: bytes, pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(raw)
    assert [fault.pointer for fault in caught.value.faults] == [pointer]


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises((NotJson, Invalid)):
        parse(rb'{"a": "\ud800 and more text"}')


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    size: Size | None = None
    sizes: list[Size] = []
    by: Literal["day", "node"] = "day"


def test_a_word_that_is_none_of_them_is_told_the_words() -> None:
    with pytest.raises(Invalid) as caught:
        read(Choice, {"size": "huge", "sizes": ["small", "tiny"], "by": "colour"})
    assert {fault.pointer: fault.detail for fault in caught.value.faults} == {
        "/size": "invalid enum value 'huge'; one of small, large",
        "/sizes/1": "invalid enum value 'tiny'; one of small, large",
        "/by": "invalid enum value 'colour'; one of day, node",
    }
