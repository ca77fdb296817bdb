import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from litestar import Request, Response, get, post

from hub.sdk.testkit.listening import heard
from hub.sdk.testkit.simulator import Faults, Sent, Simulator


class Till(Simulator):
    """Counts what it was asked to do."""

    vendor = "till"

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.rung = 0

    def routes(self) -> Sequence[Any]:
        @post("/ring", status_code=201)
        async def ring() -> dict[str, int]:
            self.rung += 1
            return {"rung": self.rung}

        @get("/_books")
        async def books() -> dict[str, int]:
            return {"rung": self.rung}

        return [ring, books]

    def throttled(self) -> tuple[int, dict[str, str], bytes]:
        return 200, {"content-type": "application/json"}, b'{"errors":["THROTTLED"]}'


class Shop(Simulator):
    """Receives deliveries; answers from a list, then 200."""

    def __init__(self, *statuses: int) -> None:
        super().__init__()
        self.received: list[bytes] = []
        self.statuses = list(statuses)

    def routes(self) -> Sequence[Any]:
        @post("/_in")
        async def receive(request: Request[Any, Any, Any]) -> Response[Any]:
            self.received.append(await request.body())
            return Response(None, status_code=self.statuses.pop(0) if self.statuses else 200)

        return [receive]


@asynccontextmanager
async def till(**more: Any) -> AsyncIterator[tuple[Till, httpx.AsyncClient]]:
    async with Till(**more) as simulator, httpx.AsyncClient(base_url=simulator.base_url, verify=False) as client:
        yield simulator, client


async def test_serves_and_counts() -> None:
    async with till() as (simulator, client):
        assert (await client.post("/ring")).json() == {"rung": 1}
        assert simulator.calls == {"/ring": 1}
        assert simulator.base_url.startswith("http://127.0.0.1:")


async def test_lost_reply_acts_and_breaks_the_connection_without_a_word() -> None:
    async with till(faults=Faults(lost_reply=1.0)) as (simulator, client):
        with heard() as lines, pytest.raises(httpx.RemoteProtocolError):
            await client.post("/ring")
        assert simulator.rung == 1
    assert not [line for line in lines if "rror" in line.replace("uvicorn.error", "")]


async def test_mistake_of_a_simulator_is_told() -> None:
    async with till() as (simulator, client):
        simulator.rung = "three"  # type: ignore[assignment]
        with heard() as lines:
            assert (await client.post("/ring")).status_code == 500
    assert [line for line in lines if "simulator.broken" in line and "TypeError" in line]


async def test_script_befalls_the_next_requests_in_order() -> None:
    async with till() as (simulator, client):
        simulator.script.extend(["server_error", None, "throttle"])
        statuses = [(await client.post("/ring")).status_code for _ in range(4)]
        assert statuses == [503, 201, 200, 201]
        assert simulator.rung == 2


async def test_outage_spares_the_simulators_own_paths() -> None:
    async with till(faults=Faults(outage=True)) as (_, client):
        assert (await client.post("/ring")).status_code == 503
        assert (await client.get("/_books")).json() == {"rung": 0}


async def test_same_seed_same_faults() -> None:
    async def statuses() -> list[int]:
        async with till(seed=7, faults=Faults(server_error=0.5)) as (_, client):
            return [(await client.post("/ring")).status_code for _ in range(12)]

    first = await statuses()
    assert first == await statuses()
    assert set(first) == {201, 503}


async def test_starts_and_stops_quickly_and_frees_its_port() -> None:
    started = time.perf_counter()
    for _ in range(10):
        async with till() as (simulator, client):
            await client.post("/ring")
    assert time.perf_counter() - started < 3
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient(verify=False) as client:
            await client.get(simulator.base_url)


async def test_stop_gives_up_requests_under_way() -> None:
    async with till(faults=Faults(delay_ms=60_000)) as (simulator, client):
        request = asyncio.create_task(client.post("/ring"))
        await asyncio.sleep(0.05)
        await asyncio.wait_for(simulator.stop(), 2)
        with pytest.raises(httpx.RequestError):
            await request


async def test_webhook_is_repeated_until_it_is_taken() -> None:
    async with Shop(503, 500) as shop, Till() as simulator:
        simulator.deliver(Sent(url=f"{shop.base_url}/_in", headers={"content-type": "text/plain"}, body=b"1"))
        await simulator.delivered()
        assert shop.received == [b"1", b"1", b"1"]
        assert simulator.undelivered == []


async def test_webhook_is_given_up_when_refused() -> None:
    async with Shop(401) as shop, Till() as simulator:
        simulator.deliver(Sent(url=f"{shop.base_url}/_in", headers={}, body=b"1"))
        await simulator.delivered()
        assert shop.received == [b"1"]
        assert [sent.body for sent in simulator.undelivered] == [b"1"]


async def test_webhook_twice() -> None:
    async with Shop() as shop, Till(faults=Faults(duplicate=1.0)) as simulator:
        simulator.deliver(Sent(url=f"{shop.base_url}/_in", headers={}, body=b"1"))
        await simulator.delivered()
        assert shop.received == [b"1", b"1"]


async def test_webhook_held_back_comes_after_later_ones() -> None:
    async with Shop() as shop, Till(faults=Faults(reorder=1.0)) as simulator:
        simulator.deliver(Sent(url=f"{shop.base_url}/_in", headers={}, body=b"first"))
        simulator.faults.reorder = 0.0
        simulator.deliver(Sent(url=f"{shop.base_url}/_in", headers={}, body=b"second"))
        await simulator.delivered()
        assert shop.received == [b"second", b"first"]
