"""Reservations of orders seen as such: a slice is its own reservation (decision 0003), and may be moved."""

from typing import Final

import msgspec

from hub.domain.states import SliceState
from hub.flow.batch import Batch
from hub.flow.ports import Unit
from hub.flow.take_order import advance

SEPARATOR: Final = "."

LONGEST_NO: Final = 4
"""Digits of a slice's number; no order has so many slices."""


class CannotMove(Exception):
    """The units stay where they are; the message says why and what can be done."""


def reservation_id(order: str, slice: int) -> str:
    """Public id of an order's reservation."""
    return f"{order}{SEPARATOR}{slice}"


def split_reservation_id(id: str) -> tuple[str, int] | None:
    """(order, slice) of an order's reservation; None when it is a cart's."""
    order, _, no = id.partition(SEPARATOR)
    if not (no.isascii() and no.isdigit()) or len(no) > LONGEST_NO:
        return None
    return order, int(no)


async def transfer(unit: Unit, order_id: str, slice: int, node: int, reason: str, batch: Batch) -> None:
    """Move reserved units that no node was told of to another node: freed there and reserved here, or neither.

    Raises `KeyError` when there is no such reservation, `CannotMove` when it cannot be moved there.
    """
    order = (await unit.by_id([order_id]))[order_id]
    part = order.slices[slice]
    demand = order.demands[part.demand]
    if part.state is not SliceState.RESERVED or demand.item is None:
        raise CannotMove(f"units that are {part.state.value} cannot be moved; reroute or cancel the order instead")
    code = batch.directory.nodes[node].code
    free = await unit.free([demand.item], lock=True)
    if part.node != node and demand.tracked and free.get(demand.item, {}).get(node, 0) < part.quantity:
        raise CannotMove(f"{code} has not {part.quantity} units free")
    order.slices[slice] = msgspec.structs.replace(part, node=node, reason=reason)
    order.note(batch.now, "transferred", f"{part.quantity} units to {code}: {reason}")
    await advance(unit, [order], batch)
