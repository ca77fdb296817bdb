"""What was promised before the purchase is what is decided after it."""

from datetime import datetime
from typing import Any

import httpx

from hub.domain.contact import Contact
from hub.store.admin.tokens import Role, create_token
from tests.scenarios.house import House
from tests.scenarios.town import Town

PORTLAND = Contact(
    name="Ann Example",
    lines=("1 Main Street",),
    city="Portland",
    region="OR",
    postal_code="97201",
    country="US",
    latitude=45.52,
    longitude=-122.68,
)
ADDRESS = {key: getattr(PORTLAND, key) for key in ("country", "region", "postal_code", "latitude", "longitude")}


async def caller(house: House) -> httpx.AsyncClient:
    """A client of the API with a token of its own."""
    async with house.parts.database.transaction() as connection:
        made = await create_token(
            connection, merchant="default", name="shop", role=Role.INTEGRATOR, new_id=house.parts.new_id
        )
    return httpx.AsyncClient(base_url=f"{house.url}/api/v1", headers={"authorization": f"Bearer {made.token}"})


async def ask(town: Town, *lines: tuple[str, int]) -> dict[str, Any]:
    """What may be promised for a basket in the shop."""
    basket = [{"sku": sku, "quantity": units} for sku, units in lines]
    async with await caller(town.house) as client:
        body = {"lines": basket, "address": ADDRESS | {"timezone": "America/Los_Angeles"}, "channel": "shop"}
        answer = await client.post("/promises", json=body)
    assert answer.status_code == 200, answer.text
    promised: dict[str, Any] = answer.json()
    return promised


async def test_the_promised_nodes_are_the_ones_that_are_decided(town: Town) -> None:
    await town.goods("MUG", east=5, west=5)
    await town.goods("LAMP", east=5)
    for lines, nodes in (([("MUG", 2)], {"WEST"}), ([("MUG", 1), ("LAMP", 1)], {"EAST"})):
        promised = await ask(town, *lines)
        assert {node for option in promised["options"] for node in option["nodes"]} == nodes
        _, order = await town.buy(lines, ship_to=PORTLAND)
        rows = await town.house.rows(
            "SELECT n.code, f.ship_by FROM fulfilment_order f JOIN node n ON n.id = f.node_id WHERE f.order_id = $1",
            order["id"],
        )
        assert {row["code"] for row in rows} == nodes
        leaves = datetime.fromisoformat(promised["options"][0]["ship_by"])
        assert [row["ship_by"] for row in rows] == [leaves]


async def test_what_was_bought_meanwhile_is_not_promised_again(town: Town) -> None:
    await town.goods("LAST", east=1)
    assert (await ask(town, ("LAST", 1)))["options"]
    await town.buy([("LAST", 1)])
    promised = await ask(town, ("LAST", 1))
    assert promised["options"] == []
    assert promised["declined"][0]["missing"] == [{"sku": "LAST", "quantity": 1}]


async def test_an_order_that_waits_for_stock_comes_before_the_next_promise(town: Town) -> None:
    """Two units are wanted already and none is there: one that arrives is not promised to somebody else."""
    await town.goods("SCARCE", east=1)
    await town.buy([("SCARCE", 3)])
    await town.house.run("UPDATE waiting SET due_at = now() + interval '1 hour'")
    await town.house.run(
        "UPDATE stock SET sellable = sellable + 1 WHERE item_id = $1 AND node_id = $2", town.items["SCARCE"], town.east
    )
    promised = await ask(town, ("SCARCE", 1))
    assert promised["declined"][0]["reason"] == "not_stocked"
    await town.house.run(
        "UPDATE stock SET sellable = sellable - 1 WHERE item_id = $1 AND node_id = $2", town.items["SCARCE"], town.east
    )
