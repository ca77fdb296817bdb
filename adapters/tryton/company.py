"""What a person sets up in a new Tryton before the first sale: currency, company, chart, fiscal years, goods."""

import json
import urllib.request
from datetime import UTC, datetime
from typing import Any, Final, Protocol

ACCOUNTS: Final = {"receivable": "1.2.1", "payable": "2.1.1", "revenue": "4.1.1", "shipping": "4.1.2", "tax": "2.1.4"}
"""Codes of Tryton's universal chart."""
YEARS: Final = 4
"""Fiscal years, from the last one on: the kept database serves for some time."""


class Calls(Protocol):
    """A session."""

    context: dict[str, object]

    def call(self, method: str, *arguments: object) -> Any:
        """One call."""
        ...


def found_company(rpc: Calls) -> None:
    """Everything that the documents of a merchant in US dollars need."""
    rpc.context = {"language": "en"}
    currency = {"name": "US Dollar", "code": "USD", "symbol": "$", "digits": 2, "rounding": decimal("0.01")}
    rates = [["create", [{"date": date(2020, 1, 1), "rate": decimal("1")}]]]
    (dollar,) = rpc.call("model.currency.currency.create", [{**currency, "rates": rates}])
    (party,) = rpc.call("model.party.party.create", [{"name": "Acme"}])
    (company,) = rpc.call("model.company.company.create", [{"party": party, "currency": dollar}])
    (admin,) = rpc.call("model.res.user.search", [["login", "=", "admin"]], 0, 1, None)
    rpc.call("model.res.user.write", [admin], {"companies": [["add", [company]]], "company": company})
    rpc.context = {"company": company, "language": "en"}
    _chart(rpc, company)
    _fiscal_years(rpc, company)


def _chart(rpc: Calls, company: int) -> None:
    (template,) = rpc.call("model.account.account.template.search", [["parent", "=", None]], 0, 1, None)
    session = rpc.call("wizard.account.create_chart.create")[0]
    chart = {"account": {"company": company, "account_template": template}}
    rpc.call("wizard.account.create_chart.execute", session, chart, "create_account")
    properties = {
        "company": company,
        "account_receivable": account(rpc, ACCOUNTS["receivable"]),
        "account_payable": account(rpc, ACCOUNTS["payable"]),
    }
    rpc.call("wizard.account.create_chart.execute", session, {"properties": properties}, "create_properties")


def _fiscal_years(rpc: Calls, company: int) -> None:
    types = {
        one["name"]: one["id"] for one in rpc.call("model.ir.sequence.type.search_read", [], 0, 99, None, ["name"])
    }
    last = datetime.now(UTC).year - 1
    for year in range(last, last + YEARS):
        moves, invoices = rpc.call(
            "model.ir.sequence.strict.create",
            [
                {"name": f"{name} {year}", "sequence_type": types[name], "company": company, "prefix": f"{year}-"}
                for name in ("Account Move", "Invoice")
            ],
        )
        kinds = ("out_invoice", "out_credit_note", "in_invoice", "in_credit_note")
        sequences = {"company": company} | {f"{kind}_sequence": invoices for kind in kinds}
        values = {
            "name": str(year),
            "company": company,
            "start_date": date(year, 1, 1),
            "end_date": date(year, 12, 31),
            "move_sequence": moves,
            "invoice_sequences": [["create", [sequences]]],
        }
        made = rpc.call("model.account.fiscalyear.create", [values])
        rpc.call("model.account.fiscalyear.create_period", made)


def add_product(rpc: Calls, sku: str, name: str) -> None:
    """Goods in single units, unless they are there."""
    if rpc.call("model.product.product.search_count", [["code", "=", sku]]):
        return
    (unit,) = rpc.call("model.product.uom.search", [["name", "=", "Unit"]], 0, 1, None)
    values = {
        "name": name,
        "type": "goods",
        "default_uom": unit,
        "salable": True,
        "sale_uom": unit,
        "purchasable": True,
        "purchase_uom": unit,
        "list_price": decimal("10"),
        "cost_price_method": "fixed",
        "products": [["create", [{"suffix_code": sku}]]],
    }
    rpc.call("model.product.template.create", [values])


def close_year(rpc: Calls, year: int, *, closed: bool) -> None:
    """Close the periods of a year, or open them again."""
    terms = [["fiscalyear.name", "=", str(year)]]
    periods = rpc.call("model.account.period.search", terms, 0, 99, None)
    rpc.call(f"model.account.period.{'close' if closed else 'reopen'}", periods)


def account(rpc: Calls, code: str) -> int:
    """Id of an account by its code."""
    found: int = rpc.call("model.account.account.search", [["code", "=", code]], 0, 1, None)[0]
    return found


def decimal(value: str) -> dict[str, str]:
    """A Decimal as Tryton writes it."""
    return {"__class__": "Decimal", "decimal": value}


def date(year: int, month: int, day: int) -> dict[str, object]:
    """A date as Tryton writes it."""
    return {"__class__": "date", "year": year, "month": month, "day": day}


def post_json(url: str, document: object, headers: dict[str, str]) -> Any:
    """One exchange of JSON. Raises URLError, also for a status that says no."""
    body = json.dumps(document).encode()
    request = urllib.request.Request(url, data=body, headers={"content-type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)
