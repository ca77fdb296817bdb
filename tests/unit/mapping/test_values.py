"""Typed readings: exact, silent about what is absent, never raising."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from hub.domain.order import Problem
from hub.mapping import values


def read(reading, value, *more):
    problems: list[Problem] = []
    return reading(value, problems, "lines.tax", "line_items[].tax", "7", *more), problems


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [
        ("10.50", "EUR", 1050),
        ("10.5", "EUR", 1050),
        ("-3.34", "USD", -334),
        ("0", "EUR", 0),
        ("1000", "JPY", 1000),
        ("1000.00", "JPY", 1000),
        ("1.234", "KWD", 1234),
        ("1.2340", "KWD", 1234),
        (Decimal("195.66"), "USD", 19566),
        (7, "EUR", 700),
        (["1.10", "2.20", Decimal("0.30")], "EUR", 360),
        ([None, "1"], "EUR", 100),
        ("9999999999999.99", "EUR", 999_999_999_999_999),
    ],
)
def test_money_is_exact_minor_units(value, currency, minor):
    assert read(values.money, value, currency) == (minor, [])


@pytest.mark.parametrize(
    ("value", "currency"),
    [
        ("10.5", "JPY"),
        ("1.2345", "KWD"),
        ("0.001", "EUR"),
        ("10,50", "EUR"),
        ("abc", "EUR"),
        ("NaN", "EUR"),
        ("Infinity", "EUR"),
        ("-Infinity", "EUR"),
        ("1e999999999", "EUR"),
        (Decimal("1e999999999"), "EUR"),
        (Decimal("NaN"), "EUR"),
        ("1.0000000000000000000000000001", "EUR"),
        ("10000000000000.01", "EUR"),
        (True, "EUR"),
        ({"amount": "1"}, "EUR"),
        (["1.00", "x"], "EUR"),
        ([{}], "EUR"),
    ],
)
def test_money_that_cannot_be_booked_is_a_problem_with_field_path_and_value(value, currency):
    result, (problem,) = read(values.money, value, currency)
    assert result is None
    assert (problem.kind, problem.field, problem.path, problem.line) == (
        "bad_money",
        "lines.tax",
        "line_items[].tax",
        "7",
    )
    assert values.shown(value) in problem.value
    assert problem.value.endswith(currency)


@pytest.mark.parametrize("absent", [None, "", []])
def test_absent_money_is_none_without_a_problem(absent):
    assert read(values.money, absent, "EUR") == (None, [])


def test_money_of_an_unknown_currency_books_nothing_and_complains_only_once():
    assert read(values.money, "10.50", "EURO") == (0, [])
    assert read(values.currency, "EURO")[1][0].kind == "bad_money"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2025-04-02T11:31:25-05:00", datetime(2025, 4, 2, 16, 31, 25, tzinfo=UTC)),
        ("2016-05-17T04:14:36-00:00", datetime(2016, 5, 17, 4, 14, 36, tzinfo=UTC)),
        ("2016-05-17T04:14:36.5Z", datetime(2016, 5, 17, 4, 14, 36, 500_000, tzinfo=UTC)),
    ],
)
def test_times_are_read_into_utc(text, at):
    result, problems = read(values.time, text)
    assert (result, result.tzinfo, problems) == (at, UTC, [])


@pytest.mark.parametrize(
    "value", ["2016-05-17T04:14:36", "2016-05-17", "yesterday", 1463458476, "9999-12-31T23:59:59-23:00", {}]
)
def test_a_time_without_an_offset_or_of_another_form_is_a_problem(value):
    result, (problem,) = read(values.time, value)
    assert (result, problem.kind) == (None, "bad_time")


def test_a_version_is_whole_microseconds():
    assert read(values.microseconds, "1970-01-02T00:00:00.000007+00:00") == (86_400_000_007, [])


@pytest.mark.parametrize(("value", "units"), [(1, 1), (2**31 - 1, 2**31 - 1), (Decimal("2.0"), 2)])
def test_quantities(value, units):
    assert read(values.quantity, value) == (units, [])


@pytest.mark.parametrize("value", [0, -1, Decimal("1.5"), Decimal("1e999999999"), 2**31, 2**63, True, "2", [], ""])
def test_bad_quantities(value):
    result, (problem,) = read(values.quantity, value)
    assert (result, problem.kind, problem.value) == (None, "bad_quantity", values.shown(value))


def test_a_remaining_quantity_may_be_zero():
    assert read(values.count, 0) == (0, [])


@pytest.mark.parametrize(("value", "code"), [("DE", "DE"), ("XK", "XK"), ("Narnia", "NN"), ("", None), (None, None)])
def test_countries_are_codes_or_words_of_the_table(value, code):
    table = {("country", "Narnia"): "NN"}
    assert read(values.country, value, lambda name, word: table.get((name, word))) == (code, [])


def test_an_unknown_country_keeps_its_word():
    _, (problem,) = read(values.country, "ZZ", lambda name, word: None)
    assert (problem.kind, problem.value) == ("unmapped_country", "ZZ")


def test_what_is_said_of_a_person_is_never_quoted():
    _, (problem,) = read(values.private, {"first": "Kim"})
    assert (problem.kind, problem.value) == ("bad_text", "(dict)")


def test_words_come_as_a_list_or_with_commas():
    assert read(values.words, " a, b,,c ") == (("a", "b", "c"), [])
    assert read(values.words, ["x ", "y"]) == (("x", "y"), [])
    assert read(values.words, 5)[1][0].kind == "bad_text"


def test_problem_values_are_short_and_printable():
    assert values.shown("a\0b") == '"a\\u0000b"'
    assert len(values.shown("x" * 5000)) == 120


def test_a_path_through_what_is_no_object_leads_nowhere():
    assert values.dig({"a": [1]}, ("a", "b")) is None
    steps = (("a", True), ("b", False))
    assert values.spread({"a": {}}, steps) == []
    assert values.spread({"a": {"b": 1}}, steps) == [1]
    assert values.spread({"a": [{"b": 1}, {}, 5]}, steps) == [1, None, 5]
