"""What creating and posting an invoice or credit note does to the simulator's records."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from adapters.odoo.simulated.books import Record, number, user_error
from adapters.odoo.simulated.database import Database, Ids, Said, replaced
from adapters.odoo.simulated.entries import create_entry

PREFIXES: Final = {"out_invoice": "INV", "out_refund": "RINV", "entry": "MISC"}
"""Of the numbers of posted documents."""


def invoice_by_hand(db: Database, order_id: int) -> int:
    """What a person's "Create Invoice" leaves: a draft of all lines under the order's reference and number."""
    order = db.tables["sale.order"].rows[order_id]
    lines = [db.tables["sale.order.line"].rows[line] for line in order["order_line"]]
    wanted = [
        {
            "product_id": line["product_id"],
            "quantity": line["product_uom_qty"],
            "price_unit": line["price_unit"],
            "tax_ids": [[6, 0, line["tax_ids"]]],
            "sale_line_ids": [[6, 0, [line["id"]]]],
        }
        for line in lines
    ]
    return create_document(
        db,
        {
            "move_type": "out_invoice",
            "partner_id": order["partner_id"],
            "currency_id": order["currency_id"],
            "ref": order["client_order_ref"],
            "invoice_origin": order["name"],
            "invoice_line_ids": [[0, 0, line] for line in wanted],
        },
    )


def create_documents(db: Database, model: str, ids: Ids, said: Said, *, vals_list: Sequence[Record]) -> object:
    for vals in vals_list:
        db.tables[model].check(vals, "in")
        if "partner_id" in vals:
            db.exists("res.partner", vals["partner_id"])
        for _, _, line in vals.get("invoice_line_ids", ()):
            db.tables["account.move.line"].check(line, "in")
            db.exists("product.product", line["product_id"])
    return [
        create_entry(db, vals) if vals.get("move_type") == "entry" else create_document(db, vals) for vals in vals_list
    ]


def create_document(db: Database, vals: Record) -> int:
    documents = db.tables["account.move"]
    dated = vals.get("invoice_date")
    document = documents.insert(
        {
            "state": "draft",
            "payment_state": "not_paid",
            "partner_shipping_id": vals["partner_id"],
            "company_id": 1,
            "currency_id": 1,
            **{name: value for name, value in vals.items() if name != "invoice_line_ids"},
            "invoice_date": date.fromisoformat(dated) if isinstance(dated, str) else dated,
            "invoice_date_due": db.moment().date(),
            "write_date": db.moment(),
        }
    )
    record = documents.rows[document]
    lines = [create_document_line(db, record, line) for _, _, line in vals.get("invoice_line_ids", ())]
    totals = db.totals("account.move.line", lines)
    totals["amount_residual"] = totals["amount_total"]
    documents.update(document, {"invoice_line_ids": lines, "tax_totals": {}, **totals})
    return document


def create_document_line(db: Database, document: Record, vals: Record) -> int:
    product = db.tables["product.product"].rows[vals["product_id"]]
    amounts = db.amounts(vals, "quantity", product, document["currency_id"])
    sign = 1 if document["move_type"] == "out_invoice" else -1
    base = amounts["price_subtotal"] * sign
    tied = replaced(vals.get("sale_line_ids", ()))
    line = db.tables["account.move.line"].insert(
        {
            "display_type": "product",
            "name": db.display("product.product", vals["product_id"]),
            "discount": Decimal(0),
            "account_id": 1,
            **vals,
            **amounts,
            "move_id": document["id"],
            "sale_line_ids": tied,
            "debit": max(-base, Decimal(0)),
            "credit": max(base, Decimal(0)),
            "balance": -base,
        }
    )
    for ordered in tied:
        count_invoiced(db, ordered, line, document["id"], number(vals["quantity"]) * sign)
    return line


def count_invoiced(db: Database, ordered: int, line: int, document: int, quantity: Decimal) -> None:
    """Drafts count as invoiced, too."""
    record = db.tables["sale.order.line"].rows[ordered]
    record["qty_invoiced"] += quantity
    record["invoice_lines"].append(line)
    order = db.tables["sale.order"].rows[record["order_id"]]
    if document not in order["invoice_ids"]:
        order["invoice_ids"].append(document)
    db.restate(order["id"])


def post(db: Database, model: str, ids: Ids, said: Said) -> object:
    """Answers false, as the real one does."""
    for one in ids:
        document = db.exists(model, one)
        if document["state"] != "draft":
            raise user_error(f"The entry {document['name']} (id {one}) must be in draft.")
        dated = document["invoice_date"] or document["date"] or db.moment().date()
        if db.lock_date is not None and dated <= db.lock_date:
            raise user_error(f"You cannot add/modify entries prior to and inclusive of: {db.lock_date}.")
        prefix = PREFIXES[document["move_type"]]
        name = db.number_for(f"{prefix}/{dated.year}/")
        db.tables[model].update(one, {"state": "posted", "name": name, "invoice_date": dated, "date": dated})
        if document["reversed_entry_id"]:
            settle(db, db.tables[model].rows[document["reversed_entry_id"]], document)
    return False


def settle(db: Database, invoice: Record, refund: Record) -> None:
    """Posting a credit note reconciles it with the invoice that it reverses."""
    settled = min(invoice["amount_residual"], refund["amount_residual"])
    invoice["amount_residual"] -= settled
    refund["amount_residual"] -= settled
    invoice["payment_state"] = "partial" if invoice["amount_residual"] else "reversed"
    refund["payment_state"] = "partial" if refund["amount_residual"] else "paid"
