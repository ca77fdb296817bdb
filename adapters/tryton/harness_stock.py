"""Goods in the real Tryton: products, purchase orders, and what was booked of stock adjustments."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec

from adapters.tryton.company import add_product, decimal
from adapters.tryton.company import date as day
from adapters.tryton.items import GOODS
from adapters.tryton.peer import Rpc
from adapters.tryton.simulator import TrytonBehindFaults
from hub.sdk.posting import StockAdjustment

DUE: Final = datetime.now(UTC).date() + timedelta(days=30)
SKUS: Final = ("MUG-RED", "TEE-M")


def adjustment_of(request: StockAdjustment, simulated: TrytonBehindFaults) -> StockAdjustment:
    """The document under a key that nothing in the books has, its products among the others."""
    for line in request.lines:
        add_product(simulated.rpc, line.sku, line.sku)
    return msgspec.structs.replace(request, key=f"{request.key}-{simulated.order}")


def adjusted(rpc: Rpc, request: StockAdjustment) -> int:
    """How often the books hold the document: both of its shipments done is once, whatever there is more is more."""
    marks = {f"{request.key}/{'in' if line.quantity > 0 else 'out'}" for line in request.lines}
    terms = [["reference", "in", sorted(marks)]]
    found = rpc.call("model.stock.shipment.internal.search_read", terms, 0, 99, None, ["reference", "state"])
    if {one["reference"] for one in found if one["state"] == "done"} != marks:
        return 0
    return 1 + len(found) - len(marks)


def fill_items(simulated: TrytonBehindFaults) -> int:
    """All goods with a code; these two among them."""
    for sku in SKUS:
        add_product(simulated.rpc, sku, sku)
    return simulated.rpc.count("product.product", ["code", "!=", None], ["type", "in", list(GOODS)])


def fill_supply(simulated: TrytonBehindFaults) -> int:
    """All purchase orders in process; two at least."""
    rpc = simulated.rpc
    terms = ["state", "=", "processing"]
    for _ in range(2 - rpc.count("purchase.purchase", terms)):
        order(rpc, dict.fromkeys(SKUS, 5), DUE)
    return rpc.count("purchase.purchase", terms)


def order(rpc: Rpc, units: dict[str, int], due: date) -> int:
    """A purchase order in process, as a person makes it."""
    for sku in units:
        add_product(rpc, sku, sku)
    fields = ["code", "default_uom"]
    products = rpc.call("model.product.product.search_read", [["code", "in", list(units)]], 0, 99, None, fields)
    (party,) = rpc.call("model.party.party.create", [{"name": "Supplier", "addresses": [["create", [{}]]]}])
    (address,) = rpc.call("model.party.address.search", [["party", "=", party]], 0, 1, None)
    (dollar,) = rpc.call("model.currency.currency.search", [["code", "=", "USD"]], 0, 1, None)
    (warehouse,) = rpc.call("model.stock.location.search", [["type", "=", "warehouse"]], 0, 1, None)
    lines = [
        {
            "type": "line",
            "product": product["id"],
            "unit": product["default_uom"],
            "quantity": float(units[product["code"]]),
            "unit_price": decimal("4"),
            "delivery_date_edit": True,
            "delivery_date_store": day(due.year, due.month, due.day),
        }
        for product in products
    ]
    values = {
        "company": 1,
        "party": party,
        "invoice_address": address,
        "currency": dollar,
        "warehouse": warehouse,
        "invoice_method": "manual",
        "lines": [["create", lines]],
    }
    made: list[int] = rpc.call("model.purchase.purchase.create", [values])
    for button in ("quote", "confirm", "process"):
        rpc.call(f"model.purchase.purchase.{button}", made)
    return made[0]


def receive(rpc: Rpc, purchase: int, units: dict[str, int]) -> None:
    """A delivery of the supplier with so many units of each product; Tryton expects the rest anew."""
    (head,) = rpc.call("model.purchase.purchase.read", [purchase], ["party", "warehouse", "moves"])
    fields = ["product.code", "state"]
    moves = [one for one in rpc.call("model.stock.move.read", head["moves"], fields) if one["state"] == "draft"]
    taken = [one["id"] for one in moves if one["product."]["code"] in units]
    (address,) = rpc.call("model.party.address.search", [["party", "=", head["party"]]], 0, 1, None)
    (places,) = rpc.call("model.stock.location.read", [head["warehouse"]], ["input_location", "storage_location"])
    values = {
        "company": 1,
        "supplier": head["party"],
        "contact_address": address,
        "warehouse": head["warehouse"],
        "warehouse_input": places["input_location"],
        "warehouse_storage": places["storage_location"],
        "incoming_moves": [["add", taken]],
    }
    made = rpc.call("model.stock.shipment.in.create", [values])
    for one in moves:
        if one["id"] in taken:
            rpc.call("model.stock.move.write", [one["id"]], {"quantity": float(units[one["product."]["code"]])})
    for button in ("receive", "do"):
        rpc.call(f"model.stock.shipment.in.{button}", made)
