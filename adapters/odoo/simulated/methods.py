"""What every model can do, and the simple creations of the simulator."""

from collections.abc import Sequence
from typing import Any

from adapters.odoo.simulated.books import Record, missing_value
from adapters.odoo.simulated.database import Database, Ids, Said, product_defaults


def search_read(
    db: Database,
    model: str,
    ids: Ids,
    said: Said,
    *,
    domain: Sequence[Any] = (),
    fields: Sequence[str] | None = None,
    offset: int = 0,
    limit: int | None = None,
    order: str | None = None,
) -> object:
    found = db.search(model, domain, order=order, archived=said.get("active_test") is False)
    end = None if limit is None else offset + limit
    return db.read(model, found[offset:end], list(db.tables[model].fields) if fields is None else fields)


def read(db: Database, model: str, ids: Ids, said: Said, *, fields: Sequence[str] | None = None) -> object:
    return db.read(model, ids, list(db.tables[model].fields) if fields is None else fields)


def write(db: Database, model: str, ids: Ids, said: Said, *, vals: Record) -> object:
    table = db.tables[model]
    table.check(vals, "in")
    stamp = {"write_date": db.moment()} if "write_date" in table.fields else {}
    for one in ids:
        table.update(one, {**vals, **stamp})
    return True


def fields_get(
    db: Database, model: str, ids: Ids, said: Said, *, allfields: Sequence[str] = (), attributes: Sequence[str] = ()
) -> object:
    fields = db.tables[model].fields
    return {name: {"type": f.kind} for name, f in fields.items() if not allfields or name in allfields}


def context_get(db: Database, model: str, ids: Ids, said: Said) -> object:
    return {"lang": "en_US", "tz": "UTC", "uid": 2}


def create_partners(db: Database, model: str, ids: Ids, said: Said, *, vals_list: Sequence[Record]) -> object:
    table = db.tables[model]
    for vals in vals_list:
        table.check(vals, "in")
        if not vals.get("name"):
            raise missing_value("Name", "'Contact' (res.partner)", "name")
    emails = [(vals.get("email") or "").strip().lower() or None for vals in vals_list]
    return [table.insert({**v, "email_normalized": e}) for v, e in zip(vals_list, emails, strict=True)]


def create_products(db: Database, model: str, ids: Ids, said: Said, *, vals_list: Sequence[Record]) -> object:
    table = db.tables[model]
    for vals in vals_list:
        table.check(vals, "in")
    made = [product_defaults(vals, vals.get("type") != "service") for vals in vals_list]
    return [table.insert({**values, "write_date": db.moment()}) for values in made]
