"""The whole life of orders, in short: goods and money are conserved, every effect is once, nothing is stuck."""

from pathlib import Path

import pytest

from tests.property.life.machine import live


@pytest.mark.timeout(240)
def test_whatever_happens_in_whatever_order_all_books_agree(
    database_url: str, queue_url: str, engine_folder: Path
) -> None:
    runs, steps = live((database_url, queue_url), engine_folder, runs=3, steps=25)
    assert runs >= 3
    assert steps >= 40
