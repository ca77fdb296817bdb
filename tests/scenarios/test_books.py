"""What the books are told besides documents: payments and refunds, each once, on the account of its method."""

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal

import pytest

from adapters.odoo.harness import books as odoo_settings
from adapters.odoo.harness import simulator as odoo_simulator
from adapters.odoo.simulator import OdooSimulator
from hub.domain.network import Mode
from tests.scenarios.counter import Counter
from tests.scenarios.sold import sold
from tests.scenarios.test_facts import shipped
from tests.scenarios.test_refunds import vars_of
from tests.scenarios.town import Town


@pytest.fixture
async def books(town: Town) -> AsyncIterator[OdooSimulator]:
    """An Odoo that is told of payments, too."""
    async with odoo_simulator() as odoo:
        config = {k: v for k, v in vars_of(odoo_settings(odoo)).items() if v not in (None, (), {}, "")}
        await town.house.connect("books", "odoo", config, modes={"post_payment": Mode.LIVE})
        yield odoo


def cleared(books: OdooSimulator) -> list[tuple[str, int]]:
    """Entries by state, and what they put on the clearing account in cents."""
    lines = books.books.tables["account.move.line"].rows
    return [
        (
            entry["state"],
            int(100 * sum(lines[line]["balance"] for line in entry["line_ids"] if lines[line]["account_id"] == 3)),
        )
        for entry in books.books.tables["account.move"].rows.values()
        if entry["move_type"] == "entry"
    ]


async def test_money_taken_and_given_back_is_cleared_once(town: Town, counter: Counter, books: OdooSimulator) -> None:
    placed, order, line = await sold(town)
    assert cleared(books) == [("posted", 3730)]
    await counter.ok("POST", "/refunds", {"order": order["id"], "lines": [{"line": line, "quantity": 1}]})
    await town.settle()
    assert cleared(books) == [("posted", 3730), ("posted", -1080)]
    posted = await town.house.rows("SELECT kind, amount, currency FROM posting ORDER BY kind")
    assert [(row["kind"], row["amount"], row["currency"]) for row in posted] == [
        ("credit_note", 1080, "USD"),
        ("delivery", 3730, "USD"),
        ("invoice", 3730, "USD"),
        ("order", 3730, "USD"),
        ("payment", 3730, "USD"),
        ("refund", 1080, "USD"),
    ]
    assert await town.house.open_exceptions() == []


async def test_money_that_the_hub_takes_in_parts_is_cleared_once(town: Town, books: OdooSimulator) -> None:
    """When the last part is taken the shop says that all is paid, and names no transaction: that is the same money."""
    await town.house.run("UPDATE account SET captured_by = 'hub' WHERE adapter = 'shopify'")
    placed, order = await town.buy([("PASS", 3)], financial="authorized")
    await town.house.hear("depot", shipped(order, 1, name="s-1"))
    await town.settle()
    assert cleared(books) == [("posted", 1570)]
    await town.house.hear("depot", shipped(order, 2, name="s-2"))
    await town.settle()
    assert town.shop.orders[placed.id].financial == "paid"
    assert await town.house.value("SELECT count(*) FROM payment WHERE kind = 'sale' AND implied") == 1
    assert sorted(cleared(books)) == [("posted", 1570), ("posted", 2160)]
    town.shop.update_order(placed.id, note="Ring twice")
    await town.settle()
    assert len(cleared(books)) == 2


async def test_a_gift_card_and_a_card_are_cleared_each_for_what_it_paid(town: Town, books: OdooSimulator) -> None:
    """A webhook names both and no sums; the next pull brings them. These books lack an account for gift cards."""
    placed, _ = await town.buy([("PASS", 3)], financial="pending")
    paid = town.shop.orders[placed.id]
    paid.gift_card, paid.financial = Decimal("10.00"), "paid"
    town.shop.update_order(placed.id, note="paid by two")
    await town.settle()
    assert cleared(books) == []
    await town.house.pull("shop", "orders")
    await town.settle()
    told = await town.house.rows("SELECT method, amount FROM payment WHERE kind = 'sale' ORDER BY amount")
    assert [(row["method"], row["amount"]) for row in told] == [("gift_card", 1000), ("shopify_payments", 2730)]
    assert cleared(books) == [("posted", 2730)]
    (trouble,) = await town.house.open_exceptions()
    assert (trouble["kind"], trouble["cause"]) == (
        "clearing_account_missing",
        "acme@odoo.example.com: payments by gift_card",
    )
    town.shop.update_order(placed.id, note="and again")
    await town.settle()
    assert cleared(books) == [("posted", 2730)]


async def test_a_locked_period_holds_all_that_is_dated_in_it_in_one_exception(
    town: Town, counter: Counter, books: OdooSimulator
) -> None:
    books.books.lock_date = date(2100, 1, 1)
    await sold(town)
    (trouble,) = await town.house.open_exceptions()
    assert trouble["kind"] == "period_locked"
    assert cleared(books) == [("draft", 3730)]
    books.books.lock_date = None
    (row,) = (await counter.ok("GET", "/exceptions"))["items"]
    await counter.ok("POST", f"/exceptions/{row['id']}/retry", {})
    await town.settle()
    assert cleared(books) == [("posted", 3730)]
    kinds = await town.house.rows("SELECT kind FROM posting ORDER BY kind")
    assert [one["kind"] for one in kinds] == ["delivery", "invoice", "order", "payment"]
    assert await town.house.open_exceptions() == []


async def read_books(town: Town) -> None:
    """The daily reading, now; what was posted is long past, and readings before were on other days."""
    house = town.house
    await house.run("UPDATE delivery SET key = key || ':' || message_id WHERE key LIKE 'books:%'")
    await house.run("UPDATE posting SET posted_at = posted_at - interval '1 hour'")
    await house.pull("books", "books")
    await town.settle()


async def test_a_document_that_the_ledger_lost_is_found_and_posted_again_under_its_key(
    town: Town, counter: Counter, books: OdooSimulator
) -> None:
    await sold(town)
    await read_books(town)
    assert await town.house.open_exceptions() == []
    days = (await counter.ok("GET", "/books"))["items"]
    assert {(d["kind"], d["ours"], d["ours_amount"]) for d in days} == {
        (d["kind"], d["theirs"], d["theirs_amount"]) for d in days
    }
    moves = books.books.tables["account.move"]
    (lost,) = [one for one in moves.rows.values() if one["move_type"] == "entry"]
    moves.update(lost["id"], {"state": "cancel", "ref": "taken back"})
    await read_books(town)
    (trouble,) = await town.house.open_exceptions()
    assert trouble["kind"] == "books_differ"
    (difference,) = (await counter.ok("GET", "/books/differences?state=open"))["items"]
    assert (difference["class"], difference["ours"], difference["theirs"]) == ("missing_there", 3730, None)
    await counter.ok("POST", f"/books/differences/{difference['id']}/repair", {"action": "post_again"})
    await town.settle()
    assert [one["state"] for one in moves.rows.values() if one["move_type"] == "entry"] == ["cancel", "posted"]
    await read_books(town)
    assert await town.house.open_exceptions() == []
    (difference,) = (await counter.ok("GET", "/books/differences"))["items"]
    assert difference["state"] == "repaired"


async def test_a_wrong_amount_a_double_and_a_strangers_document_are_named(
    town: Town, counter: Counter, books: OdooSimulator
) -> None:
    _, order, _ = await sold(town)
    moves = books.books.tables["account.move"]
    (invoice,) = [one for one in moves.rows.values() if one["move_type"] == "out_invoice"]
    moves.insert({**invoice, "name": "INV/2026/09999"})
    moves.insert({**invoice, "name": "INV/2026/08888", "ref": f"{order['id']}/by-hand"})
    moves.update(invoice["id"], {"amount_total": invoice["amount_total"] + 1})
    await read_books(town)
    found = (await counter.ok("GET", "/books/differences"))["items"]
    assert sorted((one["class"], one["number"]) for one in found) == [
        ("amount_wrong", invoice["name"]),
        ("doubled", "INV/2026/09999"),
        ("missing_here", "INV/2026/08888"),
    ]
    for one in found:
        await counter.refused("POST", f"/books/differences/{one['id']}/repair", {"action": "post_again"})
        await counter.ok("POST", f"/books/differences/{one['id']}/repair", {"action": "dismiss"})
    assert await town.house.open_exceptions() == []

    await read_books(town)
    assert await town.house.open_exceptions() == [], "a person has seen all three, and nothing changed"
    seen = (await counter.ok("GET", "/books/differences"))["items"]
    assert [(one["state"], one["count"]) for one in seen] == [("dismissed", 2)] * 3

    moves.update(invoice["id"], {"amount_total": invoice["amount_total"] + 1})
    await read_books(town)
    (trouble,) = await town.house.open_exceptions()
    assert f"amount_wrong: invoice {invoice['name']}" in trouble["cause"]

    (doubled,) = [one["id"] for one in moves.rows.values() if one["name"] == "INV/2026/09999"]
    ref = moves.rows[doubled]["ref"]
    moves.update(doubled, {"ref": "a stranger's"})
    await read_books(town)
    moves.update(doubled, {"ref": ref})
    await read_books(town)
    causes = sorted(one["cause"].split(": ", 1)[1] for one in await town.house.open_exceptions())
    assert [cause.partition(":")[0] for cause in causes] == ["amount_wrong", "doubled"], "it was gone in between"
