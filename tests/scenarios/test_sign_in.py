"""A merchant signs in at the vendor and comes back: the connection has a token that renews itself."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from hub.sdk.auth import Token
from hub.store.credentials import StoredTokens
from tests.scenarios.counter import Counter
from tests.scenarios.town import Town


async def begin(town: Town, counter: Counter) -> str:
    """A connection without a token; the state with which its merchant was sent away."""
    config = {"access_token": None, "client_id": "crossdock-app"}
    await counter.ok("PATCH", "/connections/shop", {"config": config})
    town.shop.access_token = ""
    begun = await counter.ok("GET", "/connections/shop/oauth/start")
    assert begun["url"].startswith(f"{town.shop.base_url}/admin/oauth/authorize?")
    query = dict(parse_qsl(urlsplit(begun["url"]).query))
    assert query["redirect_uri"] == begun["redirect_uri"]
    return str(query["state"])


async def come_back(counter: Counter, query: dict[str, str]) -> tuple[int, str]:
    answer = await counter.client.get(f"/oauth/callback?{urlencode(query)}")
    return answer.status_code, answer.text


async def kept(town: Town) -> Token | None:
    return await StoredTokens(town.house.parts.database, town.house.parts.vault, "shop").load()


async def test_a_sign_in_connects_the_shop(town: Town, counter: Counter) -> None:
    state = await begin(town, counter)
    report = await counter.ok("POST", "/connections/shop/test")
    assert not report["ok"]
    assert "nobody has signed in" in report["checks"][-1]["detail"]

    status, page = await come_back(counter, town.shop.grants.agree(town.shop.shop, state))
    assert (status, "signed in" in page) == (200, True)
    token = await kept(town)
    assert token is not None
    assert town.shop.grants.refresh_tokens == {token.refresh_token}
    report = await counter.ok("POST", "/connections/shop/test")
    assert report["ok"], report
    assert (await counter.ok("GET", "/connections/shop"))["health"]["sign_in"]["ok"] is True
    envelope = await town.house.value("SELECT envelope FROM connection_token")
    assert token.access_token.encode() not in envelope

    placed, _ = await town.buy([("PASS", 2)])
    town.shop.cancel_order(placed.id)
    await town.settle()
    assert town.shop.grants.asked == ["code"], "one token serves the test, the pulls and the writes"


async def test_who_was_not_sent_is_not_heard(town: Town, counter: Counter) -> None:
    state = await begin(town, counter)
    genuine = town.shop.grants.agree(town.shop.shop, state)
    for query in (
        {},
        genuine | {"state": "elsewhere.made"},
        genuine | {"code": "another"},
        town.shop.grants.agree("arrakis.myshopify.com", state),
        town.shop.grants.agree(town.shop.shop, f"{state}x"),
    ):
        status, page = await come_back(counter, query)
        assert (status, "Not connected" in page) == (400, True)
    assert await kept(town) is None
    assert town.shop.grants.asked == []
    assert (await come_back(counter, genuine))[0] == 200
    assert (await come_back(counter, genuine))[0] == 400, "a code is good once"


async def test_a_static_token_is_not_replaced_by_a_sign_in(counter: Counter) -> None:
    problem = await counter.refused("GET", "/connections/shop/oauth/start")
    assert problem["status"] == 409
    assert "set access_token to null" in problem["detail"]


async def test_a_token_goes_with_the_credentials_it_was_granted_to(town: Town, counter: Counter) -> None:
    state = await begin(town, counter)
    assert (await come_back(counter, town.shop.grants.agree(town.shop.shop, state)))[0] == 200
    await counter.ok("PATCH", "/connections/shop", {"config": {"client_secret": "shpss_rotated"}})
    assert await kept(town) is not None
    await counter.ok("PATCH", "/connections/shop", {"config": {"client_id": "another-app"}})
    assert await kept(town) is None


@pytest.mark.parametrize(("session", "status"), [("", 422), ("not-a-session", 409)])
async def test_a_session_that_is_none(town: Town, counter: Counter, session: str, status: int) -> None:
    await begin(town, counter)
    problem = await counter.refused("POST", "/connections/shop/oauth/exchange", {"subject_token": session})
    assert problem["status"] == status
    assert await kept(town) is None
