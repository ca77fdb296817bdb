"""The code that a customer collects with: asked for on the order's page, told of by mail, spent at the counter."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.scenarios.high_street import HighStreet, open_high_street, slices
from tests.scenarios.house import House
from tests.scenarios.listeners import MailServer
from tests.scenarios.test_customer_page import form_of, link_of
from tests.scenarios.test_events import once


@pytest.fixture
def settings() -> dict[str, Any]:
    """A hub that may send mail to a server on this machine."""
    return {"allow_private_subscribers": True, "public_url": "https://hub.example"}


@pytest.fixture
async def street(house: House) -> AsyncIterator[HighStreet]:
    made = await open_high_street(house)
    await made.goods("MUG", MITTE=5, NORD=5, DEPOT=50)
    yield made
    await made.counter.client.aclose()


@pytest.fixture
async def browser(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=house.url, timeout=30) as client:
        yield client


async def ready(street: HighStreet, units: int = 2) -> tuple[str, str]:
    """An order that waits for its customer at MITTE: its id and its fulfilment order's."""
    order = await street.order(("MUG", units), at="MITTE")
    (work,) = order["fulfilments"]
    await street.work(work["id"], "ready")
    return order["id"], work["id"]


async def pressed(browser: httpx.AsyncClient, path: str) -> tuple[dict[str, str], str]:
    """The form that makes a code, and the code that it made."""
    form = {"form": form_of((await browser.get(path)).text, "code") or "", "group": "main"}
    answer = await browser.post(f"{path}/code", data=form)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found = re.search(r'class="code">(\d{6})<', answer.text)
    assert found is not None
    return form, found[1]


async def test_the_page_makes_the_code_that_opens_the_counter(street: HighStreet, browser: httpx.AsyncClient) -> None:
    order = await street.order(("MUG", 2), at="MITTE")
    (work,) = order["fulfilments"]
    path = await link_of(street.counter, order["id"])
    assert form_of((await browser.get(path)).text, "code") is None
    await street.work(work["id"], "ready")
    form, first = await pressed(browser, path)
    again = await browser.post(f"{path}/code", data=form)
    assert (again.status_code, again.headers["location"]) == (303, f"{path}?done=code")
    page = await browser.get(again.headers["location"])
    assert (page.status_code, first in page.text) == (200, False)
    _, second = await pressed(browser, path)
    if first != second:
        told = await street.counter.refused("POST", f"/fulfilment-orders/{work['id']}/collect", {"code": first})
        assert told["type"].endswith("wrong-code")
    await street.work(work["id"], "collect", code=second)
    assert form_of((await browser.get(path)).text, "code") is None
    assert (await street.kinds(order["id"])).count("pick_up_code_issued") == 2
    stored = await street.house.rows(
        "SELECT detail FROM timeline UNION ALL SELECT encode(body, 'escape') FROM idempotency"
    )
    assert not [row for row in stored if second in (row["detail"] or "")]


async def test_a_form_for_nothing_that_waits_makes_no_code(street: HighStreet, browser: httpx.AsyncClient) -> None:
    order, work = await ready(street)
    path = await link_of(street.counter, order)
    form = form_of((await browser.get(path)).text, "code")
    assert (await browser.post(f"{path}/code", data={"form": form, "group": "other"})).status_code == 409
    assert (await browser.post(f"{path}/code", data={"form": "made up", "group": "main"})).status_code == 403
    code = await street.code(order)
    await street.work(work, "collect", code=code)
    assert (await browser.post(f"{path}/code", data={"form": form, "group": "main"})).status_code == 409


async def test_no_code_is_offered_where_none_is_asked_for(street: HighStreet, browser: httpx.AsyncClient) -> None:
    await street.rules("[code]\nrequired = false")
    order, work = await ready(street)
    assert form_of((await browser.get(await link_of(street.counter, order))).text, "code") is None
    await street.work(work, "collect")


async def test_the_mail_of_what_is_ready_leads_to_the_code(street: HighStreet, browser: httpx.AsyncClient) -> None:
    post = MailServer()
    await post.start()
    mail = {"host": "127.0.0.1", "port": post.port, "security": "none", "sender": "shop@acme.example"}
    wanted = {"name": "mail", "types": ["crossdock.fulfilment.ready"], "mail": mail}
    await street.counter.ok("POST", "/subscriptions", wanted)
    order = await street.order(("MUG", 2), at="MITTE", contacts={"customer": {"email": "ada@example.org"}})
    await street.work(order["fulfilments"][0]["id"], "ready")
    await once(street.house)
    await post.stop()
    (sent,) = post.taken
    text = sent.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert (sent["to"], "Its page gives you the code" in text) == ("ada@example.org", True)
    found = re.search(r"https://hub\.example(/o/\S+)", text)
    assert found is not None
    _, code = await pressed(browser, found[1])
    await street.work(order["fulfilments"][0]["id"], "collect", code=code)


async def test_a_repeated_collect_answers_the_same_and_spends_no_try(street: HighStreet) -> None:
    order, work = await ready(street, units=3)
    path = f"/api/v1/fulfilment-orders/{work}/collect"
    body = {"code": await street.code(order), "lines": [{"sku": "MUG", "quantity": 1}]}
    key = {"idempotency-key": "till-7"}
    first = await street.counter.client.post(path, json=body, headers=key)
    assert first.status_code == 200
    await street.code(order, renew=True)
    again = await street.counter.client.post(path, json=body, headers=key)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert await street.house.value("SELECT tries FROM pick_up_code") == 0
    assert sorted(slices(await street.look(order))) == [(1, "collected", "MITTE"), (2, "ready", "MITTE")]
    other = await street.counter.client.post(path, json={**body, "code": "000000"}, headers=key)
    assert other.status_code == 422
    assert await street.house.value("SELECT tries FROM pick_up_code") == 0
