"""Telling Square what left, or was handed over at a counter."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, DecimalException
from hashlib import sha256
from typing import Final

import msgspec

from adapters.square.documents import Seller
from adapters.square.goods import DEAD
from adapters.square.schemas import Fulfilment, Order
from adapters.square.updates import ROUNDS, read_order, update
from hub.sdk.capabilities import ShipmentConfirmation
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused, RetryLater

MARK: Final = "crossdock_"
"""Our keys in a fulfilment's metadata: one per confirmation, with the units that it told. By them an earlier try is
recognised, and a fulfilment that leaves in parts is completed with its last."""
MARKS_MOST: Final = 10
"""An application has ten entries of metadata."""
LONGEST_VALUE: Final = 255
ALL: Final = "rest"

CARRIERS: Final = {
    "ups": "UPS",
    "usps": "USPS",
    "fedex": "FedEx",
    "dhl": "DHL",
    "dhl_express": "DHL Express",
    "dpd": "DPD",
    "gls": "GLS",
}
"""Our words as buyers read them; others go as they are."""

Units = Counter[str]


class Part(msgspec.Struct, frozen=True):
    """Units by line of one fulfilment, and whether nothing of it is left then."""

    fulfilment: Fulfilment
    units: Mapping[str, int]
    last: bool


async def confirm_shipment(context: Seller, request: ShipmentConfirmation, /) -> Outcome:
    """Complete the fulfilments whose units have all left, with tracking; of the others, note what did.

    The order is read first, always: our mark in a fulfilment's metadata says that an earlier try was done.
    """
    for _ in range(ROUNDS):
        order = await read_order(context, request.order_external_id)
        parts = plan(order, request)
        if not isinstance(parts, list):
            return parts
        what = f"order {order.id}: shipment"
        after = await update(context, order, ship_request(parts, request), request.key, what)
        if after is not None:
            return read_ship(after, parts, request)
    return RetryLater(reason=f"order {request.order_external_id} keeps changing at Square")


def mark(key: str) -> str:
    """The metadata key of a confirmation."""
    return f"{MARK}{sha256(key.encode()).hexdigest()[:24]}"


def plan(order: Order, request: ShipmentConfirmation) -> list[Part] | Outcome:
    """What to tell of which fulfilment, or why nothing can be. Pure."""
    ours = mark(request.key)
    told = [one for one in order.fulfillments or () if ours in (one.metadata or {})]
    if told:
        return Done(reference=told[0].uid, found=True)
    shut = _closed(order, request)
    if shut is not None:
        return shut
    wanted: dict[str, Units] = {}
    for line in request.lines:
        uid, _, way = line.line.partition("/")
        left = line.quantity
        for one in order.fulfillments or ():
            if one.uid is None or (way and one.uid != way) or one.state in DEAD or one.state == "COMPLETED":
                continue
            mine = wanted.setdefault(one.uid, Counter())
            take = min(left, remaining(order, one)[uid] - mine[uid])
            if take > 0:
                mine[uid] += take
                left -= take
        if left > 0:
            return _too_many(order, line.line, line.quantity, left)
    parts = [_part(order, one, wanted[one.uid or ""]) for one in order.fulfillments or () if wanted.get(one.uid or "")]
    if any(len(_value(part)) > LONGEST_VALUE or len(part.fulfilment.metadata or {}) >= MARKS_MOST for part in parts):
        return NeedsPerson(
            reason=f"order {order.id}: it leaves in more parts than Square's metadata can note",
            next_step="complete the fulfilment in the Square Dashboard when all has left, then resolve",
        )
    return parts or Done(found=True)


def _closed(order: Order, request: ShipmentConfirmation) -> Outcome | None:
    units = ", ".join(f"{line.quantity} of line {line.line}" for line in request.lines)
    if order.state == "CANCELED":
        return Refused(reason=f"order {order.id} was cancelled at Square; {units} left all the same")
    live = [one for one in order.fulfillments or () if one.state not in DEAD]
    if live and all(one.state == "COMPLETED" for one in live):
        return Done(reference=live[0].uid, found=True)
    if order.state != "OPEN" or order.version is None:
        why = "was made at a till and has no version" if order.version is None else f"is {order.state}"
        return NeedsPerson(
            reason=f"order {order.id} {why}, so it cannot be updated; {units} left",
            next_step="enter the shipment in the Square Dashboard, then resolve",
        )
    return None


def remaining(order: Order, one: Fulfilment) -> Units:
    """Units by line that a fulfilment has and nobody was told of."""
    found: Units = Counter()
    if one.line_item_application == "ENTRY_LIST":
        for entry in one.entries or ():
            found[entry.line_item_uid] += _whole(entry.quantity)
    else:
        for line in order.line_items or ():
            found[line.uid or ""] += _whole(line.quantity)
    names = {_short(uid): uid for uid in found}
    for name, value in (one.metadata or {}).items():
        for told in value.split(",") if name.startswith(MARK) else ():
            short, _, number = told.partition(":")
            if short in names and number.isdigit():
                found[names[short]] -= int(number)
    return found


def _part(order: Order, one: Fulfilment, units: Units) -> Part:
    rest = remaining(order, one)
    rest.subtract(units)
    return Part(fulfilment=one, units=dict(units), last=not any(number > 0 for number in rest.values()))


def _value(part: Part) -> str:
    return ALL if part.last else ",".join(f"{_short(uid)}:{number}" for uid, number in part.units.items())


def _short(uid: str) -> str:
    return sha256(uid.encode()).hexdigest()[:8]


def _whole(text: str) -> int:
    """Whole units of a quantity; goods by weight are told when the last of them leaves."""
    try:
        return int(Decimal(text))
    except (DecimalException, ValueError, OverflowError):
        return 0


def ship_request(parts: Sequence[Part], request: ShipmentConfirmation) -> dict[str, object]:
    """The sparse order. Pure."""
    changed: list[dict[str, object]] = []
    for part in parts:
        one = part.fulfilment
        state = "COMPLETED" if part.last else "RESERVED" if one.state == "PROPOSED" else one.state
        metadata = {**(one.metadata or {}), mark(request.key): _value(part)}
        change: dict[str, object] = {"uid": one.uid, "state": state, "metadata": metadata}
        if one.type == "SHIPMENT":
            details = tracking(request)
            if details:
                change["shipment_details"] = details
        changed.append(change)
    return {"fulfillments": changed}


def tracking(request: ShipmentConfirmation) -> dict[str, str]:
    """Square keeps one number and carrier per fulfilment; the other parcels stand in the note."""
    parcels = [parcel for parcel in request.parcels if parcel.tracking]
    if not parcels:
        return {}
    first = parcels[0]
    details = {"tracking_number": first.tracking or ""}
    if first.carrier:
        details["carrier"] = CARRIERS.get(first.carrier.casefold(), first.carrier)[:50]
    if first.service:
        details["shipping_type"] = first.service[:50]
    if len(parcels) > 1:
        details["shipping_note"] = ("Further parcels: " + ", ".join(one.tracking or "" for one in parcels[1:]))[:500]
    return details


def read_ship(after: Order, parts: Sequence[Part], request: ShipmentConfirmation) -> Outcome:
    """Done, if the answer shows what was asked: Square leaves out what it does not know, without a word. Pure."""
    states = {one.uid: one for one in after.fulfillments or ()}
    ours = mark(request.key)
    for part in parts:
        now = states.get(part.fulfilment.uid)
        done = now is not None and (not part.last or now.state == "COMPLETED") and ours in (now.metadata or {})
        if not done:
            return NeedsPerson(
                reason=f"order {after.id}: Square answered 200, and fulfilment {part.fulfilment.uid} is "
                f"{now.state if now else 'gone'}",
                next_step="complete the fulfilment in the Square Dashboard, then resolve",
            )
    return Done(reference=parts[0].fulfilment.uid)


def _too_many(order: Order, line: str, asked: int, left: int) -> Outcome:
    return NeedsPerson(
        reason=f"order {order.id}: {asked} of line {line} left, and Square has no open fulfilment for {left} of them",
        next_step="compare with the Square Dashboard (completed by hand, cancelled, edited), then resolve",
    )
