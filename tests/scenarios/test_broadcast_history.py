"""What a channel's own open orders hold is read from what is open, however long the SKU has been selling."""

from typing import Any

import msgspec

from hub.store.availability import OWN_OPEN
from hub.store.database import Database

SOLD = 20_000
FEW_PAGES = 150
"""Of the thousands that the filled tables have."""

FILLED = (
    "INSERT INTO customer_order (id, merchant, account_id, connection_id, external_id, number, state, currency, "
    "placed_at, version, revision, acting, created_at) SELECT n::text, 'default', 1, 'left', n::text, n::text, "
    f"CASE WHEN n > {SOLD} - 5 THEN 'open' ELSE 'closed' END, 'EUR', now(), 1, 1, true, now() "
    f"FROM generate_series(1, {SOLD}) AS n",
    "INSERT INTO demand (order_id, no, line, group_key, sku, quantity, managed_by, tracked, ships) "
    f"SELECT n::text, 1, '1', '', 'LAMP', 2, 'hub', true, true FROM generate_series(1, {SOLD}) AS n",
    "INSERT INTO slice (order_id, no, demand_no, quantity, state, node_id, fulfilment_no) "
    f"SELECT n::text, 1, 1, 2, CASE WHEN n > {SOLD} - 5 THEN 'accepted' ELSE 'shipped' END, 1, 1 "
    f"FROM generate_series(1, {SOLD}) AS n",
)


async def test_sales_of_long_ago_are_not_read_at_every_telling(database: Database) -> None:
    async with database.connection() as connection:
        for sql in FILLED:
            await connection.execute(sql)
        await connection.execute("VACUUM ANALYZE customer_order, demand, slice")
        rows = await connection.fetch(OWN_OPEN, 1, ["LAMP", "SHADE"])
        told = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {OWN_OPEN}", 1, ["LAMP", "SHADE"])
    assert sum(row[5] for row in rows) == 10
    (plan,) = msgspec.json.decode(told, type=list[dict[str, Any]])
    assert plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] < FEW_PAGES


async def test_what_left_is_held_until_the_channel_was_told_of_it_parked_or_not(database: Database) -> None:
    async with database.connection() as connection:

        async def held() -> int:
            return sum(row[5] for row in await connection.fetch(OWN_OPEN, 1, ["LAMP"]))

        for sql in FILLED:
            await connection.execute(sql.replace(str(SOLD), "6"))
        assert await held() == 10, "five of six orders are open"
        await connection.execute(
            "INSERT INTO account (id, merchant, adapter, name) VALUES (1, 'default', 'bazaar', 'left'); "
            "INSERT INTO connection (id, merchant, account_id, adapter, name, config, enabled) "
            "VALUES ('left', 'default', 1, 'bazaar', 'left', '{}', false); "
            "INSERT INTO shipment (order_id, no, fulfilment_no, external_id, shipped_at, document) "
            "VALUES ('1', 1, 1, 's', now(), '{}'); "
            "INSERT INTO effect (id, made_on, merchant, connection_id, subject, key, kind, order_id, document, "
            "created_at) VALUES (9, current_date, 'default', 'left', 's', 'k', 'ConfirmShipment', '1', "
            """'{"shipment": 1}', now()); """
            "INSERT INTO outbox (id, connection_id, subject, due_at) VALUES (9, 'left', 's', now())"
        )
        assert await held() == 12
        await connection.execute("UPDATE outbox SET parked = true")
        assert await held() == 12
        await connection.execute("DELETE FROM outbox")
        assert await held() == 10
