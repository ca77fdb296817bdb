"""What people do with the simulator's catalogue. Every change dates the product, as one of its template does."""

from decimal import Decimal
from typing import Any

from adapters.odoo.simulated.database import Database


def change(db: Database, sku: str, **values: Any) -> None:
    """Change a product; a list price is its template's, and the variant's own."""
    if "list_price" in values:
        values["lst_price"] = values["list_price"]
    (found,) = db.tables["product.product"].where("default_code", sku)
    db.tables["product.product"].update(found["id"], {**values, "write_date": db.moment()})


def unit(db: Database, name: str, contains: str, of: int | None = None) -> int:
    """A unit of measure that contains so many of another; without another it is the first of its kind."""
    units = db.tables["uom.uom"]
    parent = None if of is None else units.rows[of]
    factor = Decimal(contains) * (Decimal(1) if parent is None else parent["factor"])
    made = units.insert({"name": name, "factor": factor, "relative_factor": Decimal(contains)})
    units.update(made, {"parent_path": f"{parent['parent_path'] if parent else ''}{made}/"})
    return made


def country(db: Database, code: str) -> int:
    """Id of a country."""
    return int(db.tables["res.country"].where("code", code)[0]["id"])
