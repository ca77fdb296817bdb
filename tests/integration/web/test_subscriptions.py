"""Subscriptions as people set them up: what is refused, what is never shown, what another merchant cannot see."""

import pytest

from tests.integration.web.conftest import Site, pointers

HOOK = {"name": "books", "url": "https://hooks.example.com/in"}
MAIL = {"host": "smtp.example.com", "sender": "shop@example.com"}


async def test_a_secret_is_shown_once_and_stored_sealed(site: Site) -> None:
    made = await site.ok("POST", "/subscriptions", HOOK, idempotency_key="k1")
    assert made["secret"].startswith("whsec_")
    again = await site.ok("POST", "/subscriptions", HOOK, idempotency_key="k1")
    assert (again["subscription"]["id"], again["secret"]) == (made["subscription"]["id"], None)
    (row,) = await site.sql("SELECT secrets, config::text FROM subscription")
    assert made["secret"].encode() not in bytes(row["secrets"])
    shown = await site.ok("GET", f"/subscriptions/{made['subscription']['id']}")
    assert made["secret"] not in str(shown)
    assert (shown["types"], shown["connections"], shown["config"]) == ([], [], {"url": HOOK["url"]})
    mail = await site.ok("POST", "/subscriptions", {"name": "mail", "mail": {**MAIL, "password": "hush-hush"}})
    assert "hush-hush" not in str(mail)
    listed = await site.ok("GET", "/subscriptions")
    assert [one["name"] for one in listed["items"]] == ["mail", "books"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"name": "x"}, [""]),
        ({**HOOK, "mail": MAIL}, [""]),
        ({**HOOK, "url": "ftp://hooks.example.com/in"}, ["/url"]),
        ({**HOOK, "url": "http://hooks.example.com/in"}, ["/url"]),
        ({**HOOK, "url": "https://user:pass@hooks.example.com/"}, ["/url"]),
        ({**HOOK, "url": "https://127.0.0.1/in"}, ["/url"]),
        ({**HOOK, "url": "https://[::ffff:10.0.0.1]/in"}, ["/url"]),
        ({**HOOK, "url": "https://localhost/in"}, ["/url"]),
        ({**HOOK, "url": "https://169.254.169.254/latest"}, ["/url"]),
        ({**HOOK, "url": "https:///in"}, ["/url"]),
        ({**HOOK, "url": "https://hooks.example.com:99999/in"}, ["/url"]),
        ({**HOOK, "types": ["crossdock.order.captured", "order.captured"]}, ["/types/1"]),
        ({**HOOK, "connections": ["nowhere"]}, ["/connections/0"]),
        ({"name": "m", "mail": {**MAIL, "host": "10.0.0.5"}}, ["/mail/host"]),
        ({"name": "m", "mail": {**MAIL, "sender": "no address"}}, ["/mail/sender"]),
        ({**HOOK, "colour": "red"}, ["/colour"]),
    ],
)
async def test_what_cannot_be_told_is_refused(site: Site, body: dict[str, object], where: list[str]) -> None:
    problem = await site.refused(422, "POST", "/subscriptions", body)
    assert pointers(problem) == where
    assert await site.sql("SELECT 1 FROM subscription") == []


async def test_it_is_changed_paused_and_removed(site: Site) -> None:
    link = await site.connect()
    id = (await site.ok("POST", "/subscriptions", HOOK))["subscription"]["id"]
    changes = {"types": ["crossdock.order.*"], "connections": [link["id"]], "url": "https://other.example.com/"}
    changed = await site.ok("PATCH", f"/subscriptions/{id}", changes)
    assert (changed["types"], changed["connections"]) == (["crossdock.order.*"], [link["id"]])
    assert (changed["name"], changed["config"]) == ("books", {"url": "https://other.example.com/"})
    problem = await site.refused(409, "PATCH", f"/subscriptions/{id}", {"mail": MAIL})
    assert problem["type"].endswith("another-channel")
    paused = await site.ok("POST", f"/subscriptions/{id}/pause")
    assert (paused["paused"], paused["paused_because"]) == (True, "paused by admin")
    resumed = await site.ok("POST", f"/subscriptions/{id}/resume")
    assert (resumed["paused"], resumed["paused_because"]) == (False, None)
    await site.ok("DELETE", f"/subscriptions/{id}")
    await site.refused(404, "GET", f"/subscriptions/{id}")


async def test_who_may_not_sees_and_changes_nothing(site: Site) -> None:
    id = (await site.ok("POST", "/subscriptions", HOOK))["subscription"]["id"]
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate"), ("POST", "/replay")):
        body = {"since": "2020-01-01T00:00:00Z"} if path == "/replay" else {} if method == "PATCH" else None
        await site.refused(404, method, f"/subscriptions/{id}{path}", body, role="other")
    await site.refused(403, "POST", "/subscriptions", HOOK, role="operator")
    assert (await site.ok("GET", "/subscriptions", role="other"))["items"] == []
    await site.refused(404, "POST", "/orders/01ARZ3NDEKTSV4RRFFQ6/link")


async def test_the_documents_are_served_without_another_host(site: Site) -> None:
    document = (await site.client.get("/asyncapi.json")).json()
    assert document["asyncapi"] == "3.0.0"
    page = await site.client.get("/docs/events")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "crossdock.promise.changed" in page.text


async def test_without_a_key_every_customer_link_is_closed(site: Site) -> None:
    assert site.services.link_key == b""
    answer = await site.client.get("/o/anything")
    assert (answer.status_code, "There is no such page" in answer.text) == (404, True)
