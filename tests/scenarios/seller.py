"""A seller with a till in the town: sales over the counter, and what the till knows of its shelves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.square.harness import simulator
from adapters.square.simulator import SquareSimulator
from tests.scenarios.town import Town

KEY = "sig-of-the-till"


@asynccontextmanager
async def open_seller(town: Town, **config: object) -> AsyncIterator[SquareSimulator]:
    """A seller that knows the passer-by's goods, connected as `till`. In the end it must have seen no violation."""
    async with simulator() as made:
        made.sell("PASS", price=100)
        url = f"{town.house.url}/webhooks/till"
        signs_in = {
            "merchant_id": made.merchant_id,
            "signature_key": KEY,
            "application_id": made.application_id,
            "application_secret": made.application_secret,
            "refresh_token": made.refresh_token,
            "notification_url": url,
            "base_url": made.base_url,
        }
        await town.house.connect("till", "square", {**signs_in, **config})
        made.listener = (url, KEY)
        yield made
        assert made.violations == []
