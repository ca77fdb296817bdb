"""One transaction, as the flow sees it."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from hub.domain.contact import Contact
from hub.domain.facts import BooksReported, ParcelScanned
from hub.domain.network import Node
from hub.flow.aggregate import Order
from hub.flow.ledger_ports import KnownItem, SupplyRow, ToldItems
from hub.flow.once import Moved
from hub.flow.ports import Inbound, LabelAsked, Mark
from hub.flow.risk_facts import Seen
from hub.flow.stock_ports import AllowedDay, Figure, ItemFacts, StockItem, StockReport, StockSource
from hub.flow.trouble import Trouble
from hub.flow.writes import Writes
from hub.promise.lanes import Delivered
from hub.stock.supply import Expected
from hub.store import books as ledger_books
from hub.store import counts, deficits, inbox, labels, orders, returns, risk, sources, store_work, supply, transits
from hub.store import ledger_items as told_items
from hub.store.admin.reservations import displace_carts
from hub.store.contacts import contacts
from hub.store.database import Database, PooledConnection
from hub.store.flush import DIRTY, LEDGER, flush, write
from hub.store.load import node_loads
from hub.store.retention import forget_people
from hub.store.stock import free_stock
from hub.store.troubles import raise_troubles

ITEM: Final = (
    "SELECT i.id, i.sku, i.stock_mode, i.ships, i.weight_g, i.classes, "
    "(SELECT array_agg(ARRAY[c.component_id, c.quantity] ORDER BY c.component_id) FROM item_component c "
    "WHERE c.item_id = i.id) AS components, "
    "ceil((i.document #>> '{dimensions,length_mm}')::numeric * (i.document #>> '{dimensions,width_mm}')::numeric "
    "* (i.document #>> '{dimensions,height_mm}')::numeric / 1000)::bigint AS volume_cm3, "
    "(i.document ->> 'available_from')::date AS available_from, i.document ->> 'unit_cost' AS unit_cost"
)
BY_SKU: Final = ITEM + " FROM item i WHERE i.merchant = $1 AND i.sku = ANY($2::text[])"
BY_ID: Final = ITEM + " FROM item i WHERE i.id = ANY($1::bigint[])"
BY_VARIANT: Final = (
    ITEM + ", m.external_variant FROM sku_map m JOIN item i ON i.id = m.item_id "
    "WHERE m.account_id = $1 AND m.external_variant = ANY($2::text[])"
)
WAITING: Final = (
    "SELECT o.id, (SELECT max(w.due_at) FROM waiting w WHERE w.order_id = o.id) AS due FROM customer_order o "
    "WHERE o.id IN (SELECT w.order_id FROM waiting w WHERE w.due_at <= now() "
    "AND (SELECT epoch FROM configuration) = $2 ORDER BY w.due_at, w.rank, w.promise, w.order_id LIMIT $1) "
    "ORDER BY o.id FOR UPDATE OF o SKIP LOCKED"
)
# Not what was woken meanwhile: whoever wakes writes the time at which it does, later than what was read here.
PUT_OFF: Final = (
    "UPDATE waiting w SET due_at = now() + interval '5 minutes' FROM unnest($1::text[], $2::timestamptz[]) "
    "AS u(order_id, due) WHERE w.order_id = u.order_id AND w.due_at <= u.due"
)
_unit_cost: Final = msgspec.json.Decoder(dict[str, Decimal])
WAKE: Final = "UPDATE waiting SET due_at = clock_timestamp() WHERE merchant = $1 AND cause = ANY($2::text[])"
WAKE_UNLOCKED: Final = (
    "UPDATE waiting w SET due_at = clock_timestamp() FROM (SELECT order_id, demand_no FROM waiting WHERE merchant = $1 "
    "AND cause = ANY($2::text[]) FOR UPDATE SKIP LOCKED) u WHERE w.order_id = u.order_id AND w.demand_no = u.demand_no"
)
# Untried, or every try surely failed: what may have been heard has to be asked back.
VOID: Final = (
    "WITH untried AS (SELECT o.id FROM outbox o JOIN effect e ON e.id = o.id "
    "JOIN unnest($1::text[], $2::text[]) AS u(connection_id, key) "
    "ON e.connection_id = u.connection_id AND e.key = u.key "
    "WHERE NOT o.look_first AND o.lease_until IS NULL FOR UPDATE OF o SKIP LOCKED), "
    "gone AS (DELETE FROM outbox o USING untried t WHERE o.id = t.id RETURNING o.id) "
    "SELECT e.connection_id, e.key, e.id FROM effect e JOIN gone g ON g.id = e.id"
)
SCANS: Final = (
    "INSERT INTO scan (merchant, tracking, carrier, at, status, raw, place) SELECT * FROM unnest($1::text[], "
    "$2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[]) "
    "AS u(merchant, tracking, carrier, at, status, raw, place) ORDER BY merchant, tracking, at "
    "ON CONFLICT DO NOTHING"
)


# A copy that a person corrected stands for the message that it was made from.
MOVED: Final = (
    "WITH RECURSIVE made_from AS (SELECT id AS message, id AS origin FROM unnest($1::bigint[]) AS u(id) UNION "
    "SELECT f.message, m.edited_from FROM made_from f JOIN message m ON m.id = f.origin "
    "WHERE m.edited_from IS NOT NULL) "
    "SELECT d.order_id, f.message, d.fulfilment_no, d.kind, d.demand_no, sum(d.units)::int FROM made_from f "
    "JOIN moved d ON d.message_id = f.origin AND d.order_id = ANY($2::text[]) GROUP BY 1, 2, 3, 4, 5"
)


class PostgresUnit:
    """A transaction's work. Implements `hub.flow.ports.Unit`."""

    def __init__(self, connection: PooledConnection) -> None:
        self.connection = connection
        self._items: dict[int, ItemFacts] = {}
        """Read in this transaction already."""

    async def claim(self, lane: str, limit: int, only: Sequence[int] | None = None) -> list[Inbound]:
        """See `InboxUnit.claim`."""
        return await inbox.claim(self.connection, lane, limit, only)

    async def finish(self, ids: Iterable[int]) -> None:
        """See `InboxUnit.finish`."""
        await inbox.finish(self.connection, ids)

    async def postpone(self, ids: Iterable[int], until: datetime, error: str) -> None:
        """See `InboxUnit.postpone`."""
        await inbox.postpone(self.connection, ids, until, error)

    async def park(self, troubles: Sequence[tuple[Inbound, Trouble]], now: datetime, epoch: int | None = None) -> None:
        """See `InboxUnit.park`."""
        await inbox.park(self.connection, troubles, now, epoch)

    async def by_external(self, keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], Order]:
        """See `OrdersUnit.by_external`."""
        return await orders.by_external(self.connection, keys)

    async def by_id(self, ids: Iterable[str]) -> dict[str, Order]:
        """See `OrdersUnit.by_id`."""
        return await orders.by_id(self.connection, ids)

    async def by_tracking(self, numbers: Iterable[str]) -> dict[str, list[str]]:
        """See `OrdersUnit.by_tracking`."""
        found: dict[str, list[str]] = {}
        # A label is announced by its carrier when it is bought, long before the parcel with it has left.
        sql = (
            "SELECT tracking, order_id FROM parcel WHERE tracking = ANY($1::text[]) "
            "UNION SELECT tracking, order_id FROM label WHERE tracking = ANY($1::text[]) "
            "UNION SELECT tracking, order_id FROM return_label WHERE tracking = ANY($1::text[]) ORDER BY 1, 2"
        )
        for tracking, order in await self.connection.fetch(sql, list(numbers)):
            found.setdefault(tracking, []).append(order)
        return found

    async def peers(self, orders: Iterable[Order]) -> None:
        """See `OrdersUnit.peers`."""
        await returns.attach_peers(self.connection, orders)

    async def overdue(self, now: datetime, limit: int) -> list[str]:
        """See `OrdersUnit.overdue`."""
        return await store_work.overdue(self.connection, now, limit)

    async def offers(self, orders: Iterable[Order]) -> None:
        """See `OrdersUnit.offers`."""
        await store_work.attach_offers(self.connection, orders)

    async def return_told(self, merchant: str, source: str) -> bool:
        """See `OrdersUnit.return_told`."""
        return await returns.return_told(self.connection, merchant, source)

    async def orders_of_returns(self, ids: Iterable[str]) -> list[str]:
        """See `OrdersUnit.orders_of_returns`."""
        return await returns.orders_of_returns(self.connection, ids)

    async def return_labels(self, numbers: Iterable[str]) -> dict[str, tuple[str, str]]:
        """See `OrdersUnit.return_labels`."""
        return await returns.return_labels(self.connection, numbers)

    async def contacts(self, ids: Iterable[str]) -> Mapping[str, Mapping[str, Contact]]:
        """See `OrdersUnit.contacts`."""
        return await contacts(self.connection, ids)

    async def history(self, marks: Sequence[Mark]) -> Mapping[tuple[str, str], Seen]:
        """See `OrdersUnit.history`."""
        return await risk.history(self.connection, marks)

    async def keep_marks(self, marks: Sequence[Mark]) -> None:
        """See `OrdersUnit.keep_marks`."""
        await risk.keep_marks(self.connection, marks)

    async def due_holds(self, now: datetime, limit: int) -> list[str]:
        """See `OrdersUnit.due_holds`."""
        return await risk.due_holds(self.connection, now, limit)

    async def ending_authorisations(
        self, merchant: str, now: datetime, within: timedelta, kinds: Sequence[str], limit: int
    ) -> list[str]:
        """See `OrdersUnit.ending_authorisations`."""
        return await risk.ending_authorisations(self.connection, merchant, now, within, kinds, limit)

    async def mark_earlier(self, merchant: str, now: datetime) -> int:
        """See `OrdersUnit.mark_earlier`."""
        return await risk.mark_earlier(self.connection, merchant, now)

    async def give_up_labels(self, fulfilments: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], LabelAsked]:
        """See `OrdersUnit.give_up_labels`."""
        return await labels.give_up(self.connection, fulfilments)

    async def moved(self, messages: Sequence[int], orders: Iterable[str]) -> list[Moved]:
        """See `OnceUnit.moved`."""
        return [Moved(*row) for row in await self.connection.fetch(MOVED, list(messages), list(orders))]

    async def keep_scans(self, scans: Sequence[tuple[str, ParcelScanned]]) -> None:
        """See `OrdersUnit.keep_scans`."""
        rows = [
            (merchant, s.tracking, s.carrier, s.event.at, s.event.status.value, s.event.raw, s.event.place)
            for merchant, s in scans
        ]
        await write(self.connection, SCANS, rows)

    async def keep_transits(self, delivered: Sequence[Delivered]) -> None:
        """See `OrdersUnit.keep_transits`."""
        await transits.count(self.connection, delivered)

    async def forget_people(self, account: int, orders: Sequence[str] | None) -> list[str]:
        """See `OrdersUnit.forget_people`."""
        return await forget_people(self.connection, account, orders)

    async def waiting(self, limit: int, epoch: int) -> dict[str, datetime]:
        """See `OrdersUnit.waiting`."""
        return {row["id"]: row["due"] for row in await self.connection.fetch(WAITING, limit, epoch)}

    async def put_off(self, due: Mapping[str, datetime]) -> None:
        """See `Unit.put_off`."""
        await self.connection.execute(PUT_OFF, list(due), list(due.values()))

    async def wake(self, merchant: str, causes: Iterable[str], now: datetime, *, skip_locked: bool = False) -> int:
        """See `Unit.wake`."""
        status = await self.connection.execute(WAKE_UNLOCKED if skip_locked else WAKE, merchant, list(causes))
        return int(status.rsplit(" ", 1)[1])

    async def free(self, items: Iterable[int], *, lock: bool) -> dict[int, dict[int, int]]:
        """See `StockUnit.free`."""
        return await free_stock(self.connection, items, lock=lock)

    async def items(
        self, merchant: str, account: int, skus: Iterable[str], variants: Iterable[str]
    ) -> tuple[Mapping[str, ItemFacts], Mapping[str, ItemFacts]]:
        """See `StockUnit.items`."""
        by_sku = {row["sku"]: _item(row) for row in await self.connection.fetch(BY_SKU, merchant, list(skus))}
        rows = await self.connection.fetch(BY_VARIANT, account, list(variants))
        by_variant = {row["external_variant"]: _item(row) for row in rows}
        self._items |= {item.id: item for found in (by_sku, by_variant) for item in found.values()}
        return by_sku, by_variant

    async def items_by_id(self, ids: Iterable[int]) -> Mapping[int, ItemFacts]:
        """See `StockUnit.items_by_id`."""
        wanted = set(ids)
        unread = wanted - self._items.keys()
        if unread:
            self._items |= {row["id"]: _item(row) for row in await self.connection.fetch(BY_ID, list(unread))}
        return {item: self._items[item] for item in wanted & self._items.keys()}

    async def supply(self, items: Iterable[int], *, lock: bool) -> list[Expected]:
        """See `StockUnit.supply`."""
        return await supply.supply_of(self.connection, items, lock=lock)

    async def receive(self, merchant: str, received: Sequence[tuple[str, int, int, int]]) -> None:
        """See `StockUnit.receive`."""
        await supply.receive_supply(self.connection, merchant, received)

    async def allowed_days(self, items: Iterable[int], today: date) -> list[AllowedDay]:
        """See `StockUnit.allowed_days`."""
        return await supply.allowed_days(self.connection, items, today)

    async def in_line(self, merchant: str, causes: Iterable[str], limit: int) -> list[str]:
        """See `StockUnit.in_line`."""
        return await supply.in_line(self.connection, merchant, causes, limit)

    async def opened(self, now: datetime) -> list[tuple[str, int]]:
        """See `StockUnit.opened`."""
        return await supply.opened_items(self.connection, now)

    async def items_by_sku(self, merchant: str, skus: Iterable[str]) -> Mapping[str, int]:
        """See `StockUnit.items_by_sku`."""
        sql = "SELECT sku, id FROM item WHERE merchant = $1 AND sku = ANY($2::text[])"
        return {row[0]: row[1] for row in await self.connection.fetch(sql, merchant, list(skus))}

    async def loads(self, nodes: Mapping[int, Node], now: datetime, *, lock: bool) -> Mapping[int, int]:
        """See `StockUnit.loads`."""
        days: dict[int, date] = {no: now.astimezone(ZoneInfo(node.timezone)).date() for no, node in nodes.items()}
        return await node_loads(self.connection, days, lock=lock)

    async def count(self, merchant: str, reports: Sequence[StockReport], now: datetime) -> list[tuple[int, int]]:
        """See `StockUnit.count`."""
        counted = await counts.apply_reports(self.connection, merchant, reports, now)
        await write(self.connection, LEDGER, counted.ledger)
        await deficits.mark_deficits(self.connection, counted.short)
        await deficits.covered(self.connection, counted.level)
        if counted.ledger:
            await self.connection.execute(DIRTY, sorted({row.item for row in counted.ledger}))
        return counted.more

    async def merchants(self, items: Iterable[int]) -> Mapping[int, str]:
        """See `StockUnit.merchants`."""
        rows = await self.connection.fetch("SELECT id, merchant FROM item WHERE id = ANY($1::bigint[])", list(items))
        return {row[0]: row[1] for row in rows}

    async def stock_items(self, merchant: str, skus: Iterable[str]) -> Mapping[str, StockItem]:
        """See `StockUnit.stock_items`."""
        return await sources.stock_items(self.connection, merchant, skus)

    async def stock_sources(self, merchant: str, names: Iterable[str]) -> Mapping[str, StockSource]:
        """See `StockUnit.stock_sources`."""
        return await sources.stock_sources(self.connection, merchant, names)

    async def stocked(self, merchant: str, nodes: Iterable[int]) -> list[tuple[int, int]]:
        """See `StockUnit.stocked`."""
        return await sources.stocked(self.connection, merchant, nodes)

    async def whole_as_of(self, merchant: str, nodes: Iterable[int]) -> Mapping[int, datetime]:
        """See `StockUnit.whole_as_of`."""
        return await sources.whole_as_of(self.connection, merchant, nodes)

    async def told_whole(self, merchant: str, nodes: Mapping[int, datetime]) -> None:
        """See `StockUnit.told_whole`."""
        await sources.told_whole(self.connection, merchant, nodes)

    async def items_of_supply(self, merchant: str, references: Sequence[str]) -> list[int]:
        """See `LedgerUnit.items_of_supply`."""
        return await supply.items_of_supply(self.connection, merchant, references)

    async def put_supply(self, merchant: str, told: Mapping[str, Sequence[SupplyRow]]) -> None:
        """See `LedgerUnit.put_supply`."""
        await supply.replace_supply(self.connection, merchant, told)

    async def known_items(self, merchant: str, ledger: str, units: Mapping[str, str | None]) -> dict[str, KnownItem]:
        """See `LedgerUnit.known_items`."""
        return await told_items.known_items(self.connection, merchant, ledger, units)

    async def put_told(self, merchant: str, ledger: str, told: ToldItems, now: datetime) -> None:
        """See `LedgerUnit.put_told`."""
        done = await told_items.put_told(self.connection, merchant, ledger, told, now)
        await self.wake(merchant, [cause for id, sku in done for cause in (f"sku:{sku}", f"item:{id}")], now)

    async def compare_books(self, merchant: str, ledger: str, fact: BooksReported, now: datetime) -> None:
        """See `LedgerUnit.compare_books`."""
        await ledger_books.compare_books(self.connection, merchant, ledger, fact, now)

    async def keep_figures(self, merchant: str, figures: Sequence[Figure]) -> None:
        """See `StockUnit.keep_figures`."""
        await sources.keep_figures(self.connection, merchant, figures)

    async def deficits(self, limit: int) -> list[tuple[int, int]]:
        """See `StockUnit.deficits`."""
        return await deficits.claim_deficits(self.connection, limit)

    async def yielding(self, shelves: Sequence[tuple[int, int]], limit: int) -> list[str]:
        """See `StockUnit.yielding`."""
        return await deficits.yielding(self.connection, shelves, limit)

    async def missing(self, shelves: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """See `StockUnit.missing`."""
        return await deficits.missing(self.connection, shelves)

    async def displace_carts(self, missing: Mapping[tuple[int, int], int]) -> dict[tuple[int, int], int]:
        """See `StockUnit.displace_carts`."""
        return await displace_carts(self.connection, missing) if missing else {}

    async def mark_deficits(self, shelves: Sequence[tuple[int, int]]) -> None:
        """See `StockUnit.mark_deficits`."""
        await deficits.mark_deficits(self.connection, shelves)

    async def raise_troubles(self, troubles: Sequence[tuple[str, str | None, Trouble]], now: datetime) -> None:
        """See `StockUnit.raise_troubles`."""
        await raise_troubles(self.connection, troubles, now)

    async def write(self, writes: Writes, now: datetime) -> None:
        """See `Unit.write`."""
        await flush(self.connection, writes, now)

    async def void(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """See `Unit.void`."""
        rows = await self.connection.fetch(VOID, [key[0] for key in keys], [key[1] for key in keys])
        return {(row[0], row[1]): row[2] for row in rows}


def _item(row: asyncpg.Record) -> ItemFacts:
    components = row["components"]
    return ItemFacts(
        row["id"],
        row["sku"],
        row["stock_mode"],
        row["ships"],
        row["weight_g"],
        tuple(row["classes"]),
        tuple((part[0], part[1]) for part in components) if components else (),
        row["volume_cm3"],
        row["available_from"],
        _unit_cost.decode(row["unit_cost"]) if row["unit_cost"] else {},
    )


class PostgresStore:
    """Opens transactions. Implements `hub.flow.ports.Store`."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[PostgresUnit]:
        """A transaction: committed at the end, rolled back on any error."""
        async with self.database.transaction() as connection:
            yield PostgresUnit(connection)
