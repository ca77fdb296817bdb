"""Customers are told by mail of a new date: once, in words, to the address that stands when it is sent."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from hub.domain.contact import Contact
from tests.scenarios.counter import Counter
from tests.scenarios.listeners import MailServer
from tests.scenarios.test_events import once
from tests.scenarios.town import Town


@pytest.fixture
def settings() -> dict[str, Any]:
    """A hub that may send mail to a server on this machine."""
    return {"allow_private_subscribers": True, "public_url": "https://hub.example"}


@pytest.fixture
async def post() -> AsyncIterator[MailServer]:
    made = MailServer()
    await made.start()
    yield made
    await made.stop()


async def mailing(counter: Counter, post: MailServer, **more: Any) -> str:
    mail = {"host": "127.0.0.1", "port": post.port, "security": "none", "sender": "shop@acme.example"}
    made = await counter.ok("POST", "/subscriptions", {"name": "mail", "mail": {**mail, **more}})
    assert made["secret"] is None
    assert made["subscription"]["types"] == ["crossdock.promise.changed"]
    id: str = made["subscription"]["id"]
    return id


async def out_of_stock(town: Town, locale: str | None = "en-US") -> dict[str, Any]:
    """An order of what nobody has."""
    await town.goods("RARE")
    town.shop.sell("RARE", available=5)
    hub, town.shop.hub_url = town.shop.hub_url, None
    placed = town.shop.place_order([("RARE", 1)])
    town.shop.hub_url, placed.locale = hub, locale
    town.shop.tell(placed, "orders/create")
    await town.shop.delivered()
    await town.house.path()
    return await town.order(placed)


async def address_of(town: Town, order: str) -> str:
    rows = await town.house.rows("SELECT document FROM contact WHERE order_id = $1", order)
    found = {one.email for row in rows if (one := msgspec.json.decode(row["document"], type=Contact)).email}
    (email,) = found
    assert email is not None
    return email


async def test_a_shortage_is_told_once_and_its_end_once(town: Town, counter: Counter, post: MailServer) -> None:
    await mailing(counter, post)
    order = await out_of_stock(town)
    await once(town.house)
    await once(town.house)
    (mail,) = post.taken
    assert (mail["from"], mail["to"]) == ("shop@acme.example", await address_of(town, order["id"]))
    assert order["number"].lstrip("#") in mail["subject"]
    text = mail.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert "not in stock" in text
    assert "https://hub.example/o/" in text
    kept = await town.house.rows("SELECT document FROM effect WHERE kind = 'TellEvent'")
    assert not [row for row in kept if mail["to"] in row["document"] or "/o/" in row["document"]]

    await town.house.shelf(town.east, town.items["RARE"], 5)
    await town.house.run("UPDATE waiting SET due_at = now()")
    await once(town.house)
    assert len(post.taken) == 2
    assert "is here again" in post.taken[1].get_payload(decode=True).decode()  # type: ignore[union-attr]
    town.depot.stock("76733", "RARE", 5)
    await town.settle()
    assert len(post.taken) == 2


@pytest.mark.parametrize(
    ("locale", "configured", "wanted"),
    [("de-AT", "en", "Ihre Bestellung"), ("fr-FR", "de", "Ihre Bestellung"), (None, "de", "Ihre Bestellung"),
     ("en-GB", "de", "Your order"), ("fr", "xx", "Your order")],
)  # fmt: skip
async def test_the_customers_own_language_goes_before_the_merchants(
    town: Town, counter: Counter, post: MailServer, locale: str | None, configured: str, wanted: str
) -> None:
    await mailing(counter, post, language=configured)
    await out_of_stock(town, locale)
    await once(town.house)
    (mail,) = post.taken
    assert mail["subject"].startswith(wanted)


async def test_an_ordinary_order_is_no_news(town: Town, counter: Counter, post: MailServer) -> None:
    await mailing(counter, post)
    _, order = await town.buy([("PASS", 1)])
    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    assert post.taken == []


async def test_a_message_that_may_have_been_taken_waits_for_a_person(
    town: Town, counter: Counter, post: MailServer
) -> None:
    await mailing(counter, post)
    post.vanish = True
    await out_of_stock(town)
    await once(town.house)
    await once(town.house)
    assert post.taken == []
    trouble = next(row for row in await town.house.open_exceptions() if row["kind"] == "delivery_needs_person")
    assert "may have been sent" in trouble["next_step"]
    post.vanish = False
    await counter.ok("POST", f"/exceptions/{trouble['id']}/retry")
    await once(town.house)
    (mail,) = post.taken
    key = await town.house.value("SELECT key FROM effect WHERE kind = 'TellEvent'")
    assert mail["message-id"] == f"<{key}@acme.example>"


async def test_a_busy_server_is_asked_again_and_a_refusal_is_not(
    town: Town, counter: Counter, post: MailServer
) -> None:
    await mailing(counter, post)
    post.refuse = "451 later"
    order = await out_of_stock(town)
    await once(town.house)
    post.refuse = "550 no such person <somebody@example.com>"
    await once(town.house)
    tries = await town.house.rows(
        "SELECT a.outcome, a.reason FROM attempt a JOIN effect e ON e.id = a.effect_id "
        "WHERE e.kind = 'TellEvent' ORDER BY a.no"
    )
    assert [row["outcome"] for row in tries] == ["retry_later", "needs_person"]
    assert "550" in tries[1]["reason"]
    assert "somebody@example.com" not in tries[1]["reason"]
    assert post.taken == []
    assert await town.house.value("SELECT count(*) FROM effect WHERE order_id = $1 AND kind = 'TellEvent'", order["id"])


async def test_mail_is_not_replayed(town: Town, counter: Counter, post: MailServer) -> None:
    id = await mailing(counter, post)
    problem = await counter.refused("POST", f"/subscriptions/{id}/replay", {"since": "2020-01-01T00:00:00Z"})
    assert (problem["status"], problem["type"]) == (409, "urn:crossdock:problem:mail-is-sent-once")
