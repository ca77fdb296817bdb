"""Write a batch's rows: one statement a table, whatever the batch's size."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from hub.flow.writes import Writes
from hub.store.database import PooledConnection
from hub.store.load import add_loads
from hub.store.stock import change_stock, empty_shelves
from hub.store.supply import promise_supply
from hub.store.troubles import effects_over, mend, raise_troubles


def insert(table: str, columns: str, *, conflict: str = "", constants: str = "") -> str:
    """Build `INSERT ... SELECT FROM unnest`. `columns` is "name type, ..."; `constants` is "name expression, ..."."""
    pairs = [column.split() for column in columns.split(",")]
    names = [name for name, _ in pairs]
    arrays = ", ".join(f"${position}::{kind}[]" for position, (_, kind) in enumerate(pairs, 1))
    extra = [constant.strip().split(" ", 1) for constant in constants.split(",")] if constants else []
    targets = ", ".join([*names, *(name for name, _ in extra)])
    values = ", ".join([*(f"u.{name}" for name in names), *(expression for _, expression in extra)])
    return f"INSERT INTO {table} ({targets}) SELECT {values} FROM unnest({arrays}) AS u({', '.join(names)}) {conflict}"


def overwrite(key: str, columns: str) -> str:
    """`ON CONFLICT` that replaces the named columns."""
    sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns.replace(",", " ").split())
    return f"ON CONFLICT ({key}) DO UPDATE SET {sets}"


ORDERS: Final = insert(
    "customer_order",
    "id text, merchant text, account_id bigint, connection_id text, external_id text, number text, state text, "
    "currency text, placed_at timestamptz, version bigint, revision int, acting bool, test bool",
    constants="created_at now()",
)
ORDERS_CHANGED: Final = (
    "UPDATE customer_order o SET state = u.state, version = u.version, revision = u.revision, acting = u.acting, "
    "number = u.number FROM unnest($1::text[], $2::text[], $3::bigint[], $4::int[], $5::bool[], $6::text[]) "
    "AS u(id, state, version, revision, acting, number) WHERE o.id = u.id"
)
REVISIONS: Final = insert(
    "order_revision", "order_id text, no int, version bigint, message_id bigint, at timestamptz, document text"
)
CONTACTS: Final = insert("contact", "order_id text, key text, revision int, document text")
PAYMENTS: Final = insert(
    "payment",
    "account_id bigint, external_id text, order_id text, parent text, kind text, method text, amount bigint, "
    "currency text, status text, at timestamptz, expires_at timestamptz, implied bool",
    conflict="ORDER BY 1, 2 ON CONFLICT DO NOTHING",
)
DEMANDS: Final = insert(
    "demand",
    "order_id text, no smallint, line text, group_key text, sku text, item_id bigint, quantity int, per_unit int, "
    "kit_version int, managed_by text, tracked bool, ships bool",
    conflict=overwrite("order_id, no", "group_key sku item_id quantity per_unit kit_version managed_by tracked ships"),
)
SLICES: Final = insert(
    "slice",
    "order_id text, no smallint, demand_no smallint, quantity int, state text, node_id bigint, "
    "fulfilment_no smallint, reason text, promised_at timestamptz, supply bigint",
)
SLICES_CHANGED: Final = (
    "UPDATE slice s SET quantity = u.quantity, state = u.state, node_id = u.node, fulfilment_no = u.fulfilment, "
    "reason = u.reason, promised_at = u.promised, supply = u.supply FROM unnest($1::text[], $2::smallint[], "
    "$3::smallint[], $4::int[], $5::text[], $6::bigint[], $7::smallint[], $8::text[], $9::timestamptz[], "
    "$10::bigint[]) AS u(order_id, no, demand_no, quantity, state, node, fulfilment, reason, promised, supply) "
    "WHERE s.order_id = u.order_id AND s.no = u.no"
)
HOLDS: Final = insert(
    "hold",
    "order_id text, no smallint, scope text, kind text, owner text, reason text, lift_rule text, "
    "placed_at timestamptz, lifted_at timestamptz, stops text, lift_at timestamptz, lift_role text, lifted_by text, "
    "policy text",
    conflict=overwrite("order_id, no", "lifted_at lifted_by"),
)
EXCLUSIONS: Final = insert(
    "exclusion",
    "order_id text, demand_no smallint, node_id bigint, until timestamptz",
    conflict=overwrite("order_id, demand_no, node_id", "until"),
)
# What waits is looked at again after a while even if no event comes: the sweep behind the waker. For the first time it
# is so soon, as the event that helps may have come between the decision and this.
WAITS: Final = insert(
    "waiting",
    "order_id text, demand_no smallint, merchant text, queue text, cause text, rank smallint, promise timestamptz",
    constants="since now(), due_at now() + interval '5 seconds'",
    conflict=overwrite("order_id, demand_no", "queue cause rank promise due_at"),
)
WAITS_OVER: Final = (
    "DELETE FROM waiting w USING unnest($1::text[], $2::smallint[]) AS u(order_id, no) "
    "WHERE w.order_id = u.order_id AND w.demand_no = u.no"
)
UNRELEASED: Final = insert(
    "unreleased",
    "item_id bigint, node_id bigint, order_id text, rank smallint, promise timestamptz",
    conflict="ORDER BY 1, 2, 3 " + overwrite("item_id, node_id, order_id", "rank promise"),
)
UNRELEASED_OVER: Final = (
    "DELETE FROM unreleased r USING unnest($1::bigint[], $2::bigint[], $3::text[]) AS u(item, node, order_id) "
    "WHERE r.item_id = u.item AND r.node_id = u.node AND r.order_id = u.order_id"
)
FULFILMENTS: Final = insert(
    "fulfilment_order",
    "order_id text, no smallint, group_key text, node_id bigint, connection_id text, handoff text, "
    "partner_reference text, created_at timestamptz, ship_by timestamptz, destination_id bigint, "
    "accept_by timestamptz, collect_by timestamptz, purchase jsonb, node_hold jsonb",
    conflict=overwrite("order_id, no", "handoff partner_reference ship_by accept_by collect_by purchase node_hold"),
)
OFFERS: Final = insert(
    "offer",
    "order_id text, no int, group_key text, node_id bigint, state text, until timestamptz",
    conflict=overwrite("order_id, no", "state"),
)
CANCELS: Final = insert(
    "cancel_request",
    "order_id text, no smallint, fulfilment_no smallint, lines jsonb, asked_by text, reason text, state text, "
    "asked_at timestamptz",
    conflict=overwrite("order_id, no", "state"),
)
SHIPMENTS: Final = insert(
    "shipment",
    "order_id text, no smallint, fulfilment_no smallint, external_id text, shipped_at timestamptz, document text",
)
PARCELS: Final = insert(
    "parcel",
    "order_id text, shipment_no smallint, no smallint, tracking text, carrier text, status text, status_at timestamptz",
    conflict=overwrite("order_id, shipment_no, no", "tracking carrier status status_at"),
)
MOVED: Final = insert(
    "moved",
    "order_id text, message_id bigint, fulfilment_no smallint, kind text, demand_no smallint, units int",
    conflict="ON CONFLICT (order_id, message_id, fulfilment_no, kind, demand_no) "
    "DO UPDATE SET units = moved.units + EXCLUDED.units",
)
RETURNS: Final = insert(
    "return_order",
    "id text, merchant text, order_id text, state text, node_id bigint, source text, document jsonb, "
    "created_at timestamptz",
    conflict=overwrite("id", "order_id state node_id document"),
)
REFUNDS: Final = insert(
    "refund",
    "id text, merchant text, order_id text, no smallint, return_id text, external_id text, amount bigint, "
    "currency text, state text, document jsonb, created_at timestamptz",
    conflict=overwrite("id", "external_id state document"),
)
PAYMENT_REQUESTS: Final = insert(
    "payment_request",
    "order_id text, no smallint, kind text, state text, document text",
    conflict=overwrite("order_id, no", "state document"),
)
RELATED: Final = insert("related_order", "order_id text, other_id text, kind text", conflict="ON CONFLICT DO NOTHING")
# What an earlier connection of the account was told already is not told again by its successor.
EFFECTS: Final = (
    "WITH new AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], "
    "$7::text[]) WITH ORDINALITY AS u(merchant, connection_id, subject, key, kind, order_id, document, n) "
    "WHERE NOT EXISTS (SELECT 1 FROM connection mine JOIN connection before ON before.account_id = mine.account_id "
    "AND before.id <> mine.id JOIN effect e ON e.connection_id = before.id AND e.key = u.key "
    "WHERE mine.id = u.connection_id) ORDER BY n), "
    "made AS (INSERT INTO effect (id, made_on, merchant, connection_id, subject, key, kind, order_id, document, "
    "created_at) SELECT nextval('effect_id'), current_date, merchant, connection_id, subject, key, kind, order_id, "
    "document, now() FROM new ON CONFLICT (connection_id, key) DO NOTHING RETURNING id, connection_id, subject) "
    # After a restore the partner may have it already.
    "INSERT INTO outbox (id, connection_id, subject, due_at, look_first) SELECT id, connection_id, subject, now(), "
    "EXISTS (SELECT FROM configuration WHERE restored_at IS NOT NULL) FROM made"
)
DECISIONS: Final = insert(
    "decision",
    "order_id text, no smallint, group_key text, at timestamptz, policy text, engine text, cost bigint, gap bigint, "
    "proven bool, input bytea, document bytea",
)
MOMENTS: Final = insert(
    "timeline",
    "order_id text, at timestamptz, kind text, detail text, message_id bigint",
    constants="on_day current_date",
)
LEDGER: Final = insert(
    "stock_ledger",
    "merchant text, node_id bigint, item_id bigint, delta bigint, reason text, source text, cause text, "
    "true_at timestamptz, lot text, condition text",
    constants="learned_at now()",
)
LOOSE: Final = (
    "INSERT INTO item_promise AS p (item_id, unpinned, backordered) "
    "SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS u(item, unpinned, backordered) ORDER BY item "
    "ON CONFLICT (item_id) DO UPDATE SET unpinned = p.unpinned + EXCLUDED.unpinned, "
    "backordered = p.backordered + EXCLUDED.backordered"
)
DIRTY: Final = "INSERT INTO dirty (item_id) SELECT unnest($1::bigint[])"


async def write(connection: PooledConnection, sql: str, rows: Sequence[Sequence[object]]) -> None:
    """Run an `unnest` statement over rows given by line."""
    if rows:
        await connection.execute(sql, *zip(*rows, strict=True))


async def flush(connection: PooledConnection, writes: Writes, now: datetime) -> None:
    """Write everything. Stock rows are locked in (item, node) order and guarded before they change.

    First what belongs to the orders alone, whose rows are locked already; then stock, so that the rows that everybody
    wants are held for the last few statements only; last what others lock after stock too: waiting places, exceptions.
    Raises `LostRace` when a reservation would exceed what is available now.
    """
    for sql, rows in (
        (ORDERS, writes.orders),
        (ORDERS_CHANGED, writes.orders_changed),
        (REVISIONS, writes.revisions),
        (CONTACTS, writes.contacts),
        (DEMANDS, writes.demands),
        (SLICES, writes.slices),
        (SLICES_CHANGED, writes.slices_changed),
        (HOLDS, writes.holds),
        (EXCLUSIONS, writes.exclusions),
        (UNRELEASED, writes.unreleased),
        (UNRELEASED_OVER, writes.unreleased_over),
        (FULFILMENTS, writes.fulfilments),
        (OFFERS, writes.offers),
        (CANCELS, writes.cancels),
        (SHIPMENTS, writes.shipments),
        (PARCELS, writes.parcels),
        (MOVED, writes.moved),
        (PAYMENTS, writes.payments),
        (RETURNS, writes.returns),
        (REFUNDS, writes.refunds),
        (PAYMENT_REQUESTS, writes.payment_requests),
        (RELATED, writes.related),
        (DECISIONS, writes.decisions),
        (LEDGER, writes.ledger),
        (MOMENTS, writes.moments),
        (EFFECTS, writes.effects),
    ):
        await write(connection, sql, rows)
    await write(connection, LEDGER, await change_stock(connection, writes.pinned, writes.ledger))
    await empty_shelves(connection, writes.emptied, now)
    await write(connection, LOOSE, writes.loose)
    await add_loads(connection, writes.loads)
    await promise_supply(connection, writes.supply)
    await write(connection, WAITS, writes.waits)
    await write(connection, WAITS_OVER, writes.waits_over)
    await mend(connection, writes.mended, now)
    await effects_over(connection, writes.effects_over, now)
    await raise_troubles(connection, writes.troubles, now)
    if writes.dirty:
        await connection.execute(DIRTY, writes.dirty)
