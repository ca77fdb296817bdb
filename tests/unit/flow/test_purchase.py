"""A supplier may answer before we heard that it was asked: facts of a purchase order end the same in any order."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hub.domain.demand import Demand, Slice
from hub.domain.facts import FulfilmentAccepted, PurchaseOrdered
from hub.domain.fulfilment import FulfilmentOrder
from hub.domain.money import Amounts, AmountSet
from hub.domain.order import DeliveryGroup, OrderContent, OrderLine
from hub.domain.purchase import Purchase, UnitCost
from hub.domain.states import SliceState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.confirm import apply
from hub.flow.standing import Promise, changed_promises

NOW = datetime(2026, 1, 16, 12, tzinfo=UTC)
DUE = NOW + timedelta(days=3)
BATCH = Batch(directory=cast(Any, SimpleNamespace(nodes={})), now=NOW, new_id=lambda: "id")

ORDERED = PurchaseOrdered(
    at=NOW,
    fulfilment="O-1",
    number="PO-7",
    currency="USD",
    costs=(UnitCost(line="1", unit_cost=Decimal(10)),),
    tolerance_percent=Decimal(5),
    transit_days=2,
)


def accepted(hours: int, days: int, cost: str) -> FulfilmentAccepted:
    """What the supplier said, so many hours from now."""
    at = NOW + timedelta(hours=hours)
    costs = (UnitCost(sku="MUG", unit_cost=Decimal(cost)),)
    return FulfilmentAccepted(at=at, fulfilment="O-1", ships_on=NOW + timedelta(days=days), costs=costs)


def an_order() -> Order:
    """Two mugs that a supplier is asked for, due in three days."""
    line = OrderLine(external_id="l", sku="MUG", quantity=2, subtotal=5000, discount=1000)
    content = OrderContent(
        external_id="x",
        version=1,
        number="1",
        placed_at=NOW,
        currency="USD",
        amounts=AmountSet(shop=Amounts(currency="USD")),
        lines=(line,),
        groups=(DeliveryGroup(key="main", deliver_by=DUE),),
    )
    order = Order(
        id="O",
        merchant="m",
        account=1,
        connection="c",
        external_id="x",
        number="1",
        currency="USD",
        placed_at=NOW,
        version=1,
        revision=1,
        acting=True,
        content=content,
    )
    order.demands[1] = Demand(no=1, line="l", group="main", sku="MUG", item=5, quantity=2)
    order.slices[1] = Slice(no=1, demand=1, quantity=2, state=SliceState.RELEASED, node=9, fulfilment=1)
    order.fulfilments[1] = FulfilmentOrder(
        order="O", no=1, group="main", node=9, connection="acme", created_at=NOW, ship_by=NOW + timedelta(days=1)
    )
    return order


FACTS = (ORDERED, accepted(1, 1, "11"), accepted(2, 9, "10.5"))


@pytest.mark.parametrize("facts", list(permutations(FACTS)))
def test_in_any_order_the_last_word_counts(facts: Sequence[Any]) -> None:
    order = an_order()
    for fact in facts:
        apply(order, fact, BATCH)
    purchase = order.fulfilments[1].purchase
    late = NOW + timedelta(days=11)
    assert purchase == Purchase(
        number="PO-7",
        currency="USD",
        agreed={"1": Decimal(10)},
        tolerance_percent=Decimal(5),
        transit_days=2,
        acknowledged_at=NOW + timedelta(hours=2),
        ships_on=NOW + timedelta(days=9),
        promised_at=late,
        stated={"1": Decimal("10.5")},
        stated_currency="USD",
        cost=2100,
        value=4000,
    )
    assert [(part.state, part.promised_at) for part in order.slices.values()] == [(SliceState.ACCEPTED, late)]
    assert order.troubles == [], "what was asked about for an hour is asked about no more"


def test_what_was_sent_twice_was_agreed_once() -> None:
    order = an_order()
    apply(order, ORDERED, BATCH)
    again = PurchaseOrdered(at=NOW, fulfilment="O-1", number="PO-8", currency="EUR")
    apply(order, again, BATCH)
    purchase = order.fulfilments[1].purchase
    assert purchase is not None
    assert (purchase.number, purchase.currency) == ("PO-7", "USD")


def test_lines_that_the_order_does_not_have_are_told_and_the_others_count() -> None:
    order = an_order()
    apply(order, ORDERED, BATCH)
    costs = (UnitCost(line="1", unit_cost=Decimal(9)), UnitCost(line="7", unit_cost=Decimal(1)))
    apply(order, FulfilmentAccepted(at=NOW, fulfilment="O-1", costs=costs), BATCH)
    purchase = order.fulfilments[1].purchase
    assert purchase is not None
    assert purchase.stated == {"1": Decimal(9)}
    (trouble,) = order.troubles
    assert (trouble.kind, trouble.cause) == ("acknowledged_unknown_line", "acme: O-1 names 7")


def test_prices_in_other_money_replace_those_before() -> None:
    order = an_order()
    apply(order, ORDERED, BATCH)
    apply(order, accepted(1, 1, "10"), BATCH)
    euro = FulfilmentAccepted(
        at=NOW + timedelta(hours=2), fulfilment="O-1", costs=(UnitCost(line="1", unit_cost=Decimal(9)),), currency="EUR"
    )
    apply(order, euro, BATCH)
    purchase = order.fulfilments[1].purchase
    assert purchase is not None
    assert (purchase.stated, purchase.stated_currency, purchase.cost) == ({"1": Decimal(9)}, "EUR", 1800)
    assert [one.kind for one in order.troubles] == ["supplier_cost"]


def test_the_timeline_says_what_was_and_what_is() -> None:
    order = an_order()
    apply(order, ORDERED, BATCH)
    apply(order, accepted(1, 1, "10"), BATCH)
    apply(order, accepted(2, 2, "10.25"), BATCH)
    told = [moment.detail for moment in order.moments if moment.kind == "acknowledged"]
    assert told == [
        "O-1: leaves 2026-01-17, costs 2000 USD",
        "O-1: leaves 2026-01-18 instead of 2026-01-17, costs 2050 USD instead of 2000",
    ]


def test_a_customer_is_told_of_a_later_date_and_not_of_one_in_time() -> None:
    order = an_order()
    apply(order, ORDERED, BATCH)
    order.remember()
    apply(order, accepted(1, 1, "10"), BATCH)
    assert changed_promises(order) == [], "a day and two on the way are in time"
    apply(order, accepted(2, 9, "10"), BATCH)
    (changed,) = changed_promises(order)
    assert (changed.before, changed.now) == (Promise(DUE, False), Promise(NOW + timedelta(days=11), False))
    assert changed.cause == "late"
