"""A fulfilment order becomes one transfer, and what Odoo has not is said at once."""

import msgspec
import pytest

from adapters.odoo.harness_warehouse import SUBMIT
from adapters.odoo.simulated.books import user_error
from adapters.odoo.tests.depot import MUG, Depot, F, kinds
from hub.domain.contact import Contact
from hub.domain.facts import FactLine, FulfilmentAccepted, StockMeaning, UnitsShort
from hub.sdk.capabilities import RequestLine
from hub.sdk.wire import Request


async def test_an_order_becomes_a_transfer_to_its_address(depot: Depot) -> None:
    depot.stock(MUG_RED=5, TEE_M=5)
    done = await depot.done(service="express", purchase_order="PO & 7")
    (transfer,) = depot.floor.transfers(F)
    assert (transfer["name"], transfer["state"]) == (done.reference, "assigned")
    assert transfer["note"] == "<p>Order #1001</p><p>Purchase order PO &amp; 7</p><p>Service express</p>"
    moves = [depot.odoo.books.tables["stock.move"].rows[move] for move in transfer["move_ids"]]
    assert [(m["origin"], m["product_uom_qty"], m["state"]) for m in moves] == [
        (f"{F}#1:1*2", 2, "assigned"),
        (f"{F}#2:2*1", 1, "assigned"),
    ]
    partner = depot.odoo.partners[transfer["partner_id"]]
    address = {"street": "417 Montgomery Street", "street2": "Floor 5", "city": "San Francisco", "zip": "94104"}
    assert {name: partner[name] for name in address} == address
    assert (partner["company_name"], partner["type"], partner["phone"]) == ("Fjord & Sons", "delivery", "+14155550123")
    assert depot.odoo.books.tables["res.country.state"].rows[partner["state_id"]]["code"] == "CA"
    assert kinds(done.facts) == ["FulfilmentAccepted"]
    assert not done.found
    assert depot.odoo.violations == []


async def test_a_repeat_finds_the_first(depot: Depot) -> None:
    depot.stock(MUG_RED=5, TEE_M=5)
    first = await depot.done()
    again = await depot.done()
    assert (again.reference, again.found, len(depot.floor.transfers(F))) == (first.reference, True, 1)


async def test_a_draft_that_an_earlier_try_left_is_gone_on_with(depot: Depot) -> None:
    depot.stock(MUG_RED=5, TEE_M=5)
    depot.odoo.refuse["stock.picking.action_confirm"] = user_error("Not now")
    await depot.blocked()
    depot.odoo.refuse.clear()
    done = await depot.done()
    assert not done.found
    assert [one["state"] for one in depot.floor.transfers(F)] == ["assigned"]


async def test_the_same_address_is_written_once(depot: Depot) -> None:
    depot.stock(MUG_RED=9, TEE_M=9)
    await depot.done()
    await depot.done(fulfilment=f"{F[:-2]}-2")
    await depot.done(fulfilment=f"{F[:-2]}-3", ship_to=Contact(name="Bo", lines=("1", "2", "3"), city="Oslo"))
    made = [p for p in depot.odoo.partners.values() if p["type"] == "delivery"]
    assert [(one["name"], one["street2"]) for one in made] == [("Zoë Quimby-O'Hara", "Floor 5"), ("Bo", "2, 3")]


async def test_a_region_that_odoo_does_not_know_stays_in_the_address(depot: Depot) -> None:
    depot.stock(MUG_RED=9, TEE_M=9)
    await depot.done(ship_to=msgspec.structs.replace(SUBMIT.ship_to, region="ZZ"))
    (made,) = [p for p in depot.odoo.partners.values() if p["type"] == "delivery"]
    assert (made["city"], made["state_id"]) == ("San Francisco, ZZ", None)


async def test_a_part_that_is_not_there_is_short_and_taken_out(depot: Depot) -> None:
    depot.stock(MUG_RED=1, TEE_M=5)
    done = await depot.done()
    accepted, short = done.facts
    assert isinstance(accepted, FulfilmentAccepted)
    assert isinstance(short, UnitsShort)
    assert (short.lines, short.stock) == ((FactLine(line="1", quantity=1),), StockMeaning.QUANTITY)
    depot.floor.stock("MUG-RED", 10)
    depot.floor.pick(F)
    assert depot.floor.validate(F) is True
    assert await depot.shipped() == [(None, {"1": 1, "2": 1})]
    assert kinds((await depot.done()).facts) == ["FulfilmentAccepted", "UnitsShort"]


async def test_what_is_wholly_missing_is_left_out_of_the_transfer(depot: Depot) -> None:
    depot.stock(MUG_RED=0, TEE_M=5)
    done = await depot.done()
    assert [fact.lines for fact in done.facts if isinstance(fact, UnitsShort)] == [(FactLine(line="1", quantity=2),)]
    depot.floor.pick(F)
    assert depot.floor.validate(F) is True
    assert await depot.shipped() == [(None, {"2": 1})]
    assert "UnitsShort" not in kinds(await depot.facts())


async def test_nothing_there_is_a_refusal_and_leaves_nothing_open(depot: Depot) -> None:
    depot.stock(MUG_RED=0, TEE_M=0)
    for _ in range(2):
        refused = await depot.refused()
        assert (refused.reason, refused.stock) == (f"{F}: Odoo has none of it in stock", StockMeaning.QUANTITY)
    assert [one["state"] for one in depot.floor.transfers(F)] == ["cancel"]


async def test_a_transfer_that_a_person_cancelled_is_refused_and_says_nothing_of_stock(depot: Depot) -> None:
    depot.stock(MUG_RED=5, TEE_M=5)
    await depot.done()
    depot.floor.cancel(F)
    refused = await depot.refused()
    assert (refused.reason, refused.stock) == (f"{F}: Odoo has cancelled WH/OUT/00001", StockMeaning.NOTHING)


async def test_waiting_for_stock_is_not_accepted_until_all_of_it_is_reserved(depot: Depot) -> None:
    depot.set(wait_for_stock=True)
    depot.stock(MUG_RED=1, TEE_M=5)
    done = await depot.done()
    # Odoo calls this transfer ready ("assigned"), with one mug of two.
    assert (depot.floor.open(F)["state"], done.facts) == ("assigned", ())
    assert await depot.facts() == []
    depot.floor.stock("MUG-RED", 1)
    assert kinds((await depot.done()).facts) == ["FulfilmentAccepted"]
    assert kinds(await depot.facts()) == ["FulfilmentAccepted"]


async def test_a_warehouse_that_reserves_by_hand_is_told_to_reserve(depot: Depot) -> None:
    depot.odoo.books.reserve_at_confirm = False
    depot.stock(MUG_RED=5, TEE_M=5)
    done = await depot.done()
    assert (depot.floor.open(F)["state"], kinds(done.facts)) == ("assigned", ["FulfilmentAccepted"])


async def test_stock_of_an_order_before_is_not_promised_twice(depot: Depot) -> None:
    depot.stock(MUG_RED=3, TEE_M=5)
    await depot.done()
    second = await depot.done(fulfilment=f"{F[:-2]}-2")
    assert [fact.lines for fact in second.facts if isinstance(fact, UnitsShort)] == [(FactLine(line="1", quantity=1),)]


async def test_two_lines_of_one_product_share_a_move_and_are_told_apart(depot: Depot) -> None:
    depot.stock(MUG_RED=4)
    again = RequestLine(line="3", sku="MUG-RED", quantity=3)
    done = await depot.done(lines=(MUG, again))
    assert [fact.lines for fact in done.facts if isinstance(fact, UnitsShort)] == [(FactLine(line="3", quantity=1),)]
    depot.floor.pick(F, {"MUG-RED": 3})
    depot.floor.validate(F, "backorder", tracking="A")
    depot.floor.pick(F)
    depot.floor.validate(F, tracking="B")
    assert await depot.shipped() == [("A", {"1": 2, "3": 1}), ("B", {"3": 1})]


async def test_a_kit_is_asked_for_and_counted_as_a_kit(depot: Depot) -> None:
    depot.stock(BASE=7, LAMP=9, KIT=0)
    depot.floor.kit("KIT", {"BASE": 2, "LAMP": 1})
    done = await depot.done(lines=(RequestLine(line="1", sku="KIT", quantity=4),))
    # Seven bases make three kits.
    assert [fact.lines for fact in done.facts if isinstance(fact, UnitsShort)] == [(FactLine(line="1", quantity=1),)]
    depot.floor.pick(F, {"BASE": 5, "LAMP": 1})
    depot.floor.validate(F, "backorder", tracking="A")
    depot.floor.pick(F)
    depot.floor.validate(F, tracking="B")
    assert await depot.shipped() == [("A", {"1": 1}), ("B", {"1": 2})]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"location": "EAST"}, "'EAST' is not a warehouse of this connection"),
        ({"location": None}, "None is not a warehouse of this connection"),
        (
            {"lines": (RequestLine(line="1", sku="NOBODY", quantity=1),)},
            "no product with the internal reference NOBODY",
        ),
    ],
)
async def test_what_odoo_does_not_know_needs_a_person(depot: Depot, changes: dict[str, object], reason: str) -> None:
    depot.stock(MUG_RED=5, TEE_M=5)
    assert reason in (await depot.blocked(**changes)).reason
    assert depot.odoo.pickings == {}


async def test_a_warehouse_that_ships_in_steps_is_not_used(depot: Depot) -> None:
    depot.stock(MUG_RED=5, TEE_M=5)
    depot.odoo.books.tables["stock.warehouse"].update(1, {"delivery_steps": "pick_ship"})
    needed = await depot.blocked()
    assert "delivers in several steps (pick_ship)" in needed.reason
    async with depot.bench.context() as context:
        assert depot.bench.adapter.probe is not None
        probe = await depot.bench.adapter.probe(context)
    assert [check.name for check in probe.checks if not check.ok] == ["warehouse WH"]


async def test_a_service_is_a_delivery_method_where_they_are_mapped(depot: Depot) -> None:
    depot.stock(MUG_RED=5, TEE_M=5)
    method = depot.odoo.books.tables["delivery.carrier"].insert({"name": "DHL Express 12:00"})
    depot.set(shipping_methods={"express": method})
    assert "'slow'" in (await depot.blocked(service="slow")).reason
    await depot.done(service="express")
    assert depot.floor.open(F)["carrier_id"] == method


async def test_two_transfers_of_one_order_are_named(depot: Depot) -> None:
    depot.stock(MUG_RED=9, TEE_M=9)
    await depot.done()
    first = depot.floor.open(F)
    depot.odoo.books.tables["stock.picking"].insert({**first, "name": "WH/OUT/00077", "move_ids": []})
    assert "2 times: WH/OUT/00001, WH/OUT/00077" in (await depot.blocked()).reason


async def test_a_reservation_that_odoo_refuses_says_nothing_of_stock(depot: Depot) -> None:
    depot.stock(MUG_RED=1, TEE_M=5)
    depot.odoo.refuse["stock.picking.action_assign"] = user_error("You are not allowed to reserve.")
    assert "not allowed to reserve" in (await depot.blocked()).reason
    assert [m["product_uom_qty"] for m in depot.odoo.books.tables["stock.move"].rows.values()] == [2, 1]


@pytest.mark.parametrize("by", ["cancel", "shipment"])
async def test_a_transfer_that_ends_while_it_is_reserved_is_told_as_it_ended(depot: Depot, by: str) -> None:
    depot.stock(MUG_RED=1, TEE_M=5)

    def meanwhile(request: Request) -> None:
        if request.path.endswith("action_assign") and by == "cancel":
            depot.floor.cancel(F)
        elif request.path.endswith("action_assign"):
            depot.floor.stock("MUG-RED", 1)
            depot.floor.pick(F, {"MUG-RED": 2, "TEE-M": 1})
            depot.floor.validate(F)

    outcome = await depot.submit(meddle=meanwhile)
    if_told = {"cancel": ("Refused", []), "shipment": ("Done", ["FulfilmentAccepted"])}
    assert (type(outcome).__name__, kinds(getattr(outcome, "facts", ()))) == if_told[by]
