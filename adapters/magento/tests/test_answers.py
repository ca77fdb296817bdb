"""What the store's answers mean, and that the simulator lets in only whom the store would."""

from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest

from adapters.magento import answers
from adapters.magento.harness import settings
from adapters.magento.settings import Settings, transport
from adapters.magento.simulator import MagentoSimulator
from hub.sdk.auth import oauth1_headers
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater, Uncertain
from hub.sdk.wire import OAuth1, Response

AT = datetime(2026, 1, 16, 12, tzinfo=UTC)


def response(status: int, body: bytes, **headers: str) -> Response:
    return Response(
        status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=body
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message":"No %1 in %2","parameters":["SKU-1","east"]}', "No SKU-1 in east"),
        (b'{"message":"%fieldName is %fieldNameLong","parameters":{"fieldName":"a","fieldNameLong":"b"}}', "a is b"),
        (
            b'{"message":"Bad","errors":[{"message":"%1 of ten","parameters":["One"]}],"trace":"#0 secret"}',
            "Bad; One of ten",
        ),
        (b'{"message":"Document Validation Error(s):\\nNo"}', "Document Validation Error(s): No"),
        (b'{"message":"ten values","parameters":["1","2","3","4","5","6","7","8","9","10"]}', "ten values"),
        (b"<html></html>", None),
        (b'{"id":4}', None),
        (b"[1]", None),
        (b"\xff\xfe", None),
    ],
)
def test_a_message_is_told_with_its_parameters(body: bytes, message: str | None) -> None:
    assert answers.told(body) == message


def test_a_message_of_ten_parameters_is_not_read_as_one() -> None:
    given = [f"p{number}" for number in range(1, 11)]
    body = msgspec.json.encode({"message": "%1 and %10", "parameters": given})
    assert answers.told(body) == "p1 and p10"


@pytest.mark.parametrize(
    ("status", "write", "kind"),
    [
        (429, True, RetryLater),
        (500, False, RetryLater),
        (503, False, RetryLater),
        (503, True, Uncertain),
        (500, True, Uncertain),
        (302, False, NeedsPerson),
        (403, False, NeedsPerson),
        (400, True, NeedsPerson),
        (404, False, NeedsPerson),
    ],
)
def test_a_status_says_what_happens_next(status: int, write: bool, kind: type) -> None:
    outcome = answers.refusal(response(status, b'{"message":"because"}'), "orders", AT, write=write)
    assert isinstance(outcome, kind)
    assert outcome.reason == f"orders: the store answered {status}: because" + (
        ": it redirects elsewhere" if status == 302 else ""
    )


def test_too_many_says_when() -> None:
    told = answers.refusal(response(429, b"", retry_after="30"), "orders", AT, write=False)
    untold = answers.refusal(response(429, b""), "orders", AT, write=False)
    assert isinstance(told, RetryLater)
    assert isinstance(untold, RetryLater)
    assert (told.at, untold.at) == (AT + timedelta(seconds=30), AT + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<!doctype html><title>Log in</title>", "HTML instead of JSON"),
        (b'{"items": [{"entity_id": 1}, {"enti', "no whole JSON document"),
        (b"", "0 bytes that are no whole JSON document"),
        (b"\xff\xfe", "no whole JSON document"),
        (b'{"message":"Internal Error. Report ID: webapi-1"}', "an error inside: Internal Error. Report ID: webapi-1"),
        (b'["17"]', "another document than the one asked for"),
        (b"null", "another document than the one asked for"),
    ],
)
@pytest.mark.parametrize("write", [False, True])
def test_a_200_that_is_none(body: bytes, words: str, write: bool) -> None:
    with pytest.raises(Interrupted) as interrupted:
        answers.read(response(200, body), answers.ID, "shipment", AT, write=write)
    assert isinstance(interrupted.value.outcome, Uncertain if write else RetryLater)
    assert words in interrupted.value.outcome.reason


@pytest.mark.parametrize("body", [b"17", b'"17"'])
def test_an_id_may_be_text(body: bytes) -> None:
    assert str(answers.read(response(200, body), answers.ID, "shipment", AT, write=True)) == "17"


class TestOAuth:
    """RFC 5849 as the store takes it."""

    @pytest.fixture
    def good(self, store: MagentoSimulator) -> OAuth1:
        auth = transport(settings(store)).auth
        assert isinstance(auth, OAuth1)
        return auth

    async def ask(self, store: MagentoSimulator, auth: OAuth1, *, nonce: str = "n1", at: datetime | None = None) -> str:
        url = f"{store.base_url}/rest/all/V1/store/storeConfigs"
        stamp = str(int((at or datetime.now(UTC)).timestamp()))
        headers = oauth1_headers(auth, "GET", url, (), nonce=nonce, timestamp=stamp)
        async with httpx.AsyncClient() as client:
            answer = await client.get(url, headers=headers)
        return "let in" if answer.status_code == 200 else f"{answer.status_code} {answer.json()['message']}"

    async def test_a_good_signature_is_let_in_once(self, store: MagentoSimulator, good: OAuth1) -> None:
        assert await self.ask(store, good) == "let in"
        assert "nonce is already being used" in await self.ask(store, good)

    @pytest.mark.parametrize("field", ["consumer_secret", "token", "token_secret"])
    async def test_each_of_the_secrets_counts(self, field: str, store: MagentoSimulator, good: OAuth1) -> None:
        wrong = msgspec.structs.replace(good, **{field: "another"})
        assert (await self.ask(store, wrong)).startswith("401 The signature is invalid")

    async def test_an_unknown_consumer_and_an_old_stamp(self, store: MagentoSimulator, good: OAuth1) -> None:
        stranger = msgspec.structs.replace(good, consumer_key="somebody")
        assert (await self.ask(store, stranger)).startswith("401 The consumer isn't authorized")
        late = datetime.now(UTC) - timedelta(hours=1)
        assert (await self.ask(store, good, at=late)).startswith("401 The oauth_timestamp value is incorrect")

    async def test_without_a_signature_nobody_is_let_in(self, store: MagentoSimulator) -> None:
        url = f"{store.base_url}/rest/all/V1/orders"
        async with httpx.AsyncClient() as client:
            bearer = await client.get(url, headers={"authorization": f"Bearer {store.access_token}"})
            bare = await client.get(url)
        assert (bearer.status_code, bare.status_code) == (401, 401)


def test_settings_show_no_secret(books: MagentoSimulator) -> None:
    books.base_url = "http://127.0.0.1:9"
    given = settings(books)
    for secret in (given.consumer_secret, given.access_token, given.access_token_secret):
        assert secret not in repr(given)
        assert secret not in repr(transport(given))


@pytest.mark.parametrize(
    "change", [{"page_size": 301}, {"page_size": 0}, {"items_per_call": 0}, {"store_code": "a/b"}, {"shop": "x"}]
)
def test_settings_are_strict(change: dict[str, object], books: MagentoSimulator) -> None:
    given = {
        "store_url": "https://shop.example/",
        "consumer_key": "k",
        "consumer_secret": "s",
        "access_token": "t",
        "access_token_secret": "u",
    }
    assert msgspec.convert(given, Settings).page_size == 50
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given | change, Settings)
