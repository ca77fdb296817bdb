"""What may be sold: gathered in a fixed number of statements for any number of items and places, answered purely."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

import asyncpg

from hub.stock.ats import Ats, Loose, NodeStock, Part, ats, kit_ats, uncounted
from hub.stock.buffer import ASSUMED_DELAY_MS, BufferRule, withheld
from hub.stock.dates import Allowance, Available, Component, Inbound, dates
from hub.store.admin.errors import Fault, Invalid, Missing
from hub.store.database import PooledConnection


class Scope(NamedTuple):
    """Where it would be sold: which nodes count, what is kept from this sink and what it may sell beyond stock."""

    nodes: Collection[int]
    buffer: BufferRule = BufferRule()
    supply_days: int = 0
    """How far ahead expected supply may be sold; 0 is not at all."""
    account: int = 0
    """Whose allowances count beside those of everybody."""


class Sellable(NamedTuple):
    """An item and what it is made of."""

    id: int
    sku: str
    counted: bool
    parts: tuple[tuple[int, str, int], ...]
    """(component, SKU, per kit)."""


class Answer(NamedTuple):
    """What may be sold of an item somewhere."""

    ats: Ats
    nodes: tuple[NodeStock, ...]
    dates: tuple[Available, ...]


ITEM: Final = (
    "SELECT i.id, i.sku, i.stock_mode, (SELECT array_agg(p.id ORDER BY p.id) FROM item_component c "
    "JOIN item p ON p.id = c.component_id WHERE c.item_id = i.id) AS ids, "
    "(SELECT array_agg(p.sku ORDER BY p.id) FROM item_component c JOIN item p ON p.id = c.component_id "
    "WHERE c.item_id = i.id) AS skus, "
    "(SELECT array_agg(c.quantity ORDER BY c.component_id) FROM item_component c WHERE c.item_id = i.id) AS quantities "
    "FROM item i WHERE "
)
BY_SKU: Final = ITEM + "i.merchant = $1 AND i.sku = ANY($2::text[])"
BY_ID: Final = ITEM + "i.id = ANY($1::bigint[])"
STOCK: Final = "SELECT item_id, node_id, sellable, pinned, safety FROM stock WHERE item_id = ANY($1::bigint[])"
LOOSE: Final = "SELECT item_id, unpinned, backordered, soft FROM item_promise WHERE item_id = ANY($1::bigint[])"
# What is overdue is not counted: nobody knows when it comes.
SUPPLY: Final = (
    "SELECT item_id, node_id, due, sum(quantity::bigint * confidence / 100)::bigint FROM supply "
    "WHERE item_id = ANY($1::bigint[]) AND due BETWEEN $2 AND $3 GROUP BY 1, 2, 3 ORDER BY 1, 3, 2"
)
ALLOWANCE: Final = (
    "SELECT item_id, account_id, kind, units, ships_on FROM allowance WHERE item_id = ANY($1::bigint[]) "
    "AND (since IS NULL OR since <= $2) AND (until IS NULL OR until >= $2) ORDER BY 1, 3, 2"
)
RATE: Final = "SELECT item_id, units_per_day FROM demand_rate WHERE item_id = ANY($1::bigint[])"
DELAY: Final = (
    "SELECT c.account_id, max(d.delay_ms) FROM publishing_delay d JOIN connection c ON c.id = d.connection_id "
    "WHERE c.account_id = ANY($1::bigint[]) GROUP BY 1"
)


@dataclass(kw_only=True)
class Shelves:
    """Everything that answers about a set of items, as of one moment."""

    today: date
    stock: dict[int, list[NodeStock]] = field(default_factory=dict)
    loose: dict[int, Loose] = field(default_factory=dict)
    supply: dict[int, list[tuple[int, Inbound]]] = field(default_factory=dict)
    """By item: (node, what is due there)."""
    allowances: dict[int, dict[str, dict[int, Allowance]]] = field(default_factory=dict)
    """By item, kind and account."""
    rates: dict[int, int] = field(default_factory=dict)
    delays: dict[int, int] = field(default_factory=dict)

    def answer(self, item: Sellable, scope: Scope) -> Answer:
        """What may be sold of an item there. The channel's own list of it comes with the day each part can leave."""
        if not item.parts and not item.counted:
            return Answer(uncounted(), (), ())
        own = [self._allowance(item.id, kind, scope.account) for kind in ("backorder", "preorder")]
        allowed = [one for one in own if one is not None]
        backorder, preorder = (one.units if one is not None else 0 for one in own)
        buffer = partial(
            withheld,
            scope.buffer,
            delay_ms=self.delays.get(scope.account, ASSUMED_DELAY_MS),
            units_per_day=self._rate(item),
        )
        if item.parts:
            made = [Part(sku, each, self._ats(id, scope, supply=True)) for id, sku, each in item.parts]
            found = kit_ats(made, buffer=buffer, backorder=backorder, preorder=preorder)
        else:
            supply = sum(one.units for one in self._inbound(item.id, scope))
            here = self._here(item.id, scope)
            loose = self.loose.get(item.id, Loose())
            found = ats(here, loose, buffer=buffer, supply=supply, backorder=backorder, preorder=preorder)
        kept = -next(step.quantity for step in found.steps if step.name == "buffer") if found.steps else 0
        parts = [
            Component(each, self._ats(id, scope, supply=False).raw, tuple(self._inbound(id, scope)))
            for id, _, each in item.parts or ((item.id, item.sku, 1),)
        ]
        nodes = () if item.parts else tuple(self._here(item.id, scope))
        return Answer(found, nodes, tuple(dates(parts, kept, allowed)))

    def _here(self, item: int, scope: Scope) -> list[NodeStock]:
        return [shelf for shelf in self.stock.get(item, ()) if shelf.node in scope.nodes]

    def _inbound(self, item: int, scope: Scope) -> list[Inbound]:
        last = self.today + timedelta(days=scope.supply_days)
        if scope.supply_days == 0:
            return []
        return [one for node, one in self.supply.get(item, ()) if node in scope.nodes and one.due <= last]

    def _ats(self, item: int, scope: Scope, *, supply: bool) -> Ats:
        more = sum(one.units for one in self._inbound(item, scope)) if supply else 0
        return ats(self._here(item, scope), self.loose.get(item, Loose()), supply=more)

    def _allowance(self, item: int, kind: str, account: int) -> Allowance | None:
        """A channel's own allowance goes before everybody's."""
        by_account = self.allowances.get(item, {}).get(kind, {})
        return by_account.get(account, by_account.get(0))

    def _rate(self, item: Sellable) -> int:
        """Units a day; of a kit, as many as its fastest component sells for everybody."""
        parts = item.parts or ((item.id, item.sku, 1),)
        return max(self.rates.get(id, 0) // each for id, _, each in parts)


async def gather(
    connection: PooledConnection, items: Iterable[Sellable], scopes: Collection[Scope], today: date
) -> Shelves:
    """Read what answers about these items in these scopes need."""
    wanted = list(items)
    ids = sorted({part[0] for item in wanted for part in item.parts} | {item.id for item in wanted})
    found = Shelves(today=today)
    for item, *row in await connection.fetch(STOCK, ids):
        found.stock.setdefault(item, []).append(NodeStock(*row))
    found.loose = {row[0]: Loose(*row[1:]) for row in await connection.fetch(LOOSE, ids)}
    furthest = max((scope.supply_days for scope in scopes), default=0)
    if furthest:
        last = today + timedelta(days=furthest)
        for item, node, due, units in await connection.fetch(SUPPLY, ids, today, last):
            found.supply.setdefault(item, []).append((node, Inbound(due, units)))
    for item, account, kind, units, ships_on in await connection.fetch(ALLOWANCE, ids, today):
        kinds = found.allowances.setdefault(item, {})
        kinds.setdefault(kind, {})[account] = Allowance(kind, units, ships_on)
    if any(scope.buffer.oversell_ppm is not None for scope in scopes):
        found.rates = {row[0]: row[1] for row in await connection.fetch(RATE, ids)}
        accounts = sorted({scope.account for scope in scopes})
        found.delays = {row[0]: row[1] for row in await connection.fetch(DELAY, accounts)}
    return found


async def available(
    connection: PooledConnection, items: Iterable[Sellable], scope: Scope, now: datetime, *, lock: bool = False
) -> dict[int, Answer]:
    """What may be sold of each item. With `lock`, stock and promises are locked first, in everybody's order."""
    wanted = list(items)
    if lock:
        await _lock(connection, sorted({p[0] for item in wanted for p in item.parts} | {item.id for item in wanted}))
    shelves = await gather(connection, wanted, [scope], now.date())
    return {item.id: shelves.answer(item, scope) for item in wanted}


async def _lock(connection: PooledConnection, items: Sequence[int]) -> None:
    await connection.execute(
        "SELECT 1 FROM stock WHERE item_id = ANY($1::bigint[]) ORDER BY item_id, node_id FOR UPDATE", items
    )
    await connection.execute(
        "INSERT INTO item_promise (item_id) SELECT unnest($1::bigint[]) ORDER BY 1 ON CONFLICT DO NOTHING", items
    )
    await connection.execute(
        "SELECT 1 FROM item_promise WHERE item_id = ANY($1::bigint[]) ORDER BY item_id FOR UPDATE", items
    )


async def find_sellables(connection: PooledConnection, merchant: str, skus: Iterable[str]) -> dict[str, Sellable]:
    """Items by SKU, with their components."""
    rows = await connection.fetch(BY_SKU, merchant, sorted(set(skus)))
    return {row["sku"]: _sellable(row) for row in rows}


async def sellables_by_id(connection: PooledConnection, items: Iterable[int]) -> dict[int, Sellable]:
    """Items by id, with their components."""
    return {row["id"]: _sellable(row) for row in await connection.fetch(BY_ID, sorted(set(items)))}


def _sellable(row: asyncpg.Record) -> Sellable:
    return Sellable(
        row["id"],
        row["sku"],
        row["stock_mode"] == "tracked",
        tuple(zip(row["ids"] or (), row["skus"] or (), row["quantities"] or (), strict=True)),
    )


# --- where -------------------------------------------------------------------------------------------------------

POINTS: Final = (
    "SELECT p.id, p.account_id, p.purpose, p.buffer, p.buffer_percent, p.oversell_ppm, p.supply_days, "
    "ARRAY(SELECT n.id FROM stock_point_node l JOIN node n ON n.id = l.node_id WHERE l.stock_point_id = p.id "
    "AND n.enabled) AS nodes FROM stock_point p JOIN account a ON a.id = p.account_id WHERE "
)


async def scope_of_network(connection: PooledConnection) -> Scope:
    """Every enabled node."""
    rows = await connection.fetch("SELECT id FROM node WHERE enabled")
    return Scope(frozenset(row["id"] for row in rows))


async def scope_of_channel(connection: PooledConnection, account: int) -> Scope:
    """The enabled nodes that serve an account: those of its stock points, or all when it has none.

    Of several selling points the most cautious terms count.
    """
    rows = await connection.fetch(POINTS + "p.account_id = $1 AND p.purpose IN ('sell', 'fulfil', 'pick_up')", account)
    if not rows:
        return (await scope_of_network(connection))._replace(account=account)
    nodes = frozenset(node for row in rows for node in row["nodes"])
    sells = [scope_of_row(row) for row in rows if row["purpose"] == "sell"]
    risks = [scope.buffer.oversell_ppm for scope in sells if scope.buffer.oversell_ppm is not None]
    rule = BufferRule(
        sum(scope.buffer.units for scope in sells),
        max((scope.buffer.percent for scope in sells), default=0),
        min(risks, default=None),
    )
    return Scope(nodes, rule, min((scope.supply_days for scope in sells), default=0), account)


async def scope_of_point(connection: PooledConnection, merchant: str, point: str) -> Scope:
    """The enabled nodes of one stock point, by its id or its external location. Raises `Missing`, `Invalid`."""
    rows = await connection.fetch(
        POINTS + "a.merchant = $1 AND (p.external_location = $2 OR p.id::text = $2) ORDER BY p.purpose <> 'sell', p.id",
        merchant,
        point,
    )
    found = [row for row in rows if row["purpose"] == "sell"] or list(rows)
    if not found:
        raise Missing(f"no stock point {point!r}")
    if len(found) > 1:
        ids = ", ".join(str(row["id"]) for row in found)
        raise Invalid([Fault(f"is a location of several accounts; say one of the ids {ids}", parameter="stock_point")])
    return scope_of_row(found[0])


async def scopes_of_points(connection: PooledConnection, points: Iterable[int]) -> Mapping[int, Scope]:
    """Terms and nodes of stock points, by id."""
    rows = await connection.fetch(POINTS + "p.id = ANY($1::bigint[])", sorted(set(points)))
    return {row["id"]: scope_of_row(row) for row in rows}


def scope_of_row(row: asyncpg.Record) -> Scope:
    """A stock point's scope."""
    rule = BufferRule(row["buffer"], row["buffer_percent"], row["oversell_ppm"])
    return Scope(frozenset(row["nodes"]), rule, row["supply_days"], row["account_id"])
