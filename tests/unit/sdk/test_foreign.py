"""Requests that prove themselves go to other hosts, over https only, and nothing of ours goes with them."""

from datetime import UTC, datetime

import httpx
import pytest

from hub.sdk.http import HttpClient
from hub.sdk.outcomes import Interrupted, NeedsPerson
from hub.sdk.wire import Basic, Request, Transport

TRANSPORT = Transport(
    base_url="https://api.example.com",
    headers={"x-app": "ours"},
    auth=Basic(username="user", password="a long password"),
)


async def sent(request: Request) -> httpx.Request:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    http = httpx.MockTransport(answer)
    async with HttpClient(TRANSPORT, clock=lambda: datetime.now(UTC), http=http) as client:
        await client.send(request)
    return seen[0]


async def test_neither_headers_nor_credentials_go_along() -> None:
    path = "https://storage.example.net/document?X-Signature=a%2Fb"
    request = await sent(Request(method="PUT", path=path, operation="put", headers={"x-own": "1"}, foreign=True))
    assert str(request.url) == path
    assert request.headers["x-own"] == "1"
    assert not {"authorization", "x-app"} & set(request.headers)


async def test_at_home_they_do_not_go_along_either() -> None:
    request = await sent(Request(method="PUT", path="https://api.example.com/d", operation="put", foreign=True))
    assert not {"authorization", "x-app"} & set(request.headers)


@pytest.mark.parametrize(
    ("path", "foreign"), [("http://storage.example.net/d", True), ("https://storage.example.net/d", False)]
)
async def test_nothing_is_sent_in_the_clear_or_unasked(path: str, foreign: bool) -> None:
    with pytest.raises(Interrupted) as caught:
        await sent(Request(method="PUT", path=path, operation="put", foreign=foreign))
    assert isinstance(caught.value.outcome, NeedsPerson)
