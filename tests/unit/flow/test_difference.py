"""The difference of two revisions: complete, without echoes, and with nothing of people in it."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.contact import Contact
from hub.domain.money import Amounts, AmountSet
from hub.domain.order import DeliveryGroup, Method, OrderContent, OrderLine
from hub.flow.difference import LINES, ChangeKind, difference

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOME = Contact(name="Ada Byron", lines=("1 Main St",), city="York", postal_code="YO1 7HH", country="GB")


def order(*lines: OrderLine, **changes: object) -> OrderContent:
    group = DeliveryGroup(contact="ship", place=HOME.place, service="standard")
    content = OrderContent(
        external_id="1",
        version=1,
        number="1",
        placed_at=NOW,
        currency="GBP",
        amounts=AmountSet(shop=Amounts(currency="GBP")),
        lines=lines,
        groups=(group,),
    )
    return msgspec.structs.replace(content, **changes)


def line(name: str, quantity: int, **changes: object) -> OrderLine:
    return msgspec.structs.replace(OrderLine(external_id=name, quantity=quantity, sku=name), **changes)


def group(**changes: object) -> dict[str, object]:
    return {"groups": (msgspec.structs.replace(order().groups[0], **changes),)}


def kinds(old: OrderContent, new: OrderContent, *people: Contact | None) -> list[tuple[str, str | None, int]]:
    before, after = ({"ship": one} if one else {} for one in (people or (HOME, HOME)))
    return [(one.kind.value, one.line or one.group, one.units) for one in difference(old, new, before, after)]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (order(line("a", 2)), order(line("a", 5)), [("quantity_up", "a", 3)]),
        (order(line("a", 5)), order(line("a", 2)), [("quantity_down", "a", 3)]),
        (order(line("a", 5)), order(line("a", 0)), [("line_removed", "a", 5)]),
        (order(line("a", 5)), order(), [("line_removed", "a", 5)]),
        (order(), order(line("a", 5)), [("line_added", "a", 5)]),
        (order(line("a", 0)), order(line("a", 1)), [("line_added", "a", 1)]),
        (order(line("a", 2, subtotal=20)), order(line("a", 2, subtotal=10)), [("price", "a", 0)]),
        (order(line("a", 2, subtotal=20)), order(line("a", 1, subtotal=10)), [("quantity_down", "a", 1)]),
        (order(), order(cancelled_at=NOW), [("cancelled", None, 0)]),
        (order(cancelled_at=NOW), order(), []),
        (order(), order(**group(service="express")), [("service", "main", 0)]),
        (order(), order(**group(not_before=NOW)), [("not_before", "main", 0)]),
        (order(), order(**group(deliver_by=NOW)), [("deliver_by", "main", 0)]),
        (order(), order(**group(method=Method.PICK_UP, pickup_location="7")), [("method", "main", 0)]),
        (order(), order(amounts=AmountSet(shop=Amounts(currency="GBP", shipping=5))), [("price", None, 0)]),
        (order(), order(tags=("vip",)), []),
    ],
)
def test_each_way_to_differ(old: OrderContent, new: OrderContent, told: list[tuple[str, str | None, int]]) -> None:
    assert kinds(old, new) == told


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({"lines": ("2 Main St",)}, True),
        ({"name": "Charles Babbage"}, True),
        ({"postal_code": "YO1 7HJ"}, True),
        ({"name": "ADA  BYRON", "city": "york "}, False),
        ({"phone": "0700", "email": "a@b.example"}, False),
        ({"lines": ("1 Main St", "")}, False),
        ({"lines": (), "city": None}, False),
    ],
)
def test_another_door_is_an_address_and_another_spelling_is_none(changes: dict[str, object], moved: bool) -> None:
    found = kinds(order(), order(), HOME, msgspec.structs.replace(HOME, **changes))
    assert found == ([("address", "main", 0)] if moved else [])


def test_people_that_one_side_does_not_tell_of_are_no_change() -> None:
    assert kinds(order(), order(), HOME, None) == []
    assert kinds(order(), order(), None, HOME) == []


def test_another_place_is_an_address_even_without_people() -> None:
    far = msgspec.structs.replace(HOME, country="FR").place
    (found,) = difference(order(), order(**group(place=far)), {}, {})
    assert (found.kind, found.elsewhere) == (ChangeKind.ADDRESS, True)
    assert kinds(order(), order(**group(place=None)), None, None) == []


def test_nothing_of_people_is_told() -> None:
    moved = msgspec.structs.replace(HOME, name="Charles", lines=("9 High St",))
    told = " ".join(map(str, difference(order(line("a", 1)), order(line("a", 4)), {"ship": HOME}, {"ship": moved})))
    assert told == "quantity up of line a by 3 address of main"


baskets = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 9))


@given(baskets, baskets)
def test_changes_of_lines_lead_from_one_to_the_other(had: dict[str, int], has: dict[str, int]) -> None:
    old, new = (order(*(line(name, units) for name, units in one.items())) for one in (had, has))
    found = [change for change in difference(old, new, {}, {}) if change.kind in LINES]
    after = dict(had)
    for change in found:
        assert change.line is not None
        assert change.units > 0
        more = change.kind in (ChangeKind.QUANTITY_UP, ChangeKind.LINE_ADDED)
        after[change.line] = after.get(change.line, 0) + (change.units if more else -change.units)
    assert {k: v for k, v in after.items() if v} == {k: v for k, v in has.items() if v}
    assert len({change.line for change in found}) == len(found)


@given(baskets)
def test_a_revision_does_not_differ_from_itself(had: dict[str, int]) -> None:
    one = order(*(line(name, units, subtotal=units) for name, units in had.items()))
    assert difference(one, one, {"ship": HOME}, {"ship": HOME}) == ()
