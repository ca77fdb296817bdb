"""People and exceptions: how bad, how late, whose; set aside, tried again, corrected, closed when the cause ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tests.scenarios.counter import Counter
from tests.scenarios.test_intake import deliver, edited, quiet_order
from tests.scenarios.town import Town


async def broken(town: Town, event: str = "e-1") -> tuple[str, bytes, bytes]:
    """A parked message of an order whose body lost its id: (message, broken body, whole body)."""
    whole = town.shop.body(quiet_order(town), "orders/create")
    body = msgspec.json.encode({k: v for k, v in msgspec.json.decode(whole).items() if k != "id"})
    assert await deliver(town, body, event=event) == 200
    await town.settle()
    number = await town.house.value("SELECT max(id) FROM inbox WHERE parked")
    return f"in-{number}", body, whole


async def started(town: Town, hours: int, kind: str) -> None:
    """Let exceptions of a kind have begun so long ago."""
    await town.house.run("UPDATE exception SET since = since - make_interval(hours => $1) WHERE kind = $2", hours, kind)


async def test_a_cause_has_a_severity_a_team_and_a_time_by_which_somebody_has_seen_to_it(
    town: Town, counter: Counter
) -> None:
    town.shop.sell("NEW", available=5)
    await town.buy([("NEW", 1)])
    (found,) = (await counter.ok("GET", "/exceptions?state=open"))["items"]
    assert (found["kind"], found["severity"], found["team"]) == ("unknown_sku", "high", "catalogue")
    assert datetime.fromisoformat(found["due_at"]) == datetime.fromisoformat(found["since"]) + timedelta(hours=8)
    assert (found["overdue"], found["owner"], found["age_seconds"] < 60) == (False, None, True)

    await started(town, 9, "unknown_sku")
    (late,) = (await counter.ok("GET", "/exceptions?overdue=true&severity=high&team=catalogue"))["items"]
    assert late["id"] == found["id"]
    assert 9 * 3600 <= late["age_seconds"] < 9 * 3600 + 60
    assert (await counter.ok("GET", "/exceptions?severity=critical"))["items"] == []
    assert (await counter.ok("GET", "/exceptions?overdue=false"))["items"] == []


async def test_a_merchants_own_rules_hold_for_what_is_open_already(town: Town, counter: Counter) -> None:
    town.shop.sell("NEW", available=5)
    await town.buy([("NEW", 1)])
    text = 'version = "ours-1"\n[kinds.unknown_sku]\nseverity = "critical"\nsla_hours = 2\nteam = "night shift"\n'
    made = await counter.ok("POST", "/policies", {"kind": "exceptions", "text": text})
    await counter.ok("POST", f"/policies/{made['id']}/activate")
    (found,) = (await counter.ok("GET", "/exceptions?state=open"))["items"]
    assert (found["severity"], found["team"]) == ("critical", "night shift")
    refused = await counter.refused("POST", "/policies", {"kind": "exceptions", "text": text.replace("2", "0")})
    assert "sla_hours" in refused["errors"][0]["detail"]


async def test_somebody_takes_it_and_sets_it_aside(town: Town, counter: Counter) -> None:
    town.shop.sell("NEW", available=5)
    await town.buy([("NEW", 1)])
    await started(town, 9, "unknown_sku")
    id = (await town.trouble())["id"]
    taken = await counter.ok("POST", f"/exceptions/{id}/assign", {"owner": "Ada"})
    assert (taken["owner"], taken["overdue"]) == ("Ada", True)
    assert len((await counter.ok("GET", "/exceptions?owner=Ada"))["items"]) == 1
    assert (await counter.ok("GET", "/exceptions?owner=nobody"))["items"] == []

    until = datetime.now(UTC) + timedelta(hours=1)
    aside = await counter.ok("POST", f"/exceptions/{id}/snooze", {"until": until.isoformat()})
    assert aside["overdue"] is False
    assert [one["id"] for one in (await counter.ok("GET", "/exceptions?snoozed=true"))["items"]] == [str(id)]
    await town.house.run("UPDATE exception SET snoozed_until = now() - interval '1 second'")
    assert (await counter.ok("GET", f"/exceptions/{id}"))["overdue"] is True, "it woke by itself"

    past = {"until": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}
    assert (await counter.refused("POST", f"/exceptions/{id}/snooze", past))["errors"][0]["pointer"] == "/until"
    done = await counter.ok("POST", f"/exceptions/{id}/resolve", {"resolution": "asked the shop to take it down"})
    assert (done["state"], done["resolution"]) == ("closed", "asked the shop to take it down")
    again = await counter.refused("POST", f"/exceptions/{id}/assign", {"owner": "Bob"})
    assert again["type"].endswith("already-closed")


async def test_a_try_that_mends_nothing_keeps_age_and_owner(town: Town, counter: Counter) -> None:
    await broken(town)
    first = await town.trouble()
    await started(town, 30, first["kind"])
    await counter.ok("POST", f"/exceptions/{first['id']}/assign", {"owner": "Ada"})
    closed = await counter.ok("POST", f"/exceptions/{first['id']}/retry")
    assert closed["state"] == "closed"
    await town.settle()
    (back,) = (await counter.ok("GET", "/exceptions?state=open"))["items"]
    assert back["id"] != closed["id"]
    assert (back["owner"], back["retries"], back["since"]) == ("Ada", 1, closed["since"])
    assert back["overdue"] is True

    await counter.ok("POST", f"/exceptions/{back['id']}/resolve")
    await counter.ok("POST", f"/messages/in-{await town.house.value('SELECT id FROM inbox')}/replay")
    await town.settle()
    (anew,) = (await counter.ok("GET", "/exceptions?state=open"))["items"]
    assert (anew["owner"], anew["retries"], anew["overdue"]) == (None, 0, False), "resolved and raised anew is new"


async def test_many_are_tried_again_at_once(town: Town, counter: Counter) -> None:
    for sku in ("ONE", "TWO", "THREE"):
        town.shop.sell(sku, available=5)
        await town.buy([(sku, 1)])
    await broken(town)
    assert len(await town.house.open_exceptions()) == 4
    answer = await counter.ok("POST", "/exceptions/retry", {"kind": "unknown_sku"})
    assert (len(answer["ids"]), answer["more"]) == (3, False)
    await town.settle()
    still = [row for row in await town.house.open_exceptions() if row["kind"] == "unknown_sku"]
    assert [row["retries"] for row in still] == [1, 1, 1], "nothing was mended, and nobody forgets the orders"
    (parked,) = [row for row in await town.house.open_exceptions() if row["kind"] != "unknown_sku"]
    await counter.ok("POST", "/exceptions/retry", {"ids": [str(parked["id"])]})
    refused = await counter.refused("POST", "/exceptions/retry", {"ids": [str(parked["id"])]})
    assert refused["type"].endswith("already-closed")
    assert (await counter.refused("POST", "/exceptions/retry", {}))["status"] == 422
    assert (await counter.refused("POST", "/exceptions/retry", {"ids": ["1"], "kind": "x"}))["status"] == 422


async def test_the_soonest_due_come_first_page_by_page(town: Town, counter: Counter) -> None:
    for sku, hours in (("ONE", 3), ("TWO", 7), ("THREE", 5)):
        town.shop.sell(sku, available=5)
        await town.buy([(sku, 1)])
        await town.house.run(
            "UPDATE exception SET since = since - make_interval(hours => $1) WHERE cause LIKE $2", hours, f"%: {sku}"
        )
    seen: list[str] = []
    path: str | None = "/exceptions?sort=due&limit=2"
    while path is not None:
        part = await counter.ok("GET", path)
        seen += [one["cause"].rsplit(" ", 1)[1] for one in part["items"]]
        path = f"/exceptions?sort=due&limit=2&cursor={part['next']}" if part["next"] else None
    assert seen == ["TWO", "THREE", "ONE"]


async def test_a_corrected_copy_takes_the_path_and_names_its_origin_and_author(town: Town, counter: Counter) -> None:
    id, body, whole = await broken(town)
    correction: dict[str, Any] = {"payload": whole.decode(), "reason": "the shop's export dropped the id"}
    copy = await counter.ok("POST", f"/messages/{id}/edit", correction)
    assert (copy["edited_from"], copy["edit_reason"]) == (id, "the shop's export dropped the id")
    assert copy["edited_by"].startswith("token:counter-")
    assert (await counter.ok("POST", f"/messages/{id}/edit", correction))["id"] == copy["id"], "the same copy, once"
    await town.settle()

    assert await town.house.value("SELECT body FROM message WHERE id = $1", int(id[3:])) == body
    (order,) = await town.house.rows("SELECT * FROM customer_order")
    assert order["external_id"] == str(msgspec.json.decode(whole)["id"])
    assert await town.slices(order["id"]) == [(1, "accepted", town.east)]
    assert await town.house.open_exceptions() == []
    assert await town.house.value("SELECT count(*) FROM inbox") == 0
    assert (await counter.ok("GET", f"/messages/{id}"))["state"] == "done"


async def test_a_copy_that_is_no_better_waits_in_its_origins_place(town: Town, counter: Counter) -> None:
    id, body, _ = await broken(town)
    worse = edited(body, note="still without an id").decode()
    copy = await counter.ok("POST", f"/messages/{id}/edit", {"payload": worse, "reason": "a try"})
    await town.settle()
    assert [f"in-{row['id']}" for row in await town.house.rows("SELECT id FROM inbox WHERE parked")] == [copy["id"]]
    assert (
        await town.house.value(
            "SELECT w.ref FROM exception e JOIN exception_waiter w ON w.exception_id = e.id WHERE e.closed_at IS NULL"
        )
        == copy["id"][3:]
    )


async def test_what_cannot_be_corrected_is_said_so(town: Town, counter: Counter) -> None:
    id, body, whole = await broken(town)
    same = await counter.refused("POST", f"/messages/{id}/edit", {"payload": body.decode(), "reason": "nothing"})
    assert same["type"].endswith("nothing-edited")
    no_json = {"payload": "{", "payload_encoding": "json", "reason": "a slip"}
    assert (await counter.refused("POST", f"/messages/{id}/edit", no_json))["errors"][0]["pointer"] == "/payload"
    await town.buy([("PASS", 1)])
    sent = await town.house.value("SELECT min(id) FROM effect")
    out = await counter.refused("POST", f"/messages/out-{sent}/edit", {"payload": whole.decode(), "reason": "a try"})
    assert out["type"].endswith("not-editable")
    assert (await counter.ask("POST", "/messages/in-999/edit", {"payload": "{}", "reason": "a try"})).status_code == 404


async def test_a_message_that_was_replayed_by_hand_closes_its_exception(town: Town, counter: Counter) -> None:
    town.shop.sell("NEW", available=5)
    await town.buy([("NEW", 1)])
    id, _, whole = await broken(town)
    await town.house.run("UPDATE message SET body = $2 WHERE id = $1", int(id[3:]), whole)
    await counter.ok("POST", f"/messages/{id}/replay")
    await town.settle()
    assert len(await town.house.open_exceptions()) == 2
    assert await town.house.close_mended() == 1
    assert [row["kind"] for row in await town.house.open_exceptions()] == ["unknown_sku"], "whose order still waits"
    assert await town.house.value("SELECT closed_by FROM exception WHERE closed_at IS NOT NULL") == "cause gone"
    assert await town.house.close_mended() == 0


async def test_an_order_that_is_cancelled_leaves_no_question_open(town: Town) -> None:
    placed = town.shop.place_order([("PASS", 1)], financial="half_paid")
    await town.settle()
    assert (await town.trouble())["kind"] == "unmapped_status"
    assert await town.house.close_mended() == 0
    town.shop.cancel_order(placed.id)
    await town.settle()
    assert (await town.order(placed))["state"] == "cancelled"
    await town.house.close_mended()
    assert await town.house.open_exceptions() == []


async def test_a_level_that_the_channel_took_after_all_closes_its_exception(town: Town) -> None:
    refused = "shop: the location is closed"
    await town.house.run(
        "WITH made AS (INSERT INTO exception (merchant, kind, cause, next_step, connection_id, opened_at, last_at) "
        "VALUES ('default', 'availability_refused', $1, 'Look at the answer.', 'shop', now(), now()) RETURNING id) "
        "INSERT INTO exception_waiter SELECT id, 'levels', 'shop' FROM made",
        refused,
    )
    await town.house.run(
        "INSERT INTO availability (stock_point_id, item_id, connection_id, due_at, trouble) "
        "VALUES (1, 1, 'shop', now() + interval '1 hour', 'shop: the location is closed')"
    )
    await town.house.close_mended()
    assert (await town.trouble())["cause"] == refused
    await town.house.run("UPDATE availability SET trouble = NULL")
    await town.house.close_mended()
    assert await town.house.open_exceptions() == []
