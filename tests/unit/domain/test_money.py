"""Minor units are exact or they raise."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.money import MINOR_UNITS, Amounts, AmountSet, MoneyError, major, minor

currencies = st.sampled_from(sorted(MINOR_UNITS))
amounts = st.integers(-(10**15), 10**15)


@given(amounts, currencies)
def test_there_and_back_is_the_same(amount: int, currency: str) -> None:
    assert minor(major(amount, currency), currency) == amount


@given(amounts, currencies)
def test_the_wire_form_has_the_currencys_own_places(amount: int, currency: str) -> None:
    places = MINOR_UNITS[currency]
    written = str(major(amount, currency))
    assert len(written.partition(".")[2]) == places


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9), currencies)
def test_an_amount_is_exact_or_refused(value: Decimal, currency: str) -> None:
    fits = value == round(value, MINOR_UNITS[currency])
    if fits:
        assert Decimal(minor(value, currency)) == value * 10 ** MINOR_UNITS[currency]
    else:
        with pytest.raises(MoneyError, match="finer than its minor unit"):
            minor(value, currency)


@pytest.mark.parametrize(
    ("value", "currency", "expected"),
    [
        ("10.50", "USD", 1050),
        ("1050", "JPY", 1050),
        ("10.505", "KWD", 10505),
        ("-0.01", "EUR", -1),
        ("1E+2", "ISK", 100),
    ],
)
def test_places_come_from_the_table(value: str, currency: str, expected: int) -> None:
    assert minor(Decimal(value), currency) == expected


@pytest.mark.parametrize("currency", ["", "usd", "XXX", "BTC", "US"])
def test_an_unknown_currency_is_refused(currency: str) -> None:
    with pytest.raises(MoneyError, match="ISO 4217"):
        minor(Decimal(1), currency)


def test_the_table_has_each_currency_once_with_its_places() -> None:
    assert set(MINOR_UNITS.values()) == {0, 2, 3}
    assert [sum(places == n for places in MINOR_UNITS.values()) for n in (0, 3)] == [17, 7]
    assert all(len(code) == 3 and code.isupper() for code in MINOR_UNITS)
    assert {MINOR_UNITS[code] for code in ("JPY", "KRW", "VND")} == {0}
    assert {MINOR_UNITS[code] for code in ("KWD", "BHD", "TND")} == {3}


parts = st.integers(0, 10**9)


@given(parts, parts, parts, parts, parts, parts, parts, st.integers(-99, 99), st.booleans())
def test_the_total_is_the_stated_sum_of_its_parts(
    subtotal: int,
    discount: int,
    shipping: int,
    tax: int,
    duties: int,
    fees: int,
    tip: int,
    rounding: int,
    tax_included: bool,
) -> None:
    made = Amounts(
        currency="EUR",
        subtotal=subtotal,
        discount=discount,
        shipping=shipping,
        tax=tax,
        duties=duties,
        fees=fees,
        tip=tip,
        rounding=rounding,
        tax_included=tax_included,
    )
    untaxed = subtotal - discount + shipping + duties + fees + tip + rounding
    assert made.total == untaxed + (0 if tax_included else tax)
    assert AmountSet(shop=made).difference == 0
    assert AmountSet(shop=made, stated_total=made.total + 5).difference == 5
