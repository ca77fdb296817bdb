"""Units taken off an order: whole fulfilments by an update, what shares one by a person."""

from adapters.square.harness import two_lines, two_ways
from adapters.square.line_cancels import cancel_lines
from adapters.square.settings import Settings
from adapters.square.shipments import mark
from adapters.square.simulator import SquareSimulator
from hub.sdk.capabilities import Context
from hub.sdk.outcomes import Done, NeedsPerson
from hub.sdk.testkit.samples import line_cancel


async def test_a_line_with_a_fulfilment_of_its_own_goes_and_the_other_stays(
    seller: SquareSimulator, context: Context[Settings]
) -> None:
    order = two_ways(seller)
    mugs, shirt = (line["uid"] for line in order["line_items"])
    assert await cancel_lines(context, line_cancel(order["id"], (shirt, 1, 0))) == Done(reference=order["id"])
    first, second = order["fulfillments"]
    assert (first["state"], second["state"], order["state"]) == ("PROPOSED", "CANCELED", "OPEN")
    assert second["shipment_details"]["cancel_reason"] == "customer asked"
    assert await cancel_lines(context, line_cancel(order["id"], (shirt, 1, 0))) == Done(
        reference=order["id"], found=True
    )
    named = f"{mugs}/{first['uid']}"
    outcome = await cancel_lines(context, line_cancel(order["id"], (named, 1, 1)))
    assert isinstance(outcome, NeedsPerson)
    assert f"1 of line {named} (1 remain)" in outcome.reason
    assert order["fulfillments"][0]["state"] == "PROPOSED"


async def test_lines_that_share_a_fulfilment_are_a_persons(seller: SquareSimulator, context: Context[Settings]) -> None:
    order = two_lines(seller)
    outcome = await cancel_lines(context, line_cancel(order["id"], (order["line_items"][1]["uid"], 1, 0)))
    assert isinstance(outcome, NeedsPerson)
    assert order["fulfillments"][0]["state"] == "PROPOSED"


async def test_a_fulfilment_of_which_part_has_left_is_not_cancelled(
    seller: SquareSimulator, context: Context[Settings]
) -> None:
    order = two_ways(seller)
    mugs = order["line_items"][0]["uid"]
    order["fulfillments"][0]["metadata"] = {mark("an earlier shipment"): "rest"}
    assert isinstance(await cancel_lines(context, line_cancel(order["id"], (mugs, 2, 0))), NeedsPerson)
    assert order["fulfillments"][0]["state"] == "PROPOSED"
