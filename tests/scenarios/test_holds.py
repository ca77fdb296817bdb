"""Holds: placed by rules and people, several at once, lifted by whom and what may, looked through in a queue."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from hub.domain.order import Method
from hub.domain.payment import Payment, PaymentKind
from hub.domain.states import SliceState
from hub.flow.aggregate import Order
from hub.store.admin.tokens import Role, create_token
from hub.store.risk import mark_earlier
from tests.scenarios.counter import Counter
from tests.scenarios.direct import AWAY, HOME, line, told
from tests.scenarios.town import Town


async def rules(counter: Counter, *texts: str, head: str = "") -> None:
    """Activate a policy of holds made of these rules."""
    policy = f'version = "v-{hash(texts) % 10**9}"\n{head}\n' + "".join(f"[[holds]]\n{text}\n" for text in texts)
    made = await counter.ok("POST", "/policies", {"kind": "holds", "text": policy})
    await counter.ok("POST", f"/policies/{made['id']}/activate")


def rule(kind: str, when: str, **more: Any) -> str:
    """One rule."""
    terms = {"kind": kind, "when": when, "reason": f"because of {kind}", "owner": "risk", **more}
    return "\n".join(f"{key} = {msgspec.json.encode(value).decode()}" for key, value in terms.items())


async def holds(town: Town, order: dict[str, Any]) -> dict[str, str | None]:
    """Who lifted each hold, by kind; None while it stands."""
    rows = await town.house.rows(
        "SELECT kind, lifted_by, lifted_at FROM hold WHERE order_id = $1 ORDER BY no", order["id"]
    )
    return {row["kind"]: row["lifted_by"] for row in rows}


async def state(town: Town, order: dict[str, Any]) -> list[str]:
    return [state for _, state, _ in await town.slices(order["id"])]


async def test_the_shipped_rules_hold_what_is_not_paid_until_it_is(town: Town) -> None:
    order = await told(town, "D-1", line("1", 2), financial_status="pending", risk="HIGH")
    assert await holds(town, order) == {"channel_risk": None, "unpaid": None}
    assert await state(town, order) == ["reserved"]
    assert await town.stock("PASS", town.east) == (100, 2), "reserved all the same"
    await told(town, "D-1", line("1", 2), version=2, financial_status="paid", risk="high")
    assert await holds(town, order) == {"channel_risk": None, "unpaid": "cause"}
    assert await state(town, order) == ["reserved"]
    await told(town, "D-1", line("1", 2), version=3, financial_status="paid", risk="low")
    assert await holds(town, order) == {"channel_risk": "cause", "unpaid": "cause"}
    assert await state(town, order) == ["released"]
    await town.house.verify()


async def test_a_person_has_looked_and_is_not_asked_again_for_the_same_reason(town: Town, counter: Counter) -> None:
    await rules(counter, rule("high_value", "order.value >= 2000"))
    order = await told(town, "D-1", line("1", 2))
    shown = await counter.ok("POST", f"/orders/{order['id']}/lift", {"kind": "high_value"})
    assert shown["holds"][0]["lifted_by"].startswith("token:counter")
    assert await state(town, order) == ["released"]
    await told(town, "D-1", line("1", 2), version=2, tags=("vip",))
    assert len(await town.house.rows("SELECT 1 FROM hold")) == 1
    await told(town, "D-1", line("1", 5), version=3)
    reasons = await town.house.rows("SELECT reason, policy FROM hold WHERE lifted_at IS NULL")
    assert [row["reason"] for row in reasons] == ["because of high_value (value 5000)"]
    assert reasons[0]["policy"].startswith("v-")


async def test_a_timer_lifts_and_holds_that_wait_for_another_follow(town: Town, counter: Counter) -> None:
    await rules(
        counter,
        rule("cooling_off", "order.units > 0", lift=["timer"], after="10m"),
        rule("papers", "order.units > 0", lift=["hold:cooling_off"], stops=["release", "post"]),
    )
    order = await told(town, "D-1", line("1", 2))
    assert await town.house.worker.hold_keeper.run() == 0
    assert await holds(town, order) == {"cooling_off": None, "papers": None}
    await town.house.run("UPDATE hold SET lift_at = now() - interval '1 second' WHERE lift_at IS NOT NULL")
    assert await town.house.worker.hold_keeper.run() == 1
    assert await holds(town, order) == {"cooling_off": "timer", "papers": "hold:cooling_off"}
    assert await state(town, order) == ["released"]
    assert await town.house.worker.hold_keeper.run() == 0
    await told(town, "D-1", line("1", 2), version=2)
    assert list((await holds(town, order)).values()) == ["timer", "hold:cooling_off"], "an order is new once"


async def test_a_payment_lifts_what_waits_for_it(town: Town, counter: Counter) -> None:
    await rules(counter, rule("big", "order.value > 0", lift=["payment"]), rule("other", "order.value > 0"))
    order = await told(town, "D-1", line("1", 2))
    half = Payment(
        external_id="p1", kind=PaymentKind.AUTHORISE, method="card", amount=1000, currency="USD", status="done"
    )
    await told(town, "D-1", line("1", 2), version=2, payments=(half,))
    assert (await holds(town, order))["big"] is None
    whole = msgspec.structs.replace(half, external_id="p2", amount=2000)
    await told(town, "D-1", line("1", 2), version=3, payments=(half, whole))
    assert await holds(town, order) == {"big": "payment", "other": None}
    assert await state(town, order) == ["reserved"]


async def test_groups_are_held_each_on_its_own(town: Town, counter: Counter) -> None:
    await rules(counter, rule("export", "order.export", scope="group"), head='home_countries = ["US"]')
    order = await told(
        town, "D-1", line("1", 2), ship=msgspec.structs.replace(HOME, country="CA", postal_code="K1A 0B1")
    )
    scopes = await town.house.rows("SELECT scope FROM hold WHERE order_id = $1", order["id"])
    assert [row["scope"] for row in scopes] == ["group:main"]
    assert await state(town, order) == ["reserved"]


async def test_addresses_are_checked_and_a_better_one_lifts(town: Town, counter: Counter) -> None:
    await rules(counter, rule("address", "size(order.address_problems) > 0", lift=["change"]))
    order = await told(town, "D-1", line("1", 1), ship=msgspec.structs.replace(HOME, postal_code="1"))
    (row,) = await town.house.rows("SELECT reason FROM hold")
    assert row["reason"] == "because of address (address_problems the postal code is none of US)"
    body = {"address": {k: v for k, v in msgspec.to_builtins(AWAY).items() if v is not None}}
    await counter.ok("POST", f"/orders/{order['id']}/address", body)
    assert await holds(town, order) == {"address": "cause"}
    assert await state(town, order) == ["released"]
    pickup = await told(
        town, "D-2", line("1", 1), ship=None, group={"method": Method.PICK_UP, "pickup_location": "EAST"}
    )
    assert await holds(town, pickup) == {}


async def test_mismatch_and_lists_by_digest(town: Town, counter: Counter) -> None:
    ada = hashlib.sha256(b"ada@example.org").hexdigest()
    await rules(
        counter,
        rule("mismatch", "order.billing_differs"),
        rule("blocked", "size(order.on_lists) > 0", role="admin"),
        head=f'[lists.thieves]\nemails = ["{ada}"]\n[lists.ghosts]\npostal_codes = ["US 00000"]',
    )
    order = await told(town, "D-1", line("1", 1), bill=AWAY)
    assert await holds(town, order) == {"mismatch": None, "blocked": None}
    stored = " ".join(str(row) for row in await town.house.rows("SELECT reason FROM hold"))
    assert "thieves" in stored
    assert "ada@" not in stored
    assert "New Road" not in stored


async def test_velocity_and_first_orders_to_an_address(town: Town, counter: Counter) -> None:
    await told(town, "D-0", line("1", 1))
    assert await town.house.value("SELECT count(*) FROM contact_mark") == 0, "nobody asked"
    await rules(
        counter,
        rule("velocity", "order.customer_orders_recent >= 2"),
        rule("first_address", "order.first_to_address"),
    )
    async with town.house.parts.database.transaction() as connection:
        assert await mark_earlier(connection, "default", datetime.now(UTC)) == 1
        assert await mark_earlier(connection, "default", datetime.now(UTC)) == 0
    second = await told(town, "D-1", line("1", 1))
    assert await holds(town, second) == {}, "this customer ordered to this address before"
    third = await told(town, "D-2", line("1", 1))
    assert await holds(town, third) == {"velocity": None}
    moved = await told(town, "D-3", line("1", 1), ship=AWAY)
    assert await holds(town, moved) == {"velocity": None, "first_address": None}
    await told(town, "D-3", line("1", 2), version=2, ship=AWAY)
    assert len(await town.house.rows("SELECT 1 FROM hold WHERE order_id = $1", moved["id"])) == 2
    stranger = msgspec.structs.replace(HOME, email="bob@example.org")
    assert await holds(town, await told(town, "D-4", line("1", 1), ship=stranger)) == {"first_address": None}


async def test_an_authorisation_about_to_end_holds_by_the_clock(town: Town, counter: Counter) -> None:
    await rules(counter, rule("expiring", "order.authorisation_expiring", owner="payments"))
    ends = datetime.now(UTC) + timedelta(hours=30)
    paid = Payment(
        external_id="a1",
        kind=PaymentKind.AUTHORISE,
        method="card",
        amount=1000,
        currency="USD",
        status="done",
        expires_at=ends,
    )
    later = {"not_before": datetime.now(UTC) + timedelta(days=3)}
    order = await told(town, "D-1", line("1", 1), payments=(paid,), group=later)
    assert await town.house.worker.hold_keeper.watch() == 0
    await town.house.run("UPDATE payment SET expires_at = now() + interval '20 hours'")
    await town.house.run(
        "UPDATE order_revision SET document = replace(document, $1, $2)",
        ends.isoformat().replace("+00:00", "Z"),
        (ends - timedelta(hours=10)).isoformat().replace("+00:00", "Z"),
    )
    assert await town.house.worker.hold_keeper.watch() == 1
    assert await holds(town, order) == {"expiring": None}
    assert await town.house.worker.hold_keeper.watch() == 0


def test_a_part_that_is_split_off_a_held_slice_is_held_too() -> None:
    order = Order(
        id="o", merchant="m", account=1, connection="c", external_id="1", number="1", currency="USD",
        placed_at=datetime.now(UTC), version=1, revision=1, acting=True,
    )  # fmt: skip
    order.add_slice(1, 5)
    order.hold("manual", "look", owner="ann", at=datetime.now(UTC), scope="slice:1")
    other = order.advance(1, SliceState.RESERVED, 2, node=1)
    assert order.held("main", order.slices[other])
    order.lift("manual", datetime.now(UTC))
    assert not order.held("main", order.slices[1])
    assert not order.held("main", order.slices[other])


async def test_people_hold_what_there_is_and_for_as_long_as_they_say(town: Town, counter: Counter) -> None:
    order = await told(town, "D-1", line("1", 1), financial_status="pending")
    path = f"/orders/{order['id']}/hold"
    assert "no group 'x'" in (await counter.refused("POST", path, {"reason": "r", "scope": "group:x"}))["detail"]
    assert "no slice 9" in (await counter.refused("POST", path, {"reason": "r", "scope": "slice:9"}))["detail"]
    past = {"reason": "r", "until": "2020-01-01T00:00:00Z"}
    assert "before it begins" in (await counter.refused("POST", path, past))["detail"]
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    shown = await counter.ok("POST", path, {"reason": "r", "until": until, "stops": ["post"], "kind": "books"})
    assert [(one["kind"], one["stops"]) for one in shown["holds"]] == [("unpaid", ["release"]), ("books", ["post"])]
    await counter.ok("POST", f"/orders/{order['id']}/lift", {"kind": "unpaid"})
    assert await state(town, order) == ["released"], "what stops the books stops no goods"
    await counter.ok("POST", f"/orders/{order['id']}/cancel")
    assert "nothing left to stop" in (await counter.refused("POST", path, {"reason": "r"}))["detail"]


async def test_who_may_not_lift_lifts_nothing(town: Town, counter: Counter) -> None:
    await rules(counter, rule("blocked", "order.units > 0", role="admin"), rule("plain", "order.units > 0"))
    order = await told(town, "D-1", line("1", 1))
    async with town.house.parts.database.transaction() as connection:
        made = await create_token(
            connection, name="op", role=Role.OPERATOR, merchant="default", new_id=town.house.parts.new_id
        )
    headers = {"authorization": f"Bearer {made.token}"}
    answer = await counter.ask("POST", f"/orders/{order['id']}/lift", {"kind": "blocked"}, **headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:crossdock:problem:forbidden")
    both = {"holds": [f"{order['id']}:2", f"{order['id']}:1"]}
    assert (await counter.ask("POST", "/holds/lift", both, **headers)).status_code == 403
    above = await counter.ask("POST", f"/orders/{order['id']}/hold", {"reason": "r", "role": "admin"}, **headers)
    assert above.status_code == 422
    assert await holds(town, order) == {"blocked": None, "plain": None}
    assert await counter.ok("POST", "/holds/lift", both) == {"lifted": both["holds"], "orders": 1}
    assert await state(town, order) == ["released"]


async def test_the_review_queue(town: Town, counter: Counter) -> None:
    await rules(counter, rule("a", "order.units > 0"), rule("b", "order.units > 1", owner="customs"))
    first = await told(town, "D-1", line("1", 1))
    second = await told(town, "D-2", line("1", 2))
    await town.house.run("UPDATE hold SET placed_at = now() - interval '1 hour' WHERE order_id = $1", first["id"])
    queue = (await counter.ok("GET", "/holds"))["items"]
    assert [(one["external_id"], one["kind"]) for one in queue] == [("D-1", "a"), ("D-2", "a"), ("D-2", "b")]
    assert 3590 < queue[0]["age_seconds"] < 3700
    page = await counter.ok("GET", "/holds?limit=2")
    rest = await counter.ok("GET", f"/holds?limit=2&cursor={page['next']}")
    assert [one["id"] for one in page["items"] + rest["items"]] == [one["id"] for one in queue]
    assert [one["kind"] for one in (await counter.ok("GET", "/holds?owner=customs"))["items"]] == ["b"]
    counts = (await counter.ok("GET", "/holds/counts"))["items"]
    assert [(one["owner"], one["kind"], one["active"]) for one in counts] == [("customs", "b", 1), ("risk", "a", 2)]
    await counter.ok("POST", "/holds/lift", {"holds": [queue[0]["id"], queue[2]["id"]]})
    assert (await state(town, first), await state(town, second)) == (["released"], ["reserved"])
    again = await counter.refused("POST", "/holds/lift", {"holds": [queue[1]["id"], queue[0]["id"]]})
    assert again["status"] == 409
    assert again["holds"][0]["hold"] == queue[0]["id"]
    assert "lifted already" in again["holds"][0]["detail"]
    assert await state(town, second) == ["reserved"], "all of them or none"
    bad = await counter.refused("POST", "/holds/lift", {"holds": ["nobody:1", "x"]})
    assert bad["status"] == 422
    lifted = (await counter.ok("GET", "/holds?state=lifted&kind=b"))["items"]
    assert [(one["order"], one["state"]) for one in lifted] == [(second["id"], "lifted")]
    single = await counter.refused("POST", f"/orders/{second['id']}/lift", {"no": queue[2]["no"]})
    assert "was lifted already" in single["detail"]
