"""Telling Amazon what left: shipmentConfirmation, the one call of Orders v0 that lives on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from adapters.amazon import answers
from adapters.amazon.carriers import carrier
from adapters.amazon.client import Seller, get_order, request
from adapters.amazon.schemas import Order
from hub.domain.shipping import Parcel
from hub.sdk.capabilities import ConfirmedLine, ShipmentConfirmation
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused
from hub.sdk.wire import Request, Response

MOST_PARCELS: Final = 100
ALREADY: Final = frozenset({"PackageToUpdateNotFound"})

Contents = Mapping[str, int]


async def confirm_shipment(context: Seller, request: ShipmentConfirmation, /) -> Outcome:
    """One confirmation per parcel. Sent again under its reference it edits the same package: a repeat is harmless."""
    subject = f"order {request.order_external_id}"
    untracked = [parcel for parcel in request.parcels if not parcel.tracking]
    if untracked or not request.parcels:
        return NeedsPerson(
            reason=f"{subject}: Amazon takes no confirmation without a tracking number",
            next_step="give the parcel a tracking number, or confirm the shipment in Seller Central",
        )
    marketplace = context.settings.marketplace_ids[0]
    if request.look_first or len(context.settings.marketplace_ids) > 1:
        order = await get_order(context, request.order_external_id, Order)
        if request.look_first and confirmed(order, request):
            return Done(found=True, reference=packages(request)[0][0])
        marketplace = order.sales_channel.marketplace_id or marketplace
    for reference, parcel, contents in packages(request):
        wanted = confirm_request(request, reference, parcel, contents, marketplace, context.now())
        response = await context.client.send(wanted)
        if response.status != 204:
            return await _refused(context, request, wanted, response)
    return Done(reference=packages(request)[0][0])


async def _refused(context: Seller, asked: ShipmentConfirmation, sent: Request, response: Response) -> Outcome:
    """What a failed confirmation means; the order itself says whether the units are confirmed in another way."""
    outcome = answers.refusal(response, sent, f"order {asked.order_external_id}", context.now())
    if not isinstance(outcome, NeedsPerson) or response.status not in (400, 404):
        return outcome
    order = await get_order(context, asked.order_external_id, Order)
    if order.fulfillment.fulfillment_status == "CANCELLED":
        return Refused(reason=f"order {order.order_id} is cancelled at Amazon")
    if confirmed(order, asked) or (answers.codes(response) & ALREADY and gone(order, asked)):
        return Done(found=True)
    return outcome


def packages(request: ShipmentConfirmation) -> list[tuple[str, Parcel, Contents]]:
    """Reference, parcel and contents of each package.

    A reference is a positive number, unique in the order: the shipment's number (the last part of the key), then the
    parcel's. Where the parcels do not say in the channel's words what is in them, all units go with the first one's
    tracking: Amazon wants contents for every package, and to guess them would be worse.
    """
    shipment = request.key.rpartition("-")[2]
    base = int(shipment) * MOST_PARCELS if shipment.isdigit() else MOST_PARCELS
    split = _contents(request.parcels, request.lines)
    return [
        (str(base + number), parcel, contents)
        for number, (parcel, contents) in enumerate(zip(request.parcels, split, strict=False), 1)
        if contents
    ]


def _contents(parcels: Sequence[Parcel], lines: Sequence[ConfirmedLine]) -> list[Contents]:
    whole: Counter[str] = Counter()
    for line in lines:
        whole[line.line] += line.quantity
    split: list[Contents] = []
    for parcel in parcels:
        inside: Counter[str] = Counter()
        for one in parcel.lines:
            inside[one.line] += one.quantity
        split.append(inside)
    stated: Counter[str] = Counter()
    for part in split:
        stated.update(part)
    return split if stated == whole else [whole]


def confirm_request(
    request_: ShipmentConfirmation, reference: str, parcel: Parcel, contents: Contents, marketplace: str, now: datetime
) -> Request:
    """POST shipmentConfirmation. The date is never in the future: clocks of nodes run ahead."""
    detail: dict[str, object] = {
        "packageReferenceId": reference,
        **carrier(parcel.carrier),
        "trackingNumber": parcel.tracking,
        "shipDate": _stamp(min(request_.shipped_at, now)),
        "orderItems": [{"orderItemId": line, "quantity": units} for line, units in contents.items()],
    }
    if parcel.service:
        detail["shippingMethod"] = parcel.service
    return request(
        "POST",
        f"/orders/v0/orders/{request_.order_external_id}/shipmentConfirmation",
        "confirmShipment",
        document={"marketplaceId": marketplace, "packageDetail": detail},
        write=True,
    )


def confirmed(order: Order, request_: ShipmentConfirmation) -> bool:
    """Whether the order has all our packages: by their references, with our tracking numbers."""
    there = {(package.package_reference_id, package.tracking_number) for package in order.packages}
    return all((reference, parcel.tracking) in there for reference, parcel, _ in packages(request_))


def gone(order: Order, request_: ShipmentConfirmation) -> bool:
    """Whether at least the units of the request are fulfilled in Amazon's eyes."""
    done = {line.order_item_id: line.fulfilled for line in order.order_items}
    return all(done.get(line.line, 0) >= line.quantity for line in request_.lines)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
