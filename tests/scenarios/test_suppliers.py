"""A supplier is a node whose fulfilment orders are purchase orders: by file and by API, both to the same end."""

from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random

import pytest

from adapters.supplier.simulator import Habits, SupplierApi, SupplierFiles
from tests.scenarios.counter import Counter
from tests.scenarios.direct import line, told
from tests.scenarios.dropship import Dropship, by_api, by_files, heard, posted, soon
from tests.scenarios.town import Town


@pytest.fixture
async def files(town: Town) -> AsyncIterator[Dropship[SupplierFiles]]:
    async with by_files(town) as made:
        yield made


@pytest.fixture
async def api(town: Town) -> AsyncIterator[Dropship[SupplierApi]]:
    async with by_api(town) as made:
        yield made


async def test_a_purchase_order_goes_out_as_a_file_and_what_is_answered_reaches_the_channel(
    files: Dropship[SupplierFiles], town: Town, counter: Counter
) -> None:
    placed, order = await town.buy([("VASE", 2), ("JAR", 1)])
    await heard(files)
    ((number, ordered),) = files.supplier.books.orders.items()
    assert number == "PO-000001"
    assert sorted(ordered.lines.values()) == [("JAR", 1), ("VASE", 2)]
    assert list(ordered.costs.values()) == ["12.00"], "of JAR no price is known"
    assert ordered.ship_to["country"]
    files.supplier.say(files.supplier.books.acknowledged(number, ships_on=soon(3)))
    await heard(files)
    assert await files.where(order["id"]) == [(1, "accepted"), (2, "accepted")]
    files.supplier.say(files.supplier.books.shipped(number))
    await heard(files)
    assert await files.where(order["id"]) == [(1, "shipped"), (2, "shipped")]
    (heard_of,) = town.shop.fulfilments[placed.id]
    assert (heard_of.numbers, heard_of.company) == (("1Z999AA10123456784",), "UPS")
    (asked,) = (await counter.ok("GET", f"/orders/{order['id']}"))["fulfilments"]
    assert asked["partner_reference"] == asked["purchase"]["number"] == number
    assert asked["purchase"]["ships_on"].startswith(soon(3).isoformat())
    assert await town.house.open_exceptions() == []


async def test_what_a_file_says_twice_has_one_effect(files: Dropship[SupplierFiles], town: Town) -> None:
    files.supplier.twice = True
    order, _ = await files.bought("twice", ("VASE", 3))
    await heard(files)
    files.supplier.say(files.supplier.books.acknowledged("PO-000001", ships_on=soon(2)))
    files.supplier.say(files.supplier.books.shipped("PO-000001", {"1": 2}))
    await heard(files)
    assert await files.where(order) == [(1, "accepted"), (2, "shipped")]
    assert (await town.timeline(order)).count("accepted") == 1
    assert await town.stock("VASE", files.node) == (8, 1)


async def test_rows_say_the_same_as_documents(files: Dropship[SupplierFiles], town: Town) -> None:
    order, _ = await files.bought("rows", ("VASE", 2), ("JAR", 1))
    await heard(files)
    day = soon(4).isoformat()
    ack = f"purchase_order,status,sku,unit_cost,ships_on\nPO-000001,accepted,VASE,12.00,{day}\n"
    ack += f"PO-000001,accepted,JAR,3.10,{day}\n"
    files.supplier.drop("from_supplier/ack-1.csv", ack.encode())
    await heard(files)
    row = await town.house.value("SELECT purchase FROM fulfilment_order WHERE order_id = $1", order)
    assert '"cost":2710' in row.replace(" ", "")
    ship = "purchase_order,sku,quantity,carrier,tracking,shipment\n"
    ship += "PO-000001,VASE,2,UPS,1Z1,S-9\nPO-000001,JAR,1,UPS,1Z2,S-9\n"
    files.supplier.drop("from_supplier/shipped-1.csv", ship.encode())
    await heard(files)
    assert await files.where(order) == [(1, "shipped"), (2, "shipped")]
    parcels = await town.house.rows("SELECT tracking FROM parcel WHERE order_id = $1 ORDER BY tracking", order)
    assert [row["tracking"] for row in parcels] == ["1Z1", "1Z2"]


async def test_the_same_by_api_with_answers_that_are_signed(api: Dropship[SupplierApi], town: Town) -> None:
    order, asked = await api.bought("api", ("VASE", 2))
    number = api.supplier.fulfilments[asked]
    api.supplier.say(api.supplier.books.acknowledged(number, ships_on=soon(2)))
    await posted(api)
    assert await api.where(order) == [(2, "accepted")]
    api.supplier.say(api.supplier.books.shipped(number))
    await posted(api)
    assert await api.where(order) == [(2, "shipped")]
    assert api.supplier.books.orders[number].times == 1
    assert await town.house.open_exceptions() == []


async def test_a_lost_reply_is_looked_up_and_the_order_is_not_sent_again(
    api: Dropship[SupplierApi], town: Town
) -> None:
    api.supplier.script.append("lost_reply")
    _, asked = await api.bought("lost", ("VASE", 1))
    number = api.supplier.fulfilments[asked]
    assert api.supplier.books.orders[number].times == 1
    row = await town.house.value("SELECT purchase FROM fulfilment_order WHERE order_id = $1", asked.rpartition("-")[0])
    assert number in row, "what was agreed is known although the reply was lost"


async def test_a_wrong_signature_changes_nothing(api: Dropship[SupplierApi]) -> None:
    order, asked = await api.bought("forged", ("VASE", 1))
    wrong = "whsec_c29tZWJvZHktZWxzZXMtc2VjcmV0LWtleQ=="
    api.supplier.say(api.supplier.books.acknowledged(api.supplier.fulfilments[asked]), secret=wrong)
    await posted(api)
    assert await api.where(order) == [(1, "released")]
    assert len(api.supplier.undelivered) == 1


async def test_units_that_a_supplier_refuses_go_elsewhere_and_its_shelf_is_believed(
    api: Dropship[SupplierApi], town: Town
) -> None:
    await town.house.shelf(town.east, town.items["VASE"], 5)
    town.depot.stock("76733", "VASE", 5)
    await town.house.run("UPDATE node SET enabled = false WHERE code IN ('EAST', 'WEST')")
    order, asked = await api.bought("part", ("VASE", 4))
    await town.house.run("UPDATE node SET enabled = true WHERE code IN ('EAST', 'WEST')")
    number = api.supplier.fulfilments[asked]
    api.supplier.say(api.supplier.books.acknowledged(number, ships_on=soon(1), refused={"1": 3}))
    await posted(api)
    assert sorted(await town.slices(order)) == [(1, "accepted", api.node), (3, "accepted", town.east)]
    assert await town.stock("VASE", api.node) == (7, 1), "three of ten are not there"


async def test_a_supplier_that_refuses_everything_is_left_out(api: Dropship[SupplierApi], town: Town) -> None:
    order, asked = await api.bought("none", ("VASE", 2))
    api.supplier.say(api.supplier.books.refused(api.supplier.fulfilments[asked], "discontinued"))
    await posted(api)
    assert await api.where(order) == [(2, "unallocated")]
    assert await town.stock("VASE", api.node) == (0, 0), "discontinued: all of it is gone"


async def test_a_supplier_that_declines_at_once_is_a_refusal(api: Dropship[SupplierApi], town: Town) -> None:
    api.supplier.books.refuses.add("PO-000001")
    order, _ = await api.bought("declined", ("VASE", 1))
    assert "refused" in await town.timeline(order)
    assert await api.where(order) == [(1, "unallocated")]


async def test_a_cancel_is_asked_for_and_ends_as_the_supplier_says(
    files: Dropship[SupplierFiles], counter: Counter, town: Town
) -> None:
    order, _ = await files.bought("cancel", ("VASE", 1))
    await heard(files)
    files.supplier.say(files.supplier.books.acknowledged("PO-000001", ships_on=soon(1)))
    await heard(files)
    await counter.ok("POST", f"/orders/{order}/cancel", {})
    await town.settle()
    files.supplier.work()
    assert files.supplier.books.orders["PO-000001"].cancelled
    assert await files.where(order) == [(1, "accepted")], "until the supplier has said what became of it"
    files.supplier.say(files.supplier.books.cancel_answered("PO-000001"))
    await heard(files)
    assert await files.where(order) == []
    files.supplier.say(files.supplier.books.acknowledged("PO-000001", ships_on=soon(5)))
    await heard(files)
    found = (await files.kinds())["acknowledged_cancelled"]
    assert "Tell the supplier not to send it" in found["next_step"]


async def test_its_feed_is_its_shelf(files: Dropship[SupplierFiles], town: Town) -> None:
    await town.house.run("UPDATE stock_ledger SET true_at = true_at - interval '1 day'")
    now = files.supplier.now()
    files.supplier.now = lambda: now - timedelta(minutes=1)
    files.supplier.drop("from_supplier/stock.csv", b"sku,quantity\nVASE,25\nJAR,4\n")
    files.supplier.now = lambda: now
    await heard(files)
    assert (await town.stock("VASE", files.node))[0] == 25
    assert (await town.stock("JAR", files.node))[0] == 4


async def test_a_feed_that_is_posted_counts_the_same(api: Dropship[SupplierApi], town: Town) -> None:
    await town.house.run("UPDATE stock_ledger SET true_at = true_at - interval '1 day'")
    at = (api.supplier.now() - timedelta(minutes=1)).isoformat()
    api.supplier.say(api.supplier.books.levels({"VASE": 7, "UNHEARD": 1}, at=at))
    await posted(api)
    assert (await town.stock("VASE", api.node))[0] == 7
    assert [row["kind"] for row in await town.house.open_exceptions()] == ["unknown_stock_sku"]


async def test_a_connection_is_made_and_tried_by_the_api(town: Town, counter: Counter) -> None:
    config = {
        "supplier": "acme-supply",
        "sends": "mail",
        "currency": "EUR",
        "tolerance_percent": "2.5",
        "mail": {"host": "smtp.example.com", "sender": "orders@shop.example", "username": "orders"},
        "mail_password": "a-mail-password",
        "to": "desk@acme.example",
    }
    made = await counter.ok("POST", "/connections", {"adapter": "supplier", "name": "acme", "config": config})
    assert "a-mail-password" not in str(made)
    assert (made["account"], made["config"]["tolerance_percent"]) == ("acme-supply", "2.5")
    tried = await counter.ok("POST", f"/connections/{made['id']}/test")
    assert {"sends", "webhooks"} <= {check["name"] for check in tried["checks"] if check["ok"]}
    typo = {**config, "mail": {**config["mail"], "prot": 25}}  # type: ignore[dict-item]
    refused = await counter.refused("POST", "/connections", {"adapter": "supplier", "name": "b", "config": typo})
    assert "prot" in str(refused["errors"])


async def test_what_cannot_be_believed_is_told_and_holds_up_nothing(files: Dropship[SupplierFiles], town: Town) -> None:
    order, _ = await files.bought("bad", ("VASE", 2))
    await heard(files)
    books, say = files.supplier.books, files.supplier.say
    say(books.acknowledged("PO-000001", costs={"1": "-1.00"}))
    say({**books.acknowledged("PO-000001"), "purchase_order": "PO-000099"})
    say({**books.acknowledged("PO-000001"), "status": "perhaps"})
    say({**books.acknowledged("PO-000001", ships_on=soon(3)), "reference": "good"})
    files.supplier.drop("from_supplier/nonsense.txt", b"<html>502</html>")
    say(books.shipped("PO-000001", {"1": 5}))
    await heard(files)
    assert await files.where(order) == [(2, "shipped")], "five left where two were asked for"
    rows = await town.house.open_exceptions()
    for words in ("a cost is not below zero", "'PO-000099' was never sent", "perhaps", "nonsense.txt", "shipment S-1"):
        assert sum(words in row["cause"] for row in rows) == 1
    assert len(rows) == 5


async def test_orders_of_a_moody_supplier_end_as_it_said_whatever_the_wires_do(
    api: Dropship[SupplierApi], town: Town
) -> None:
    await town.house.run("UPDATE stock SET sellable = 100 WHERE node_id = $1", api.node)
    await town.house.run("UPDATE stock_ledger SET delta = 100 WHERE node_id = $1", api.node)
    orders = [await told(town, f"mood-{no}", line("1", 2, "VASE", 2000)) for no in range(9)]
    await town.settle()
    asked = {api.supplier.fulfilments[f"{order['id']}-1"]: order["id"] for order in orders}
    api.supplier.faults.duplicate = api.supplier.faults.reorder = 0.3
    books, chance = api.supplier.books, Random(1).random
    moody = Habits(silent=0.2, refuses=0.2, short=0.2, dearer=0.3, late=0.3)
    for habits in (moody, Habits(), Habits()):
        for document in books.day(habits, chance, soon(0)):
            api.supplier.say(document)
        await posted(api)
    assert set(books.answered.values()) == {"refused", "short", "dearer", "late", "agreed"}
    for number, order in asked.items():
        (_, wanted) = books.orders[number].lines["1"]
        kept = books.orders[number].kept.get("1", 0) if books.orders[number].shipped else 0
        units = dict.fromkeys(("shipped", "unallocated"), 0)
        for count, state in await api.where(order):
            units[state] += count
        assert units == {"shipped": kept, "unallocated": wanted - kept}
    dear = list(books.answered.values()).count("dearer")
    assert [row["kind"] for row in await town.house.open_exceptions()].count("supplier_cost") == dear
    assert api.supplier.undelivered == []
