"""Amounts: Odoo's own arithmetic must give back what the channel took."""

from decimal import ROUND_HALF_UP, Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.odoo.amounts import BookedLine, booked_lines, check_total, unit_price
from adapters.odoo.schemas import SaleOrder
from adapters.odoo.settings import Settings
from hub.domain.money import MINOR_UNITS, major
from hub.sdk.outcomes import Interrupted, NeedsPerson
from hub.sdk.posting import PostingLine, PostingRequest
from hub.sdk.testkit.samples import POSTING

SETTINGS = Settings(host="odoo.example.com", database="acme", api_key="0123456789")


def needs_person(raised: pytest.ExceptionInfo[Interrupted]) -> NeedsPerson:
    outcome = raised.value.outcome
    assert isinstance(outcome, NeedsPerson)
    return outcome


@given(
    amount=st.integers(min_value=-(10**9), max_value=10**9),
    quantity=st.integers(min_value=1, max_value=100_000),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_price_times_quantity_rounds_back_to_the_amount(amount: int, quantity: int, currency: str) -> None:
    unit = Decimal(1).scaleb(-MINOR_UNITS[currency])
    price = unit_price(amount, quantity, currency)
    assert (price * quantity).quantize(unit, ROUND_HALF_UP) == major(amount, currency)
    # On the other side it becomes a double.
    assert Decimal(float(price) * quantity).quantize(unit, ROUND_HALF_UP) == major(amount, currency)


def test_a_price_that_cents_cannot_express_keeps_its_places() -> None:
    assert unit_price(2599, 2, "USD") == Decimal("12.995")
    assert unit_price(1000, 3, "USD") == Decimal("3.333333")


def test_tax_is_a_line_of_its_own() -> None:
    assert booked_lines(POSTING, SETTINGS) == (
        BookedLine(sku="MUG-RED", title="Mug, red", quantity=2, amount=2599, taxed=True, stocked=True),
        BookedLine(sku="TEE-M", title="T-shirt, M", quantity=1, amount=1999, taxed=True, stocked=True),
        BookedLine(sku="SHIPPING", title="Shipping", quantity=1, amount=500),
        BookedLine(sku="SALES-TAX", title="Sales tax", quantity=1, amount=402),
    )


def test_included_tax_is_taken_out_of_the_goods() -> None:
    request = msgspec.structs.replace(POSTING, tax_included=True, total=5098)
    lines = booked_lines(request, SETTINGS)
    assert [line.amount for line in lines] == [2372, 1824, 500, 402]
    assert sum(line.amount for line in lines) == request.total


def test_with_taxes_of_its_own_odoo_gets_no_tax_line() -> None:
    settings = msgspec.structs.replace(SETTINGS, tax_ids=(7,))
    assert [line.sku for line in booked_lines(POSTING, settings)] == ["MUG-RED", "TEE-M", "SHIPPING"]
    included = msgspec.structs.replace(POSTING, tax_included=True, total=5098)
    assert [line.amount for line in booked_lines(included, settings)] == [2599, 1999, 500]


def test_tax_on_charges_alone_leaves_no_empty_line() -> None:
    extra = PostingLine(line="tax", sku=None, title="Tax on shipping", quantity=1, amount=0, tax=44)
    request = msgspec.structs.replace(POSTING, lines=(*POSTING.lines, extra), total=POSTING.total + 44)
    lines = booked_lines(request, SETTINGS)
    assert [(line.sku, line.amount) for line in lines][2:] == [("SHIPPING", 500), ("SALES-TAX", 446)]


def test_a_line_without_sku_goes_on_the_other_product() -> None:
    extra = PostingLine(line="extras", sku=None, title="Gift wrap", quantity=1, amount=250)
    request = msgspec.structs.replace(POSTING, lines=(*POSTING.lines, extra), total=POSTING.total + 250)
    assert booked_lines(request, SETTINGS)[2] == BookedLine(sku="OTHER", title="Gift wrap", quantity=1, amount=250)


def test_a_document_that_does_not_add_up_names_both_sums() -> None:
    with pytest.raises(Interrupted) as raised:
        booked_lines(msgspec.structs.replace(POSTING, total=5600), SETTINGS)
    reason = needs_person(raised).reason
    assert "56.00 USD" in reason
    assert "55.00" in reason
    assert POSTING.order in reason


def test_an_unknown_currency_needs_a_person() -> None:
    with pytest.raises(Interrupted) as raised:
        booked_lines(msgspec.structs.replace(POSTING, currency="XXX"), SETTINGS)
    assert "'XXX'" in needs_person(raised).reason


def order(total: str, currency: str = "USD") -> SaleOrder:
    return SaleOrder(id=26, name="S00026", state="draft", currency_id=(1, currency), amount_total=Decimal(total))


def test_the_right_total_passes() -> None:
    check_total(POSTING, order("55.0"))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (order("54.99"), ("55.00 USD", "54.99")),
        (order("55.0", "EUR"), ("USD", "EUR")),
        (order("55.005"), ("55.005", "minor unit")),
    ],
)
def test_another_total_or_currency_names_both(document: SaleOrder, said: tuple[str, str]) -> None:
    with pytest.raises(Interrupted) as raised:
        check_total(POSTING, document)
    outcome = needs_person(raised)
    assert "S00026" in outcome.reason + outcome.next_step
    for part in said:
        assert part in outcome.reason


@given(
    goods=st.lists(
        st.tuples(st.integers(0, 50_000), st.integers(1, 40), st.integers(0, 9_000)), min_size=1, max_size=8
    ),
    shipping=st.integers(0, 5_000),
    included=st.booleans(),
)
def test_booked_lines_always_come_to_the_total(
    goods: list[tuple[int, int, int]], shipping: int, included: bool
) -> None:
    lines = tuple(
        PostingLine(line=str(no), sku=f"SKU-{no}", title="T", quantity=quantity, amount=amount, tax=min(tax, amount))
        for no, (amount, quantity, tax) in enumerate(goods)
    )
    total = sum(line.amount + (0 if included else line.tax) for line in lines) + shipping
    request: PostingRequest = msgspec.structs.replace(
        POSTING, lines=lines, shipping=shipping, total=total, tax_included=included
    )
    assert sum(line.amount for line in booked_lines(request, SETTINGS)) == total
