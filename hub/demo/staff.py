"""The people in the stores: they work, through the API, the fulfilment orders of nodes that no other system speaks for."""

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
LABEL_SECONDS: Final = 20.0
"""How long somebody waits for the label printer before he takes a form from the drawer."""

MEANWHILE: Final = (0, 409, 503)
"""Answers after which the next round looks again: the order changed under our hands, or the hub is busy."""

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

    async def work(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                new = [
                    one["id"] async for one in self.api.every("/fulfilment-orders", by_hand="true", state="released")
                ]
                self._desk.update(new)
                for fulfilment in sorted(self._desk):
                    await self._go_on(await self.api.call("GET", f"/fulfilment-orders/{fulfilment}"))
            except ApiFault as fault:
                if fault.status not in MEANWHILE:
                    raise
            await asyncio.sleep(ROUND_SECONDS)

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
        if view["status"] not in ("released", "accepted", "picked", "packed"):
            self._desk.discard(view["id"])

    async def _do(self, view: View, verb: str, document: object = None) -> View:
        answer: View = await self.api.call("POST", f"/fulfilment-orders/{view['id']}/{verb}", document)
        return answer

    async def _pick(self, view: View, *, broken: bool) -> View:
        """Take what is there from the shelf; say what is not. The first of a broken lot is thrown away."""
        shelf = self.shelves[view["node"]]
        short: list[dict[str, object]] = []
        for line in view["lines"]:
            units, sku = line["quantity"], line["sku"]
            missing = max(0, units - shelf[sku])
            self.missing += missing
            if broken and not short and not missing:
                missing = 1
                shelf[sku] -= 1
            if missing:
                short.append({"line": line["line"], "quantity": missing})
        if short:
            view = await self._do(view, "short", {"lines": short, "reason": "broken or not on the shelf"})
        return await self._do(view, "pick") if view["status"] == "accepted" else view

    async def _ship(self, view: View) -> View:
        order, _, number = view["id"].rpartition("-")
        async with self.database.connection() as connection:
            label = await connection.fetchrow(LABEL, order, int(number))
        since = self._packed_at.setdefault(view["id"], time.monotonic())
        if label is None and time.monotonic() - since < LABEL_SECONDS:
            return view
        tracking, carrier = (label["tracking"], label["carrier"]) if label else (f"1Z{order[-16:]}", "ups")
        packed = [(line["sku"], line["quantity"]) for line in view["lines"] if line["state"] == "packed"]
        # The number makes a repeat after a lost answer the same shipment.
        document = {"shipment": "1", "parcels": [{"tracking": tracking, "carrier": carrier}]}
        view = await self._do(view, "ship", document)
        for sku, units in packed:
            self.shelves[view["node"]][sku] -= units
            self.dispatched.append(Dispatch(fulfilment=view["id"], location=view["node"], sku=sku, quantity=units))
        return view


def shelves_of(stock: Mapping[str, Mapping[str, int]]) -> dict[str, Counter[str]]:
    """Countable shelves of a world's stock."""
    return {node: Counter(levels) for node, levels in stock.items()}
