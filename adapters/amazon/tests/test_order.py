"""The mapping: what an order of Amazon's means."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.amazon.harness import NOON, simulator
from adapters.amazon.simulator_documents import order_document
from hub.domain.money import MINOR_UNITS
from hub.domain.order import NOT_HELD, ManagedBy, Method, OrderSnapshot
from hub.domain.payment import PaymentKind
from hub.sdk.translate import Malformed

Read = Callable[[bytes], OrderSnapshot]


def document(**more: Any) -> dict[str, Any]:
    """An order of two mugs and a shirt, as the simulator writes it."""
    seller = simulator()
    seller.now = lambda: NOON
    lines = [("MUG-RED", 2, Decimal("12.99")), ("TEE-M", 1, Decimal("19.99"))]
    return order_document(seller.place(lines, shipping=Decimal("4.50"), tax_rate=Decimal("0.10"), **more))


def body(order: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"order": order})


def test_an_order_to_ship(read: Read) -> None:
    order = document(programs=("PRIME",))
    order["orderItems"][0]["fulfillment"]["packing"] = {"giftOption": {"giftMessage": "Hi"}}
    order["fulfillment"]["deliverByWindow"] = {"latestDateTime": "2026-01-20T08:00:00Z"}
    snapshot = read(body(order))
    content = snapshot.content
    assert snapshot.problems == ()
    assert content.number == content.external_id == order["orderId"]
    assert content.version == int(datetime(2026, 1, 16, 12, tzinfo=UTC).timestamp() * 1_000_000)
    assert content.currency == "USD"
    assert content.financial_status == "authorised"
    assert content.tags == ("program:prime", "gift")
    mug, tee = content.lines
    assert (mug.sku, mug.quantity, mug.subtotal, mug.tax, mug.unit_price) == ("MUG-RED", 2, 2598, 260, Decimal("12.99"))
    assert (tee.sku, tee.quantity, tee.subtotal, tee.tax) == ("TEE-M", 1, 1999, 200)
    assert {line.managed_by for line in content.lines} == {ManagedBy.HUB}
    amounts = content.amounts
    shop = amounts.shop
    assert (shop.subtotal, shop.shipping, shop.tax, shop.total) == (4597, 450, 460, 5507)
    assert (shop.tax_included, amounts.difference) == (False, 0)
    (group,) = content.groups
    assert (group.method, group.service) == (Method.SHIP, "standard")
    assert group.deliver_by == datetime(2026, 1, 20, 8, tzinfo=UTC)
    assert snapshot.contacts["ship"].lines == ("77 Pine Street",)
    assert snapshot.contacts["ship"].deliverable
    assert snapshot.contacts["ship"].email == "alias@marketplace.example"


@pytest.mark.parametrize("status", ["PENDING", "PENDING_AVAILABILITY"])
def test_pending_counts_and_cannot_be_released(read: Read, status: str) -> None:
    content = (snapshot := read(body(document(status=status)))).content
    assert [(line.sku, line.quantity) for line in content.lines] == [("MUG-RED", 2), ("TEE-M", 1)]
    assert (content.currency, content.financial_status, content.cancelled_at) == ("USD", "pending", None)
    assert content.amounts.stated_total is None
    assert content.held == "payment is not authorised yet"
    assert [problem.kind for problem in snapshot.problems] == ["missing_address"]


@pytest.mark.parametrize("status", ["PENDING", "PENDING_AVAILABILITY"])
def test_pending_is_held_where_no_address_is_needed(read: Read, status: str) -> None:
    """Collected in a store nothing but the hold stops it; an address that a person gives lifts no hold either."""
    snapshot = read(body(document(status=status, programs=("IN_STORE_PICK_UP",))))
    assert snapshot.problems == ()
    assert snapshot.content.groups[0].method is Method.PICK_UP
    assert snapshot.content.held == "payment is not authorised yet"


@pytest.mark.parametrize("status", ["UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED"])
def test_the_hold_ends_with_the_payment(read: Read, status: str) -> None:
    assert read(body(document(status=status))).content.held == NOT_HELD


def test_pending_with_an_address_is_not_released_either(read: Read) -> None:
    order = document(status="PENDING")
    order["recipient"] = {"deliveryAddress": document()["recipient"]["deliveryAddress"]}
    assert [problem.kind for problem in read(body(order)).problems] == ["missing_address"]


def test_pending_then_cancelled_wants_nothing(read: Read) -> None:
    snapshot = read(body(document(status="CANCELLED")))
    assert snapshot.content.cancelled_at == NOON
    assert snapshot.problems == ()


def test_an_order_that_amazon_ships_is_recorded(read: Read) -> None:
    order = document(fulfilled_by="AMAZON", status="SHIPPED")
    del order["recipient"]
    snapshot = read(body(order))
    assert {line.managed_by for line in snapshot.content.lines} == {ManagedBy.CHANNEL}
    assert snapshot.problems == ()


def test_who_ships_is_never_guessed(read: Read) -> None:
    order = document()
    del order["fulfillment"]["fulfilledBy"]
    assert {problem.kind for problem in read(body(order)).problems} == {"missing_field"}
    order["fulfillment"]["fulfilledBy"] = "ALIENS"
    assert {problem.kind for problem in read(body(order)).problems} == {"unmapped_managed_by"}


def test_a_buyers_wish_to_cancel_stops_what_has_not_gone(read: Read) -> None:
    order = document()
    wish = {"cancellationRequest": {"requester": "BUYER", "cancelReason": "Changed my mind"}}
    order["orderItems"][0]["cancellation"] = wish
    order["orderItems"][0]["fulfillment"]["quantityFulfilled"] = 1
    mug, tee = (content := read(body(order)).content).lines
    assert (mug.quantity, mug.ordered, mug.fulfilled_elsewhere) == (1, 2, 1)
    assert (tee.quantity, tee.ordered) == (1, 1)
    assert content.tags == ("buyer_cancel_requested",)
    assert (content.cancelled_at, content.cancel_asked) == (None, False)
    order["orderItems"][1]["cancellation"] = wish
    assert read(body(order)).content.cancel_asked
    for item in order["orderItems"]:
        item["cancellation"] = {**wish, "cancellationExecution": {"cancelledBy": "BUYER"}}
    assert not read(body(order)).content.cancel_asked


def test_a_line_that_was_cancelled_keeps_what_went_before(read: Read) -> None:
    order = document(status="PARTIALLY_SHIPPED")
    order["orderItems"][0]["cancellation"] = {"cancellationExecution": {"cancelledBy": "MERCHANT"}}
    content = read(body(order)).content
    assert content.lines[0].quantity == 0
    assert content.cancel_reason == "staff"
    assert content.tags == ()


@pytest.mark.parametrize(
    ("change", "tag"),
    [
        ({"measurement": {"unit": "POUNDS", "value": 2.5}}, "measured_goods"),
        ({"tax": {"taxCollections": [{"model": "MARKETPLACE_FACILITATOR"}]}}, "tax_remitted_by_marketplace"),
        ({"tax": {"taxCollections": [{"model": "MarketplaceFacilitator"}]}}, "tax_remitted_by_marketplace"),
        ({"programs": ["TRANSPARENCY"]}, "program:transparency"),
    ],
)
def test_what_needs_care_is_tagged(read: Read, change: dict[str, Any], tag: str) -> None:
    order = document()
    order["orderItems"][0] |= change
    assert tag in read(body(order)).content.tags


def test_a_pre_order_waits_for_its_window_and_no_other_does(read: Read) -> None:
    order = document(programs=("PREORDER",))
    order["fulfillment"]["shipByWindow"] = {"earliestDateTime": "2026-03-01T08:00:00Z"}
    assert read(body(order)).content.groups[0].not_before == datetime(2026, 3, 1, 8, tzinfo=UTC)
    order["programs"] = []
    assert read(body(order)).content.groups[0].not_before is None


def test_a_replacement_costs_nothing(read: Read) -> None:
    order = document()
    del order["proceeds"]
    for item in order["orderItems"]:
        del item["proceeds"]
    priceless = read(body(order))
    assert {problem.kind for problem in priceless.problems} == {"missing_field"}
    order["associatedOrders"] = [{"orderId": "111-1111111-1111111", "associationType": "REPLACEMENT_ORIGINAL_ID"}]
    replacing = read(body(order))
    assert replacing.problems == ()
    assert replacing.content.amounts.shop.total == 0
    assert replacing.content.tags == ("replacement_original_id:111-1111111-1111111",)


def test_pick_up_in_a_store(read: Read) -> None:
    snapshot = read(body(document(programs=("IN_STORE_PICK_UP",))))
    assert snapshot.content.groups[0].method is Method.PICK_UP


def test_brazilian_streets_come_in_parts(read: Read) -> None:
    order = document()
    address = order["recipient"]["deliveryAddress"]
    address |= {"addressLine1": "", "extendedFields": {"streetName": "Rua das Flores", "streetNumber": "123"}}
    assert read(body(order)).contacts["ship"].lines == ("Rua das Flores, 123",)


def test_a_tip_counts_once_it_is_final(read: Read) -> None:
    order = document()
    tip = {"type": "DELIVERY_TIP", "status": "PENDING", "subtotal": {"amount": "5.00", "currencyCode": "USD"}}
    order["proceeds"]["breakdowns"].append(tip)
    order["proceeds"]["grandTotal"]["amount"] = "60.07"
    pending = read(body(order)).content.amounts
    assert (pending.shop.tip, pending.shop.tax_included, pending.difference) == (0, False, 500)
    tip["status"] = "FINALIZED"
    final = read(body(order)).content.amounts
    assert (final.shop.tip, final.difference) == (500, 0)


def test_a_kind_of_proceeds_that_nobody_knew_still_counts(read: Read) -> None:
    order = document()
    order["proceeds"]["breakdowns"].append({"type": "MOON_FEE", "subtotal": {"amount": "1.00", "currencyCode": "USD"}})
    order["proceeds"]["grandTotal"]["amount"] = "56.07"
    amounts = read(body(order)).content.amounts
    assert (amounts.shop.fees, amounts.difference) == (100, 0)


def test_payments_are_promised_and_then_taken(read: Read) -> None:
    order = document()
    paid = {"paymentMethod": "CreditCard", "paymentAmount": {"amount": "55.07", "currencyCode": "USD"}}
    order["payment"] = {"paymentExecutions": [paid]}
    (promised,) = read(body(order)).content.payments
    assert (promised.kind, promised.amount, promised.method) == (PaymentKind.AUTHORISE, 5507, "CreditCard")
    order["fulfillment"]["fulfillmentStatus"] = "SHIPPED"
    (taken,) = read(body(order)).content.payments
    assert (taken.kind, taken.amount) == (PaymentKind.SALE, 5507)
    assert taken.external_id != promised.external_id


def test_an_amount_that_is_none_is_a_problem_of_the_books(read: Read) -> None:
    order = document()
    order["orderItems"][0]["proceeds"]["breakdowns"][0]["subtotal"]["amount"] = "NaN"
    assert "bad_money" in {problem.kind for problem in read(body(order)).problems}


@pytest.mark.parametrize(
    "bad",
    [b"", b"<html>Service Unavailable</html>", b'{"order": {"orderId": "1', b'{"errors": []}', b'{"order": []}', b"[]"],
)
def test_what_is_no_order_is_refused_by_name(read: Read, bad: bytes) -> None:
    with pytest.raises(Malformed):
        read(bad)


AMOUNT = st.integers(min_value=0, max_value=10_000_000)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    lines=st.lists(st.tuples(AMOUNT, AMOUNT, AMOUNT, st.integers(1, 99)), min_size=1, max_size=4),
    shipping=AMOUNT,
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
    included=st.booleans(),
    negative=st.booleans(),
)
def test_sums_reconcile(
    read: Read, lines: list[tuple[int, ...]], shipping: int, currency: str, included: bool, negative: bool
) -> None:
    """Whatever the tax regime, the currency and the sign of discounts: our parts come to Amazon's total."""

    def money(minor: int) -> dict[str, str]:
        return {"amount": str(Decimal(minor).scaleb(-MINOR_UNITS[currency])), "currencyCode": currency}

    order, total, items = document(), shipping, []
    for number, (price, tax, off, units) in enumerate(lines):
        off = min(off, price)
        total += price - off + (0 if included else tax)
        rows = [("ITEM", price), ("TAX", tax), ("DISCOUNT", -off if negative else off)]
        item = {"orderItemId": str(number), "quantityOrdered": units, "product": {"sellerSku": "MUG-RED"}}
        breakdowns = [{"type": kind, "subtotal": money(minor)} for kind, minor in rows]
        items.append({**item, "proceeds": {"breakdowns": breakdowns}})
    items[0]["proceeds"]["breakdowns"].append({"type": "SHIPPING", "subtotal": money(shipping)})
    order["orderItems"], order["proceeds"] = items, {"grandTotal": money(total)}
    snapshot = read(body(order))
    amounts = snapshot.content.amounts
    assert snapshot.problems == ()
    assert amounts.difference == 0
    assert amounts.shop.total == amounts.stated_total == total
    assert sum(line.subtotal for line in snapshot.content.lines) == amounts.shop.subtotal
    assert amounts.shop.discount >= 0
