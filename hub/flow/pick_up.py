"""What waits for its customer at a node: made ready, collected, not collected in time, put back on the shelf."""

from datetime import timedelta
from typing import Final

import msgspec

from hub.domain.demand import Slice
from hub.domain.facts import GoodsCollected
from hub.domain.order import DeliveryGroup, Method, OrderContent
from hub.domain.shipping import TrackingStatus
from hub.domain.states import GONE, SLICE_MOVES, WITH_NODE, SliceState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.cancel import cancel
from hub.flow.departure import depart
from hub.flow.meant import units_meant
from hub.flow.refund import Wish, ask_refund, not_refunded, refundable
from hub.flow.refusal import CannotDo
from hub.flow.trouble import Trouble

NOT_COLLECTED: Final = "not_collected"
LOCKED: Final = "pick_up_code_locked"
WHO: Final = "clock"

FOREVER: Final = timedelta(days=3650)
"""How long a node is left out that only a person may ask again."""


def wait_for_customer(order: Order, no: int, batch: Batch) -> None:
    """Begin the customer's time to collect, once anything is ready."""
    fulfilment = order.fulfilments[no]
    ready = any(part.state is SliceState.READY for part in order.of_fulfilment(no))
    if ready and fulfilment.collect_by is None:
        policy = batch.directory.pick_up_policy(order.merchant)
        until = policy.collect_by(batch.now, batch.directory.nodes[fulfilment.node])
        order.fulfilments[no] = msgspec.structs.replace(fulfilment, collect_by=until)


def hand_over(order: Order, no: int, fact: GoodsCollected, batch: Batch) -> None:
    """The customer has it, or part of it: it left us like a shipment does, without a carrier."""
    going = units_meant(order, no, fact.lines, lambda s: SliceState.COLLECTED in SLICE_MOVES[s.state])
    units: dict[int, int] = {}
    for part, quantity in going:
        order.advance(part.no, SliceState.COLLECTED, quantity)
        units[part.demand] = units.get(part.demand, 0) + quantity
    if not units:
        return
    _no_longer_waiting(order, no)
    order.mend(LOCKED, _locked_cause(order, order.fulfilments[no].group))
    identity = f"{no}:collected:{len(order.shipments) + 1}"
    depart(order, no, identity, (), units, fact.at, batch, TrackingStatus.DELIVERED)


def _no_longer_waiting(order: Order, no: int) -> None:
    fulfilment = order.fulfilments[no]
    if not any(part.state is SliceState.READY for part in order.of_fulfilment(no)):
        order.fulfilments[no] = msgspec.structs.replace(fulfilment, collect_by=None)


# --- not collected ---------------------------------------------------------------------------------------------------


def expire(order: Order, no: int, batch: Batch) -> None:
    """The customer's time is over: what is ready is expired, and put back at once where the rules say so.

    The peers of the order are known. Does nothing before the time, or when all was collected meanwhile.
    """
    fulfilment = order.fulfilments[no]
    if fulfilment.collect_by is None or fulfilment.collect_by > batch.now:
        return
    expired = 0
    for part in order.of_fulfilment(no):
        if part.state is SliceState.READY:
            order.advance(part.no, SliceState.EXPIRED)
            expired += part.quantity
    order.fulfilments[no] = msgspec.structs.replace(fulfilment, collect_by=None)
    order.note(batch.now, "pick_up_expired", f"{fulfilment.id}: {expired} units")
    if batch.directory.pick_up_policy(order.merchant).collect.put_back == "at_once":
        put_back(order, no, WHO, batch)


def put_back(order: Order, no: int, who: str, batch: Batch) -> int:
    """Expired units are on the shelf again and for sale; returns how many. The peers of the order are known.

    Cancelled, and paid back, by rule; or the order waits in the pick-up queue for a person to decide.
    """
    parts = [part for part in order.of_fulfilment(no) if part.state is SliceState.EXPIRED]
    if not parts:
        return 0
    fulfilment = order.fulfilments[no]
    rule = batch.directory.pick_up_policy(order.merchant).collect.expired
    units = sum(part.quantity for part in parts)
    if rule == "person":
        _leave_to_person(order, no, parts, units, batch)
    else:
        _cancel(order, parts, batch, pay_back=rule == "refund")
    order.note(batch.now, "put_back", f"{fulfilment.id}: {units} units by {who}")
    return units


def _leave_to_person(order: Order, no: int, parts: list[Slice], units: int, batch: Batch) -> None:
    """Nobody waits for these units any more, and nobody said that they are not wanted."""
    fulfilment = order.fulfilments[no]
    until = batch.now + FOREVER
    for part in parts:
        order.advance(part.no, SliceState.UNALLOCATED, node=None, fulfilment=None, reason=NOT_COLLECTED)
        order.exclusions[part.demand, fulfilment.node] = until
    order.troubles.append(
        order.trouble(
            kind=NOT_COLLECTED,
            cause=f"order {order.external_id}, {fulfilment.id}",
            next_step=f"{units} units were not collected and are on the shelf again. Cancel them, or give them another "
            f"chance: POST /api/v1/orders/{order.id}/pick-up.",
        )
    )


def _cancel(order: Order, parts: list[Slice], batch: Batch, *, pay_back: bool) -> None:
    lines: dict[str, int] = {}
    for part in parts:
        order.advance(part.no, SliceState.CANCELLED, node=None, reason=NOT_COLLECTED)
    for demand in {part.demand for part in parts}:
        wanted = order.demands[demand]
        units = sum(part.quantity for part in parts if part.demand == demand)
        # A part of a kit takes the kit with it.
        lines[wanted.line] = max(lines.get(wanted.line, 0), -(-units // wanted.per_unit))
    left = {line.external_id: line.quantity for line in order.content.lines} if order.content else {}
    lines = {line: min(units, left.get(line, 0)) for line, units in lines.items() if left.get(line, 0) > 0}
    # What was handed over stays bought, be it a part of a kit whose other parts nobody came for.
    gone = any(part.state in GONE for part in order.slices.values())
    everything = not gone and all(lines.get(line, 0) >= units for line, units in left.items() if units > 0)
    link = batch.directory.speaker(order.account)
    told = everything and link is not None and link.live("cancel_order")
    if not lines:
        return
    owed = not_refunded(order, lines) if pay_back and not told and refundable(order) > 0 else {}
    if owed:
        # Of an order that is cancelled whole the money goes back when its channel knows (`owed`). Before the cancel:
        # amounts are for units as sold.
        ask_refund(order, Wish(lines=owed, reason=NOT_COLLECTED, who=WHO, capped=True, unsold=True), batch)
    cancel(order, None if everything else lines, reason=NOT_COLLECTED, who=WHO, batch=batch)


# --- somewhere else, or not at all -----------------------------------------------------------------------------------


def redirect(order: Order, key: str, target: int | None, *, who: str, reason: str, batch: Batch) -> None:
    """Have a customer collect at `target`, be it where it was refused, or have it shipped: None. A person's decision.

    Raises `CannotDo` when a node works on it, or when nobody knows where to ship it to.
    """
    group = _group(order, key)
    if group is None or group.method is not Method.PICK_UP or order.content is None:
        raise CannotDo(f"{key!r} is not a group of this order that a customer collects")
    mine = [part for part in order.slices.values() if order.demands[part.demand].group == key]
    busy = sorted({part.state.value for part in mine if part.state in WITH_NODE | {SliceState.IN_TRANSIT}})
    if busy:
        raise CannotDo(f"units of it are {', '.join(busy)}: have the node refuse them, or re-route the order first")
    if target is None and group.place is None:
        raise CannotDo("nobody knows where to ship it to: give the order a delivery address first")
    changed = _shipped(group) if target is None else _collected_at(order, group, target, batch)
    for part in mine:
        if part.state is SliceState.RESERVED:
            order.take_back(part.no, "displaced")
    for demand, node in list(order.exclusions):
        if node == target and order.demands[demand].group == key:
            order.exclusions[demand, node] = batch.now
    groups = tuple(changed if one.key == key else one for one in order.content.groups)
    redirected = _redirected(order.content, group, changed)
    order.content = msgspec.structs.replace(order.content, groups=groups, redirected=redirected)
    order.revision += 1
    order.revised = (order.content, None, batch.now)
    order.mend(NOT_COLLECTED)
    place = "to the customer" if target is None else batch.directory.nodes[target].code
    order.note(batch.now, "pick_up_redirected", f"{key}: {place} by {who}: {reason}")


def _redirected(content: OrderContent, group: DeliveryGroup, changed: DeliveryGroup) -> tuple[DeliveryGroup, ...]:
    asked = next((one for one in content.redirected if one.key == group.key), group)
    others = tuple(one for one in content.redirected if one.key != group.key)
    return others if _way(asked) == _way(changed) else (*others, asked)


def _way(group: DeliveryGroup) -> tuple[Method, str | None]:
    return group.method, group.pickup_location


def keep_redirected(old: OrderContent | None, new: OrderContent) -> OrderContent:
    """A channel's newer content, in which a person's decision about a pick-up stands.

    Until the channel itself asks for another way or place of collection than before. Pure.
    """
    if old is None or not old.redirected:
        return new
    asked = {one.key: one for one in old.redirected}
    decided = {one.key: one for one in old.groups}
    groups, kept = [], []
    for group in new.groups:
        if group.key in asked and group.key in decided and _way(asked[group.key]) == _way(group):
            kept.append(group)
            method, location = _way(decided[group.key])
            group = msgspec.structs.replace(group, method=method, pickup_location=location)
        groups.append(group)
    return msgspec.structs.replace(new, groups=tuple(groups), redirected=tuple(kept))


def _group(order: Order, key: str) -> DeliveryGroup | None:
    return next((one for one in order.content.groups if one.key == key), None) if order.content else None


def _shipped(group: DeliveryGroup) -> DeliveryGroup:
    return msgspec.structs.replace(group, method=Method.SHIP, pickup_location=None)


def _collected_at(order: Order, group: DeliveryGroup, target: int, batch: Batch) -> DeliveryGroup:
    known = batch.directory.point_of_node(order.account, target)
    single = known is not None and batch.directory.place(order.account, known) == target
    location = known if single else batch.directory.nodes[target].code
    return msgspec.structs.replace(group, pickup_location=location)


# --- the code --------------------------------------------------------------------------------------------------------


def _locked_cause(order: Order, group: str) -> str:
    return f"order {order.external_id}, group {group}"


def code_locked(order: Order, group: str, tries: int) -> Trouble:
    """The exception of a code that was wrong too often."""
    return order.trouble(
        kind=LOCKED,
        cause=_locked_cause(order, group),
        next_step=f"{tries} wrong codes were tried. Make sure who is asking, then issue a new code: "
        f"POST /api/v1/orders/{order.id}/pick-up-code.",
    )


def ready_for_code(order: Order, batch: Batch) -> list[str]:
    """Groups of which something waits for a customer who has to show a code."""
    if order.content is None or not batch.directory.pick_up_policy(order.merchant).code.required:
        return []
    waiting = {
        order.demands[part.demand].group
        for part in order.slices.values()
        if part.state is SliceState.READY
        and part.fulfilment is not None
        and order.fulfilments[part.fulfilment].connection is None
    }
    return [one.key for one in order.content.groups if one.key in waiting and one.method is Method.PICK_UP]


def code_issued(order: Order, group: str, who: str, batch: Batch) -> None:
    """A new code stands: the old one opens nothing, and its lock is gone."""
    order.mend(LOCKED, _locked_cause(order, group))
    order.note(batch.now, "pick_up_code_issued", f"group {group} by {who}")
