"""Sends; what to send and what the answers mean is in `calls.py` and `labels.py`."""

import re
from typing import Final
from uuid import uuid4

import msgspec

from adapters.ups import calls, labels
from adapters.ups.settings import Settings
from hub.domain.shipping import Rate
from hub.sdk.capabilities import Check, Context, LabelRequest, LabelVoid, Probe, Pulled, RateRequest
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, Unauthorised, Uncertain
from hub.sdk.wire import Request, Response

NUMBER: Final = re.compile(r"1Z[0-9A-Z]{16}|1R[0-9A-Z]{14}|1R[0-9A-Z]{26}")
"""Numbers that Track Alert takes."""

PROBE: Final = "1Z0000000000000000"

UNPRICED: Final = Rate(id="", carrier="ups", service="", amount=0, currency="USD")
"""Of a label that is found only to be voided: what was in its boxes is not known any more, so no offer tells."""


async def quote(context: Context[Settings], wanted: RateRequest) -> tuple[Rate, ...]:
    """Offers of all services, by what the account pays."""
    parcels = (wanted.parcel, *wanted.more_parcels)
    shop = calls.shop_request(
        wanted.ship_from, wanted.ship_to, parcels, context.settings, subject=wanted.reference
    )  # fmt: skip
    return calls.read_offers(await _send(context, shop), wanted.reference, context.now())


async def buy_label(context: Context[Settings], wanted: LabelRequest) -> Outcome:
    """Buy postage, once: after an uncertain try, or where a shipment is known, our reference is looked for first."""
    look = wanted.look_first or f"shipment:{wanted.key}" in wanted.references
    if look and (earlier := await _looked(context, wanted)) is not None:
        return earlier
    if wanted.given_up:
        return Done()
    if wanted.service is not None:
        code = calls.service_code(wanted.service)
        if code is None:
            step = "ask for a service by UPS's code or name"
            return NeedsPerson(reason=f"{wanted.key}: UPS has no service {wanted.service!r}", next_step=step)
    else:
        offer = await _offer(context, wanted)
        if isinstance(offer, NeedsPerson):
            return offer
        code = offer.id
    ship = labels.ship_request(wanted, code, context.settings, context.now().date())
    return labels.read_ship(await _send(context, ship), wanted, code, context.now())


async def void_label(context: Context[Settings], wanted: LabelVoid) -> Outcome:
    """Void a shipment; void already, by an earlier try or by hand, is Done."""
    if not wanted.external_id:
        step = "void the label on ups.com if there is one"
        return NeedsPerson(reason=f"{wanted.key}: UPS's number of the shipment is not known", next_step=step)
    if wanted.look_first and await _voided(context, wanted):
        return Done(reference=wanted.external_id, found=True)
    void = calls.void_request(wanted.external_id)
    response = await _send(context, void)
    if response.status == 400 and await _voided(context, wanted):
        return Done(reference=wanted.external_id, found=True)
    return calls.read_void(response, wanted.external_id, wanted.key, context.now())


async def track(context: Context[Settings], carrier: str, tracking: str) -> Pulled | None:
    """Where a parcel is, and alerts of what happens to it next if alerts are set up."""
    if context.settings.webhook_secret and NUMBER.fullmatch(tracking):
        subscribed = await _send(context, calls.subscribe_request(tracking))
        calls.read_subscription(subscribed, tracking, context.now())
    look = calls.track_request(tracking)
    response = await _send(context, look)
    answer = calls.read_tracked(response, look.operation, tracking, context.now())
    return None if answer is None else calls.pulled(response, tracking)


async def probe(context: Context[Settings]) -> Probe:
    """Whether the app is let in. UPS does not say whose account it is, so the account is as configured."""
    look = calls.track_request(PROBE)
    calls.read_tracked(await _send(context, look), look.operation, "connection test", context.now())
    check = Check(name="credentials", ok=True, detail="UPS gives a token and answers questions about parcels")
    return Probe(account=context.settings.account, checks=(check,))


async def _looked(context: Context[Settings], wanted: LabelRequest) -> Outcome | None:
    """The labels of an earlier try: by label recovery, else by tracking. None only when both know none.

    A look that cannot be finished leaves the purchase as uncertain as it was.
    """
    name = labels.reference(wanted.key)
    try:
        recovered = await _send(context, labels.recovery_request(name, context.settings))
        if recovered.status not in (400, 404) or calls.passing(recovered):
            earlier = labels.read_recovery(recovered, wanted, context.now())
        else:
            # UPS documents no code for "no label under this reference": tracking has the last word.
            look = calls.reference_request(name, context.settings.account, context.now())
            known = calls.read_tracked(await _send(context, look), look.operation, wanted.key, context.now())
            numbers = () if known is None else calls.live(known)
            if not numbers:
                return None
            earlier = labels.tracked_only(numbers)
        price = UNPRICED if wanted.given_up else await _priced(context, wanted)
        return labels.read_earlier(earlier, wanted, price)
    except Interrupted as interrupted:
        if isinstance(interrupted.outcome, Unauthorised):
            raise
        reason = f"the search for an earlier purchase was cut short: {interrupted.outcome.reason}"
        raise Interrupted(Uncertain(reason=reason)) from interrupted


async def _offer(context: Context[Settings], wanted: LabelRequest) -> Rate | NeedsPerson:
    shop = calls.shop_request(
        wanted.ship_from,
        wanted.ship_to,
        (wanted.parcel, *wanted.more_parcels),
        context.settings,
        subject=wanted.key,
        returns=wanted.returns,
        declared=wanted.declaration,
    )
    offers = calls.read_offers(await _send(context, shop), wanted.key, context.now())
    return calls.choose(offers, wanted.service, wanted.key)


async def _priced(context: Context[Settings], wanted: LabelRequest) -> Rate:
    offer = await _offer(context, wanted)
    if isinstance(offer, NeedsPerson):
        raise Interrupted(offer)
    return offer


async def _voided(context: Context[Settings], wanted: LabelVoid) -> bool:
    look = calls.track_request(wanted.external_id)
    answer = calls.read_tracked(await _send(context, look), look.operation, wanted.key, context.now())
    return answer is not None and not calls.live(answer)


async def _send(context: Context[Settings], request: Request) -> Response:
    """Each call has a number of its own, which UPS's support asks for. It makes nothing idempotent."""
    headers = {**request.headers, "transId": uuid4().hex}
    return await context.client.send(msgspec.structs.replace(request, headers=headers))
