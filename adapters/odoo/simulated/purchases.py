"""What buyers do in the simulator's database: order, receive, cancel. A receipt dates no order and no line."""

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal

from adapters.odoo.simulated.books import Record
from adapters.odoo.simulated.database import Database


def order(
    db: Database, units: Mapping[int, int], due: date | None, *, pack: int = 1, state: str = "purchase", kind: int = 1
) -> Record:
    """A purchase order of so many packs of `pack` units per product; `kind` is its operation type."""
    orders, lines = db.tables["purchase.order"], db.tables["purchase.order.line"]
    planned = None if due is None else datetime.combine(due, time(12))
    made = orders.insert(
        {
            "name": f"P{orders.next_id:05d}",
            "state": state,
            "receipt_status": "pending" if state == "purchase" else None,
            "picking_type_id": kind,
            "date_planned": planned,
            "company_id": 1,
            "write_date": db.moment(),
        }
    )
    for product, count in units.items():
        lines.insert(
            {
                "order_id": made,
                "product_id": product,
                "product_qty": Decimal(count),
                "product_uom_qty": Decimal(count * pack),
                "qty_received": Decimal(0),
                "date_planned": planned,
            }
        )
    return orders.rows[made]


def receive(db: Database, number: str, packs: int) -> None:
    """Receive so many packs of each line; with the last of them the order is received."""
    (found,) = [one for one in db.tables["purchase.order"].rows.values() if one["name"] == number]
    lines = [one for one in db.tables["purchase.order.line"].rows.values() if one["order_id"] == found["id"]]
    for line in lines:
        line["qty_received"] += packs
    done = all(line["qty_received"] >= line["product_qty"] for line in lines)
    found["receipt_status"] = "full" if done else "partial"
