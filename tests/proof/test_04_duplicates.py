"""Test 4: each webhook comes three times, all of them shuffled."""

from tests.proof.duplicates import check, tell_thrice
from tests.proof.sale import Sale


async def test_three_of_each_in_any_order_are_one_order_each(sale: Sale) -> None:
    told = await tell_thrice(sale, 120, connections=16)
    await sale.at_rest()
    await check(sale, told)
