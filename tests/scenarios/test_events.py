"""The hub's own facts reach subscribers: signed, in order, once, and again when they are asked for."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from hub.domain.contact import Contact
from tests.scenarios.counter import Counter
from tests.scenarios.house import PATIENT, House
from tests.scenarios.listeners import Receiver
from tests.scenarios.town import Town


@pytest.fixture
def settings() -> dict[str, Any]:
    """A hub that may tell subscribers on this machine."""
    return {"allow_private_subscribers": True}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    await made.start()
    yield made
    await made.stop()


async def subscribe(counter: Counter, receiver: Receiver, **more: Any) -> tuple[str, str]:
    made = await counter.ok("POST", "/subscriptions", {"name": "books", "url": receiver.url, **more})
    return made["subscription"]["id"], made["secret"]


async def once(house: House) -> None:
    """Tell once what is due, and whatever follows at once; failures wait long after that."""
    await house.path()
    notifier = house.worker.notifier
    notifier._backoff = PATIENT
    await house.run("UPDATE outbox SET due_at = now() WHERE NOT parked")
    await notifier.run()
    await notifier.drain()
    house.close_circuits()


async def test_an_order_is_told_as_it_happens_signed_and_in_order(
    town: Town, counter: Counter, receiver: Receiver
) -> None:
    _, secret = await subscribe(counter, receiver)
    placed, order = await town.buy([("PASS", 2)])
    town.depot.ship(town.asked(order["id"]))
    await town.settle()

    echoed = [type for type in receiver.types() if type != "order.amended"]
    assert echoed == [
        "order.captured",
        "order.routed",
        "fulfilment.released",
        "fulfilment.accepted",
        "fulfilment.shipped",
        "order.closed",
    ]
    first, shipped = receiver.heard[0], receiver.heard[4]
    assert (first["specversion"], first["source"], first["subject"]) == ("1.0", "urn:crossdock:default", order["id"])
    assert first["data"]["lines"] == [
        {"line": str(placed.lines[0].id), "sku": "PASS", "quantity": 2, "group": first["data"]["lines"][0]["group"]}
    ]
    assert shipped["data"]["node"] == "EAST"
    (parcel,) = shipped["data"]["parcels"]
    assert parcel["tracking"]
    assert [(goods["sku"], goods["quantity"]) for goods in parcel["lines"]] == [("PASS", 2)]
    assert all(receiver.signed_by(secret, no) for no in range(6))
    headers, body = receiver.deliveries[0]
    assert headers["content-type"] == "application/cloudevents+json"
    assert headers["webhook-id"] == first["id"]
    rows = await town.house.rows("SELECT document FROM contact WHERE order_id = $1", order["id"])
    people = [msgspec.json.decode(row["document"], type=Contact) for row in rows]
    private = {word for one in people for word in (one.name, one.email, one.phone, one.postal_code, *one.lines) if word}
    told = b" ".join(raw for _, raw in receiver.deliveries).decode()
    assert private
    assert not [word for word in private if word in told]


async def test_without_subscribers_nothing_is_written(town: Town) -> None:
    await town.buy([("PASS", 1)])
    assert await town.house.value("SELECT count(*) FROM effect WHERE kind = 'TellEvent'") == 0


async def test_a_filter_lets_through_what_it_names(town: Town, counter: Counter, receiver: Receiver) -> None:
    await subscribe(counter, receiver, types=["crossdock.fulfilment.*"], connections=["shop"])
    await town.buy([("PASS", 1)])
    assert receiver.types() == ["fulfilment.released", "fulfilment.accepted"]
    other = Receiver()
    await other.start()
    await subscribe(counter, other, connections=["depot"])
    await town.buy([("PASS", 1)])
    assert other.heard == []
    await other.stop()


async def test_a_failed_delivery_is_repeated_and_holds_back_its_own_order_only(
    town: Town, counter: Counter, receiver: Receiver
) -> None:
    await subscribe(counter, receiver, types=["crossdock.order.captured", "crossdock.order.routed"])
    receiver.answers = [500]
    town.passer_by()
    town.passer_by()
    await town.shop.delivered()
    await once(town.house)
    heard = [(event["subject"], event["type"]) for event in receiver.heard]
    troubled = {subject for subject, _ in heard}
    assert len(troubled) == 1, "the other order's second event waits behind its first"
    assert [kind for _, kind in heard] == ["crossdock.order.captured", "crossdock.order.routed"]
    await once(town.house)
    assert len(receiver.heard) == 4
    ids = [headers["webhook-id"] for headers, _ in receiver.deliveries]
    assert len(ids) == 5
    assert len(set(ids)) == 4, "the repeat has the id of the first try"
    tries = await town.house.rows(
        "SELECT a.outcome FROM attempt a JOIN effect e ON e.id = a.effect_id AND e.kind = 'TellEvent' "
        "ORDER BY a.effect_id, a.no"
    )
    assert sorted(row["outcome"] for row in tries) == ["done"] * 4 + ["retry_later"]


async def test_a_secret_is_rotated_without_a_gap(town: Town, counter: Counter, receiver: Receiver) -> None:
    id, old = await subscribe(counter, receiver, types=["crossdock.order.captured"])
    new = (await counter.ok("POST", f"/subscriptions/{id}/rotate"))["secret"]
    await town.buy([("PASS", 1)])
    assert old != new
    assert receiver.signed_by(old)
    assert receiver.signed_by(new)
    await counter.ok("POST", f"/subscriptions/{id}/rotate")
    await town.buy([("PASS", 1)])
    assert not receiver.signed_by(old)
    assert receiver.signed_by(new)


async def test_events_are_replayed_under_their_own_ids(town: Town, counter: Counter, receiver: Receiver) -> None:
    id, _ = await subscribe(counter, receiver)
    await town.buy([("PASS", 1)])
    first = [event["id"] for event in receiver.heard]
    bodies = [body for _, body in receiver.deliveries]
    answer = await counter.ok("POST", f"/subscriptions/{id}/replay", {"event": first[1]})
    assert answer == {"events": len(first) - 1}
    await town.settle()
    assert [event["id"] for event in receiver.heard] == [*first, *first[1:]]
    assert [body for _, body in receiver.deliveries] == [*bodies, *bodies[1:]], "the same bytes"
    assert (await counter.ok("POST", f"/subscriptions/{id}/replay", {"since": "2020-01-01T00:00:00Z"}))[
        "events"
    ] == len(first)
    assert (await counter.ok("POST", f"/subscriptions/{id}/replay", {"since": "2099-01-01T00:00:00Z"}))["events"] == 0
    nobody = await counter.refused("POST", f"/subscriptions/{id}/replay", {"event": "no-such-event"})
    assert nobody["status"] == 404
    neither = await counter.refused("POST", f"/subscriptions/{id}/replay", {})
    assert neither["status"] == 422


async def test_a_dead_receiver_is_paused_told_of_and_misses_nothing(
    town: Town, counter: Counter, receiver: Receiver
) -> None:
    id, _ = await subscribe(counter, receiver, types=["crossdock.order.captured"])
    receiver.faults.outage = True
    town.passer_by()
    await town.shop.delivered()
    await once(town.house)
    view = await counter.ok("GET", f"/subscriptions/{id}")
    assert view["failing_since"] is not None
    assert not view["paused"]
    await town.house.run("UPDATE subscription SET failing_since = now() - interval '121 hours'")
    await once(town.house)
    view = await counter.ok("GET", f"/subscriptions/{id}")
    assert view["paused"]
    assert "took nothing since" in view["paused_because"]
    (trouble,) = await town.house.open_exceptions()
    assert trouble["kind"] == "subscription_paused"

    receiver.faults.outage = False
    town.passer_by()
    await town.shop.delivered()
    await once(town.house)
    assert receiver.heard == [], "paused"
    assert (await counter.ok("GET", f"/subscriptions/{id}"))["waiting"] == 2
    await counter.ok("POST", f"/subscriptions/{id}/resume")
    await once(town.house)
    assert receiver.types() == ["order.captured", "order.captured"]
    assert await town.house.open_exceptions() == []


async def test_a_receiver_that_is_gone_is_paused_at_once(town: Town, counter: Counter, receiver: Receiver) -> None:
    id, _ = await subscribe(counter, receiver)
    receiver.answers = [410]
    town.passer_by()
    await town.shop.delivered()
    await once(town.house)
    view = await counter.ok("GET", f"/subscriptions/{id}")
    assert view["paused"]
    assert view["waiting"] >= 1
    (trouble,) = await town.house.open_exceptions()
    assert "410" in trouble["cause"]
    answer = await counter.ask("DELETE", f"/subscriptions/{id}")
    assert answer.status_code == 204
    assert await town.house.value("SELECT count(*) FROM outbox WHERE connection_id = $1", id) == 0


async def test_an_event_that_one_receiver_never_takes_lets_the_others_pass(
    town: Town, counter: Counter, receiver: Receiver
) -> None:
    await subscribe(counter, receiver, types=["crossdock.order.captured", "crossdock.order.routed"])
    town.passer_by()
    await town.shop.delivered()
    await town.house.path()
    await town.house.run(
        "UPDATE outbox SET tries = 11 WHERE id = (SELECT min(o.id) FROM outbox o JOIN effect e "
        "ON e.id = o.id AND e.kind = 'TellEvent')"
    )
    receiver.answers = [400]
    await once(town.house)
    assert receiver.types() == ["order.routed"]
    (trouble,) = await town.house.open_exceptions()
    assert trouble["kind"] == "dead_letter"
    await counter.ok("POST", f"/exceptions/{trouble['id']}/retry")
    await once(town.house)
    assert receiver.types() == ["order.routed", "order.captured"]


async def test_tries_while_a_receiver_took_nothing_are_not_held_against_an_event(
    town: Town, counter: Counter, receiver: Receiver
) -> None:
    await subscribe(counter, receiver, types=["crossdock.order.captured"])
    town.passer_by()
    town.passer_by()
    await town.shop.delivered()
    receiver.faults.outage = True
    for _ in range(PATIENT.max_attempts + 1):
        await once(town.house)
    receiver.faults.outage = False
    receiver.answers = [200, 500]
    await once(town.house)
    assert len(receiver.heard) == 1, "it takes events again"
    receiver.answers = [500]
    await once(town.house)
    assert await town.house.open_exceptions() == [], "a failure or two after an outage of 13 tries"
    await once(town.house)
    assert receiver.types() == ["order.captured", "order.captured"]


async def test_a_worker_that_dies_while_telling_is_followed_by_another(
    town: Town, counter: Counter, receiver: Receiver
) -> None:
    await subscribe(counter, receiver, types=["crossdock.order.captured"])
    receiver.script.append("lost_reply")
    town.passer_by()
    await town.shop.delivered()
    await once(town.house)
    assert len(receiver.heard) == 1
    await once(town.house)
    ids = {headers["webhook-id"] for headers, _ in receiver.deliveries}
    assert (len(receiver.deliveries), len(ids)) == (2, 1), "at least once, under one id"
    await asyncio.sleep(0)
    assert await town.house.value("SELECT count(*) FROM outbox o JOIN subscription s ON s.id = o.connection_id") == 0
