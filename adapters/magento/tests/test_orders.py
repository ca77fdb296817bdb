"""A Magento order, as the mapping and its functions read it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.magento.simulator import MagentoSimulator
from adapters.magento.simulator_store import CUSTOMER
from adapters.magento.tests.conftest import document, encoded
from hub.domain.contact import Contact
from hub.domain.order import Method, OrderSnapshot
from hub.domain.payment import PaymentKind
from hub.mapping.compile import Mapping
from hub.sdk.translate import Malformed

Read = Callable[..., OrderSnapshot]
SISTER = Contact(name="Una Marlowe", lines=("9 Quay",), city="Cork", postal_code="T12", country="IE")


def kinds(snapshot: OrderSnapshot) -> list[tuple[str, str]]:
    return [(problem.kind, problem.value) for problem in snapshot.problems]


@pytest.fixture
def assortment(books: MagentoSimulator) -> MagentoSimulator:
    books.sell("TEE-S", price=Decimal("22.00"), quantity=9)
    books.sell("TEE", kind="configurable", child="TEE-S", price=Decimal("22.00"))
    books.sell("BALL", price=Decimal("27.00"), quantity=9)
    books.sell("STRAP", price=Decimal("17.00"), quantity=9)
    parts = (("BALL", 1), ("STRAP", 2))
    books.sell("KIT", kind="bundle", parts=parts)
    books.sell("SET", kind="bundle", parts=parts, fixed_price=True, price=Decimal("50.00"))
    books.sell("PDF", kind="downloadable", price=Decimal("8.00"))
    return books


# --- the order --------------------------------------------------------------------------------------------------------


def test_an_order_is_known_by_its_entity_id_and_versioned_by_its_change_time(
    books: MagentoSimulator, read: Read
) -> None:
    books.now = lambda: datetime(2026, 1, 15, 9, 30, 7, tzinfo=UTC)
    order = books.place_order([("MUG-RED", 2)], paid=True, store=3)
    snapshot = read(order)
    content = snapshot.content
    assert snapshot.problems == ()
    assert (content.external_id, content.number) == (str(order.id), "000000001")
    assert content.placed_at == datetime(2026, 1, 15, 9, 30, 7, tzinfo=UTC)
    assert content.version == 1_768_469_407_000_000
    assert (content.currency, content.source, content.customer_group) == ("USD", "3", "0")
    assert (content.cancelled_at, content.test) == (None, False)


def test_people_are_kept_apart_from_the_content(books: MagentoSimulator, read: Read) -> None:
    snapshot = read(books.place_order([("MUG-RED", 1)]))
    ship = snapshot.contacts["ship"]
    assert (ship.name, ship.lines, ship.region) == ("Ida Marlowe", ("88 Alder Street", "Apt 4"), "OR")
    assert (ship.city, ship.postal_code, ship.country) == ("Portland", "97205", "US")
    assert snapshot.contacts["bill"] == ship
    assert "Marlowe" not in repr(snapshot.content)
    (group,) = snapshot.content.groups
    assert (group.key, group.method, group.service) == ("main", Method.SHIP, "flatrate_flatrate")
    assert group.place == ship.place


def test_a_region_may_be_text_a_code_an_object_or_only_an_id(books: MagentoSimulator, mapping: Mapping) -> None:
    def region(**fields: Any) -> str | None:
        body = document(books.place_order([("MUG-RED", 1)]))
        address = body["extension_attributes"]["shipping_assignments"][0]["shipping"]["address"]
        for name in ("region", "region_code"):
            del address[name]
        address |= fields
        return mapping(encoded(body)).contacts["ship"].region

    assert region(region="Oregon") == "Oregon"
    assert region(region="Oregon", region_code="OR") == "OR"
    assert region(region={"region": "Oregon", "region_code": "OR", "region_id": 49}) == "OR"
    assert region(region_id=49) is None


def test_a_street_of_many_lines_loses_none(books: MagentoSimulator, read: Read) -> None:
    lines = ("c/o Reed", "Hall B", "Level 3", "Room 9", "Left door")
    who = Contact(name="Ida Marlowe", lines=lines, city="Portland", postal_code="97205", country="US")
    snapshot = read(books.place_order([("MUG-RED", 1)], ship_to=who))
    assert snapshot.contacts["ship"].lines == ("c/o Reed", "Hall B", "Level 3", "Room 9, Left door")


# --- lines ------------------------------------------------------------------------------------------------------------


def test_a_configurable_is_one_line_with_the_parents_money_and_the_childs_sku(
    assortment: MagentoSimulator, read: Read
) -> None:
    order = assortment.place_order([("TEE", 3)], tax_rate=Decimal("0.10"))
    parent, child = order.items
    (line,) = read(order).content.lines
    assert (line.external_id, line.sku, line.variant) == (str(parent.id), "TEE-S", str(child.product.id))
    assert (line.quantity, line.subtotal, line.tax) == (3, 6600, 660)
    assert line.unit_price == Decimal("22")


def test_a_price_repeated_on_the_child_counts_once(assortment: MagentoSimulator, read: Read) -> None:
    order = assortment.place_order([("TEE", 3)])
    order.items[1].repeats_price = True
    content = read(order).content
    assert [line.subtotal for line in content.lines] == [6600]
    assert content.amounts.difference == 0


def test_a_price_that_stands_only_on_the_child_is_taken_from_there(
    assortment: MagentoSimulator, mapping: Mapping
) -> None:
    body = document(assortment.place_order([("TEE", 3)]))
    body["items"][1] |= {"base_row_total": body["items"][0]["base_row_total"]}
    body["items"][0] |= {"base_row_total": 0}
    (line,) = mapping(encoded(body)).content.lines
    assert line.subtotal == 6600


def test_a_bundle_is_its_parts_and_its_price_theirs(assortment: MagentoSimulator, read: Read) -> None:
    order = assortment.place_order([("KIT", 2)])
    content = read(order).content
    assert [(line.sku, line.quantity, line.subtotal) for line in content.lines] == [
        ("BALL", 2, 5400),
        ("STRAP", 4, 6800),
    ]
    assert [line.external_id for line in content.lines] == [str(item.id) for item in order.items[1:]]
    assert content.amounts.difference == 0


def test_a_fixed_price_stays_with_the_bundle_and_does_not_ship(assortment: MagentoSimulator, read: Read) -> None:
    content = read(assortment.place_order([("SET", 2)])).content
    assert [(line.sku, line.quantity, line.subtotal, line.ships) for line in content.lines] == [
        ("BALL", 2, 0, True),
        ("STRAP", 4, 0, True),
        ("SET", 2, 10000, False),
    ]
    assert content.lines[2].group == "digital"
    assert content.amounts.difference == 0


def test_a_bundle_that_ships_together_is_kept_together(assortment: MagentoSimulator, read: Read) -> None:
    order = assortment.place_order([("KIT", 1), ("MUG-RED", 1)])
    kit = assortment.products["KIT"].id
    content = read(order, shipped_together=[kit]).content
    assert [line.group for line in content.lines] == ["together", "together", "main"]
    together = next(group for group in content.groups if group.key == "together")
    assert together.keep_together
    assert together.contact == "ship"
    assert not next(group for group in content.groups if group.key == "main").keep_together


def test_what_is_counted_on_the_bundle_counts_for_its_parts(assortment: MagentoSimulator, read: Read) -> None:
    order = assortment.place_order([("KIT", 2)])
    assortment.ship(order, {order.items[0].id: 1}, [])
    lines = read(order).content.lines
    assert [(line.sku, line.fulfilled_elsewhere) for line in lines] == [("BALL", 1), ("STRAP", 2)]


def test_a_virtual_order_needs_no_address(assortment: MagentoSimulator, read: Read) -> None:
    snapshot = read(assortment.place_order([("PDF", 1)], paid=True))
    assert snapshot.problems == ()
    (line,) = snapshot.content.lines
    assert (line.ships, line.group) == (False, "digital")
    assert [group.method for group in snapshot.content.groups] == [Method.DIGITAL]
    assert "ship" not in snapshot.contacts


def test_several_addresses_make_several_groups(books: MagentoSimulator, read: Read) -> None:
    order = books.place_order([("MUG-RED", 1), ("TEE-M", 1)])
    order.also_to = ((SISTER, (order.items[1].id,)),)
    snapshot = read(order)
    assert snapshot.problems == ()
    assert [line.group for line in snapshot.content.lines] == ["main", "address_2"]
    places = {group.key: group.place.country for group in snapshot.content.groups if group.place}
    assert places == {"main": "US", "address_2": "IE"}
    assert snapshot.contacts["ship_2"].name == "Una Marlowe"


def test_more_addresses_than_the_mapping_knows_hold_the_order(books: MagentoSimulator, read: Read) -> None:
    for number in range(5):
        books.sell(f"SKU-{number}")
    order = books.place_order([(f"SKU-{number}", 1) for number in range(5)])
    order.also_to = tuple((SISTER, (item.id,)) for item in order.items[1:])
    assert kinds(read(order)) == [("unmapped_group", "address_5")]


def test_a_pickup_names_its_location(books: MagentoSimulator, read: Read) -> None:
    snapshot = read(books.place_order([("MUG-RED", 1)], pickup="harbour"))
    (group,) = snapshot.content.groups
    assert (group.method, group.pickup_location) == (Method.PICK_UP, "harbour")
    assert snapshot.problems == ()


def test_a_part_of_a_unit_is_a_problem_of_its_line(books: MagentoSimulator, mapping: Mapping) -> None:
    body = document(books.place_order([("MUG-RED", 1), ("TEE-M", 1)]))
    body["items"][0] |= {"qty_ordered": Decimal("1.5"), "is_qty_decimal": 1}
    snapshot = mapping(encoded(body))
    found = {(problem.kind, problem.line) for problem in snapshot.problems}
    assert found == {("bad_quantity", str(body["items"][0]["item_id"]))}
    assert snapshot.content.lines[1].quantity == 1


def test_refunds_before_and_after_shipping_are_told_apart(books: MagentoSimulator, read: Read) -> None:
    order = books.place_order([("MUG-RED", 5)], paid=True)
    (item,) = order.items
    books.refund(order, {item.id: 2}, shipping=Decimal(0))
    line = read(order).content.lines[0]
    assert (line.quantity, line.refunded) == (3, 0)
    books.ship(order, {item.id: 3}, [])
    # The store counts refunded units as those that left, as far as any did.
    line = read(order).content.lines[0]
    assert (line.ordered, line.quantity, line.fulfilled_elsewhere, line.refunded) == (5, 5, 3, 2)
    assert item.to_ship == 2


# --- state ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["holded", "payment_review", "pending_payment", "word-of-tomorrow"])
def test_a_state_that_is_not_for_release_holds_the_order(state: str, books: MagentoSimulator, read: Read) -> None:
    snapshot = read(books.place_order([("MUG-RED", 1)], state=state))
    assert kinds(snapshot) == [("unmapped_release", state)]
    assert snapshot.content.lines[0].quantity == 1


@pytest.mark.parametrize("method", ["cashondelivery", "purchaseorder", "free"])
def test_new_orders_leave_where_money_follows(method: str, books: MagentoSimulator, read: Read) -> None:
    order = books.place_order([("MUG-RED", 1)], payment_method=method, authorised=False)
    snapshot = read(order)
    assert order.state == "new"
    assert snapshot.problems == ()
    assert snapshot.content.financial_status == "pending"


def test_new_orders_wait_where_money_comes_first(books: MagentoSimulator, read: Read) -> None:
    order = books.place_order([("MUG-RED", 1)], payment_method="banktransfer", authorised=False)
    assert kinds(read(order)) == [("unmapped_release", "new_banktransfer")]
    books.invoice(order, {}, capture=False, note=None)
    assert read(order).problems == ()


def test_the_branch_is_on_state_not_on_the_merchants_status(books: MagentoSimulator, read: Read) -> None:
    order = books.place_order([("MUG-RED", 1)])
    order.status = "waiting_for_engraving"
    assert read(order).problems == ()


def test_a_cancelled_order_says_when(books: MagentoSimulator, read: Read) -> None:
    at = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
    books.now = lambda: at
    order = books.place_order([("MUG-RED", 2)])
    books.now = lambda: at + timedelta(hours=3)
    assert books.cancel(order)
    books.now = lambda: at + timedelta(days=1)
    books.settle(order, "canceled")
    content = read(order).content
    assert content.cancelled_at == at + timedelta(hours=3)
    assert (content.cancel_reason, content.financial_status) == (None, "voided")
    assert content.lines[0].quantity == 0
    assert content.edited is not None
    assert (content.edited.shop.total, content.edited.stated_total) == (0, 0)


def test_an_edited_order_is_cancelled_and_says_why(books: MagentoSimulator, read: Read) -> None:
    order = books.place_order([("MUG-RED", 2)])
    books.cancel(order)
    order.successor = "91"
    assert read(order).content.cancel_reason == "edited"


def test_an_order_refunded_before_anything_left_is_cancelled(books: MagentoSimulator, read: Read) -> None:
    order = books.place_order([("MUG-RED", 2)], paid=True)
    books.refund(order, {})
    content = read(order).content
    assert order.state == "closed"
    assert content.cancelled_at == order.updated_at
    assert content.lines[0].quantity == 0
    assert content.financial_status == "refunded"


def test_an_order_refunded_after_it_left_is_not(books: MagentoSimulator, read: Read) -> None:
    order = books.place_order([("MUG-RED", 2)], paid=True)
    books.ship(order, {}, [])
    books.refund(order, {})
    content = read(order).content
    assert order.state == "closed"
    assert content.cancelled_at is None
    assert (content.lines[0].quantity, content.lines[0].fulfilled_elsewhere) == (2, 2)


# --- payments ---------------------------------------------------------------------------------------------------------


def test_authorisation_capture_and_refund_are_rows(books: MagentoSimulator, read: Read) -> None:
    order = books.place_order([("MUG-RED", 2), ("TEE-M", 1)], payment_method="cardgateway")
    first, second = order.items
    one = books.invoice(order, {first.id: 2}, capture=True, note=None)
    two = books.invoice(order, {second.id: 1}, capture=True, note=None)
    memo = books.refund(order, {second.id: 1}, invoice=two.id, shipping=Decimal(0))
    rows = [(row.external_id, row.kind, row.amount, row.parent) for row in read(order).content.payments]
    assert rows == [
        (f"order:{order.id}:authorised", PaymentKind.AUTHORISE, 5097, None),
        (f"invoice:{one.id}", PaymentKind.CAPTURE, 3098, None),
        (f"invoice:{two.id}", PaymentKind.CAPTURE, 1999, None),
        (f"creditmemo:{memo.id}", PaymentKind.REFUND, 1999, f"invoice:{two.id}"),
    ]
    assert {(row.method, row.implied) for row in read(order).content.payments} == {("cardgateway", False)}


def test_an_unknown_state_of_an_invoice_is_named(books: MagentoSimulator, read: Read) -> None:
    order = books.place_order([("MUG-RED", 1)], paid=True)
    order.invoices[0].state = 7
    assert kinds(read(order)) == [("unmapped_payment_status", "invoice_7")]


def test_without_invoices_the_orders_own_sum_stands(books: MagentoSimulator, read: Read) -> None:
    order = books.place_order([("MUG-RED", 1)], paid=True)
    (row,) = read(order, invoices=[]).content.payments
    assert (row.external_id, row.kind, row.amount) == (f"order:{order.id}:paid", PaymentKind.SALE, 1799)
    assert row.implied


def test_a_gift_card_is_a_payment_and_no_discount(books: MagentoSimulator, read: Read) -> None:
    content = read(books.place_order([("MUG-RED", 1)], paid=True, gift_card=Decimal("10.00"))).content
    assert content.amounts.shop.discount == 0
    assert content.amounts.stated_total == content.amounts.shop.total == 1799
    assert {(row.method, row.amount) for row in content.payments} == {("gift_card", 1000), ("checkmo", 799)}


# --- bad bodies -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"entity_id": 4, "items": [', b"[]", b'"x"', b"null", b"{}"])
def test_what_is_no_order_is_malformed(body: bytes, mapping: Mapping) -> None:
    with pytest.raises(Malformed):
        mapping(body)


def test_an_error_document_is_malformed(mapping: Mapping) -> None:
    with pytest.raises(Malformed):
        mapping(b'{"message":"Internal Error. Details are available in Magento log file."}')


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"items": {"0": 1}}, "bad_value"),
        ({"items": []}, "missing_field"),
        ({"base_currency_code": "QQQ"}, "bad_money"),
        ({"base_tax_amount": "many"}, "bad_money"),
        ({"base_shipping_amount": Decimal("1.005")}, "bad_money"),
        ({"base_shipping_amount": Decimal("1E+99999999")}, "bad_money"),
        ({"updated_at": "yesterday"}, "bad_time"),
        ({"extension_attributes": None}, "missing_address"),
        ({"payment": "checkmo"}, "bad_value"),
    ],
)
def test_what_cannot_be_understood_is_a_problem_and_the_order_stands(
    change: dict[str, Any], kind: str, books: MagentoSimulator, read: Read
) -> None:
    snapshot = read(books.place_order([("MUG-RED", 1)]), **change)
    assert kind in {problem.kind for problem in snapshot.problems}
    assert snapshot.content.external_id.isdigit()


def test_fields_of_tomorrow_change_nothing(books: MagentoSimulator, mapping: Mapping) -> None:
    body = document(books.place_order([("MUG-RED", 1)], ship_to=CUSTOMER))
    more = body | {"field_of_tomorrow": {"a": [1, None]}, "items": [{**item, "new": {}} for item in body["items"]]}
    assert mapping(encoded(more)) == mapping(encoded(body))


def test_the_careful_reading_agrees(assortment: MagentoSimulator, mapping: Mapping) -> None:
    order = assortment.place_order([("TEE", 2), ("KIT", 1), ("SET", 1), ("PDF", 1)], paid=True)
    assortment.refund(order, {order.items[0].id: 1})
    body = encoded(document(order))
    assert mapping.read_with_care(body) == mapping(body)


def test_a_suspected_payment_is_a_risk_until_it_is_processed(books: MagentoSimulator, read: Read) -> None:
    books.sell("MUG", quantity=9)
    order = books.place_order([("MUG", 1)])
    assert read(order, status="fraud").content.risk == "high"
    assert read(order, status="processing").content.risk == "low"
    assert read(order, status="gift_wrapping").content.risk is None
