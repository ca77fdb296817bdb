"""Declarations: what is asked at which border, and what goods are worth there."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hub.domain.contact import Contact
from hub.domain.demand import Demand
from hub.domain.item import Customs
from hub.domain.money import Amounts, AmountSet
from hub.domain.order import OrderContent, OrderLine
from hub.flow.aggregate import Order
from hub.flow.cartons import Goods
from hub.flow.customs import Undeclared, crosses_border, declare

NOW = datetime(2026, 1, 16, tzinfo=UTC)
HERE, THERE = Contact(country="DE"), Contact(country="CH")


def goods(sku: str, **known: Any) -> Goods:
    customs = {"hs_code": "691200", "origin_country": "PT", "description": sku.title(), **known}
    return Goods(sku, None, 400, None, Customs(**customs))


def order(
    *lines: OrderLine, parts: dict[str, tuple[tuple[int, int], ...]] | None = None, currency: str = "EUR"
) -> Order:
    """An order whose lines are items 1, 2, ... or kits of (item, units per kit)."""
    content = OrderContent(
        external_id="1",
        version=1,
        number="#1",
        placed_at=NOW,
        currency=currency,
        amounts=AmountSet(shop=Amounts(currency=currency)),
        lines=lines,
    )
    made = Order(
        id="o", merchant="m", account=1, connection="c", external_id="1", number="#1", currency=currency,
        placed_at=NOW, version=1, revision=1, acting=True, content=content,
    )  # fmt: skip
    for place, line in enumerate(lines, 1):
        for item, each in (parts or {}).get(line.external_id, ((place, 1),)):
            no = len(made.demands) + 1
            made.demands[no] = Demand(
                no=no,
                line=line.external_id,
                group="main",
                sku=line.sku,
                item=item,
                quantity=line.quantity * each,
                per_unit=each,
            )
    return made


@pytest.mark.parametrize(
    ("here", "there", "crosses"),
    [
        ("DE", "CH", True),
        ("DE", "FR", False),
        ("US", "PR", False),
        ("GB", "IE", True),
        ("CH", "LI", False),
        ("US", "US", False),
        (None, "US", False),
        ("US", None, False),
    ],
)
def test_a_border_is_where_customs_stand(here: str | None, there: str | None, crosses: bool) -> None:
    assert crosses_border(Contact(country=here), Contact(country=there)) is crosses


def test_nothing_is_declared_at_home_or_of_nothing() -> None:
    sold = order(OrderLine(external_id="a", quantity=1, sku="MUG", subtotal=900))
    assert declare(sold, {1: 1}, {}, HERE, Contact(country="FR")) is None
    assert declare(sold, {}, {}, HERE, THERE) is None


def test_units_are_worth_what_was_paid_for_them_after_discount() -> None:
    sold = order(OrderLine(external_id="a", quantity=3, sku="MUG", subtotal=1000, discount=100))
    found = declare(sold, {1: 2}, {1: goods("MUG")}, HERE, THERE)
    assert found is not None
    assert [(one.description, one.quantity, one.value) for one in found.goods] == [("Mug", 2, 600)]
    assert (found.currency, found.invoice) == ("EUR", "#1")


def test_an_edit_does_not_make_what_is_left_dearer() -> None:
    sold = order(OrderLine(external_id="a", quantity=1, ordered=3, sku="MUG", subtotal=900))
    found = declare(sold, {1: 1}, {1: goods("MUG")}, HERE, THERE)
    assert found is not None
    assert found.goods[0].value == 300


def test_a_kits_price_is_shared_among_its_parts_by_their_number() -> None:
    kit = OrderLine(external_id="k", quantity=2, sku="SET", subtotal=1000)
    sold = order(kit, parts={"k": ((1, 1), (2, 3))})
    found = declare(sold, {1: 2, 2: 6}, {1: goods("POT"), 2: goods("CUP")}, HERE, THERE)
    assert found is not None
    assert [(one.description, one.quantity, one.value) for one in found.goods] == [("Pot", 2, 250), ("Cup", 6, 750)]


def test_what_cost_nothing_and_has_no_value_of_its_own_is_declared_at_its_list_price() -> None:
    free = OrderLine(external_id="1", quantity=2, sku="MUG")
    listed = goods("MUG")._replace(price={"EUR": Decimal("9.90")})
    found = declare(order(free), {1: 2}, {1: listed}, HERE, THERE)
    assert found is not None
    assert found.goods[0].value == 1980
    valued = goods("MUG", value={"EUR": Decimal(2)})._replace(price={"EUR": Decimal("9.90")})
    found = declare(order(free), {1: 2}, {1: valued}, HERE, THERE)
    assert found is not None
    assert found.goods[0].value == 400
    with pytest.raises(Undeclared, match="value unknown"):
        declare(order(free, currency="CHF"), {1: 2}, {1: listed}, HERE, THERE)


def test_what_cost_nothing_has_the_items_own_value_and_is_never_worth_nothing() -> None:
    free = OrderLine(external_id="a", quantity=2, sku="MUG", subtotal=900, discount=900)
    valued = {1: goods("MUG", value={"EUR": Decimal("1.005")})}
    found = declare(order(free), {1: 2}, valued, HERE, THERE)
    assert found is not None
    assert found.goods[0].value == 201
    with pytest.raises(Undeclared, match="value unknown"):
        declare(order(free, currency="CHF"), {1: 2}, valued, HERE, THERE)


@pytest.mark.parametrize(
    ("known", "lacking"),
    [
        (None, ["description", "origin_country", "hs_code"]),
        (goods("MUG", hs_code=None), ["hs_code"]),
        (goods("MUG", origin_country=None), ["origin_country"]),
        (goods("MUG", description=None), ["description"]),
    ],
)
def test_what_nobody_said_is_named(known: Goods | None, lacking: list[str]) -> None:
    sold = order(OrderLine(external_id="a", quantity=1, sku="MUG", subtotal=900))
    with pytest.raises(Undeclared, match="from DE to CH") as told:
        declare(sold, {1: 1}, {} if known is None else {1: known}, HERE, THERE)
    assert told.value.lacking == lacking


def test_a_title_stands_in_for_a_description() -> None:
    named = goods("MUG", description=None)._replace(title="Mug of clay")
    found = declare(order(OrderLine(external_id="a", quantity=1, subtotal=900)), {1: 1}, {1: named}, HERE, THERE)
    assert found is not None
    assert found.goods[0].description == "Mug of clay"
