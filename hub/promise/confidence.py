"""How often promises like this one were kept, told only once there is history to tell it from."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final, NamedTuple

ENOUGH: Final = 50
"""Parcels of a node that must have arrived before anything is said of the next one."""


class Travelled(NamedTuple):
    """A parcel that has arrived."""

    node: int
    late_out: timedelta
    """How long after the node's ship-by it left; negative when it left early."""
    under_way: timedelta


def confidence(history: Iterable[Travelled], promised: dict[int, timedelta]) -> int | None:
    """Percent, rounded down, that every parcel arrives in time; None while a node has too little history.

    `promised` is the time from ship-by to deliver-by for each node that sends. A past parcel counts as kept when its
    own delay and travel would have fitted into that. Parcels of different nodes are taken to be independent.
    """
    arrived, kept = dict.fromkeys(promised, 0), dict.fromkeys(promised, 0)
    for parcel in history:
        if parcel.node in promised:
            arrived[parcel.node] += 1
            taken = max(timedelta(0), parcel.late_out) + parcel.under_way
            kept[parcel.node] += taken <= promised[parcel.node]
    if not promised or min(arrived.values()) < ENOUGH:
        return None
    above, below = 1, 1
    for node, count in arrived.items():
        above, below = above * kept[node], below * count
    return 100 * above // below
