"""A hold that comes after the release: what was not sent is taken back, the rest is its rule's or a person's."""

from typing import Any

import pytest

from tests.scenarios.counter import Counter
from tests.scenarios.direct import line, told
from tests.scenarios.test_changes import cancels
from tests.scenarios.test_changes_by_stage import staged, states, troubles
from tests.scenarios.test_holds import holds, rule, rules
from tests.scenarios.town import Town


async def risky(town: Town, level: str = "high", version: int = 2) -> None:
    """The channel tells what it thinks of the order now."""
    await told(town, "D-1", line("1", 3), version=version, risk=level)
    await town.settle()


async def late(counter: Counter, word: str) -> None:
    await rules(counter, rule("suspicious", 'order.risk == "high"', lift=["change"], late=word))


async def test_what_was_not_sent_is_taken_back_and_nobody_is_asked(town: Town) -> None:
    order = await staged(town, "unsent")
    await risky(town)
    assert await holds(town, order) == {"channel_risk": None}
    assert (await states(town, order), await cancels(town, order["id"])) == ({"reserved": 3}, [(1, "void")])
    assert await troubles(town) == []
    assert town.depot.found(f"{order['id']}-1") == []
    await risky(town, "low", 3)
    assert (await states(town, order), town.asked(order["id"], 2).status) == ({"accepted": 3}, "pending")
    await town.house.verify()


@pytest.mark.parametrize("choice", ["recall", "let go"])
async def test_what_a_node_has_is_a_persons_choice(town: Town, counter: Counter, choice: str) -> None:
    order = await staged(town, "picked")
    await risky(town)
    assert await holds(town, order) == {"channel_risk": None}
    assert (await states(town, order), await cancels(town, order["id"])) == ({"picked": 3}, [])
    found = await town.trouble()
    assert (found["kind"], found["cause"].partition(": ")[2]) == ("held_too_late", "order D-1, channel_risk")
    assert "3 units are with a node. Choose: recall them (POST " in found["next_step"]
    await risky(town, version=3)
    assert len(await holds(town, order)) == 1, "told once"
    if choice == "recall":
        await counter.ok("POST", f"/orders/{order['id']}/reroute")
        await town.settle()
        assert (await states(town, order), await cancels(town, order["id"])) == ({"reserved": 3}, [(1, "confirmed")])
        assert await holds(town, order) == {"channel_risk": None}
    else:
        await counter.ok("POST", f"/orders/{order['id']}/lift", {"kind": "channel_risk"})
        await town.settle()
        assert (await states(town, order), await cancels(town, order["id"])) == ({"picked": 3}, [])
    assert await troubles(town) == []
    await town.house.verify()


async def test_a_rule_may_have_nodes_asked_at_once(town: Town, counter: Counter) -> None:
    await late(counter, "recall")
    order = await staged(town, "accepted")
    await risky(town)
    assert (await states(town, order), await cancels(town, order["id"])) == ({"reserved": 3}, [(1, "confirmed")])
    assert town.asked(order["id"]).status == "canceled"
    assert await troubles(town) == []
    await risky(town, "low", 3)
    assert await states(town, order) == {"accepted": 3}


async def test_a_node_that_does_not_let_go_is_told_and_asked_once(town: Town, counter: Counter) -> None:
    await late(counter, "recall")
    town.depot.refuse_cancel = 1.0
    order = await staged(town, "accepted")
    await risky(town)
    assert (await states(town, order), await troubles(town)) == ({"accepted": 3}, ["cancel_refused"])
    await risky(town, "low", 3)
    await risky(town, "high", 4)
    assert await cancels(town, order["id"]) == [(1, "refused")]


async def test_a_rule_may_let_them_go(town: Town, counter: Counter) -> None:
    await late(counter, "let_go")
    order = await staged(town, "accepted")
    await risky(town)
    assert (await states(town, order), await holds(town, order)) == ({"accepted": 3}, {"suspicious": None})
    assert (await cancels(town, order["id"]), await troubles(town)) == ([], [])


@pytest.mark.parametrize("word", ["ask", "recall"])
async def test_of_what_has_left_a_person_is_told(town: Town, counter: Counter, word: str) -> None:
    await late(counter, word)
    order = await staged(town, "shipped")
    await risky(town)
    assert (await states(town, order), await cancels(town, order["id"])) == ({"shipped": 3}, [])
    found = await town.trouble()
    assert found["kind"] == "held_too_late"
    assert "3 units have left. Choose: have the carrier bring the parcel back" in found["next_step"]
    told_of: dict[str, Any] = await counter.ok("GET", f"/exceptions?order={order['id']}")
    assert [row["kind"] for row in told_of["items"]] == ["held_too_late"]
    await risky(town, "low", 3)
    assert (await holds(town, order), await troubles(town)) == ({"suspicious": "cause"}, [])
