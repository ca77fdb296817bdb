"""What making, confirming, reserving, validating and cancelling a transfer does to the simulator's records."""

from collections.abc import Sequence
from decimal import Decimal

from adapters.odoo.simulated import shelves
from adapters.odoo.simulated.books import OdooError, Record, missing_value, number, user_error
from adapters.odoo.simulated.database import CUSTOMERS, STOCK, Database, Ids, Said
from adapters.odoo.simulated.methods import write

Demand = tuple[int, Decimal, int]
"""Product, quantity, order line."""


def create_picking(db: Database, order: Record, demand: Sequence[Demand]) -> int:
    """What confirming a sale order makes."""
    picking = _insert(db, {"origin": order["name"], "partner_id": order["partner_shipping_id"], "sale_id": order["id"]})
    moves = []
    for product, quantity, line in demand:
        values = {"product_id": product, "product_uom_qty": quantity, "sale_line_id": line}
        moves.append(create_move(db, db.tables["stock.picking"].rows[picking], values))
    db.tables["stock.picking"].update(picking, {"move_ids": moves})
    restate(db, picking)
    return picking


def create_pickings(db: Database, model: str, ids: Ids, said: Said, *, vals_list: Sequence[Record]) -> object:
    """Drafts, until they are confirmed. The moves come with them as commands."""
    made = []
    for vals in vals_list:
        db.tables[model].check(vals, "in")
        for field in ("picking_type_id", "location_id", "location_dest_id"):
            if not vals.get(field):
                raise missing_value(field, "'Transfer' (stock.picking)", field)
        commands = vals.get("move_ids", ())
        for _, _, move in commands:
            db.tables["stock.move"].check(move, "in")
            db.exists("product.product", move["product_id"])
        picking = _insert(db, {**vals, "move_ids": []}, state="draft")
        row = db.tables["stock.picking"].rows[picking]
        row["move_ids"] = [create_move(db, row, move, state="draft") for _, _, move in commands]
        made.append(picking)
    return made


def _insert(db: Database, vals: Record, state: str = "assigned") -> int:
    now = db.moment()
    incoming = vals.get("picking_type_id") == 1
    return db.tables["stock.picking"].insert(
        {
            "name": db.number_for("WH/IN/" if incoming else "WH/OUT/"),
            "state": state,
            "picking_type_id": 2,
            "picking_type_code": "incoming" if incoming else "outgoing",
            "location_id": STOCK,
            "location_dest_id": CUSTOMERS,
            "scheduled_date": now,
            "date_deadline": now,
            "weight": Decimal(0),
            "shipping_weight": Decimal(0),
            "priority": "0",
            "products_availability": "Available",
            "create_date": now,
            "write_date": now,
            **vals,
        }
    )


def create_move(db: Database, picking: Record, vals: Record, state: str = "confirmed") -> int:
    move = db.tables["stock.move"].insert(
        {
            "reference": picking["name"],
            "product_uom": 1,
            "quantity": Decimal(0),
            "picked": False,
            "location_id": picking["location_id"],
            "location_dest_id": picking["location_dest_id"],
            "picking_id": picking["id"],
            "date": db.moment(),
            "write_date": db.moment(),
            **vals,
            "product_uom_qty": number(vals["product_uom_qty"]),
            "state": state,
        }
    )
    if state != "draft":
        shelves.reserve(db, db.tables["stock.move"].rows[move])
    return move


def moves_of(db: Database, picking: Record) -> list[Record]:
    return [db.tables["stock.move"].rows[move] for move in picking["move_ids"]]


def restate(db: Database, picking: int) -> None:
    """A transfer's state from its moves'. Any part that is reserved makes it ready ("assigned")."""
    row = db.tables["stock.picking"].rows[picking]
    states = [move["state"] for move in moves_of(db, row) if move["state"] != "cancel"]
    if not states:
        state = "cancel"
    elif set(states) == {"done"}:
        state = "done"
    elif "draft" in states:
        state = "draft"
    else:
        state = "assigned" if {"assigned", "partially_available"} & set(states) else "confirmed"
    if row["state"] != state:
        row.update(state=state, write_date=db.moment())


def confirm(db: Database, model: str, ids: Ids, said: Said) -> object:
    """Kits become their components, each with the kit's own source document; then what may be reserved is."""
    for one in ids:
        picking = db.exists(model, one)
        for move in moves_of(db, picking):
            parts = db.kits.get(move["product_id"])
            if parts is not None and move["state"] == "draft":
                kept = {k: v for k, v in move.items() if k in ("origin", "date", "sale_line_id")}
                picking["move_ids"].remove(move["id"])
                move.update(state="cancel", picking_id=None, origin=None)
                for product, each in parts.items():
                    values = {**kept, "product_id": product, "product_uom_qty": each * move["product_uom_qty"]}
                    picking["move_ids"].append(create_move(db, picking, values, state="draft"))
        for move in moves_of(db, picking):
            if move["state"] == "draft":
                move.update(state="confirmed", write_date=db.moment())
        if db.reserve_at_confirm:
            _assign(db, picking)
        restate(db, one)
    return True


def assign(db: Database, model: str, ids: Ids, said: Said) -> object:
    """Check Availability. True, whatever came of it."""
    for one in ids:
        picking = db.exists(model, one)
        if not [m for m in moves_of(db, picking) if m["state"] not in ("draft", "cancel", "done", "assigned")]:
            raise user_error("Nothing to check the availability for.")
        _assign(db, picking)
        restate(db, one)
    return True


def _assign(db: Database, picking: Record) -> None:
    for move in moves_of(db, picking):
        if move["state"] not in ("draft", "done", "cancel"):
            shelves.reserve(db, move)


def cancel(db: Database, model: str, ids: Ids, said: Said) -> object:
    for one in ids:
        moves = moves_of(db, db.exists(model, one))
        if any(move["state"] == "done" for move in moves):
            raise user_error(
                "You cannot cancel a stock move that has been set to 'Done'. Create a return in order to reverse the "
                "moves which took place."
            )
        for move in moves:
            drop(db, move)
        restate(db, one)
        db.tables[model].update(one, {"write_date": db.moment()})
    return True


def drop(db: Database, move: Record) -> None:
    """Cancel a move: what was reserved for it is free again."""
    shelves.fit(db, move, Decimal(0))
    move.update(state="cancel", write_date=db.moment())


def write_move(db: Database, model: str, ids: Ids, said: Said, *, vals: Record) -> object:
    """A change of what is asked for, or of what was taken, changes what is reserved."""
    db.tables[model].check(vals, "in")
    for one in ids:
        move = db.exists(model, one)
        if "product_uom_qty" in vals:
            move["product_uom_qty"] = number(vals["product_uom_qty"])
            shelves.fit(db, move, min(move["quantity"], move["product_uom_qty"]))
        if "quantity" in vals:
            shelves.fit(db, move, number(vals["quantity"]))
        if vals.get("sale_line_id") and move["state"] == "done":
            db.tables["sale.order.line"].rows[vals["sale_line_id"]]["qty_delivered"] += move["quantity"]
        rest = {k: v for k, v in vals.items() if k not in ("product_uom_qty", "quantity")}
        db.tables[model].update(one, {**rest, "write_date": db.moment()})
        shelves.restate(move)
        if move["picking_id"]:
            restate(db, move["picking_id"])
    return True


def write_picking(db: Database, model: str, ids: Ids, said: Said, *, vals: Record) -> object:
    commands = vals.get("move_ids", ())
    for command, move, change in commands:
        if command != 1:
            raise OdooError(500, "builtins.NotImplementedError", "the simulator only updates moves of a transfer")
        write_move(db, "stock.move", [move], {}, vals=change)
    return write(db, model, ids, said, vals={k: v for k, v in vals.items() if k != "move_ids"})


def validate(db: Database, model: str, ids: Ids, said: Said) -> object:
    """Ship what is picked, or all that is reserved when nothing is. Wizards come first, unless told to be skipped."""
    for one in ids:
        picking = db.exists(model, one)
        if picking["state"] == "done":
            continue
        moves = [move for move in moves_of(db, picking) if move["state"] != "cancel"]
        picked = [m for m in moves if m["picked"]] or moves
        if not sum((number(m["quantity"]) for m in picked), Decimal(0)):
            raise user_error("You cannot validate a transfer if no quantities are reserved.")
        kept = [m for m in moves if m not in picked]
        short = [m for m in picked if m["product_uom_qty"] > number(m["quantity"])]
        if (short or kept) and not said.get("skip_backorder"):
            return wizard("Create Backorder?", "stock.backorder.confirmation")
        if db.sms and not said.get("skip_sms"):
            return wizard("SMS", "confirm.stock.sms")
        ship(db, picking, picked, kept, drop_rest=one in said.get("picking_ids_not_to_backorder", ()))
    return True


def ship(
    db: Database, picking: Record, picked: Sequence[Record], kept: Sequence[Record], *, drop_rest: bool = False
) -> None:
    """What is picked leaves; the rest becomes a backorder, or is cancelled within the same transfer."""
    order = db.tables["sale.order"].rows.get(picking["sale_id"])
    rest: list[tuple[Record, Decimal]] = []
    for move in picked:
        shipped = number(move["quantity"])
        if move["product_uom_qty"] > shipped:
            rest.append((move, move["product_uom_qty"] - shipped))
        move.update(state="done", picked=True, quantity=shipped, product_uom_qty=shipped, write_date=db.moment())
        shelves.leave(db, move)
        if move["sale_line_id"]:
            db.tables["sale.order.line"].rows[move["sale_line_id"]]["qty_delivered"] += shipped
    picking.update(state="done", date_done=db.moment(), products_availability=None, write_date=db.moment())
    if drop_rest:
        for move in (*(split(db, picking, *one, state="cancel") for one in rest), *kept):
            drop(db, move)
    elif rest or kept:
        _backorder(db, picking, rest, kept)
    if order is not None:
        db.restate(order["id"])


def _backorder(db: Database, picking: Record, rest: Sequence[tuple[Record, Decimal]], kept: Sequence[Record]) -> None:
    copied = {
        name: picking[name]
        for name in ("origin", "partner_id", "sale_id", "note", "carrier_id", "location_id", "location_dest_id")
    }
    made = _insert(db, {**copied, "backorder_id": picking["id"]})
    row = db.tables["stock.picking"].rows[made]
    picking["move_ids"] = [move for move in picking["move_ids"] if move not in {one["id"] for one in kept}]
    for one in rest:
        split(db, row, *one)
    for move in kept:
        db.tables["stock.move"].update(move["id"], {"picking_id": made})
        row["move_ids"].append(move["id"])
    picking["backorder_ids"] = [made]
    restate(db, made)
    order = db.tables["sale.order"].rows.get(picking["sale_id"])
    if order is not None:
        order["picking_ids"] = [made, *order["picking_ids"]]


def split(db: Database, picking: Record, move: Record, quantity: Decimal, state: str = "confirmed") -> Record:
    """The part of a move that stays behind, with all that the move said of itself."""
    values = {name: move[name] for name in ("product_id", "origin", "sale_line_id")}
    made = create_move(db, picking, {**values, "product_uom_qty": quantity}, state=state)
    picking["move_ids"] = [*picking["move_ids"], made]
    return db.tables["stock.move"].rows[made]


def wizard(name: str, model: str) -> Record:
    return {"name": name, "type": "ir.actions.act_window", "view_mode": "form", "res_model": model, "target": "new"}
