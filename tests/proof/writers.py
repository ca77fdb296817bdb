"""Sixty-four writers on one SKU: orders, carts, cancellations, deliveries of goods, all at once; and a watcher."""

import asyncio
import random
import time
from collections import Counter
from typing import Any, Final

import msgspec

from hub.store.verify import verify_stock
from tests.proof.crowd import read_answer
from tests.proof.sale import LAMP, Sale

WRITERS: Final = 64
LOOK_SECONDS: Final = 0.2
# One snapshot of everything: what is promised at a node lies there, and what carts were granted is there besides.
BROKEN: Final = (
    "SELECT (SELECT count(*) FROM stock WHERE pinned > sellable) AS oversold, "
    "(SELECT count(*) FROM stock WHERE pinned < 0) AS negative"
)


class Client:
    """One writer's connection to the API."""

    def __init__(self, sale: Sale, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._sale, self._reader, self._writer = sale, reader, writer

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and document of an answer."""
        raw = b"" if body is None else msgspec.json.encode(body)
        head = (
            f"{method} /api/v1{path} HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {self._sale.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
        )
        self._writer.write(head.encode() + raw)
        status, answer = await read_answer(self._reader)
        return status, msgspec.json.decode(answer) if answer else None

    def close(self) -> None:
        """Hang up."""
        self._writer.transport.abort()


async def write(sale: Sale, seconds: float, seed: int = 1) -> Counter[str]:
    """Let all write for so long; what was done how often, as "what status". The invariant is watched all the time."""
    host, _, port = sale.url.removeprefix("http://").partition(":")
    done: Counter[str] = Counter()
    until = time.monotonic() + seconds

    async def writer(number: int) -> None:
        chance = random.Random(seed * 1000 + number)
        client = Client(sale, *await asyncio.open_connection(host, int(port)))
        try:
            mine: list[str] = []
            count = 0
            while time.monotonic() < until:
                count += 1
                what, status = await _write_once(client, chance, mine, f"{number}-{count}")
                done[f"{what} {status}"] += 1
        finally:
            client.close()

    writing = asyncio.gather(*(writer(number) for number in range(WRITERS)))
    while not writing.done():
        await asyncio.wait((writing,), timeout=LOOK_SECONDS)
        await _look(sale)
        done["looks"] += 1
    writing.result()
    await sale.at_rest()
    await _look(sale)
    return done


async def _write_once(client: Client, chance: random.Random, mine: list[str], name: str) -> tuple[str, int]:
    """One write; `mine` holds paths of what this writer may still undo."""
    pick = chance.random()
    if pick < 0.35:
        line = {"external_id": "1", "sku": LAMP, "quantity": chance.randint(1, 2)}
        status, made = await client.call(
            "POST", "/orders", {"external_id": f"W-{name}", "currency": "USD", "lines": [line]}
        )
        if status == 201:
            mine.append(f"/orders/{made['id']}/cancel")
        return "order", status
    if pick < 0.6:
        cart = {"lines": [{"sku": LAMP, "quantity": 1}], "ttl_seconds": 60}
        status, made = await client.call("POST", "/reservations", cart)
        if status == 201:
            mine.append(f"/reservations/{made['id']}")
        return "cart", status
    if pick < 0.75 or not mine:
        node = f"NODE-{chance.randrange(3)}"
        report = {"source": "dock", "kind": "delta", "lines": [{"node": node, "sku": LAMP, "delta": 1}]}
        return "goods", (await client.call("PUT", "/stock", report))[0]
    path = mine.pop(chance.randrange(len(mine)))
    if path.endswith("/cancel"):
        return "cancel", (await client.call("POST", path, {}))[0]
    return "uncart", (await client.call("DELETE", path))[0]


async def _look(sale: Sale) -> None:
    """Everything as of one moment: counters equal what they are made of, and nothing is promised twice."""
    async with (
        sale.house.parts.database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        assert await verify_stock(connection) == []
        found = await connection.fetchrow(BROKEN)
    assert found is not None
    assert dict(found) == {"oversold": 0, "negative": 0}


def refused(done: Counter[str]) -> list[str]:
    """Answers that nobody should get: a cart may be told that there is no more, and a cancel that it came too late."""
    return [what for what in done if " " in what and what.split()[1] not in ("200", "201", "202", "204", "409")]
