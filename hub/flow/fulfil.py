"""Step 7: what is reserved and not held is released, one fulfilment order per node and group."""

from collections.abc import Mapping
from decimal import Decimal

from hub.domain.contact import Contact
from hub.domain.demand import Slice
from hub.domain.effects import CancelFulfilment, SubmitFulfilment
from hub.domain.fulfilment import FulfilmentOrder, fulfilment_id
from hub.domain.money import MINOR_UNITS
from hub.domain.order import DeliveryGroup, OrderContent
from hub.domain.states import OrderState, SliceState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.ship_complete import complete
from hub.flow.stock_ports import ItemFacts
from hub.flow.transfer import destination
from hub.promise.ship_by import ship_by
from hub.sdk.capabilities import (
    FulfilmentCancel,
    FulfilmentRequest,
    RequestLine,
)


def release(order: Order, batch: Batch, loads: dict[int, int]) -> None:
    """Release reserved units that no hold stops and whose time has come."""
    if not order.acting or order.state is OrderState.CANCELLED:
        return
    ready: dict[tuple[str, int], list[Slice]] = {}
    whole = {group: complete(order, group, batch.now) for group in {one.group for one in order.demands.values()}}
    for part in order.slices.values():
        if part.state is not SliceState.RESERVED or part.node is None:
            continue
        group = order.demands[part.demand].group
        asked = delivery(order, group)
        early = asked.not_before is not None and asked.not_before > batch.now
        if early or not whole[group] or order.held(group, part):
            continue
        ready.setdefault((group, part.node), []).append(part)
    for (group, node), parts in sorted(ready.items()):
        _release(order, group, node, parts, batch, loads.get(node))
        if node in loads:
            loads[node] += 1


def delivery(order: Order, key: str) -> DeliveryGroup:
    """A delivery group of an order by its key."""
    groups = order.content.groups if order.content else ()
    return next((group for group in groups if group.key == key), DeliveryGroup(key=key))


def _release(order: Order, group: str, node: int, parts: list[Slice], batch: Batch, load: int | None) -> None:
    no = max(order.fulfilments, default=0) + 1
    place = batch.directory.nodes[node]
    policy = batch.directory.pick_up_policy(order.merchant)
    link = batch.directory.fulfiller(node, order.merchant)
    told = link is not None and link.live("submit_fulfilment")
    order.fulfilments[no] = FulfilmentOrder(
        order=order.id,
        no=no,
        group=group,
        node=node,
        connection=link.connection.id if link and told else None,
        created_at=batch.now,
        ship_by=ship_by(batch.now, place.calendar, place.timezone),
        destination=destination(order, delivery(order, group), node, batch),
        accept_by=policy.accept_by(batch.now, place),
    )
    for part in parts:
        order.advance(part.no, SliceState.RELEASED, fulfilment=no)
    public = fulfilment_id(order.id, no)
    if place.capacity_per_day is not None:
        order.loads.append((node, batch.now, place.timezone, place.capacity_per_day, load))
    order.note(batch.now, "released", f"{public} to {place.code}")
    if link and told:
        order.plan(link.connection.id, public, SubmitFulfilment(order=order.id, fulfilment=no))


def fulfilment_request(
    order: Order,
    effect: SubmitFulfilment,
    *,
    contacts: Mapping[str, Contact],
    items: Mapping[int, ItemFacts],
    location: str | None,
    key: str,
    look_first: bool,
    references: Mapping[str, str],
    node_of_ours: Contact | None = None,
    prices: Mapping[tuple[str, int, int], Mapping[str, Decimal]] = {},
) -> FulfilmentRequest:
    """What the node is asked, built when it is sent: the newest address, never one that an amendment replaced.

    `node_of_ours` is where goods go that another node of ours hands over. `prices`, by (merchant, node, item), are what
    a supplier agreed to; an item's own cost stands in.
    """
    fulfilment = order.fulfilments[effect.fulfilment]
    content = order.content
    assert content is not None
    units: dict[int, int] = {}
    for part in order.of_fulfilment(effect.fulfilment):
        units[part.demand] = units.get(part.demand, 0) + part.quantity
    group = delivery(order, fulfilment.group)
    return FulfilmentRequest(
        key=key,
        look_first=look_first,
        references=references,
        fulfilment=fulfilment.id,
        order_number=order.number,
        lines=tuple(
            _request_line(order, content, no, quantity, items, fulfilment.node, prices)
            for no, quantity in sorted(units.items())
        ),
        location=location,
        ship_to=node_of_ours or contacts.get(group.contact or "ship", Contact()),
        service=group.service,
        currency=order.currency,
        ordered_at=order.placed_at,
        ship_by=fulfilment.ship_by,
        purchase_order=content.purchase_order,
    )


def _request_line(
    order: Order,
    content: OrderContent,
    no: int,
    quantity: int,
    items: Mapping[int, ItemFacts],
    node: int,
    prices: Mapping[tuple[str, int, int], Mapping[str, Decimal]],
) -> RequestLine:
    demand = order.demands[no]
    line = next((one for one in content.lines if one.external_id == demand.line), None)
    item = items.get(demand.item) if demand.item is not None else None
    value = None
    if line is not None and line.quantity > 0 and demand.quantity > 0 and order.currency in MINOR_UNITS:
        value = (line.subtotal - line.discount) * quantity // demand.quantity
    return RequestLine(
        line=str(no),
        sku=item.sku if item else (demand.sku or ""),
        quantity=quantity,
        title=line.title if line else None,
        value=value,
        unit_costs={**item.unit_cost, **prices.get((order.merchant, node, item.id), {})} if item else {},
    )


def cancel_request(
    order: Order, effect: CancelFulfilment, *, key: str, look_first: bool, references: Mapping[str, str]
) -> FulfilmentCancel:
    """What the node is asked when we want it to stop."""
    fulfilment = order.fulfilments[effect.fulfilment]
    return FulfilmentCancel(
        key=key,
        look_first=look_first,
        references=references,
        fulfilment=fulfilment.id,
        partner_reference=fulfilment.partner_reference,
        reason=order.cancels[effect.request].reason,
    )
