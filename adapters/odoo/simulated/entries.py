"""What creating a journal entry does to the simulator's records. Posting is the same as of every document."""

from datetime import date
from decimal import Decimal

from adapters.odoo.simulated.books import Record, number, user_error
from adapters.odoo.simulated.database import Database


def create_entry(db: Database, vals: Record) -> int:
    """An entry of general kind; one whose sides differ is refused."""
    lines = [line for _, _, line in vals.get("line_ids", ())]
    for line in lines:
        db.tables["account.move.line"].check(line, "in")
        db.exists("account.account", line["account_id"])
    amounts = [number(line["amount_currency"]) for line in lines]
    if sum(amounts, Decimal(0)):
        raise user_error(f"The entry is not balanced: {sum(amounts, Decimal(0))}.")
    total = sum((amount for amount in amounts if amount > 0), Decimal(0))
    dated = date.fromisoformat(vals["date"])
    entry = db.tables["account.move"].insert(
        {
            "state": "draft",
            "company_id": 1,
            **{name: value for name, value in vals.items() if name != "line_ids"},
            "date": dated,
            "amount_total": total,
            "write_date": db.moment(),
        }
    )
    made = [_side(db, entry, line, amount) for line, amount in zip(lines, amounts, strict=True)]
    db.tables["account.move"].update(entry, {"line_ids": made})
    return entry


def _side(db: Database, entry: int, line: Record, amount: Decimal) -> int:
    sides = {"debit": max(amount, Decimal(0)), "credit": max(-amount, Decimal(0)), "balance": amount}
    return db.tables["account.move.line"].insert({**line, **sides, "amount_currency": amount, "move_id": entry})
