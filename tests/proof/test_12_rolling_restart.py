"""Test 12: processes are replaced one after the other under load; every delivery is acknowledged."""

import pytest

from tests.proof.rolling import RollingHub, replace_under_load
from tests.proof.running import running_sale


@pytest.mark.timeout(120)
async def test_a_web_process_is_replaced_under_load_and_no_acknowledgement_fails() -> None:
    hub = RollingHub()
    async with running_sale(hub) as sale:
        balancer, sent = await replace_under_load(hub, sale, ["web"], per_second=50.0)
        assert balancer.answers == {200: sent}
        assert await sale.house.value("SELECT count(*) FROM customer_order") == sent
        await sale.house.verify()
