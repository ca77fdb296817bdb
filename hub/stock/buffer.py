"""Units withheld from a channel: fixed, a share, or as many as its own slowness asks for. Pure.

A channel goes on selling from the last number it was told while others sell too. What they sell until it is told again
is oversold there, unless so much was withheld. Sales are taken as independent of each other: a Poisson count.
"""

from decimal import Decimal, localcontext
from typing import Final, NamedTuple

MS_PER_DAY: Final = 86_400_000
PPM: Final = 1_000_000

EXACT_UP_TO: Final = 500
"""Expected units up to which the count is summed term by term; beyond it a bound is used, which is never too small."""

ASSUMED_DELAY_MS: Final = 60_000
"""Publishing delay of a channel that was never measured: a stated assumption."""


class BufferRule(NamedTuple):
    """What a stock point withholds: the largest of what is given."""

    units: int = 0
    percent: int = 0
    """Of what could be sold otherwise, rounded up."""
    oversell_ppm: int | None = None
    """Chance, in millionths, that others sell more than is withheld before the channel is told. None: not computed."""


def withheld(rule: BufferRule, sellable: int, *, delay_ms: int, units_per_day: int) -> int:
    """Units to withhold of `sellable`, which may be negative: then there is nothing to take a share of."""
    share = -(-max(0, sellable) * rule.percent // 100)
    computed = 0
    if rule.oversell_ppm is not None:
        computed = oversell_buffer(delay_ms=delay_ms, units_per_day=units_per_day, oversell_ppm=rule.oversell_ppm)
    return max(rule.units, share, computed)


def oversell_buffer(*, delay_ms: int, units_per_day: int, oversell_ppm: int) -> int:
    """Fewest units such that more than these are sold within the delay with at most the chosen chance.

    Raises ValueError for a chance outside 1..999,999 millionths: none at all would withhold everything.
    """
    if not 0 < oversell_ppm < PPM:
        raise ValueError(f"a chance of {oversell_ppm} millionths; say 1 to 999999")
    if delay_ms <= 0 or units_per_day <= 0:
        return 0
    with localcontext() as context:
        context.prec = 40
        expected = Decimal(delay_ms) * Decimal(units_per_day) / MS_PER_DAY
        allowed = Decimal(oversell_ppm) / PPM
        return _exact(expected, allowed) if expected <= EXACT_UP_TO else _bound(expected, allowed)


def _exact(expected: Decimal, allowed: Decimal) -> int:
    term = (-expected).exp()
    below = term
    units = 0
    while 1 - below > allowed:
        units += 1
        term = term * expected / units
        below += term
    return units


def _bound(expected: Decimal, allowed: Decimal) -> int:
    """Chernoff: P(more than b) <= e^-m (e m / (b+1))^(b+1) for b + 1 > m; found by halving."""
    low, high = int(expected) + 1, int(expected) * 4 + 10
    limit = allowed.ln()
    while low < high:
        middle = (low + high) // 2
        over = Decimal(middle + 1)
        if -expected + over + over * (expected / over).ln() <= limit:
            high = middle
        else:
            low = middle + 1
    return low


def remembered_delay(kept_ms: int | None, latest_ms: int) -> int:
    """A high-water mark of publishing delays: it rises at once and sinks by a tenth of the way a time."""
    if kept_ms is None or latest_ms >= kept_ms:
        return max(0, latest_ms)
    return kept_ms - (kept_ms - max(0, latest_ms)) // 10
