"""The money of a Shopify order, as the mapping and its functions read it: amounts, refunds, payments."""

from decimal import Decimal

import pytest

from adapters.shopify.tests.reading import Read
from hub.domain.payment import PaymentKind
from hub.mapping.compile import Mapping
from tests.unit.mapping.shopify_orders import Json, Writer, order_bytes, shopify_order

# --- money ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("taxes_included", [True, False])
def test_tax_is_added_once(mapping: Mapping, taxes_included: bool) -> None:
    order = shopify_order(3, taxes_included=taxes_included)
    amounts = mapping(order_bytes(order)).content.amounts
    assert amounts.shop.tax_included is taxes_included
    assert amounts.difference == 0
    assert amounts.presentment is None


def test_the_customers_view_has_its_own_currency(mapping: Mapping) -> None:
    amounts = mapping(order_bytes(shopify_order(3, presentment="JPY"))).content.amounts
    assert amounts.presentment is not None
    assert (amounts.presentment.currency, amounts.presentment.total) == ("JPY", 2 * amounts.shop.total)


def test_yen_has_no_places_and_takes_none(mapping: Mapping) -> None:
    order = shopify_order(1, currency="JPY", prices=[1000], quantities=[1], discount=0, shipping=0)
    order["line_items"][0]["price"] = "1000.00"
    assert mapping(order_bytes(order)).content.lines[0].subtotal == 1000
    order["line_items"][0]["price"] = "10.5"
    snapshot = mapping(order_bytes(order))
    (problem,) = snapshot.problems
    assert (problem.kind, problem.field, problem.path, problem.value, problem.line) == (
        "bad_money",
        "lines.subtotal",
        "line_items[].price, @quantity",
        "10.5 JPY",
        snapshot.content.lines[0].external_id,
    )
    assert snapshot.content.amounts.difference == 1000


def test_duties_fees_and_cash_rounding(read: Read) -> None:
    write = Writer()

    def extras(order: Json) -> None:
        total = Decimal(order["total_price"]) + Decimal("15.00")
        order |= {
            "original_total_duties_set": write.pair(1000),
            "original_total_additional_fees_set": write.pair(500),
            "total_cash_rounding_payment_adjustment_set": write.pair(-2),
            "total_price": str(total),
        }

    amounts = read(extras).content.amounts
    assert (amounts.shop.duties, amounts.shop.fees, amounts.shop.rounding, amounts.difference) == (1000, 500, -2, 0)
    assert read(extras, duties_included=True).content.amounts.shop.duties == 0


def test_a_difference_to_the_stated_total_shows(read: Read) -> None:
    assert read(total_price="1.00").content.amounts.difference == 100 - read().content.amounts.shop.total


def test_an_edit_leaves_the_sale_and_tells_what_remains(read: Read) -> None:
    def removed(order: Json) -> None:
        first, second = order["line_items"]
        first |= {"quantity": 1, "current_quantity": 1, "price": "10.00"}
        second |= {"quantity": 2, "current_quantity": 0, "price": "20.00"}
        order |= {"total_discounts": "0.00", "total_price": "54.90", "current_total_price": "14.90"}
        order |= {"current_total_discounts": "0.00", "current_total_tax": "2.38"}

    content = read(removed).content
    assert content.edited is not None
    assert (content.amounts.shop.subtotal, content.amounts.difference) == (5000, 0)
    assert (content.edited.shop.subtotal, content.edited.shop.shipping, content.edited.difference) == (1000, 490, 0)
    assert [line.quantity for line in content.lines] == [1, 0]
    assert read().content.edited is None


REFUND_TRANSACTION = {
    "id": 801,
    "parent_id": 800,
    "kind": "refund",
    "status": "success",
    "gateway": "shopify_payments",
    "amount": "14.90",
    "currency": "EUR",
    "processed_at": "2026-03-05T08:00:00Z",
}


def test_a_refund_is_what_went_back(read: Read) -> None:
    refund = {
        "refund_line_items": [{"line_item_id": 1, "quantity": 1, "subtotal": 10.0, "total_tax": 1.6}],
        "order_adjustments": [{"kind": "shipping_refund", "amount": "-4.90", "tax_amount": "-0.78"}],
        "transactions": [REFUND_TRANSACTION],
    }
    content = read(refunds=[refund], payment_gateway_names=[]).content
    assert content.refunded is not None
    shop = content.refunded.shop
    assert (shop.subtotal, shop.shipping, shop.tax, shop.rounding) == (1000, 490, 238, 0)
    assert content.refunded.difference == 0
    (payment,) = content.payments
    assert (payment.kind, payment.amount, payment.parent, payment.status) == (PaymentKind.REFUND, 1490, "800", "done")


def test_a_discrepancy_that_the_merchant_typed_in_belongs_to_the_refund(read: Read) -> None:
    refund = {
        "refund_line_items": [{"subtotal": "20.00", "total_tax": "0.00"}],
        "order_adjustments": [{"kind": "refund_discrepancy", "amount": "5.10", "tax_amount": "0.00"}],
        "transactions": [REFUND_TRANSACTION, REFUND_TRANSACTION | {"id": 802, "status": "failure"}],
    }
    refunded = read(refunds=[refund]).content.refunded
    assert refunded is not None
    assert (refunded.shop.total, refunded.stated_total) == (1490, 1490)


def test_duties_that_went_back_are_duties(read: Read) -> None:
    refund = {
        "refund_line_items": [{"subtotal": "10.00", "total_tax": "0.00"}],
        "total_duties_set": {"shop_money": {"amount": "4.90", "currency_code": "EUR"}},
        "transactions": [REFUND_TRANSACTION],
    }
    refunded = read(refunds=[refund]).content.refunded
    assert refunded is not None
    assert (refunded.shop.duties, refunded.difference) == (490, 0)


def test_a_refund_without_money_takes_units_off_and_returns_none(read: Read) -> None:
    units_only = {"refund_line_items": [{"subtotal": "20.00", "total_tax": "0.00"}], "transactions": []}
    assert read(refunds=[units_only]).content.refunded is None


def both(shop: str, there: str) -> Json:
    return {
        "shop_money": {"amount": shop, "currency_code": "EUR"},
        "presentment_money": {"amount": there, "currency_code": "JPY"},
    }


def test_what_is_left_and_what_went_back_have_the_customers_view_too(mapping: Mapping) -> None:
    order = shopify_order(3, presentment="JPY")
    line, rest = order["line_items"][0], order["line_items"][1:]
    (shipping,) = order["shipping_lines"]
    for one in rest:
        one["current_quantity"] = 0
    refund = {
        "refund_line_items": [{"subtotal": "10.00", "subtotal_set": both("10.00", "1600"), "total_tax": "0.00"}],
        "order_adjustments": [
            {
                "kind": "shipping_refund",
                "amount": "-1.00",
                "amount_set": both("-1.00", "-160"),
                "tax_amount": "0.00",
                "tax_amount_set": both("0.00", "0"),
            }
        ],
        "total_duties_set": both("2.00", "320"),
        "transactions": [REFUND_TRANSACTION],
    }
    order |= {"refunds": [refund], "current_total_price": "1.00", "current_total_discounts_set": both("0.00", "0")}
    order |= {"current_total_tax_set": both("0.00", "0")}
    content = mapping(order_bytes(order)).content
    assert content.refunded is not None
    assert content.edited is not None
    shop, there = content.refunded.shop, content.refunded.presentment
    assert there is not None
    assert (shop.subtotal, shop.shipping, shop.duties) == (1000, 100, 200)
    assert (there.currency, there.subtotal, there.shipping, there.duties) == ("JPY", 1600, 160, 320)
    left = content.edited.presentment
    assert left is not None
    assert left.subtotal == int(line["price_set"]["presentment_money"]["amount"]) * line["quantity"]
    assert left.shipping == int(shipping["price_set"]["presentment_money"]["amount"]) - 160


def test_a_refund_in_the_customers_currency_is_booked_in_the_shops(read: Read) -> None:
    pair = {"shop_money": {"amount": "14.90"}, "presentment_money": {"amount": "2400"}}
    there = REFUND_TRANSACTION | {"amount": "2400", "currency": "JPY"}
    with_pair, without = (
        read(refunds=[{"transactions": [row]}]).content.refunded for row in (there | {"amount_set": pair}, there)
    )
    assert with_pair is not None
    assert without is not None
    assert (with_pair.stated_total, without.stated_total) == (1490, None)


# --- payments ---------------------------------------------------------------------------------------------------------


def test_a_gift_card_that_is_spent_is_a_payment(read: Read) -> None:
    rows = [
        {"id": 1, "kind": "sale", "status": "success", "gateway": "gift_card", "amount": "20.00", "currency": "EUR"},
        {"id": 2, "kind": "authorization", "status": "pending", "gateway": "bogus", "amount": "5", "currency": "EUR"},
        {"id": 3, "kind": "change", "status": "success", "gateway": "cash", "amount": "1.50", "currency": "EUR"},
    ]
    content = read(transactions=rows).content
    assert [(row.kind, row.method, row.amount, row.status) for row in content.payments] == [
        (PaymentKind.SALE, "gift_card", 2000, "done"),
        (PaymentKind.AUTHORISE, "bogus", 500, "pending"),
        (PaymentKind.CHANGE, "cash", 150, "done"),
    ]
    assert content.amounts.shop.discount == 1000


def test_a_payment_is_booked_in_the_shops_currency(read: Read) -> None:
    pair = {
        "shop_money": {"amount": "14.90", "currency_code": "EUR"},
        "presentment_money": {"amount": "2400", "currency_code": "JPY"},
    }
    there = {"id": 1, "kind": "sale", "status": "success", "gateway": "bogus", "amount": "2400", "currency": "JPY"}
    (payment,) = read(transactions=[there | {"amount_set": pair}]).content.payments
    assert (payment.amount, payment.currency) == (1490, "EUR")


def test_a_refund_in_the_customers_currency_waits_for_the_read_that_says_both(read: Read) -> None:
    """A webhook says yen and no more; booked as they stand they would never meet the euros that were taken."""
    there = REFUND_TRANSACTION | {"amount": "2400", "currency": "JPY"}
    pair = {
        "shop_money": {"amount": "14.90", "currency_code": "EUR"},
        "presentment_money": {"amount": "2400", "currency_code": "JPY"},
    }
    assert read(refunds=[{"transactions": [there]}], payment_gateway_names=[]).content.payments == ()
    told = read(refunds=[{"transactions": [there | {"amount_set": pair}]}], payment_gateway_names=[]).content.payments
    assert [(one.external_id, one.amount, one.currency) for one in told] == [("801", 1490, "EUR")]


@pytest.mark.parametrize(
    ("fields", "payments"),
    [
        ({}, [("5600000000001:shopify_payments:sale", PaymentKind.SALE)]),
        (
            {"financial_status": "authorized"},
            [("5600000000001:shopify_payments:authorization", PaymentKind.AUTHORISE)],
        ),
        ({"financial_status": "partially_paid"}, []),
        ({"financial_status": "pending"}, []),
        ({"payment_gateway_names": ["gift_card", "shopify_payments"]}, []),
        ({"payment_gateway_names": [""]}, []),
        ({"payment_gateway_names": None}, []),
    ],
)
def test_one_gateway_that_took_the_whole_implies_its_payment(read: Read, fields: Json, payments: object) -> None:
    assert [(row.external_id, row.kind) for row in read(**fields).content.payments] == payments
