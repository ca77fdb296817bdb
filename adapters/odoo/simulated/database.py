"""The simulator's database: Odoo's records of one company, what every model can do, and its arithmetic."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from adapters.odoo.simulated.books import Books, OdooError, Record, number
from hub.domain.countries import COUNTRIES
from hub.domain.money import MINOR_UNITS

STOCK: Final = 1
CUSTOMERS: Final = 2
ADJUSTMENT: Final = 3
"""Locations that every database has."""

Ids = Sequence[int]
Said = Mapping[str, Any]
"""The `context` of a call."""


class Database(Books):
    """One company with one warehouse and its own currency. `lock_date` closes a period up to and with that day;
    `sms` makes validating a transfer ask about a text message first."""

    def __init__(self, *, currency: str, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._now = now
        self.lock_date: date | None = None
        self.sms = True
        self.kept: set[int] = set()
        """Products whose stock is counted; of every other there is as much as is asked for."""
        self.kits: dict[int, dict[int, Decimal]] = {}
        """Units of each component in a kit (a bill of materials of the type phantom)."""
        self.reserve_at_confirm = True
        """How the delivery's operation type reserves; if not, somebody has to press Check Availability."""
        self._numbers: dict[str, int] = {}
        self._seed(currency)

    def _seed(self, currency: str) -> None:
        """The records that every database has."""
        for model, names in {
            "res.company": ("My Company",),
            "res.currency": (currency,),
            "stock.warehouse": ("YourCompany",),
            "uom.uom": ("Units",),
            "account.account": ("Product Sales", "Account Receivable", "Payments Clearing", "Gift Cards Clearing"),
            "res.partner": ("My Company",),
        }.items():
            for name in names:
                self.tables[model].insert({"name": name})
        for name, usage in (("WH/Stock", "internal"), ("Customers", "customer"), ("Inventory adjustment", "inventory")):
            self.tables["stock.location"].insert({"name": name, "usage": usage})
        for name, code in (("Receipts", "incoming"), ("Delivery Orders", "outgoing")):
            self.tables["stock.picking.type"].insert({"name": f"YourCompany: {name}", "code": code, "warehouse_id": 1})
        self.tables["stock.warehouse"].update(
            1,
            {
                "code": "WH",
                "lot_stock_id": STOCK,
                "in_type_id": 1,
                "out_type_id": 2,
                "delivery_steps": "ship_only",
                "company_id": 1,
            },
        )
        self.tables["uom.uom"].update(1, {"factor": Decimal(1), "relative_factor": Decimal(1), "parent_path": "1/"})
        for code in sorted(COUNTRIES):
            self.tables["res.country"].insert({"name": code, "code": code})
        for code in ("CA", "NY"):
            country = self.tables["res.country"].where("code", "US")
            self.tables["res.country.state"].insert({"name": code, "code": code, "country_id": country[0]["id"]})

    def add_product(self, sku: str, name: str, *, stocked: bool = True) -> int:
        """A product in the catalogue."""
        values = product_defaults({"default_code": sku, "name": name}, stocked)
        return self.tables["product.product"].insert({**values, "write_date": self.moment()})

    def add_pricelist(self, currency: str) -> int:
        """A price list in another currency."""
        made = self.tables["res.currency"].insert({"name": currency})
        return self.tables["product.pricelist"].insert({"name": currency, "currency_id": made})

    def add_tax(self, percent: str, *, included: bool) -> int:
        """A tax."""
        return self.tables["account.tax"].insert(
            {"name": f"{percent}%", "amount": Decimal(percent), "price_include": included}
        )

    def restate(self, order_id: int) -> None:
        """Compute an order's invoice and delivery status from its lines."""
        order = self.tables["sale.order"].rows[order_id]
        lines = [self.tables["sale.order.line"].rows[line] for line in order["order_line"]]
        due = [line["qty_delivered"] if self._by_delivery(line) else line["product_uom_qty"] for line in lines]
        if any(owed > line["qty_invoiced"] for owed, line in zip(due, lines, strict=True)):
            order["invoice_status"] = "to invoice"
        elif all(line["qty_invoiced"] >= line["product_uom_qty"] for line in lines):
            order["invoice_status"] = "invoiced"
        else:
            order["invoice_status"] = "no"
        states = {self.tables["stock.picking"].rows[p]["state"] for p in order["picking_ids"]} - {"cancel"}
        if "done" in states:
            order["delivery_status"] = "full" if states == {"done"} else "partial"

    def _by_delivery(self, line: Record) -> bool:
        return bool(self.tables["product.product"].rows[line["product_id"]]["invoice_policy"] == "delivery")

    def amounts(self, vals: Record, quantity: str, product: Record, currency: int) -> Record:
        """A line's amounts, rounded half up to the currency, tax per line; the prices keep all their places."""
        unit = Decimal(1).scaleb(-MINOR_UNITS[self.tables["res.currency"].rows[currency]["name"]])
        count = number(vals.get(quantity, 1))
        price = number(vals.get("price_unit", product["list_price"]))
        taxes = replaced(vals["tax_ids"]) if "tax_ids" in vals else list(product["taxes_id"])
        rates = [self.tables["account.tax"].rows[tax] for tax in taxes]
        raw = count * price
        included = sum((r["amount"] for r in rates if r["price_include"]), Decimal(0)) / 100
        excluded = sum((r["amount"] for r in rates if not r["price_include"]), Decimal(0)) / 100
        gross = raw.quantize(unit, ROUND_HALF_UP)
        base = (gross / (1 + included)).quantize(unit, ROUND_HALF_UP)
        total = gross + (base * excluded).quantize(unit, ROUND_HALF_UP)
        return {
            quantity: count,
            "price_unit": price,
            "tax_ids": taxes,
            "price_subtotal": base,
            "price_total": total,
        }

    def totals(self, model: str, lines: Sequence[int]) -> Record:
        """A document's totals from its lines'."""
        rows = [self.tables[model].rows[line] for line in lines]
        untaxed = sum((row["price_subtotal"] for row in rows), Decimal(0))
        total = sum((row["price_total"] for row in rows), Decimal(0))
        return {"amount_untaxed": untaxed, "amount_tax": total - untaxed, "amount_total": total}

    def exists(self, model: str, record_id: int) -> Record:
        """A record; Odoo's error when there is none."""
        if record_id not in self.tables[model].rows:
            message = f"Record does not exist or has been deleted.\n(Record: {model}({record_id},), User: 2)"
            raise OdooError(404, "odoo.exceptions.MissingError", message)
        return self.tables[model].rows[record_id]

    def number_for(self, prefix: str) -> str:
        """The next number of a sequence."""
        self._numbers[prefix] = self._numbers.get(prefix, 0) + 1
        return f"{prefix}{self._numbers[prefix]:05d}"

    def moment(self) -> datetime:
        """Now, as Odoo stores it."""
        return self._now().astimezone(UTC).replace(tzinfo=None, microsecond=0)


def product_defaults(vals: Record, stocked: bool) -> Record:
    """A product's values; Odoo's own default is to invoice what was ordered."""
    kind = {"type": "consu", "is_storable": True} if stocked else {"type": "service", "is_storable": False}
    price, nothing = Decimal(1), Decimal(0)
    defaults = {"invoice_policy": "order", "list_price": price, "lst_price": price, "active": True, **kind}
    defaults |= {"uom_id": 1, "weight": nothing, "weight_uom_name": "kg", "standard_price": nothing}
    defaults |= {"currency_id": 1, "cost_currency_id": 1}
    return {**defaults, **vals, "taxes_id": replaced(vals.get("taxes_id", ()))}


def replaced(commands: Sequence[Any]) -> list[int]:
    """Ids that `[[6, 0, ids]]` sets."""
    return [one for _, _, ids in commands for one in ids]
