"""Scheduled pulls of a warehouse: transfers that changed, returns that arrived, what is on the shelf, what moved there.

Odoo dates records with the start of the transaction that wrote them and shows whole seconds of it. So a pull goes by
ids within a window that stays open at its end, begins the next window where the last record of this one was dated, and
looks back over that: a transaction may take minutes to be seen. Its clock is Odoo's, ours is not asked.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from adapters.odoo.client import Domain, Odoo
from adapters.odoo.facts import Movement, Quants, Receipt, Snapshot, Units, moment, shortfall
from adapters.odoo.fulfil import MOST_MOVES, find_warehouse, lots_of
from adapters.odoo.marks import OURS, fulfilment_of
from adapters.odoo.schemas import Many2one, Product, display, record_id
from adapters.odoo.settings import OVERLAP_SECONDS, Settings
from adapters.odoo.translate import naive_utc
from adapters.odoo.warehouse_rows import Location, Move, MoveLine, OperationType, Quant, Transfer
from hub.sdk.capabilities import Context, Page, Pulled
from hub.sdk.translate import Malformed

PAGE: Final = 50
"""Transfers between two cursors."""
LINES: Final = 500
QUANTS: Final = 5000
PLACES: Final = 10000
FIRST_MOVEMENTS: Final = timedelta(days=3)
FASTEST_CLOCK: Final = timedelta(days=2)
"""Further ahead of us no Odoo's clock is: a window that began there would hold nothing for as long."""

_encoder: Final = msgspec.json.Encoder(decimal_format="number")


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """Cursor: from when on records are looked for, the last id that was seen, and the latest date among them."""

    since: str | None = None
    after: int = 0
    seen: str | None = None

    def on(self, after: int, dates: Sequence[str], now: datetime) -> "Scan":
        """Further in the same window. The next does not begin at a date that is none, or days after `now`."""
        sound = [date for date in dates if _sound(date, now)]
        seen = max([*sound, *([] if self.seen is None else [self.seen])], default=None)
        return Scan(since=self.since, after=after, seen=seen)

    def next(self) -> "Scan":
        """The next window: from the latest date on, less what transactions under way may still bring."""
        if self.seen is None:
            return Scan(since=self.since)
        since = naive_utc(moment(self.seen) - timedelta(seconds=OVERLAP_SECONDS))
        return Scan(since=since if self.since is None else max(since, self.since))

    def terms(self, *fields: str) -> Domain:
        """Records of the window that come next: one of `fields` is dated within it."""
        after: Domain = [["id", ">", self.after]]
        if self.since is None:
            return after
        dated: Domain = [[field, ">=", self.since] for field in fields]
        return [*after, *["|"] * (len(fields) - 1), *dated]

    def text(self) -> str:
        """As it is kept."""
        return msgspec.json.encode(self).decode()


def _sound(date: str, now: datetime) -> bool:
    try:
        return moment(date) <= now + FASTEST_CLOCK
    except Malformed:
        return False


def begin(context: Context[Settings], cursor: str | None) -> Scan:
    """Where a pull goes on."""
    if cursor is not None:
        return msgspec.json.decode(cursor, type=Scan)
    start = context.connection.live_from
    return Scan(since=None if start is None else naive_utc(start))


# --- transfers -------------------------------------------------------------------------------------------------------


async def pull_status(context: Context[Settings], cursor: str | None, /) -> AsyncIterator[Page]:
    """Fulfilment orders of ours of which a transfer or a move changed, each with all that Odoo says of it."""
    if not context.settings.warehouses:
        return
    odoo, scan = Odoo(context), begin(context, cursor)
    while True:
        terms: Domain = [["origin", "=like", OURS], *scan.terms("write_date", "move_ids.write_date")]
        changed = await odoo.rows(Transfer, terms, limit=PAGE)
        last = len(changed) < PAGE
        found = await _snapshots(odoo, changed)
        dates = [one.write_date for one in changed]
        dates += [move.write_date for each in found for move in each.moves]
        scan = scan.on(changed[-1].id if changed else scan.after, dates, context.now())
        items = tuple(item for each in found for item in _told(each))
        yield Page(items=items, cursor=(scan.next() if last else scan).text(), last=last)
        if last:
            return


async def _snapshots(odoo: Odoo, changed: Sequence[Transfer]) -> list[Snapshot]:
    """All transfers and moves of the fulfilment orders that some transfers are of."""
    names = sorted({name for name in (fulfilment_of(one.origin) for one in changed) if name is not None})
    if not names:
        return []
    transfers = await odoo.every(Transfer, [["origin", "in", names]], limit=MOST_MOVES)
    moves = await odoo.every(Move, [["picking_id", "in", [one.id for one in transfers]]], limit=PAGE * LINES)
    lots = await lots_of(odoo, moves)
    found = []
    for name in names:
        mine = tuple(one for one in transfers if one.origin == name)
        ids = {one.id for one in mine}
        of_mine = tuple(move for move in moves if record_id(move.picking_id) in ids)
        ids = {move.id for move in of_mine}
        named = tuple(lot for lot in lots if lot.move in ids)
        found.append(Snapshot(fulfilment=name, transfers=mine, moves=of_mine, lots=named))
    return found


def _told(found: Snapshot) -> list[Pulled]:
    """A fulfilment order under the hash of its content, and what it will not bring once."""
    body = _encoder.encode(found)
    key = f"transfer:{found.fulfilment}:{hashlib.sha256(body).hexdigest()[:20]}"
    told = [Pulled(key=key, topic="transfer", object=found.fulfilment, body=body)]
    short = shortfall(found)
    if short is not None:
        # A shortage has no number of the sender's by which it could be counted once, so it is a message of its own.
        key = f"shortfall:{found.fulfilment}"
        told.append(Pulled(key=key, topic="shortfall", object=found.fulfilment, body=_encoder.encode(short)))
    return told


# --- returns ---------------------------------------------------------------------------------------------------------


async def pull_returns(context: Context[Settings], cursor: str | None, /) -> AsyncIterator[Page]:
    """Returns of our transfers that have arrived at one of the warehouses."""
    if not context.settings.warehouses:
        return
    odoo, scan = Odoo(context), begin(context, cursor)
    types = await _operation_types(odoo)
    while True:
        terms: Domain = [["return_id.origin", "=like", OURS], ["state", "=", "done"], *scan.terms("write_date")]
        arrived = await odoo.rows(Transfer, terms, limit=PAGE)
        last = len(arrived) < PAGE
        dates = [one.write_date for one in arrived]
        scan = scan.on(arrived[-1].id if arrived else scan.after, dates, context.now())
        items = await _receipts(odoo, arrived, types)
        yield Page(items=items, cursor=(scan.next() if last else scan).text(), last=last)
        if last:
            return


async def _operation_types(odoo: Odoo) -> dict[int, str]:
    """Short name of the warehouse per operation type, of the warehouses of this connection."""
    codes = {(await find_warehouse(odoo, code)).id: code for code in odoo.settings.warehouses}
    types = await odoo.every(OperationType, [["warehouse_id", "in", sorted(codes)]], limit=1000, archived=True)
    return {one.id: codes[record_id(one.warehouse_id) or 0] for one in types}


async def _receipts(odoo: Odoo, arrived: Sequence[Transfer], types: Mapping[int, str]) -> tuple[Pulled, ...]:
    mine = [one for one in arrived if record_id(one.picking_type_id) in types]
    if not mine:
        return ()
    origins = await odoo.rows(Transfer, [["id", "in", [record_id(one.return_id) for one in mine]]], limit=len(mine))
    fulfilments = {one.id: fulfilment_of(one.origin) for one in origins}
    terms: Domain = [["picking_id", "in", [one.id for one in mine]], ["state", "=", "done"]]
    moves = await odoo.every(Move, terms, limit=PAGE * LINES)
    skus = await skus_of(odoo, [move.product_id for move in moves])
    found = []
    for one in mine:
        units = [
            Units(sku=skus[record_id(move.product_id) or 0], quantity=move.quantity)
            for move in moves
            if record_id(move.picking_id) == one.id and move.quantity
        ]
        fulfilment = fulfilments.get(record_id(one.return_id) or 0)
        if units and fulfilment is not None:
            receipt = Receipt(
                receipt=one.name,
                at=str(one.date_done),
                warehouse=types[record_id(one.picking_type_id) or 0],
                fulfilment=fulfilment,
                lines=tuple(units),
            )
            key = f"receipt:{one.id}"
            found.append(Pulled(key=key, topic="receipt", object=one.name, body=_encoder.encode(receipt)))
    return tuple(found)


# --- stock -----------------------------------------------------------------------------------------------------------


async def pull_stock(context: Context[Settings], cursor: str | None, /) -> AsyncIterator[Page]:
    """Everything on the shelves of each warehouse: the places within its stock location, consigned goods left out."""
    odoo = Odoo(context)
    for code in context.settings.warehouses:
        warehouse = await find_warehouse(odoo, code)
        # Before anything is read: what moves meanwhile is dated later, and told by the movements.
        as_of = naive_utc(context.now())
        levels = await _levels(odoo, warehouse.lot_stock_id)
        body = _encoder.encode(Quants(as_of=as_of, warehouse=code, levels=levels))
        item = Pulled(key=f"quants:{code}:{as_of}", topic="quants", object=code, body=body)
        yield Page(items=(item,), cursor=as_of)


async def _levels(odoo: Odoo, stock: Many2one) -> tuple[Units, ...]:
    terms: Domain = [["location_id", "child_of", [record_id(stock)]], ["owner_id", "=", False]]
    quants: list[Quant] = []
    while True:
        after: Domain = [["id", ">", quants[-1].id if quants else 0]]
        page = await odoo.rows(Quant, [*terms, *after], limit=QUANTS)
        quants += page
        if len(page) < QUANTS:
            break
    skus = await skus_of(odoo, [quant.product_id for quant in quants])
    found: dict[tuple[str, str], Units] = {}
    for quant in quants:
        sku, lot = skus[record_id(quant.product_id) or 0], display(quant.lot_id) or ""
        before = found.get((sku, lot))
        units = quant.quantity + (before.quantity if before is not None else 0)
        found[sku, lot] = Units(sku=sku, quantity=units, lot=lot)
    return tuple(found[key] for key in sorted(found))


async def skus_of(odoo: Odoo, products: Sequence[Many2one]) -> dict[int, str]:
    """SKU by product. One without is told as "product:<id>", so that it is asked about instead of overlooked."""
    ids = sorted({product for product in (record_id(value) for value in products) if product is not None})
    skus = {one: f"product:{one}" for one in ids}
    for start in range(0, len(ids), QUANTS):
        some = ids[start : start + QUANTS]
        for row in await odoo.rows(Product, [["id", "in", some]], limit=len(some), archived=True):
            if isinstance(row.default_code, str):
                skus[row.id] = row.default_code
    return skus


async def pull_movements(context: Context[Settings], cursor: str | None, /) -> AsyncIterator[Page]:
    """What came to a warehouse's shelves and left them, each movement once; those of our own transfers are told by
    their shipments and receipts. The first pull looks back three days: snapshots say what was before."""
    if not context.settings.warehouses:
        return
    odoo = Odoo(context)
    scan = begin(context, cursor)
    if cursor is None:
        scan = Scan(since=max(scan.since or "", naive_utc(context.now() - FIRST_MOVEMENTS)))
    shelves = await _shelves(odoo)
    places = sorted(shelves)
    while True:
        terms: Domain = [
            ["state", "=", "done"],
            "|",
            ["location_id", "in", places],
            ["location_dest_id", "in", places],
            *scan.terms("write_date"),
        ]
        moved = await odoo.rows(MoveLine, terms, limit=LINES)
        last = len(moved) < LINES
        dates = [one.write_date for one in moved]
        scan = scan.on(moved[-1].id if moved else scan.after, dates, context.now())
        others = [one for one in moved if not _ours(one)]
        skus = await skus_of(odoo, [one.product_id for one in others])
        items = tuple(item for one in others for item in _movements(one, skus, shelves))
        yield Page(items=items, cursor=(scan.next() if last else scan).text(), last=last)
        if last:
            return


async def _shelves(odoo: Odoo) -> dict[int, str]:
    """Short name of the warehouse per place within its stock location."""
    found = {}
    for code in odoo.settings.warehouses:
        stock = (await find_warehouse(odoo, code)).lot_stock_id
        terms: Domain = [["id", "child_of", [record_id(stock)]]]
        for place in await odoo.every(Location, terms, limit=PLACES, archived=True):
            found[place.id] = code
    return found


def _ours(line: MoveLine) -> bool:
    return fulfilment_of(str(line.origin).partition("#")[0]) is not None


def _movements(line: MoveLine, skus: Mapping[int, str], shelves: Mapping[int, str]) -> list[Pulled]:
    """One message per warehouse that a line touches; none where it stays within one."""
    left, came = shelves.get(record_id(line.location_id) or 0), shelves.get(record_id(line.location_dest_id) or 0)
    found = []
    for warehouse, units in ((left, -line.quantity_product_uom), (came, line.quantity_product_uom)):
        if warehouse is None or left == came or not units:
            continue
        moved = Movement(
            at=line.date,
            sku=skus[record_id(line.product_id) or 0],
            quantity=units,
            warehouse=warehouse,
            lot=display(line.lot_id) or "",
            reference=line.reference if isinstance(line.reference, str) else "",
        )
        key = f"movement:{line.id}:{warehouse}"
        found.append(Pulled(key=key, topic="movement", object=str(line.id), body=_encoder.encode(moved)))
    return found
