"""Signing in: what is sent to the shop, what comes back, and that tokens rotate."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from adapters.shopify.client import probe
from adapters.shopify.settings import Settings, transport
from adapters.shopify.sign_in import authorise, exchange, granted
from adapters.shopify.simulator import ShopifySimulator
from hub.domain.network import Connection
from hub.sdk.auth import MemoryTokenStore, granted_token
from hub.sdk.capabilities import Context
from hub.sdk.http import HttpClient
from hub.sdk.outcomes import Interrupted, Unauthorised
from hub.sdk.sign_in import NotGenuine
from hub.sdk.webhook import hmac_sha256
from hub.sdk.wire import Request, Response

NOW = datetime(2026, 1, 16, 12, tzinfo=UTC)
APP = Settings(shop="dune.myshopify.com", client_id="crossdock-app", client_secret="shpss_conformance_secret")
BACK = "https://hub.example.com/oauth/callback"


def signed(query: Mapping[str, str], secret: str = APP.client_secret) -> dict[str, str]:
    """The hmac by hand: names sorted, joined as they stand."""
    text = "&".join(f"{name}={query[name]}" for name in sorted(query))
    return {**query, "hmac": hmac_sha256(secret, text.encode()).hex()}


def session(secret: str = APP.client_secret, **claims: object) -> str:
    told = {
        "dest": "https://dune.myshopify.com",
        "aud": "crossdock-app",
        "exp": NOW.timestamp() + 60,
        "nbf": NOW.timestamp(),
    }
    parts = [{"alg": "HS256", "typ": "JWT"}, told | claims]
    head = ".".join(base64.urlsafe_b64encode(msgspec.json.encode(part)).decode().rstrip("=") for part in parts)
    return f"{head}.{base64.urlsafe_b64encode(hmac_sha256(secret, head.encode())).decode().rstrip('=')}"


def asked(request: Request) -> dict[str, str]:
    assert request.body is not None
    return msgspec.json.decode(request.body, type=dict[str, str])


# --- the code grant --------------------------------------------------------------------------------------------------


def test_the_merchant_is_sent_to_the_shop() -> None:
    parts = urlsplit(authorise(APP, "state-1", BACK))
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://dune.myshopify.com/admin/oauth/authorize"
    query = dict(parse_qsl(parts.query))
    assert (query["client_id"], query["state"], query["redirect_uri"]) == ("crossdock-app", "state-1", BACK)
    assert {"read_orders", "read_all_orders", "write_assigned_fulfillment_orders"} <= set(query["scope"].split(","))


def test_a_static_token_leaves_nothing_to_sign_in_for() -> None:
    with pytest.raises(NotGenuine, match="set access_token to null"):
        authorise(msgspec.structs.replace(APP, access_token="shpat_static"), "state-1", BACK)


def test_a_code_is_asked_to_become_a_token_that_expires() -> None:
    request = granted(APP, signed({"code": "c0de", "shop": "dune.myshopify.com", "state": "s", "timestamp": "1"}), BACK)
    assert request.path == "https://dune.myshopify.com/admin/oauth/access_token"
    assert asked(request) == {
        "client_id": "crossdock-app",
        "client_secret": APP.client_secret,
        "code": "c0de",
        "expiring": "1",
    }


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"code": "c", "shop": "dune.myshopify.com"}, "hmac does not match"),
        (signed({"code": "c", "shop": "dune.myshopify.com"}, "other"), "hmac does not match"),
        (signed({"code": "c", "shop": "dune.myshopify.com"}) | {"code": "d"}, "hmac does not match"),
        (signed({"code": "c", "shop": "arrakis.myshopify.com"}), "another shop"),
        (signed({"shop": "dune.myshopify.com", "error": "access_denied"}), "did not agree"),
    ],
)
def test_callbacks_that_are_not_believed(query: dict[str, str], told: str) -> None:
    with pytest.raises(NotGenuine, match=told):
        granted(APP, query, BACK)


def test_an_empty_secret_is_a_closed_door() -> None:
    open_house = msgspec.structs.replace(APP, client_secret="")
    with pytest.raises(NotGenuine):
        granted(open_house, signed({"code": "c", "shop": "dune.myshopify.com"}, ""), BACK)
    with pytest.raises(NotGenuine):
        exchange(open_house, session(""), NOW)


# --- token exchange --------------------------------------------------------------------------------------------------


def test_a_session_is_exchanged() -> None:
    token = session()
    found = asked(exchange(APP, token, NOW))
    assert found["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange"
    assert (found["subject_token"], found["expiring"]) == (token, "1")


def test_a_session_of_the_secret_before_is_believed_while_they_rotate() -> None:
    rotating = msgspec.structs.replace(APP, client_secret="newer", previous_client_secret=APP.client_secret)
    assert asked(exchange(rotating, session(), NOW))["client_secret"] == "newer"
    with pytest.raises(NotGenuine, match="not signed"):
        exchange(msgspec.structs.replace(rotating, previous_client_secret=None), session(), NOW)


@pytest.mark.parametrize(
    ("token", "told"),
    [
        ("nonsense", "not signed|not a JWT"),
        (session("other"), "not signed"),
        (session(aud="other-app"), "another app or shop"),
        (session(dest="https://arrakis.myshopify.com"), "another app or shop"),
        (session(exp=NOW.timestamp() - 60), "has ended"),
        (session(nbf=NOW.timestamp() + 60), "not good yet"),
        (session(exp="soon"), "cannot be read"),
    ],
)
def test_sessions_that_are_not_believed(token: str, told: str) -> None:
    with pytest.raises(NotGenuine, match=told):
        exchange(APP, token, NOW)


# --- with a shop -----------------------------------------------------------------------------------------------------


async def spoken(shop: ShopifySimulator, settings: Settings, tokens: MemoryTokenStore) -> str:
    """The account that a connection with these settings talks to."""
    connection = Connection(
        id="c1", merchant="default", account=1, account_name=settings.shop, adapter="shopify", name="Dune"
    )
    async with HttpClient(transport(settings), clock=lambda: shop.now(), tokens=tokens) as client:
        return (await probe(Context(connection=connection, settings=settings, client=client, now=shop.now))).account


async def test_a_sign_in_opens_the_shop_and_its_pair_rotates(shop: ShopifySimulator) -> None:
    settings = msgspec.structs.replace(APP, base_url=shop.base_url)
    start = datetime.now(UTC)
    shop.now = lambda: start
    request = granted(settings, shop.grants.agree(shop.shop, "state-1"), BACK)
    assert request.body is not None
    status, answer = shop.grants.answer("application/json", request.body)
    tokens = MemoryTokenStore(
        granted_token(Response(status=status, headers={}, body=msgspec.json.encode(answer)), start)
    )
    first = tokens.token
    assert first is not None
    assert first.expires_at == start + timedelta(hours=1)
    assert await spoken(shop, settings, tokens) == "dune.myshopify.com"
    assert shop.grants.asked == ["code"]

    shop.now = lambda: start + timedelta(hours=1)
    assert await spoken(shop, settings, tokens) == "dune.myshopify.com"
    assert shop.grants.asked == ["code", "refresh_token"]
    assert tokens.token is not None
    assert tokens.token.refresh_token != first.refresh_token
    assert shop.grants.refresh_tokens == {tokens.token.refresh_token}
    assert shop.grants.answer("application/json", request.body)[0] == 400, "a code is good once"


async def test_before_the_sign_in(shop: ShopifySimulator) -> None:
    with pytest.raises(Interrupted, match="nobody has signed in") as interrupted:
        await spoken(shop, msgspec.structs.replace(APP, base_url=shop.base_url), MemoryTokenStore())
    assert isinstance(interrupted.value.outcome, Unauthorised)
    assert shop.grants.asked == []


async def test_client_credentials(shop: ShopifySimulator) -> None:
    settings = msgspec.structs.replace(APP, base_url=shop.base_url, grant="client_credentials")
    tokens = MemoryTokenStore()
    assert await spoken(shop, settings, tokens) == "dune.myshopify.com"
    assert shop.grants.asked == ["client_credentials"]
    assert tokens.token is not None
    assert tokens.token.refresh_token is None


def test_a_connection_needs_one_way_to_a_token() -> None:
    with pytest.raises(ValueError, match="client_id of the app"):
        Settings(shop="dune.myshopify.com", client_secret="s")
