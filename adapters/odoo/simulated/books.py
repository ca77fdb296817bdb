"""Tables of records with Odoo's field types, searched and read by Odoo's rules."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import msgspec

Record = dict[str, Any]
"""A record's values: None for null, ids for relations, Decimal for numbers, naive UTC for moments."""

_FIELDS: Final[dict[str, str]] = {
    "res.partner": "name email email_normalized ref street street2 city zip phone country_id>res.country "
    "state_id>res.country.state company_name type write_date:datetime",
    "res.country": "name code",
    "res.country.state": "name code country_id>res.country",
    "res.company": "name",
    "res.currency": "name",
    "product.pricelist": "name currency_id>res.currency",
    "product.product": "name default_code type is_storable:boolean invoice_policy taxes_id>>account.tax "
    "list_price:float active:boolean write_date:datetime display_name barcode uom_id>uom.uom uom_ids>>uom.uom "
    "weight:float weight_uom_name lst_price:float standard_price:float currency_id>res.currency "
    "cost_currency_id>res.currency hs_code country_of_origin>res.country",
    "uom.uom": "name factor:float relative_factor:float parent_path",
    "stock.warehouse": "name code lot_stock_id>stock.location out_type_id>stock.picking.type "
    "in_type_id>stock.picking.type delivery_steps company_id>res.company",
    "stock.location": "name usage location_id>stock.location",
    "stock.picking.type": "name code warehouse_id>stock.warehouse",
    "stock.lot": "name product_id>product.product",
    "stock.quant": "product_id>product.product location_id>stock.location lot_id>stock.lot owner_id>res.partner "
    "quantity:float reserved_quantity:float write_date:datetime",
    "stock.move.line": "date:datetime state product_id>product.product lot_id>stock.lot quantity_product_uom:float "
    "location_id>stock.location location_dest_id>stock.location move_id>stock.move picking_id>stock.picking "
    "quant_id>stock.quant origin reference write_date:datetime",
    "delivery.carrier": "name",
    "account.account": "name code",
    "account.tax": "name amount:float price_include:boolean",
    "sale.order": "name state client_order_ref origin date_order:datetime commitment_date:datetime "
    "partner_id>res.partner partner_shipping_id>res.partner partner_invoice_id>res.partner "
    "warehouse_id>stock.warehouse currency_id>res.currency pricelist_id>product.pricelist company_id>res.company "
    "amount_untaxed:float amount_tax:float amount_total:float order_line>>sale.order.line "
    "picking_ids>>stock.picking invoice_ids>>account.move invoice_status delivery_status picking_policy "
    "write_date:datetime",
    "sale.order.line": "name order_id>sale.order order_partner_id>res.partner currency_id>res.currency state "
    "product_id>product.product product_uom_qty:float price_unit:float tax_ids>>account.tax price_subtotal:float "
    "price_total:float qty_delivered:float qty_invoiced:float invoice_lines>>account.move.line",
    "stock.picking": "name state origin picking_type_id>stock.picking.type picking_type_code partner_id>res.partner "
    "location_id>stock.location location_dest_id>stock.location scheduled_date:datetime date_deadline:datetime "
    "date_done:datetime carrier_id>delivery.carrier carrier_tracking_ref carrier_tracking_url weight:float "
    "shipping_weight:float move_ids>>stock.move move_line_ids>>stock.move.line backorder_id>stock.picking "
    "backorder_ids>>stock.picking return_id>stock.picking sale_id>sale.order priority products_availability "
    "note create_date:datetime write_date:datetime",
    "stock.move": "origin write_date:datetime "
    "reference product_id>product.product product_uom>uom.uom product_uom_qty:float quantity:float "
    "picked:boolean state location_id>stock.location location_dest_id>stock.location picking_id>stock.picking "
    "sale_line_id>sale.order.line origin_returned_move_id>stock.move date:datetime lot_ids>>stock.lot",
    "account.move": "name ref move_type state payment_state invoice_origin invoice_date:date invoice_date_due:date "
    "partner_id>res.partner partner_shipping_id>res.partner currency_id>res.currency company_id>res.company "
    "journal_id>account.journal amount_untaxed:float amount_tax:float amount_total:float amount_residual:float "
    "invoice_line_ids>>account.move.line line_ids>>account.move.line date:date tax_totals:json "
    "reversed_entry_id>account.move write_date:datetime",
    "account.move.line": "move_id>account.move display_type name product_id>product.product quantity:float "
    "price_unit:float discount:float tax_ids>>account.tax price_subtotal:float price_total:float debit:float "
    "credit:float balance:float account_id>account.account sale_line_ids>>sale.order.line partner_id>res.partner "
    "currency_id>res.currency amount_currency:float",
    "res.users": "name",
    "purchase.order": "name state receipt_status picking_type_id>stock.picking.type date_planned:datetime "
    "company_id>res.company write_date:datetime",
    "purchase.order.line": "order_id>purchase.order product_id>product.product product_qty:float "
    "product_uom_qty:float qty_received:float date_planned:datetime",
}
"""Per model: `field` (text), `field:type`, `field>model` (many2one), `field>>model` (list of records)."""


class Field(msgspec.Struct, frozen=True):
    """A field's type, and the model that a relation leads to."""

    kind: str
    relation: str | None = None


def _field(spec: str) -> tuple[str, Field]:
    for mark, kind in ((">>", "many2many"), (">", "many2one")):
        name, found, model = spec.partition(mark)
        if found:
            return name, Field(kind, model)
    name, _, kind = spec.partition(":")
    return name, Field(kind or "char")


FIELDS: Final[dict[str, dict[str, Field]]] = {
    model: {"id": Field("integer"), **dict(_field(spec) for spec in specs.split())} for model, specs in _FIELDS.items()
}

_INDEXED: Final[dict[str, tuple[str, ...]]] = {
    "res.partner": ("email_normalized", "ref"),
    "product.product": ("default_code",),
    "sale.order": ("client_order_ref",),
    "sale.order.line": ("order_id",),
    "stock.picking": ("sale_id", "origin"),
    "stock.move": ("picking_id",),
    "stock.move.line": ("move_id", "picking_id"),
    "stock.quant": ("product_id",),
    "account.move": ("ref",),
    "account.move.line": ("move_id",),
    "res.country": ("code",),
}

PREFIX: Final = 20
"""Text is indexed by so many of its first characters, so that `=like 'ORDER%'` is found at once, too."""


class OdooError(Exception):
    """An error as Odoo words it."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.message = message


def user_error(message: str) -> OdooError:
    """Odoo understood and says no."""
    return OdooError(422, "odoo.exceptions.UserError", message)


def missing_value(label: str, model: str, field: str) -> OdooError:
    """A record without a field that it must have."""
    return OdooError(
        422,
        "odoo.exceptions.ValidationError",
        f"The operation cannot be completed: Missing required value for the field '{label}' ({field}).\nModel: {model}",
    )


class Table:
    """Records of one model."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.fields = FIELDS[model]
        self.rows: dict[int, Record] = {}
        self.next_id = 1
        self._indexes: dict[str, dict[Any, dict[int, None]]] = {name: {} for name in _INDEXED.get(model, ())}

    def insert(self, values: Mapping[str, Any]) -> int:
        """Add a record; absent fields are null."""
        record: Record = {name: [] if f.kind == "many2many" else None for name, f in self.fields.items()}
        record.update(values, id=self.next_id)
        self.next_id += 1
        self.rows[record["id"]] = record
        for name, index in self._indexes.items():
            index.setdefault(_key(record[name]), {})[record["id"]] = None
        return int(record["id"])

    def update(self, record_id: int, values: Mapping[str, Any]) -> None:
        """Change a record."""
        record = self.rows[record_id]
        for name, index in self._indexes.items():
            if name in values:
                del index[_key(record[name])][record_id]
                index.setdefault(_key(values[name]), {})[record_id] = None
        record.update(values)

    def where(self, name: str, value: Any) -> list[Record]:
        """Records whose indexed field has a value."""
        return [self.rows[i] for i in self._indexes[name].get(_key(value), ()) if self.rows[i][name] == value]

    def check(self, names: Iterable[str], preposition: str) -> None:
        """Raise Odoo's error (a 500) for a field that the model has not."""
        for name in names:
            if name not in self.fields:
                raise OdooError(500, "builtins.ValueError", f"Invalid field '{name}' {preposition} '{self.model}'")

    def candidates(self, name: str, operator: str, value: Any) -> Iterable[int] | None:
        """Ids among which those that match a term are, by an index; None when no index helps."""
        index = self._indexes.get(name)
        if index is None:
            return None
        if operator == "=":
            return tuple(index.get(_key(value), ()))
        if operator == "in":
            return tuple(i for key in {_key(one): None for one in value} for i in index.get(key, ()))
        if operator == "=like" and "_" not in value and len(value.rstrip("%")) >= PREFIX:
            return tuple(index.get(_key(value), ()))
        return None


class Books:
    """All tables."""

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {model: Table(model) for model in FIELDS}

    def table(self, model: str) -> Table:
        """Records of a model; Odoo's 404 for one that is not installed."""
        if model not in self.tables:
            raise OdooError(404, "werkzeug.exceptions.NotFound", f"the model '{model}' does not exist")
        return self.tables[model]

    def search(
        self,
        model: str,
        domain: Sequence[Any],
        limit: int | None = None,
        order: str | None = None,
        archived: bool = False,
    ) -> list[int]:
        """Ids of the records that match all terms. Of Odoo's prefix notation the implied "and" is known here, and "|"
        before two plain terms.

        Archived records are left out, as ever, unless `archived`.
        """
        table = self.tables[model]
        items, terms, either = iter(domain), [], []
        for term in items:
            if term == "|":
                either.append((self._direct(table, next(items)), self._direct(table, next(items))))
            else:
                terms.append(self._direct(table, term))
        if "active" in table.fields and not archived:
            terms.append(("active", "=", True))
        pool: Iterable[int] = table.rows
        for name, operator, value in terms:
            found = table.candidates(name, operator, value)
            if found is not None:
                pool = found
                break
        ids = [i for i in pool if all(_matches(table.rows[i], *term) for term in terms)]
        for one, other in either:
            ids = [i for i in ids if _matches(table.rows[i], *one) or _matches(table.rows[i], *other)]
        ids.sort(reverse=(order or "id").endswith(" desc"))
        return ids[:limit]

    def _direct(self, table: Table, term: Any) -> tuple[str, str, Any]:
        """A term about the record itself: one that looks through a relation is answered there first."""
        if isinstance(term, str):
            raise OdooError(500, "builtins.NotImplementedError", f"the simulator knows no {term!r} in a domain")
        name, operator, value = term
        first, _, rest = name.partition(".")
        table.check([first], "on")
        relation = table.fields[first].relation
        if operator == "child_of":
            return name, "in", self.within(value)
        if rest and relation:
            return first, "in", set(self.search(relation, [[rest, operator, value]]))
        return name, operator, value

    def within(self, locations: Iterable[int]) -> set[int]:
        """Locations and all that is in them."""
        found, known = set(locations), -1
        while len(found) != known:
            known = len(found)
            found |= {i for i, row in self.tables["stock.location"].rows.items() if row["location_id"] in found}
        return found

    def read(self, model: str, ids: Iterable[int], fields: Sequence[str]) -> list[Record]:
        """Records as JSON-2 shows them. Ids that do not exist are left out, without an error."""
        table = self.tables[model]
        table.check(fields, "on")
        shown = [(name, table.fields[name]) for name in ("id", *fields)]
        return [
            {
                name: self.display(model, i) if name == "display_name" else self._shown(field, table.rows[i][name])
                for name, field in shown
            }
            for i in ids
            if i in table.rows
        ]

    def _shown(self, field: Field, value: Any) -> Any:
        if value is None:
            return False
        if field.relation is not None and field.kind == "many2one":
            return [value, self.display(field.relation, value)]
        return _SHOWN.get(field.kind, _as_it_is)(value)

    def display(self, model: str, record_id: int) -> str:
        """A record's display name."""
        record = self.tables[model].rows[record_id]
        if model == "product.product" and record["default_code"]:
            return f"[{record['default_code']}] {record['name']}"
        if model == "sale.order.line":
            order = self.tables["sale.order"].rows[record["order_id"]]
            partner = self.tables["res.partner"].rows[order["partner_id"]]
            suffix = f" ({partner['ref']})" if partner["ref"] else ""
            return f"{order['name']} - {record['name'].partition(chr(10))[0]}{suffix}"
        return str(record.get("name", record_id))


def _key(value: Any) -> Any:
    return value[:PREFIX] if isinstance(value, str) else value


def _as_it_is(value: Any) -> Any:
    return value


def _moment(value: datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S")


_SHOWN: Final[dict[str, Callable[[Any], Any]]] = {
    "float": float,
    "datetime": _moment,
    "date": date.isoformat,
    "many2many": list,
}


def _matches(record: Record, name: str, operator: str, value: Any) -> bool:
    """Odoo's comparison of one term; false stands for null."""
    own = record[name]
    if isinstance(own, datetime | date) and isinstance(value, str):
        own = _moment(own) if isinstance(own, datetime) else own.isoformat()
    if operator in ("=", "!="):
        return (own == (None if value is False else value)) is (operator == "=")
    if operator == "in" and isinstance(own, list):
        return any(one in value for one in own)
    if operator in ("in", "not in"):
        return (own in value) is (operator == "in")
    if operator == "=like":
        return isinstance(own, str) and _like(value).fullmatch(own) is not None
    if operator in (">", ">=", "<", "<="):
        return own is not None and _ORDERED[operator](own, value)
    raise OdooError(500, "builtins.ValueError", f"Invalid operator {operator!r} in domain term")


@lru_cache(256)
def _like(pattern: str) -> re.Pattern[str]:
    """SQL's LIKE: any text for %, any one character for _."""
    return re.compile("".join({"%": ".*", "_": "."}.get(one, re.escape(one)) for one in pattern), re.DOTALL)


_ORDERED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">": lambda own, value: bool(own > value),
    ">=": lambda own, value: bool(own >= value),
    "<": lambda own, value: bool(own < value),
    "<=": lambda own, value: bool(own <= value),
}


def number(value: Any) -> Decimal:
    """A number from the wire, exactly."""
    return value if isinstance(value, Decimal) else Decimal(value or 0)
