"""A supplier answers a purchase order on a page that a mail leads to: no log-in, and no name before it accepts."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from hub.domain.signed_link import sign
from hub.domain.supplier_link import supplier_key
from hub.web.forms import form_key
from tests.scenarios.counter import Counter
from tests.scenarios.dropship import Dropship, by_mail, soon
from tests.scenarios.listeners import MailServer
from tests.scenarios.town import Town

NOBODY = ("Ada Byron", "1 Main St", "ada@example.org")


@pytest.fixture
def settings() -> dict[str, Any]:
    """A hub that may send mail to a server on this machine."""
    return {"allow_private_subscribers": True, "public_url": "https://hub.example"}


@pytest.fixture
async def desk(town: Town) -> AsyncIterator[Dropship[MailServer]]:
    async with by_mail(town) as made:
        yield made


@pytest.fixture
async def browser(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=town.house.url, follow_redirects=True, timeout=30, verify=False) as client:
        yield client


def link(desk: Dropship[MailServer], no: int = -1) -> str:
    """Path of the page that a mail leads to."""
    text = desk.supplier.taken[no].get_payload(decode=True)
    assert isinstance(text, bytes)
    found = re.search(r"https://hub\.example\S+", text.decode())
    assert found is not None
    return urlsplit(found[0]).path


def token_of(html: str, action: str) -> str | None:
    found = re.search(rf'action="[^"]*/{action}"><input type="hidden" name="form" value="([^"]+)"', html)
    return found[1] if found else None


def offered(html: str) -> list[str]:
    return [action for action in ("accept", "refuse", "ship", "stop") if token_of(html, action)]


async def press(browser: httpx.AsyncClient, path: str, action: str, **form: str) -> httpx.Response:
    """Fill in a form of the page and send it."""
    token = token_of((await browser.get(path)).text, action)
    assert token is not None
    return await browser.post(f"{path}/{action}", data={"form": token, **form})


async def test_a_mail_leads_to_a_page_and_the_page_to_a_shipped_order(
    desk: Dropship[MailServer], town: Town, browser: httpx.AsyncClient
) -> None:
    order, asked = await desk.bought("mail", ("VASE", 2), ("JAR", 1))
    (mail,) = desk.supplier.taken
    assert (mail["To"], mail["Subject"]) == ("desk@acme.example", "Purchase order PO-000001")
    assert not any(word in str(mail.get_payload()) for word in NOBODY)
    path = link(desk)
    answer = await browser.get(path)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "VASE" in answer.text
    assert "62704 Springfield" in answer.text
    assert not any(word in answer.text for word in NOBODY), "who it is for is nobody's business yet"
    assert offered(answer.text) == ["accept", "refuse"]
    form = {"ships_on": soon(3).isoformat(), "currency": "usd", "cost-1": "12,00", "cost-2": "3.10"}
    answer = await press(browser, path, "accept", **form)
    assert "Thank you" in answer.text
    assert "Ada Byron" in answer.text
    assert "1 Main St" in answer.text
    assert "ada@example.org" not in answer.text, "a parcel needs no mail address"
    assert await desk.where(order) == [(1, "accepted"), (2, "accepted")]
    box = {"carrier": "UPS", "tracking": "1Z1", "units-1": "1", "units-2": "1"}
    assert "1Z1" in (await press(browser, path, "ship", **box)).text
    answer = await press(browser, path, "ship", **{"carrier": "UPS", "tracking": "1Z2", "units-1": "1"})
    assert offered(answer.text) == []
    await town.settle()
    assert await desk.where(order) == [(1, "shipped"), (1, "shipped"), (1, "shipped")]
    assert await town.house.open_exceptions() == []
    row = await town.house.value("SELECT purchase ->> 'cost' FROM fulfilment_order WHERE order_id = $1", order)
    assert row == "2710"


async def test_whoever_presses_twice_says_it_once(
    desk: Dropship[MailServer], town: Town, browser: httpx.AsyncClient
) -> None:
    order, _ = await desk.bought("twice", ("VASE", 1))
    path = link(desk)
    await press(browser, path, "accept", ships_on=soon(1).isoformat())
    token = token_of((await browser.get(path)).text, "ship") or ""
    form = {"form": token, "carrier": "DHL", "tracking": "T1", "units-1": "1"}
    for _ in range(2):
        assert "The parcel is recorded" in (await browser.post(f"{path}/ship", data=form)).text
    await town.settle()
    assert await town.house.value("SELECT count(*) FROM shipment WHERE order_id = $1", order) == 1
    assert await town.house.open_exceptions() == []


async def test_units_or_all_of_it_may_be_refused(
    desk: Dropship[MailServer], town: Town, browser: httpx.AsyncClient
) -> None:
    order, _ = await desk.bought("part", ("VASE", 3))
    form = {"ships_on": soon(1).isoformat(), "refused-1": "2", "reason": "out_of_stock"}
    await press(browser, link(desk), "accept", **form)
    await town.settle()
    assert await desk.where(order) == [(1, "accepted"), (2, "unallocated")]
    other, _ = await desk.bought("all", ("JAR", 1))
    answer = await press(browser, link(desk), "refuse", reason="discontinued")
    assert "Nothing of this order is wanted" in answer.text
    await town.settle()
    assert await desk.where(other) == [(1, "unallocated")]
    assert await town.stock("JAR", desk.node) == (0, 0)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"ships_on": "2020-01-01"}, "is over"),
        ({"ships_on": "soon"}, "Say on which day"),
        ({"cost-1": "-3"}, "is no cost"),
        ({"cost-1": "NaN"}, "is no cost"),
        ({"cost-1": "3", "currency": "shells"}, "is no currency"),
        ({"refused-1": "9"}, "more than the 2 that are open"),
        ({"refused-1": "one"}, "is no number of units"),
        ({"refused-1": "1", "reason": "<b>"}, "Choose a reason"),
    ],
)
async def test_what_cannot_be_is_said_so_and_changes_nothing(
    desk: Dropship[MailServer], browser: httpx.AsyncClient, form: dict[str, str], said: str
) -> None:
    order, _ = await desk.bought("bad", ("VASE", 2))
    answer = await press(browser, link(desk), "accept", **{"ships_on": soon(2).isoformat(), **form})
    assert answer.status_code == 422
    assert said in answer.text
    assert await desk.where(order) == [(2, "released")]


async def test_no_more_is_shipped_than_is_open(desk: Dropship[MailServer], browser: httpx.AsyncClient) -> None:
    order, _ = await desk.bought("more", ("VASE", 2))
    path = link(desk)
    await press(browser, path, "accept", ships_on=soon(2).isoformat())
    answer = await press(browser, path, "ship", **{"carrier": "UPS", "tracking": "1Z", "units-1": "3"})
    assert answer.status_code == 422
    assert "3 units are more than the 2 that are open" in answer.text
    assert await desk.where(order) == [(2, "accepted")]


async def test_links_that_are_wrong_or_ended_lead_nowhere(
    desk: Dropship[MailServer], town: Town, browser: httpx.AsyncClient
) -> None:
    order, asked = await desk.bought("links", ("VASE", 1))
    key = town.house.parts.clients._page
    assert key is not None
    good = link(desk)
    past = urlsplit(key(asked, datetime.now(UTC) - timedelta(minutes=1))).path
    strange = urlsplit(key(f"{order}-77", datetime.now(UTC) + timedelta(days=1))).path
    foreign = "/s/" + sign(asked, datetime.now(UTC) + timedelta(days=1), supplier_key(b"another hub"))
    customers = f"/o/{good.rpartition('/')[2]}"
    for path in (past, strange, foreign, customers, f"{good}x", "/s/nonsense", "/s/" + "a" * 400):
        assert (await browser.get(path)).status_code == 404
    assert (await browser.post(f"{past}/accept", data={"form": "x"})).status_code == 404
    assert (await browser.get(good)).status_code == 200


async def test_a_form_of_another_order_or_for_something_else_is_refused(
    desk: Dropship[MailServer], town: Town, browser: httpx.AsyncClient
) -> None:
    first, _ = await desk.bought("first", ("VASE", 1))
    second, _ = await desk.bought("second", ("VASE", 1))
    other = token_of((await browser.get(link(desk, -1))).text, "accept") or ""
    path = link(desk, 0)
    refuse = token_of((await browser.get(path)).text, "refuse") or ""
    made_up = sign("x/accept/y", datetime.now(UTC) + timedelta(hours=1), form_key("supplier", b"k"))
    for token in (other, refuse, made_up, ""):
        answer = await browser.post(f"{path}/accept", data={"form": token, "ships_on": soon(1).isoformat()})
        assert answer.status_code == 403
    assert await desk.where(first) == await desk.where(second) == [(1, "released")]


async def test_an_order_that_was_cancelled_meanwhile_cannot_be_accepted(
    desk: Dropship[MailServer], town: Town, counter: Counter, browser: httpx.AsyncClient
) -> None:
    order, asked = await desk.bought("gone", ("VASE", 1))
    path = link(desk)
    token = token_of((await browser.get(path)).text, "accept") or ""
    await counter.ok("POST", f"/orders/{order}/cancel", {})
    await town.settle()
    assert desk.supplier.taken[-1]["Subject"] == "Purchase order PO-000001 is cancelled"
    assert link(desk) == path, "the same order has the same link"
    answer = await browser.post(f"{path}/accept", data={"form": token, "ships_on": soon(1).isoformat()})
    assert answer.status_code == 409
    assert offered(answer.text) == ["stop"]
    answer = await press(browser, path, "stop", answer="stopped")
    assert "Please send nothing" in answer.text
    await town.settle()
    assert await desk.where(order) == []
    assert await town.house.value("SELECT state FROM cancel_request WHERE order_id = $1", order) == "confirmed"


async def test_a_cancel_that_comes_too_late_is_told(
    desk: Dropship[MailServer], town: Town, counter: Counter, browser: httpx.AsyncClient
) -> None:
    order, _ = await desk.bought("late", ("VASE", 1))
    path = link(desk)
    await press(browser, path, "accept", ships_on=soon(1).isoformat())
    await counter.ok("POST", f"/orders/{order}/cancel", {})
    await town.settle()
    answer = await press(browser, path, "stop", answer="too_late")
    assert offered(answer.text) == ["accept", "refuse", "ship"]
    assert "cancel_refused" in await desk.kinds()


async def test_a_mail_that_the_server_refuses_waits_for_a_person_and_a_link_can_be_given_by_hand(
    desk: Dropship[MailServer], counter: Counter, browser: httpx.AsyncClient
) -> None:
    desk.supplier.refuse = "550 no such desk"
    _, asked = await desk.bought("refused", ("VASE", 1))
    assert "550" in (await desk.kinds())["delivery_needs_person"]["cause"]
    made = await counter.ok("POST", f"/fulfilment-orders/{asked}/link", {"days": 2})
    assert offered((await browser.get(urlsplit(made["url"]).path)).text) == ["accept", "refuse"]
