"""Sixty-four writers on one SKU for five seconds (a minute in `make faults`): the invariant is never broken."""

from tests.proof.sale import Sale
from tests.proof.writers import refused, write


async def test_sixty_four_writers_on_one_sku_break_nothing(sale: Sale) -> None:
    done = await write(sale, 5.0)
    assert refused(done) == [], done
    assert done["looks"] >= 5
    assert done["order 201"] + done["order 202"] > 0
    assert done["cart 201"] + done["cart 409"] > 0
