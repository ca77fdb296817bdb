"""Money: whatever is ordered, taxed, discounted, cancelled and refunded, the parts come to the store's own totals."""

from decimal import Decimal

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from adapters.magento import amounts
from adapters.magento.harness import simulator
from adapters.magento.simulator import MagentoSimulator
from adapters.magento.simulator_books import StoreOrder
from adapters.magento.tests.conftest import document, encoded
from hub.domain.money import MINOR_UNITS, Amounts, minor
from hub.domain.order import OrderSnapshot
from hub.domain.payment import PaymentKind
from hub.mapping.compile import Mapping

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD"])
RATES = st.sampled_from([Decimal(0), Decimal("0.05"), Decimal("0.0725"), Decimal("0.20"), Decimal("0.21")])
PERCENT = st.sampled_from([Decimal(0), Decimal(5), Decimal("12.5"), Decimal("33.3"), Decimal(100)])
MINOR = st.integers(min_value=1, max_value=999_999)

sale = st.fixed_dictionaries(
    {
        "currency": CURRENCIES,
        "rate": RATES,
        "included": st.booleans(),
        "percent": PERCENT,
        "prices": st.lists(MINOR, min_size=1, max_size=4),
        "quantities": st.lists(st.integers(min_value=1, max_value=7), min_size=4, max_size=4),
        "shipping": st.integers(min_value=0, max_value=5000),
        "kind": st.sampled_from(["simple", "configurable", "bundle", "fixed"]),
    }
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def placed(wish: dict[str, object], **more: object) -> tuple[MagentoSimulator, StoreOrder]:
    """A store in the currency of the wish, and its order."""
    store = simulator()
    currency = str(wish["currency"])
    store.currency = currency
    unit = Decimal(1).scaleb(-MINOR_UNITS[currency])
    prices = [price * unit for price in wish["prices"]]  # type: ignore[attr-defined]
    for number, price in enumerate(prices):
        store.sell(f"SKU-{number}", price=price, quantity=1000)
    lines = list(zip((f"SKU-{number}" for number in range(len(prices))), wish["quantities"], strict=False))  # type: ignore[call-overload]
    match wish["kind"]:
        case "configurable":
            store.sell("PARENT", kind="configurable", child="SKU-0", price=prices[0])
            lines[0] = ("PARENT", lines[0][1])
        case "bundle" | "fixed" as kind:
            parts = tuple((f"SKU-{number}", number + 1) for number in range(len(prices)))
            fixed = kind == "fixed"
            store.sell("BOX", kind="bundle", parts=parts, fixed_price=fixed, price=prices[0])
            lines.append(("BOX", 2))
    order = store.place_order(
        lines,
        tax_rate=wish["rate"],  # type: ignore[arg-type]
        prices_include_tax=bool(wish["included"]),
        discount_percent=wish["percent"],  # type: ignore[arg-type]
        shipping=int(wish["shipping"]) * unit,  # type: ignore[call-overload]
        **more,  # type: ignore[arg-type]
    )
    return store, order


def mapped(mapping: Mapping, order: StoreOrder) -> OrderSnapshot:
    snapshot = mapping(encoded(document(order)))
    assert snapshot.problems == ()
    return snapshot


@quick
@given(wish=sale)
def test_the_parts_come_to_the_grand_total(mapping: Mapping, wish: dict[str, object]) -> None:
    _, order = placed(wish)
    content = mapped(mapping, order).content
    shop = content.amounts.shop
    assert content.amounts.difference == 0
    assert shop.total == minor(order.grand_total, order.base_currency)
    assert not shop.tax_included
    assert shop.subtotal == sum(line.subtotal for line in content.lines)
    assert shop.discount == sum(line.discount for line in content.lines)
    assert shop.tax == sum(line.tax for line in content.lines) + minor(order.shipping_tax, order.base_currency)
    assert 0 <= shop.discount <= shop.subtotal


@quick
@given(wish=sale, rate=st.sampled_from([Decimal("1.1"), Decimal("0.9137"), Decimal("149.83"), Decimal("0.3071")]))
def test_the_customers_view_comes_to_the_customers_total(
    mapping: Mapping, wish: dict[str, object], rate: Decimal
) -> None:
    _, order = placed(wish, rate=rate)
    order.currency = "JPY" if rate > 100 else "KWD" if rate < Decimal("0.5") else "CHF"
    assume(order.currency != order.base_currency)
    content = mapped(mapping, order).content
    seen = content.amounts.presentment
    assert seen is not None
    assert (content.currency, content.presentment_currency, seen.currency) == (
        order.base_currency,
        order.currency,
        order.currency,
    )
    told = document(order)["grand_total"]
    # Subtotal, shipping, tax, discount and compensation are each rounded into the customer's currency.
    assert abs(seen.total - minor(told, order.currency)) <= 3
    assert content.amounts.difference == 0


@quick
@given(wish=sale, units=st.lists(st.integers(min_value=1, max_value=3), min_size=1, max_size=3))
def test_refunds_in_parts_come_to_what_went_back(mapping: Mapping, wish: dict[str, object], units: list[int]) -> None:
    store, order = placed(wish, paid=True)
    own = [item for item in order.items if item.parent is None]
    for count in units:
        asked = {item.id: min(count, item.invoiced - item.refunded) for item in own}
        if any(asked.values()):
            store.refund(order, {id: n for id, n in asked.items() if n})
    content = mapped(mapping, order).content
    back = content.refunded
    if not order.refunded:
        assert back is None
        return
    assert back is not None
    assert back.difference == 0
    assert back.shop.total == minor(order.refunded, order.base_currency)
    rows = [row.amount for row in content.payments if row.kind is PaymentKind.REFUND]
    assert sum(rows) == back.shop.total
    assert len(rows) == len(order.memos)
    assert content.amounts.difference == 0


@quick
@given(wish=sale)
def test_everything_refunded_is_everything_paid(mapping: Mapping, wish: dict[str, object]) -> None:
    store, order = placed(wish, paid=True)
    if not order.paid:
        return
    store.refund(order, {})
    content = mapped(mapping, order).content
    assert content.refunded is not None
    assert content.refunded.shop.total == content.amounts.shop.total
    assert content.refunded.shop.tax == content.amounts.shop.tax
    assert content.financial_status == "refunded"


@quick
@given(wish=sale, invoiced=st.integers(min_value=0, max_value=2))
def test_what_is_cancelled_leaves_what_was_invoiced(mapping: Mapping, wish: dict[str, object], invoiced: int) -> None:
    store, order = placed(wish)
    first = next(item for item in order.items if item.parent is None)
    units = min(invoiced, first.to_invoice)
    if units:
        store.invoice(order, {first.id: units}, capture=True, note=None)
    gone = store.cancel(order)
    content = mapped(mapping, order).content
    if not gone or order.grand_total == order.paid:
        return
    assert content.edited is not None
    assert content.edited.difference == 0
    assert content.edited.shop.total == minor(order.paid, order.base_currency)


def test_tax_inside_a_discount_is_no_discount() -> None:
    """A price of 120 with a fifth of tax on top, less 10 %: 12 off as the customer sees it, 10 without its tax."""
    store = simulator()
    store.sell("CUP", price=Decimal("120.00"), quantity=5)
    order = store.place_order(
        [("CUP", 1)],
        tax_rate=Decimal("0.20"),
        prices_include_tax=True,
        discount_percent=Decimal(10),
        shipping=Decimal(0),
    )
    body = document(order)
    assert (body["base_discount_amount"], body["base_discount_tax_compensation_amount"]) == (-12, 2)
    assert (body["base_subtotal"], body["base_tax_amount"], body["base_grand_total"]) == (100, 18, 108)
    assert amounts.net_discount(body["base_discount_amount"], 2, None) == 10


def test_fixed_product_taxes_wrapping_and_custom_fees_are_fees(mapping: Mapping) -> None:
    store = simulator()
    body = document(store.place_order([("MUG-RED", 2)], shipping=Decimal(0)))
    body["items"][0] |= {"base_weee_tax_applied_row_amnt": Decimal("1.50"), "weee_tax_applied": '[{"title":"WEEE"}]'}
    body["extension_attributes"] |= {
        "gw_items_base_price": "2.0000",
        "gw_card_base_price": "0.5000",
        "custom_fees": [{"custom_fee_code": "pallet", "base_custom_fee_amount": 3}],
    }
    body["base_grand_total"] += 7
    snapshot = mapping(encoded(body))
    assert snapshot.problems == ()
    assert snapshot.content.amounts.shop.fees == 700
    assert snapshot.content.amounts.difference == 0


def test_a_grand_total_that_is_missing_or_zero_holds_the_books(mapping: Mapping) -> None:
    """The store writes base_grand_total 0 on some orders in two currencies (magento/magento2#38330)."""
    body = document(simulator().place_order([("MUG-RED", 1)]))
    assert mapping(encoded(body | {"base_grand_total": 0})).content.amounts.difference == -1799


def test_a_yen_has_no_sen(mapping: Mapping) -> None:
    store = simulator()
    store.currency = "JPY"
    body = document(store.place_order([("MUG-RED", 1)], shipping=Decimal(500), prices={"MUG-RED": Decimal(1299)}))
    assert mapping(encoded(body)).content.amounts.shop == Amounts(currency="JPY", subtotal=1299, shipping=500)
    odd = body | {"base_tax_amount": Decimal("103.92")}
    (problem,) = mapping(encoded(odd)).problems
    assert (problem.kind, problem.value) == ("bad_money", "103.92 JPY")


def test_a_dinar_has_a_thousand_fils(mapping: Mapping) -> None:
    store = simulator()
    store.currency = "KWD"
    body = document(
        store.place_order([("MUG-RED", 3)], shipping=Decimal("0.750"), prices={"MUG-RED": Decimal("1.125")})
    )
    shop = mapping(encoded(body)).content.amounts.shop
    assert (shop.subtotal, shop.shipping, shop.total) == (3375, 750, 4125)
