"""Messages, exceptions, overlays and code tables: what came, what could not be read, and trying again."""

import hashlib
from typing import Any

import pytest

from hub.domain.effects import SubmitFulfilment
from hub.flow.ports import Inbound
from hub.flow.trouble import Trouble
from hub.store.inbox import Arrival, park, store_arrivals
from hub.store.troubles import raise_troubles
from tests.integration.web.conftest import Site, new_id, now, pointers


@pytest.fixture(autouse=True)
def at_rest(site: Site) -> None:
    """Nobody takes up what is queued here: the tests look at it."""
    site.worker.working = False


async def arrive(
    site: Site, connection: dict[str, Any], body: bytes, *, key: str = "k1", lane: str | None = "orders"
) -> int:
    """Store a delivery as the web hook does; returns its number."""
    (row,) = await site.sql("SELECT account_id FROM connection WHERE id = $1", connection["id"])
    arrival = Arrival(
        account=row["account_id"],
        key=key,
        hash=hashlib.blake2b(body, digest_size=16).digest(),
        merchant="default",
        connection=connection["id"],
        topic="orders",
        object=f"order:{key}",
        lane=lane,
        received_at=now(),
        headers='{"x-topic": "orders"}',
        body=body,
    )
    async with site.database.transaction() as database:
        ((message, _),) = await store_arrivals(database, [arrival], now())
    return message


async def set_aside(site: Site, connection: dict[str, Any], message: int, kind: str, cause: str) -> None:
    """Park a message under an exception, as a handler does."""
    inbound = Inbound(message, "default", connection["id"], 1, "orders", None, now(), 0, b"")
    async with site.database.transaction() as database:
        await park(database, [(inbound, Trouble(kind, f"{connection['id']}: {cause}", "mend it"))], now())


async def send(site: Site, connection: dict[str, Any], *, parked: bool = False, tries: int = 0) -> int:
    """An effect in the outbox; returns its number."""
    effect = (await site.sql("SELECT nextval('effect_id')::bigint AS id"))[0]["id"]
    key = new_id()
    await site.sql(
        "INSERT INTO effect (id, made_on, merchant, connection_id, subject, key, kind, document, created_at) "
        "VALUES ($1, now(), 'default', $2, $3, $3, 'SubmitFulfilment', $4, now())",
        effect,
        connection["id"],
        key,
        '{"type":"' + SubmitFulfilment.__name__ + '"}',
    )
    await site.sql(
        "INSERT INTO outbox (id, connection_id, subject, due_at, parked, tries) VALUES ($1, $2, $3, now(), $4, $5)",
        effect,
        connection["id"],
        key,
        parked,
        tries,
    )
    for no in range(1, tries + 1):
        await attempt(site, connection, effect, no, "retry_later")
    return int(effect)


async def attempt(site: Site, connection: dict[str, Any], effect: int, no: int, outcome: str) -> None:
    await site.sql(
        "INSERT INTO attempt VALUES ($1, $2, now(), $3, now(), now(), $4, 'because', 'ref')",
        effect,
        no,
        connection["id"],
        outcome,
    )


@pytest.mark.parametrize(
    ("body", "payload", "encoding"),
    [
        (b'{"id": 12345678901234567890, "n": 1.10}', '{"id": 12345678901234567890, "n": 1.10}', "json"),
        (b"a,b\n1,2", "a,b\n1,2", "text"),
        (b"\xff\x00", "/wA=", "base64"),
    ],
)
async def test_a_payload_is_shown_as_it_came(site: Site, body: bytes, payload: str, encoding: str) -> None:
    connection = await site.connect()
    number = await arrive(site, connection, body)
    shown = await site.ok("GET", f"/messages/in-{number}")
    assert (shown["payload"], shown["payload_encoding"]) == (payload, encoding)
    assert shown["headers"] == {"x-topic": "orders"}
    assert (shown["direction"], shown["state"], shown["topic"], shown["attempts"]) == ("in", "queued", "orders", [])
    await site.sql("UPDATE message SET body = NULL")
    assert (await site.ok("GET", f"/messages/{number}"))["payload"] is None
    await site.refused(409, "POST", f"/messages/in-{number}/replay")


async def test_lists_merge_both_directions_by_time(site: Site) -> None:
    connection = await site.connect()
    made = []
    for n in range(4):
        made.append(f"in-{await arrive(site, connection, b'{}', key=f'k{n}')}")
        made.append(f"out-{await send(site, connection)}")
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        page = await site.ok("GET", f"/messages?limit=3{cursor and '&cursor=' + cursor}")
        found += [message["id"] for message in page["items"]]
        cursor = page["next"]
    assert found == made[::-1]
    assert {m["id"] for m in (await site.ok("GET", "/messages?direction=out"))["items"]} == set(made[1::2])
    assert (await site.ok("GET", "/messages?connection=none"))["items"] == []
    assert (await site.ok("GET", "/messages?topic=orders&direction=in&limit=1"))["items"][0]["id"] == made[-2]


async def test_states(site: Site) -> None:
    connection = await site.connect()
    queued = await arrive(site, connection, b"{}", key="a")
    parked = await arrive(site, connection, b"{}", key="b")
    done = await arrive(site, connection, b"{}", key="c", lane=None)
    await set_aside(site, connection, parked, "malformed", "orders")
    effects = {"queued": await send(site, connection), "parked": await send(site, connection, parked=True, tries=1)}
    for outcome in ("done", "refused"):
        effects[outcome] = await send(site, connection)
        await attempt(site, connection, effects[outcome], 1, outcome)
        await site.sql("DELETE FROM outbox WHERE id = $1", effects[outcome])
    effects["void"] = await send(site, connection)
    await site.sql("DELETE FROM outbox WHERE id = $1", effects["void"])
    for state, number in (("queued", queued), ("parked", parked), ("done", done)):
        rows = (await site.ok("GET", f"/messages?direction=in&state={state}"))["items"]
        assert [row["id"] for row in rows] == [f"in-{number}"], state
    for state, number in effects.items():
        rows = (await site.ok("GET", f"/messages?direction=out&state={state}"))["items"]
        assert [(row["id"], row["state"]) for row in rows] == [(f"out-{number}", state)]
    await site.refused(422, "GET", "/messages?state=lost")


async def test_attempts_are_kept_with_their_message(site: Site) -> None:
    connection = await site.connect()
    number = await send(site, connection, tries=2)
    shown = await site.ok("GET", f"/messages/out-{number}")
    assert [(one["no"], one["outcome"], one["reason"], one["reference"]) for one in shown["attempts"]] == [
        (1, "retry_later", "because", "ref"),
        (2, "retry_later", "because", "ref"),
    ]
    assert shown["tries"] == 2


async def test_replay_inbound_queues_the_stored_bytes(site: Site) -> None:
    connection = await site.connect()
    number = await arrive(site, connection, b"{}", lane=None)
    site.rung.clear()
    replayed = await site.ok("POST", f"/messages/in-{number}/replay")
    assert replayed["state"] == "queued"
    assert site.rung == ["orders"]
    assert [row["lane"] for row in await site.sql("SELECT lane FROM inbox")] == ["orders"]
    await site.ok("POST", f"/messages/{number}/replay")
    assert len(await site.sql("SELECT 1 FROM inbox")) == 1


async def test_replay_outbound_keeps_the_key_and_looks_first(site: Site) -> None:
    connection = await site.connect()
    number = await send(site, connection, tries=1)
    await site.sql("DELETE FROM outbox")
    site.rung.clear()
    replayed = await site.ok("POST", f"/messages/out-{number}/replay")
    assert replayed["state"] == "queued"
    (row,) = await site.sql("SELECT look_first, tries, parked FROM outbox")
    assert (row["look_first"], row["tries"], row["parked"]) == (True, 1, False)
    assert site.rung == ["deliver"]
    never = await send(site, connection)
    await site.sql("DELETE FROM outbox")
    problem = await site.refused(409, "POST", f"/messages/out-{never}/replay")
    assert problem["type"].endswith("taken-back")


@pytest.mark.parametrize("id", ["in-999", "out-999", "x-1", "1-2", "in-", "abc", "in-" + "9" * 30])
async def test_unknown_messages(site: Site, id: str) -> None:
    await site.refused(404, "GET", f"/messages/{id}")
    await site.refused(404, "POST", f"/messages/{id}/replay")


async def test_retry_lets_everything_go_on_that_waits(site: Site) -> None:
    connection = await site.connect()
    message = await arrive(site, connection, b"{}")
    await set_aside(site, connection, message, "malformed", "orders")
    effect = await send(site, connection, parked=True, tries=3)
    trouble = Trouble("malformed", f"{connection['id']}: orders", "mend it", waiter=("effect", str(effect)))
    async with site.database.transaction() as database:
        await raise_troubles(database, [("default", None, trouble)], now())
    (exception,) = (await site.ok("GET", "/exceptions"))["items"]
    assert (exception["count"], exception["waiting"], exception["state"]) == (2, 2, "open")
    closed = await site.ok("POST", f"/exceptions/{exception['id']}/retry")
    assert (closed["state"], closed["closed_by"]) == ("closed", "token:admin")
    assert (await site.ok("GET", f"/messages/in-{message}"))["state"] == "queued"
    (row,) = await site.sql("SELECT parked, look_first FROM outbox")
    assert (row["parked"], row["look_first"]) == (False, True)
    assert {"orders", "deliver"} <= set(site.rung)
    await site.refused(409, "POST", f"/exceptions/{exception['id']}/retry")


async def test_resolve_closes_and_tries_nothing(site: Site) -> None:
    connection = await site.connect()
    message = await arrive(site, connection, b"{}")
    await set_aside(site, connection, message, "malformed", "orders")
    (exception,) = (await site.ok("GET", "/exceptions?state=open"))["items"]
    await site.ok("POST", f"/exceptions/{exception['id']}/resolve")
    assert (await site.ok("GET", "/exceptions?state=open"))["items"] == []
    assert (await site.ok("GET", "/exceptions?state=closed"))["items"][0]["id"] == exception["id"]
    assert (await site.ok("GET", f"/messages/in-{message}"))["state"] == "parked"
    await set_aside(site, connection, message, "malformed", "orders")
    (again,) = (await site.ok("GET", "/exceptions?state=open"))["items"]
    assert again["id"] != exception["id"]


async def test_exceptions_are_filtered_and_paged(site: Site) -> None:
    connection = await site.connect()
    for n in range(3):
        message = await arrive(site, connection, b"{}", key=f"k{n}")
        await set_aside(site, connection, message, "malformed" if n else "unmapped", f"cause {n}")
    assert len((await site.ok("GET", "/exceptions?kind=malformed"))["items"]) == 2
    assert len((await site.ok("GET", f"/exceptions?connection={connection['id']}"))["items"]) == 3
    first = await site.ok("GET", "/exceptions?limit=2")
    second = await site.ok("GET", f"/exceptions?limit=2&cursor={first['next']}")
    assert [int(one["id"]) for one in first["items"] + second["items"]] == [3, 2, 1]
    for id in ("99", "x", "9" * 40):
        await site.refused(404, "GET", f"/exceptions/{id}")
        await site.refused(404, "POST", f"/exceptions/{id}/resolve")


async def test_a_word_in_a_table_frees_what_waited_for_it(site: Site) -> None:
    connection = await site.connect()
    path = f"/connections/{connection['id']}/tables/status"
    assert (await site.ok("GET", path)) == {
        "name": "status",
        "version": 0,
        "entries": {},
        "author": None,
        "created_at": None,
    }
    waiting = await arrive(site, connection, b"{}", key="a")
    other = await arrive(site, connection, b"{}", key="b")
    await set_aside(site, connection, waiting, "unmapped", "status 'Lost'")
    await set_aside(site, connection, other, "unmapped", "status 'Found'")
    saved = await site.ok("PUT", path, {"entries": {"Lost": "cancelled"}})
    assert (saved["version"], saved["entries"], saved["author"]) == (1, {"Lost": "cancelled"}, "admin")
    assert (await site.ok("GET", f"/messages/in-{waiting}"))["state"] == "queued"
    assert (await site.ok("GET", f"/messages/in-{other}"))["state"] == "parked"
    bare = await site.ok("PUT", path, {"Lost": "cancelled", "Found": "open"})
    assert (bare["version"], len(bare["entries"])) == (2, 2)
    assert (await site.ok("GET", f"/messages/in-{other}"))["state"] == "queued"
    assert [table["name"] for table in (await site.ok("GET", f"/connections/{connection['id']}/tables"))["items"]] == [
        "status"
    ]


@pytest.mark.parametrize(
    ("body", "found"),
    [({"entries": {"a": 1}}, ["/entries/a"]), ({"a": None, "b": ""}, ["/a", "/b"]), ({"a/b": []}, ["/a~1b"])],
)
async def test_tables_hold_words(site: Site, body: Any, found: list[str]) -> None:
    connection = await site.connect()
    assert pointers(await site.refused(422, "PUT", f"/connections/{connection['id']}/tables/status", body)) == found
    problem = await site.refused(422, "PUT", f"/connections/{connection['id']}/tables/Bad%20name", {})
    assert problem["errors"][0]["parameter"] == "name"
    await site.refused(404, "PUT", "/connections/none/tables/status", {})


OVERLAY = '[set]\n"content.source" = \'"web"\'\n[tables.status]\nLost = "cancelled"\n'


async def test_overlays_are_versions(site: Site) -> None:
    connection = await site.connect()
    path = f"/connections/{connection['id']}/mapping"
    assert (await site.ok("GET", path))["version"] == 0
    message = await arrive(site, connection, b"{}")
    await set_aside(site, connection, message, "malformed", "orders")
    assert (await site.ok("PUT", path, {"text": OVERLAY}))["version"] == 1
    assert (await site.ok("GET", f"/messages/in-{message}"))["state"] == "queued"
    assert (await site.ok("PUT", path, {"text": ""}))["version"] == 2
    assert (await site.ok("GET", path))["text"] == ""
    problem = await site.refused(
        422, "PUT", path, {"text": '[set]\n"content.colour" = "1"\n"content.source" = "1 +"\n'}
    )
    assert pointers(problem) == ["/text", "/text"]
    assert any("colour" in fault["detail"] for fault in problem["errors"])
    assert (await site.ok("GET", path))["version"] == 2
    await site.refused(404, "GET", "/connections/none/mapping")


async def test_a_preview_stores_nothing(site: Site) -> None:
    connection = await site.connect()
    path = f"/connections/{connection['id']}/mapping/preview"
    number = await arrive(site, connection, b'{"id": "7"}')
    shown = await site.ok("POST", path, {"message": f"in-{number}"})
    assert shown["error"] is None
    assert shown["messages"][0]["content"]["external_id"] == "7"
    given = await site.ok("POST", path, {"topic": "orders", "payload": '{"id": "8"}'})
    assert given["messages"][0]["content"]["external_id"] == "8"
    broken = await site.ok("POST", path, {"topic": "orders", "payload": "{"})
    assert broken["messages"] == []
    assert broken["error"]
    assert "weather" in (await site.ok("POST", path, {"topic": "weather", "payload": "{}"}))["error"]
    assert pointers(await site.refused(422, "POST", path, {"topic": "orders"})) == [""]
    assert pointers(await site.refused(422, "POST", path, {"message": "in-1", "text": "[x]"})) == ["/text"]
    await site.refused(404, "POST", path, {"message": "in-99"})
    assert await site.sql("SELECT 1 FROM customer_order") == []
