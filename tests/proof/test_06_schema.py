"""Test 6: no operation of the API answers anything that its OpenAPI document does not promise, least of all a 5xx."""

import asyncio

from tests.proof.contract import probe
from tests.proof.sale import Sale

EXAMPLES = 1
"""Of each operation; `make faults` takes 200."""


async def test_every_operation_answers_what_the_document_promises(sale: Sale) -> None:
    called = await asyncio.to_thread(probe, sale.url, sale.token, EXAMPLES)
    assert len(called) > 60
    await sale.house.verify()
