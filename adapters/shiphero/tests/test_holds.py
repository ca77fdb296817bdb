"""Holds that somebody places on an order at ShipHero."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from adapters.shiphero.harness import HARNESS, WAREHOUSE, order_input
from adapters.shiphero.holds import TOPIC, order_holds
from adapters.shiphero.pulls import status_pages
from adapters.shiphero.simulator import ShipHeroSimulator
from adapters.shiphero.simulator_books import Said
from hub.domain.facts import FulfilmentHeld
from hub.sdk.capabilities import Pulled
from hub.sdk.testkit.bench import Bench
from hub.sdk.testkit.reading import tables_of
from hub.sdk.translate import Malformed, Unmapped

TABLES = tables_of(HARNESS)
AT = "2026-01-16T15:29:26"


async def pulled(bench: Bench) -> dict[str, Pulled]:
    """What a first status pull stores, by its key."""
    async with bench.context() as context:
        return {item.key: item async for page in status_pages(context, None) for item in page.items}


def told(items: dict[str, Pulled]) -> list[tuple[str, ...]]:
    """What orders are held for."""
    bodies = [item.body for item in items.values() if item.topic == TOPIC]
    return [fact.reasons for body in bodies for fact in order_holds(body, TABLES)]


def body(**fields: object) -> bytes:
    order = {"id": "o1", "partner_order_id": "A-1", "fulfillment_status": "pending", "updated_at": AT, "holds": None}
    return msgspec.json.encode(order | fields)


async def test_an_order_that_is_freed_is_another_message_and_its_lines_are_not(bench: Bench) -> None:
    simulator = bench.simulator
    assert isinstance(simulator, ShipHeroSimulator)
    began = datetime.now(UTC)
    simulator.now = lambda: began
    order = simulator.take_order(order_input("A-1", {"MUG": 2}))
    seen = await pulled(bench)
    assert told(seen) == [()]
    for step, holds in enumerate((("operator_hold", "fraud_hold"), (), ("operator_hold", "fraud_hold")), 1):
        simulator.now = lambda step=step: began + timedelta(seconds=step)  # type: ignore[misc]
        simulator.hold(order, *holds)
        found = await pulled(bench)
        new = {key: item for key, item in found.items() if key not in seen}
        assert [item.topic for item in new.values()] == [TOPIC]
        assert [set(reasons) for reasons in told(new)] == [set(holds)]
        seen |= found


async def test_of_an_order_that_has_left_nothing_is_told(simulator: ShipHeroSimulator, bench: Bench) -> None:
    simulator.stock(WAREHOUSE, "MUG", 5)
    part, whole = (simulator.take_order(order_input(name, {"MUG": 2})) for name in ("A-1", "A-2"))
    simulator.ship(part, part=True)
    simulator.ship(whole)
    simulator.hold(whole, "client_hold")
    found = [item.object for item in (await pulled(bench)).values() if item.topic == TOPIC]

    assert found == ["fulfilment:A-1"]


def test_a_status_of_the_account_that_means_held_is_a_reason() -> None:
    tables = tables_of(msgspec.structs.replace(HARNESS, tables={"status": {"On Hold": "held"}}))
    (fact,) = order_holds(body(fulfillment_status="On Hold", holds={"payment_hold": True}), tables)

    assert fact == FulfilmentHeld(
        at=datetime(2026, 1, 16, 15, 29, 26, tzinfo=UTC), fulfilment="A-1", reasons=("payment_hold", "status On Hold")
    )


@pytest.mark.parametrize("status", ["canceled", "fulfilled"])
def test_an_order_that_is_over_is_not_held(status: str) -> None:
    assert order_holds(body(fulfillment_status=status, holds={"payment_hold": True}), TABLES) == ()


def test_what_cannot_be_read_is_said() -> None:
    with pytest.raises(Unmapped):
        order_holds(body(fulfillment_status="Pondering"), TABLES)
    with pytest.raises(Malformed, match="updated_at"):
        order_holds(body(updated_at=None), TABLES)


def test_the_simulator_knows_shipheros_holds_only(simulator: ShipHeroSimulator) -> None:
    order = simulator.take_order(order_input("A-1", {"MUG": 1}))
    with pytest.raises(Said, match="moon_hold"):
        simulator.hold(order, "moon_hold")


async def test_a_held_order_ships_when_it_is_freed(simulator: ShipHeroSimulator) -> None:
    simulator.auto_ship, simulator.ship_after_ms = True, 5
    simulator.stock(WAREHOUSE, "MUG", 5)
    order = simulator.take_order(order_input("A-1", {"MUG": 2}))
    simulator.hold(order, "operator_hold")
    await asyncio.sleep(0.1)
    assert order.shipments == []
    simulator.hold(order)
    await asyncio.sleep(0.1)
    assert len(order.shipments) == 1
