"""What a purchase order costs, and when that is more than was agreed."""

from decimal import Decimal

import pytest

from hub.domain.purchase import Purchase, dearer, total_cost


@pytest.mark.parametrize(
    ("units", "prices", "currency", "cost"),
    [
        ({"1": 3}, {"1": "0.3333"}, "USD", 100),
        ({"1": 2, "2": 1}, {"1": "12.50", "2": "3"}, "EUR", 2800),
        ({"1": 2}, {"1": "150"}, "JPY", 300),
        ({"1": 1}, {"1": "1.0005"}, "KWD", 1001),
        ({"1": 2, "2": 1}, {"1": "12.50"}, "USD", None),
        ({"1": 1}, {"1": "1"}, "XXX", None),
        ({"1": 1}, {"1": "1"}, None, None),
        ({}, {}, "USD", None),
    ],
)
def test_the_cost_of_units_is_rounded_up_once(
    units: dict[str, int], prices: dict[str, str], currency: str | None, cost: int | None
) -> None:
    assert total_cost(units, {key: Decimal(price) for key, price in prices.items()}, currency) == cost


@pytest.mark.parametrize(
    ("stated", "currency", "found"),
    [
        ({"2": "10.50"}, "USD", []),
        ({"2": "10.51"}, "USD", ["2"]),
        ({"2": "1"}, "EUR", ["2"]),
        ({"10": "99", "2": "99"}, "USD", ["2", "10"]),
        ({"3": "99"}, "USD", []),
        ({}, "USD", []),
    ],
)
def test_dearer_is_beyond_the_tolerance_or_in_other_money(
    stated: dict[str, str], currency: str, found: list[str]
) -> None:
    purchase = Purchase(
        currency="USD",
        agreed={"2": Decimal(10), "10": Decimal(10)},
        tolerance_percent=Decimal(5),
        stated={key: Decimal(cost) for key, cost in stated.items()},
        stated_currency=currency,
    )
    assert dearer(purchase) == found


def test_where_nothing_was_agreed_nothing_is_too_dear() -> None:
    assert dearer(Purchase(stated={"1": Decimal(10**6)}, stated_currency="USD")) == []
