"""What creating, confirming and cancelling a sale order does to the simulator's records."""

from collections.abc import Sequence
from decimal import Decimal

from adapters.odoo.simulated.books import Record, missing_value, user_error
from adapters.odoo.simulated.database import Database, Ids, Said
from adapters.odoo.simulated.transfers import create_picking


def create_orders(db: Database, model: str, ids: Ids, said: Said, *, vals_list: Sequence[Record]) -> object:
    for vals in vals_list:
        db.tables[model].check(vals, "in")
        if not vals.get("partner_id"):
            raise missing_value("Customer", "'Sales Order' (sale.order)", "partner_id")
        for _, _, line in vals.get("order_line", ()):
            db.tables["sale.order.line"].check(line, "in")
            db.exists("product.product", line["product_id"])
        db.exists("res.partner", vals["partner_id"])
    return [create_order(db, vals) for vals in vals_list]


def create_order(db: Database, vals: Record) -> int:
    lists = db.tables["product.pricelist"].rows
    currency = lists[vals["pricelist_id"]]["currency_id"] if vals.get("pricelist_id") else 1
    partner = vals["partner_id"]
    orders = db.tables["sale.order"]
    order = orders.insert(
        {
            "state": "draft",
            "partner_shipping_id": partner,
            "partner_invoice_id": partner,
            "warehouse_id": 1,
            "company_id": 1,
            "invoice_status": "no",
            "picking_policy": "direct",
            **{name: value for name, value in vals.items() if name != "order_line"},
            "currency_id": currency,
            "date_order": db.moment(),
            "write_date": db.moment(),
        }
    )
    lines = [create_order_line(db, order, partner, currency, line) for _, _, line in vals.get("order_line", ())]
    orders.update(order, {"name": f"S{order:05d}", "order_line": lines, **db.totals("sale.order.line", lines)})
    return order


def create_order_line(db: Database, order: int, partner: int, currency: int, vals: Record) -> int:
    product = db.tables["product.product"].rows[vals["product_id"]]
    amounts = db.amounts(vals, "product_uom_qty", product, currency)
    return db.tables["sale.order.line"].insert(
        {
            "name": db.display("product.product", vals["product_id"]),
            "state": "draft",
            "qty_delivered": Decimal(0),
            "qty_invoiced": Decimal(0),
            **vals,
            **amounts,
            "order_id": order,
            "order_partner_id": partner,
            "currency_id": currency,
        }
    )


def confirm(db: Database, model: str, ids: Ids, said: Said) -> object:
    orders = [db.exists(model, one) for one in ids]
    if any(order["state"] not in ("draft", "sent") for order in orders):
        raise user_error("Some orders are not in a state requiring confirmation.")
    lines = db.tables["sale.order.line"]
    for order in orders:
        for line in order["order_line"]:
            lines.update(line, {"state": "sale"})
        changes: Record = {"state": "sale", "date_order": db.moment(), "write_date": db.moment()}
        goods = [lines.rows[line] for line in order["order_line"]]
        goods = [g for g in goods if db.tables["product.product"].rows[g["product_id"]]["type"] == "consu"]
        if goods and not said.get("skip_procurement"):
            demand = [(g["product_id"], g["product_uom_qty"], g["id"]) for g in goods]
            changes |= {"picking_ids": [create_picking(db, order, demand)], "delivery_status": "pending"}
        db.tables[model].update(order["id"], changes)
        db.restate(order["id"])
    return True


def cancel(db: Database, model: str, ids: Ids, said: Said) -> object:
    for one in ids:
        order = db.exists(model, one)
        db.tables[model].update(one, {"state": "cancel"})
        for picking in order["picking_ids"]:
            if db.tables["stock.picking"].rows[picking]["state"] != "done":
                db.tables["stock.picking"].update(picking, {"state": "cancel"})
    return True
