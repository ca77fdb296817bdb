"""Where goods that come back are sent to: the router's own decision, with its own cost terms, kept like any other."""

from collections.abc import Mapping
from typing import Final

from hub.domain.network import Node, Purpose
from hub.domain.order import DeliveryGroup, Method
from hub.domain.returns import Return
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.decided import keep_decision
from hub.flow.return_rules import RouteTerms
from hub.flow.stock_ports import ItemFacts
from hub.routing.decide import decide
from hub.routing.model import Group, GroupLine, NodeState, Policy, Snapshot

ACCEPTS: Final = "returns"
"""Capability of a node that takes goods back."""

USUAL: Final = ("dc", "3pl")
"""Kinds of nodes that take goods back where nobody said which do."""


def accepting(order: Order, batch: Batch) -> frozenset[int]:
    """Nodes that take an account's goods back: its return points, else nodes that say so, else its warehouses."""
    directory = batch.directory
    named = {
        node
        for point in directory.stock_points
        if point.account == order.account and point.purpose is Purpose.RETURN
        for node in point.nodes
    }
    said = {node.id for node in directory.nodes.values() if ACCEPTS in node.capabilities}
    serving = directory.serving(order.account)
    usual = {node.id for node in directory.nodes.values() if node.id in serving and node.kind.value in USUAL}
    return frozenset(named or said or usual)


def choose_node(
    order: Order,
    one: Return,
    items: Mapping[int, ItemFacts],
    stock: Mapping[int, Mapping[int, int]],
    terms: RouteTerms,
    batch: Batch,
) -> int | None:
    """The node that all of a return goes to; None when no node takes it."""
    lines = _lines(order, one, items)
    if not lines:
        return None
    accepts = accepting(order, batch)
    nodes = tuple(_state(node, node.id in accepts, lines, stock, terms) for node in batch.directory.nodes.values())
    group = Group(
        order=order.id,
        group=f"return {one.id}",
        method=Method.SHIP,
        channel=order.connection,
        currency=terms.currency,
        placed_at=batch.now,
        lines=lines,
        place=_delivery(order).place,
        keep_together=True,
    )
    policy = Policy(
        version=f"returns:{one.policy}",
        currency=terms.currency,
        parcel_cost=terms.per_parcel,
        per_km=terms.per_km,
        per_kg=terms.per_kg,
        unknown_distance_km=terms.unknown_distance_km,
        max_splits=0,
        split_line=False,
        allow_partial=False,
    )
    snapshot = Snapshot(at=batch.now, nodes=nodes)
    decision = decide(group, snapshot, policy)
    keep_decision(order, group, snapshot, decision, batch.now)
    return next((assignment.node for assignment in decision.plan.assignments), None)


def _delivery(order: Order) -> DeliveryGroup:
    groups = order.content.groups if order.content else ()
    return next((group for group in groups if group.method is Method.SHIP), DeliveryGroup())


def _lines(order: Order, one: Return, items: Mapping[int, ItemFacts]) -> tuple[GroupLine, ...]:
    wanted = {line.line: line.quantity for line in one.lines}
    lines = []
    for no, demand in sorted(order.demands.items()):
        units = wanted.get(demand.line, 0) * demand.per_unit
        if units and demand.item is not None and demand.item in items:
            item = items[demand.item]
            lines.append(GroupLine(demand=no, item=item.id, quantity=units, weight_g=item.weight_g, together="return"))
    return tuple(lines)


def _state(
    node: Node,
    accepts: bool,
    lines: tuple[GroupLine, ...],
    stock: Mapping[int, Mapping[int, int]],
    terms: RouteTerms,
) -> NodeState:
    """A node as a place to send goods to. It "holds" what comes, and costs more the less it needs it."""
    full = all(stock.get(line.item, {}).get(node.id, 0) >= terms.stocked_units for line in lines)
    handling = terms.handling.get(node.kind.value, 0) + (terms.stocked_cost if full else 0)
    return NodeState(
        id=node.id,
        code=node.code,
        kind=node.kind.value,
        available=tuple(line.quantity if accepts else 0 for line in lines),
        country=node.address.country if node.address else None,
        latitude=node.latitude,
        longitude=node.longitude,
        timezone=node.timezone,
        calendar=node.calendar,
        capabilities=("ship",) if accepts else (),
        handling_cost=handling,
        priority=node.priority,
        enabled=node.enabled,
    )
