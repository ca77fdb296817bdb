"""Money that goes back: never more than was taken, never twice, told to the books once, whoever decided it."""

from decimal import Decimal
from typing import Any

import pytest

from adapters.odoo.harness import settings as odoo_settings
from adapters.odoo.harness import simulator as odoo_simulator
from tests.scenarios.counter import Counter
from tests.scenarios.sold import sold
from tests.scenarios.town import Town


def given_back(town: Town, placed: Any) -> list[int]:
    """What the shop refunded of an order, in cents, refund by refund."""
    order = town.shop.orders[placed.id]
    return [int(one.moved(order) * 100) for one in order.refunds]


async def refunds(counter: Counter, order: str) -> list[tuple[int, str, str]]:
    items = (await counter.ok("GET", f"/refunds?order={order}"))["items"]
    return [(one["amount"], one["state"], one["origin"]) for one in reversed(items)]


# Three passes at 10.00 with 8 % tax on top and 4.90 of shipping: 32.40 of goods, 37.30 in all.
EACH, WHOLE = 1080, 3730


async def test_lines_come_to_their_share_and_the_channel_pays_once(town: Town, counter: Counter) -> None:
    placed, order, line = await sold(town)
    made = await counter.ok("POST", "/refunds", {"order": order["id"], "lines": [{"line": line, "quantity": 1}]})
    assert (made["amount"], made["currency"], made["state"], made["adjustment"]) == (EACH, "USD", "asked", 0)
    assert made["lines"] == [{"line": line, "quantity": 1, "amount": 1000, "tax": 80}]
    await town.settle()
    assert given_back(town, placed) == [EACH]
    assert await refunds(counter, order["id"]) == [(EACH, "done", "hub")]
    assert await town.house.value("SELECT count(*) FROM payment WHERE kind = 'refund'") == 1
    assert await town.house.open_exceptions() == []


async def test_more_than_was_captured_is_refused_and_nothing_is_asked(town: Town, counter: Counter) -> None:
    placed, order, _ = await sold(town)
    problem = await counter.refused("POST", "/refunds", {"order": order["id"], "amount": WHOLE + 1})
    assert (problem["status"], problem["type"].rpartition(":")[2]) == (409, "refund-above-captured")
    assert (problem["captured"], problem["refundable"]) == (WHOLE, WHOLE)
    await counter.ok("POST", "/refunds", {"order": order["id"], "amount": 3000, "reason": "late"})
    problem = await counter.refused("POST", "/refunds", {"order": order["id"], "amount": WHOLE - 2999})
    assert problem["refundable"] == WHOLE - 3000, "what is on its way counts"
    await town.settle()
    assert given_back(town, placed) == [3000]
    rest = await counter.ok("POST", "/refunds", {"order": order["id"]})
    assert rest["amount"] == WHOLE - 3000, "without a word of how much: all that is left"
    await town.settle()
    assert (await counter.refused("POST", "/refunds", {"order": order["id"]}))["status"] == 409
    assert sum(given_back(town, placed)) == WHOLE


async def test_more_units_than_were_bought_are_refused(town: Town, counter: Counter) -> None:
    _, order, line = await sold(town)
    body = {"order": order["id"], "lines": [{"line": line, "quantity": 4}]}
    problem = await counter.refused("POST", "/refunds", body)
    assert (problem["status"], problem["errors"][0]["pointer"]) == (422, "/lines/0/quantity")
    problem = await counter.refused("POST", "/refunds", body | {"lines": [{"line": "nope", "quantity": 1}]})
    assert problem["status"] == 422
    assert (await counter.refused("POST", "/refunds", {"order": "nobody"}))["status"] == 404
    assert (await counter.refused("POST", "/refunds", {"order": order["id"], "currency": "EUR"}))["status"] == 422
    assert await town.house.value("SELECT count(*) FROM refund") == 0


@pytest.mark.parametrize(
    ("when", "steps"),
    [("now", ["open"]), ("on_receipt", ["receive"]), ("after_grade", ["grade"]), ("never", [])],
)
async def test_a_return_is_refunded_when_its_rule_says_so(
    town: Town, counter: Counter, when: str, steps: list[str]
) -> None:
    placed, order, line = await sold(town)
    paid_at = []
    made = await counter.ok(
        "POST", "/returns", {"order": order["id"], "refund": when, "lines": [{"line": line, "quantity": 2}]}
    )
    await town.settle()
    paid_at += ["open"] * bool(given_back(town, placed))
    for step, body in (("receive", {"node": "EAST"}), ("grade", {"disposition": "restock"})):
        before = len(given_back(town, placed))
        await counter.ok("POST", f"/returns/{made['id']}/{step}", body)
        await town.settle()
        paid_at += [step] * (len(given_back(town, placed)) > before)
    assert paid_at == steps
    assert given_back(town, placed) == ([2 * EACH] if steps else [])
    assert await town.house.open_exceptions() == []


async def test_a_return_that_is_sent_back_is_not_refunded(town: Town, counter: Counter) -> None:
    placed, order, line = await sold(town)
    made = await counter.ok("POST", "/returns", {"order": order["id"], "lines": [{"line": line, "quantity": 2}]})
    await counter.ok("POST", f"/returns/{made['id']}/receive", {"node": "EAST"})
    lines = [
        {"line": line, "disposition": "sent_back", "quantity": 1},
        {"line": line, "disposition": "scrap", "quantity": 1},
    ]
    await counter.ok("POST", f"/returns/{made['id']}/grade", {"lines": lines})
    await town.settle()
    assert given_back(town, placed) == [EACH]


async def test_fees_and_losses_are_kept_back(town: Town, counter: Counter) -> None:
    text = 'version = "dear"\nfee_percent = 10\nfee = 100\n[dispositions]\nrefurbish = 50'
    await town.house.run(
        "INSERT INTO policy (merchant, kind, version, text, state, author) "
        "VALUES ('default', 'returns', 'dear', $1, 'active', 'test')",
        text,
    )
    placed, order, line = await sold(town)
    made = await counter.ok("POST", "/returns", {"order": order["id"], "lines": [{"line": line, "quantity": 2}]})
    await counter.ok("POST", f"/returns/{made['id']}/receive", {"node": "EAST"})
    await counter.ok("POST", f"/returns/{made['id']}/grade", {"disposition": "refurbish"})
    await town.settle()
    # Two at 10.80; half lost; a tenth of them and 1.00 once kept.
    assert given_back(town, placed) == [2160 - 1080 - 216 - 100]
    (one,) = (await counter.ok("GET", "/refunds"))["items"]
    assert one["adjustment"] == -(1080 + 216 + 100)


async def test_what_is_not_worth_the_postage_stays_with_the_customer(town: Town, counter: Counter) -> None:
    await town.house.run(
        "INSERT INTO policy (merchant, kind, version, text, state, author) "
        "VALUES ('default', 'returns', 'keep', 'version = \"keep\"\nkeep_below = 2000', 'active', 'test')"
    )
    placed, order, line = await sold(town)
    made = await counter.ok("POST", "/returns", {"order": order["id"], "lines": [{"line": line, "quantity": 1}]})
    assert (made["state"], made["disposition"], made["label"]) == ("closed", "kept", None)
    await town.settle()
    assert given_back(town, placed) == [EACH]
    dearer = await counter.ok("POST", "/returns", {"order": order["id"], "lines": [{"line": line, "quantity": 2}]})
    assert dearer["state"] == "approved"


async def test_a_refund_made_at_the_channel_is_taken_over_and_not_doubled(town: Town, counter: Counter) -> None:
    placed, order, line = await sold(town)
    made = await counter.ok("POST", "/returns", {"order": order["id"], "lines": [{"line": line, "quantity": 2}]})
    town.shop.refund_order(placed.id, {placed.lines[0].id: 2}, restock="return")
    await town.settle()
    assert await refunds(counter, order["id"]) == [(2 * EACH, "done", "channel")]
    assert await town.house.open_exceptions() == [], "nobody is asked to agree a return for what was refunded"
    await counter.ok("POST", f"/returns/{made['id']}/receive", {"node": "EAST"})
    await counter.ok("POST", f"/returns/{made['id']}/grade", {"disposition": "restock"})
    await town.settle()
    assert given_back(town, placed) == [2 * EACH], "the goods are back, the money was there already"
    problem = await counter.refused("POST", "/refunds", {"order": order["id"], "amount": WHOLE})
    assert problem["refundable"] == WHOLE - 2 * EACH


async def test_the_echo_of_our_own_refund_is_no_other_one(town: Town, counter: Counter) -> None:
    placed, order, line = await sold(town)
    town.shop.script.extend([None, "lost_reply"])
    await counter.ok("POST", "/refunds", {"order": order["id"], "lines": [{"line": line, "quantity": 1}]})
    await town.settle()
    assert given_back(town, placed) == [EACH]
    assert await refunds(counter, order["id"]) == [(EACH, "done", "hub")]
    assert await town.house.value("SELECT count(*) FROM payment WHERE kind = 'refund'") == 1
    assert town.shop.operations["CrossdockRefund"] == 1, "it looked, and found it done"


async def test_a_channel_that_refuses_leaves_the_money_to_be_asked_for_again(town: Town, counter: Counter) -> None:
    placed, order, _ = await sold(town)
    shop_order = town.shop.orders[placed.id]
    # Somebody refunds by hand while ours is on its way, and the webhook is late.
    town.shop.topics.clear()
    town.shop.give_back(shop_order, {}, restock="no_restock", money=Decimal("37.00"))
    made = await counter.ok("POST", "/refunds", {"order": order["id"], "amount": 1000})
    await town.settle()
    found = await counter.ok("GET", f"/refunds/{made['id']}")
    assert found["state"] == "refused"
    assert (await town.trouble())["kind"] == "delivery_refused"
    paid = await counter.ok("POST", f"/refunds/{made['id']}/paid", {"reference": "cash"})
    assert (paid["state"], paid["external_ids"]) == ("done", ["cash"])
    assert (await counter.refused("POST", f"/refunds/{made['id']}/paid"))["status"] == 409


async def test_the_books_get_one_credit_note_per_refund_and_none_for_what_was_never_invoiced(
    town: Town, counter: Counter
) -> None:
    async with odoo_simulator() as books:
        config = {k: v for k, v in vars_of(odoo_settings(books)).items() if v not in (None, (), {}, "")}
        await town.house.connect("books", "odoo", config)
        placed, order, line = await sold(town)
        await counter.ok("POST", "/refunds", {"order": order["id"], "lines": [{"line": line, "quantity": 1}]})
        await town.settle()
        town.shop.refund_order(placed.id, {placed.lines[0].id: 1}, restock="no_restock")
        await town.settle()
        notes = await town.house.rows("SELECT * FROM posting WHERE kind = 'credit_note' ORDER BY shipment_no")
        assert [row["shipment_no"] for row in notes] == [1, 2]
        other, early = await town.buy([("PASS", 4)])
        town.shop.refund_order(other.id, {other.lines[0].id: 1})
        await town.settle()
        town.depot.ship(town.asked(early["id"], 2))
        await town.settle()
        assert await refunds(counter, early["id"]) == [(EACH, "done", "channel")]
        sent = await town.house.rows("SELECT order_id FROM effect WHERE kind = 'PostCreditNote'")
        assert [row["order_id"] for row in sent] == [order["id"]] * 2
        assert await town.house.open_exceptions() == []


def vars_of(settings: Any) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


async def test_a_refund_that_nobody_can_be_asked_for_is_paid_by_hand(town: Town, counter: Counter) -> None:
    await town.house.node("DESK")
    body = {
        "external_id": "D-1",
        "currency": "USD",
        "lines": [{"external_id": "1", "sku": "PASS", "quantity": 2, "subtotal": 2000}],
        "contacts": {"ship": {"name": "A", "lines": ["1 Road"], "city": "Portland", "country": "US"}},
    }
    answer = await counter.ask("POST", "/orders", body)
    assert answer.status_code in (201, 202)
    await town.settle()
    order = await town.house.value("SELECT id FROM customer_order WHERE external_id = 'D-1'")
    made = await counter.ok("POST", "/refunds", {"order": order, "amount": 500})
    await town.settle()
    assert (await town.trouble())["kind"] == "delivery_needs_person"
    paid = await counter.ok("POST", f"/refunds/{made['id']}/paid", {"reference": "till 4"})
    assert paid["state"] == "done"
    amounts = (await counter.ok("GET", f"/orders/{order}"))["amounts"]
    assert amounts["refunded"]["shop"]["total"] == 500
    assert await town.house.value("SELECT count(*) FROM outbox") == 0
    assert await town.house.open_exceptions() == []
