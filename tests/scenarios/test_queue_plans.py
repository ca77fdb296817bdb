"""A queue that was empty when its claim was planned is not read whole for each row once it is long."""

import pytest

from hub.store import inbox, outbox
from hub.store.database import Database

WAITING = 3_000
EMPTY_CLAIMS = 10
"""After five the driver's statement keeps one plan for good."""
CLAIMED = 100
BLOCKS = 20 * CLAIMED
"""A few look-ups in an index for each row that is claimed; rows read against each other were 200,000."""

MESSAGES = (
    "INSERT INTO inbox (id, received_on, lane, account_id, object, due_at) "
    f"SELECT n, current_date, 'orders', 1, 'order:' || n % ({WAITING} - 50), now() FROM generate_series(1, {WAITING}) n"
)
PARKED = (
    "INSERT INTO inbox (id, received_on, lane, account_id, object, due_at, parked) "
    f"SELECT -n, current_date, 'orders', 1, 'parked:' || n, now(), true FROM generate_series(1, {WAITING}) n"
)
EFFECTS = (
    "INSERT INTO outbox (id, connection_id, subject, due_at) "
    f"SELECT n, 'shop', 'order:' || n % ({WAITING} - 50), now() FROM generate_series(1, {WAITING}) n"
)
OTHERS = (
    "INSERT INTO outbox (id, connection_id, subject, due_at) "
    f"SELECT -n, 'other', 'order:' || n, now() FROM generate_series(1, {WAITING}) n"
)
WHAT = (
    "INSERT INTO effect (id, made_on, merchant, connection_id, subject, key, kind, document, created_at) SELECT id, "
    "current_date, 'default', connection_id, subject, id::text, 'CancelFulfilment', '{}', now() FROM outbox"
)
READ = (
    "SELECT sum(pg_stat_get_xact_blocks_fetched(c.oid)) FROM pg_class c "
    "WHERE c.oid = $1::regclass OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = $1::regclass)"
)


@pytest.mark.parametrize(
    ("table", "claim", "arguments", "filled"),
    [
        ("inbox", inbox.CLAIM, ("orders", CLAIMED), (MESSAGES, PARKED)),
        ("outbox", "SELECT id FROM outbox_due($1, $2)", ("shop", CLAIMED), (EFFECTS, OTHERS)),
        ("outbox", outbox.CLAIM, ("shop", CLAIMED, 30.0), (EFFECTS, OTHERS, WHAT)),
    ],
)
async def test_claim_planned_for_an_empty_queue_reads_few_pages_of_a_long_one(
    database: Database, table: str, claim: str, arguments: tuple[object, ...], filled: tuple[str, ...]
) -> None:
    async with database.connection() as connection:
        await connection.execute(f"VACUUM ANALYZE {table}")
        for _ in range(EMPTY_CLAIMS):
            assert await connection.fetch(claim, *arguments) == []
        async with connection.transaction():
            for sql in filled:
                await connection.execute(sql)
            before = await connection.fetchval(READ, table)
            claimed = await connection.fetch(claim, *arguments)
            after = await connection.fetchval(READ, table)
    assert [row["id"] for row in claimed] == list(range(1, CLAIMED + 1))
    assert after - before < BLOCKS
