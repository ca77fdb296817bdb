"""Competitive claim: reserved units are offered to several stores, and the first that takes them has them.

The units stay reserved at the node that routing chose, and a hold keeps them from being released, until a store takes
them, or until nobody did in time: then the chosen node is told like any other. Only nodes that are worked through the
hub are offered anything: nobody else could answer. When the units are decided anew, or are not to be sent any more, the
offers are withdrawn in the same commit. Who subscribed to the events of offers is told of each (tell.py).
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from hub.domain.demand import Slice
from hub.domain.facts import FulfilmentAccepted
from hub.domain.fulfilment import Offer, OfferState
from hub.domain.network import NodeKind
from hub.domain.order import Method
from hub.domain.states import SliceState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.confirm import apply
from hub.flow.fulfil import release
from hub.flow.ports import Unit
from hub.routing.geography import Point, kilometres, place_of, point
from hub.routing.model import Decision, Group, NodeState, Reason, Snapshot

CLAIM: Final = "claim"
"""Kind of the hold of a group whose units are offered."""

FAR: Final = 1_000_000
"""Kilometres to a place or from a node that nobody located: unknown is never near."""

OFFERS_OF_DECISION: Final = 100
"""Offers are numbered after the decision that made them; no rule allows as many."""


class OfferOver(Exception):
    """Somebody else took it, or its time is over."""


def offer(order: Order, group: Group, decision: Decision, snapshot: Snapshot, batch: Batch) -> None:
    """Offer what a decision reserved to several stores, where the rules say so and two or more could send it all.

    What of the same group was offered before is withdrawn. The order's open offers are known.
    """
    if decision.plan.assignments:
        _end(order, group.group, "decided anew", batch)
    rule = batch.directory.pick_up_policy(order.merchant).claim
    groups = order.content.groups if order.content else ()
    asked = next((one for one in groups if one.key == group.group), None)
    if not rule.stores or (asked is not None and asked.method is not Method.SHIP) or not decision.plan.assignments:
        return
    stores = _candidates(order, group, decision, snapshot, batch)
    chosen = {assignment.node for assignment in decision.plan.assignments}
    if len(stores) < 2 or len(chosen) > 1 or not chosen <= {store.id for store in stores}:
        return
    first = (order.decisions + len(order.decisions_made)) * OFFERS_OF_DECISION
    policy = batch.directory.pick_up_policy(order.merchant)
    for no, store in enumerate(stores[: rule.stores], first):
        until = policy.claim_by(batch.now, batch.directory.nodes[store.id])
        _put(order, Offer(order=order.id, no=no, group=group.group, node=store.id, until=until))
    codes = ", ".join(store.code for store in stores[: rule.stores])
    order.hold(
        CLAIM, f"group {group.group}: offered to {codes}", owner="hub", at=batch.now,
        scope=f"group:{group.group}", rule=CLAIM,
    )  # fmt: skip
    order.note(batch.now, "offered", f"{group.group}: {codes}")


async def know_offers(unit: Unit, orders: Iterable[Order]) -> None:
    """Read the offers of those changed orders that may have open ones."""
    asked = [
        order
        for order in orders
        if not order.offers and any(hold.active and hold.kind == CLAIM for hold in order.before.holds.values())
    ]
    if asked:
        await unit.offers(asked)


def close_offers(order: Order, batch: Batch) -> None:
    """Withdraw offers of what nobody is to send any more, or what a person released. The open ones are known."""
    groups = {one.group for one in order.offers.values() if one.state is OfferState.OPEN}
    for group in sorted(groups):
        held = any(one.active and one.kind == CLAIM and one.scope == f"group:{group}" for one in order.holds.values())
        if not held or not _still_reserved(order, group):
            _end(order, group, "released" if not held else "nothing of it is to be sent any more", batch)


def _end(order: Order, group: str, why: str, batch: Batch) -> None:
    if any(one.group == group and one.state is OfferState.OPEN for one in order.offers.values()):
        _withdraw(order, group)
        order.lift(CLAIM, batch.now, f"group:{group}")
        order.note(batch.now, "offers_ended", f"{group}: {why}")


def _candidates(order: Order, group: Group, decision: Decision, snapshot: Snapshot, batch: Batch) -> list[NodeState]:
    """Stores that could send all that was reserved: the chosen one first, then the nearest."""
    wanted: dict[int, int] = {}
    for assignment in decision.plan.assignments:
        wanted[assignment.demand] = wanted.get(assignment.demand, 0) + assignment.quantity
    here = place_of(group.place, coarse=True) if group.place else None
    told = dict(decision.reasons)
    found = []
    for node in snapshot.nodes:
        place = batch.directory.nodes[node.id]
        link = batch.directory.fulfiller(node.id, order.merchant)
        by_hand = link is None or not link.live("submit_fulfilment")
        able = told.get(node.id) in (Reason.CHOSEN, Reason.COSTLIER)
        enough = all(node.available[at] >= wanted.get(line.demand, 0) for at, line in enumerate(group.lines))
        if place.kind is NodeKind.STORE and by_hand and able and enough:
            far = told[node.id] is not Reason.CHOSEN
            found.append((far, _distance(here, node), node.priority, node.code, node))
    return [entry[-1] for entry in sorted(found, key=lambda entry: entry[:-1])]


def _distance(here: Point | None, node: NodeState) -> int:
    there = point(node.latitude, node.longitude)
    return FAR if here is None or there is None else kilometres(here, there)


# --- the answers -----------------------------------------------------------------------------------------------------


async def claim(unit: Unit, order: Order, no: int, who: str, batch: Batch) -> None:
    """A store takes an offer: the units move there, its fulfilment order is made and accepted, others hear no.

    The order is locked and its offers are known: of many who take at once, one is first. Raises `OfferOver`.
    """
    taken = order.offers[no]
    _still_open(taken, batch)
    code = batch.directory.nodes[taken.node].code
    parts = _reserved(order, taken.group)
    moving = [part for part in parts if part.node != taken.node]
    await _have_room(unit, order, moving, taken.node, code)
    load = await _have_time(unit, order, taken.node, batch)
    for part in moving:
        order.slices[part.no] = msgspec.structs.replace(part, node=taken.node)
    _answer(order, taken, OfferState.TAKEN)
    _withdraw(order, taken.group)
    order.lift(CLAIM, batch.now, f"group:{taken.group}")
    order.note(batch.now, "claimed", f"{taken.group}: {code} by {who}")
    before = set(order.fulfilments)
    release(order, batch, load)
    for new in order.fulfilments.keys() - before:
        made = order.fulfilments[new]
        if made.node == taken.node and made.group == taken.group:
            apply(order, FulfilmentAccepted(at=batch.now, fulfilment=made.id), batch)


def decline(order: Order, no: int, who: str, batch: Batch) -> None:
    """A store will not: it is left out for a while, and with the last offer routing's choice is told.

    The order's offers are known. Raises `OfferOver`.
    """
    refused = order.offers[no]
    _still_open(refused, batch)
    _answer(order, refused, OfferState.REFUSED)
    until = batch.directory.pick_up_policy(order.merchant).excluded_until(batch.now)
    for part in _reserved(order, refused.group):
        order.exclusions[part.demand, refused.node] = until
    order.note(batch.now, "offer_refused", f"{refused.group}: {batch.directory.nodes[refused.node].code} by {who}")
    if not any(one.group == refused.group and one.state is OfferState.OPEN for one in order.offers.values()):
        _nobody(order, refused.group, batch)


def end_offers(order: Order, batch: Batch) -> None:
    """Offers whose time is over are withdrawn. The order's offers are known."""
    over = {one.group for one in order.offers.values() if one.state is OfferState.OPEN and one.until <= batch.now}
    for one in list(order.offers.values()):
        if one.state is OfferState.OPEN and one.until <= batch.now:
            _answer(order, one, OfferState.WITHDRAWN)
    for group in sorted(over):
        if not any(one.group == group and one.state is OfferState.OPEN for one in order.offers.values()):
            order.note(batch.now, "offers_ended", f"{group}: nobody took it")
            _nobody(order, group, batch)


def _still_open(one: Offer, batch: Batch) -> None:
    if one.state is not OfferState.OPEN:
        raise OfferOver(f"offer {one.id} is {one.state.value}: it is too late for it")
    if one.until <= batch.now:
        raise OfferOver(f"offer {one.id} ended at {one.until.isoformat()}")


async def _have_room(unit: Unit, order: Order, moving: list[Slice], node: int, code: str) -> None:
    """Raises `OfferOver` when the store sold meanwhile what it was offered to send."""
    wanted: dict[int, int] = {}
    for part in moving:
        demand = order.demands[part.demand]
        if demand.item is not None and demand.tracked:
            wanted[demand.item] = wanted.get(demand.item, 0) + part.quantity
    free = await unit.free(wanted, lock=True) if wanted else {}
    for item, units in wanted.items():
        if free.get(item, {}).get(node, 0) < units:
            raise OfferOver(f"{code} has not all of it free any more; another store may take it")


async def _have_time(unit: Unit, order: Order, node: int, batch: Batch) -> dict[int, int]:
    """The day's fulfilment orders of a store of limited capacity, locked. Raises `OfferOver` when its day is full."""
    place = batch.directory.nodes[node]
    if place.capacity_per_day is None:
        return {}
    load = (await unit.loads({node: place}, batch.now, lock=True)).get(node, 0)
    if load >= place.capacity_per_day and not batch.directory.policy(order.merchant).ignore_capacity:
        raise OfferOver(
            f"{place.code} has its day full ({load} of {place.capacity_per_day}); another store may take it"
        )
    return {node: load}


def _still_reserved(order: Order, group: str) -> list[Slice]:
    return [
        part
        for part in order.slices.values()
        if part.state is SliceState.RESERVED and order.demands[part.demand].group == group
    ]


def _reserved(order: Order, group: str) -> list[Slice]:
    found = _still_reserved(order, group)
    if not found:
        raise OfferOver("nothing of it is to be sent any more")
    return found


def _nobody(order: Order, group: str, batch: Batch) -> None:
    """No store took it: the node that routing chose is told, unless it is among those that refused."""
    order.lift(CLAIM, batch.now, f"group:{group}")
    for part in list(order.slices.values()):
        if part.state is SliceState.RESERVED and order.demands[part.demand].group == group and part.node is not None:
            until = order.exclusions.get((part.demand, part.node))
            if until is not None and until > batch.now:
                order.take_back(part.no, "displaced")


def _withdraw(order: Order, group: str) -> None:
    for one in list(order.offers.values()):
        if one.group == group and one.state is OfferState.OPEN:
            _answer(order, one, OfferState.WITHDRAWN)


def _answer(order: Order, one: Offer, state: OfferState) -> None:
    _put(order, msgspec.structs.replace(one, state=state))


def _put(order: Order, one: Offer) -> None:
    order.offers[one.no] = one
    order.offered.append(one)
