"""What makes a supplier's answer other than a warehouse's: a date that may move the promise, and a price to agree to.

A supplier is a node like any other. Its fulfilment order is a purchase order: what was agreed is kept when it is sent,
what the supplier says is kept when it acknowledges, and of several acknowledgements the one that was true last counts.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from hub.domain.facts import FactLine, FulfilmentAccepted, PurchaseOrdered
from hub.domain.network import NodeKind
from hub.domain.purchase import Purchase, UnitCost, dearer, total_cost
from hub.domain.states import WITH_NODE, CancelState, SliceState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.meant import means
from hub.flow.refusal import CannotDo
from hub.flow.trouble import Trouble

COST: Final = "supplier_cost"
UNANSWERED: Final = "not_acknowledged"


def purchased(order: Order, no: int, fact: PurchaseOrdered, batch: Batch) -> None:
    """The supplier was sent a purchase order. It may have answered before we heard that it was sent."""
    known = order.fulfilments[no].purchase or Purchase()
    if known.number is not None:
        return
    agreed, _ = _by_demand(order, no, fact.costs)
    now = msgspec.structs.replace(
        known,
        number=fact.number,
        currency=fact.currency,
        agreed=agreed,
        tolerance_percent=fact.tolerance_percent,
        transit_days=fact.transit_days,
        stated_currency=known.stated_currency or (fact.currency if known.stated else None),
    )
    _keep(order, no, _counted(order, no, now) if known.stated else now)
    if known.acknowledged_at is not None:
        _promise(order, no, known, batch)
        _weigh(order, no, known)


def acknowledge(order: Order, no: int, fact: FulfilmentAccepted, batch: Batch) -> None:
    """What else an acceptance says: when it leaves and what it costs. A node that says neither is no supplier."""
    known = order.fulfilments[no].purchase
    if known is None and fact.ships_on is None and not fact.costs:
        return
    if all(part.state is SliceState.CANCELLED for part in order.of_fulfilment(no)):
        _over(order, no)
        return
    known = known or Purchase()
    if known.acknowledged_at is not None and fact.at < known.acknowledged_at:
        return
    stated, strange = _by_demand(order, no, fact.costs)
    date = _date(order, no, fact)
    currency = (fact.currency or known.currency) if stated else known.stated_currency
    # Prices in other money than before are no addition to them.
    earlier = known.stated if currency == known.stated_currency else {}
    now = msgspec.structs.replace(
        known,
        acknowledged_at=fact.at,
        ships_on=date or known.ships_on,
        stated=earlier | stated,
        stated_currency=currency,
    )
    now = _counted(order, no, now)
    _keep(order, no, now)
    if strange:
        _tell(order, no, "acknowledged_unknown_line", f"names {', '.join(strange)}", _NO_SUCH_LINE)
    _promise(order, no, known, batch)
    _weigh(order, no, known)
    order.note(batch.now, "acknowledged", f"{order.fulfilments[no].id}: {_said(known, now)}")


def heard(order: Order, no: int, batch: Batch) -> None:
    """What was asked about a supplier is over once it has left nothing unanswered, or nothing of it is wanted."""
    asked, parts = order.fulfilments[no], order.of_fulfilment(no)
    place = batch.directory.nodes.get(asked.node)
    if asked.purchase is not None and asked.purchase.stated:
        counted = _counted(order, no, asked.purchase)
        if counted != asked.purchase:
            _keep(order, no, counted)
    if place is None or place.kind is not NodeKind.SUPPLIER:
        return
    if not any(part.state is SliceState.RELEASED for part in parts):
        order.mend(UNANSWERED, _cause(order, no, "is not acknowledged"))
    if asked.purchase is not None and dearer(asked.purchase) and all(p.state is SliceState.CANCELLED for p in parts):
        order.mend(COST, _cost_cause(order, no, asked.purchase))


# --- the choices of a person -----------------------------------------------------------------------------------------


def approve_cost(order: Order, no: int, who: str, batch: Batch) -> None:
    """What the supplier asks for is agreed to. Raises `CannotDo` when it asks for nothing more."""
    asked = order.fulfilments[no]
    purchase = asked.purchase
    if purchase is None or not dearer(purchase):
        raise CannotDo(f"{asked.id} costs no more than was agreed")
    order.mend(COST, _cost_cause(order, no, purchase))
    agreed = purchase.agreed if purchase.stated_currency == purchase.currency else {}
    _keep(
        order,
        no,
        msgspec.structs.replace(purchase, agreed=agreed | purchase.stated, currency=purchase.stated_currency),
    )
    order.note(batch.now, "cost_approved", f"{asked.id} by {who}")


def take_back(order: Order, no: int, reason: str, who: str, batch: Batch) -> None:
    """Ask the node to let go, and decide anew without it. Raises `CannotDo` when nothing of it is with the node."""
    asked = order.fulfilments[no]
    waiting = [part for part in order.of_fulfilment(no) if part.state in WITH_NODE]
    begun = any(one.fulfilment == no and one.state is CancelState.ASKED for one in order.cancels.values())
    if not waiting or begun:
        raise CannotDo(f"{asked.id} was asked back already" if begun else f"nothing of {asked.id} is to be sent")
    if asked.purchase is not None:
        order.mend(COST, _cost_cause(order, no, asked.purchase))
    order.mend(UNANSWERED, _cause(order, no, "is not acknowledged"))
    until = batch.directory.pick_up_policy(order.merchant).excluded_until(batch.now)
    for part in waiting:
        order.exclusions[part.demand, asked.node] = until
    order.recalled.append(no)
    order.recall_reasons[no] = reason
    order.note(batch.now, "taken_back", f"{asked.id} by {who}: {reason}")


def unanswered(order: Order, no: int, batch: Batch) -> bool:
    """A supplier's time to answer is over: told. Whether it is also taken back, as other nodes' work is."""
    place = batch.directory.nodes[order.fulfilments[no].node]
    if place.kind is not NodeKind.SUPPLIER:
        return True
    by_itself = batch.directory.pick_up_policy(order.merchant).accept.suppliers == "reroute"
    step = "It is taken back and routed anew." if by_itself else _CALL.format(id=order.fulfilments[no].id)
    _tell(order, no, UNANSWERED, "is not acknowledged", f"{place.code} did not answer in time. {step}")
    return by_itself


# --- what it comes to ------------------------------------------------------------------------------------------------

_NO_SUCH_LINE: Final = (
    "The supplier prices lines that this purchase order does not have; the others count. Ask it what it means."
)
_CALL: Final = (
    "Call the supplier and have it answer, or take it back and let it be routed anew "
    "(POST /api/v1/fulfilment-orders/{id}/take-back)."
)
_CHOICE: Final = (
    "Approve the cost (POST /api/v1/fulfilment-orders/{id}/approve-cost), or refuse it and let the goods be routed "
    "anew (POST /api/v1/fulfilment-orders/{id}/take-back). Until then the supplier goes on."
)


def _keep(order: Order, no: int, purchase: Purchase) -> None:
    order.fulfilments[no] = msgspec.structs.replace(order.fulfilments[no], purchase=purchase)


def _by_demand(order: Order, no: int, costs: Iterable[UnitCost]) -> tuple[dict[str, Decimal], list[str]]:
    """Prices by demand, and the lines that mean none of this fulfilment order."""
    demands = dict.fromkeys(part.demand for part in order.of_fulfilment(no))
    found: dict[str, Decimal] = {}
    strange = []
    for cost in costs:
        line = FactLine(line=cost.line, sku=cost.sku, quantity=1)
        meant = [demand for demand in demands if means(order, demand, line)]
        found |= {str(demand): cost.unit_cost for demand in meant}
        if not meant:
            strange.append(cost.line or cost.sku or "a line without a name")
    return found, strange


def _counted(order: Order, no: int, purchase: Purchase) -> Purchase:
    """With what all of it costs and is sold for."""
    units: dict[str, int] = {}
    value = 0
    lines = {line.external_id: line for line in (order.content.lines if order.content else ())}
    for part in order.of_fulfilment(no):
        if part.state is SliceState.CANCELLED:
            continue
        demand = order.demands[part.demand]
        units[str(part.demand)] = units.get(str(part.demand), 0) + part.quantity
        line = lines.get(demand.line)
        if line is not None and demand.quantity > 0:
            value += (line.subtotal - line.discount) * part.quantity // demand.quantity
    cost = total_cost(units, purchase.stated, purchase.stated_currency)
    return msgspec.structs.replace(purchase, cost=cost, value=value)


def _date(order: Order, no: int, fact: FulfilmentAccepted) -> datetime | None:
    """When it leaves, unless that was over when it was said: then the acceptance counts and the date does not."""
    if fact.ships_on is None or fact.ships_on >= fact.at:
        return fact.ships_on
    said = f"promises {fact.ships_on.date().isoformat()} on {fact.at.date().isoformat()}"
    step = "The date was over when the supplier named it: it took the order on, the date is not believed. Ask for one."
    _tell(order, no, "promised_in_past", said, step)
    return None


def _promise(order: Order, no: int, before: Purchase, batch: Batch) -> None:
    """Let the customer's date follow the supplier's where that is later, and go back when it no longer is."""
    asked = order.fulfilments[no]
    purchase = asked.purchase
    if purchase is None or purchase.ships_on is None:
        return
    groups = order.content.groups if order.content else ()
    said = next((group.deliver_by for group in groups if group.key == asked.group), None)
    base = said or asked.ship_by
    by = purchase.ships_on + timedelta(days=purchase.transit_days)
    late = by if base is None or by > base else None
    for part in order.of_fulfilment(no):
        was = part.promised_at
        ours = was is None or was == before.promised_at
        if part.state in WITH_NODE and was != late and (ours or (late is not None and was is not None and late > was)):
            order.promise(part.no, None, late)
            units = f"{part.quantity} units of demand {part.demand}"
            order.note(batch.now, "promise_moved", f"{units}: {_day(was or base)} to {_day(late or base)}, {asked.id}")
    _keep(order, no, msgspec.structs.replace(purchase, promised_at=late))


def _day(at: datetime | None) -> str:
    return "no date" if at is None else at.date().isoformat()


def _weigh(order: Order, no: int, before: Purchase) -> None:
    """Ask once about a cost, and no more about one that the supplier has taken back."""
    asked = order.fulfilments[no]
    was = _cost_cause(order, no, before) if dearer(before) else None
    now = _cost_cause(order, no, asked.purchase) if asked.purchase is not None and dearer(asked.purchase) else None
    if was is not None and was != now:
        order.mend(COST, was)
    if now is not None and was != now:
        order.troubles.append(_trouble(order, no, COST, now, _CHOICE.format(id=asked.id)))


def _cost_cause(order: Order, no: int, purchase: Purchase) -> str:
    """The same prices are the same cause."""
    told = []
    for demand in dearer(purchase):
        wanted = order.demands[int(demand)]
        agreed = f"{purchase.agreed.get(demand, 'unknown')} {purchase.currency}"
        told.append(f"{wanted.sku or wanted.line} {purchase.stated[demand]} {purchase.stated_currency} for {agreed}")
    return _cause(order, no, f"costs {', '.join(told)}")


def _over(order: Order, no: int) -> None:
    step = "It was cancelled or refused before, and nothing of it is wanted. Tell the supplier not to send it."
    _tell(order, no, "acknowledged_cancelled", "is acknowledged", step)


def _said(before: Purchase, now: Purchase) -> str:
    """What is new, for the timeline: no people in it."""
    date = f"leaves {_day(now.ships_on)}"
    if before.ships_on is not None and before.ships_on != now.ships_on:
        date += f" instead of {_day(before.ships_on)}"
    cost = "cost unknown" if now.cost is None else f"costs {now.cost} {now.stated_currency}"
    if before.cost is not None and before.cost != now.cost:
        cost += f" instead of {before.cost}"
    return f"{date}, {cost}"


def _cause(order: Order, no: int, said: str) -> str:
    asked = order.fulfilments[no]
    return f"{asked.connection or 'hub'}: {asked.id} {said}"


def _tell(order: Order, no: int, kind: str, said: str, step: str) -> None:
    order.troubles.append(_trouble(order, no, kind, _cause(order, no, said), step))


def _trouble(order: Order, no: int, kind: str, cause: str, step: str) -> Trouble:
    return Trouble(
        kind=kind,
        cause=cause,
        next_step=step,
        connection=order.fulfilments[no].connection,
        external_id=order.external_id,
        waiter=("order", order.id),
    )
