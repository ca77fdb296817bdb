"""Telling the store what left."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from adapters.magento import answers, schemas
from adapters.magento.carriers import carrier_code
from adapters.magento.client import Store, bundles_together, post, read_order
from adapters.magento.documents import note, noted, shipments_of
from adapters.magento.goods import BUNDLE, CONFIGURABLE, INTANGIBLE
from adapters.magento.settings import Settings
from adapters.magento.sources import lacking, restored
from hub.sdk.capabilities import ShipmentConfirmation
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused, RetryLater
from hub.sdk.wire import Response

OUT_OF_STOCK: Final = ("Could not save a shipment", "Not all of your products are available")
"""What the store says when its source has too few; the first stands for much else as well."""

ROUNDS: Final = 3
"""How often a source is set right in one try, when other shipments and levels keep taking from it meanwhile."""

DEFAULT_SOURCE: Final = "default"
"""Code of the source that every store has."""


class Plan(msgspec.Struct, frozen=True):
    """Units by order item, as the store wants them; never empty, for to the store nothing means everything."""

    items: Mapping[int, int]


async def confirm_shipment(context: Store, request: ShipmentConfirmation, /) -> Outcome:
    """One shipment with all tracking numbers, taken off one source.

    The order is read first. After an uncertain try, and wherever less remains than left, the order's shipments are
    searched for ours. A source that has fewer units than left is set right: they were there. Where others take from it
    faster than that, the confirmation is tried again later; nobody has to mend anything.
    """
    order = await read_order(context, request.order_external_id)
    if request.look_first:
        earlier = told_before(await shipments_of(context, order), request)
        if earlier is not None:
            return Done(reference=str(earlier.entity_id), found=True)
    bundles = {item.product_id for item in order.items if item.product_type == BUNDLE and item.product_id is not None}
    together = await bundles_together(context, bundles) if _of_bundles(order, request) else frozenset[int]()
    planned = plan(order, request, together)
    if not isinstance(planned, Plan):
        earlier = told_before(await shipments_of(context, order), request)
        return planned if earlier is None else Done(reference=str(earlier.entity_id), found=True)
    outcome, short = await _ship(context, order, request, planned)
    source, units = source_of(request, context.settings), needed(order, planned)
    for _ in range(ROUNDS):
        # Also where nothing had to be raised: availability told meanwhile may have set it right.
        if not short or not await restored(context, source, units):
            return outcome
        outcome, short = await _ship(context, order, request, planned)
    missing = await lacking(context, source, units) if short else {}
    if not missing:
        return outcome
    reason = f"order {order.increment_id}: source {source} is short of {', '.join(missing)} again while others ship"
    return RetryLater(reason=reason)


async def _ship(
    context: Store, order: schemas.Order, request: ShipmentConfirmation, planned: Plan
) -> tuple[Outcome, bool]:
    """What came of one try, and whether it may have failed for lack of stock."""
    body = ship_request(planned, request, context.settings)
    answer = await post(context, f"/order/{order.entity_id}/ship", "POST /order/{id}/ship", body)
    message = answers.told(answer.body) or ""
    short = answer.status == 400 and any(words in message for words in OUT_OF_STOCK)
    return read_ship(answer, order, request, context.now()), short


def _of_bundles(order: schemas.Order, request: ShipmentConfirmation) -> bool:
    kinds = {item.item_id: item.product_type for item in order.items}
    parents = {str(item.item_id): item.parent_item_id for item in order.items}
    return any(kinds.get(parents.get(line.line) or 0) == BUNDLE for line in request.lines)


def told_before(shipments: Iterable[schemas.Shipment], request: ShipmentConfirmation) -> schemas.Shipment | None:
    """The shipment that an earlier try of this confirmation made: by our note, else by all its tracking numbers."""
    numbers = {parcel.tracking for parcel in request.parcels if parcel.tracking}
    for one in shipments:
        if noted(one.comments, request.key):
            return one
        if numbers and numbers <= {track.track_number for track in one.tracks}:
            return one
    return None


def plan(order: schemas.Order, request: ShipmentConfirmation, together: frozenset[int]) -> Plan | Outcome:
    """What to ship by the store's own items, or why nothing can be.

    A configurable is shipped as its parent, which is what our lines are. A bundle is shipped as its parent when its
    products leave together, else as its children; the other way round the store refuses (magento/magento2#9762).
    """
    refused = _not_shippable(order, request)
    if refused is not None:
        return refused
    items = {item.item_id: item for item in order.items}
    wanted: Counter[int] = Counter()
    bound: dict[int, Counter[int]] = {}
    for line in request.lines:
        item = items.get(int(line.line)) if line.line.isdigit() else None
        if item is None:
            return NeedsPerson(
                reason=f"order {order.increment_id} has no item {line.line}, of which {line.quantity} left",
                next_step="compare the order with the store's admin, add the shipment there, resolve",
            )
        parent = items.get(item.parent_item_id) if item.parent_item_id else None
        if not _ships(item):
            continue
        if parent is not None and parent.product_type == BUNDLE and parent.product_id in together:
            bound.setdefault(parent.item_id, Counter())[item.item_id] += line.quantity
        else:
            home = parent if parent is not None and parent.product_type == CONFIGURABLE else item
            wanted[home.item_id] += line.quantity
    for bundle, parts in bound.items():
        whole = _whole_bundles(items[bundle], order.items, parts)
        if whole is None:
            return _part_of_bundle(order, items[bundle])
        wanted[bundle] += whole
    return _checked(order, items, wanted)


def _checked(order: schemas.Order, items: Mapping[int, schemas.Item], wanted: Mapping[int, int]) -> Plan | Outcome:
    missing = {item: units for item, units in wanted.items() if units > items[item].to_ship}
    if missing:
        return _nothing_left(order, items, missing)
    return Plan(items=dict(wanted)) if wanted else Done(found=True)


def _ships(item: schemas.Item) -> bool:
    return not item.is_virtual and item.product_type not in INTANGIBLE


def _whole_bundles(bundle: schemas.Item, items: Sequence[schemas.Item], parts: Counter[int]) -> int | None:
    """How many bundles these children make up; None when they make up no whole number."""
    counts: set[Decimal] = set()
    for item in items:
        if item.parent_item_id == bundle.item_id and _ships(item) and item.qty_ordered:
            counts.add(parts[item.item_id] * bundle.qty_ordered / item.qty_ordered)
    if len(counts) != 1:
        return None
    (count,) = counts
    return int(count) if count == int(count) else None


def needed(order: schemas.Order, planned: Plan) -> dict[str, int]:
    """Units by SKU that a shipment takes off its source; of a bundle, those of its parts."""
    units: Counter[str] = Counter()
    for item in order.items:
        home = planned.items.get(item.item_id, 0)
        parts = [one for one in order.items if one.parent_item_id == item.item_id]
        if item.product_type != BUNDLE or not parts:
            units[item.sku] += home
            continue
        for part in parts:
            units[part.sku] += int(home * part.qty_ordered / item.qty_ordered) if item.qty_ordered else 0
    return dict(+units)


def source_of(request: ShipmentConfirmation, settings: Settings) -> str:
    """The source that a shipment is taken off."""
    return request.location or settings.default_source or DEFAULT_SOURCE


def ship_request(planned: Plan, request: ShipmentConfirmation, settings: Settings) -> dict[str, object]:
    """Body of `POST /order/{id}/ship`."""
    body: dict[str, object] = {
        "items": [{"order_item_id": item, "qty": units} for item, units in planned.items.items()],
        "notify": request.notify,
        **note(request.key),
    }
    numbers = {parcel.tracking: parcel for parcel in request.parcels if parcel.tracking}
    if numbers:
        body["tracks"] = [
            {
                "track_number": number,
                "title": " ".join(filter(None, (parcel.carrier, parcel.service))) or "Parcel",
                "carrier_code": carrier_code(parcel.carrier),
            }
            for number, parcel in numbers.items()
        ]
    source = request.location or settings.default_source
    if source is not None:
        body["arguments"] = {"extension_attributes": {"source_code": source}}
    return body


def read_ship(answer: Response, order: schemas.Order, request: ShipmentConfirmation, now: datetime) -> Outcome:
    """Done with the shipment's id, or why there is none. Raises `Interrupted`."""
    what = f"order {order.increment_id}: shipment"
    if answer.status != 400:
        return Done(reference=str(answers.read(answer, answers.ID, what, now, write=True)))
    message = answers.told(answer.body) or "no reason given"
    if "unshipped quantity" in message or "greater than" in message:
        return RetryLater(reason=f"{what} refused, the order changed meanwhile: {message}")
    source = request.location or "the default source"
    return NeedsPerson(
        reason=f"{what} from {source} refused: {message}",
        next_step="check that the source exists, is enabled, holds these units and belongs to the order's stock, then "
        "retry; where the message says no reason, var/log/exception.log of the store does",
    )


def _not_shippable(order: schemas.Order, request: ShipmentConfirmation) -> Outcome | None:
    units = ", ".join(f"{line.quantity} of item {line.line}" for line in request.lines)
    match order.state:
        case "holded":
            return NeedsPerson(
                reason=f"order {order.increment_id} is on hold at Magento, and {units} left",
                next_step="unhold the order in the store's admin, then retry",
            )
        case "payment_review" | "pending_payment":
            return NeedsPerson(
                reason=f"order {order.increment_id} is in {order.state} at Magento, and {units} left",
                next_step="accept or deny the payment in the store's admin, then retry",
            )
        case "canceled":
            return Refused(reason=f"order {order.increment_id} was cancelled at Magento; {units} left all the same")
        case _:
            return None


def _part_of_bundle(order: schemas.Order, bundle: schemas.Item) -> Outcome:
    return NeedsPerson(
        reason=f"order {order.increment_id}: of bundle {bundle.sku}, which the store ships together, only a part left",
        next_step="send the rest, or refund it; then enter the bundle's shipment in the store's admin and resolve",
    )


def _nothing_left(order: schemas.Order, items: Mapping[int, schemas.Item], missing: Mapping[int, int]) -> Outcome:
    units = ", ".join(
        f"{count} of {items[item].sku} (to ship there: {items[item].to_ship.normalize():f})"
        for item, count in sorted(missing.items())
    )
    return NeedsPerson(
        reason=f"order {order.increment_id}: more left than the store has to ship: {units}",
        next_step="compare with the store's admin (shipped by hand, refunded, cancelled), add tracking there, resolve",
    )
