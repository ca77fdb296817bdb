import asyncio
import base64
import hashlib
import hmac
import re
import ssl
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote

import httpx
import msgspec
import pytest
import respx

from hub.sdk.auth import MemoryTokenStore, Token, oauth1_headers
from hub.sdk.breaker import FIRST_PAUSE, THRESHOLD
from hub.sdk.http import HttpClient
from hub.sdk.outcomes import Interrupted, RetryLater, Unauthorised
from hub.sdk.wire import ClientCredentials, OAuth1, PasswordToken, RefreshToken, Request, Transport

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
BASE = "https://api.acme.example"
TOKEN_URL = "https://login.acme.example/token"
READ = Request(method="GET", path="/orders", operation="orders")
WRITE = Request(method="POST", path="/orders", operation="orders.create", write=True)
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

CREDENTIALS = ClientCredentials(token_url=TOKEN_URL, client_id="id", client_secret="hush", scope="orders")
REFRESH = RefreshToken(token_url=TOKEN_URL, client_id="id", client_secret="hush", refresh_token="first-refresh")
LOGIN = PasswordToken(token_url=TOKEN_URL, username="zoe", password="hush")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def client(auth: object, tokens: object = None, clock: Clock | None = None, **headers: str) -> HttpClient:
    transport = Transport(base_url=BASE, auth=auth, headers=headers)  # type: ignore[arg-type]
    return HttpClient(transport, clock=clock or Clock(), tokens=tokens, tls=TLS)  # type: ignore[arg-type]


def issued(*words: str, **more: object) -> list[httpx.Response]:
    return [httpx.Response(200, json={"access_token": word, "expires_in": 3600, **more}) for word in words]


def form(route: respx.Route, call: int = -1) -> dict[str, list[str]]:
    return parse_qs(route.calls[call].request.content.decode())


def bearers(route: respx.Route) -> list[str]:
    return [call.request.headers["authorization"] for call in route.calls]


@respx.mock
async def test_client_credentials_token_is_fetched_once_and_used() -> None:
    token = respx.post(TOKEN_URL).mock(side_effect=issued("t1"))
    orders = respx.get(f"{BASE}/orders").respond(200)
    async with client(CREDENTIALS) as acme:
        await asyncio.gather(*(acme.send(READ) for _ in range(5)))
    assert token.call_count == 1
    assert form(token) == {"grant_type": ["client_credentials"], "scope": ["orders"]}
    assert token.calls[0].request.headers["authorization"] == "Basic " + base64.b64encode(b"id:hush").decode()
    assert set(bearers(orders)) == {"Bearer t1"}


@respx.mock
async def test_server_that_reads_the_client_in_the_body_only_gets_it_there() -> None:
    refusal = httpx.Response(401, json={"error": "invalid_client"})
    token = respx.post(TOKEN_URL).mock(side_effect=[refusal, *issued("t1")])
    respx.get(f"{BASE}/orders").respond(200)
    async with client(CREDENTIALS) as acme:
        await acme.send(READ)
    assert form(token) == {
        "grant_type": ["client_credentials"], "scope": ["orders"], "client_id": ["id"], "client_secret": ["hush"],
    }  # fmt: skip
    assert "authorization" not in token.calls[1].request.headers


@respx.mock
async def test_token_near_its_end_is_renewed_before_use() -> None:
    token = respx.post(TOKEN_URL).mock(side_effect=issued("t1", "t2"))
    orders = respx.get(f"{BASE}/orders").respond(200)
    clock = Clock()
    async with client(CREDENTIALS, clock=clock) as acme:
        await acme.send(READ)
        clock.now += timedelta(seconds=3541)
        await acme.send(READ)
    assert token.call_count == 2
    assert bearers(orders) == ["Bearer t1", "Bearer t2"]


@respx.mock
@pytest.mark.parametrize("request_", [READ, WRITE])
async def test_401_renews_once_and_tries_once_more(request_: Request) -> None:
    respx.post(TOKEN_URL).mock(side_effect=issued("t1", "t2"))
    orders = respx.route(url=f"{BASE}/orders").mock(side_effect=[httpx.Response(401), httpx.Response(201)])
    async with client(CREDENTIALS) as acme:
        assert (await acme.send(request_)).status == 201
    assert bearers(orders) == ["Bearer t1", "Bearer t2"]


@respx.mock
async def test_second_401_is_unauthorised() -> None:
    token = respx.post(TOKEN_URL).mock(side_effect=issued("t1", "t2"))
    orders = respx.get(f"{BASE}/orders").respond(401)
    async with client(CREDENTIALS) as acme:
        with pytest.raises(Interrupted) as caught:
            await acme.send(READ)
    assert isinstance(caught.value.outcome, Unauthorised)
    assert (token.call_count, orders.call_count) == (2, 2)


@respx.mock
async def test_requests_refused_together_renew_once() -> None:
    token = respx.post(TOKEN_URL).mock(side_effect=issued("t1", "t2"))

    def orders(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200 if request.headers["authorization"] == "Bearer t2" else 401)

    respx.get(f"{BASE}/orders").mock(side_effect=orders)
    async with client(CREDENTIALS) as acme:
        answers = await asyncio.gather(*(acme.send(READ) for _ in range(6)))
    assert [answer.status for answer in answers] == [200] * 6
    assert token.call_count == 2


class Recorded(MemoryTokenStore):
    """Notes when a token was saved, between which calls."""

    def __init__(self, log: list[str], token: Token | None = None) -> None:
        super().__init__(token)
        self.log = log

    async def save(self, token: Token) -> None:
        await super().save(token)
        self.log.append(f"saved {token.refresh_token}")


@respx.mock
async def test_rotated_pair_is_saved_before_its_first_use() -> None:
    log: list[str] = []
    token = respx.post(TOKEN_URL).mock(side_effect=issued("t1", refresh_token="second-refresh"))

    def orders(request: httpx.Request) -> httpx.Response:
        log.append(f"used {request.headers['authorization']}")
        return httpx.Response(200)

    respx.get(f"{BASE}/orders").mock(side_effect=orders)
    async with client(REFRESH, Recorded(log)) as acme:
        await acme.send(READ)
    assert log == ["saved second-refresh", "used Bearer t1"]
    assert form(token) == {"grant_type": ["refresh_token"], "refresh_token": ["first-refresh"]}


@respx.mock
async def test_stored_refresh_token_replaces_the_configured_one_and_survives_an_answer_without() -> None:
    stored = Token(access_token="old", expires_at=NOW, refresh_token="second-refresh")
    store = MemoryTokenStore(stored)
    token = respx.post(TOKEN_URL).mock(side_effect=issued("t1"))
    respx.get(f"{BASE}/orders").respond(200)
    async with client(REFRESH, store) as acme:
        await acme.send(READ)
    assert form(token)["refresh_token"] == ["second-refresh"]
    assert store.token == Token(
        access_token="t1", expires_at=NOW + timedelta(hours=1), refresh_token="second-refresh"
    )  # fmt: skip


@respx.mock
async def test_stored_token_is_used_without_asking() -> None:
    orders = respx.get(f"{BASE}/orders").respond(200)
    store = MemoryTokenStore(Token(access_token="kept", expires_at=NOW + timedelta(hours=1)))
    async with client(REFRESH, store) as acme:
        await acme.send(READ)
    assert bearers(orders) == ["Bearer kept"]


class Leased(MemoryTokenStore):
    """Another process holds the lease; it saves its token when `arrives` is set."""

    def __init__(self, arrives: Token | None) -> None:
        super().__init__()
        self.arrives = arrives

    async def claim(self) -> bool:
        self.token = self.arrives
        return False


@respx.mock
async def test_token_that_another_process_renews_is_waited_for() -> None:
    orders = respx.get(f"{BASE}/orders").respond(200)
    async with client(REFRESH, Leased(Token(access_token="theirs"))) as acme:
        await acme.send(READ)
    assert bearers(orders) == ["Bearer theirs"]


@respx.mock
async def test_other_process_that_takes_too_long_means_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.sdk.auth.OTHERS_PATIENCE_SECONDS", 0.2)
    async with client(REFRESH, Leased(None)) as acme:
        with pytest.raises(Interrupted) as caught:
            await acme.send(WRITE)
    assert isinstance(caught.value.outcome, RetryLater)


class Overtaken(MemoryTokenStore):
    """Gets the lease just after another process saved a new pair."""

    async def claim(self) -> bool:
        self.token = Token(access_token="just-saved", refresh_token="second-refresh")
        return True


@respx.mock
async def test_pair_saved_just_before_the_lease_is_not_refreshed_again() -> None:
    orders = respx.get(f"{BASE}/orders").respond(200)
    async with client(REFRESH, Overtaken()) as acme:
        await acme.send(READ)
    assert bearers(orders) == ["Bearer just-saved"]


@respx.mock
async def test_password_login() -> None:
    token = respx.post(TOKEN_URL).mock(side_effect=issued("t1"))
    orders = respx.get(f"{BASE}/orders").respond(200)
    async with client(LOGIN) as acme:
        await acme.send(READ)
    assert msgspec.json.decode(token.calls[0].request.content) == {"username": "zoe", "password": "hush"}
    assert bearers(orders) == ["Bearer t1"]


@respx.mock
async def test_vendor_that_wants_the_token_in_its_own_header_gets_it_there() -> None:
    respx.post(TOKEN_URL).mock(side_effect=issued("t1"))
    orders = respx.get(f"{BASE}/orders").respond(200)
    async with client(CREDENTIALS, **{"x-acme-access-token": "{access_token}"}) as acme:
        await acme.send(READ)
    assert orders.calls[0].request.headers["x-acme-access-token"] == "t1"
    assert "authorization" not in orders.calls[0].request.headers


@respx.mock
@pytest.mark.parametrize("auth", [CREDENTIALS, REFRESH, LOGIN])
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (httpx.Response(400, json={"error": "invalid_grant", "error_description": "hush is wrong"}), Unauthorised),
        (httpx.Response(401, text="hush is wrong"), Unauthorised),
        (httpx.Response(200, json={"error": "invalid_grant"}), Unauthorised),
        (httpx.Response(503, text="<html>"), RetryLater),
        (httpx.Response(429, headers={"retry-after": "30"}), RetryLater),
        (httpx.Response(400, json={"error": "temporarily_unavailable"}), RetryLater),
        (httpx.Response(200, text="<html>"), RetryLater),
        (httpx.Response(200, json={}), RetryLater),
        (httpx.ConnectError("down"), RetryLater),
        (httpx.ReadTimeout("slow"), RetryLater),
    ],
)
async def test_token_endpoints_answers(auth: object, answer: httpx.Response | Exception, outcome: type) -> None:
    respx.post(TOKEN_URL).mock(side_effect=[answer] * 2)
    async with client(auth) as acme:
        with pytest.raises(Interrupted) as caught:
            await acme.send(WRITE)
    assert isinstance(caught.value.outcome, outcome)
    assert "hush" not in repr(caught.value.outcome)


@respx.mock
async def test_token_endpoints_retry_after_is_kept() -> None:
    respx.post(TOKEN_URL).mock(return_value=httpx.Response(429, headers={"retry-after": "30"}))
    async with client(CREDENTIALS) as acme:
        with pytest.raises(Interrupted) as caught:
            await acme.send(READ)
    assert isinstance(caught.value.outcome, RetryLater)
    assert caught.value.outcome.at == NOW + timedelta(seconds=30)


@pytest.mark.parametrize("expires_in", [3600, "3600", 3600.0])
@respx.mock
async def test_lifetime_in_any_spelling(expires_in: object) -> None:
    store = MemoryTokenStore()
    respx.post(TOKEN_URL).respond(200, json={"access_token": "t1", "expires_in": expires_in})
    respx.get(f"{BASE}/orders").respond(200)
    async with client(CREDENTIALS, store) as acme:
        await acme.send(READ)
    assert store.token is not None
    assert store.token.expires_at == NOW + timedelta(hours=1)


def test_printed_token_shows_no_secret() -> None:
    assert repr(Token(access_token="hush", refresh_token="hush")) == "Token(expires_at=None)"


KEYS = OAuth1(consumer_key="ck", consumer_secret="c&s", token="tk", token_secret="t/s")


def test_oauth1_signature_is_the_hmac_of_the_base_string_of_rfc_5849() -> None:
    url = "https://shop.example/rest/V1/orders?searchCriteria%5BpageSize%5D=2&b=x%20y"
    header = oauth1_headers(KEYS, "get", url, [("f", "1+1")], nonce="n", timestamp="1768478400")["authorization"]
    base = (
        "GET&https%3A%2F%2Fshop.example%2Frest%2FV1%2Forders&"
        "b%3Dx%2520y%26f%3D1%252B1%26oauth_consumer_key%3Dck%26oauth_nonce%3Dn"
        "%26oauth_signature_method%3DHMAC-SHA256%26oauth_timestamp%3D1768478400%26oauth_token%3Dtk"
        "%26oauth_version%3D1.0%26searchCriteria%255BpageSize%255D%3D2"
    )
    expected = base64.b64encode(hmac.digest(b"c%26s&t%2Fs", base.encode(), hashlib.sha256)).decode()
    fields = dict(re.findall(r'(\w+)="([^"]*)"', header))
    assert unquote(fields.pop("oauth_signature")) == expected
    assert fields == {
        "oauth_consumer_key": "ck", "oauth_nonce": "n", "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": "1768478400", "oauth_token": "tk", "oauth_version": "1.0",
    }  # fmt: skip
    assert header.startswith("OAuth ")


@respx.mock
async def test_oauth1_signs_forms_but_not_other_bodies_and_never_repeats_a_nonce() -> None:
    orders = respx.post(f"{BASE}/orders").respond(200)
    as_json = msgspec.structs.replace(WRITE, body=b'{"a": 1}', headers={"content-type": "application/json"})
    as_form = msgspec.structs.replace(
        WRITE, body=b"a=1", headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    )
    async with client(KEYS) as acme:
        await acme.send(as_json)
        await acme.send(as_form)
    signed = []
    for call, fields in zip(orders.calls, ([], [("a", "1")]), strict=True):
        given = dict(re.findall(r'(\w+)="([^"]*)"', call.request.headers["authorization"]))
        again = oauth1_headers(
            KEYS, "POST", f"{BASE}/orders", fields, nonce=given["oauth_nonce"], timestamp=given["oauth_timestamp"]
        )
        assert again["authorization"] == call.request.headers["authorization"]
        signed.append(given["oauth_nonce"])
    assert len(set(signed)) == 2


@respx.mock
async def test_issuer_that_is_down_is_given_a_pause_whoever_asks_for_a_token() -> None:
    token = respx.post(TOKEN_URL).respond(503)
    clock = Clock()
    async with client(CREDENTIALS, clock=clock) as acme:
        for _ in range(4 * THRESHOLD):
            with pytest.raises(Interrupted) as interrupted:
                await acme.send(READ)
            assert isinstance(interrupted.value.outcome, RetryLater)
        assert token.call_count == THRESHOLD
        assert interrupted.value.outcome.at == NOW + FIRST_PAUSE
        clock.now += FIRST_PAUSE
        token.mock(side_effect=issued("t1"))
        orders = respx.get(f"{BASE}/orders").respond(200)
        await acme.send(READ)
    assert orders.call_count == 1
