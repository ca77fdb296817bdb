"""Facts that only some messages of a channel carry: a read knows the risk, a webhook the company that buys."""

from typing import Any

import msgspec

from tests.scenarios.test_holds import holds, state
from tests.scenarios.test_intake import quiet_order
from tests.scenarios.town import Town


async def unplaced(town: Town) -> Any:
    """An order that no node was told of yet."""
    placed = town.shop.place_order([("PASS", 2)], ship_to=None)
    await town.settle()
    return placed


async def said(town: Town, order: dict[str, Any]) -> dict[str, Any]:
    """The order's newest revision."""
    text = await town.house.value(
        "SELECT document FROM order_revision WHERE order_id = $1 ORDER BY no DESC LIMIT 1", order["id"]
    )
    found: dict[str, Any] = msgspec.json.decode(text)
    return found


async def test_a_risk_told_later_holds_and_a_better_one_lifts(town: Town) -> None:
    placed = await unplaced(town)
    order = await town.order(placed)
    town.shop.assess(placed.id, "high")
    await town.settle()
    assert (await holds(town, order))["channel_risk"] is None
    town.shop.update_order(placed.id, note="a webhook that is silent on risk")
    await town.settle()
    assert (await said(town, order))["risk"] == "high"
    assert (await holds(town, order))["channel_risk"] is None
    town.shop.assess(placed.id, "low")
    await town.settle()
    assert (await holds(town, order))["channel_risk"] == "cause"


async def test_what_is_risky_from_the_start_is_never_released(town: Town) -> None:
    placed = quiet_order(town)
    hub, town.shop.hub_url = town.shop.hub_url, None
    town.shop.assess(placed.id, "high")
    town.shop.hub_url = hub
    town.shop.tell(placed, "orders/risk_assessment_changed")
    await town.settle()
    order = await town.order(placed)
    assert await state(town, order) == ["reserved"]


async def test_a_company_stays_when_a_read_does_not_say_it(town: Town) -> None:
    placed = quiet_order(town)
    placed.company, placed.terms_days, placed.po_number, placed.tax_exempt = 779, 30, "PO-7", True
    placed.financial = "pending"
    town.shop.tell(placed, "orders/create")
    await town.settle()
    order = await town.order(placed)
    town.shop.edit_order(placed.id, {}, add=[("PASS", 1)])
    await town.settle()
    found = await said(town, order)
    assert [found[name] for name in ("company", "terms", "terms_days", "purchase_order")] == [
        "779",
        "Net 30",
        30,
        "PO-7",
    ]
    assert (found["tax_exempt"], found["locale"]) == (True, "en-US")
    assert "unpaid" not in await holds(town, order), "the company pays by its terms"
