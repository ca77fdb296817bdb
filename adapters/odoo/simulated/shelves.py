"""What is on the simulator's shelves, and put aside there. Of a product that is not counted there is always enough."""

from decimal import Decimal
from typing import Any

from adapters.odoo.simulated.books import Record
from adapters.odoo.simulated.database import ADJUSTMENT, STOCK, Database


def put(db: Database, product: int, quantity: Decimal, location: int = STOCK, lot: str | None = None) -> None:
    """Units arrive, or leave when negative: a quant of one product, place and lot grows. At nothing it is deleted."""
    db.kept.add(product)
    found = [q for q in _quants(db, product, {location}) if _lot_name(db, q) == lot]
    if found:
        quant = found[0]
        quant.update(quantity=quant["quantity"] + quantity, write_date=db.moment())
    elif quantity:
        number = None if lot is None else db.tables["stock.lot"].insert({"name": lot, "product_id": product})
        db.tables["stock.quant"].insert(
            {
                "product_id": product,
                "location_id": location,
                "lot_id": number,
                "quantity": quantity,
                "reserved_quantity": Decimal(0),
                "write_date": db.moment(),
            }
        )


def adjust(db: Database, product: int, quantity: Decimal, lot: str | None = None, reference: str = "Adjusted") -> None:
    """Somebody counts: the difference is a movement from or to nowhere."""
    put(db, product, quantity, lot=lot)
    ends = (ADJUSTMENT, STOCK) if quantity > 0 else (STOCK, ADJUSTMENT)
    lots = [row["id"] for row in db.tables["stock.lot"].rows.values() if lot is not None and row["name"] == lot]
    _line(db, product=product, lot=lots[0] if lots else None, units=abs(quantity), ends=ends, reference=reference)


def reserve(db: Database, move: Record) -> None:
    """Put aside as much of what a move asks for as is there."""
    wanted = move["product_uom_qty"] - move["quantity"]
    if wanted > 0:
        _take(db, move, wanted)
    restate(move)


def fit(db: Database, move: Record, quantity: Decimal) -> None:
    """Put aside exactly so many units for a move: it gives back what is over, or takes what is there of the rest."""
    if quantity > move["quantity"]:
        _take(db, move, quantity - move["quantity"])
        move["quantity"] = quantity
        return
    over = move["quantity"] - quantity
    for line in reversed(_lines(db, move)):
        units = min(over, line["quantity_product_uom"])
        line["quantity_product_uom"] -= units
        if line["quant_id"]:
            db.tables["stock.quant"].rows[line["quant_id"]]["reserved_quantity"] -= units
        over -= units
    move["quantity"] = quantity


def _take(db: Database, move: Record, wanted: Decimal) -> None:
    if move["product_id"] not in db.kept:
        move["quantity"] += wanted
        _line(db, move=move, units=wanted)
        return
    for quant in _quants(db, move["product_id"], db.within([move["location_id"]])):
        units = min(wanted, quant["quantity"] - quant["reserved_quantity"])
        if units > 0:
            quant["reserved_quantity"] += units
            move["quantity"] += units
            wanted -= units
            _line(db, move=move, units=units, quant=quant["id"], lot=quant["lot_id"])


def leave(db: Database, move: Record) -> None:
    """A move is done: its units are no longer where they were, and are where they went."""
    for line in _lines(db, move):
        if not line["quantity_product_uom"]:
            continue
        line.update(state="done", date=db.moment(), write_date=db.moment())
        if line["quant_id"]:
            quant = db.tables["stock.quant"].rows[line["quant_id"]]
            quant["quantity"] -= line["quantity_product_uom"]
            quant["reserved_quantity"] -= line["quantity_product_uom"]
            quant["write_date"] = db.moment()
        if db.tables["stock.location"].rows[move["location_dest_id"]]["usage"] == "internal":
            lot = db.tables["stock.lot"].rows.get(line["lot_id"], {"name": None})["name"]
            put(db, move["product_id"], line["quantity_product_uom"], move["location_dest_id"], lot)


def restate(move: Record) -> None:
    """A move's state by what is put aside for it."""
    if move["state"] in ("draft", "done", "cancel"):
        return
    if move["quantity"] >= move["product_uom_qty"]:
        move["state"] = "assigned"
    else:
        move["state"] = "partially_available" if move["quantity"] else "confirmed"


def _quants(db: Database, product: int, places: set[int]) -> list[Record]:
    found = db.tables["stock.quant"].where("product_id", product)
    return [quant for quant in found if quant["location_id"] in places and quant["owner_id"] is None]


def _lot_name(db: Database, quant: Record) -> str | None:
    return None if quant["lot_id"] is None else str(db.tables["stock.lot"].rows[quant["lot_id"]]["name"])


def _lines(db: Database, move: Record) -> list[Record]:
    return db.tables["stock.move.line"].where("move_id", move["id"])


def _line(
    db: Database,
    *,
    units: Decimal,
    move: Record | None = None,
    product: int | None = None,
    quant: int | None = None,
    lot: int | None = None,
    ends: tuple[int, int] | None = None,
    reference: str | None = None,
) -> None:
    origin: dict[str, Any] = {"date": db.moment(), "write_date": db.moment(), "quantity_product_uom": units}
    if move is not None:
        origin |= {name: move[name] for name in ("product_id", "picking_id", "origin", "reference")}
        ends = (move["location_id"], move["location_dest_id"])
    else:
        origin |= {"product_id": product, "reference": reference, "state": "done"}
    came, went = ends or (ADJUSTMENT, STOCK)
    db.tables["stock.move.line"].insert(
        {
            "state": "assigned",
            **origin,
            "move_id": None if move is None else move["id"],
            "quant_id": quant,
            "lot_id": lot,
            "location_id": came,
            "location_dest_id": went,
        }
    )
