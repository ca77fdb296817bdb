"""What a real Tryton says of its goods, and what is booked of ours: purchase orders, products, adjustments."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest

from adapters.tryton.company import add_product
from adapters.tryton.harness import HARNESS
from adapters.tryton.harness_stock import DUE, adjusted, order, receive
from adapters.tryton.simulator import TrytonBehindFaults
from hub.domain.facts import AnyFact, ItemReported, SupplyReported
from hub.sdk.outcomes import Done, NeedsPerson, Uncertain
from hub.sdk.posting import StockAdjustment
from hub.sdk.testkit.bench import Bench, bench
from hub.sdk.testkit.reading import read

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("tryton")]


@pytest.fixture
async def trial() -> AsyncIterator[Bench]:
    async with bench(HARNESS) as running:
        yield running


def tryton_of(trial: Bench) -> TrytonBehindFaults:
    assert isinstance(trial.simulator, TrytonBehindFaults)
    return trial.simulator


async def told(trial: Bench, pull: str, cursor: str | None = None) -> tuple[list[AnyFact], str | None]:
    """What a pull brings, and where the next goes on."""
    facts: list[AnyFact] = []
    async with trial.context() as context:
        async for page in HARNESS.adapter.pulls[pull].pages(context, cursor):
            for item in page.items:
                facts += read(HARNESS, item.topic, item.body)
            cursor = page.cursor
    return facts, cursor


async def test_a_purchase_order_is_told_until_all_of_it_came(trial: Bench) -> None:
    rpc = tryton_of(trial).rpc
    made = order(rpc, {"SUP-A": 7, "SUP-B": 3}, DUE)
    (one,) = rpc.call("model.purchase.purchase.read", [made], ["number"])
    number = one["number"]

    def lines(facts: list[AnyFact]) -> dict[str, tuple[int, date]] | None:
        mine = [fact for fact in facts if isinstance(fact, SupplyReported) and fact.reference == number]
        assert len(mine) < 2
        assert all(line.location == "WH" for fact in mine for line in fact.lines)
        return {line.sku: (line.quantity, line.due) for line in mine[0].lines} if mine else None

    facts, cursor = await told(trial, "supply")
    assert lines(facts) == {"SUP-A": (7, DUE), "SUP-B": (3, DUE)}
    receive(rpc, made, {"SUP-A": 5, "SUP-B": 3})
    facts, cursor = await told(trial, "supply", cursor)
    assert lines(facts) == {"SUP-A": (2, DUE)}
    receive(rpc, made, {"SUP-A": 2})
    facts, cursor = await told(trial, "supply", cursor)
    assert lines(facts) == {}
    assert await told(trial, "supply", cursor) == ([], cursor)


async def test_a_product_is_told_in_the_hubs_words_and_again_when_any_part_of_it_changed(trial: Bench) -> None:
    rpc = tryton_of(trial).rpc
    sku = f"CUP-{tryton_of(trial).order}"
    add_product(rpc, sku, "Cup, blue")
    (product,) = rpc.call("model.product.product.search_read", [["code", "=", sku]], 0, 1, None, ["template"])
    amount = {"__class__": "Decimal", "decimal": "3.3"}
    numbers = [["create", [{"type": "ean", "code": "4006381333931"}, {"type": "mpn", "code": "CUP"}]]]
    rpc.call("model.product.product.write", [product["id"]], {"cost_price": amount, "identifiers": numbers})

    def mine(facts: list[AnyFact]) -> list[AnyFact]:
        found = [fact for fact in facts if isinstance(fact, ItemReported) and fact.sku == sku]
        return [msgspec.structs.replace(fact, at=datetime(2026, 1, 1, tzinfo=UTC)) for fact in found]

    facts, cursor = await told(trial, "items")
    cup = ItemReported(
        at=datetime(2026, 1, 1, tzinfo=UTC),
        sku=sku,
        title="Cup, blue",
        barcodes=("4006381333931",),
        base_unit="each",
        unit_cost={"USD": Decimal("3.3")},
        price={"USD": Decimal(10)},
    )
    assert mine(facts) == [cup]
    rpc.call("model.product.template.write", [product["template"]], {"list_price": amount})
    facts, cursor = await told(trial, "items", cursor)
    cup = msgspec.structs.replace(cup, price={"USD": Decimal("3.3")})
    assert mine(facts) == [cup]
    (number,) = rpc.call("model.product.identifier.search", [["code", "=", "4006381333931"]], 0, 1, None)
    rpc.call("model.product.identifier.write", [number], {"code": "4006381333948"})
    rpc.call("model.product.product.write", [product["id"]], {"active": False})
    facts, cursor = await told(trial, "items", cursor)
    assert mine(facts) == [msgspec.structs.replace(cup, barcodes=("4006381333948",), active=False)]


async def test_an_adjustment_is_in_the_books_once_and_moves_what_it_says_in_bad_weather(trial: Bench) -> None:
    simulator = tryton_of(trial)
    request = trial.command("post_stock")
    assert isinstance(request, StockAdjustment)
    before = counted(simulator, request)
    simulator.random.seed(3)
    simulator.faults.lost_reply = 0.2
    hurt = 0
    outcome = await trial.write("post_stock", request)
    while not isinstance(outcome, Done):
        assert not isinstance(outcome, NeedsPerson), outcome
        hurt += 1
        again = msgspec.structs.replace(request, look_first=isinstance(outcome, Uncertain))
        outcome = await trial.write("post_stock", again)
    assert hurt
    assert adjusted(simulator.rpc, request) == 1
    after = counted(simulator, request)
    assert {sku: after[sku] - before[sku] for sku in after} == {"MUG-RED": -4, "TEE-M": 2}
    marks = [["reference", "=", f"{request.key}/out"]]
    fields = ["effective_date"]
    (shipment,) = simulator.rpc.call("model.stock.shipment.internal.search_read", marks, 0, 9, None, fields)
    assert shipment["effective_date"]["day"] == request.dated.day


def counted(simulator: TrytonBehindFaults, request: StockAdjustment) -> dict[str, int]:
    """Units in the warehouse's storage, by Tryton's own count."""
    rpc = simulator.rpc
    storage = rpc.call("model.stock.location.search", [["code", "=", "STO"]], 0, 9, None)
    skus = sorted({line.sku for line in request.lines})
    context, rpc.context = rpc.context, {**rpc.context, "locations": storage}
    try:
        rows = rpc.call("model.product.product.search_read", [["code", "in", skus]], 0, 9, None, ["code", "quantity"])
    finally:
        rpc.context = context
    return {row["code"]: int(row["quantity"]) for row in rows}


async def test_an_adjustment_that_tryton_cannot_place_is_named(trial: Bench) -> None:
    request = trial.command("post_stock")
    assert isinstance(request, StockAdjustment)
    outcome = await trial.write("post_stock", msgspec.structs.replace(request, node="NORTH"))
    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "stock_location_missing"
    assert "NORTH" in outcome.reason
    hat = msgspec.structs.replace(request.lines[0], sku="NO-SUCH-HAT")
    outcome = await trial.write("post_stock", msgspec.structs.replace(request, lines=(hat,)))
    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "stock_item_unknown"
    assert "NO-SUCH-HAT" in outcome.reason
    assert adjusted(tryton_of(trial).rpc, request) == 0
