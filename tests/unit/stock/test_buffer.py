"""Buffers: fixed, a share, or as many as a channel's slowness asks for."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.stock.buffer import EXACT_UP_TO, MS_PER_DAY, BufferRule, oversell_buffer, remembered_delay, withheld


@pytest.mark.parametrize(
    ("rule", "sellable", "units"),
    [
        (BufferRule(), 10, 0),
        (BufferRule(units=3), 10, 3),
        (BufferRule(units=3), 1, 3),
        (BufferRule(percent=10), 11, 2),
        (BufferRule(percent=100), 11, 11),
        (BufferRule(percent=50), -8, 0),
        (BufferRule(units=3, percent=50), 4, 3),
        (BufferRule(units=3, percent=50), 40, 20),
    ],
)
def test_the_largest_of_what_is_given_is_withheld(rule: BufferRule, sellable: int, units: int) -> None:
    assert withheld(rule, sellable, delay_ms=60_000, units_per_day=0) == units


def tail(expected: float, units: int) -> float:
    """Chance of more than `units`, by the plain sum."""
    return 1 - sum(math.exp(-expected + n * math.log(expected) - math.lgamma(n + 1)) for n in range(units + 1))


@pytest.mark.parametrize("expected", [0.001, 0.5, 1, 7, 40, 300])
@pytest.mark.parametrize("ppm", [100, 10_000, 200_000])
def test_a_computed_buffer_keeps_the_chosen_chance_and_is_the_smallest_that_does(expected: float, ppm: int) -> None:
    per_day = 10_000
    delay = round(expected * MS_PER_DAY / per_day)
    expected = delay * per_day / MS_PER_DAY
    buffer = oversell_buffer(delay_ms=delay, units_per_day=per_day, oversell_ppm=ppm)
    assert tail(expected, buffer) <= ppm / 1e6 * 1.001
    assert buffer == 0 or tail(expected, buffer - 1) > ppm / 1e6 * 0.999


def test_a_large_demand_gets_a_bound_that_is_close_and_never_too_small() -> None:
    expected = EXACT_UP_TO * 20
    buffer = oversell_buffer(delay_ms=MS_PER_DAY, units_per_day=expected, oversell_ppm=1000)
    assert expected + 3.09 * math.sqrt(expected) <= buffer <= expected + 5 * math.sqrt(expected)


@given(st.integers(0, 10 * 60_000), st.integers(0, 50_000), st.integers(1, 999_998), st.integers(0, 60_000))
def test_slower_or_more_cautious_never_withholds_less(delay: int, rate: int, ppm: int, slower: int) -> None:
    buffer = oversell_buffer(delay_ms=delay, units_per_day=rate, oversell_ppm=ppm)
    assert oversell_buffer(delay_ms=delay, units_per_day=rate, oversell_ppm=ppm + 1) <= buffer
    longer = oversell_buffer(delay_ms=delay + slower, units_per_day=rate, oversell_ppm=ppm)
    assert longer >= buffer or delay * rate <= EXACT_UP_TO * MS_PER_DAY < (delay + slower) * rate


@pytest.mark.parametrize("ppm", [0, -1, 1_000_000])
def test_no_chance_at_all_is_not_a_buffer(ppm: int) -> None:
    with pytest.raises(ValueError, match="millionths"):
        oversell_buffer(delay_ms=1, units_per_day=1, oversell_ppm=ppm)


def test_simulated_lag_oversells_within_the_budget() -> None:
    """Others sell while the channel is not told: more than was withheld, as often as was allowed."""
    chance = random.Random(7)
    delay_ms, per_day, ppm = 30_000, 200_000, 50_000
    buffer = withheld(BufferRule(oversell_ppm=ppm), 10**6, delay_ms=delay_ms, units_per_day=per_day)
    mean_gap = MS_PER_DAY / per_day
    rounds, oversold = 4000, 0
    for _ in range(rounds):
        at, sold = chance.expovariate(1 / mean_gap), 0
        while at < delay_ms:
            sold += 1
            at += chance.expovariate(1 / mean_gap)
        oversold += sold > buffer
    assert oversold / rounds <= ppm / 1e6 * 1.3
    assert oversold > 0


def test_a_delay_is_remembered_at_its_worst_and_slowly_forgotten() -> None:
    assert remembered_delay(None, 700) == 700
    assert remembered_delay(700, 9000) == 9000
    kept = 9000
    for _ in range(60):
        kept = remembered_delay(kept, 100)
    assert 100 <= kept < 200
