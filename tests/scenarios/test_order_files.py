"""Order files from the drop to the shelf and back: dropped and uploaded, good rows and bad, twice and corrected."""

from collections.abc import AsyncIterator

import httpx
import pytest

from adapters.order_files.simulator import Order, OrderFilesPartner
from tests.scenarios.town import Town


@pytest.fixture
async def partner(town: Town) -> AsyncIterator[OrderFilesPartner]:
    """A sender whose files the town's hub takes."""
    async with OrderFilesPartner() as made:
        await town.house.connect(
            "files",
            "order_files",
            {
                "channel": "wholesale",
                "webhook_secret": made.secret,
                "base_url": made.base_url,
                "username": made.username,
                "password": made.password,
                "host_keys": [made.host_key],
                "settle_seconds": 0,
            },
        )
        await town.house.run(
            "INSERT INTO schedule (connection_id, operation, every_seconds) VALUES ('files', 'orders', 30)"
        )
        made.hub_url = f"{town.house.url}/webhooks/files"
        yield made
        assert made.violations == []


async def pulled(town: Town) -> None:
    await town.house.pull("files", "orders")
    await town.settle()


async def state(town: Town, order: Order) -> list[tuple[int, str]]:
    number = await town.house.value("SELECT id FROM customer_order WHERE external_id = $1", order.number)
    return [(units, where) for units, where, _ in await town.slices(number)]


async def counted(town: Town) -> int:
    return int(await town.house.value("SELECT count(*) FROM customer_order"))


async def test_a_dropped_file_is_sent_to_a_warehouse_and_told_of_what_left(
    town: Town, partner: OrderFilesPartner
) -> None:
    orders = [partner.place_order([("PASS", units)]) for units in (1, 2)]
    partner.drop_orders("monday.csv", orders)
    await pulled(town)
    assert [await state(town, order) for order in orders] == [[(1, "accepted")], [(2, "accepted")]]
    assert [name.partition("-")[2] for name in partner.within("orders/archive")] == ["monday.csv"]
    number = await town.house.value("SELECT id FROM customer_order WHERE external_id = $1", orders[1].number)
    town.depot.ship(town.asked(number))
    await town.settle()
    (confirmation,) = partner.within("confirmations").values()
    header, row = confirmation.decode().split()
    told = dict(zip(header.split(","), row.split(","), strict=True))
    assert (told["order_number"], told["line_id"], told["quantity"]) == (orders[1].number, "1", "2")
    assert told["tracking"]


async def test_a_file_that_comes_again_has_one_effect(town: Town, partner: OrderFilesPartner) -> None:
    order = partner.place_order([("PASS", 1)])
    body = partner.drop_orders("monday.csv", [order])
    await pulled(town)
    for name in ("monday.csv", "monday-again.csv"):
        partner.drop(f"orders/{name}", body)
        await pulled(town)
    partner.upload("monday.csv", body)
    await partner.delivered()
    await town.settle()
    assert await counted(town) == 1
    assert len(town.depot.orders) == 1
    assert await state(town, order) == [(1, "accepted")]
    assert len(partner.within("orders/archive")) == 3
    assert await town.house.open_exceptions() == []


async def test_bad_rows_are_parked_with_their_line_and_the_others_go_on(town: Town, partner: OrderFilesPartner) -> None:
    orders = [partner.place_order([("PASS", 1)]) for _ in range(3)]
    lines = partner.table(orders).split(b"\r\n")
    lines[2] = b"," + lines[2].partition(b",")[2]
    partner.drop("orders/monday.csv", b"\r\n".join(lines))
    await pulled(town)
    assert await counted(town) == 2
    (found,) = await town.house.open_exceptions()
    assert "monday.csv, line 3: no order number" in found["cause"]


async def test_a_file_that_is_none_lies_in_the_error_folder_and_raises_an_exception(
    town: Town, partner: OrderFilesPartner
) -> None:
    partner.drop("orders/monday.json", b'{"order_number": ')
    partner.drop_orders("tuesday.csv", [partner.place_order([("PASS", 1)])])
    await pulled(town)
    assert await counted(town) == 1
    assert len(partner.within("orders/error")) == 2
    (found,) = await town.house.open_exceptions()
    assert found["kind"] == "fetch_failed"
    assert "no JSON" in found["cause"]


async def test_an_uploaded_correction_amends(town: Town, partner: OrderFilesPartner) -> None:
    await town.goods("RARE")
    order = partner.place_order([("RARE", 1)])
    partner.upload("monday.csv", partner.table([order]))
    await partner.delivered()
    await town.settle()
    order.lines[0].quantity = 3
    partner.upload("monday.csv", partner.table([order]))
    await partner.delivered()
    await town.settle()
    assert await counted(town) == 1
    assert sorted(await state(town, order)) == [(1, "unallocated"), (2, "unallocated")]


async def test_an_unsigned_upload_is_refused(town: Town, partner: OrderFilesPartner) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(partner.hub_url or "", content=b"order_number\n1\n")
    assert answer.status_code == 401
    assert await town.house.value("SELECT count(*) FROM message WHERE connection_id = 'files'") == 0


async def test_a_partner_that_is_away_is_pulled_later(town: Town, partner: OrderFilesPartner) -> None:
    partner.drop_orders("monday.csv", [partner.place_order([("PASS", 1)])])
    partner.faults.outage = True
    await town.house.run("UPDATE schedule SET next_due_at = now()")
    await town.house.worker.puller.run()
    assert await town.house.value("SELECT last_error FROM schedule WHERE connection_id = 'files'")
    partner.faults.outage = False
    await pulled(town)
    assert await counted(town) == 1
