"""What decisions are fed on the path: what goods cost, and how long they are under way."""

import json
from typing import Any

from hub.registry import rule_text
from hub.routing.policy import load_shipped
from hub.store.decisions import keep_shipped, policies_of
from tests.integration.web.conftest import Site, pointers
from tests.integration.web.test_simulation import buy
from tests.integration.web.test_simulation import shop as shop  # a fixture


async def decided_on(shop: Site, order: str) -> dict[str, Any]:
    """The stored input of an order's newest decision."""
    (row,) = await shop.sql("SELECT input FROM decision WHERE order_id = $1 ORDER BY no DESC LIMIT 1", order)
    found: dict[str, Any] = json.loads(bytes(row["input"]))
    return found


async def test_what_a_unit_costs_is_kept_per_currency(site: Site) -> None:
    made = await site.ok("PUT", "/items/MUG", {"unit_cost": {"EUR": "3.20", "JPY": "500"}})
    assert made["unit_cost"] == {"EUR": "3.20", "JPY": "500"}
    assert (await site.ok("GET", "/items/MUG"))["unit_cost"] == {"EUR": "3.20", "JPY": "500"}
    assert pointers(await site.refused(422, "PUT", "/items/MUG", {"unit_cost": {"ZZZ": "1"}})) == ["/unit_cost/ZZZ"]
    for wrong in ("-1", "1e5", "", "1,5"):
        await site.refused(422, "PUT", "/items/MUG", {"unit_cost": {"EUR": wrong}})


async def test_a_decision_sees_what_a_line_earns_and_unknown_stays_unknown(shop: Site) -> None:
    await shop.ok("PUT", "/items/MUG", {"unit_cost": {"EUR": "1.50"}})
    order = await buy(shop, "o1", ("MUG", 2), ("LAMP", 1))
    mug, lamp = (await decided_on(shop, order["id"]))["group"]["lines"]
    value, margin = 4, 9  # places in the array that a line is stored as
    assert mug[margin] == mug[value] - 300
    assert lamp[margin] is None


async def test_a_release_with_another_default_still_replays_what_the_old_one_decided(shop: Site) -> None:
    """The shipped text is kept when it is first used, so a new one under the same name takes nothing away."""
    await buy(shop, "o1", ("MUG", 1))
    text = rule_text("routing", "default")
    (row,) = await shop.sql("SELECT version, text FROM shipped_policy")
    (decision,) = await shop.sql("SELECT policy FROM decision")
    assert (row["version"], row["text"]) == (decision["policy"], text) == (load_shipped(text).version, text)
    newer = load_shipped(text.replace("per_km = 100 ", "per_km = 999 "))
    async with shop.database.connection() as connection:
        await keep_shipped(connection, newer.version, "not the text of this version any more")
        await keep_shipped(connection, row["version"], "nor of this")
        found = await policies_of(connection, "default", [row["version"]], newer)
    assert found == {newer.version: newer, row["version"]: load_shipped(text)}
