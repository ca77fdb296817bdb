"""A merchant with a Business Central."""

from collections.abc import AsyncIterator
from decimal import Decimal

import msgspec
import pytest

from adapters.business_central.harness import HARNESS
from adapters.business_central.post import post
from adapters.business_central.settings import Settings
from adapters.business_central.simulator import BusinessCentralSimulator
from hub.sdk.outcomes import Done, NeedsPerson, Outcome
from hub.sdk.posting import PostingRequest
from hub.sdk.testkit.bench import Bench, bench, outcome_of


class Shop:
    """Posts documents and looks into the books."""

    def __init__(self, bench: Bench, simulator: BusinessCentralSimulator, settings: Settings) -> None:
        self.bench = bench
        self.simulator = simulator
        self.books = simulator.books
        self.settings = settings

    def set(self, **changes: object) -> None:
        self.settings = msgspec.structs.replace(self.settings, **changes)

    async def post(self, request: PostingRequest) -> Outcome:
        async with self.bench.context() as context:
            return await outcome_of(post(msgspec.structs.replace(context, settings=self.settings), request))

    async def done(self, *requests: PostingRequest) -> list[Done]:
        outcomes = []
        for request in requests:
            outcome = await self.post(request)
            assert isinstance(outcome, Done), outcome
            outcomes.append(outcome)
        return outcomes

    async def blocked(self, request: PostingRequest) -> NeedsPerson:
        outcome = await self.post(request)
        assert isinstance(outcome, NeedsPerson), outcome
        return outcome


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with bench(HARNESS) as trial:
        assert isinstance(trial.simulator, BusinessCentralSimulator)
        assert isinstance(trial.settings, Settings)
        for sku in ("MUG-RED", "TEE-M"):
            trial.simulator.books.add_item(sku, inventory=Decimal(100))
        yield Shop(trial, trial.simulator, trial.settings)
