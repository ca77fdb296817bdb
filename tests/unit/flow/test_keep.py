"""What stands although the channel's newest word does not say it."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.order import OrderContent, OrderLine
from hub.flow.keep import keep
from tests.unit.flow.bare import NOON, bare_content


def content(*units: int, **facts: object) -> OrderContent:
    """An order of lines "1", "2", ... with so many units each."""
    made = bare_content(
        lines=tuple(OrderLine(external_id=str(no), quantity=quantity) for no, quantity in enumerate(units, 1)),
    )
    return msgspec.structs.replace(made, **facts)


def wanted(found: OrderContent) -> list[int]:
    return [line.quantity for line in found.lines]


def test_the_first_word_is_taken_as_it_is() -> None:
    assert keep(None, content(5)) == content(5)


def test_an_old_quantity_is_less_what_was_cancelled_here() -> None:
    found = keep(content(3, 1, cut={"1": 2}), content(5, 1))
    assert (wanted(found), found.cut) == ([3, 1], {"1": 2})
    assert found.lines[0].ordered == 5, "its amounts are still for five"


def test_the_channel_takes_off_what_was_cancelled_in_steps() -> None:
    half = keep(content(3, cut={"1": 2}), content(4))
    assert (wanted(half), half.cut) == ([3], {"1": 1})
    done = keep(half, content(3))
    assert (wanted(done), done.cut) == ([3], {})
    assert wanted(keep(done, content(4))) == [4], "an increase since then"


def test_less_than_the_channel_was_asked_for_is_its_own_wish_too() -> None:
    found = keep(content(3, cut={"1": 2}), content(1))
    assert (wanted(found), found.cut) == ([1], {})


def test_a_line_that_is_gone_takes_what_was_cancelled_of_it_along() -> None:
    found = keep(content(1, 3, cut={"2": 2}), content(1))
    assert (wanted(found), found.cut) == ([1], {})


def test_a_cancel_of_the_whole_order_stands_until_the_channel_says_so_itself() -> None:
    here = content(2, cancelled_at=NOON, cancel_reason="fraud", cancelled_here=True)
    found = keep(here, content(2))
    assert (found.cancelled_at, found.cancel_reason, found.cancelled_here) == (NOON, "fraud", True)
    later = NOON.replace(hour=13)
    heard = keep(found, content(2, cancelled_at=later, cancel_reason="customer"))
    assert (heard.cancelled_at, heard.cancel_reason, heard.cancelled_here) == (later, "customer", False)


@given(st.integers(1, 9), st.integers(1, 9), st.lists(st.integers(-3, 3), max_size=6))
def test_what_the_channel_adds_is_never_lost_and_what_was_cancelled_never_comes_back(
    sold: int, cancelled: int, changes: list[int]
) -> None:
    """Against an honest channel, which hears of the cancel at some moment and goes on from there."""
    cancelled = min(sold, cancelled)
    here, there = content(sold - cancelled, cut={"1": cancelled}), sold
    added = 0
    for change in changes:
        change = max(change, 0)
        there, added = there + change, added + change
        here = keep(here, content(there))
        assert wanted(here) == [sold - cancelled + added]
    here = keep(here, content(there - cancelled))
    assert (wanted(here), here.cut) == ([sold - cancelled + added], {})


def test_a_silent_message_leaves_the_risk_and_the_company_as_they_were_told() -> None:
    old = content(1, risk="high", company="779", terms="Net 30", terms_days=30, locale="de")
    found = keep(old, content(1))
    assert [found.risk, found.company, found.terms, found.terms_days, found.locale] == [
        "high",
        "779",
        "Net 30",
        30,
        "de",
    ]
    assert keep(old, content(1, risk="low")).risk == "low"
