"""Stored documents to facts, by the transaction they are. Pure."""

from collections.abc import Mapping
from typing import Final

from adapters.x12.answers import settle
from adapters.x12.shipped import shipping_advice
from adapters.x12.split import ANSWER
from adapters.x12.stock import adjustment, inventory, receipt
from adapters.x12.tables import read_rows
from hub.sdk.adapter import Translate

READERS: Final[Mapping[str, Translate]] = {
    "945": shipping_advice,
    "944": receipt,
    "944.stock": receipt,
    "846": inventory,
    "947": adjustment,
    ANSWER: settle,
    "rows.shipped": read_rows,
    "rows.stock": read_rows,
}
"""By topic."""
