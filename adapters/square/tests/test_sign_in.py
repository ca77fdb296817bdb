"""Signing in: where the seller is sent, what the code becomes, and that the grant is used from then on."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from adapters.square.client import probe
from adapters.square.settings import Settings, transport
from adapters.square.sign_in import PERMISSIONS, authorise, granted
from adapters.square.simulator import Refusal, SquareSimulator
from adapters.square.tests.conftest import CONNECTION
from hub.sdk.auth import MemoryTokenStore, granted_token
from hub.sdk.capabilities import Context
from hub.sdk.http import HttpClient
from hub.sdk.outcomes import Interrupted, Unauthorised
from hub.sdk.sign_in import NotGenuine
from hub.sdk.wire import Response

APP = Settings(merchant_id="MERCHANT1", signature_key="k", application_id="sq0idp-1", application_secret="sq0csp-1")
BACK = "https://hub.example.com/oauth/callback"


def now() -> datetime:
    return datetime.now(UTC)


def test_the_seller_is_sent_to_square() -> None:
    parts = urlsplit(authorise(APP, "state-1", BACK))
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://connect.squareup.com/oauth2/authorize"
    query = dict(parse_qsl(parts.query))
    assert (query["client_id"], query["state"], query["redirect_uri"]) == ("sq0idp-1", "state-1", BACK)
    assert query["scope"].split() == list(PERMISSIONS)
    assert query["session"] == "false"


def test_the_sandbox_knows_its_own_seller() -> None:
    url = authorise(msgspec.structs.replace(APP, sandbox=True), "s", BACK)
    assert url.startswith("https://connect.squareupsandbox.com/")
    assert "session" not in url


def test_a_personal_token_leaves_nothing_to_sign_in_for() -> None:
    with pytest.raises(NotGenuine, match="application_id"):
        authorise(Settings(merchant_id="M", signature_key="k", access_token="t"), "s", BACK)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"error": "access_denied", "state": "s"}, "access_denied"),
        ({"state": "s"}, "no code"),
        ({"code": ""}, "no code"),
    ],
)
def test_a_callback_without_a_grant_says_so(query: Mapping[str, str], told: str) -> None:
    with pytest.raises(NotGenuine, match=told):
        granted(APP, query, BACK)


async def spoken(settings: Settings, tokens: MemoryTokenStore) -> str:
    """The seller that a connection with these settings talks to."""
    async with HttpClient(transport(settings), clock=now, tokens=tokens) as client:
        return (await probe(Context(connection=CONNECTION, settings=settings, client=client, now=now))).account


async def test_a_code_becomes_a_token_that_is_used_and_renewed(seller: SquareSimulator) -> None:
    settings = Settings(
        merchant_id=seller.merchant_id,
        signature_key="k",
        application_id=seller.application_id,
        application_secret=seller.application_secret,
        base_url=seller.base_url,
    )
    with pytest.raises(Interrupted, match="nobody has signed in") as interrupted:
        await spoken(settings, MemoryTokenStore())
    assert isinstance(interrupted.value.outcome, Unauthorised)
    seller.codes.add("sq0cgp-1")
    asked = msgspec.json.decode(granted(settings, {"code": "sq0cgp-1"}, BACK).body or b"")
    answer = Response(status=200, headers={}, body=msgspec.json.encode(seller._token(asked)))
    tokens = MemoryTokenStore(granted_token(answer, now()))
    assert await spoken(settings, tokens) == seller.merchant_id
    with pytest.raises(Refusal):
        seller._token(asked)
    seller.tokens.clear()
    assert await spoken(settings, tokens) == seller.merchant_id, "refused, it is renewed"
    assert tokens.token is not None
    assert tokens.token.refresh_token == seller.refresh_token
