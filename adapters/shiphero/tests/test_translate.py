"""Messages to facts, beyond the samples of the conformance suite."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.shiphero import translate
from adapters.shiphero.adapter import ADAPTER
from adapters.shiphero.harness import HARNESS
from hub.domain.facts import CancelConfirmed, GoodsShipped, StockLine, StockReported, UnitsShort
from hub.domain.shipping import Parcel, ParcelLine
from hub.sdk.testkit.reading import UNMAPPED, tables_of
from hub.sdk.translate import Malformed, Unmapped

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT.parent / "shared" / "contracts" / "shiphero" / "samples"
TABLES = tables_of(HARNESS)


def shipped(**changes: object) -> Sequence[GoodsShipped]:
    shipment: dict[str, object] = {
        "shipment_id": 9,
        "partner_order_id": "A-1",
        "tracking_number": "1Z9",
        "shipping_carrier": "UPS",
        "shipping_method": "Ground",
        "custom_tracking_url": "",
        "completed": True,
        "created_at": "2026-01-16 15:29:26",
        "line_items": [{"id": "1", "quantity": 2, "sku": "MUG"}],
    }
    body = msgspec.json.encode({"test": "0", "fulfillment": shipment | changes})
    return translate.shipment_update(body, TABLES)


def parcels(**changes: object) -> tuple[Parcel, ...]:
    (fact,) = shipped(**changes)
    return fact.parcels


def test_shipment_without_packages_goes_by_the_legacy_fields() -> None:
    (fact,) = shipped(custom_tracking_url="https://track.example/1Z9", package={"weight": 12000})

    assert fact == GoodsShipped(
        at=datetime(2026, 1, 16, 15, 29, 26, tzinfo=UTC),
        fulfilment="A-1",
        shipment="U2hpcG1lbnQ6OQ==",
        parcels=(
            Parcel(
                tracking="1Z9",
                carrier="ups",
                service="Ground",
                url="https://track.example/1Z9",
                lines=(ParcelLine(line="1", quantity=2),),
            ),
        ),
    )


def test_packages_beside_the_shipment_are_read_too_and_win_over_legacy_fields() -> None:
    body = {
        "fulfillment": {
            "shipment_uuid": "U2hpcG1lbnQ6OQ==",
            "partner_order_id": "A-1",
            "tracking_number": "1Z-LEGACY",
            "shipping_carrier": "UPS",
            "created_at": "2026-01-16 15:29:26",
            "line_items": [
                {"id": "1", "quantity": 1, "package": "Package #1"},
                {"id": "1", "quantity": 2, "package": "Package #2"},
                {"id": "2", "quantity": 1, "package": "Package #9"},
            ],
        },
        "packages": [
            {"name": "Package #1", "tracking_number": "94001", "shipping_carrier": "USPS"},
            {
                "name": "Package #2",
                "shipping_label": {"tracking_number": "94002", "tracking_url": "https://t.example/94002"},
                "shipping_carrier": "USPS",
            },
        ],
    }

    (fact,) = translate.shipment_update(msgspec.json.encode(body), TABLES)

    assert fact.parcels == (
        Parcel(tracking="94001", carrier="usps", lines=(ParcelLine(line="1", quantity=1),)),
        Parcel(
            tracking="94002",
            carrier="usps",
            url="https://t.example/94002",
            lines=(ParcelLine(line="1", quantity=2),),
        ),
        Parcel(lines=(ParcelLine(line="2", quantity=1),)),
    )


def test_a_package_without_its_number_does_not_borrow_anothers() -> None:
    boxes = [{"name": "Package #1", "tracking_number": "94001"}, {"name": "Package #2"}]

    assert [parcel.tracking for parcel in parcels(packages=boxes)] == ["94001", None, None]


def test_pickup_is_neither_a_number_nor_a_carrier() -> None:
    (parcel,) = parcels(tracking_number="Pickup", shipping_carrier="pickup")

    assert (parcel.tracking, parcel.carrier) == (None, None)


def test_a_line_added_at_shiphero_goes_by_its_sku() -> None:
    (parcel,) = parcels(line_items=[{"id": None, "quantity": "3", "sku": "GIFT"}])

    assert parcel.lines == (ParcelLine(line="sku:GIFT", quantity=3),)


@pytest.mark.parametrize("changes", [{"completed": False}])
def test_a_shipment_that_is_not_completed_says_nothing_yet(changes: dict[str, object]) -> None:
    assert shipped(**changes) == ()


def test_a_test_delivery_says_nothing() -> None:
    body = b'{"test":"1","fulfillment":{"partner_order_id":"A-1"}}'

    assert translate.shipment_update(body, TABLES) == ()


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"partner_order_id": ""}, "fulfillment.partner_order_id"),
        ({"shipment_id": None}, "fulfillment.shipment_id"),
        ({"created_at": "yesterday"}, "fulfillment.created_at"),
        ({"created_at": None}, "fulfillment.created_at"),
        ({"line_items": []}, "fulfillment.line_items"),
        ({"line_items": [{"quantity": 1}]}, "fulfillment.line_items[].id"),
        ({"line_items": [{"id": "1", "quantity": "two"}]}, "fulfillment.line_items[].quantity"),
        ({"line_items": "none"}, "$.fulfillment.line_items"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_path(changes: dict[str, object], path: str) -> None:
    with pytest.raises(Malformed) as caught:
        shipped(**changes)

    assert caught.value.path == path


def test_an_unknown_carrier_waits_for_the_table() -> None:
    with pytest.raises(UNMAPPED, match="carrier 'Pigeon Post' is not mapped"):
        shipped(shipping_carrier="Pigeon Post")


def pulled(labels: list[dict[str, object]], lines: list[tuple[int, str | None]], more: bool = False) -> bytes:
    edges = [
        {"node": {"quantity": units, "shipping_label_id": label, "line_item": {"partner_line_item_id": str(place)}}}
        for place, (units, label) in enumerate(lines, 1)
    ]
    return msgspec.json.encode(
        {
            "id": "U2hpcG1lbnQ6OQ==",
            "created_date": "2026-01-16T15:29:26+02:00",
            "order": {"id": "o", "partner_order_id": "A-1"},
            "shipping_labels": labels,
            "line_items": {"pageInfo": {"hasNextPage": more}, "edges": edges},
        }
    )


def test_pulled_units_without_a_label_go_with_the_only_label_there_is() -> None:
    label: dict[str, object] = {"id": "l1", "tracking_number": "1Z9", "carrier": "UPS"}

    (fact,) = translate.shipment(pulled([label], [(2, None), (1, "l1")]), TABLES)

    assert fact.at == datetime(2026, 1, 16, 13, 29, 26, tzinfo=UTC)
    assert fact.parcels == (
        Parcel(
            tracking="1Z9", carrier="ups", lines=(ParcelLine(line="1", quantity=2), ParcelLine(line="2", quantity=1))
        ),
    )


def test_pulled_units_under_a_refunded_label_left_without_a_number() -> None:
    refunded: dict[str, object] = {"id": "l1", "tracking_number": "1Z9", "carrier": "UPS", "refunded": True}

    (fact,) = translate.shipment(pulled([refunded], [(2, "l1")]), TABLES)

    assert fact.parcels == (Parcel(lines=(ParcelLine(line="1", quantity=2),)),)


def test_a_shipment_of_which_lines_were_left_off_is_not_believed() -> None:
    with pytest.raises(Malformed):
        translate.shipment(pulled([], [(2, None)], more=True), TABLES)


def order(status: str, quantities: list[tuple[int, int | None]]) -> bytes:
    edges = [
        {"node": {"partner_line_item_id": str(place), "sku": "S", "quantity": asked, "quantity_shipped": left}}
        for place, (asked, left) in enumerate(quantities, 1)
    ]
    return msgspec.json.encode(
        {"id": "o", "partner_order_id": "A-1", "fulfillment_status": status, "line_items": {"edges": edges}}
    )


@pytest.mark.parametrize("status", ["pending", "Default", "unfulfilled"])
def test_an_open_order_says_nothing(status: str) -> None:
    assert translate.order(order(status, [(2, 1)]), TABLES) == ()


def test_a_closed_order_that_is_whole_says_nothing() -> None:
    assert translate.order(order("fulfilled", [(2, 2), (1, 1)]), TABLES) == ()


def test_a_closed_order_tells_what_never_left() -> None:
    (fact,) = translate.order(order("fulfilled", [(2, 2), (3, 0)]), TABLES)

    assert isinstance(fact, UnitsShort)
    assert [(line.line, line.quantity) for line in fact.lines] == [("2", 3)]


def test_a_closed_order_that_does_not_say_what_left_is_not_guessed() -> None:
    with pytest.raises(Malformed):
        translate.order(order("fulfilled", [(2, None)]), TABLES)


def test_a_cancelled_order_confirms_the_cancel() -> None:
    assert translate.order(order("canceled", []), TABLES) == (CancelConfirmed(at=translate.UNSTATED, fulfilment="A-1"),)


def test_a_merchants_own_status_word_is_read_by_its_table() -> None:
    own = tables_of(msgspec.structs.replace(HARNESS, tables={"status": {"Waiting for Bob": "held"}}))

    assert translate.order(order("waiting for bob", [(1, 0)]), own) == ()


def test_packed_picks_of_a_line_that_the_order_does_not_show_are_not_guessed() -> None:
    body = msgspec.json.encode(
        {
            "as_of": "2026-01-16T15:29:26+00:00",
            "notice": {"items": [{"line_item_id": 99}]},
            "order": {"id": "o", "partner_order_id": "A-1"},
        }
    )

    with pytest.raises(Malformed) as caught:
        translate.packed_order(body, TABLES)

    assert caught.value.value == "99"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (76733, "76733"),
        ("76733", "76733"),
        ("V2FyZWhvdXNlOjc2NzMz", "76733"),
        ("V2FyZWhvdXNlJHIKby", "V2FyZWhvdXNlJHIKby"),
        ("not base64!", "not base64!"),
        ("T3JkZXI6Nw==", "T3JkZXI6Nw=="),
    ],
)
def test_a_warehouse_has_one_name_whichever_way_it_comes(given: str | int, name: str) -> None:
    assert translate.location(given, "warehouse_id") == name


def test_stock_of_no_named_warehouse_is_refused() -> None:
    body = b'{"inventory":[{"sku":"MUG","on_hand":"148","virtual":false}]}'

    with pytest.raises(Malformed) as caught:
        translate.inventory_update(body, TABLES)

    assert "MUG" in caught.value.path


def test_virtual_products_have_no_shelf() -> None:
    assert translate.inventory_update(b'{"inventory":[{"sku":"SET","virtual":true}]}', TABLES) == ()


def test_a_lot_travels_with_a_change() -> None:
    body = b'{"sku":"MUG","quantity":"-2","timestamp":"2026-01-16 15:29:26","warehouse_id":1,"lot_id":114475}'

    (fact,) = translate.inventory_change(body, TABLES)

    assert (fact.lines, fact.reason) == ((StockLine(location="1", sku="MUG", delta=-2, lot="114475"),), None)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the vendor's published samples are not beside this repository")
class TestPublishedSamples:
    """The vendor's own examples, read in place."""

    READ: dict[str, Callable[[bytes, Any], Sequence[object]]] = {  # noqa: RUF012 - a constant of this class
        "webhook_inventory_update.json": translate.inventory_update,
        "webhook_inventory_change.json": translate.inventory_change,
        "webhook_order_canceled.json": translate.order_canceled,
    }
    ANSWERS = frozenset({"error_order_not_found.json", "inventory_sync_response.json"})
    """Not messages: the first is read in test_answers, the second is of an operation we do not use."""

    def test_every_sample_is_accounted_for(self) -> None:
        assert {path.name for path in SAMPLES.iterdir()} == set(self.READ) | self.ANSWERS

    @pytest.mark.parametrize("name", sorted(READ))
    def test_sample_is_read_by_the_topic_it_names(self, name: str) -> None:
        body = (SAMPLES / name).read_bytes()
        topic = msgspec.json.decode(body)["webhook_type"]
        declared = ADAPTER.topics[topic].translate

        assert declared is self.READ[name]
        assert len(declared(body, TABLES)) == 1

    def test_inventory_update_means_the_warehouse_not_the_sum(self) -> None:
        (fact,) = translate.inventory_update((SAMPLES / "webhook_inventory_update.json").read_bytes(), TABLES)

        assert isinstance(fact, StockReported)
        assert fact.lines == (StockLine(location="12345", sku="string", on_hand=48),)

    def test_inventory_change_is_a_delta_in_utc(self) -> None:
        (fact,) = translate.inventory_change((SAMPLES / "webhook_inventory_change.json").read_bytes(), TABLES)

        assert fact.at == datetime(2025, 2, 3, 13, 19, 30, tzinfo=UTC)
        assert [(line.location, line.sku, line.delta) for line in fact.lines] == [("76733", "LOT01", 10)]


@pytest.mark.parametrize("status", ["backorder", "on hold", "shipped", "Expedited"])
def test_a_word_that_is_not_shipheros_own_is_asked_about(status: str) -> None:
    with pytest.raises(Unmapped, match=status):
        translate.order(order(status, [(2, 1)]), TABLES)
