"""What a message did. It may be taken again: it was parked for one of its facts, or replayed when a mapping was mended.

Most facts are true however often they are told: a state that is reached, a shipment with an id of its own. Those that
take units from what is open are not. Of these is kept how many units of each demand a message moved: taken again, it
does what it could not do before and no more. Another message that says the same counts of its own.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from hub.domain.demand import Slice
from hub.domain.facts import GoodsArrived, GoodsCollected, GoodsLost, NodeFact, UnitsShort
from hub.flow.aggregate import Order
from hub.flow.meant import means

Counted = UnitsShort | GoodsCollected | GoodsArrived | GoodsLost


class Moved(NamedTuple):
    """What a message did by its facts of one kind about one fulfilment order."""

    order: str
    message: int
    fulfilment: int
    kind: str
    demand: int
    units: int


class OnceUnit(Protocol):
    """What messages did, inside a transaction."""

    async def moved(self, messages: Sequence[int], orders: Iterable[str]) -> list[Moved]:
        """What these messages, or those that they are corrected copies of, did to these orders before."""
        ...


async def recall_moved(unit: OnceUnit, facts: Sequence[tuple[int, object]], orders: Mapping[str, Order]) -> None:
    """Let orders know what the messages of facts, (message, fact), did to them before."""
    messages = sorted({message for message, fact in facts if message and isinstance(fact, Counted)})
    for one in await unit.moved(messages, sorted(orders)) if messages and orders else ():
        orders[one.order].moved_before[one[1:5]] = one.units


def still_to_do(order: Order, no: int, fact: NodeFact, message: int) -> NodeFact | None:
    """What of a fact its message has not done yet; None when that is nothing.

    What was done is set against one fact only: a message may say the same twice.
    """
    if not isinstance(fact, Counted) or not order.moved_before:
        return fact
    about = (message, no, type(fact).__name__)
    known = order.moved_before
    if not fact.lines:
        return None if any(key[:3] == about for key in known) else fact
    left = []
    for line in fact.lines:
        units = line.quantity
        for demand in order.demands:
            if (*about, demand) in known and means(order, demand, line):
                used = min(units, known[*about, demand])
                known[*about, demand] -= used
                units -= used
        if units:
            left.append(msgspec.structs.replace(line, quantity=units))
    return msgspec.structs.replace(fact, lines=tuple(left)) if left else None


def keep_moved(order: Order, no: int, fact: NodeFact, message: int, before: Iterable[Slice]) -> None:
    """Keep note of what a fact moved of its fulfilment order, whose slices were `before`."""
    if isinstance(fact, Counted):
        for (demand, _), units in (_units(before) - _units(order.of_fulfilment(no))).items():
            key = (message, no, type(fact).__name__, demand)
            order.moved[key] = order.moved.get(key, 0) + units


def _units(parts: Iterable[Slice]) -> Counter[tuple[int, str]]:
    units: Counter[tuple[int, str]] = Counter()
    for part in parts:
        units[part.demand, part.state.value] += part.quantity
    return units
