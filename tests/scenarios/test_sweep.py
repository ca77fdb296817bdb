"""The slow broom: what one part of it cannot do holds up no other, and none reads the whole of history."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hub.flow.pay import EXPIRES
from hub.store.database import Database
from hub.store.parcels import LOST_AFTER, STUCK_AFTER, TO_RAISE, UNSCANNED_AFTER, UNUSED_AFTER
from hub.store.payments import AHEAD, ENDING, LATELY
from hub.store.retention import ANSWERS, BATCH, BODIES
from hub.worker.reconcile import OWN_EVERY
from tests.scenarios.house import House

OLD = 20_000
FEW_PAGES = 150
"""Of the hundreds and thousands that the filled tables have."""


async def cart(house: House, id: str) -> None:
    """A cart whose time is over."""
    await house.run(
        "INSERT INTO cart_reservation (id, merchant, expires_at, created_at) "
        "VALUES ($1, 'default', now() - interval '1 minute', now())",
        id,
    )


async def old_body(house: House, id: int) -> None:
    """A message past its retention."""
    await house.run(
        "INSERT INTO message (id, received_on, merchant, connection_id, account_id, topic, key, received_at, body) "
        "VALUES ($1, current_date - 400, 'default', 'shop', 1, 'orders', $1::bigint::text, now(), 'x')",
        id,
    )


@pytest.mark.parametrize("broken", ["expire_reservations", "forget_bodies", "watch_authorisations", "close_mended"])
async def test_a_broom_that_breaks_undoes_no_other(house: House, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    async def breaks(*_: object) -> int:
        raise TimeoutError("too much to sweep")

    monkeypatch.setattr(f"hub.worker.sweep.{broken}", breaks)
    await cart(house, "over")
    await old_body(house, 1)
    await house.worker.sweeper.sweep()
    ended = await house.value("SELECT ended FROM cart_reservation")
    body = await house.value("SELECT body FROM message")
    assert (ended, body) == (
        None if broken == "expire_reservations" else "expired",
        b"x" if broken == "forget_bodies" else None,
    )


async def test_carts_are_let_go_before_anything_slow_begins(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    async def slow(*_: object) -> int:
        seen.append(await house.value("SELECT ended FROM cart_reservation"))
        return 0

    monkeypatch.setattr("hub.worker.sweep.forget_bodies", slow)
    await cart(house, "over")
    await house.worker.sweeper.sweep()
    assert seen == ["expired"], "committed: its units are free, and nobody waits for their rows"


async def test_books_that_cannot_be_read_in_time_stop_no_reconciliation(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def reconcile(_: object, now: datetime, *, own: bool) -> None:
        asked.append(own)
        raise TimeoutError("the books are long")

    monkeypatch.setattr("hub.worker.reconcile.reconcile", reconcile)
    reconciler = house.worker.reconciler
    reconciler._own_at = datetime.now(UTC) - OWN_EVERY
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await reconciler.run()
    assert asked == [True, False]


async def pages(database: Database, sql: str, *arguments: object) -> int:
    """Pages that a statement touches, which changes nothing here."""
    async with database.connection() as connection:
        change = connection.transaction()
        await change.start()
        try:
            told = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *arguments)
        finally:
            await change.rollback()
    (plan,) = msgspec.json.decode(told, type=list[dict[str, Any]])
    return int(plan["Plan"]["Shared Hit Blocks"]) + int(plan["Plan"]["Shared Read Blocks"])


async def fill(database: Database, table: str, sql: str) -> None:
    async with database.connection() as connection:
        await connection.execute(sql.replace("OLD", str(OLD)))
        await connection.execute(f"VACUUM ANALYZE {table}")


async def test_bodies_that_are_gone_are_not_looked_at_again(database: Database) -> None:
    await fill(
        database,
        "message",
        "INSERT INTO message (id, received_on, merchant, connection_id, account_id, topic, key, received_at, body) "
        "SELECT n, current_date - 400 + n / 100, 'default', 'shop', 1, 'orders', n::text, now(), "
        "CASE WHEN n > OLD - 5 THEN 'x'::bytea END FROM generate_series(1, OLD) AS n",
    )
    assert await pages(database, BODIES, timedelta(days=30), BATCH) < FEW_PAGES


async def test_answers_of_today_are_not_read_to_find_old_ones(database: Database) -> None:
    await fill(
        database,
        "idempotency",
        "INSERT INTO idempotency (token_id, key, request_hash, body) "
        "SELECT 't', n::text, '', repeat('x', 300)::bytea FROM generate_series(1, OLD) AS n",
    )
    assert await pages(database, ANSWERS, BATCH) < FEW_PAGES


ORDERS = (
    "INSERT INTO customer_order (id, merchant, account_id, connection_id, external_id, number, state, currency, "
    "placed_at, version, revision, acting, created_at) SELECT n::text, 'default', 1, 'shop', n::text, n::text, 'open', "
    "'EUR', now(), 1, 1, true, now() FROM generate_series(1, OLD) AS n"
)


async def test_authorisations_that_ended_long_ago_are_not_looked_at_again(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO account (id, merchant, adapter, name, captured_by) VALUES (1, 'default', 'x', 'x', 'hub')"
        )
    await fill(database, "customer_order", ORDERS)
    await fill(
        database,
        "payment",
        "INSERT INTO payment (account_id, external_id, order_id, kind, method, amount, currency, status, expires_at) "
        "SELECT 1, n::text, n::text, 'authorise', 'card', 1, 'EUR', 'done', now() - interval '30 days' "
        "- n * interval '1 minute' FROM generate_series(1, OLD) AS n",
    )
    now = datetime.now(UTC)
    assert await pages(database, ENDING, now + AHEAD, EXPIRES, now - LATELY) < FEW_PAGES


async def test_parcels_and_labels_of_long_ago_are_not_looked_at_again(database: Database) -> None:
    """They never came to an end by what the hub was told: nobody follows them."""
    await fill(database, "customer_order", ORDERS)
    await fill(
        database,
        "shipment",
        "INSERT INTO shipment (order_id, no, fulfilment_no, external_id, shipped_at, document) "
        "SELECT n::text, 1, 1, '', now() - interval '90 days' - n * interval '1 minute', '' "
        "FROM generate_series(OLD, 1, -1) AS n",
    )
    await fill(
        database,
        "parcel",
        "INSERT INTO parcel (order_id, shipment_no, no, tracking, carrier, status, status_at) "
        "SELECT n::text, 1, 1, 'T' || n, 'c', 'unknown', now() - interval '90 days' FROM generate_series(1, OLD) AS n",
    )
    await fill(
        database,
        "label",
        "INSERT INTO label (order_id, fulfilment_no, external_id, tracking, document, bought_at) "
        "SELECT n::text, 1, n::text, 'L' || n, '{}', now() - interval '90 days' - n * interval '1 minute' "
        "FROM generate_series(OLD, 1, -1) AS n",
    )
    ages = (datetime.now(UTC), UNSCANNED_AFTER, STUCK_AFTER, LOST_AFTER, UNUSED_AFTER)
    assert await pages(database, TO_RAISE, *ages) < FEW_PAGES


async def test_what_a_message_did_is_kept_as_long_as_it_may_be_taken_again(house: House) -> None:
    """1 was corrected, and its copy 2 can still be read; 3 is past its retention, 4 still waits, 5 is of today."""
    for id in range(1, 6):
        await old_body(house, id)
        await house.run(
            "INSERT INTO moved (order_id, message_id, fulfilment_no, kind, demand_no, units) "
            "VALUES ('o', $1, 1, 'UnitsShort', 1, 2)",
            id,
        )
    await house.run("UPDATE message SET received_on = current_date WHERE id IN (2, 5)")
    await house.run("UPDATE message SET edited_from = 1 WHERE id = 2")
    await house.run(
        "INSERT INTO inbox (id, received_on, lane, account_id, due_at, parked) "
        "SELECT id, received_on, 'orders', 1, now(), true FROM message WHERE id = 4"
    )

    async def left() -> list[int]:
        async with house.parts.database.connection() as connection:
            return [row[0] for row in await connection.fetch("SELECT message_id FROM moved ORDER BY 1")]

    await house.worker.sweeper.sweep()
    assert await left() == [1, 2, 4, 5]
    await house.run("UPDATE message SET received_on = current_date - 400 WHERE id = 2")
    await house.worker.sweeper.sweep()
    assert await left() == [4, 5], "with the copy goes what it stood for"
