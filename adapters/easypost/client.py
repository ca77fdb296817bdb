"""Sends; what to send and what the answers mean is in `calls.py`."""

from collections.abc import Sequence
from datetime import datetime

from adapters.easypost import boxes, calls
from adapters.easypost.customs import customs_info
from adapters.easypost.schemas import Shipment
from adapters.easypost.settings import Settings
from hub.domain.contact import Contact
from hub.domain.shipping import Label, Rate
from hub.sdk.capabilities import (
    Check,
    Context,
    LabelRequest,
    LabelVoid,
    ParcelToShip,
    Probe,
    Pulled,
    RateRequest,
)
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, RetryLater, Uncertain
from hub.sdk.wire import Request


async def quote(context: Context[Settings], wanted: RateRequest) -> tuple[Rate, ...]:
    """Offers of all carriers, for all boxes together. The shipments behind them have no reference: that belongs to
    purchases alone."""
    parcels = (wanted.parcel, *wanted.more_parcels)
    return await _offers(context, wanted.reference, wanted.ship_from, wanted.ship_to, parcels)


async def _offers(
    context: Context[Settings],
    subject: str,
    ship_from: Contact,
    ship_to: Contact,
    parcels: Sequence[ParcelToShip],
) -> tuple[Rate, ...]:
    """A shipment of EasyPost's is one parcel, so each box is asked about; boxes alike in size and weight once."""
    known: dict[bytes, tuple[Rate, ...]] = {}
    offers: list[tuple[Rate, ...]] = []
    for parcel in parcels:
        create = calls.create_request(ship_from, ship_to, parcel, None, context.settings)
        asked = create.body or b""
        if asked not in known:
            known[asked] = calls.read_offers(await _shipment(context, create, subject))
        offers.append(known[asked])
    return boxes.summed(offers)


async def buy_label(context: Context[Settings], wanted: LabelRequest) -> Outcome:
    """Buy postage, once: the earlier shipment under the key is bought or taken up, never replaced by another.

    Each box is a shipment of its own, bought in turn under a reference of its own, all by one service: the wanted one,
    that of a box which was bought already, or the one that is cheapest for all of them. What cannot be told of a later
    box leaves the whole uncertain: the next try finds those that were bought.
    """
    if wanted.given_up:
        return await _given_up(context, wanted)
    asked, bought = boxes.of(wanted), list[Label]()
    for box in (wanted, *asked):
        # Before any of them costs money; together, since boxes of one shipment are one export.
        if isinstance(undeclared := customs_info(box), NeedsPerson):
            return undeclared
    if wanted.more_parcels and wanted.service is None:
        way = await _way(context, wanted)
        if isinstance(way, NeedsPerson):
            return way
        asked = boxes.of(way)
    for box in asked:
        outcome = await _box(context, boxes.like_the_first(box, bought))
        if not isinstance(outcome, Done) or outcome.label is None:
            return boxes.cut_short(wanted, outcome, bought)
        bought.append(outcome.label)
        found = outcome.found
    return boxes.together(wanted, bought, found=found)


async def void_label(context: Context[Settings], wanted: LabelVoid) -> Outcome:
    """Ask for the money back, box by box; asked already, by an earlier try or by hand, is Done."""
    outcomes = [await _void(context, one) for one in boxes.to_void(wanted)]
    return next((one for one in outcomes if not isinstance(one, Done)), outcomes[0])


async def _void(context: Context[Settings], wanted: LabelVoid) -> Outcome:
    if wanted.look_first:
        earlier = await _refund(context, wanted)
        if earlier is not None:
            return earlier
    ask = calls.refund_request(wanted.external_id)
    response = await context.client.send(ask)
    if response.status in (400, 422):
        earlier = await _refund(context, wanted)
        return earlier or calls.refusal(response, ask.operation, wanted.key, context.now(), write=True)
    answer = calls.read_shipment(response, ask.operation, wanted.key, context.now(), write=True)
    return calls.read_refund(answer, found=False) or NeedsPerson(
        reason=f"{wanted.key}: EasyPost took the refund of {answer.id} without giving it a status",
        next_step="look at the shipment in EasyPost's dashboard",
    )


async def track(context: Context[Settings], carrier: str, tracking: str) -> Pulled | None:
    """Let EasyPost follow a parcel, whoever shipped it; its webhooks tell the rest."""
    response = await context.client.send(calls.track_request(carrier, tracking))
    return calls.read_track(response, tracking, context.now())


async def probe(context: Context[Settings]) -> Probe:
    """Whether the key is good. EasyPost tells a production key's owner only, so the account is as configured."""
    since = calls.search_from(None, context.now())
    response = await context.client.send(calls.list_request(since, None))
    page = calls.read_list(response, context.now())
    detail = f"lists shipments: {len(page.shipments)} bought lately"
    return Probe(account=context.settings.account, checks=(Check(name="api_key", ok=True, detail=detail),))


async def _way(context: Context[Settings], wanted: LabelRequest) -> LabelRequest | NeedsPerson:
    """The request with one service for all boxes; as it is where an earlier try bought the first of them by one."""
    earlier = await _earlier(context, wanted)
    if earlier is not None and earlier.postage_label is not None:
        return wanted
    parcels = (wanted.parcel, *wanted.more_parcels)
    return boxes.cheapest_way(wanted, await _offers(context, wanted.key, wanted.ship_from, wanted.ship_to, parcels))


async def _buy(context: Context[Settings], shipment: Shipment, wanted: LabelRequest) -> Outcome:
    if calls.stale(shipment, context.now()):
        shipment = await _shipment(context, calls.rerate_request(shipment.id), wanted.key)
    offer = calls.choose(shipment, wanted)
    if isinstance(offer, NeedsPerson):
        return offer
    buy = calls.buy_request(shipment.id, offer.id)
    response = await context.client.send(buy)
    if calls.error_of(response).code == calls.BOUGHT_ALREADY:
        bought = await _shipment(context, calls.shipment_request(shipment.id), wanted.key)
        return calls.read_label(bought, wanted, found=True)
    bought = calls.read_shipment(response, buy.operation, wanted.key, context.now(), write=True)
    return calls.read_label(bought, wanted, found=False)


async def _box(context: Context[Settings], wanted: LabelRequest) -> Outcome:
    """Postage for one box. What stops a later box is told as an outcome, for the first ones are bought."""
    customs = customs_info(wanted)
    if isinstance(customs, NeedsPerson):
        return customs
    try:
        shipment = await _earlier(context, wanted)
        found = shipment is not None
        if shipment is None:
            create = calls.create_request(
                wanted.ship_from, wanted.ship_to, wanted.parcel, wanted.key, context.settings, customs
            )
            shipment = await _shipment(context, create, wanted.key)
        if shipment.postage_label is not None:
            return calls.read_label(shipment, wanted, found=found)
        return await _buy(context, shipment, wanted)
    except Interrupted as interrupted:
        return interrupted.outcome


async def _given_up(context: Context[Settings], wanted: LabelRequest) -> Outcome:
    """What earlier tries bought of a label that nobody wants any more. A shipment without postage costs nothing.

    Boxes are bought in turn, so the first that was not bought is the last that was tried.
    """
    bought: list[Label] = []
    while True:
        box = boxes.nth(wanted, len(bought) + 1)
        earlier = await _earlier(context, box)
        if earlier is None or earlier.postage_label is None:
            return boxes.together(wanted, bought, found=True) if bought else Done()
        outcome = calls.read_label(earlier, box, found=True)
        if not isinstance(outcome, Done) or outcome.label is None:
            return outcome
        bought.append(outcome.label)


async def _earlier(context: Context[Settings], wanted: LabelRequest) -> Shipment | None:
    """The shipment of an earlier try: by its learned id, by our reference, or in the list of bought ones.

    References are not unique: a try that ended between creating and buying leaves an unbought twin, and the reference
    may name that one. So only a bought shipment ends the search; an unbought one is taken up when the list has no
    bought one of its age or younger. A search that cannot be finished leaves the purchase as uncertain as it was.
    """
    learned = wanted.references.get(f"shipment:{wanted.key}")
    if learned is None and not wanted.look_first:
        return None
    try:
        named = await _named(context, learned or wanted.key)
        if named is not None and named.postage_label is not None:
            return named
        since = calls.search_from(named, context.now())
        return await _listed(context, wanted.key, since) or named
    except Interrupted as interrupted:
        if isinstance(interrupted.outcome, RetryLater):
            reason = f"the search for an earlier purchase was cut short: {interrupted.outcome.reason}"
            raise Interrupted(Uncertain(reason=reason)) from interrupted
        raise


async def _refund(context: Context[Settings], wanted: LabelVoid) -> Outcome | None:
    look = calls.shipment_request(wanted.external_id)
    return calls.read_refund(await _shipment(context, look, wanted.key), found=True)


async def _named(context: Context[Settings], name: str) -> Shipment | None:
    look = calls.shipment_request(name)
    response = await context.client.send(look)
    if response.status == 404:
        return None
    return calls.read_shipment(response, look.operation, name, context.now())


async def _listed(context: Context[Settings], reference: str, since: datetime) -> Shipment | None:
    before: str | None = None
    for _ in range(calls.MOST_PAGES):
        page = calls.read_list(await context.client.send(calls.list_request(since, before)), context.now())
        for shipment in page.shipments:
            if shipment.reference == reference and shipment.postage_label is not None:
                return shipment
        if not page.has_more or not page.shipments:
            break
        before = page.shipments[-1].id
    return None


async def _shipment(context: Context[Settings], request: Request, subject: str) -> Shipment:
    response = await context.client.send(request)
    return calls.read_shipment(response, request.operation, subject, context.now(), write=request.write)
