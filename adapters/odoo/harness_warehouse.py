"""The warehouse's half of the harness: orders at work, transfers, returns and stock in the simulator's books."""

from datetime import date
from typing import Any, Final

import msgspec

from adapters.odoo.marks import Asked, mark
from adapters.odoo.simulated import catalogue, purchases, transfers
from adapters.odoo.simulator import OdooSimulator
from hub.sdk.capabilities import Command, FulfilmentCancel, FulfilmentRequest
from hub.sdk.testkit.harness import Sample, json_sample
from hub.sdk.testkit.samples import FULFILMENT, FULFILMENT_ID

WAREHOUSE: Final = "WH"
SUBMIT: Final = msgspec.structs.replace(FULFILMENT, location=WAREHOUSE)


def stocked(simulator: OdooSimulator, wanted: FulfilmentRequest = SUBMIT, units: int = 50) -> None:
    """The catalogue and the shelf that a request needs."""
    for line in wanted.lines:
        if not simulator.books.tables["product.product"].where("default_code", line.sku):
            simulator.add_product(line.sku, line.title)
            simulator.floor.stock(line.sku, units)


def place(simulator: OdooSimulator, wanted: FulfilmentRequest = SUBMIT) -> None:
    """A confirmed transfer for a request, as our client makes it."""
    stocked(simulator, wanted)
    moves = []
    for line in wanted.lines:
        product = simulator.floor.product(line.sku)
        asked = Asked(product=product, lines=((line.line, line.quantity),))
        origin = mark(wanted.fulfilment, asked)
        moves.append([0, 0, {"product_id": product, "product_uom_qty": line.quantity, "origin": origin}])
    ends = {"picking_type_id": 2, "location_id": 1, "location_dest_id": 2}
    values = {**ends, "origin": wanted.fulfilment, "move_ids": moves}
    made = transfers.create_pickings(simulator.books, "stock.picking", [], {}, vals_list=[values])
    assert isinstance(made, list)
    transfers.confirm(simulator.books, "stock.picking", made, {})


def prepare(simulator: OdooSimulator, request: FulfilmentRequest | FulfilmentCancel) -> Command:
    """Goods on the shelf; for a cancel, the transfer."""
    if isinstance(request, FulfilmentCancel):
        place(simulator)
    else:
        stocked(simulator, request)
    return request


def effects(simulator: OdooSimulator, request: FulfilmentRequest | FulfilmentCancel) -> int:
    """Transfers that ask the warehouse for something, or whether the only one was cancelled."""
    found = simulator.floor.transfers(request.fulfilment)
    if isinstance(request, FulfilmentCancel):
        return int(all(one["state"] == "cancel" for one in found))
    return sum(one["state"] not in ("draft", "cancel") for one in found)


def elsewhere(simulator: OdooSimulator, request: FulfilmentRequest) -> Command:
    """From a warehouse that is not worked for the hub."""
    return msgspec.structs.replace(request, location="EAST")


def emptied(simulator: OdooSimulator, request: FulfilmentRequest) -> Command:
    """Of a product of which there is nothing, and one of which there is."""
    simulator.floor.stock(request.lines[0].sku, -50)
    return request


def _numbered(number: int) -> FulfilmentRequest:
    return msgspec.structs.replace(SUBMIT, fulfilment=f"{FULFILMENT_ID[:-2]}-{number}")


def fill_status(simulator: OdooSimulator) -> int:
    """More than a page of orders of ours, and one of somebody else's."""
    for number in range(1, 56):
        place(simulator, _numbered(number))
    place(simulator, msgspec.structs.replace(SUBMIT, fulfilment="S00026"))
    return 55


def fill_returns(simulator: OdooSimulator) -> int:
    """Two that arrived, and one that has not."""
    for number in (1, 2, 3):
        wanted = _numbered(number)
        place(simulator, wanted)
        simulator.floor.pick(wanted.fulfilment)
        simulator.floor.validate(wanted.fulfilment)
        (left,) = simulator.floor.transfers(wanted.fulfilment)
        simulator.floor.take_back(left["name"], {wanted.lines[0].sku: 1}, arrived=number < 3)
    return 2


def fill_movements(simulator: OdooSimulator) -> int:
    """A count that found more, one that found less, and a shipment of ours that is told otherwise."""
    place(simulator)
    simulator.floor.count("MUG-RED", 3, lot="L-1")
    simulator.floor.count("TEE-M", -2)
    simulator.floor.pick(FULFILMENT_ID)
    simulator.floor.validate(FULFILMENT_ID)
    return 2


def fill_stock(simulator: OdooSimulator) -> int:
    """One warehouse."""
    stocked(simulator)
    return 1


def fill_items(simulator: OdooSimulator) -> int:
    """Two products; services and what has no reference are none that are sold by SKU."""
    stocked(simulator)
    simulator.add_product("SHIP", stocked=False)
    simulator.add_product("", "Nameless")
    catalogue.change(simulator.books, "", default_code=None)
    return 2


def fill_supply(simulator: OdooSimulator) -> int:
    """Two orders that are open; a draft is none."""
    stocked(simulator)
    products = {simulator.floor.product(line.sku): 5 for line in SUBMIT.lines}
    for state in ("purchase", "purchase", "draft"):
        purchases.order(simulator.books, products, date(2026, 2, 1), state=state)
    return 2


def _row(**values: Any) -> dict[str, Any]:
    return values


TRANSFER: Final[dict[str, Any]] = {
    "fulfilment": FULFILMENT_ID,
    "transfers": [
        _row(
            id=54,
            name="WH/OUT/00048",
            state="done",
            origin=FULFILMENT_ID,
            picking_type_id=[2, "YourCompany: Delivery Orders"],
            backorder_id=False,
            return_id=False,
            carrier_id=[1, "UPS US"],
            carrier_tracking_ref="1Z999AA10123456784,1Z999AA10123456785",
            carrier_tracking_url=False,
            create_date="2026-01-15 09:31:00",
            date_done="2026-01-16 14:00:00",
            write_date="2026-01-16 14:00:00",
        ),
        _row(
            id=55,
            name="WH/OUT/00049",
            state="confirmed",
            origin=FULFILMENT_ID,
            picking_type_id=[2, "YourCompany: Delivery Orders"],
            backorder_id=[54, "WH/OUT/00048"],
            return_id=False,
            carrier_id=False,
            carrier_tracking_ref=False,
            carrier_tracking_url=False,
            create_date="2026-01-16 14:00:00",
            date_done=False,
            write_date="2026-01-16 14:00:00",
        ),
    ],
    "moves": [
        _row(
            id=83,
            picking_id=[54, "WH/OUT/00048"],
            product_id=[20, "[MUG-RED] Mug, red"],
            origin=f"{FULFILMENT_ID}#20:1*2",
            state="done",
            product_uom_qty=2.0,
            quantity=2.0,
            picked=True,
            write_date="2026-01-16 14:00:00",
        ),
        _row(
            id=84,
            picking_id=[55, "WH/OUT/00049"],
            product_id=[18, "[TEE-M] T-shirt, M"],
            origin=f"{FULFILMENT_ID}#18:2*1",
            state="confirmed",
            product_uom_qty=1.0,
            quantity=0.0,
            picked=False,
            write_date="2026-01-16 14:00:00",
        ),
    ],
    "lots": [{"move": 83, "lot": "L-1", "quantity": 2.0}],
}
SHORTFALL: Final[dict[str, Any]] = {
    "fulfilment": FULFILMENT_ID,
    "at": "2026-01-17 09:00:00",
    "transfers": "WH/OUT/00048, WH/OUT/00049",
    "lines": [["2", 1]],
}
RECEIPT: Final[dict[str, Any]] = {
    "receipt": "WH/IN/00007",
    "at": "2026-01-20 10:00:00",
    "warehouse": WAREHOUSE,
    "fulfilment": FULFILMENT_ID,
    "lines": [{"sku": "MUG-RED", "quantity": 1.0}],
}
QUANTS: Final[dict[str, Any]] = {
    "as_of": "2026-01-16 12:00:00",
    "warehouse": WAREHOUSE,
    "levels": [{"sku": "MUG-RED", "quantity": 16.0, "lot": "L-1"}, {"sku": "ROPE-M", "quantity": 4.5}],
}
MOVEMENT: Final[dict[str, Any]] = {
    "at": "2026-01-16 13:00:00",
    "sku": "MUG-RED",
    "quantity": -2.0,
    "warehouse": WAREHOUSE,
    "lot": "L-1",
    "reference": "Product Quantity Updated",
}

SAMPLES: Final[tuple[Sample, ...]] = (
    json_sample(
        "transfer", TRANSFER, identity="fulfilment", status="transfers.1.state", event="transfer", signed=False
    ),
    json_sample("shortfall", SHORTFALL, identity="fulfilment", event="shortfall", signed=False),
    json_sample("receipt", RECEIPT, identity="fulfilment", event="receipt", signed=False),
    json_sample("quants", QUANTS, identity="warehouse", event="quants", signed=False),
    json_sample("movement", MOVEMENT, identity="sku", event="movement", signed=False),
)
