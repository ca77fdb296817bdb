"""What every ledger's harness says of its daily reading of the books."""

from typing import Any, Final

from hub.sdk.item_reads import ITEM
from hub.sdk.ledger_reads import BOOKS, DAYS_BACK
from hub.sdk.supply_reads import SUPPLY
from hub.sdk.testkit.harness import Sample, json_sample

DAY: Final = {
    "type": "BooksReported",
    "at": "2026-01-16T06:00:00Z",
    "day": "2026-01-15",
    "documents": [{"kind": "invoice", "number": "INV1", "amount": 5500, "currency": "USD"}],
}
DAY_SAMPLE: Final[Sample] = json_sample(BOOKS, DAY, identity="day", event="day", signed=False)

ORDERED: Final = {
    "type": "SupplyReported",
    "at": "2026-01-16T06:00:00Z",
    "reference": "PO-7",
    "lines": [{"location": "WH", "sku": "MUG-RED", "quantity": 7, "due": "2026-02-01"}],
}
SUPPLY_SAMPLE: Final[Sample] = json_sample(SUPPLY, ORDERED, identity="reference", event="supply", signed=False)

KEPT: Final = {
    "type": "ItemReported",
    "at": "2026-01-16T06:00:00Z",
    "sku": "MUG-RED",
    "title": "Mug, red",
    "weight_g": 400,
}
ITEM_SAMPLE: Final[Sample] = json_sample(ITEM, KEPT, identity="sku", event="item", signed=False)


def days(simulator: Any) -> int:
    """Each day is an object, also one on which nothing was booked."""
    return DAYS_BACK + 1
