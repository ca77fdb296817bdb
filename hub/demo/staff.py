"""The people in the stores: through the API they work the fulfilment orders of nodes that nobody else speaks for."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.demo.api import ApiFault, HubApi
from hub.sdk.testkit.player import Dispatch
from hub.store.database import Database

ROUND_SECONDS: Final = 0.3
REFUSED: Final = 0.03
SHORT: Final = 0.04
LABEL_SECONDS: Final = 120.0
"""How long somebody waits for the label printer before he takes a form from the drawer."""

MEANWHILE: Final = (0, 409, 503)
"""Answers after which the next round looks again: the order changed under our hands, or the hub is busy."""

OPEN: Final = ("released", "accepted", "picked", "packed")

View = dict[str, Any]

# The label that the hub bought once the units were packed; the API does not show it yet.
LABEL: Final = (
    "SELECT tracking, document::json ->> 'carrier' AS carrier FROM label "
    "WHERE order_id = $1 AND fulfilment_no = $2 AND voided_at IS NULL"
)


@dataclass(kw_only=True)
class Staff:
    """Works the stores. `shelves` is what lies there; `missing` counts units that were asked for and not there."""

    api: HubApi
    database: Database
    shelves: dict[str, Counter[str]]
    seed: int
    dispatched: list[Dispatch] = field(default_factory=list)
    missing: int = 0
    _desk: set[str] = field(default_factory=set)
    _packed_at: dict[str, float] = field(default_factory=dict)
    _taken: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    _short: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    async def work(self) -> None:
        """Work until cancelled."""
        while True:
            await self.round()
            await asyncio.sleep(ROUND_SECONDS)

    async def round(self) -> None:
        """Look at everything once: what is new, and what was begun. Raises `ApiFault` unless it passes by itself."""
        try:
            new = [one["id"] async for one in self.api.every("/fulfilment-orders", by_hand="true", state="released")]
            self._desk.update(new)
            for fulfilment in sorted(self._desk):
                await self._go_on(await self.api.call("GET", f"/fulfilment-orders/{fulfilment}"))
        except ApiFault as fault:
            if fault.status not in MEANWHILE:
                raise

    async def _go_on(self, view: View) -> None:
        """Take a fulfilment order as far as it goes now."""
        mood = random.Random(f"{self.seed}:{view['id']}").random()
        if view["status"] == "released":
            if mood < REFUSED:
                view = await self._do(view, "refuse", {"reason": "too few people today"})
            else:
                view = await self._do(view, "accept")
        if view["status"] == "accepted":
            view = await self._pick(view, broken=mood < REFUSED + SHORT)
        if view["status"] == "picked":
            view = await self._do(view, "pack")
        if view["status"] == "packed":
            view = await self._ship(view)
        if view["status"] not in OPEN:
            self._close(view)

    async def _do(self, view: View, verb: str, document: object = None) -> View:
        answer: View = await self.api.call("POST", f"/fulfilment-orders/{view['id']}/{verb}", document)
        return answer

    async def _pick(self, view: View, *, broken: bool) -> View:
        """Take what is there from the shelf, once; say what is not."""
        if view["id"] not in self._taken:
            self._short[view["id"]] = self._take(view, broken=broken)
        short = self._short[view["id"]]
        if short:
            view = await self._do(view, "short", {"lines": short, "reason": "broken or not on the shelf"})
            self._short[view["id"]] = []
        return await self._do(view, "pick") if view["status"] == "accepted" else view

    def _take(self, view: View, *, broken: bool) -> list[dict[str, object]]:
        """Empty the shelf of what is wanted; answers the lines that fall short. The first of a broken lot is waste."""
        shelf, taken = self.shelves[view["node"]], self._taken.setdefault(view["id"], [])
        short: list[dict[str, object]] = []
        for line in view["lines"]:
            units, sku = line["quantity"], line["sku"]
            there = min(units, shelf[sku])
            self.missing += units - there
            shelf[sku] -= there
            if broken and there and not short:
                there -= 1
            taken.append((sku, there))
            if there < units:
                short.append({"line": line["line"], "quantity": units - there})
        return short

    async def _ship(self, view: View) -> View:
        order, _, number = view["id"].rpartition("-")
        async with self.database.connection() as connection:
            label = await connection.fetchrow(LABEL, order, int(number))
        since = self._packed_at.setdefault(view["id"], time.monotonic())
        if label is None and time.monotonic() - since < LABEL_SECONDS:
            return view
        tracking, carrier = (label["tracking"], label["carrier"]) if label else (f"1Z{order[-16:]}", "ups")
        # The number makes a repeat after a lost answer the same shipment.
        document = {"shipment": "1", "parcels": [{"tracking": tracking, "carrier": carrier}]}
        return await self._do(view, "ship", document)

    def _close(self, view: View) -> None:
        """Enter what left into the store's book; put back what was taken for an order that was stopped."""
        self._desk.discard(view["id"])
        for sku, units in self._taken.pop(view["id"], ()):
            if not view["shipments"]:
                self.shelves[view["node"]][sku] += units
            elif units:
                self.dispatched.append(Dispatch(fulfilment=view["id"], location=view["node"], sku=sku, quantity=units))


def shelves_of(stock: Mapping[str, Mapping[str, int]]) -> dict[str, Counter[str]]:
    """Countable shelves of a world's stock."""
    return {node: Counter(levels) for node, levels in stock.items()}
