"""Test 1: whatever way orders come in, what there is is promised once, shelf by shelf, and nobody is refused."""

import pytest

from tests.proof.sale import WAYS, Sale, check

ORDERS = 120
"""For a hundred lamps. A thousand, over 32 and over 1,000 connections: `python -m tests.faults.run --kind oversell`."""


@pytest.mark.parametrize("way", WAYS)
async def test_a_hundred_lamps_are_promised_once(sale: Sale, way: str) -> None:
    answers = await WAYS[way](sale, ORDERS, 32)
    await sale.at_rest()
    await check(sale, ORDERS, answers)
