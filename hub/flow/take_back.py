"""Take facts about money and goods that go back to their orders: answers of channels, arrivals at nodes."""

from collections.abc import Sequence
from typing import Final

import msgspec

from hub.domain.facts import CancelTold, GoodsReturned, PaymentMade, PaymentRefused, ReturnedLine
from hub.domain.fulfilment import split_fulfilment_id
from hub.domain.returns import Return, ReturnLine
from hub.domain.states import ReturnState
from hub.domain.stock import Condition
from hub.flow.aggregate import Moved, Order
from hub.flow.batch import Batch
from hub.flow.carry import Parked
from hub.flow.grade import Grades, check, grade, graded, moves, refund_due
from hub.flow.owed import pay_back
from hub.flow.pay import request_done, request_refused
from hub.flow.peers import ledger_row, return_row
from hub.flow.ports import Inbound, Unit
from hub.flow.refund import refund_done, refund_refused
from hub.flow.returns import (
    BLIND,
    Asked,
    CannotReturn,
    Wanted,
    open_return,
    receive,
    returnable,
    take_out_of_hands,
)
from hub.flow.take_order import advance
from hub.flow.trouble import Trouble
from hub.flow.writes import Writes

OWNERLESS: Final = "return_without_order"
"""Exception of goods of which nobody knows the order. It waits under the return's own id."""


async def take_payments(
    unit: Unit, messages: Sequence[tuple[Inbound, PaymentMade | PaymentRefused | CancelTold]], batch: Batch
) -> None:
    """What came of captures, voids, refunds and cancels that we asked the channel for."""
    orders = await unit.by_id({fact.order for _, fact in messages})
    await unit.peers(orders.values())
    for _, fact in messages:
        order = orders[fact.order]
        if isinstance(fact, CancelTold):
            pay_back(order, fact, batch)
            continue
        kind, _, no = fact.what.partition(":")
        if isinstance(fact, PaymentRefused):
            refused = refund_refused if kind == "refund" else request_refused
            refused(order, int(no), fact.reason, batch)
        elif kind == "refund":
            refund_done(order, int(no), fact.payments, fact.reference, batch)
        else:
            request_done(order, int(no), fact.payments, fact.reference, batch)
    await advance(unit, orders.values(), batch)


async def take_returns(unit: Unit, messages: Sequence[tuple[Inbound, GoodsReturned]], batch: Batch) -> Parked:
    """Goods arrived at nodes, with a request or without. What cannot be right is told, and the goods are there."""
    parked: Parked = []
    for inbound, fact in messages:
        node = batch.directory.node_at(inbound.connection, fact.location)
        if node is None:
            step = "Bind the partner's location to a node (PUT /api/v1/nodes/{code}, bindings)."
            parked.append((inbound, Trouble("unknown_location", f"{inbound.connection}: {fact.location}", step)))
            continue
        source = f"told:{inbound.connection}:{fact.receipt}"
        if await unit.return_told(inbound.merchant, source):
            continue
        found = await _order_of(unit, fact)
        if found is not None and any(source in one.receipts for one in found.returns.values()):
            continue
        if found is None or found.merchant != inbound.merchant:
            await unknown_goods(unit, inbound.merchant, fact.lines, node.id, source, batch, who=inbound.connection)
            continue
        await _arrived(unit, found, fact, node.id, source, batch)
        await advance(unit, [found], batch)
    return parked


async def _order_of(unit: Unit, fact: GoodsReturned) -> Order | None:
    """The order that a parcel belongs to: by the return, the order, or the tracking number it came with."""
    ids = await unit.orders_of_returns([fact.return_id]) if fact.return_id else []
    if not ids and fact.order is not None:
        try:
            ids = [split_fulfilment_id(fact.order)[0]]
        except ValueError:
            ids = [fact.order]
    if not ids and fact.tracking is not None:
        ids = (await unit.by_tracking([fact.tracking])).get(fact.tracking, [])
    orders = await unit.by_id(ids[:1])
    await unit.peers(orders.values())
    return next(iter(orders.values()), None)


async def _arrived(unit: Unit, order: Order, fact: GoodsReturned, node: int, source: str, batch: Batch) -> None:
    """Take goods into the returns that expect them, and what nobody expects into one of its own."""
    units = await _by_line(unit, order, fact.lines)
    looked = list(fact.lines)
    for one in [*order.returns.values()]:
        if not one.open or fact.return_id not in (None, one.id):
            continue
        here = {line.line: min(line.outstanding, units.get(line.line, 0)) for line in one.lines}
        here = {line: count for line, count in here.items() if count}
        if here:
            receive(order, one.id, here, node, batch, source)
            units = {line: count - here.get(line, 0) for line, count in units.items()}
            _graded(order, one.id, looked, here, batch)
    left = returnable(order)
    blind = [Wanted(line, min(count, left.get(line, 0)), BLIND) for line, count in units.items()]
    blind = [wanted for wanted in blind if wanted.units > 0]
    if blind:
        asked = Asked(blind, who="node", blind=True, source=source, node=node)
        made = await open_return(unit, order, asked, batch)
        receive(order, made.id, None, node, batch, source)
        _graded(order, made.id, looked, {wanted.line: wanted.units for wanted in blind}, batch)
        units = {line: count - sum(w.units for w in blind if w.line == line) for line, count in units.items()}
    over = sum(units.values())
    if over > 0:
        order.troubles.append(
            order.trouble(
                kind="returned_unasked",
                cause=f"order {order.external_id}: receipt {fact.receipt}",
                next_step=f"{over} units more came back than the customer had. Count what is there, and correct the "
                "shelf with a count (PUT /api/v1/stock).",
            )
        )


async def _by_line(unit: Unit, order: Order, lines: Sequence[ReturnedLine]) -> dict[str, int]:
    """Sold units per order line; a SKU means the lines of it in turn."""
    skus = sorted({line.sku for line in lines if line.sku is not None})
    items = await unit.items_by_sku(order.merchant, skus) if skus else {}
    units: dict[str, int] = {}
    left = returnable(order)
    for told in lines:
        if told.line is not None:
            units[told.line] = units.get(told.line, 0) + told.quantity
            continue
        count = told.quantity
        meant = [d.line for d in order.demands.values() if told.sku in (d.sku,) or d.item == items.get(told.sku or "")]
        for name in dict.fromkeys(meant):
            taken = min(count, max(0, left.get(name, 0) + _expected(order, name) - units.get(name, 0)))
            units[name] = units.get(name, 0) + taken
            count -= taken
        if count and meant:
            units[meant[0]] = units.get(meant[0], 0) + count
        elif count:
            units[f"sku:{told.sku}"] = units.get(f"sku:{told.sku}", 0) + count
    return units


def _expected(order: Order, line: str) -> int:
    return sum(
        part.outstanding for one in order.returns.values() if one.open for part in one.lines if part.line == line
    )


def _graded(order: Order, id: str, looked: list[ReturnedLine], here: dict[str, int], batch: Batch) -> None:
    """What the node graded already: of units of a line, or of its SKU, as many as it says of each kind.

    `looked` is what of the message has not been used yet; what is used is taken out of it.
    """
    for name, units in here.items():
        skus = {demand.sku for demand in order.demands.values() if demand.line == name}
        room = min(units, next(line.ungraded for line in order.returns[id].lines if line.line == name))
        grades = []
        for place, told in enumerate(looked):
            taken = min(room, told.quantity) if told.line == name or (told.line is None and told.sku in skus) else 0
            looked[place] = msgspec.structs.replace(told, quantity=told.quantity - taken)
            room -= taken
            if told.disposition is not None and taken:
                grades.append((told.disposition, taken))
        if grades:
            grade(order, id, {name: grades}, batch)


async def unknown_goods(
    unit: Unit, merchant: str, lines: Sequence[ReturnedLine], node: int, source: str | None, batch: Batch, *, who: str
) -> Return:
    """Goods of which nobody knows the order: they are there, set aside, and a person has to find out whose they are."""
    skus = await unit.items_by_sku(merchant, sorted({line.sku for line in lines if line.sku is not None}))
    made = Return(
        id=batch.new_id(),
        order=None,
        lines=tuple(
            ReturnLine(
                line=f"sku:{line.sku or line.line}",
                quantity=line.quantity,
                reason=BLIND,
                item=skus.get(line.sku or ""),
                received=line.quantity,
            )
            for line in lines
        ),
        created_at=batch.now,
        state=ReturnState.RECEIVED,
        node=node,
        merchant=merchant,
        asked_by=who,
        source=source,
        blind=True,
    )
    came = [
        Moved(line.item, node, line.quantity, Condition.QUARANTINE.value, made.id)
        for line in made.lines
        if line.item is not None
    ]
    trouble = Trouble(
        kind=OWNERLESS,
        cause=_ownerless(made, batch),
        waiter=("order", made.id),
        next_step=f"Find out whose goods these are and POST /api/v1/returns/{made.id}/match with the order; or grade "
        "them as they are.",
    )
    rows = [ledger_row(merchant, moved, batch.now) for moved in came]
    writes = Writes(
        returns=[return_row(made)],
        ledger=rows,
        dirty=sorted({row.item for row in rows}),
        troubles=[(merchant, None, trouble)],
    )
    await unit.write(writes, batch.now)
    return made


def match(order: Order, loose: Return, batch: Batch) -> Return:
    """Goods that nobody knew the owner of belong to this order. Raises `CannotReturn` for more than the customer had.

    They are on the node's books already: only the order learns of them, and its money falls due by the rules.
    """
    left = returnable(order)
    lines: list[ReturnLine] = []
    faults = []
    for index, told in enumerate(loose.lines):
        sku = told.line.removeprefix("sku:")
        meant = [d.line for d in order.demands.values() if d.sku == sku or (told.item and d.item == told.item)]
        name = next((line for line in meant if left.get(line, 0) >= told.quantity), None)
        if name is None:
            faults.append((index, f"the customer of order {order.number} has no {told.quantity} units of {sku}"))
            continue
        left[name] -= told.quantity
        lines.append(msgspec.structs.replace(told, line=name))
    if faults:
        raise CannotReturn("; ".join(text for _, text in faults), faults)
    rule = batch.directory.return_policy(order.merchant)
    made = msgspec.structs.replace(
        loose, order=order.id, lines=tuple(lines), policy=rule.version, refund=rule.under(BLIND).refund
    )
    order.returns[made.id] = made
    for line in lines:
        take_out_of_hands(order, line.line, line.quantity)
    order.note(batch.now, "return_matched", f"{made.id}: {sum(line.quantity for line in lines)} units")
    refund_due(order, made.id, batch)
    return order.returns[made.id]


async def settle_loose(unit: Unit, loose: Return, batch: Batch) -> None:
    """Nobody has to look for the owner of these goods any more."""
    mended = (loose.merchant, loose.id, OWNERLESS, _ownerless(loose, batch))
    await unit.write(Writes(mended=[mended]), batch.now)


def _ownerless(loose: Return, batch: Batch) -> str:
    return f"return {loose.id} at node {batch.directory.nodes[loose.node or 0].code}"


async def grade_loose(unit: Unit, loose: Return, grades: Grades, note: str | None, batch: Batch) -> Return:
    """Grade goods without an order: stock alone. Raises `CannotGrade`."""
    check(loose, grades)
    items = {line.line: line.item for line in loose.lines}
    moved = [
        one
        for name, parts in grades.items()
        for disposition, units in parts
        if (item := items[name]) is not None and loose.node is not None
        for one in moves(item, loose.node, units, disposition, loose.id)
    ]
    made = graded(loose, grades, note)
    rows = [ledger_row(loose.merchant, one, batch.now) for one in moved]
    more = {one.item for one in moved if one.condition == Condition.SELLABLE}
    writes = Writes(returns=[return_row(made)], ledger=rows, dirty=sorted({row.item for row in rows}))
    await unit.write(writes, batch.now)
    await settle_loose(unit, loose, batch)
    if more:
        await unit.wake(loose.merchant, sorted(f"item:{item}" for item in more), batch.now)
    return made
