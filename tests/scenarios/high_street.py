"""Two stores and a warehouse that are worked through the hub: what is ordered, and what is done at the counter."""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import msgspec

from tests.scenarios.counter import Counter, open_counter
from tests.scenarios.house import House

_numbers = count(1)

RULES = 'version = "{version}"\n[hours]\nopens = 00:00:00\ncloses = 23:59:59\n{more}'


@dataclass(kw_only=True)
class HighStreet:
    """Handles on everything a scenario touches."""

    house: House
    counter: Counter
    nodes: dict[str, int] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)

    async def goods(self, sku: str, **units: int) -> None:
        """An item, with units on shelves by node code."""
        self.items[sku] = await self.house.item(sku)
        for code, there in units.items():
            await self.house.shelf(self.nodes[code], self.items[sku], there)

    async def rules(self, more: str) -> None:
        """Other rules of pick-up; the stores never close."""
        text = RULES.format(version=f"v{next(_numbers)}", more=more)
        made = await self.counter.ok("POST", "/policies", {"kind": "pick_up", "text": text})
        await self.counter.ok("POST", f"/policies/{made['id']}/activate")

    async def order(
        self, *lines: tuple[str, int], at: str | None = None, service: str | None = None, **more: Any
    ) -> dict[str, Any]:
        """Somebody orders, to collect at a node or to be shipped; the order as the API shows it."""
        group: dict[str, Any] = {"method": "pick_up", "pickup_location": at} if at else {"method": "ship"}
        group |= {"place": {"country": "DE", "latitude": 52.4, "longitude": 13.3}, "service": service}
        body = {
            "external_id": f"O-{next(_numbers)}",
            "currency": "EUR",
            "lines": [{"external_id": sku, "sku": sku, "quantity": units, "subtotal": 1000} for sku, units in lines],
            "groups": [group],
            **more,
        }
        return await self.told("/orders", body)

    async def told(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """A revision of an order, while somebody takes up what is stored; the order, when all has come to rest."""
        answer = await self.counter.capture(path, body)
        assert answer.status_code == 201, answer.text
        return await self.look(answer.json()["id"])

    async def look(self, id: str) -> dict[str, Any]:
        """An order, when all has come to rest."""
        await self.house.everything()
        found: dict[str, Any] = await self.counter.ok("GET", f"/orders/{id}")
        return found

    async def work(self, fulfilment: str, *verbs: str, **body: Any) -> dict[str, Any]:
        """What a node does with a fulfilment order; the last answer."""
        found: dict[str, Any] = {}
        for verb in verbs:
            found = await self.counter.ok("POST", f"/fulfilment-orders/{fulfilment}/{verb}", body or None)
        await self.house.everything()
        return found

    async def code(self, order: str, **body: Any) -> str:
        """The customer's code."""
        made = await self.counter.ok("POST", f"/orders/{order}/pick-up-code", body or None)
        return str(made["code"])

    async def later(self, **time: float) -> int:
        """Time passes: every deadline comes nearer by so much, then the clock does its work."""
        passed = timedelta(**time)
        await self.house.run("UPDATE fulfilment_order SET accept_by = accept_by - $1::interval", passed)
        await self.house.run("UPDATE fulfilment_order SET collect_by = collect_by - $1::interval", passed)
        await self.house.run("UPDATE offer SET until = until - $1::interval", passed)
        did = 0
        while done := await self.house.worker.performer.meet_deadlines():
            did += done
        await self.house.everything()
        return did

    async def stock(self, sku: str, code: str) -> tuple[int, int, int]:
        """(sellable, pinned, in transit to it) of an item at a node."""
        rows = await self.house.rows(
            "SELECT sellable, pinned, in_transit FROM stock WHERE item_id = $1 AND node_id = $2",
            self.items[sku],
            self.nodes[code],
        )
        return (rows[0]["sellable"], rows[0]["pinned"], rows[0]["in_transit"]) if rows else (0, 0, 0)

    async def kinds(self, order: str) -> list[str]:
        """What happened to an order, in order."""
        rows = await self.house.rows("SELECT kind FROM timeline WHERE order_id = $1 ORDER BY id", order)
        return [row["kind"] for row in rows]


def slices(order: dict[str, Any]) -> list[tuple[int, str, str | None]]:
    """(units, state, node) of everything that is still wanted."""
    return [
        (part["quantity"], part["state"], part["node"])
        for line in order["lines"]
        for demand in line["demands"]
        for part in demand["slices"]
        if part["state"] != "cancelled"
    ]


async def open_high_street(house: House) -> HighStreet:
    """MITTE and NORD are stores, DEPOT is a warehouse; each is worked through the hub."""
    await house.serve()
    made = HighStreet(house=house, counter=await open_counter(house))
    for code, kind, latitude in (("MITTE", "store", 52.5), ("NORD", "store", 52.6), ("DEPOT", "dc", 51.0)):
        address = msgspec.json.encode({"company": code, "lines": ["1 Street"], "country": "DE"}).decode()
        made.nodes[code] = await house.node(code, kind=kind, latitude=latitude, longitude=13.4, address=address)
        await house.run(
            "UPDATE node SET capabilities = '{ship,pick_up}', calendar = '{\"weekdays\": [0, 1, 2, 3, 4, 5, 6]}' "
            "WHERE code = $1",
            code,
        )
    return made
