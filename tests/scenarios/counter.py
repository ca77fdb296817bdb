"""The hub's API as a person at the counter uses it."""

import asyncio
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx

from hub.store.admin.tokens import Role, create_token
from tests.scenarios.house import House

_names = count(1)


@dataclass(kw_only=True)
class Counter:
    """Calls of the API with an operator's token."""

    house: House
    client: httpx.AsyncClient

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """One call."""
        return await self.client.request(method, f"/api/v1{path}", json=body, headers=headers)

    async def ok(self, method: str, path: str, body: Any = None) -> Any:
        """A call that is answered as it should be."""
        answer = await self.ask(method, path, body)
        assert answer.is_success, answer.text
        return answer.json()

    async def capture(self, path: str, body: Any) -> httpx.Response:
        """An order of the hub's own: the API waits a moment for a worker to take it up, and here one does."""
        asked = asyncio.ensure_future(self.ask("POST", path, body))
        while not asked.done():
            await self.house.path()
            await asyncio.sleep(0.005)
        return asked.result()

    async def refused(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """A call that is answered by a problem."""
        answer = await self.ask(method, path, body)
        assert 400 <= answer.status_code < 500, answer.text
        found: dict[str, Any] = answer.json()
        return found


async def open_counter(house: House) -> Counter:
    """A counter at a house that serves already."""
    async with house.parts.database.transaction() as connection:
        token = await create_token(
            connection,
            name=f"counter-{next(_names)}",
            role=Role.ADMIN,
            merchant="default",
            new_id=house.parts.new_id,
        )
    headers = {"authorization": f"Bearer {token.token}"}
    # Loopback without TLS: reading the trusted authorities takes 30 ms a test.
    client = httpx.AsyncClient(base_url=house.url, headers=headers, timeout=30, verify=False)
    return Counter(house=house, client=client)
