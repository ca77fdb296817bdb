"""Goods that come back: asked for or not, approved or refused, on their way, received. Grading is in `grade.py`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from hub.domain.effects import BuyReturnLabel
from hub.domain.returns import LIVING, Disposition, Graded, RefundWhen, Return, ReturnLine
from hub.domain.shipping import TrackingStatus
from hub.domain.states import RETURN_MOVES, ReturnState, SliceState, move
from hub.domain.stock import Condition
from hub.flow.aggregate import Moved, Order
from hub.flow.batch import Batch
from hub.flow.grade import grade, refund_due
from hub.flow.ports import Unit
from hub.flow.refund import value_of
from hub.flow.return_route import choose_node
from hub.flow.return_rules import Candidate, ReturnPolicy, judge
from hub.flow.stock_ports import ItemFacts

WITH_CUSTOMER: Final = (SliceState.DELIVERED, SliceState.COLLECTED, SliceState.SHIPPED)
"""Units that may come back; what is known to have arrived goes first."""

BLIND: Final = "blind"


class CannotReturn(Exception):
    """The units cannot come back. `faults` say why: (index of the wanted line, text)."""

    def __init__(self, text: str, faults: Sequence[tuple[int, str]] = (), *, by_rule: bool = False) -> None:
        super().__init__(text)
        self.faults = tuple(faults)
        self.by_rule = by_rule
        """The rules say no, where the quantities would allow it."""


class Wanted(NamedTuple):
    """Units that somebody gives back."""

    line: str
    units: int
    reason: str


class Asked(NamedTuple):
    """How a return was asked for."""

    wanted: Sequence[Wanted]
    who: str
    override: bool = False
    """A person takes it although the rules say no."""
    blind: bool = False
    source: str | None = None
    node: int | None = None
    """Where it goes to; None lets the router choose."""
    refund: RefundWhen | None = None
    """Another time than the rules'."""


def returnable(order: Order) -> dict[str, int]:
    """Sold units per line that the customer has and nobody expects yet. Of a kit as many as come back whole."""
    units: dict[str, int] = {}
    for no, demand in order.demands.items():
        if not demand.ships:
            continue
        here = sum(p.quantity for p in order.slices.values() if p.demand == no and p.state in WITH_CUSTOMER)
        units[demand.line] = min(here // demand.per_unit, units.get(demand.line, here // demand.per_unit))
    for one in order.returns.values():
        if one.open:
            for line in one.lines:
                if line.disposition is not Disposition.KEPT:
                    units[line.line] = units.get(line.line, 0) - line.outstanding
    return {line: max(0, left) for line, left in units.items()}


async def open_return(unit: Unit, order: Order, asked: Asked, batch: Batch) -> Return:
    """Make a return, judged by the merchant's rules. Raises `CannotReturn`; nothing is changed then."""
    _check(order, asked.wanted)
    items = await unit.items_by_id({d.item for d in order.demands.values() if d.item is not None})
    policy = batch.directory.return_policy(order.merchant)
    if not asked.override and not asked.blind:
        _judge(order, asked.wanted, items, policy, batch.now)
    lines = tuple(ReturnLine(line=one.line, quantity=one.units, reason=one.reason) for one in asked.wanted)
    rule = policy.under(lines[0].reason)
    made = Return(
        id=batch.new_id(),
        order=order.id,
        lines=lines,
        created_at=batch.now,
        merchant=order.merchant,
        asked_by=asked.who,
        policy=policy.version,
        refund=asked.refund or rule.refund,
        source=asked.source,
        blind=asked.blind,
        node=asked.node,
    )
    order.returns[made.id] = made
    for line in lines:
        order.mend("cancel_after_ship", f"{order.connection}: order {order.external_id}, line {line.line}")
    order.note(batch.now, "return_asked", f"{made.id} by {asked.who}: {_units(lines)} units")
    if rule.approve == "auto" or asked.override or asked.blind:
        await approve(unit, order, made.id, batch, items)
    return order.returns[made.id]


def _check(order: Order, wanted: Sequence[Wanted]) -> None:
    if not order.acting or order.content is None:
        raise CannotReturn(f"order {order.number} is only recorded here: return it at its channel")
    if not wanted:
        raise CannotReturn(f"order {order.number}: nothing of it is with the customer that is not awaited already")
    left = returnable(order)
    sold = {line.external_id: line for line in order.content.lines}
    faults = []
    for index, one in enumerate(wanted):
        have = left.get(one.line, 0)
        left[one.line] = have - one.units
        if one.line not in sold:
            faults.append((index, f"line {one.line} is not in order {order.number}"))
        elif one.units > have:
            faults.append((index, f"{one.units} units of line {one.line} cannot come back: {max(0, have)} can"))
    if faults:
        raise CannotReturn("; ".join(text for _, text in faults), faults)


def _judge(
    order: Order, wanted: Sequence[Wanted], items: Mapping[int, ItemFacts], policy: ReturnPolicy, now: datetime
) -> None:
    candidates = [
        Candidate(one.line, one.reason, left_at(order, one.line), _classes(order, one.line, items)) for one in wanted
    ]
    verdicts = judge(policy, candidates, now)
    faults = [(index, verdict.why_not) for index, verdict in enumerate(verdicts) if verdict.why_not is not None]
    if faults:
        raise CannotReturn("; ".join(f"line {wanted[i].line}: {text}" for i, text in faults), faults, by_rule=True)


def _classes(order: Order, line: str, items: Mapping[int, ItemFacts]) -> tuple[str, ...]:
    found = {
        name
        for demand in order.demands.values()
        if demand.line == line and demand.item is not None and demand.item in items
        for name in items[demand.item].classes
    }
    return tuple(sorted(found))


def left_at(order: Order, line: str) -> datetime:
    """When the customer had the last of a line: delivered, else dispatched, else bought."""
    demands = {str(no) for no, demand in order.demands.items() if demand.line == line}
    found = []
    for (shipment, no), parcel in order.parcels.items():
        goods = order.shipments[shipment].parcels[no - 1].lines
        if any(part.line in demands for part in goods):
            delivered = parcel.status == TrackingStatus.DELIVERED.value
            found.append(parcel.at if delivered else order.shipments[shipment].shipped_at)
    return max(found, default=order.placed_at)


async def approve(
    unit: Unit, order: Order, id: str, batch: Batch, items: Mapping[int, ItemFacts] | None = None
) -> None:
    """Take a request on: choose where it goes, buy its label, refund at once or let the customer keep it by rule."""
    policy = batch.directory.return_policy(order.merchant)
    one = _moved(order, id, ReturnState.APPROVED)
    rule = policy.under(one.lines[0].reason)
    wanted = {d.item for d in order.demands.values() if d.item is not None}
    items = items if items is not None else await unit.items_by_id(wanted)
    worth = sum(value_of(order, line.line, line.quantity) for line in one.lines)
    if worth < rule.keep_below and not one.blind:
        _keep(order, one, batch)
        return
    if one.node is None:
        stock = await unit.free(wanted, lock=False)
        order.returns[id] = one = msgspec.structs.replace(
            one, node=choose_node(order, one, items, stock, policy.route, batch)
        )
    if one.node is not None and rule.label and not one.blind:
        _buy_label(order, one, batch)
    if one.refund is RefundWhen.NOW:
        refund_due(order, id, batch)


def _keep(order: Order, one: Return, batch: Batch) -> None:
    """Not worth the postage: the customer keeps it and gets the money."""
    lines = tuple(
        msgspec.structs.replace(line, graded=(Graded(disposition=Disposition.KEPT, quantity=line.quantity),))
        for line in one.lines
    )
    order.returns[one.id] = msgspec.structs.replace(one, lines=lines)
    refund_due(order, one.id, batch)
    _moved(order, one.id, ReturnState.CLOSED)
    order.note(batch.now, "return_kept", f"{one.id}: the customer keeps {_units(lines)} units")


def _buy_label(order: Order, one: Return, batch: Batch) -> None:
    assert one.node is not None
    carrier = batch.directory.carrier(one.node, order.merchant)
    if carrier is not None and carrier.adapter.return_labels:
        order.plan(carrier.connection.id, one.id, BuyReturnLabel(order=order.id, return_id=one.id))


def refuse(order: Order, id: str, reason: str, batch: Batch) -> None:
    """A request is turned down."""
    _moved(order, id, ReturnState.REFUSED, refused_because=reason)
    order.note(batch.now, "return_refused", f"{id}: {reason}")


def cancel_return(order: Order, id: str, who: str, batch: Batch) -> None:
    """The customer keeps it after all. Raises `CannotReturn` when its money is on its way already."""
    if any(refund.return_id == id and refund.state in LIVING for refund in order.refunds.values()):
        raise CannotReturn(f"return {id} is refunded already: close it, or agree with the customer")
    _moved(order, id, ReturnState.CANCELLED)
    order.note(batch.now, "return_cancelled", f"{id} by {who}")


def close(order: Order, id: str, who: str, batch: Batch) -> None:
    """Nothing more is expected; what never came stays with the customer. Raises `CannotReturn` for ungraded units."""
    one = order.returns[id]
    waiting = sum(line.ungraded for line in one.lines)
    if waiting:
        raise CannotReturn(f"return {id}: {waiting} units were received and not graded yet")
    _moved(order, id, ReturnState.CLOSED)
    order.note(batch.now, "return_closed", f"{id} by {who}")


def _moved(order: Order, id: str, state: ReturnState, **changes: object) -> Return:
    one = order.returns[id]
    found = msgspec.structs.replace(one, state=move(RETURN_MOVES, one.state, state), **changes)
    order.returns[id] = found
    return found


def _units(lines: Iterable[ReturnLine]) -> int:
    return sum(line.quantity for line in lines)


# --- on its way and here ---------------------------------------------------------------------------------------------


def on_its_way(order: Order, id: str, batch: Batch) -> None:
    """A carrier has it."""
    one = order.returns[id]
    if ReturnState.IN_TRANSIT in RETURN_MOVES[one.state]:
        _moved(order, id, ReturnState.IN_TRANSIT)
        order.note(batch.now, "return_in_transit", id)
        if one.refund is RefundWhen.ON_SCAN:
            refund_due(order, id, batch)


def receive(
    order: Order, id: str, arrived: Mapping[str, int] | None, node: int, batch: Batch, receipt: str | None = None
) -> None:
    """Goods arrived: sold units per line, None for all that is expected. Raises `CannotReturn` for more than expected.

    Their slices are returned, and the goods are set aside at the node until somebody has graded them.
    """
    one = order.returns[id]
    if arrived is None:
        arrived = {line.line: line.outstanding for line in one.lines if line.outstanding}
    known = {line.line: line for line in one.lines}
    faults = [
        (index, f"{units} units of line {name} arrived, {known[name].outstanding if name in known else 0} are expected")
        for index, (name, units) in enumerate(arrived.items())
        if name not in known or units > known[name].outstanding
    ]
    if faults:
        raise CannotReturn("; ".join(text for _, text in faults), faults)
    if not any(arrived.values()):
        raise CannotReturn(f"return {id}: nothing more is expected")
    if one.state is not ReturnState.RECEIVED:
        one = _moved(order, id, ReturnState.RECEIVED)
    for name, units in arrived.items():
        _take_in(order, id, name, units, node)
    lines = tuple(
        msgspec.structs.replace(line, received=line.received + arrived.get(line.line, 0)) for line in one.lines
    )
    receipts = (*one.receipts, receipt) if receipt else one.receipts
    order.returns[id] = msgspec.structs.replace(one, lines=lines, node=node, receipts=receipts)
    order.note(
        batch.now, "return_received", f"{id} at {batch.directory.nodes[node].code}: {sum(arrived.values())} units"
    )
    if one.source is not None:
        order.mend("returned_to_sender")
    rule = batch.directory.return_policy(order.merchant).under(one.lines[0].reason)
    if one.refund is RefundWhen.ON_RECEIPT:
        refund_due(order, id, batch)
    if not rule.inspect:
        grade(order, id, {name: ((Disposition.RESTOCK, units),) for name, units in arrived.items() if units}, batch)


def _take_in(order: Order, id: str, line: str, units: int, node: int) -> None:
    for no, taken in take_out_of_hands(order, line, units).items():
        demand = order.demands[no]
        if demand.item is not None and demand.tracked and taken:
            order.came_back.append(Moved(demand.item, node, taken, Condition.QUARANTINE.value, id))


def take_out_of_hands(order: Order, line: str, units: int) -> dict[int, int]:
    """The customer does not have these sold units any more; base units by demand."""
    found = {}
    for no, demand in order.demands.items():
        if demand.line != line:
            continue
        left = units * demand.per_unit
        for state in WITH_CUSTOMER:
            for part in [p for p in order.slices.values() if p.demand == no and p.state is state]:
                taken = min(left, part.quantity)
                if taken > 0:
                    order.advance(part.no, SliceState.RETURNED, taken, reason="returned")
                    left -= taken
        found[no] = units * demand.per_unit - left
    return found
