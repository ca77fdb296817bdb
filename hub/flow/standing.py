"""Where a customer's goods are, in the customer's terms: one status per group and parcel, its cause, its date. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from hub.domain.demand import Demand, Slice
from hub.domain.order import DeliveryGroup, Method, OrderContent
from hub.domain.shipping import TrackingStatus
from hub.domain.states import AT_REST, SliceState
from hub.flow.aggregate import Order, Wait
from hub.flow.waiting import BACKORDERED, SHORTAGE


class Stage(StrEnum):
    """How far a group is, told by its least advanced units."""

    RECEIVED = "received"
    DELAYED = "delayed"
    """Part of it is not in stock."""
    ON_HOLD = "on_hold"
    PREPARING = "preparing"
    READY = "ready"
    """Waits to be collected."""
    PARTLY_SENT = "partly_sent"
    SENT = "sent"
    DELIVERED = "delivered"
    COLLECTED = "collected"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class Promise(NamedTuple):
    """What the customer may count on for what has not left yet."""

    at: datetime | None
    """Null when nobody named a date."""
    waiting: bool
    """Part of it is not in stock."""


class LineStanding(NamedTuple):
    """A line in a group, in sold units."""

    line: str
    title: str
    quantity: int


class ParcelStanding(NamedTuple):
    """A parcel on its way."""

    tracking: str | None
    carrier: str | None
    url: str | None
    status: str
    at: datetime | None


class GroupStanding(NamedTuple):
    """Goods that go one way to one place."""

    key: str
    method: Method
    stage: Stage
    cause: str | None
    """Why it is not further: a word of `causes`."""
    promise: Promise | None
    """None when nothing is still to come."""
    region: str | None
    """Country and the beginning of the postal code, no more."""
    lines: tuple[LineStanding, ...]
    parcels: tuple[ParcelStanding, ...]


_PREPARING: Final = frozenset({SliceState.RELEASED, SliceState.ACCEPTED, SliceState.PICKED, SliceState.PACKED})
_OPEN: Final = frozenset({SliceState.UNALLOCATED, SliceState.BACKORDERED})
_SENT: Final = frozenset({SliceState.SHIPPED, SliceState.DELIVERED})
POSTAL_PREFIX: Final = 3
"""Characters of a postal code that are shown: enough to tell two addresses of one's own apart."""


def standing(order: Order) -> tuple[GroupStanding, ...]:
    """Every group of an order as its customer sees it."""
    content = order.content
    if content is None:
        return ()
    keys = dict.fromkeys([*(group.key for group in content.groups), *(line.group for line in content.lines)])
    named = {group.key: group for group in content.groups}
    return tuple(
        _group(order, content, named.get(key, DeliveryGroup(key=key)))
        for key in keys
        if any(line.group == key for line in content.lines)
    )


def _group(order: Order, content: OrderContent, group: DeliveryGroup) -> GroupStanding:
    parts = _parts(order.slices.values(), order.demands, group.key)
    promise = promise_of(order.slices.values(), order.demands, order.waits, content, group.key)
    place = group.place
    shown = [(place.country or ""), (place.postal_code or "")[:POSTAL_PREFIX]] if place else []
    return GroupStanding(
        key=group.key,
        method=group.method,
        stage=_stage(order, group, parts, promise),
        cause=cause_of(parts, promise),
        promise=promise,
        region=" ".join(word for word in shown if word) or None,
        lines=tuple(
            LineStanding(line.external_id, line.title or line.sku or line.external_id, line.quantity)
            for line in content.lines
            if line.group == group.key and line.quantity > 0
        ),
        parcels=_parcels(order, group.key),
    )


def _parts(slices: Iterable[Slice], demands: Mapping[int, Demand], key: str) -> list[Slice]:
    return [part for part in slices if demands[part.demand].group == key]


def _stage(order: Order, group: DeliveryGroup, parts: list[Slice], promise: Promise | None) -> Stage:
    states = {part.state for part in parts}
    live = states - {SliceState.CANCELLED, SliceState.RETURNED}
    if not live:
        cancelled = SliceState.CANCELLED in states and SliceState.RETURNED not in states
        return Stage.CANCELLED if cancelled else Stage.RETURNED if states else Stage.RECEIVED
    if live <= AT_REST:
        if SliceState.COLLECTED in live:
            return Stage.COLLECTED
        return Stage.DELIVERED if _all_delivered(order, group.key, live) else Stage.SENT
    if promise is not None and promise.waiting:
        return Stage.DELAYED
    if live & _SENT:
        return Stage.PARTLY_SENT
    if live == {SliceState.READY}:
        return Stage.READY
    if live & _PREPARING:
        return Stage.PREPARING
    return Stage.ON_HOLD if order.held(group.key) else Stage.RECEIVED


def _all_delivered(order: Order, key: str, live: set[SliceState]) -> bool:
    if live == {SliceState.DELIVERED}:
        return True
    parcels = _parcels(order, key)
    return bool(parcels) and all(parcel.status == TrackingStatus.DELIVERED.value for parcel in parcels)


def _parcels(order: Order, key: str) -> tuple[ParcelStanding, ...]:
    found = []
    for (shipment_no, no), parcel in sorted(order.parcels.items()):
        shipment = order.shipments[shipment_no]
        fulfilment = order.fulfilments.get(shipment.fulfilment)
        if fulfilment is None or fulfilment.group != key:
            continue
        box = shipment.parcels[no - 1]
        found.append(ParcelStanding(parcel.tracking, parcel.carrier, box.url, parcel.status, parcel.at))
    return tuple(found)


# --- the promise -----------------------------------------------------------------------------------------------------


def promise_of(
    slices: Iterable[Slice],
    demands: Mapping[int, Demand],
    waits: Mapping[int, Wait],
    content: OrderContent | None,
    key: str,
) -> Promise | None:
    """What a group's customer may count on; None when nothing of it is still to come.

    The latest date of its units counts: their own, such as that of expected supply, else what the channel promised.
    What was sold before it may be sent (a pre-order) is not short: its customer knows.
    """
    coming = [part for part in _parts(slices, demands, key) if part.state not in AT_REST]
    if not coming:
        return None
    groups = content.groups if content else ()
    said = next((group.deliver_by for group in groups if group.key == key), None)
    dates = [part.promised_at or said for part in coming]
    waiting = any(
        part.state in _OPEN
        and (waits[part.demand].queue if part.demand in waits else part.state) in (SHORTAGE, BACKORDERED)
        for part in coming
    )
    known = [date for date in dates if date is not None]
    return Promise(max(known, default=None), waiting)


def cause_of(parts: Iterable[Slice], promise: Promise | None) -> str | None:
    """Why goods are not further, in one word; None when nothing went wrong."""
    if promise is None:
        return None
    if promise.waiting:
        return "out_of_stock"
    reasons = [part.reason for part in parts if part.state not in AT_REST]
    return next((word for word in ("refused", "short") if word in reasons), None)


class Changed(NamedTuple):
    """A group whose customer has to hear something new."""

    group: str
    before: Promise
    now: Promise
    cause: str


def changed_promises(order: Order) -> list[Changed]:
    """Groups of which the customer was told another thing before. Pure: compares with what was loaded."""
    before, content = order.before, order.content
    if content is None:
        return []
    old_content = content if order.fresh else before.content
    found = []
    for key in dict.fromkeys(demand.group for demand in order.demands.values()):
        now = promise_of(order.slices.values(), order.demands, order.waits, content, key)
        old = promise_of(before.slices.values(), before.demands, before.waits, old_content, key)
        if old is None:
            # A new group: the channel's own date is what the customer knows.
            said = next((group.deliver_by for group in content.groups if group.key == key), None)
            old = Promise(said, waiting=False)
            if now is not None and not now.waiting and (said is None or now.at is None or now.at <= said):
                continue
        if now is not None and now != old:
            found.append(Changed(key, old, now, _why(order, key, old, now)))
    return found


def _why(order: Order, key: str, old: Promise, now: Promise) -> str:
    if now.waiting and not old.waiting:
        return "out_of_stock"
    if old.waiting and not now.waiting:
        return "back_in_stock"
    if order.revised is not None:
        return "changed"
    return cause_of(_parts(order.slices.values(), order.demands, key), now._replace(waiting=False)) or "late"
