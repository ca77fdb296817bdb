"""A merchant whose warehouse is an Odoo, and what the hub asks of it."""

from collections.abc import Sequence

import msgspec

from adapters.odoo.fulfil import cancel_fulfilment, submit_fulfilment
from adapters.odoo.harness import HARNESS
from adapters.odoo.harness_warehouse import SUBMIT
from adapters.odoo.settings import Settings
from adapters.odoo.simulator import OdooSimulator
from adapters.odoo.tests.shop import Meddle, Meddler
from hub.domain.facts import AnyFact, GoodsShipped
from hub.sdk.adapter import Message
from hub.sdk.capabilities import FulfilmentCancel, FulfilmentRequest, Pulled
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused
from hub.sdk.testkit.bench import Bench, outcome_of
from hub.sdk.testkit.reading import read
from hub.sdk.testkit.samples import FULFILMENT_CANCEL, FULFILMENT_ID

F = FULFILMENT_ID
MUG, TEE = SUBMIT.lines


class Depot:
    """Asks the warehouse, and reads what it says."""

    def __init__(self, bench: Bench, simulator: OdooSimulator, settings: Settings) -> None:
        self.bench = bench
        self.odoo = simulator
        self.floor = simulator.floor
        self.settings = settings

    def set(self, **changes: object) -> None:
        self.settings = msgspec.structs.replace(self.settings, **changes)

    def stock(self, **units: int) -> None:
        for name, count in units.items():
            sku = name.replace("_", "-")
            self.odoo.add_product(sku)
            self.floor.stock(sku, count)

    async def submit(
        self, request: FulfilmentRequest = SUBMIT, meddle: Meddle | None = None, **changes: object
    ) -> Outcome:
        async with self.bench.context() as context:
            context = msgspec.structs.replace(context, settings=self.settings)
            if meddle is not None:
                context = msgspec.structs.replace(context, client=Meddler(context.client, meddle))
            return await outcome_of(submit_fulfilment(context, msgspec.structs.replace(request, **changes)))

    async def done(self, request: FulfilmentRequest = SUBMIT, **changes: object) -> Done:
        outcome = await self.submit(request, **changes)
        assert isinstance(outcome, Done), outcome
        return outcome

    async def refused(self, request: FulfilmentRequest = SUBMIT, **changes: object) -> Refused:
        outcome = await self.submit(request, **changes)
        assert isinstance(outcome, Refused), outcome
        return outcome

    async def blocked(self, request: FulfilmentRequest = SUBMIT, **changes: object) -> NeedsPerson:
        outcome = await self.submit(request, **changes)
        assert isinstance(outcome, NeedsPerson), outcome
        return outcome

    async def cancel(self, request: FulfilmentCancel = FULFILMENT_CANCEL, meddle: Meddle | None = None) -> Outcome:
        async with self.bench.context() as context:
            context = msgspec.structs.replace(context, settings=self.settings)
            if meddle is not None:
                context = msgspec.structs.replace(context, client=Meddler(context.client, meddle))
            return await outcome_of(cancel_fulfilment(context, request))

    async def pull(self, name: str, cursor: str | None = None) -> tuple[list[Pulled], str | None]:
        items: list[Pulled] = []
        async with self.bench.context() as context:
            context = msgspec.structs.replace(context, settings=self.settings)
            async for page in self.bench.adapter.pulls[name].pages(context, cursor):
                items += page.items
                cursor = page.cursor
        return items, cursor

    async def facts(self, name: str = "status") -> list[Message]:
        items, _ = await self.pull(name)
        return [fact for item in items for fact in read(HARNESS, item.topic, item.body)]

    async def shipped(self) -> list[tuple[str | None, dict[str, int]]]:
        """Tracking number and units by line of each shipment."""
        found = [fact for fact in await self.facts() if isinstance(fact, GoodsShipped)]
        return [(one.parcels[0].tracking, {p.line: p.quantity for p in one.parcels[0].lines}) for one in found]


def kinds(facts: Sequence[AnyFact | Message]) -> list[str]:
    return [type(fact).__name__ for fact in facts]
