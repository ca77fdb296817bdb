"""Lines taken off an order: whole ones by a feed, parts by a person."""

from adapters.amazon.harness import two_lines
from adapters.amazon.line_cancels import cancel_lines
from adapters.amazon.settings import Settings
from adapters.amazon.simulator import AmazonSimulator
from hub.sdk.capabilities import Context
from hub.sdk.outcomes import Done, NeedsPerson, Refused
from hub.sdk.testkit.samples import line_cancel


async def test_a_whole_line_goes_and_the_others_stay(sim: AmazonSimulator, context: Context[Settings]) -> None:
    order = two_lines(sim)
    mugs, shirt = order.lines
    assert isinstance(await cancel_lines(context, line_cancel(order.id, (shirt.id, 1, 0))), Done)
    assert (mugs.cancelled_by, shirt.cancelled_by, order.status) == (None, "BUYER", "UNSHIPPED")
    assert await cancel_lines(context, line_cancel(order.id, (shirt.id, 1, 0))) == Done(found=True)
    assert len(sim.books.feeds) == 1, "what is cancelled already is not told again"


async def test_part_of_a_line_is_a_persons_and_whole_ones_beside_it_go(
    sim: AmazonSimulator, context: Context[Settings]
) -> None:
    order = two_lines(sim)
    mugs, shirt = order.lines
    outcome = await cancel_lines(context, line_cancel(order.id, (mugs.id, 1, 1), (shirt.id, 1, 0)))
    assert isinstance(outcome, NeedsPerson)
    assert f"1 of line {mugs.id} (1 remain)" in outcome.reason
    assert shirt.id not in outcome.reason
    assert (mugs.cancelled_by, shirt.cancelled_by) == (None, "BUYER")


async def test_more_than_was_asked_for_is_never_cancelled(sim: AmazonSimulator, context: Context[Settings]) -> None:
    order = two_lines(sim)
    mugs, _ = order.lines
    assert isinstance(await cancel_lines(context, line_cancel(order.id, (mugs.id, 1, 0))), NeedsPerson)
    assert (mugs.cancelled_by, sim.books.feeds) == (None, {})


async def test_an_order_that_has_gone_is_refused(sim: AmazonSimulator, context: Context[Settings]) -> None:
    order = two_lines(sim)
    order.status = "SHIPPED"
    assert isinstance(await cancel_lines(context, line_cancel(order.id, (order.lines[1].id, 1, 0))), Refused)
