"""What writing and validating a transfer does to the simulator's records."""

from collections.abc import Sequence
from decimal import Decimal

from adapters.odoo.simulated.books import OdooError, Record, number, user_error
from adapters.odoo.simulated.database import Database, Ids, Said
from adapters.odoo.simulated.methods import write

Demand = tuple[int, Decimal, int]
"""Product, quantity, order line."""


def create_picking(db: Database, order: Record, demand: Sequence[Demand], backorder: int | None = None) -> int:
    pickings = db.tables["stock.picking"]
    picking = pickings.insert(
        {
            "name": db.number_for("WH/OUT/"),
            "state": "assigned",
            "origin": order["name"],
            "picking_type_id": 2,
            "picking_type_code": "outgoing",
            "partner_id": order["partner_shipping_id"],
            "location_id": 1,
            "location_dest_id": 2,
            "scheduled_date": db.moment(),
            "date_deadline": db.moment(),
            "weight": Decimal(0),
            "shipping_weight": Decimal(0),
            "backorder_id": backorder,
            "sale_id": order["id"],
            "priority": "0",
            "products_availability": "Available",
            "write_date": db.moment(),
        }
    )
    moves = [create_move(db, pickings.rows[picking], *wanted) for wanted in demand]
    pickings.update(picking, {"move_ids": moves})
    return picking


def create_move(db: Database, picking: Record, product: int, quantity: Decimal, line: int) -> int:
    return db.tables["stock.move"].insert(
        {
            "reference": picking["name"],
            "product_id": product,
            "product_uom": 1,
            "product_uom_qty": number(quantity),
            "quantity": number(quantity),
            "picked": False,
            "state": "assigned",
            "location_id": 1,
            "location_dest_id": 2,
            "picking_id": picking["id"],
            "sale_line_id": line,
            "date": db.moment(),
        }
    )


def write_picking(db: Database, model: str, ids: Ids, said: Said, *, vals: Record) -> object:
    commands = vals.get("move_ids", ())
    for command, move, change in commands:
        if command != 1:
            raise OdooError(500, "builtins.NotImplementedError", "the simulator only updates moves of a transfer")
        write(db, "stock.move", [move], {}, vals=change)
    return write(db, model, ids, said, vals={k: v for k, v in vals.items() if k != "move_ids"})


def validate(db: Database, model: str, ids: Ids, said: Said) -> object:
    """Ship what is picked, or all that is reserved when nothing is. Wizards come first, unless told to be skipped."""
    for one in ids:
        picking = db.exists(model, one)
        if picking["state"] == "done":
            continue
        moves = [db.tables["stock.move"].rows[move] for move in picking["move_ids"]]
        picked = [m for m in moves if m["picked"]] or moves
        if not sum((number(m["quantity"]) for m in picked), Decimal(0)):
            raise user_error("You cannot validate a transfer if no quantities are reserved.")
        kept, rest = [m for m in moves if m not in picked], remainder(picked)
        if (rest or kept) and not said.get("skip_backorder"):
            return wizard("Create Backorder?", "stock.backorder.confirmation")
        if db.sms and not said.get("skip_sms"):
            return wizard("SMS", "confirm.stock.sms")
        ship(db, picking, picked, kept, rest)
    return True


def ship(
    db: Database, picking: Record, picked: Sequence[Record], kept: Sequence[Record], rest: Sequence[Demand]
) -> None:
    order = db.tables["sale.order"].rows[picking["sale_id"]]
    lines = db.tables["sale.order.line"].rows
    for move in picked:
        shipped = number(move["quantity"])
        move.update(state="done", picked=True, quantity=shipped, product_uom_qty=shipped)
        lines[move["sale_line_id"]]["qty_delivered"] += shipped
    picking.update(state="done", date_done=db.moment(), products_availability=None, write_date=db.moment())
    picking["move_ids"] = [move["id"] for move in picked]
    if rest or kept:
        backorder = create_picking(db, order, rest, backorder=picking["id"])
        for move in kept:
            db.tables["stock.move"].update(move["id"], {"picking_id": backorder})
            db.tables["stock.picking"].rows[backorder]["move_ids"].append(move["id"])
        picking["backorder_ids"] = [backorder]
        order["picking_ids"] = [backorder, *order["picking_ids"]]
    db.restate(order["id"])


def remainder(picked: Sequence[Record]) -> list[Demand]:
    """What stays behind of moves that ship in part."""
    left = [(m, m["product_uom_qty"] - number(m["quantity"])) for m in picked]
    return [(m["product_id"], quantity, m["sale_line_id"]) for m, quantity in left if quantity > 0]


def wizard(name: str, model: str) -> Record:
    return {"name": name, "type": "ir.actions.act_window", "view_mode": "form", "res_model": model, "target": "new"}
