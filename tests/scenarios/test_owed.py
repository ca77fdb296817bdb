"""What was paid for and is cancelled here: its money goes back once, when the channel knows, by the merchant's rule."""

from decimal import Decimal
from typing import Any

from adapters.odoo.harness import settings as odoo_settings
from adapters.odoo.harness import simulator as odoo_simulator
from adapters.shopify.simulator_books import ShopOrder
from tests.scenarios.counter import Counter
from tests.scenarios.sold import shelf
from tests.scenarios.test_refunds import EACH, WHOLE, given_back, refunds, vars_of
from tests.scenarios.test_sent_elsewhere import by_hand
from tests.scenarios.town import Town


async def paid(town: Town, units: int = 3, **how: Any) -> tuple[ShopOrder, dict[str, Any], str]:
    placed, order = await town.buy([("PASS", units)], **how)
    return placed, order, str(placed.lines[0].id)


async def cancel(town: Town, counter: Counter, order: dict[str, Any], **lines: int) -> None:
    body = {"reason": "customer", **({"lines": lines} if lines else {})}
    await counter.ok("POST", f"/orders/{order['id']}/cancel", body)
    await town.settle()


async def rule(counter: Counter, how: str) -> None:
    text = f'version = "money"\n[[money]]\nhow = "{how}"'
    made = await counter.ok("POST", "/policies", {"kind": "changes", "text": text})
    await counter.ok("POST", f"/policies/{made['id']}/activate")


async def test_all_of_it_goes_back_with_the_whole_order(town: Town, counter: Counter) -> None:
    placed, order, _ = await paid(town)
    await cancel(town, counter, order)
    assert given_back(town, placed) == [WHOLE]
    assert await refunds(counter, order["id"]) == [(WHOLE, "done", "hub")]
    assert (await town.order(placed))["state"] == "cancelled"
    town.shop.update_order(placed.id, note="a note")
    await town.settle()
    assert given_back(town, placed) == [WHOLE], "once"
    assert await town.house.open_exceptions() == []


async def test_of_lines_their_share_goes_back_and_with_the_last_the_rest(town: Town, counter: Counter) -> None:
    placed, order, line = await paid(town)
    await cancel(town, counter, order, **{line: 1})
    await cancel(town, counter, order, **{line: 1})
    assert [money for money in given_back(town, placed) if money] == [EACH, EACH]
    assert placed.lines[0].current == 1
    await cancel(town, counter, order)
    assert sum(given_back(town, placed)) == WHOLE
    assert [money for money in given_back(town, placed) if money] == [EACH, EACH, WHOLE - 2 * EACH]
    assert await town.house.open_exceptions() == []


async def test_two_words_to_the_channel_before_it_speaks_are_each_paid_back_once(town: Town, counter: Counter) -> None:
    placed, order, line = await paid(town)
    for _ in range(2):
        await counter.ok("POST", f"/orders/{order['id']}/cancel", {"reason": "customer", "lines": {line: 1}})
    await town.settle()
    assert sum(given_back(town, placed)) == 2 * EACH
    assert placed.lines[0].current == 1
    assert await town.house.open_exceptions() == []


async def test_what_was_not_taken_does_not_go_back(town: Town, counter: Counter) -> None:
    placed, order, _ = await paid(town, financial="authorized")
    await cancel(town, counter, order)
    assert given_back(town, placed) == []
    assert await refunds(counter, order["id"]) == []


async def test_what_left_in_spite_of_the_cancel_stays_paid_for(town: Town, counter: Counter) -> None:
    """Somebody sent one by hand meanwhile: the channel refuses to cancel all, and takes off the others."""
    placed, order, _ = await paid(town)
    by_hand(town, placed, 1)
    await cancel(town, counter, order)
    assert placed.cancelled_at is None
    assert sum(given_back(town, placed)) == 2 * EACH
    assert [row["kind"] for row in await town.house.open_exceptions()] == ["cancel_after_ship"]


async def test_where_people_decide_the_amount_is_told_until_it_has_gone_back(town: Town, counter: Counter) -> None:
    await rule(counter, "ask")
    placed, order, line = await paid(town)
    await cancel(town, counter, order, **{line: 2})
    trouble = await town.trouble()
    assert trouble["kind"] == "refund_due"
    assert trouble["next_step"].startswith(f"{2 * EACH} USD (minor units) were paid for units that were cancelled")
    assert given_back(town, placed) == [0]
    await counter.ok("POST", "/refunds", {"order": order["id"], "lines": [{"line": line, "quantity": 2}]})
    await town.settle()
    assert sum(given_back(town, placed)) == 2 * EACH
    assert await town.house.open_exceptions() == []


async def test_what_is_paid_back_at_the_channel_is_nobodys_matter_any_more(town: Town, counter: Counter) -> None:
    await rule(counter, "ask")
    placed, order, _ = await paid(town)
    await cancel(town, counter, order)
    assert (await town.trouble())["kind"] == "refund_due"
    town.shop.give_back(placed, {}, restock="no_restock", money=Decimal("37.30"))
    await town.settle()
    assert await town.house.open_exceptions() == []


async def test_a_channel_that_pays_back_by_itself_is_left_to_it(town: Town, counter: Counter) -> None:
    await rule(counter, "channel")
    placed, order, _ = await paid(town)
    await cancel(town, counter, order)
    assert given_back(town, placed) == []
    assert await refunds(counter, order["id"]) == []
    assert await town.house.open_exceptions() == []


async def test_books_hear_of_the_money_and_of_no_goods_that_were_never_invoiced(town: Town, counter: Counter) -> None:
    async with odoo_simulator() as odoo:
        config = {k: v for k, v in vars_of(odoo_settings(odoo)).items() if v not in (None, (), {}, "")}
        await town.house.connect("books", "odoo", config)
        placed, order, line = await paid(town)
        await cancel(town, counter, order, **{line: 1})
        (work,) = [one for one in await town.fulfilments(order["id"]) if one["no"] == 2]
        town.depot.ship(town.asked(order["id"], work["no"]))
        await town.settle()
        posted = await town.house.rows("SELECT kind, amount FROM posting ORDER BY kind")
        assert [(row["kind"], row["amount"]) for row in posted] == [
            ("delivery", WHOLE - EACH),
            ("invoice", WHOLE - EACH),
            ("order", WHOLE),
        ]
        assert sum(given_back(town, placed)) == EACH
        assert (await shelf(town))[0] == 98
