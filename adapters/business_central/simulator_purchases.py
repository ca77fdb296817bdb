"""What buyers do in the simulator's company: order, receive, invoice. A receipt dates no line."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from adapters.business_central.simulator_books import Books, Record

NOWHERE: Final = "00000000-0000-0000-0000-000000000000"
LINE: Final = (
    "id",
    "sequence",
    "lineType",
    "lineObjectNumber",
    "unitOfMeasureCode",
    "quantity",
    "receivedQuantity",
    "expectedReceiptDate",
    "locationId",
)
"""Fields of a line that are shown."""


def locate(books: Books, code: str) -> str:
    """Id of a location, made where it is missing."""
    known = next((one for one in books.locations.values() if one["code"] == code), None)
    return str((known or books.keep(books.locations, {"code": code, "displayName": code}))["id"])


def order(
    books: Books,
    units: Mapping[str, int],
    due: date | None,
    *,
    unit: str = "PCS",
    location: str | None = None,
    status: str = "Open",
) -> Record:
    """A purchase order of so many units per item number, released unless said otherwise."""
    day = (due or date.min).isoformat()
    values = {"status": status, "fullyReceived": False, "requestedReceiptDate": day}
    made = books.keep(books.purchases, {**values, "number": f"10{len(books.purchases) + 8001}"})
    place = NOWHERE if location is None else locate(books, location)
    made["purchaseOrderLines"] = [
        dict(
            zip(
                LINE,
                (f"{made['id']}-{n}", n * 10000, "Item", number, unit, Decimal(count), Decimal(0), day, place),
                strict=True,
            )
        )
        for n, (number, count) in enumerate(units.items(), 1)
    ]
    return made


def receive(made: Record, units: int) -> None:
    """Receive so many units of each line."""
    for line in made["purchaseOrderLines"]:
        line["receivedQuantity"] += units
    made["fullyReceived"] = all(line["receivedQuantity"] >= line["quantity"] for line in made["purchaseOrderLines"])
