"""A Shopify order, as the mapping and its functions read it."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.shopify import translate
from adapters.shopify.tests.reading import MAPPINGS, Read, kinds
from hub.domain.order import ManagedBy, Method
from tests.unit.mapping.shopify_orders import Json

# --- the order --------------------------------------------------------------------------------------------------------


def test_an_order_is_known_by_its_id_and_versioned_by_its_change_time(read: Read) -> None:
    snapshot = read()
    content = snapshot.content
    assert snapshot.problems == ()
    assert (content.external_id, content.number) == ("5600000000001", "#1001")
    assert content.version == 1_772_442_931_000_000
    assert content.placed_at == datetime(2026, 3, 2, 9, 15, 29, tzinfo=UTC)
    assert (content.currency, content.financial_status, content.source) == ("EUR", "paid", "web")
    assert content.tags == ("newsletter", "vip")
    assert (content.test, content.cancelled_at, content.closed_at) == (False, None, None)


def test_people_are_kept_apart_from_the_content(read: Read) -> None:
    snapshot = read()
    ship = snapshot.contacts["ship"]
    assert (ship.name, ship.lines, ship.region, ship.country) == ("Kim Winter", ("Lindenweg 4",), "BE", "DE")
    assert ship.email == "kim.winter@shop.example"
    assert set(snapshot.contacts) == {"ship", "bill", "customer"}
    assert b"Winter" not in json.dumps(repr(snapshot.content)).encode()
    (group,) = snapshot.content.groups
    assert (group.contact, group.place, group.service) == ("ship", ship.place, "Standard")
    assert (ship.place.latitude, ship.place.longitude) == (52.53, 13.38)


def test_a_cancelled_order_says_when_and_why(read: Read) -> None:
    snapshot = read(cancelled_at="2026-03-03T00:00:00Z", cancel_reason="fraud", shipping_address=None)
    content = snapshot.content
    assert (content.cancelled_at, content.cancel_reason) == (datetime(2026, 3, 3, tzinfo=UTC), "fraud")
    assert snapshot.problems == (), "nothing is sent, so no address is missed"


def test_what_shopify_leaves_empty_is_not_asked_for(read: Read) -> None:
    def empty(order: Json) -> None:
        for line in order["line_items"]:
            line |= {"sku": "", "variant_id": None, "product_id": None, "requires_shipping": False}

    snapshot = read(empty, customer=None, billing_address=None, shipping_address=None, email="", contact_email=None)
    assert snapshot.problems == ()
    assert snapshot.contacts == {}
    assert [(line.sku, line.variant) for line in snapshot.content.lines] == [(None, None)] * 2


@pytest.mark.parametrize("properties", [[], {}, [{"name": 2}], [{"name": "x", "value": None}], None, "x", [None]])
def test_junk_in_properties_is_not_read(read: Read, properties: object) -> None:
    assert read(lambda order: order["line_items"][0].update(properties=properties)).problems == ()


# --- lines and groups -------------------------------------------------------------------------------------------------


def test_a_line_amounts_to_price_times_ordered_quantity(read: Read) -> None:
    def edited(order: Json) -> None:
        order["line_items"][0] |= {"quantity": 3, "current_quantity": 1, "price": "19.99"}

    line = read(edited).content.lines[0]
    assert (line.quantity, line.subtotal, line.unit_price) == (1, 5997, Decimal("19.99"))


def test_bodies_of_old_versions_have_no_current_quantity_and_no_allocations(read: Read) -> None:
    def old(order: Json) -> None:
        line = order["line_items"][0]
        del line["current_quantity"], line["discount_allocations"]
        line |= {"quantity": 2, "total_discount": "4.00"}

    line = read(old).content.lines[0]
    assert (line.quantity, line.discount) == (2, 400)


def test_a_gift_card_and_a_service_are_digital(read: Read) -> None:
    def digital(order: Json) -> None:
        order["line_items"][0]["gift_card"] = True
        order["line_items"][1]["requires_shipping"] = False

    content = read(digital).content
    assert [(line.group, line.ships, line.gift_card) for line in content.lines] == [
        ("digital", False, True),
        ("digital", False, False),
    ]
    assert [(group.key, group.method) for group in content.groups] == [("digital", Method.DIGITAL)]


def test_a_tip_is_money_and_no_line(read: Read) -> None:
    def tipped(order: Json) -> None:
        order["line_items"][1] |= {"tip": {"payment_gateway": "g"}, "price": "5.00", "discount_allocations": []}
        order["total_discounts"] = "0.00"

    content = read(tipped).content
    assert len(content.lines) == 1
    assert content.amounts.shop.tip == 500
    assert read(total_tip_received="7.50").content.amounts.shop.tip == 750


def test_units_fulfilled_by_whomever_are_counted_where_the_fulfilment_succeeded(read: Read) -> None:
    def fulfilled(order: Json) -> None:
        line = {"id": order["line_items"][0]["id"], "quantity": 1}
        order["fulfillments"] = [
            {"status": "success", "line_items": [line]},
            {"status": "success", "line_items": [line]},
            {"status": "cancelled", "line_items": [line]},
        ]

    assert [line.fulfilled_elsewhere for line in read(fulfilled).content.lines] == [2, 0]


def test_goods_to_send_need_an_address_until_they_are_sent(read: Read) -> None:
    (problem,) = read(shipping_address=None).problems
    assert (problem.kind, problem.field, problem.path) == (
        "missing_address",
        "groups.main.contact",
        "shipping_address",
    )

    def sent(order: Json) -> None:
        lines = [{"id": line["id"], "quantity": line["quantity"]} for line in order["line_items"]]
        order |= {"shipping_address": None, "fulfillments": [{"status": "success", "line_items": lines}]}

    assert read(sent).problems == ()


@pytest.mark.parametrize("word", [{"code": "Local Pickup"}, {"delivery_category": "pick_up"}])
def test_a_local_pick_up_needs_no_address(read: Read, word: Json) -> None:
    def picked(order: Json) -> None:
        order["shipping_address"] = None
        order["shipping_lines"][0] |= {"title": "Store Mitte"} | word

    snapshot = read(picked)
    (group,) = snapshot.content.groups
    assert (group.method, group.pickup_location, group.contact, snapshot.problems) == (
        Method.PICK_UP,
        "Store Mitte",
        None,
        (),
    )


def test_a_rate_that_an_edit_removed_says_nothing(read: Read) -> None:
    def removed(order: Json) -> None:
        order["shipping_lines"].insert(0, {"code": "local_pickup", "is_removed": True, "price": "0.00"})

    (group,) = read(removed).content.groups
    assert (group.method, group.service) == (Method.SHIP, "Standard")


# --- the till ---------------------------------------------------------------------------------------------------------


def till(order: Json, *, minutes: int = 0, lines: int = 2, status: str = "success") -> None:
    """Make it a till sale, of which some lines were fulfilled so many minutes after."""
    left = [{"id": line["id"], "quantity": line["quantity"]} for line in order["line_items"][:lines]]
    done = {"status": status, "created_at": f"2026-03-02T10:{15 + minutes}:30+01:00", "line_items": left}
    order |= {"source_name": "pos", "location_id": 65, "fulfillments": [done]}


def test_what_a_till_sells_is_carried_out_and_done(read: Read) -> None:
    def sold(order: Json) -> None:
        till(order)
        order |= {"shipping_address": None, "shipping_lines": []}

    snapshot = read(sold)
    (group,) = snapshot.content.groups
    assert (group.key, group.method, group.pickup_location) == ("carried_out", Method.CARRIED_OUT, "65")
    assert {line.managed_by for line in snapshot.content.lines} == {ManagedBy.DONE}
    assert kinds(snapshot) == []


def test_what_a_till_sells_to_be_sent_is_the_hubs(read: Read) -> None:
    lines = read(lambda order: till(order, lines=1)).content.lines
    assert [(line.group, line.managed_by) for line in lines] == [
        ("carried_out", ManagedBy.DONE),
        ("main", ManagedBy.HUB),
    ]


@pytest.mark.parametrize("how", [{"minutes": 20}, {"status": "cancelled"}])
def test_what_a_till_sells_and_is_fulfilled_later_was_not_carried_out(read: Read, how: Any) -> None:
    assert {line.managed_by for line in read(lambda order: till(order, **how)).content.lines} == {ManagedBy.HUB}


def test_every_function_is_called_by_the_mapping_file() -> None:
    text = (MAPPINGS / "order.toml").read_text()
    assert [name for name in translate.FUNCTIONS if f'call = "{name}"' not in text] == []
