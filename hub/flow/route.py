"""Step 6: gather what a decision needs, let `routing` decide, and reserve what it chose, group by group."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from hub.domain.demand import Demand
from hub.domain.item import margin
from hub.domain.order import DeliveryGroup, ManagedBy, Method
from hub.domain.states import OrderState, SliceState
from hub.flow.aggregate import Order
from hub.flow.backorder import released
from hub.flow.batch import Batch
from hub.flow.claim import offer
from hub.flow.decided import keep_decision
from hub.flow.fulfil import release
from hub.flow.ports import Unit
from hub.flow.remainder import OPEN, leave, no_answer
from hub.flow.scene import Scene
from hub.flow.stock_ports import ItemFacts
from hub.flow.transfer import as_routed, by_way_of_another
from hub.flow.waiting import stop_waiting
from hub.routing.conditions import ConditionFailed
from hub.routing.decide import decide
from hub.routing.model import Decision, Group, GroupLine
from hub.routing.prepare import RoutingInputError


async def route(unit: Unit, orders: Iterable[Order], batch: Batch) -> None:
    """Decide for every group with unallocated units, reserve, and release what nothing holds."""
    pending = [(order, key, demands) for order in orders for key, demands in _pending(order).items()]
    if pending:
        wanted = {demand.item for _, _, demands in pending for demand in demands if demand.item is not None}
        items = await unit.items_by_id(wanted)
        pending = released(pending, items, batch.now)
        free = await unit.free(wanted, lock=batch.lock_stock)
        limits = {no: node for no, node in batch.directory.nodes.items() if node.capacity_per_day is not None}
        loads = dict.fromkeys(limits, 0)
        if limits:
            loads |= await unit.loads(limits, batch.now, lock=batch.lock_stock)
        scene = Scene(batch.directory, items, free, loads)
        for order, demands, group in _by_priority(pending, scene, batch):
            _decide_group(order, demands, group, scene, batch)
            release(order, batch, loads)
    decided = {order.id for order, _, _ in pending}
    for order in orders:
        if order.id not in decided:
            release(order, batch, {})


def _pending(order: Order) -> dict[str, list[Demand]]:
    """Hub-managed demands with unallocated units and a known item, by group."""
    found: dict[str, list[Demand]] = {}
    if not order.acting or order.state is OrderState.CANCELLED:
        return found
    open_demands = {part.demand for part in order.slices.values() if part.state in OPEN}
    for no in sorted(open_demands):
        demand = order.demands[no]
        if demand.item is not None and demand.managed_by is ManagedBy.HUB and demand.ships:
            found.setdefault(demand.group, []).append(demand)
    return found


def _by_priority(
    pending: Sequence[tuple[Order, str, list[Demand]]], scene: Scene, batch: Batch
) -> list[tuple[Order, list[Demand], Group]]:
    """What there is to decide, in the order in which the policy serves it; among equals as it came."""
    groups = [(order, demands, _group(order, key, demands, scene.items, batch)) for order, key, demands in pending]
    return sorted(groups, key=lambda one: _priority(one[0], one[2], scene, batch)) if len(groups) > 1 else groups


def _priority(order: Order, group: Group, scene: Scene, batch: Batch) -> int:
    try:
        network = scene.network(order)
        chain = network.prepared.chain
        return network.policy.priority if chain is None else chain.settings(group, batch.now).priority
    except (ConditionFailed, RoutingInputError):
        return batch.directory.policy(order.merchant).priority  # deciding says what is wrong


def _decide_group(order: Order, demands: Sequence[Demand], group: Group, scene: Scene, batch: Batch) -> None:
    try:
        network = scene.network(order)
        snapshot = scene.snapshot(network, group, batch.now)
        decision = decide(group, snapshot, network.policy, network.prepared)
    except (ConditionFailed, RoutingInputError) as error:
        version = batch.directory.policy(order.merchant).version
        no_answer(order, [demand.no for demand in demands], error, version, batch)
        return
    keep_decision(order, group, snapshot, decision, batch.now)
    _reserve(order, decision, demands, scene, batch)
    offer(order, group, decision, snapshot, batch)
    onward = by_way_of_another(order, group, decision.plan.unfilled, batch)
    if onward is not None:
        _decide_group(order, demands, onward, scene, batch)
        return
    leave(order, decision, group, snapshot, batch)


def _group(order: Order, key: str, demands: Sequence[Demand], items: Mapping[int, ItemFacts], batch: Batch) -> Group:
    content = order.content
    asked = next((g for g in content.groups if g.key == key), None) if content else None
    delivery = asked or DeliveryGroup(key=key)
    pickup = None
    if delivery.method is Method.PICK_UP and delivery.pickup_location is not None:
        pickup = batch.directory.place(order.account, delivery.pickup_location)
    asked_for = Group(
        order=order.id,
        group=key,
        method=delivery.method,
        channel=order.connection,
        currency=order.currency,
        placed_at=order.placed_at,
        lines=_lines(order, demands, items, batch),
        place=delivery.place,
        service=delivery.service,
        customer_group=content.customer_group if content else None,
        tags=content.tags if content else (),
        pickup_node=pickup,
        keep_together=delivery.keep_together,
        deliver_by=delivery.deliver_by,
        no_earlier_than=delivery.not_before,
        source=content.source if content else None,
        account=batch.directory.accounts[order.account].name,
    )
    return as_routed(asked_for, delivery, order, batch)


def _lines(
    order: Order, demands: Sequence[Demand], items: Mapping[int, ItemFacts], batch: Batch
) -> tuple[GroupLine, ...]:
    """What is still to be placed. A line's value goes evenly over the parts of a kit, and with the units."""
    lines = order.content.lines if order.content else ()
    values = {line.external_id: line.subtotal - line.discount for line in lines}
    parts = Counter(demand.line for demand in order.demands.values())
    found = []
    for demand in demands:
        assert demand.item is not None
        item = items[demand.item]
        units = sum(p.quantity for p in order.slices.values() if p.demand == demand.no and p.state in OPEN)
        refused = (n for (no, n), until in order.exclusions.items() if no == demand.no and until > batch.now)
        value = values.get(demand.line, 0) * units // (demand.quantity * parts[demand.line])
        found.append(
            GroupLine(
                demand=demand.no,
                item=demand.item,
                quantity=units,
                weight_g=item.weight_g,
                value=value,
                classes=item.classes,
                refused_by=tuple(sorted(refused)),
                volume_cm3=item.volume_cm3,
                margin=margin(value, units, item.unit_cost, order.currency) if demand.line in values else None,
            )
        )
    return tuple(found)


def _reserve(order: Order, decision: Decision, demands: Sequence[Demand], scene: Scene, batch: Batch) -> None:
    """Pin what was assigned."""
    item_of = {demand.no: demand.item for demand in demands}
    unfilled = dict(decision.plan.unfilled)
    for assignment in decision.plan.assignments:
        left = assignment.quantity
        for part in [p for p in order.slices.values() if p.demand == assignment.demand]:
            if left > 0 and order.slices[part.no].state in OPEN:
                units = min(left, part.quantity)
                order.advance(part.no, SliceState.RESERVED, units, node=assignment.node, reason=None)
                left -= units
        item = item_of[assignment.demand]
        assert item is not None
        scene.take(item, assignment.node, assignment.quantity)
        if assignment.demand not in unfilled:
            stop_waiting(order, assignment.demand, batch)
    if decision.plan.assignments:
        nodes = batch.directory.nodes
        chosen = sorted({nodes[a.node].code for a in decision.plan.assignments})
        order.note(batch.now, "routed", f"decision {order.decisions + len(order.decisions_made)}: {', '.join(chosen)}")
