"""Test 12: processes are replaced one after the other under fifty orders a second; every delivery is acknowledged."""

import asyncio

import pytest

from tests.proof.rolling import Balancer, RollingHub
from tests.proof.running import running_sale
from tests.proof.sale import OTHER


@pytest.mark.timeout(120)
async def test_web_processes_are_replaced_under_load_and_no_acknowledgement_fails() -> None:
    hub = RollingHub()
    async with running_sale(hub) as sale:
        requests = sale.deliveries(sale.quietly(OTHER, 3000), "orders/create")
        balancer, stop = Balancer(hub.ports), asyncio.Event()
        load = asyncio.create_task(balancer.send_at(requests, 50.0, stop))
        for name in ("web", "web-2", "worker-1"):
            await hub.replace(name)
        stop.set()
        sent = await load
        await sale.at_rest()
        assert balancer.answers == {200: sent}
        assert await sale.house.value("SELECT count(*) FROM customer_order") == sent
        await sale.house.verify()
