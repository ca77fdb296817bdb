"""A store without a system of its own is worked through `/fulfilment-orders`, from first look to last parcel."""

import pytest

from adapters.shopify.simulator_books import ShopOrder
from tests.scenarios.counter import Counter
from tests.scenarios.town import Town


class Street:
    """Two stores of the town without a connection; only they have the LAMP."""

    def __init__(self, town: Town, counter: Counter, near: int, far: int) -> None:
        self.town, self.counter, self.near, self.far = town, counter, near, far

    async def work(self, node: str) -> list[str]:
        """Ids of what a store has to do, as its list shows it."""
        found = await self.counter.ok("GET", f"/fulfilment-orders?node={node}&by_hand=true&state=released")
        return [one["id"] for one in found["items"]]

    async def press(self, id: str, verb: str, **body: object) -> str:
        """Do something; the status after it."""
        view = await self.counter.ok("POST", f"/fulfilment-orders/{id}/{verb}", body or None)
        await self.town.settle()
        return str(view["status"])

    async def told(self, placed: ShopOrder) -> list[tuple[tuple[str, ...], int]]:
        """(tracking numbers, units) of every shipment that the shop heard of."""
        return [(one.numbers, sum(one.lines.values())) for one in self.town.shop.fulfilments[placed.id]]


@pytest.fixture
async def street(town: Town, counter: Counter) -> Street:
    near = await town.house.node("NEAR", kind="store", latitude=37.8, longitude=-122.4)
    far = await town.house.node("FAR", kind="store", latitude=25.8, longitude=-80.2)
    item = await town.goods("LAMP")
    town.shop.sell("LAMP", available=10)
    for node in (near, far):
        await town.house.shelf(node, item, 5)
    return Street(town, counter, near, far)


async def test_a_store_refuses_and_another_accepts_picks_packs_and_ships_in_two_parcels(
    street: Street, counter: Counter
) -> None:
    town = street.town
    placed, order = await town.buy([("LAMP", 4)])
    asked = {node: ids for node in ("NEAR", "FAR") if (ids := await street.work(node))}
    ((first, start),) = asked.items()
    other, there, here = ("FAR", street.far, street.near) if first == "NEAR" else ("NEAR", street.near, street.far)
    assert town.depot.orders_created == {}, "nobody else was asked"
    await street.press(start[0], "refuse", reason="closed for stocktaking")
    assert await street.work(first) == []
    (work,) = await street.work(other)
    assert await town.stock("LAMP", here) == (5, 0), "a refusal for another reason says nothing of the shelf"
    assert await street.press(work, "accept") == "accepted"
    assert await street.press(work, "pick", lines=[{"sku": "LAMP", "quantity": 3}]) == "accepted"
    await street.press(work, "short", lines=[{"sku": "LAMP", "quantity": 1}], stock="quantity")
    assert sorted(await town.slices(order["id"]), key=str) == [(1, "unallocated", None), (3, "picked", there)]
    assert await street.press(work, "pack") == "packed"
    box = {"tracking": "1Z-A", "carrier": "ups", "lines": [{"sku": "LAMP", "quantity": 2}]}
    assert await street.press(work, "ship", parcels=[box], shipment="box-1") == "packed"
    assert await street.told(placed) == [(("1Z-A",), 2)]
    assert await street.press(work, "ship", parcels=[{"tracking": "1Z-B", "carrier": "ups"}]) == "shipped"
    assert await street.told(placed) == [(("1Z-A",), 2), (("1Z-B",), 1)]
    assert await town.stock("LAMP", there) == (1, 0), "three left, one was not found"
    kinds = await town.timeline(order["id"])
    wanted = ["released", "refused", "released", "accepted", "picked", "short", "packed", "shipped", "shipped"]
    assert [kind for kind in kinds if kind in set(wanted)] == wanted


async def test_what_a_store_cannot_do_is_said_and_changes_nothing(street: Street, counter: Counter) -> None:
    town = street.town
    _, order = await town.buy([("LAMP", 2)])
    (work,) = [*await street.work("NEAR"), *await street.work("FAR")]
    path = f"/fulfilment-orders/{work}"
    before = await town.slices(order["id"])
    too_many = await counter.refused("POST", f"{path}/pick", {"lines": [{"sku": "LAMP", "quantity": 9}]})
    assert too_many["errors"][0]["pointer"] == "/lines/0/quantity"
    unknown = await counter.refused("POST", f"{path}/ship", {"parcels": [{"lines": [{"sku": "MUG", "quantity": 1}]}]})
    assert unknown["errors"][0]["pointer"] == "/parcels/0/lines/0"
    assert (await counter.refused("POST", f"{path}/put-back"))["type"].endswith("nothing-to-do")
    assert await town.slices(order["id"]) == before
    await street.press(work, "ship")
    assert (await counter.refused("POST", f"{path}/accept"))["type"].endswith("nothing-to-do")
    assert [(units, state) for units, state, _ in await town.slices(order["id"])] == [(2, "shipped")]


async def test_a_node_with_a_system_of_its_own_is_not_worked_by_hand(town: Town, counter: Counter) -> None:
    _, order = await town.buy([("PASS", 1)])
    refused = await counter.refused("POST", f"/fulfilment-orders/{order['id']}-1/ship")
    assert refused["type"].endswith("partner-speaks")
    assert await town.slices(order["id"]) == [(1, "accepted", town.east)]
