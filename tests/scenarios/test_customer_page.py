"""A customer sees the order by a signed link, changes what may be changed, and is told once of a new date."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from hub.domain.contact import Contact
from hub.domain.signed_link import sign
from hub.web.forms import form_key
from tests.scenarios.counter import Counter
from tests.scenarios.town import Town


@pytest.fixture
async def browser(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=town.house.url, follow_redirects=True, timeout=30) as client:
        yield client


async def link_of(counter: Counter, order: str) -> str:
    """Path of an order's page."""
    made = await counter.ok("POST", f"/orders/{order}/link")
    return "/o/" + str(made["url"]).rpartition("/o/")[2]


def form_of(html: str, action: str) -> str | None:
    """The token of a form on a page; None when the page does not offer it."""
    found = re.search(rf'action="[^"]*/{action}"><input type="hidden" name="form" value="([^"]+)"', html)
    return found[1] if found else None


def offered(html: str) -> list[str]:
    return [action for action in ("address", "return", "cancel") if form_of(html, action)]


async def contacts(town: Town, order: str) -> list[Contact]:
    rows = await town.house.rows("SELECT document FROM contact WHERE order_id = $1 ORDER BY key, revision", order)
    return [msgspec.json.decode(row["document"], type=Contact) for row in rows]


async def test_the_page_shows_where_it_is_and_nothing_of_the_customer(
    town: Town, counter: Counter, browser: httpx.AsyncClient
) -> None:
    _, order = await town.buy([("PASS", 2)])
    path = await link_of(counter, order["id"])
    answer = await browser.get(path)
    assert answer.status_code == 200
    assert "Being prepared" in answer.text
    assert "2 × " in answer.text
    assert offered(answer.text) == ["address", "cancel"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    assert set(re.findall(r'(?:href|src|action)="(https?:[^"]*)"', answer.text)) == set()
    people = await contacts(town, order["id"])
    private = {word for one in people for word in (one.name, one.email, one.phone, one.postal_code, *one.lines) if word}
    assert private
    assert not [word for word in private if word in answer.text]
    assert order["id"] not in answer.text.replace(path, "").replace(path.rpartition("/")[2], "")

    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    answer = await browser.get(path, headers={"accept-language": "de-AT,de;q=0.9"})
    assert "Unterwegs" in answer.text
    assert '<html lang="de">' in answer.text
    (parcel,) = await town.house.rows("SELECT tracking FROM parcel WHERE order_id = $1", order["id"])
    assert parcel["tracking"] in answer.text
    assert offered(answer.text) == ["return"]


async def test_every_bad_link_is_answered_alike(town: Town, counter: Counter, browser: httpx.AsyncClient) -> None:
    _, order = await town.buy([("PASS", 1)])
    path = await link_of(counter, order["id"])
    services = town.house._routes.state.services  # type: ignore[union-attr]
    now, key = services.clock(), services.link_key
    bad = [
        "/o/nonsense",
        path[:-1] + ("A" if path[-1] != "A" else "B"),
        "/o/" + sign(order["id"], now - timedelta(seconds=1), key),
        "/o/" + sign("01ARZ3NDEKTSV4RRFFQ6", now + timedelta(days=1), key),
        "/o/" + sign(order["id"], now + timedelta(days=1), b"another key"),
        "/o/" + sign(order["id"], now + timedelta(days=1), form_key("customer", key)),
        "/o/%00.%00",
        "/o/" + "A" * 400,
        path + "/no-such-action",
    ]
    answers = [await browser.get(one) for one in bad]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers[:-1]}) == 1
    posts = [await browser.post(f"{one}/cancel", data={"form": "x"}) for one in bad[:8]]
    assert {answer.status_code for answer in posts} == {404}
    assert {answer.text for answer in posts} == {answers[0].text}


async def test_a_cancel_pressed_twice_is_one_cancel(town: Town, counter: Counter, browser: httpx.AsyncClient) -> None:
    _, order = await town.buy([("PASS", 1)])
    path = await link_of(counter, order["id"])
    form = {"form": form_of((await browser.get(path)).text, "cancel")}
    pressed = [browser.post(f"{path}/cancel", data=form, follow_redirects=False) for _ in range(3)]
    first, *others = await asyncio.gather(*pressed)
    assert (first.status_code, first.headers["location"]) == (303, f"{path}?done=cancel")
    assert [again.status_code for again in others] == [303, 303]
    assert (await browser.post(f"{path}/cancel", data=form, follow_redirects=False)).status_code == 303
    await town.settle()
    assert (await town.timeline(order["id"])).count("cancel_requested") == 1
    page = await browser.get(first.headers["location"])
    assert "Cancelled" in page.text
    assert offered(page.text) == []


async def test_a_form_is_good_for_what_it_was_made_for(
    town: Town, counter: Counter, browser: httpx.AsyncClient
) -> None:
    _, mine = await town.buy([("PASS", 1)])
    _, other = await town.buy([("PASS", 1)])
    path, others = await link_of(counter, mine["id"]), await link_of(counter, other["id"])
    foreign = form_of((await browser.get(others)).text, "cancel")
    address = form_of((await browser.get(path)).text, "address")
    for token in (foreign, address, "", "x", path.rpartition("/")[2]):
        answer = await browser.post(f"{path}/cancel", data={"form": token})
        assert answer.status_code == 403
        assert "open for too long" in answer.text
    assert "cancel_requested" not in await town.timeline(mine["id"])


async def test_another_address_keeps_the_telephone_and_is_checked(
    town: Town, counter: Counter, browser: httpx.AsyncClient
) -> None:
    _, order = await town.buy([("PASS", 1)])
    path = await link_of(counter, order["id"])
    before = (await contacts(town, order["id"]))[-1]
    form = {"form": form_of((await browser.get(path)).text, "address")}
    wrong = await browser.post(f"{path}/address", data={**form, "name": "N", "street": "", "city": "", "country": "US"})
    assert wrong.status_code == 422
    no_country = {**form, "name": "N", "street": "1 Oak", "city": "Albany", "country": "Freedonia"}
    assert (await browser.post(f"{path}/address", data=no_country)).status_code == 422
    nul = {**form, "name": "N\0", "street": "1 Oak", "city": "Albany", "country": "US"}
    assert (await browser.post(f"{path}/address", data=nul)).status_code == 422
    good = {**form, "name": "New <b>Name</b>", "street": "1 Oak St", "city": "Albany", "postal_code": "12207"}
    done = await browser.post(f"{path}/address", data={**good, "region": "NY", "country": "us"})
    assert done.status_code == 200, done.text
    assert "The new address is noted" in done.text
    assert "New <b>" not in done.text
    assert "US 122" in done.text
    rows = await town.house.rows(
        "SELECT document FROM contact WHERE order_id = $1 AND key = 'ship' ORDER BY revision DESC LIMIT 1", order["id"]
    )
    now = msgspec.json.decode(rows[0]["document"], type=Contact)
    assert (now.name, now.lines, now.country) == ("New <b>Name</b>", ("1 Oak St",), "US")
    assert (now.email, now.phone) == (before.email, before.phone)


async def test_what_has_left_is_neither_cancelled_nor_moved_but_given_back_once(
    town: Town, counter: Counter, browser: httpx.AsyncClient
) -> None:
    placed, order = await town.buy([("PASS", 2)])
    path = await link_of(counter, order["id"])
    early = (await browser.get(path)).text
    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    late = await browser.post(f"{path}/cancel", data={"form": form_of(early, "cancel")})
    assert late.status_code == 409
    assert "not any more" in late.text
    moved = {"name": "N", "street": "1 Oak", "city": "Albany", "postal_code": "12207", "country": "US"}
    late = await browser.post(f"{path}/address", data={"form": form_of(early, "address"), **moved})
    assert late.status_code == 409

    form = {"form": form_of((await browser.get(path)).text, "return"), "reason": "damaged"}
    line = str(placed.lines[0].id)
    nothing = await browser.post(f"{path}/return", data={**form, f"units-{line}": "0"})
    assert nothing.status_code == 422
    too_many = await browser.post(f"{path}/return", data={**form, f"units-{line}": "3"})
    assert too_many.status_code in (409, 422)
    for _ in range(2):
        done = await browser.post(f"{path}/return", data={**form, f"units-{line}": "1"})
        assert done.status_code == 200, done.text
    (made,) = (await counter.ok("GET", f"/returns?order={order['id']}"))["items"]
    assert [(one["quantity"], one["reason"]) for one in made["lines"]] == [(1, "damaged")]
    assert "Approved" in done.text


async def test_a_link_is_not_in_the_log(
    town: Town, counter: Counter, browser: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    _, order = await town.buy([("PASS", 1)])
    path = await link_of(counter, order["id"])
    capsys.readouterr()
    await browser.get(path)
    logged = capsys.readouterr().out
    assert "/o/***" in logged
    assert path.rpartition("/")[2] not in logged


async def test_a_shortage_shows_its_cause(town: Town, counter: Counter, browser: httpx.AsyncClient) -> None:
    await town.goods("RARE", east=0)
    town.shop.sell("RARE", available=5)
    order: dict[str, Any]
    _, order = await town.buy([("RARE", 1)])
    text = (await browser.get(await link_of(counter, order["id"]))).text
    assert "Delayed" in text
    assert "not in stock" in text
    assert "do not know a date" in text
