"""Stock adjustments that Odoo, or somebody in it, does not let through."""

import msgspec
import pytest

from adapters.odoo.harness import BOOKS
from hub.sdk.outcomes import Done, NeedsPerson
from hub.sdk.testkit.bench import bench


async def test_a_node_without_a_location_is_named() -> None:
    async with bench(BOOKS) as trial:
        request = msgspec.structs.replace(trial.command("post_stock"), node="NORTH")
        outcome = await trial.write("post_stock", request)
        assert isinstance(outcome, NeedsPerson)
        assert outcome.kind == "stock_location_missing"
        assert "NORTH" in outcome.reason


@pytest.mark.parametrize("side", ["in", "out"])
async def test_a_transfer_that_somebody_cancelled_is_not_made_again(side: str) -> None:
    async with bench(BOOKS) as trial:
        request = trial.command("post_stock")
        assert isinstance(await trial.write("post_stock", request), Done)
        pickings = trial.simulator.books.tables["stock.picking"]
        (one,) = pickings.where("origin", f"{request.key}/{side}")
        pickings.update(one["id"], {"state": "cancel"})
        outcome = await trial.write("post_stock", request)
        assert isinstance(outcome, NeedsPerson)
        assert f"{request.key}/{side}" in outcome.reason
        assert len(pickings.where("origin", f"{request.key}/{side}")) == 1
