"""Orders, stopped shipments and levels become facts."""

import copy
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from adapters.shipbob import units
from adapters.shipbob.calls import pulled
from adapters.shipbob.harness import LEVELS, ORDER
from adapters.shipbob.schemas import order_decoder
from adapters.shipbob.translate import order_facts, stock_facts, stopped_facts
from hub.domain.facts import (
    CancelConfirmed,
    FactLine,
    FulfilmentAccepted,
    FulfilmentHeld,
    GoodsShipped,
    ParcelScanned,
    StockLine,
    StockMeaning,
    UnitsPacked,
    UnitsPicked,
    UnitsShort,
)
from hub.domain.shipping import ParcelLine, TrackingStatus
from hub.domain.stock import ReportKind
from hub.mapping.tables import CodeTables
from hub.sdk.testkit.reading import MALFORMED, UNMAPPED
from hub.sdk.testkit.samples import FULFILMENT_ID

Document = dict[str, Any]


@pytest.fixture
def order() -> Document:
    """A partly shipped order: the mugs are gone, the shirt is out of stock."""
    return copy.deepcopy(ORDER)


def both(order: Document, **changes: Any) -> Document:
    """The order with both shipments changed."""
    for shipment in order["shipments"]:
        shipment.update(changes)
    return order


def read(order: Document, tables: CodeTables) -> list[Any]:
    return list(order_facts(msgspec.json.encode(order), tables))


def one(order: Document, tables: CodeTables, kind: type) -> Any:
    (found,) = [fact for fact in read(order, tables) if isinstance(fact, kind)]
    return found


def test_a_partly_shipped_order_is_accepted_and_its_completed_shipment_left(
    order: Document, tables: CodeTables
) -> None:
    accepted, shipped = read(order, tables)
    assert accepted == FulfilmentAccepted(
        at=datetime(2026, 1, 15, 9, 31, 0, 123457, tzinfo=UTC), fulfilment=FULFILMENT_ID, partner_reference="4242"
    )
    assert (shipped.fulfilment, shipped.shipment) == (FULFILMENT_ID, "901")
    assert shipped.at == datetime(2026, 1, 16, 14, tzinfo=UTC)
    (parcel,) = shipped.parcels
    assert (parcel.tracking, parcel.carrier, parcel.service) == ("1Z999AA10123456784", "ups", "Ground")
    assert parcel.lines == (ParcelLine(line="1", quantity=2),)
    assert parcel.weight_g == 993, "35 ounces are 992.23 g: rounded up"


def test_a_shipment_is_the_same_fact_after_its_sibling_moved_on(order: Document, tables: CodeTables) -> None:
    before = one(order, tables, GoodsShipped)
    order["shipments"][1].update(status="Completed", tracking={"carrier": "USPS", "tracking_number": "9400"})
    order["status"] = "Fulfilled"
    after = [fact for fact in read(order, tables) if isinstance(fact, GoodsShipped)]
    assert after[0] == before
    assert after[1].parcels[0].lines == (ParcelLine(line="2", quantity=1),)


def test_times_without_zone_are_utc(order: Document, tables: CodeTables) -> None:
    order["created_date"] = "2026-01-15T09:31:00.1234567"
    assert one(order, tables, FulfilmentAccepted).at == datetime(2026, 1, 15, 9, 31, 0, 123457, tzinfo=UTC)


def test_what_was_invoiced_is_the_parcels_exact_cost(order: Document, tables: CodeTables) -> None:
    order["shipments"][0].update(invoice_amount=7.35, invoice_currency_code="USD")
    parcel = one(order, tables, GoodsShipped).parcels[0]
    assert (str(parcel.cost), parcel.cost_currency) == ("7.35", "USD")


@pytest.mark.parametrize(
    ("detail", "fact"), [("Picked", UnitsPicked), ("Packed", UnitsPacked), ("Labeled", UnitsPacked)]
)
def test_picking_is_told_when_it_is_true_of_all(order: Document, tables: CodeTables, detail: str, fact: type) -> None:
    done = both(order, status="Processing", status_details=[{"name": detail}], tracking=None)
    assert one(done, tables, fact).lines == ()
    done["shipments"][1]["status_details"] = []
    assert [type(other) for other in read(done, tables)] == [FulfilmentAccepted, FulfilmentHeld]


@pytest.mark.parametrize("status", ["Processing", "None", "Pending"])
def test_a_shipment_that_waits_makes_no_news(order: Document, tables: CodeTables, status: str) -> None:
    accepted, held = read(both(order, status=status), tables)
    assert (type(accepted), held.reasons) == (FulfilmentAccepted, ())


def test_a_shipment_on_hold_is_told_with_its_details(order: Document, tables: CodeTables) -> None:
    waiting = both(order, status="OnHold", status_details=[])
    waiting["shipments"][1].update(
        status_details=[{"id": 201, "name": "ManualHold"}], last_update_at="2026-01-17T08:00:00Z"
    )
    held = one(waiting, tables, FulfilmentHeld)
    assert (held.at, held.reasons) == (datetime(2026, 1, 17, 8, tzinfo=UTC), ("OnHold", "OnHold: ManualHold"))
    waiting["shipments"][0]["status"] = "Completed"
    assert one(waiting, tables, FulfilmentHeld).reasons == ("OnHold: ManualHold",)


def test_a_cancelled_order_confirms_the_cancel(order: Document, tables: CodeTables) -> None:
    both(order, status="Cancelled")["status"] = "Cancelled"
    (fact,) = read(order, tables)
    assert isinstance(fact, CancelConfirmed)
    assert fact.at == datetime(2026, 1, 16, 14, 2, 3, 765432, tzinfo=UTC)


def test_an_order_under_import_review_is_not_accepted_yet_and_held(order: Document, tables: CodeTables) -> None:
    both(order, status="ImportReview")["status"] = "ImportReview"
    (held,) = read(order, tables)
    assert (type(held), held.reasons) == (FulfilmentHeld, ("ImportReview",))


def test_delivery_as_shipbob_retells_it(order: Document, tables: CodeTables) -> None:
    order["shipments"][0].update(
        status_details=[{"id": 203, "name": "Delivered"}], delivery_date="2026-01-18T10:00:00+00:00"
    )
    scan = one(order, tables, ParcelScanned)
    assert (scan.tracking, scan.carrier) == ("1Z999AA10123456784", "ups")
    assert scan.event.status is TrackingStatus.DELIVERED
    assert scan.at == datetime(2026, 1, 18, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("place", "word"),
    [
        (("status",), "Teleported"),
        (("shipments", 0, "status"), "CleanSweeped"),
        (("shipments", 0, "tracking", "carrier"), "Owl"),
    ],
)
def test_words_nobody_mapped_are_asked_about(
    order: Document, tables: CodeTables, place: tuple[Any, ...], word: str
) -> None:
    node: Any = order
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = word
    with pytest.raises(UNMAPPED) as caught:
        read(order, tables)
    assert caught.value.value == word


def test_an_order_of_an_earlier_integration_is_not_ours(order: Document, tables: CodeTables) -> None:
    order.update(reference_id="SHOP-1001", tags=None)
    assert read(order, tables) == []
    assert [item.topic for item in pulled(msgspec.json.encode(order))] == ["order"]


def test_our_order_without_its_tags_is_told_by_sku(order: Document, tables: CodeTables) -> None:
    order["tags"] = None
    assert one(order, tables, GoodsShipped).parcels[0].lines == (ParcelLine(line="sku:MUG-RED", quantity=2),)
    (stop,) = [item for item in pulled(msgspec.json.encode(order)) if item.topic == "shipment_stopped"]
    (fact,) = stopped_facts(stop.body, tables)
    assert isinstance(fact, UnitsShort)
    assert fact.lines == (FactLine(sku="TEE-M", quantity=1),)


def test_a_wrong_type_names_field_and_path_but_no_value(tables: CodeTables) -> None:
    with pytest.raises(MALFORMED) as caught:
        order_facts(b'{"id": 1, "status": "Processing", "created_date": "tomorrow"}', tables)
    assert caught.value.path == "$.created_date"
    assert "tomorrow" not in str(caught.value)


class TestUnits:
    """Which of our lines are in which shipment."""

    def contents(self, order: Document) -> dict[int, dict[str, int]]:
        found = units.by_shipment(order_decoder.decode(msgspec.json.encode(order)))
        return {shipment: {part.line: part.quantity for part in parts} for shipment, parts in found.items()}

    def test_two_lines_of_one_product_are_filled_in_order(self, order: Document) -> None:
        order["products"][1].update(id=1, reference_id="MUG-RED", sku="MUG-RED")
        mugs = {"id": 1, "reference_id": "MUG-RED"}
        order["shipments"][0]["products"] = [{**mugs, "inventory_items": [{"id": 5, "quantity": 1}]}]
        order["shipments"][1]["products"] = [{**mugs, "inventory_items": [{"id": 5, "quantity": 2}]}]
        assert self.contents(order) == {901: {"1": 1}, 902: {"1": 1, "2": 1}}

    def test_lots_of_one_thing_add_up(self, order: Document) -> None:
        lots = [{"id": 5, "quantity": 1, "lot": "A"}, {"id": 5, "quantity": 1, "lot": "B"}]
        order["shipments"][0]["products"][0]["inventory_items"] = lots
        assert self.contents(order)[901] == {"1": 2}

    def test_more_than_ordered_is_a_fact_all_the_same(self, order: Document) -> None:
        order["shipments"][0]["products"][0]["inventory_items"][0]["quantity"] = 3
        assert self.contents(order)[901] == {"1": 3}

    def test_inserts_of_the_merchant_are_nobodys_line(self, order: Document, tables: CodeTables) -> None:
        insert = {"id": 99, "reference_id": "FLYER", "inventory_items": [{"id": 9, "quantity": 1}]}
        order["shipments"][0]["products"].append(insert)
        assert self.contents(order)[901] == {"1": 2}
        order["shipments"][0]["products"] = [insert]
        assert [type(fact) for fact in read(order, tables)] == [FulfilmentAccepted], "no lines would mean: all of it"

    def test_a_bundle_that_leaves_whole_is_all_of_its_line(self, order: Document) -> None:
        del order["shipments"][1]
        order["shipments"][0]["products"][0]["inventory_items"] = [{"id": 5, "quantity": 4}, {"id": 6, "quantity": 2}]
        assert self.contents(order)[901] == {"1": 2}

    def test_a_bundle_in_parts_is_asked_about(self, order: Document) -> None:
        order["shipments"][0]["products"][0]["inventory_items"] = [{"id": 5, "quantity": 4}, {"id": 6, "quantity": 2}]
        with pytest.raises(UNMAPPED):
            self.contents(order)


class TestStopped:
    """Shortages are messages of their own, told once."""

    def stops(self, order: Document) -> list[tuple[str, bytes]]:
        items = pulled(msgspec.json.encode(order))
        return [(item.key, item.body) for item in items if item.topic == "shipment_stopped"]

    def test_an_exception_is_a_shortage_of_the_whole_shipment(self, order: Document, tables: CodeTables) -> None:
        ((key, body),) = self.stops(order)
        assert key == "shipment:902:Exception"
        (fact,) = stopped_facts(body, tables)
        assert isinstance(fact, UnitsShort)
        assert fact.lines == (FactLine(line="2", quantity=1),)
        assert fact.stock is StockMeaning.QUANTITY

    def test_it_is_the_same_message_whatever_else_changes(self, order: Document) -> None:
        before = self.stops(order)
        order["shipments"][0].update(last_tracking_update_at="2026-01-17T08:00:00Z", invoice_amount=7.35)
        order["shipments"][1].update(last_update_at="2026-01-17T08:00:00Z", status_details=[{"name": "UnknownSku"}])
        assert self.stops(order) == before

    def test_stock_on_its_way_inside_shipbob_is_no_shortage(self, order: Document) -> None:
        order["shipments"][1]["status_details"] = [{"id": 305, "name": "InternalTransferInProgress"}]
        assert self.stops(order) == []

    def test_a_cancelled_part_is_short_without_meaning_for_the_shelf(self, order: Document, tables: CodeTables) -> None:
        order["shipments"][1].update(status="Cancelled", status_details=[])
        ((key, body),) = self.stops(order)
        (fact,) = stopped_facts(body, tables)
        assert key == "shipment:902:Cancelled"
        assert isinstance(fact, UnitsShort)
        assert fact.stock is StockMeaning.NOTHING

    def test_a_cancelled_shipment_with_another_in_its_place_stops_nothing(self, order: Document) -> None:
        replaced = {**order["shipments"][1], "id": 903, "status": "Processing", "status_details": []}
        order["shipments"][1].update(status="Cancelled", status_details=[])
        order["shipments"].append(replaced)
        assert self.stops(order) == []

    def test_a_cancelled_order_is_told_by_the_order(self, order: Document) -> None:
        both(order, status="Cancelled")["status"] = "Cancelled"
        assert self.stops(order) == []


def test_levels_are_what_lies_on_the_shelf(tables: CodeTables) -> None:
    page = copy.deepcopy(LEVELS)
    page["items"].append({"inventory_id": 8, "sku": None, "locations": [{"location_id": 4, "on_hand_quantity": 1}]})
    page["items"].append({"inventory_id": 9, "sku": "GONE", "locations": None})
    (report,) = stock_facts(msgspec.json.encode(page), tables)
    assert report.kind is ReportKind.SNAPSHOT
    assert report.at == datetime(2026, 1, 16, 12, tzinfo=UTC)
    assert report.lines == (
        StockLine(location="3", sku="MUG-RED", on_hand=50),
        StockLine(location="4", sku="inventory:8", on_hand=1),
    )


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_an_order_of_no_time_there_is_is_kept_and_malformed(order: Document, tables: CodeTables, when: str) -> None:
    both(order, created_date=when, last_update_at=None, actual_fulfillment_date=when)
    (message,) = pulled(msgspec.json.encode(order))
    with pytest.raises(MALFORMED):
        order_facts(message.body, tables)
