"""What orders of every kind mean. Documents are the simulator's, in the shape of the vendor's specification."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.square.goods import goods, line_money
from adapters.square.harness import simulator, two_lines
from adapters.square.simulator import SquareSimulator
from adapters.square.tests.conftest import Read
from hub.domain.money import MINOR_UNITS, minor
from hub.domain.order import ManagedBy, Method, OrderSnapshot

NOON = datetime(2026, 1, 16, 12, tzinfo=UTC)
LATE = datetime(2026, 1, 13, 17, 30, tzinfo=UTC)


@pytest.fixture
def shop() -> SquareSimulator:
    made = simulator()
    made.now = lambda: NOON
    return made


def stored(shop: SquareSimulator, order: dict[str, Any], *returns: dict[str, Any]) -> bytes:
    """An order as it is stored."""
    payments = [shop.payments[one["id"]] for one in order.get("tenders", [])]
    refunds = [one for one in shop.refunds.values() if one["payment_id"] in {paid["id"] for paid in payments}]
    skus = {one.id: one.sku for one in shop.variations.values()}
    more = {"payments": payments, "payment_refunds": refunds, "return_orders": list(returns), "skus": skus}
    return msgspec.json.encode({**order, **more})


def problems(snapshot: OrderSnapshot) -> list[tuple[str, str]]:
    return [(one.kind, one.value) for one in snapshot.problems]


def test_a_sale_at_the_till_is_done_and_made_offline_days_ago(shop: SquareSimulator, read: Read) -> None:
    sale = shop.ring_up([("MUG-RED", 2)], at=LATE, tax_percent=10, tip=150, method="CASH")
    snapshot = read(stored(shop, sale))
    content = snapshot.content
    (line,) = content.lines
    assert (line.sku, line.quantity, line.fulfilled_elsewhere, line.managed_by) == ("MUG-RED", 2, 2, ManagedBy.DONE)
    (group,) = content.groups
    assert (group.method, group.pickup_location) == (Method.CARRIED_OUT, "L1")
    assert content.placed_at == LATE
    assert content.version == int(NOON.timestamp() * 1_000_000)
    shown = content.amounts.shop
    assert (shown.subtotal, shown.tax, shown.tip, shown.total) == (2598, 259, 150, 3007)
    assert content.amounts.difference == 0
    assert [(one.kind, one.method, one.amount) for one in content.payments] == [("sale", "cash", 3007)]
    assert (content.financial_status, problems(snapshot)) == ("paid", [])


def test_an_endless_aisle_order_is_like_any_other(shop: SquareSimulator, read: Read) -> None:
    order = two_lines(shop, tax_percent=8, shipping=500)
    snapshot = read(stored(shop, order))
    content = snapshot.content
    assert {line.managed_by for line in content.lines} == {ManagedBy.HUB}
    assert [(line.sku, line.quantity, line.group) for line in content.lines] == [
        ("MUG-RED", 2, "main"),
        ("TEE-M", 1, "main"),
    ]
    (group,) = content.groups
    assert (group.method, group.contact) == (Method.SHIP, "ship")
    person = snapshot.contacts["ship"]
    assert (person.name, person.city, person.region, person.country) == ("Ines Okafor", "San Francisco", "CA", "US")
    assert (content.amounts.shop.shipping, content.amounts.shop.fees, content.amounts.difference) == (500, 0, 0)
    assert (content.financial_status, problems(snapshot)) == ("paid", [])


def test_a_mixed_basket_ships_one_part_and_hands_over_the_other(shop: SquareSimulator, read: Read) -> None:
    order = shop.place_order([("TEE-M", 1)], carried=[("MUG-RED", 3)])
    content = read(stored(shop, order)).content
    assert [(line.sku, line.quantity, line.group, line.managed_by) for line in content.lines] == [
        ("TEE-M", 1, "main", ManagedBy.HUB),
        ("MUG-RED", 3, "carried_out", ManagedBy.DONE),
    ]


def test_a_line_of_which_a_part_ships_is_two_lines_with_all_of_the_money(shop: SquareSimulator, read: Read) -> None:
    order = shop.place_order([("MUG-RED", 3)], tax_percent=7)
    (line,), (way,) = order["line_items"], order["fulfillments"]
    entry = {"uid": "E1", "line_item_uid": line["uid"], "quantity": "2"}
    way.update(line_item_application="ENTRY_LIST", entries=[entry])
    content = read(stored(shop, order)).content
    assert [(one.external_id, one.quantity, one.group) for one in content.lines] == [
        (line["uid"], 2, "main"),
        (f"{line['uid']}/till", 1, "carried_out"),
    ]
    assert sum(one.subtotal for one in content.lines) == 3897
    assert sum(one.tax for one in content.lines) == 272
    assert content.amounts.difference == 0


def test_a_pickup_waits_at_the_store(shop: SquareSimulator, read: Read) -> None:
    (group,) = read(stored(shop, two_lines(shop, kind="PICKUP"))).content.groups
    assert (group.method, group.pickup_location) == (Method.PICK_UP, "L1")


def test_returned_goods_are_told_on_the_sale(shop: SquareSimulator, read: Read) -> None:
    sale = shop.ring_up([("MUG-RED", 3)], tax_percent=10)
    back = shop.return_goods(sale, {sale["line_items"][0]["uid"]: 1})
    content = read(stored(shop, sale, back)).content
    (line,) = content.lines
    assert (line.quantity, line.fulfilled_elsewhere, line.refunded) == (3, 3, 1)
    assert content.refunded is not None
    gone = content.refunded.shop
    assert (gone.subtotal, gone.tax, gone.total, content.refunded.difference) == (1299, 129, 1428, 0)
    assert content.amounts.difference == 0
    assert [(one.kind, one.amount, one.status) for one in content.payments] == [
        ("capture", 4286, "done"),
        ("refund", 1428, "done"),
    ]
    assert content.financial_status == "part_refunded"


def test_goods_returned_before_they_left_are_not_wanted(shop: SquareSimulator, read: Read) -> None:
    order = two_lines(shop)
    back = shop.return_goods(order, {order["line_items"][0]["uid"]: 1})
    (mugs, _) = read(stored(shop, order, back)).content.lines
    assert (mugs.quantity, mugs.ordered, mugs.refunded) == (1, 2, 0)


def test_a_refund_that_failed_is_no_refund(shop: SquareSimulator, read: Read) -> None:
    sale = shop.ring_up([("MUG-RED", 1)])
    shop.return_goods(sale, {sale["line_items"][0]["uid"]: 1}, status="FAILED")
    content = read(stored(shop, sale)).content
    assert (content.refunded, content.financial_status) == (None, "paid")
    assert content.payments[-1].status == "failed"


@pytest.mark.parametrize(
    ("state", "word", "wanted"),
    [("TICKET", None, 0), ("DRAFT", None, 0), ("CANCELED", None, 0), ("COMPLETED", None, 2), ("PARKED", "PARKED", 0)],
)
def test_states_of_an_order_at_the_till(
    shop: SquareSimulator, read: Read, state: str, word: str | None, wanted: int
) -> None:
    sale = {**shop.ring_up([("MUG-RED", 2)]), "state": "OPEN" if state == "TICKET" else state}
    snapshot = read(stored(shop, sale))
    assert snapshot.content.lines[0].quantity == wanted
    assert problems(snapshot) == ([] if word is None else [("unmapped_release", word)])
    assert snapshot.content.test is (state == "DRAFT")
    assert (snapshot.content.cancelled_at is not None) is (state == "CANCELED")


def test_an_order_that_nobody_paid_is_held(shop: SquareSimulator, read: Read) -> None:
    snapshot = read(stored(shop, two_lines(shop, paid=False)))
    assert problems(snapshot) == [("unmapped_release", "OPEN_UNPAID")]
    assert snapshot.content.financial_status == "pending"


def test_an_authorised_payment_may_be_captured_until_it_expires(shop: SquareSimulator, read: Read) -> None:
    order = two_lines(shop, captured=False)
    shop.payments[order["tenders"][0]["id"]]["delayed_until"] = "2026-01-23T12:00:00.000Z"
    content = read(stored(shop, order)).content
    (payment,) = content.payments
    assert (payment.kind, payment.status, payment.expires_at) == (
        "authorise",
        "done",
        datetime(2026, 1, 23, 12, tzinfo=UTC),
    )
    assert content.financial_status == "authorised"


def test_all_fulfilments_cancelled_is_a_cancelled_order(shop: SquareSimulator, read: Read) -> None:
    order = two_lines(shop)
    order["fulfillments"][0]["state"] = "CANCELED"
    shop.settle(order)
    content = read(stored(shop, order)).content
    assert order["state"] == "COMPLETED"
    assert content.cancelled_at == NOON
    assert [line.quantity for line in content.lines] == [0, 0]


def test_custom_amounts_and_gift_cards_are_no_goods(shop: SquareSimulator, read: Read) -> None:
    sale = shop.ring_up([("MUG-RED", 1), ("TEE-M", 1)])
    amount, card = sale["line_items"]
    amount.update(item_type="CUSTOM_AMOUNT")
    for field in ("catalog_object_id", "name", "variation_name"):
        del amount[field]
    card.update(item_type="GIFT_CARD")
    lines = read(stored(shop, sale)).content.lines
    assert [(one.title, one.ships, one.gift_card, one.group) for one in lines] == [
        ("Custom amount", False, False, "digital"),
        ("T-shirt, M", False, True, "digital"),
    ]


def test_goods_by_weight_are_a_quantity_that_nobody_mapped(shop: SquareSimulator, read: Read) -> None:
    sale = shop.ring_up([("MUG-RED", 1)])
    sale["line_items"][0]["quantity"] = "0.75"
    snapshot = read(stored(shop, sale))
    assert ("bad_quantity", "0.75") in problems(snapshot)
    assert snapshot.content.amounts.difference == 0


def test_an_unknown_kind_of_fulfilment_and_a_fifth_one_are_problems(shop: SquareSimulator, read: Read) -> None:
    order = two_lines(shop, kind="LOCKER")
    assert ("unmapped_method", "LOCKER") in problems(read(stored(shop, order)))
    dead = [{"uid": f"D{no}", "type": "SHIPMENT", "state": "CANCELED"} for no in range(4)]
    order["fulfillments"] = [*dead, {**order["fulfillments"][0], "type": "SHIPMENT"}]
    assert ("unmapped_group", "fulfilment_5") in problems(read(stored(shop, order)))


def test_a_currency_that_changes_within_an_order_is_a_problem(shop: SquareSimulator, read: Read) -> None:
    sale = shop.ring_up([("MUG-RED", 1)])
    sale["line_items"][0]["gross_sales_money"] = {"amount": 1299, "currency": "CAD"}
    assert problems(read(stored(shop, sale)))


@pytest.mark.parametrize("gross", [1000, 1200], ids=["deducted (US, CA, JP)", "kept (EU, AU)"])
def test_inclusive_tax_is_taken_out_of_the_subtotal_once(gross: int) -> None:
    def euro(amount: int) -> dict[str, object]:
        return {"amount": amount, "currency": "EUR"}

    line = {
        "gross_sales_money": euro(gross),
        "total_discount_money": euro(0),
        "total_tax_money": euro(200),
        "total_money": euro(1200),
    }
    assert line_money(line, "EUR") == {"subtotal": 1000, "discount": 0, "tax": 200}


@given(
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
    prices=st.lists(st.tuples(st.integers(1, 99_999), st.integers(1, 9)), min_size=1, max_size=4),
    tax=st.integers(0, 25),
    inclusive=st.booleans(),
    discount=st.integers(0, 40),
    first=st.integers(1, 9),
)
def test_sums_hold_in_every_currency_and_split(
    currency: str, prices: list[tuple[int, int]], tax: int, inclusive: bool, discount: int, first: int
) -> None:
    """Lines add up to their totals, whole or shared between a shipment and the counter."""

    def money(amount: int) -> dict[str, object]:
        return {"amount": amount, "currency": currency}

    lines, total = [], 0
    for number, (price, quantity) in enumerate(prices):
        gross = price * quantity
        off = gross * discount // 100
        taxed = (gross - off) * tax // (100 + tax if inclusive else 100)
        comes_to = gross - off + (0 if inclusive else taxed)
        total += comes_to
        lines.append(
            {
                "uid": f"L{number}",
                "quantity": str(quantity),
                "gross_sales_money": money(gross),
                "total_discount_money": money(off),
                "total_tax_money": money(taxed),
                "total_money": money(comes_to),
                "base_price_money": money(price),
            }
        )
    entries = [{"line_item_uid": "L0", "quantity": str(min(first, prices[0][1]))}]
    way = {
        "uid": "F",
        "type": "SHIPMENT",
        "state": "PROPOSED",
        "line_item_application": "ENTRY_LIST",
        "entries": entries,
    }
    rows = goods(lines, [way], None, None, "OPEN", currency, "O")
    assert MINOR_UNITS[currency] in (0, 2, 3)
    found = sum(minor(row["subtotal"] - row["discount"] + row["tax"], currency) for row in rows)
    assert found == total
    assert sum(row["ordered"] for row in rows) == sum(quantity for _, quantity in prices)


def test_a_return_of_unknown_origin_is_shown_to_a_person(shop: SquareSimulator, read: Read) -> None:
    """The seller took goods back without looking up the sale: money, and nothing to put it to."""
    sale = shop.ring_up([("MUG-RED", 1)])
    back = shop.return_goods(sale, {sale["line_items"][0]["uid"]: 1})
    del back["returns"][0]["source_order_id"]
    snapshot = read(stored(shop, back))
    assert snapshot.content.external_id == back["id"]
    assert snapshot.content.lines == ()
    assert "missing_field" in {kind for kind, _ in problems(snapshot)}


def test_the_worst_that_is_thought_of_a_payment_is_the_risk_of_the_order(shop: SquareSimulator, read: Read) -> None:
    sale = shop.ring_up([("MUG-RED", 1)])
    (paid,) = [shop.payments[one["id"]] for one in sale["tenders"]]
    assert read(stored(shop, sale)).content.risk is None
    for theirs, ours in (("PENDING", None), ("NORMAL", "low"), ("MODERATE", "medium"), ("HIGH", "high")):
        paid["risk_evaluation"] = {"created_at": "2026-01-16T12:00:01Z", "risk_level": theirs}
        assert read(stored(shop, sale)).content.risk == ours
