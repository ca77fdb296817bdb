"""What people do in the warehouse is told as it is: part shipments, cancels, returns, stock."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from adapters.odoo.facts import moment, movement_facts
from adapters.odoo.harness import HARNESS
from adapters.odoo.pulls import Scan
from adapters.odoo.simulated import transfers
from adapters.odoo.simulated.books import user_error
from adapters.odoo.tests.depot import MUG, TEE, Depot, F, kinds
from hub.domain.facts import (
    CancelConfirmed,
    FactLine,
    GoodsReturned,
    GoodsShipped,
    ReturnedLine,
    StockLine,
    StockMeaning,
    StockReported,
    UnitsShort,
)
from hub.domain.stock import ReportKind
from hub.mapping.tables import CodeTables
from hub.sdk.capabilities import RequestLine
from hub.sdk.outcomes import Done, NeedsPerson, Refused
from hub.sdk.testkit.reading import read
from hub.sdk.translate import Malformed, Unmapped
from hub.sdk.wire import Request


@pytest.fixture
async def at_work(depot: Depot) -> Depot:
    depot.stock(MUG_RED=10, TEE_M=10)
    await depot.done()
    return depot


# --- shipments -------------------------------------------------------------------------------------------------------


async def test_a_question_that_nobody_answered_ships_nothing(at_work: Depot) -> None:
    at_work.floor.pick(F, {"MUG-RED": 1})
    asked = at_work.floor.validate(F, tracking="1Z")
    assert isinstance(asked, dict)
    assert asked["res_model"] == "stock.backorder.confirmation"
    assert kinds(await at_work.facts()) == []
    assert at_work.floor.on_hand("MUG-RED") == 10


async def test_part_shipments_are_told_one_by_one(at_work: Depot) -> None:
    at_work.floor.pick(F, {"MUG-RED": 1})
    assert at_work.floor.validate(F, "backorder", tracking="1Z1") is True
    assert await at_work.shipped() == [("1Z1", {"1": 1})]
    at_work.floor.pick(F)
    at_work.floor.validate(F, tracking=" 1Z2, 1Z3;1Z4 ")
    facts = await at_work.facts()
    assert kinds(facts) == ["FulfilmentAccepted", "GoodsShipped", "GoodsShipped"]
    last = facts[-1]
    assert isinstance(last, GoodsShipped)
    assert [parcel.tracking for parcel in last.parcels] == ["1Z2", "1Z3", "1Z4"]
    assert [parcel.lines for parcel in last.parcels[1:]] == [(), ()]
    assert last.shipment != str(at_work.floor.transfers(F)[0]["id"])
    assert at_work.floor.on_hand("MUG-RED") == 8


async def test_lots_are_told_with_what_left(depot: Depot) -> None:
    depot.stock(MUG_RED=0, TEE_M=5)
    depot.floor.stock("MUG-RED", 1, lot="L-1")
    depot.floor.stock("MUG-RED", 5, lot="L-2")
    await depot.done(lines=(MUG, RequestLine(line="3", sku="MUG-RED", quantity=2), TEE))
    depot.floor.pick(F)
    depot.floor.validate(F)
    (shipped,) = [fact for fact in await depot.facts() if isinstance(fact, GoodsShipped)]
    assert [(part.line, part.quantity, part.lot) for part in shipped.parcels[0].lines] == [
        ("1", 1, "L-1"),
        ("1", 1, "L-2"),
        ("3", 2, "L-2"),
        ("2", 1, None),
    ]


async def test_all_of_it_picked_is_told(at_work: Depot) -> None:
    at_work.floor.pick(F, {"MUG-RED": 2})
    assert kinds(await at_work.facts()) == ["FulfilmentAccepted"]
    at_work.floor.pick(F)
    assert kinds(await at_work.facts()) == ["FulfilmentAccepted", "UnitsPicked"]


async def test_a_rest_that_gets_no_backorder_is_short_once(at_work: Depot) -> None:
    at_work.floor.pick(F, {"MUG-RED": 1})
    at_work.floor.validate(F, "no backorder")
    items, cursor = await at_work.pull("status")
    assert [item.topic for item in items] == ["transfer", "shortfall"]
    (short,) = read(HARNESS, "shortfall", items[1].body)
    assert isinstance(short, UnitsShort)
    assert short.lines == (FactLine(line="1", quantity=1), FactLine(line="2", quantity=1))
    assert (short.reason, short.stock) == ("Odoo closed WH/OUT/00001 without them", StockMeaning.NOTHING)
    again, _ = await at_work.pull("status", cursor)
    assert [item.key for item in again] == [item.key for item in items]


async def test_a_backorder_that_is_cancelled_is_short(at_work: Depot) -> None:
    at_work.floor.pick(F, {"MUG-RED": 2})
    at_work.floor.validate(F, "backorder")
    assert "UnitsShort" not in kinds(await at_work.facts())
    at_work.floor.cancel(F)
    (short,) = [fact for fact in await at_work.facts() if isinstance(fact, UnitsShort)]
    assert short.lines == (FactLine(line="2", quantity=1),)


async def test_less_that_somebody_asks_for_in_odoo_closes_the_rest_as_short(at_work: Depot) -> None:
    (move, *_) = at_work.floor.open(F)["move_ids"]
    transfers.write_move(at_work.odoo.books, "stock.move", [move], {}, vals={"product_uom_qty": 1})
    at_work.floor.pick(F)
    assert at_work.floor.validate(F) is True
    assert await at_work.shipped() == [(None, {"1": 1, "2": 1})]
    (short,) = [fact for fact in await at_work.facts() if isinstance(fact, UnitsShort)]
    assert short.lines == (FactLine(line="1", quantity=1),)


async def test_more_than_was_asked_for_is_a_fact_all_the_same(at_work: Depot) -> None:
    at_work.floor.pick(F, {"MUG-RED": 5, "TEE-M": 1})
    at_work.floor.validate(F)
    assert await at_work.shipped() == [(None, {"1": 5, "2": 1})]


async def test_the_delivery_method_is_the_carrier(at_work: Depot) -> None:
    for name, carrier in (("UPS US", "ups"), ("Our own van", "Our own van")):
        method = at_work.odoo.books.tables["delivery.carrier"].insert({"name": name})
        at_work.floor.transfers(F)[0]["carrier_id"] = method
        if not await at_work.shipped():
            at_work.floor.pick(F)
            at_work.floor.validate(F, tracking="T")
        (shipped,) = [fact for fact in await at_work.facts() if isinstance(fact, GoodsShipped)]
        assert (shipped.parcels[0].carrier, shipped.parcels[0].service) == (carrier, name)


async def test_a_transfer_of_somebody_else_is_none_of_our_news(at_work: Depot) -> None:
    at_work.floor.transfers(F)
    for origin in ("S00026", "outgoing shipment", f"{F}-x", f"{F[1:]}", None):
        values = {"picking_type_id": 2, "location_id": 1, "location_dest_id": 2, "origin": origin}
        transfers.create_pickings(at_work.odoo.books, "stock.picking", [], {}, vals_list=[values])
    items, _ = await at_work.pull("status")
    assert [item.object for item in items] == [F]


async def test_a_state_of_tomorrow_waits_for_a_table(at_work: Depot) -> None:
    at_work.floor.transfers(F)[0]["state"] = "on_the_moon"
    with pytest.raises(Unmapped, match="on_the_moon"):
        await at_work.facts()


# --- cancels ---------------------------------------------------------------------------------------------------------


async def test_what_has_not_left_is_cancelled(at_work: Depot) -> None:
    for found in (False, True):
        outcome = await at_work.cancel()
        assert isinstance(outcome, Done)
        assert (kinds(outcome.facts), outcome.found) == (["CancelConfirmed"], found)
    assert kinds(await at_work.facts()) == ["CancelConfirmed"]
    assert at_work.odoo.books.tables["stock.quant"].rows[1]["reserved_quantity"] == 0


async def test_what_has_left_cannot_be_cancelled(at_work: Depot) -> None:
    at_work.floor.pick(F)
    at_work.floor.validate(F)
    outcome = await at_work.cancel()
    assert outcome == Refused(reason=f"{F}: WH/OUT/00001 left already, which only a return can undo")


async def test_of_a_part_that_left_the_rest_is_cancelled_and_both_are_told(at_work: Depot) -> None:
    at_work.floor.pick(F, {"MUG-RED": 2})
    at_work.floor.validate(F, "backorder", tracking="1Z")
    outcome = await at_work.cancel()
    assert isinstance(outcome, Done)
    shipped, cancelled = outcome.facts
    assert isinstance(shipped, GoodsShipped)
    assert {part.line: part.quantity for part in shipped.parcels[0].lines} == {"1": 2}
    assert isinstance(cancelled, CancelConfirmed)


async def test_a_transfer_that_leaves_while_it_is_cancelled(at_work: Depot) -> None:
    def leaves(request: Request) -> None:
        if request.path.endswith("action_cancel"):
            at_work.floor.pick(F)
            at_work.floor.validate(F)

    outcome = await at_work.cancel(meddle=leaves)
    assert isinstance(outcome, Refused)
    assert "left already" in outcome.reason


async def test_a_cancel_that_odoo_refuses_for_another_reason_needs_a_person(at_work: Depot) -> None:
    at_work.odoo.refuse["stock.picking.action_cancel"] = user_error("This transfer is in a wave.")
    outcome = await at_work.cancel()
    assert isinstance(outcome, NeedsPerson)
    assert "in a wave" in outcome.reason


async def test_nothing_to_cancel_needs_a_person(depot: Depot) -> None:
    outcome = await depot.cancel()
    assert isinstance(outcome, NeedsPerson)
    assert "has no transfer of it" in outcome.reason


# --- returns and stock -----------------------------------------------------------------------------------------------


async def test_a_return_that_arrived_is_a_receipt(at_work: Depot) -> None:
    at_work.floor.pick(F)
    at_work.floor.validate(F)
    at_work.floor.take_back("WH/OUT/00001", {"MUG-RED": 1}, arrived=False)
    assert await at_work.facts("returns") == []
    at_work.floor.take_back("WH/OUT/00001", {"MUG-RED": 1})
    (returned,) = await at_work.facts("returns")
    assert isinstance(returned, GoodsReturned)
    assert (returned.receipt, returned.location, returned.order) == ("WH/IN/00002", "WH", F)
    assert returned.lines == (ReturnedLine(sku="MUG-RED", quantity=1),)
    assert kinds(await at_work.facts()) == ["FulfilmentAccepted", "GoodsShipped"]


async def test_stock_is_all_that_is_on_the_shelf_by_lot(at_work: Depot) -> None:
    inner = at_work.odoo.books.tables["stock.location"].insert({"name": "Row 1", "usage": "internal", "location_id": 1})
    outer = at_work.odoo.books.tables["stock.location"].insert({"name": "WH/Input", "usage": "internal"})
    at_work.floor.stock("MUG-RED", 4, location=inner)
    at_work.floor.stock("MUG-RED", 3, lot="L-1")
    at_work.floor.stock("MUG-RED", 90, location=outer)
    at_work.odoo.books.tables["product.product"].update(at_work.floor.product("TEE-M"), {"active": False})
    at_work.odoo.add_product("")
    at_work.odoo.products[3].update(default_code=None)
    at_work.odoo.books.kept.add(3)
    (report,) = await at_work.facts("stock")
    assert isinstance(report, StockReported)
    assert report.lines == (
        StockLine(location="WH", sku="MUG-RED", on_hand=14),
        StockLine(location="WH", sku="MUG-RED", on_hand=3, lot="L-1"),
        StockLine(location="WH", sku="TEE-M", on_hand=10),
    )
    assert (report.kind, report.complete) == (ReportKind.SNAPSHOT, True)


async def test_movements_are_told_once_and_ours_are_not(at_work: Depot) -> None:
    at_work.floor.count("MUG-RED", -2)
    at_work.floor.count("TEE-M", 5, lot="L-9")
    at_work.floor.pick(F)
    at_work.floor.validate(F)
    items, cursor = await at_work.pull("movements")
    facts = [fact for item in items for fact in read(HARNESS, item.topic, item.body)]
    told = [(fact.kind, fact.lines) for fact in facts if isinstance(fact, StockReported)]
    assert told == [
        (ReportKind.DELTA, (StockLine(location="WH", sku="MUG-RED", delta=-2),)),
        (ReportKind.DELTA, (StockLine(location="WH", sku="TEE-M", delta=5, lot="L-9"),)),
    ]
    at_work.floor.count("MUG-RED", 1)
    again, _ = await at_work.pull("movements", cursor)
    assert {item.key for item in again} - {item.key for item in items} == {again[-1].key}
    assert len(again) == 3


def test_a_part_of_a_unit_that_moved_is_asked_about() -> None:
    body = b'{"at":"2026-01-16 13:00:00","sku":"ROPE","quantity":-0.5,"warehouse":"WH"}'
    with pytest.raises(Unmapped, match=r"-0\.5 of ROPE"):
        movement_facts(body, CodeTables())


def test_a_moment_that_is_none_is_malformed() -> None:
    with pytest.raises(Malformed):
        moment("2026-01-16T13:00:00Z")


async def test_a_connection_without_warehouses_asks_for_nothing(depot: Depot) -> None:
    depot.set(warehouses=())
    for name in ("status", "returns", "movements", "stock"):
        assert await depot.pull(name) == ([], None)
    assert depot.odoo.calls.total() == 0


# --- cursors ---------------------------------------------------------------------------------------------------------


async def test_a_pull_goes_by_odoos_clock_and_looks_back(at_work: Depot) -> None:
    start = datetime.now(UTC)
    at_work.odoo.now = lambda: start - timedelta(days=2)
    at_work.floor.pick(F)
    items, cursor = await at_work.pull("status")
    assert len(items) == 1
    at_work.odoo.now = lambda: start + timedelta(hours=1)
    at_work.floor.validate(F)
    _, cursor = await at_work.pull("status", cursor)
    assert cursor is not None
    since = msgspec.json.decode(cursor)["since"]
    assert since == (start + timedelta(minutes=50)).strftime("%Y-%m-%d %H:%M:%S")
    assert len((await at_work.pull("status", cursor))[0]) == 1
    at_work.odoo.now = lambda: start + timedelta(days=1)
    at_work.floor.take_back("WH/OUT/00001", {"MUG-RED": 1})
    assert len((await at_work.pull("returns", cursor))[0]) == 1


async def test_a_change_of_a_move_alone_is_seen(at_work: Depot) -> None:
    start = datetime.now(UTC)
    at_work.odoo.now = lambda: start + timedelta(hours=1)
    _, cursor = await at_work.pull("status")
    at_work.odoo.now = lambda: start + timedelta(hours=2)
    at_work.floor.pick(F)
    assert at_work.floor.transfers(F)[0]["write_date"] < (start + timedelta(hours=1)).replace(tzinfo=None)
    items, _ = await at_work.pull("status", cursor)
    assert kinds([fact for item in items for fact in read(HARNESS, item.topic, item.body)]) == [
        "FulfilmentAccepted",
        "UnitsPicked",
    ]


async def test_a_change_at_no_time_there_is_parks_its_own_message_and_stops_no_pull(at_work: Depot) -> None:
    start = datetime.now(UTC)
    at_work.odoo.now = lambda: datetime(9999, 12, 31, tzinfo=UTC)
    at_work.floor.count("MUG-RED", -2)
    at_work.odoo.now = lambda: start
    at_work.floor.count("TEE-M", 5)
    (absurd, sound), cursor = await at_work.pull("movements")
    assert cursor is not None
    assert msgspec.json.decode(cursor)["since"] < start.strftime("%Y-%m-%d %H:%M:%S")
    with pytest.raises(Malformed):
        read(HARNESS, absurd.topic, absurd.body)
    assert [type(fact) for fact in read(HARNESS, sound.topic, sound.body)] == [StockReported]


@pytest.mark.parametrize("date", ["0001-01-01 00:00:00", "9999-12-31 23:59:59", "yesterday", "2026-01-19 00:00:00"])
def test_a_window_begins_where_the_last_sound_date_was(date: str) -> None:
    now = datetime(2026, 1, 16, tzinfo=UTC)
    assert Scan(since="2026-01-01 00:00:00").on(7, [date], now).next() == Scan(since="2026-01-01 00:00:00")
    assert Scan().on(7, ["2026-01-15 12:10:00", date], now).next() == Scan(since="2026-01-15 12:00:00")


@pytest.mark.parametrize("text", ["0001-01-01 00:00:00", "9999-12-31 23:59:59"])
def test_a_moment_that_nobody_can_count_from_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        moment(text)
