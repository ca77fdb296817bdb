"""Ids: short, sortable by time, safe everywhere; effect keys within the strictest vendor's limit."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.domain.effects import SHORT, AnyEffect
from hub.domain.fulfilment import fulfilment_id, fulfilment_status, split_fulfilment_id
from hub.domain.ids import ALPHABET, EFFECT_KEY_LENGTH, LENGTH, effect_key, encode, id_source, make_id
from hub.domain.states import SliceState

NOW = datetime(2026, 1, 16, 12, tzinfo=UTC)
EARLIEST = datetime(2000, 1, 1)  # noqa: DTZ001 - the strategy adds the zone
LATEST = datetime(2999, 1, 1)  # noqa: DTZ001 - the strategy adds the zone
moments = st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC))
entropy = st.integers(0, 2**56)


def test_the_alphabet_has_no_letter_that_is_misread() -> None:
    assert len(set(ALPHABET)) == 32
    assert not set(ALPHABET) & set("ILOU")
    assert list(ALPHABET) == sorted(ALPHABET)


@given(moments, entropy)
def test_an_id_has_its_length_and_its_alphabet(at: datetime, chance: int) -> None:
    made = make_id(at, chance)
    assert len(made) == LENGTH
    assert set(made) <= set(ALPHABET)


@given(moments, entropy, entropy, st.integers(1, 10**9))
@example(datetime(2243, 1, 1, tzinfo=UTC), 0, 0, 1)  # its seconds are a number that floats do not have
def test_ids_sort_by_time_to_the_millisecond(at: datetime, one: int, other: int, later: int) -> None:
    assert make_id(at, one) < make_id(at + timedelta(milliseconds=later), other)


def test_a_source_makes_ids_apart_within_one_moment() -> None:
    new_id = id_source(lambda: NOW)
    made = {new_id() for _ in range(5000)}
    assert len(made) == 5000
    assert {one[:10] for one in made} == {make_id(NOW, 0)[:10]}


@given(st.integers(0, 32**10 - 1))
def test_numbers_are_written_in_order(value: int) -> None:
    assert int("".join(f"{ALPHABET.index(digit):02d}" for digit in encode(value, 10))[-2:]) == value % 32
    assert encode(value, 10) <= encode(32**10 - 1, 10)


@given(st.integers(1, 999))
def test_a_fulfilments_id_is_taken_apart_again(no: int) -> None:
    order = make_id(NOW, 7)
    public = fulfilment_id(order, no)
    assert split_fulfilment_id(public) == (order, no)
    assert len(public) <= 24


@pytest.mark.parametrize("word", ["", "-1", "ABC", "ABC-", "ABC-x", "ABC--1x", "ABC-1.5"])
def test_what_is_no_fulfilments_id_raises(word: str) -> None:
    with pytest.raises(ValueError, match="is not the id of a fulfilment order"):
        split_fulfilment_id(word)


def test_every_effect_has_a_short_word_and_its_key_fits_the_strictest_vendor() -> None:
    assert set(SHORT) == set(AnyEffect.__args__)
    for word in SHORT.values():
        key = effect_key(fulfilment_id(make_id(NOW, 1), 999), word, 999)
        assert len(key) <= EFFECT_KEY_LENGTH
        assert re.fullmatch(r"[A-Za-z0-9-]+", key)


def test_a_key_that_is_too_long_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="longer than 40 characters"):
        effect_key("x" * 40, "submit", 1)


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ([], "cancelled"),
        ([SliceState.CANCELLED], "cancelled"),
        ([SliceState.RELEASED, SliceState.SHIPPED], "released"),
        ([SliceState.SHIPPED, SliceState.CANCELLED], "shipped"),
        ([SliceState.DELIVERED, SliceState.SHIPPED], "shipped"),
        ([SliceState.COLLECTED], "collected"),
    ],
)
def test_a_fulfilment_orders_status_is_that_of_its_least_advanced_slice(states: list[SliceState], status: str) -> None:
    assert fulfilment_status(states) == status
