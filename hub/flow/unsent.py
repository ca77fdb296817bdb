"""Goods that reach the customer and that we never sent: carried out of a store, sent by somebody else, nothing to send.

They are a shipment all the same, of no fulfilment order: it is from shipments that the books know what was delivered
and is to be invoiced. The channel is not told, for it told us.
"""

from datetime import datetime
from typing import Final

from hub.domain.demand import Slice
from hub.domain.shipping import Parcel, ParcelLine, Shipment, units_of
from hub.domain.states import AT_REST, GONE
from hub.domain.stock import StockReason
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.elsewhere import ELSEWHERE
from hub.flow.post_to_erp import post_order
from hub.flow.transfer import only_moves

CARRIED_OUT: Final = StockReason.CARRIED_OUT.value
DIGITAL: Final = "digital"
"""Nothing to send: a service, a gift card, a file."""

OF_NONE: Final = 0
"""The fulfilment order of what was under none."""

_UNSENT: Final = frozenset({CARRIED_OUT, ELSEWHERE, DIGITAL})


def keep_unsent(order: Order, batch: Batch) -> None:
    """Keep as shipments what is with the customer and in no shipment yet, and tell the books. Again does nothing.

    What is not sent at all is delivered with the last of the order: charges of the whole order are invoiced with the
    first goods.
    """
    parts = [part for part in order.slices.values() if part.reason in _UNSENT and part.state in GONE]
    if not parts or not order.acting or only_moves(order):
        return
    if not all(part.state in AT_REST for part in order.slices.values()):
        parts = [part for part in parts if part.reason != DIGITAL]
    missing = _by_fulfilment(order, parts)
    for fulfilment, lines in missing.items():
        number = max(order.shipments, default=0) + 1
        order.shipments[number] = Shipment(
            order=order.id,
            no=number,
            fulfilment=fulfilment,
            external_id=f"unsent:{number}",
            shipped_at=_at(order, batch),
            parcels=(Parcel(lines=tuple(lines)),),
        )
    if missing:
        post_order(order, batch)


def _by_fulfilment(order: Order, parts: list[Slice]) -> dict[int, list[ParcelLine]]:
    """Lines of shipments to make, by fulfilment order: what has gone of each demand and is in no shipment."""
    known = units_of(order.shipments.values())
    missing = {
        no: sum(part.quantity for part in order.slices.values() if part.demand == no and part.state in GONE) - known[no]
        for no in {part.demand for part in parts}
    }
    made: dict[int, list[ParcelLine]] = {}
    for part in sorted(parts, key=lambda one: -one.no):
        units = min(missing[part.demand], part.quantity)
        if units > 0:
            missing[part.demand] -= units
            made.setdefault(part.fulfilment or OF_NONE, []).append(ParcelLine(line=str(part.demand), quantity=units))
    return made


def _at(order: Order, batch: Batch) -> datetime:
    """What came with the order was gone when it was placed; of anything later nobody says when."""
    return min(order.placed_at, batch.now) if order.fresh else batch.now
