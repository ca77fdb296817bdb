"""Items and what the channels call them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import asyncpg
import msgspec

from hub.domain.item import Component, Customs, Dimensions, LotPolicy, StockMode
from hub.store.admin.errors import Conflict, Fault, Invalid, Missing
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection
from hub.store.ledger_items import HELD


class ItemWrite(msgspec.Struct, frozen=True, kw_only=True):
    """An item as it shall be; `at` is where it stands in the body."""

    sku: str
    at: str
    title: str | None
    barcodes: tuple[str, ...]
    base_unit: str
    conversions: dict[str, int]
    weight_g: int | None
    dimensions: Dimensions | None
    classes: tuple[str, ...]
    customs: Customs | None
    unit_cost: dict[str, Decimal]
    price: dict[str, Decimal]
    ships: bool
    stock_mode: StockMode
    lot_policy: LotPolicy
    safety: int
    components: tuple[Component, ...]
    available_from: date | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A component of a kit."""

    sku: str
    quantity: int
    """Base units per kit."""
    item: int


class ItemView(msgspec.Struct, frozen=True, kw_only=True):
    """An item."""

    item: int
    """Its id: the SKU may be renamed, this stays."""
    sku: str
    title: str | None
    barcodes: list[str]
    base_unit: str
    conversions: dict[str, int]
    weight_g: int | None
    dimensions: Dimensions | None
    classes: list[str] = msgspec.field(name="class")
    customs: Customs | None
    unit_cost: dict[str, Decimal]
    price: dict[str, Decimal]
    """List price of a base unit."""
    ships: bool
    stock_mode: StockMode
    lot_policy: LotPolicy
    safety: int
    components: list[Part]
    kit_version: int
    available_from: date | None
    """The day before which it is sold, and not sent."""
    updated_at: datetime


class Extra(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What no query asks for, kept as one document."""

    title: str | None = None
    barcodes: tuple[str, ...] = ()
    base_unit: str = "each"
    conversions: dict[str, int] = {}
    dimensions: Dimensions | None = None
    customs: Customs | None = None
    unit_cost: dict[str, Decimal] = {}
    price: dict[str, Decimal] = {}
    lot_policy: LotPolicy = LotPolicy.NONE
    kit_version: int = 1
    available_from: date | None = None


SELECT: Final = (
    "SELECT i.*, "
    "(SELECT json_agg(json_build_object('sku', p.sku, 'quantity', c.quantity, 'item', p.id) ORDER BY p.sku) "
    "FROM item_component c JOIN item p ON p.id = c.component_id WHERE c.item_id = i.id) AS parts FROM item i "
    "WHERE i.merchant = $1 "
)
UPSERT: Final = (
    "INSERT INTO item AS i (merchant, sku, stock_mode, ships, weight_g, classes, safety, document, updated_at) "
    "SELECT $1, u.sku, u.stock_mode, u.ships, u.weight_g, ARRAY(SELECT jsonb_array_elements_text(u.classes::jsonb)), "
    "u.safety, u.document::jsonb, $9 FROM unnest($2::text[], $3::text[], $4::bool[], $5::int[], $6::text[], $7::int[], "
    "$8::text[]) AS u(sku, stock_mode, ships, weight_g, classes, safety, document) ORDER BY u.sku "
    "ON CONFLICT (merchant, sku) DO UPDATE SET stock_mode = EXCLUDED.stock_mode, ships = EXCLUDED.ships, "
    "weight_g = EXCLUDED.weight_g, classes = EXCLUDED.classes, safety = EXCLUDED.safety, "
    "document = EXCLUDED.document, updated_at = EXCLUDED.updated_at RETURNING i.id, i.sku"
)
_extra = msgspec.json.Decoder(Extra)
_parts = msgspec.json.Decoder(list[Part])


async def list_items(connection: PooledConnection, merchant: str, cut: Cut, query: str | None) -> Page[ItemView]:
    """Items by SKU; `query` is a part of the SKU, of a barcode or of the title."""
    (after,) = cut.after(str)
    rows = await connection.fetch(
        SELECT
        + "AND ($2::text IS NULL OR i.sku > $2) AND ($3::text IS NULL OR position(lower($3) in lower(i.sku)) > 0 "
        "OR i.document -> 'barcodes' ? $3 OR position(lower($3) in lower(i.document ->> 'title')) > 0) "
        "ORDER BY i.sku LIMIT $4",
        merchant,
        after,
        query,
        cut.limit + 1,
    )
    return page([_view(row) for row in rows], cut, lambda item: (item.sku,))


async def get_item(connection: PooledConnection, merchant: str, sku: str) -> ItemView:
    """One item; raises `Missing`."""
    row = await connection.fetchrow(SELECT + "AND i.sku = $2", merchant, sku)
    if row is None:
        raise Missing(f"no item {sku!r}")
    return _view(row)


async def items_by_sku(connection: PooledConnection, merchant: str, skus: Sequence[str]) -> dict[str, int]:
    """Ids of the items that exist."""
    rows = await connection.fetch(
        "SELECT sku, id FROM item WHERE merchant = $1 AND sku = ANY($2::text[])", merchant, skus
    )
    return {row["sku"]: row["id"] for row in rows}


async def put_items(
    connection: PooledConnection, merchant: str, writes: Sequence[ItemWrite], now: datetime
) -> list[ItemView]:
    """Make or replace items, components included; a fixed number of statements. Raises `Invalid`, nothing applied."""
    skus = [write.sku for write in writes]
    faults = [Fault("stands twice in the list", f"{w.at}/sku") for n, w in enumerate(writes) if w.sku in skus[:n]]
    if faults:
        raise Invalid(faults)
    before = {
        row["sku"]: _view(row) for row in await connection.fetch(SELECT + "AND i.sku = ANY($2::text[])", merchant, skus)
    }
    await _keep_units(connection, merchant, writes, before)
    documents = [_document(write, before.get(write.sku)) for write in writes]
    made = await connection.fetch(
        UPSERT,
        merchant,
        skus,
        [write.stock_mode.value for write in writes],
        [write.ships for write in writes],
        [write.weight_g for write in writes],
        [msgspec.json.encode(write.classes).decode() for write in writes],
        [write.safety for write in writes],
        documents,
        now,
    )
    ids = {row["sku"]: row["id"] for row in made}
    await _put_components(connection, merchant, writes, ids)
    await _put_safety(
        connection, [(ids[w.sku], w.safety) for w in writes if w.sku in before and before[w.sku].safety != w.safety]
    )
    rows = await connection.fetch(SELECT + "AND i.sku = ANY($2::text[]) ORDER BY i.sku", merchant, skus)
    return [_view(row) for row in rows]


async def _keep_units(
    connection: PooledConnection, merchant: str, writes: Sequence[ItemWrite], before: Mapping[str, ItemView]
) -> None:
    """Refuse another base unit for what is counted in the one before: every figure of it would mean something else."""
    other = {w.sku: w for w in writes if w.sku in before and before[w.sku].base_unit != w.base_unit}
    if not other:
        return
    counted = await connection.fetch(
        f"SELECT i.sku FROM item i WHERE i.merchant = $1 AND i.sku = ANY($2::text[]) AND ({HELD}) ORDER BY i.sku "
        "FOR NO KEY UPDATE OF i",
        merchant,
        sorted(other),
    )
    faults = [
        Fault(
            f"{sku} has stock, orders or supply in {before[sku].base_unit!r}: keep that, and name the other unit in "
            "conversions; or make a new item",
            f"{other[sku].at}/base_unit",
        )
        for (sku,) in counted
    ]
    if faults:
        raise Invalid(faults)


async def rename_item(connection: PooledConnection, merchant: str, sku: str, name: str) -> None:
    """Give an item another SKU; its id, stock and history stay. Raises `Missing` and `Conflict`."""
    try:
        done = await connection.execute(
            "UPDATE item SET sku = $3 WHERE merchant = $1 AND sku = $2", merchant, sku, name
        )
    except asyncpg.UniqueViolationError as error:
        raise Conflict("sku-taken", f"Another item has the SKU {name!r}") from error
    if done == "UPDATE 0":
        raise Missing(f"no item {sku!r} to rename to {name!r}")


def _document(write: ItemWrite, before: ItemView | None) -> str:
    version = before.kit_version if before else 1
    if before and {(p.sku, p.quantity) for p in before.components} != {(p.sku, p.quantity) for p in write.components}:
        version += 1
    extra = Extra(
        title=write.title,
        barcodes=write.barcodes,
        base_unit=write.base_unit,
        conversions=write.conversions,
        dimensions=write.dimensions,
        customs=write.customs,
        unit_cost=write.unit_cost,
        price=write.price,
        lot_policy=write.lot_policy,
        kit_version=version,
        available_from=write.available_from,
    )
    return msgspec.json.encode(extra).decode()


async def _put_components(
    connection: PooledConnection, merchant: str, writes: Sequence[ItemWrite], ids: dict[str, int]
) -> None:
    await connection.execute("DELETE FROM item_component WHERE item_id = ANY($1::bigint[])", list(ids.values()))
    named = sorted({part.sku for write in writes for part in write.components})
    known = await items_by_sku(connection, merchant, named)
    rows: list[tuple[int, int, int]] = []
    faults: list[Fault] = []
    for write in writes:
        for index, part in enumerate(write.components):
            where = f"{write.at}/components/{index}/sku"
            if part.sku not in known:
                faults.append(Fault(f"no item {part.sku!r}", where))
            elif part.sku == write.sku or part.sku in {p.sku for p in write.components[:index]}:
                faults.append(Fault("is the kit itself, or stands twice", where))
            else:
                rows.append((ids[write.sku], known[part.sku], part.quantity))
    if faults:
        raise Invalid(faults)
    if rows:
        await connection.execute(
            "INSERT INTO item_component SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::int[])",
            *map(list, zip(*rows, strict=True)),
        )
    await _refuse_nesting(connection, writes, ids)


async def _refuse_nesting(connection: PooledConnection, writes: Sequence[ItemWrite], ids: dict[str, int]) -> None:
    """A kit of kits would need two steps at capture; nobody could say what its stock is."""
    rows = await connection.fetch(
        "SELECT k.sku AS kit, p.sku AS part FROM item_component c JOIN item k ON k.id = c.item_id "
        "JOIN item p ON p.id = c.component_id "
        "WHERE (c.item_id = ANY($1::bigint[]) OR c.component_id = ANY($1::bigint[])) "
        "AND EXISTS (SELECT 1 FROM item_component i WHERE i.item_id = c.component_id)",
        list(ids.values()),
    )
    at = {write.sku: write.at for write in writes}
    faults = [
        Fault(
            f"{row['kit']!r} would hold the kit {row['part']!r}",
            f"{at.get(row['kit'], at.get(row['part'], ''))}/components",
        )
        for row in rows
    ]
    if faults:
        raise Invalid(faults)


async def _put_safety(connection: PooledConnection, changes: Sequence[tuple[int, int]]) -> None:
    if not changes:
        return
    items, units = [item for item, _ in changes], [safety for _, safety in changes]
    # Locked in the order that everybody locks stock in, then changed.
    await connection.execute(
        "SELECT 1 FROM stock WHERE item_id = ANY($1::bigint[]) ORDER BY item_id, node_id FOR UPDATE", items
    )
    await connection.execute(
        "UPDATE stock s SET safety = u.safety FROM unnest($1::bigint[], $2::bigint[]) AS u(item, safety) "
        "WHERE s.item_id = u.item",
        items,
        units,
    )


def _view(row: asyncpg.Record) -> ItemView:
    extra = _extra.decode(row["document"])
    parts: list[Part] = _parts.decode(row["parts"]) if row["parts"] else []
    return ItemView(
        item=row["id"],
        sku=row["sku"],
        title=extra.title,
        barcodes=list(extra.barcodes),
        base_unit=extra.base_unit,
        conversions=extra.conversions,
        weight_g=row["weight_g"],
        dimensions=extra.dimensions,
        classes=list(row["classes"]),
        customs=extra.customs,
        unit_cost=extra.unit_cost,
        price=extra.price,
        ships=row["ships"],
        stock_mode=StockMode(row["stock_mode"]),
        lot_policy=extra.lot_policy,
        safety=row["safety"],
        components=parts,
        kit_version=extra.kit_version,
        available_from=extra.available_from,
        updated_at=row["updated_at"],
    )
