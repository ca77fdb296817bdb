"""Which facts others are told, to whom, and once: THE TABLE of event types, and the events of a changed order. Pure.

An event is derived from a line of the order's timeline, or from comparing the order with what was loaded. It becomes
an effect row per subscriber in the transaction that caused it; without subscribers nothing is computed or written.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from hub.domain.events import (
    ContentFact,
    FulfilmentFact,
    HoldFact,
    LineOfOrder,
    MoneyFact,
    OfferedGoods,
    OfferFact,
    OrderFact,
    ParcelFact,
    ParcelGoods,
    PromiseFact,
    ReturnFact,
    ShipmentFact,
    TellEvent,
    TrackingFact,
)
from hub.domain.fulfilment import Offer, OfferState, fulfilment_id
from hub.domain.ids import encode
from hub.domain.network import Node
from hub.domain.shipping import Shipment
from hub.domain.states import OrderState, SliceState
from hub.flow.aggregate import Order, Planned
from hub.flow.batch import Batch
from hub.flow.standing import changed_promises


class EventType(NamedTuple):
    """A kind of event. `kinds` are the timeline's words for it; none for what is found by comparing."""

    name: str
    data: type[OrderFact]
    says: str
    kinds: tuple[str, ...] = ()


PROMISE_CHANGED: Final = "crossdock.promise.changed"
ORDER_CANCELLED: Final = "crossdock.order.cancelled"
ORDER_CLOSED: Final = "crossdock.order.closed"
PARCEL_MOVED: Final = "crossdock.parcel.moved"
OFFER_MADE: Final = "crossdock.offer.made"
OFFER_ENDED: Final = "crossdock.offer.ended"

TYPES: Final = (
    EventType("crossdock.order.captured", ContentFact, "An order exists and counts against stock.", ("captured",)),
    EventType(
        "crossdock.order.amended",
        ContentFact,
        "Its content is another now: a newer revision of the channel, or one made here.",
        ("amended", "cancel_requested"),
    ),
    EventType("crossdock.order.address_changed", OrderFact, "It goes to another address.", ("address_changed",)),
    EventType("crossdock.order.held", HoldFact, "Something stops its release.", ("hold_placed",)),
    EventType("crossdock.order.hold_lifted", HoldFact, "One hold stops it no more.", ("hold_lifted",)),
    EventType("crossdock.order.routed", OrderFact, "Nodes were chosen for units of it.", ("routed",)),
    EventType("crossdock.order.waiting", OrderFact, "Units of it wait in a named queue.", ("waiting",)),
    EventType("crossdock.order.backordered", OrderFact, "Units of it wait for supply.", ("backordered",)),
    EventType(
        "crossdock.order.sent_elsewhere",
        OrderFact,
        "Somebody else sent units of it, says the channel.",
        ("sent_elsewhere",),
    ),
    EventType(ORDER_CANCELLED, OrderFact, "Nothing of it will be sent."),
    EventType(ORDER_CLOSED, OrderFact, "Everything has left, come back or been cancelled."),
    EventType(PROMISE_CHANGED, PromiseFact, "A delivery group comes at another time than the customer was told last."),
    EventType(OFFER_MADE, OfferFact, "A store may take units, if it is the first."),
    EventType(OFFER_ENDED, OfferFact, "A store's offer is over: taken, refused, or withdrawn."),
    EventType("crossdock.fulfilment.released", FulfilmentFact, "A node is asked to fulfil.", ("released",)),
    EventType("crossdock.fulfilment.accepted", FulfilmentFact, "The node takes it.", ("accepted",)),
    EventType("crossdock.fulfilment.refused", FulfilmentFact, "The node does not take it.", ("refused",)),
    EventType("crossdock.fulfilment.held", FulfilmentFact, "The node itself holds it.", ("node_held",)),
    EventType("crossdock.fulfilment.hold_lifted", FulfilmentFact, "The node goes on with it.", ("node_hold_lifted",)),
    EventType("crossdock.fulfilment.picked", FulfilmentFact, "Units were picked.", ("picked",)),
    EventType("crossdock.fulfilment.short", FulfilmentFact, "The node has fewer than were asked for.", ("short",)),
    EventType("crossdock.fulfilment.packed", FulfilmentFact, "Units were packed.", ("packed",)),
    EventType("crossdock.fulfilment.shipped", ShipmentFact, "Goods left the node.", ("shipped",)),
    EventType("crossdock.fulfilment.ready", FulfilmentFact, "Goods wait to be collected.", ("ready",)),
    EventType("crossdock.fulfilment.collected", FulfilmentFact, "The customer has collected.", ("collected",)),
    EventType("crossdock.fulfilment.expired", FulfilmentFact, "Nobody came to collect.", ("pick_up_expired",)),
    EventType(
        "crossdock.fulfilment.cancel_asked", FulfilmentFact, "The node is asked to stop.", ("cancel_asked", "recalled")
    ),
    EventType("crossdock.fulfilment.cancelled", FulfilmentFact, "The node has stopped.", ("cancel_confirmed",)),
    EventType("crossdock.fulfilment.cancel_refused", FulfilmentFact, "The node goes on.", ("cancel_refused",)),
    EventType(PARCEL_MOVED, TrackingFact, "A carrier says something new of a parcel."),
    EventType("crossdock.return.asked", ReturnFact, "Somebody wants to give goods back.", ("return_asked",)),
    EventType("crossdock.return.in_transit", ReturnFact, "Its parcel is on its way.", ("return_in_transit",)),
    EventType("crossdock.return.received", ReturnFact, "Returned goods arrived.", ("return_received",)),
    EventType("crossdock.return.graded", ReturnFact, "Returned goods were looked at.", ("return_graded",)),
    EventType(
        "crossdock.return.ended",
        ReturnFact,
        "Nothing more is expected of a return; its state says why.",
        ("return_closed", "return_refused", "return_cancelled", "return_kept"),
    ),
    EventType("crossdock.payment.captured", MoneyFact, "Authorised money was taken.", ("captured_payment",)),
    EventType("crossdock.payment.voided", MoneyFact, "An authorisation was let go.", ("voided",)),
    EventType("crossdock.refund.asked", MoneyFact, "The channel is asked to give money back.", ("refund_asked",)),
    EventType("crossdock.refund.done", MoneyFact, "Money went back.", ("refunded", "refunded_at_channel")),
    EventType("crossdock.refund.refused", MoneyFact, "The channel gives no money back.", ("refund_refused",)),
)
"""Every type, once. The AsyncAPI document is made of this table and of the structs it names."""

UNTOLD: Final = frozenset(
    {
        "recorded",
        "skipped",
        "resolved",
        "displaced",
        "transferred",
        "reroute_requested",
        "declined",
        "cancel_too_late",
        "capture_asked",
        "capture_refused",
        "void_asked",
        "void_refused",
        "authorise_asked",
        "authorise_refused",
        "exchange_asked",
        "refunded_before",
        "return_matched",
        "offered",
        "claimed",
        "offer_refused",
        "offers_ended",
        "accept_timed_out",
        "purchase_ordered",
        "acknowledged",
        "cost_approved",
        "taken_back",
        "promised",
        "promise_moved",
        "change_too_late",
        "put_back",
        "label_given_up",
        "pick_up_redirected",
        "pick_up_code_issued",
    }
)
"""Words of the timeline that are nobody's business but ours."""

BY_KIND: Final[Mapping[str, EventType]] = {kind: type for type in TYPES for kind in type.kinds}
BY_NAME: Final[Mapping[str, EventType]] = {type.name: type for type in TYPES}

KEY_DIGITS: Final = 12

Kind = TypeVar("Kind", bound=OrderFact)

_encode = msgspec.json.Encoder().encode


class Event(NamedTuple):
    """One fact, ready to be told."""

    key: str
    type: str
    at: datetime
    data: bytes


def tell(orders: Iterable[Order], batch: Batch) -> None:
    """Add what subscribers are to be told to the effects of changed orders."""
    for order in orders:
        subscribers = batch.directory.subscriptions.get(order.merchant, ())
        if not subscribers or not order.acting:
            continue
        for event in events_of(order, batch.now, batch.directory.nodes):
            effect = TellEvent(order=order.id, event=event.type, at=event.at, data=msgspec.Raw(event.data))
            order.effects += [
                Planned(one.id, order.id, event.key, effect)
                for one in subscribers
                if one.wants(event.type, order.connection)
            ]


def events_of(order: Order, now: datetime, nodes: Mapping[int, Node]) -> list[Event]:
    """The facts of a changed order, as they happened. The same change gives the same keys."""
    found = []
    for ordinal, (type, at, data) in enumerate(_facts(order, now, nodes)):
        raw = _encode(data)
        digest = hashlib.blake2b(f"{type.name} {at.isoformat()} {ordinal} ".encode() + raw, digest_size=8).digest()
        key = f"{order.id}-{encode(int.from_bytes(digest, 'big') & (1 << 5 * KEY_DIGITS) - 1, KEY_DIGITS)}"
        found.append(Event(key, type.name, at, raw))
    return found


Fact = tuple[EventType, datetime, OrderFact]


def _facts(order: Order, now: datetime, nodes: Mapping[int, Node]) -> Iterator[Fact]:
    head = OrderFact(
        order=order.id,
        number=order.number,
        external_id=order.external_id,
        connection=order.connection,
        state=order.state.value,
        revision=order.revision,
    )
    for moment in order.moments:
        type = _type_of(moment.kind, moment.detail)
        if type is not None:
            yield type, moment.at, _fact(type, head, order, moment.detail, nodes)
    for place, parcel in order.parcels.items():
        old = order.before.parcels.get(place)
        if old is not None and old.status != parcel.status:
            moved = _more(
                TrackingFact,
                head,
                tracking=parcel.tracking,
                carrier=parcel.carrier,
                status=parcel.status,
                at=parcel.at,
            )
            yield BY_NAME[PARCEL_MOVED], now, moved
    for group, before, promise, cause in changed_promises(order):
        changed = _more(
            PromiseFact,
            head,
            group=group,
            before=before.at,
            promised=promise.at,
            waiting=promise.waiting,
            cause=cause,
        )
        yield BY_NAME[PROMISE_CHANGED], now, changed
    for offer in order.offered:
        name = OFFER_MADE if offer.state is OfferState.OPEN else OFFER_ENDED
        yield BY_NAME[name], now, _offer(head, order, offer, nodes)
    if order.state is not order.before.state and order.state in _ENDS:
        yield BY_NAME[_ENDS[order.state]], now, head


_ENDS: Final = {OrderState.CANCELLED: ORDER_CANCELLED, OrderState.CLOSED: ORDER_CLOSED}


def _type_of(kind: str, detail: str) -> EventType | None:
    """The type of a timeline's word. Money that is captured and an order that is share one."""
    if kind == "captured" and detail.startswith("request "):
        kind = "captured_payment"
    return BY_KIND.get(kind)


def _fact(type: EventType, head: OrderFact, order: Order, detail: str, nodes: Mapping[int, Node]) -> OrderFact:
    """The data of a timeline's line: its detail begins with the id of what it is about."""
    about = detail.replace(":", " ").split(" ")
    if type.data is ContentFact:
        return _content(head, order)
    if type.data is HoldFact:
        return _more(HoldFact, head, hold=about[0])
    if type.data in (FulfilmentFact, ShipmentFact):
        return _fulfilment(type.data, head, order, about[0], nodes)
    if type.data is ReturnFact:
        one = order.returns.get(about[0])
        node = nodes.get(one.node) if one is not None and one.node is not None else None
        return _more(
            ReturnFact,
            head,
            return_id=about[0],
            return_state=one.state.value if one else None,
            node=node.code if node else None,
        )
    if type.data is MoneyFact:
        # "refund 2: 500 EUR"; a refusal names no amount.
        amount = next((int(word) for word in about[2:4] if word.isdigit()), None)
        return _more(MoneyFact, head, amount=amount, currency=order.currency)
    return head


def _more(kind: type[Kind], head: OrderFact, **fields: Any) -> Kind:
    said: dict[str, Any] = msgspec.structs.asdict(head) | fields
    return kind(**said)


def _content(head: OrderFact, order: Order) -> OrderFact:
    content = order.content
    lines = content.lines if content else ()
    amounts = (content.edited or content.amounts).shop if content else None
    return _more(
        ContentFact,
        head,
        currency=order.currency,
        total=amounts.total if amounts else 0,
        lines=[
            LineOfOrder(line=line.external_id, sku=line.sku, quantity=line.quantity, group=line.group) for line in lines
        ],
    )


def _fulfilment(
    kind: type[OrderFact], head: OrderFact, order: Order, public: str, nodes: Mapping[int, Node]
) -> OrderFact:
    found = next((one for no, one in order.fulfilments.items() if fulfilment_id(order.id, no) == public), None)
    node = nodes.get(found.node) if found else None
    said: dict[str, object] = {
        "fulfilment": public,
        "node": node.code if node else None,
        "ship_by": found.ship_by if found else None,
    }
    if kind is not ShipmentFact:
        return _more(FulfilmentFact, head, **said)
    new = [
        shipment
        for no, shipment in order.shipments.items()
        if no not in order.before.shipments and found is not None and shipment.fulfilment == found.no
    ]
    return _more(ShipmentFact, head, **said, parcels=_parcels(order, new))


def _offer(head: OrderFact, order: Order, offer: Offer, nodes: Mapping[int, Node]) -> OrderFact:
    units: dict[str | None, int] = {}
    for part in order.slices.values():
        demand = order.demands[part.demand]
        if offer.state is OfferState.OPEN and demand.group == offer.group and part.state is SliceState.RESERVED:
            units[demand.sku] = units.get(demand.sku, 0) + part.quantity
    node = nodes.get(offer.node)
    return _more(
        OfferFact,
        head,
        offer=offer.id,
        group=offer.group,
        node=node.code if node else None,
        offer_state=offer.state.value,
        until=offer.until,
        lines=[OfferedGoods(sku=sku, quantity=quantity) for sku, quantity in units.items()],
    )


def _parcels(order: Order, shipments: Sequence[Shipment]) -> list[ParcelFact]:
    return [
        ParcelFact(
            tracking=parcel.tracking,
            carrier=parcel.carrier,
            service=parcel.service,
            url=parcel.url,
            lines=[_goods(order, line.line, line.quantity) for line in parcel.lines],
        )
        for shipment in shipments
        for parcel in shipment.parcels
    ]


def _goods(order: Order, demand: str, quantity: int) -> ParcelGoods:
    known = order.demands.get(int(demand)) if demand.isdigit() else None
    return ParcelGoods(line=known.line if known else demand, sku=known.sku if known else None, quantity=quantity)
