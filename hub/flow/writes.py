"""Rows that a batch writes, by table, as the store's statements take them: one statement a table, whatever the size."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from hub.flow.trouble import Trouble

Row = tuple[object, ...]


class LedgerRow(NamedTuple):
    """One entry of the stock ledger."""

    merchant: str
    node: int
    item: int
    delta: int
    reason: str
    source: str
    cause: str
    true_at: datetime
    lot: str = ""
    condition: str = "sellable"


class Load(NamedTuple):
    """Fulfilment orders more for a node of limited capacity."""

    node: int
    day: date
    """Its own local day."""
    more: int
    capacity: int
    seen: int | None
    """How many the decision saw there; None when none was made."""


@dataclass(kw_only=True)
class Writes:
    """Everything that one transaction writes besides the queues. Column order is that of `store/flush.py`."""

    orders: list[Row] = field(default_factory=list)
    orders_changed: list[Row] = field(default_factory=list)
    revisions: list[Row] = field(default_factory=list)
    contacts: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    demands: list[Row] = field(default_factory=list)
    slices: list[Row] = field(default_factory=list)
    slices_changed: list[Row] = field(default_factory=list)
    holds: list[Row] = field(default_factory=list)
    exclusions: list[Row] = field(default_factory=list)
    waits: list[Row] = field(default_factory=list)
    waits_over: list[Row] = field(default_factory=list)
    fulfilments: list[Row] = field(default_factory=list)
    offers: list[Row] = field(default_factory=list)
    cancels: list[Row] = field(default_factory=list)
    shipments: list[Row] = field(default_factory=list)
    parcels: list[Row] = field(default_factory=list)
    moved: list[Row] = field(default_factory=list)
    returns: list[Row] = field(default_factory=list)
    refunds: list[Row] = field(default_factory=list)
    payment_requests: list[Row] = field(default_factory=list)
    related: list[Row] = field(default_factory=list)
    effects: list[Row] = field(default_factory=list)
    decisions: list[Row] = field(default_factory=list)
    moments: list[Row] = field(default_factory=list)
    troubles: list[tuple[str, str | None, Trouble]] = field(default_factory=list)
    pinned: list[tuple[int, int, int]] = field(default_factory=list)
    """(item, node, change), sorted: the lock order."""
    loose: list[tuple[int, int, int]] = field(default_factory=list)
    """(item, change unpinned, change backordered), sorted."""
    supply: list[tuple[int, int, int]] = field(default_factory=list)
    """(expected supply, item, change of what is promised of it), sorted: the lock order."""
    emptied: list[tuple[int, int, str, str]] = field(default_factory=list)
    """(item, node, merchant, order): a node said that it has none of it left."""
    loads: list[Load] = field(default_factory=list)
    """Sorted: the lock order."""
    mended: list[tuple[str, str, str, str]] = field(default_factory=list)
    """(merchant, order, kind, cause): the order waits for this exception no more; it closes with its last waiter."""
    effects_over: list[int] = field(default_factory=list)
    """Effects that were taken back: no exception waits for them."""
    ledger: list[LedgerRow] = field(default_factory=list)
    unreleased: list[tuple[int, int, str, int, datetime]] = field(default_factory=list)
    """(item, node, order, rank, promise): reserved units that rest here untold, and may give way."""
    unreleased_over: list[tuple[int, int, str]] = field(default_factory=list)
    dirty: list[int] = field(default_factory=list)
