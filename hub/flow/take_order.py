"""Step 5: a snapshot becomes an order, or amends the one there is. The newest version wins, in any order of arrival."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from hub.domain.contact import Contact
from hub.domain.demand import Demand
from hub.domain.network import Mode
from hub.domain.order import DeliveryGroup, ManagedBy, Method, OrderContent, OrderLine, OrderSnapshot
from hub.domain.states import AT_REST, WITH_NODE, OrderState, SliceState
from hub.domain.stock import StockReason
from hub.flow.aggregate import Left, Order
from hub.flow.amend import ask_nodes, fit
from hub.flow.backorder import promise
from hub.flow.batch import CLOCK_SKEW, Batch
from hub.flow.cancel import answer_wish
from hub.flow.cancel_back import heard, tell_cancelled
from hub.flow.change_address import keep_address
from hub.flow.claim import close_offers, know_offers
from hub.flow.difference import Change, ChangeKind, difference
from hub.flow.directory import Link
from hub.flow.elsewhere import ELSEWHERE
from hub.flow.exchange import relate
from hub.flow.hold import question
from hub.flow.keep import keep
from hub.flow.late_hold import close_answered
from hub.flow.node_hold import close_over
from hub.flow.pay import know_money, pay
from hub.flow.ports import Inbound, Unit
from hub.flow.post_payment import know_paid, post_payments
from hub.flow.post_to_erp import post_order
from hub.flow.postage import give_back
from hub.flow.redirect import LEFT, redirect, reprice
from hub.flow.refund_echo import reconcile
from hub.flow.restored import hold_restored
from hub.flow.risk import question_risk
from hub.flow.route import route
from hub.flow.settle import settle
from hub.flow.stock_ports import ItemFacts
from hub.flow.tell import tell
from hub.flow.trouble import Trouble
from hub.flow.unsent import CARRIED_OUT, DIGITAL, keep_unsent
from hub.flow.waiting import exception_of, for_item, unknown_word, wake_for_freed

Items = tuple[Mapping[str, ItemFacts], Mapping[str, ItemFacts]]
"""By SKU, and by the channel's variant."""


async def take_orders(
    unit: Unit, messages: Sequence[tuple[Inbound, OrderSnapshot]], batch: Batch
) -> list[tuple[Inbound, Trouble]]:
    """Capture, amend, reserve, route and release a batch of order snapshots in one transaction."""
    keys = sorted({(message.account, snapshot.content.external_id) for message, snapshot in messages})
    orders = await unit.by_external(keys)
    items = await _items(unit, messages)
    known = await _told_people(unit, orders.values())
    for message, snapshot in messages:
        key = (message.account, snapshot.content.external_id)
        # A message may outlive the connection that brought it: whoever speaks for the account now decides the mode.
        link = batch.directory.speaker(message.account) or batch.directory.links[message.connection]
        order = orders.get(key)
        if order is None:
            orders[key] = capture(message, snapshot, link, items[message.account], batch)
        else:
            amend(order, message, snapshot, items[message.account], batch, known.get(order.id, {}))
    await reconcile(unit, orders.values(), batch)
    await question_risk(unit, orders.values(), batch)
    hold_restored(orders.values(), batch)
    await advance(unit, orders.values(), batch)
    return []


async def advance(unit: Unit, orders: Iterable[Order], batch: Batch) -> None:
    """Take changed orders as far as they go now (recall, route, release), and write them."""
    touched = list(orders)
    await know_money(unit, touched, batch)
    await know_paid(unit, touched, batch)
    await ask_nodes(unit, touched, batch)
    close_answered(touched)
    close_over(touched, batch)
    await give_back(unit, touched, batch)
    await know_offers(unit, touched)
    await route(unit, touched, batch)
    for order in touched:
        close_offers(order, batch)
    await promise(unit, touched, batch)
    for order in touched:
        keep_unsent(order, batch)
        come_to_rest(order, batch.now)
        tell_cancelled(order, batch)
        answer_wish(order, batch)
        pay(order, batch)
        post_payments(order, batch)
    tell(touched, batch)
    writes = settle(touched, batch.now)
    await unit.write(writes, batch.now)
    await wake_for_freed(unit, touched, writes, batch)


async def _told_people(unit: Unit, orders: Iterable[Order]) -> Mapping[str, Mapping[str, Contact]]:
    """Contacts that nodes and carriers were given: only what somebody has been told can change too late."""
    told = WITH_NODE | LEFT
    ids = [order.id for order in orders if any(part.state in told for part in order.slices.values())]
    return await unit.contacts(ids) if ids else {}


async def _items(unit: Unit, messages: Sequence[tuple[Inbound, OrderSnapshot]]) -> dict[int, Items]:
    wanted: dict[int, tuple[str, set[str], set[str]]] = {}
    for message, snapshot in messages:
        _, skus, variants = wanted.setdefault(message.account, (message.merchant, set(), set()))
        for line in snapshot.content.lines:
            if line.sku:
                skus.add(line.sku)
            if line.variant:
                variants.add(line.variant)
    return {
        account: await unit.items(merchant, account, skus, variants)
        for account, (merchant, skus, variants) in wanted.items()
    }


def capture(message: Inbound, snapshot: OrderSnapshot, link: Link, items: Items, batch: Batch) -> Order:
    """A new order from its first snapshot, whatever topic brought it."""
    content = snapshot.content
    connection = link.connection
    live = connection.mode("receive") is Mode.LIVE and not content.test
    recent = connection.live_from is None or content.placed_at >= connection.live_from
    order = Order(
        id=batch.new_id(),
        merchant=message.merchant,
        account=message.account,
        connection=message.connection,
        external_id=content.external_id,
        number=content.number,
        currency=content.currency,
        placed_at=content.placed_at,
        version=content.version,
        revision=1,
        acting=live and recent,
        test=content.test,
        fresh=True,
    )
    _revise(order, message, snapshot, batch)
    if not order.acting:
        order.note(
            batch.now, "recorded", "not acted on: test order, observe mode or placed before live_from", message.id
        )
        return order
    order.note(batch.now, "captured", f"{len(content.lines)} lines", message.id)
    _demand(order, content, items, batch)
    question(order, snapshot, batch.now)
    fit(order, content, batch)
    relate(order, batch)
    post_order(order, batch)
    return order


def amend(
    order: Order,
    message: Inbound,
    snapshot: OrderSnapshot,
    items: Items,
    batch: Batch,
    people: Mapping[str, Contact],
) -> None:
    """Apply a newer snapshot as a difference; skip an older one.

    Versions are as coarse as the vendor's clock (seconds, often): the same version with other content is newer, because
    it came later; with the same content it is an echo. A version from the future was stamped by a wrong clock: it
    stands only against others of that clock.
    """
    before = order.content
    snapshot = keep_address(before, snapshot, people)
    content = keep(before, snapshot.content)
    snapshot = msgspec.structs.replace(snapshot, content=content)
    if _stale(content, order, message.received_at):
        order.note(batch.now, "skipped", "an older or equal version", message.id)
        return
    order.version = content.version
    order.number = content.number
    order.revision += 1
    known = {**people, **order.contacts}
    changes = difference(before, content, known, snapshot.contacts) if before else ()
    _revise(order, message, snapshot, batch)
    heard(order, before)
    order.note(batch.now, "amended", f"revision {order.revision}{_told(changes)}", message.id)
    if not order.acting:
        return
    if order.state is OrderState.CANCELLED:
        _still_open(order, changes, batch)
        return
    _demand(order, content, items, batch)
    question(order, snapshot, batch.now)
    fit(order, content, batch)
    redirect(order, changes, batch)
    reprice(order, changes, batch)
    relate(order, batch)
    post_order(order, batch)


def _told(changes: Sequence[Change]) -> str:
    """Changes for the timeline; of many, the first."""
    words = [str(change) for change in changes[:8]] + (["and more"] if len(changes) > 8 else [])
    return f": {', '.join(words)}" if words else ""


def _stale(content: OrderContent, order: Order, received_at: datetime) -> bool:
    """Whether a snapshot says nothing new."""
    latest_believable = int((received_at + CLOCK_SKEW).timestamp() * 1_000_000)
    if content.version <= latest_believable < order.version:
        return False
    return content.version < order.version or (content.version == order.version and content == order.content)


def _still_open(order: Order, changes: Sequence[Change], batch: Batch) -> None:
    """An order that was cancelled here stays so; a channel that goes on with it is a disagreement.

    One that is being told of the cancel, and only has not heard yet, is not.
    """
    content = order.content
    if content is None or (content.cancelled_at is not None and not content.cancelled_here):
        order.mend("cancelled_here")
        return
    link = batch.directory.links.get(batch.directory.successor(order.connection))
    told = content.cancelled_here and link is not None and link.wants("cancel_order")
    if told and not any(change.kind in (ChangeKind.LINE_ADDED, ChangeKind.QUANTITY_UP) for change in changes):
        return
    order.troubles.append(
        order.trouble(
            kind="cancelled_here",
            cause=f"{order.connection}: order {order.external_id}",
            next_step="The order is cancelled here and open at the channel. Cancel it there too, or place it anew.",
        )
    )


def _revise(order: Order, message: Inbound, snapshot: OrderSnapshot, batch: Batch) -> None:
    order.content = snapshot.content
    order.revised = (snapshot.content, message.id or None, batch.now)
    order.contacts = dict(snapshot.contacts)
    order.payments = list(snapshot.content.payments)


def group_of(content: OrderContent, key: str) -> DeliveryGroup:
    """A delivery group of an order by its key."""
    return next((group for group in content.groups if group.key == key), DeliveryGroup(key=key))


def _demand(order: Order, content: OrderContent, items: Items, batch: Batch) -> None:
    """Make demands for lines that have none yet, and raise those whose line grew."""
    by_line: dict[str, list[Demand]] = {}
    for demand in order.demands.values():
        by_line.setdefault(demand.line, []).append(demand)
    for line in content.lines:
        known = by_line.get(line.external_id)
        if known is None:
            if line.quantity > 0 or line.fulfilled_elsewhere > 0:
                expand(order, line, content, items, batch)
            continue
        for demand in known:
            missing = line.quantity * demand.per_unit - order.live(demand.no) - order.returned(demand.no)
            if missing > 0:
                order.demands[demand.no] = msgspec.structs.replace(demand, quantity=demand.quantity + missing)
                order.add_slice(demand.no, missing)


def find_item(line: OrderLine, items: Items) -> ItemFacts | None:
    """The item of a line: the channel's variant as mapped, else the SKU."""
    by_sku, by_variant = items
    mapped = by_variant.get(line.variant) if line.variant else None
    return mapped or (by_sku.get(line.sku) if line.sku else None)


def expand(order: Order, line: OrderLine, content: OrderContent, items: Items, batch: Batch) -> None:
    """Demands of one line: one for its item, one per component of a kit, an unresolved one for an unknown SKU."""
    item = find_item(line, items)
    units = max(line.quantity, line.fulfilled_elsewhere)
    parts: Sequence[tuple[int | None, int]] = [(item.id if item else None, 1)]
    if item is not None and item.components:
        parts = item.components
    group = group_of(content, line.group)
    for item_id, per_unit in parts:
        no = max(order.demands, default=0) + 1
        order.demands[no] = Demand(
            no=no,
            line=line.external_id,
            group=line.group,
            sku=line.sku,
            item=item_id,
            quantity=units * per_unit,
            per_unit=per_unit,
            managed_by=line.managed_by,
            tracked=item is None or item.stock_mode == "tracked" or bool(item.components),
            ships=line.ships and (item is None or item.ships),
        )
        order.add_slice(no, units * per_unit)
        _already(order, no, line, group, content, batch)
    if item is None and line.ships and line.managed_by in (ManagedBy.HUB, ManagedBy.DONE):
        unresolved(order, line, batch)


def unresolved(order: Order, line: OrderLine, batch: Batch) -> None:
    """A line whose SKU nobody knows: the order stands, its release waits, one exception per SKU."""
    reason = f"line {line.external_id}: {unknown_word(line)} is not an item"
    order.hold("unresolved", reason, owner="hub", at=batch.now, rule="cause")
    (demand,) = (demand.no for demand in order.demands.values() if demand.line == line.external_id)
    wait = order.waits[demand] = for_item(line)
    kind, cause = exception_of(order, demand, wait, batch)
    order.troubles.append(
        order.trouble(
            kind=kind,
            cause=cause,
            next_step=f"Create the item with PUT /api/v1/items/{line.sku or '{sku}'} or map the channel's variant with "
            "PUT /api/v1/sku-maps; the orders that wait are tried again at once.",
        )
    )


def _already(order: Order, no: int, line: OrderLine, group: DeliveryGroup, content: OrderContent, batch: Batch) -> None:
    """Units that need no fulfilment from us: carried out of a store, digital, or fulfilled before we knew of them."""
    demand = order.demands[no]
    part = max(order.slices)
    if line.managed_by is ManagedBy.DONE or group.method is Method.CARRIED_OUT:
        node = _store(order, group, batch)
        order.advance(part, SliceState.COLLECTED, node=node, reason=CARRIED_OUT)
        if demand.item is not None and node is not None:
            at = min(content.placed_at, batch.now)
            order.left.append(Left(demand.item, node, StockReason.CARRIED_OUT, demand.quantity, at))
    elif not demand.ships:
        order.advance(part, SliceState.DELIVERED, reason=DIGITAL)
    elif line.fulfilled_elsewhere > 0:
        units = min(line.fulfilled_elsewhere * demand.per_unit, demand.quantity)
        order.advance(part, SliceState.SHIPPED, units, reason=ELSEWHERE)


def _store(order: Order, group: DeliveryGroup, batch: Batch) -> int | None:
    """The node that goods were carried out of; what no node stands for is told, and takes no stock."""
    location = group.pickup_location
    node = batch.directory.node_of_point(order.account, location) if location else None
    if node is None:
        account = batch.directory.accounts[order.account].name
        order.troubles.append(
            order.trouble(
                kind="unknown_location",
                cause=f"{account}: {location or 'no location'}",
                next_step="Make the location a stock point of one node (PUT /api/v1/stock-points). Until then, sales "
                "there take no stock: count that store afterwards.",
            )
        )
    return node


def come_to_rest(order: Order, now: datetime) -> None:
    """Compute the order's own state from its slices."""
    if not order.acting or order.state is OrderState.CANCELLED:
        return
    states = {part.state for part in order.slices.values()}
    if not states:
        wanted = OrderState.CANCELLED if order.content and order.content.cancelled_at else OrderState.CAPTURED
    elif states == {SliceState.CANCELLED} and order.content and order.content.cancelled_at:
        wanted = OrderState.CANCELLED
    elif states <= AT_REST:
        wanted = OrderState.CLOSED
    else:
        wanted = OrderState.OPEN
    if wanted is OrderState.CAPTURED:
        return
    order.move_to(wanted)
    if wanted is not OrderState.OPEN:
        _nothing_to_stop(order, wanted, now)


def _nothing_to_stop(order: Order, state: OrderState, now: datetime) -> None:
    """Lift what holds an order that is over: all of it when nothing was sent, else what was asked about sending it."""
    for hold in [one for one in order.holds.values() if one.active]:
        asked = hold.lift_rule == "revision" and set(hold.stops) <= {"release"}
        if asked or state is OrderState.CANCELLED:
            order.end_hold(hold.no, now)
            order.mend(hold.kind)
