"""Signing in: where the seller is sent, whose grant is taken, and that it is used from then on."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import msgspec
import pytest

from adapters.amazon.client import probe
from adapters.amazon.harness import settings as known
from adapters.amazon.settings import Settings, transport
from adapters.amazon.sign_in import authorise, granted
from adapters.amazon.simulator import AmazonSimulator
from hub.domain.network import Connection
from hub.sdk.auth import MemoryTokenStore, granted_token
from hub.sdk.capabilities import Context
from hub.sdk.http import HttpClient
from hub.sdk.outcomes import Interrupted, Unauthorised
from hub.sdk.sign_in import NotGenuine
from hub.sdk.wire import Response

BACK = "https://hub.example.com/oauth/callback"
APP = Settings(
    seller_id="A3SELLER",
    marketplace_ids=("ATVPDKIKX0DER",),
    client_id="amzn1.client",
    client_secret="lwa-secret-1",
    application_id="amzn1.sp.solution.1",
)
CONNECTION = Connection(
    id="c1", merchant="default", account=1, account_name="A3SELLER", adapter="amazon", name="Amazon"
)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize(
    ("changes", "home"),
    [
        ({}, "https://sellercentral.amazon.com"),
        ({"region": "eu"}, "https://sellercentral-europe.amazon.com"),
        ({"region": "fe"}, "https://sellercentral.amazon.co.jp"),
        ({"region": "fe", "marketplace_ids": ("A39IBJ37TRP1C6",)}, "https://sellercentral.amazon.com.au"),
    ],
)
def test_the_seller_is_sent_to_their_seller_central(changes: dict[str, object], home: str) -> None:
    parts = urlsplit(authorise(msgspec.structs.replace(APP, **changes), "state-1", BACK))
    assert f"{parts.scheme}://{parts.netloc}" == home
    assert parts.path == "/apps/authorize/consent"
    asked = {"application_id": "amzn1.sp.solution.1", "state": "state-1", "redirect_uri": BACK}
    assert dict(parse_qsl(parts.query)) == asked


def test_an_app_that_is_not_published_says_so() -> None:
    assert authorise(msgspec.structs.replace(APP, draft_app=True), "s", BACK).endswith("&version=beta")


def test_a_connection_without_the_app_has_nothing_to_sign_in_for() -> None:
    with pytest.raises(NotGenuine, match="application_id"):
        authorise(msgspec.structs.replace(APP, application_id="", refresh_token="r"), "s", BACK)
    with pytest.raises(ValueError, match="refresh_token"):
        msgspec.convert(msgspec.to_builtins(APP) | {"application_id": ""}, Settings)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"selling_partner_id": "A9OTHER", "spapi_oauth_code": "c"}, "another seller"),
        ({"spapi_oauth_code": "c"}, "another seller"),
        ({"selling_partner_id": "A3SELLER"}, "no code"),
    ],
)
def test_a_callback_of_another_seller_or_without_a_code_is_not_taken(query: Mapping[str, str], told: str) -> None:
    with pytest.raises(NotGenuine, match=told):
        granted(APP, query, BACK)


async def test_a_code_becomes_a_grant_that_is_used_and_renewed(sim: AmazonSimulator) -> None:
    settings = msgspec.structs.replace(known(sim), refresh_token=None, application_id="amzn1.sp.solution.1")
    with pytest.raises(Interrupted, match="nobody has signed in") as interrupted:
        await spoken(settings, MemoryTokenStore())
    assert isinstance(interrupted.value.outcome, Unauthorised)
    sim.codes.add("code-1")
    wanted = granted(settings, {"selling_partner_id": settings.seller_id, "spapi_oauth_code": "code-1"}, BACK)
    assert parse_qs((wanted.body or b"").decode())["redirect_uri"] == [BACK]
    async with httpx.AsyncClient() as browser:
        answer = await browser.post(wanted.path, content=wanted.body, headers=dict(wanted.headers))
        again = await browser.post(wanted.path, content=wanted.body, headers=dict(wanted.headers))
    assert (answer.status_code, again.status_code) == (200, 400), "a code is good once"
    told = Response(status=200, headers={}, body=answer.content)
    tokens = MemoryTokenStore(granted_token(told, now()))
    assert await spoken(settings, tokens) == settings.seller_id
    assert tokens.token is not None
    assert tokens.token.refresh_token == sim.refresh_token


async def spoken(settings: Settings, tokens: MemoryTokenStore) -> str:
    """The seller that a connection with these settings talks to."""
    async with HttpClient(transport(settings), clock=now, tokens=tokens) as client:
        return (await probe(Context(connection=CONNECTION, settings=settings, client=client, now=now))).account
