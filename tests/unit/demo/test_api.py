"""The demo's client of the hub's API, against a hub of a few lines."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from litestar import Request, Response, get
from litestar.types import ControllerRouterHandler

from hub.demo.api import ApiFault, HubApi
from hub.sdk.testkit.simulator import Simulator


class Stand(Simulator):
    """Answers three paths as a hub would."""

    vendor = "hub"

    def routes(self) -> Sequence[ControllerRouterHandler]:
        @get("/readyz")
        async def ready() -> str:
            return "ok"

        @get("/api/v1/tokens")
        async def tokens(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
            known = request.headers.get("authorization") == "Bearer cdk_ours"
            return Response({"items": [], "next": None}, status_code=200 if known else 401)

        @get("/api/v1/nodes")
        async def nodes(request: Request[Any, Any, Any]) -> dict[str, Any]:
            start = int(request.query_params.get("cursor", 0))
            following = str(start + 2) if start < 4 else None
            return {"items": [{"code": f"N{n}"} for n in range(start, min(start + 2, 5))], "next": following}

        return [ready, tokens, nodes]


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    async with Stand() as running:
        yield running


def _api(stand: Stand, token: str = "cdk_ours") -> HubApi:
    return HubApi(stand.base_url, token, lambda: datetime.now(UTC))


async def test_it_waits_until_the_hub_is_ready(stand: Stand) -> None:
    stand.script.extend(["server_error", "server_error"])
    async with _api(stand) as api:
        await api.ready()
    assert stand.calls["/readyz"] == 3


async def test_somebody_elses_hub_is_recognised(stand: Stand) -> None:
    async with _api(stand, "cdk_other") as api:
        with pytest.raises(ApiFault, match=r"another hub answers at http://127\.0\.0\.1:.* set CROSSDOCK_PORT"):
            await api.ready()


async def test_lists_are_read_to_their_end(stand: Stand) -> None:
    async with _api(stand) as api:
        assert [one["code"] async for one in api.every("/nodes")] == ["N0", "N1", "N2", "N3", "N4"]


async def test_a_refusal_and_a_lost_answer_are_faults(stand: Stand) -> None:
    async with _api(stand) as api:
        with pytest.raises(ApiFault, match="POST /nodes: 405") as refused:
            await api.call("POST", "/nodes", {})
        assert refused.value.status == 405
        stand.script.append("lost_reply")
        with pytest.raises(ApiFault, match=r"GET /nodes: .*broke") as lost:
            await api.call("GET", "/nodes")
        assert lost.value.status == 0
