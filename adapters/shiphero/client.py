"""Sends to ShipHero what was asked for; what it means is decided by the pure pairs in `requests.py`."""

import hashlib
from typing import Final

import msgspec

from adapters.shiphero import requests
from adapters.shiphero.answers import read
from adapters.shiphero.longer import whole_order
from adapters.shiphero.operations import ACCOUNT
from adapters.shiphero.schemas import AccountNode, AccountProbe, Answer, OrderHead, UserQuota
from adapters.shiphero.settings import Settings
from adapters.shiphero.translate import global_id
from adapters.shiphero.webhook_schemas import PackedOut
from hub.sdk.capabilities import Check, Context, FulfilmentCancel, FulfilmentRequest, Probe, Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson, Outcome
from hub.sdk.translate import Malformed

_account: Final = msgspec.json.Decoder(Answer[AccountProbe])
_packed_out: Final = msgspec.json.Decoder(PackedOut)


async def submit_fulfilment(context: Context[Settings], request: FulfilmentRequest) -> Outcome:
    """Create the order; after an uncertain try, search for it first."""
    if request.look_first:
        found = await context.client.send(requests.find_request(request.fulfilment, context.settings))
        earlier = requests.read_earlier(requests.read_found(found, context.now()), request, context.now())
        if earlier is not None:
            return earlier
    response = await context.client.send(requests.submit_request(request, context.settings))
    return requests.read_submit(response, request, context.now())


async def cancel_fulfilment(context: Context[Settings], request: FulfilmentCancel) -> Outcome:
    """Cancel the order unless it is cancelled or on its way already. Reads its state first, each time."""
    known = request.partner_reference or request.references.get(f"fulfilment:{request.fulfilment}")
    if known is None:
        response = await context.client.send(requests.find_request(request.fulfilment, context.settings))
        found = requests.read_found(response, context.now())
    else:
        response = await context.client.send(requests.state_request(known, context.settings))
        found = requests.read_state(response, context.now())
    standing = requests.read_standing(found, request, context.now())
    if not isinstance(standing, OrderHead):
        return standing
    response = await context.client.send(requests.cancel_request(standing, request, context.settings))
    return requests.read_cancel(response, request, context.now())


async def fetch(context: Context[Settings], topic: str, object: str, body: bytes) -> Pulled:
    """Read the order that an "Order Packed Out" names by ShipHero's ids only."""
    try:
        notice = _packed_out.decode(body)
        order_id = global_id("Order", notice.order_uuid, notice.order_id, "order_id")
    except (msgspec.MsgspecError, Malformed) as error:
        step = "Compare the notice with ShipHero's documentation; the shipment will tell the same later."
        raise Interrupted(NeedsPerson(reason=f"{topic}: {error}", next_step=step)) from error
    as_of = context.now()
    order = await whole_order(context, order_id)
    if order is None:
        raise Interrupted(
            NeedsPerson(
                reason=f"ShipHero packed order {order_id} and does not show it",
                next_step="Check that the connection's user may read all orders of the account.",
            )
        )
    stored = {"as_of": as_of.isoformat(), "notice": msgspec.Raw(body), "order": order}
    digest = hashlib.sha256(body).hexdigest()[:16]
    return Pulled(
        key=f"packed:{order_id}:{digest}", topic="packed_order", object=object, body=msgspec.json.encode(stored)
    )


async def probe(context: Context[Settings]) -> Probe:
    """Sign in and read the account, its warehouses and its credits."""
    response = await context.client.send(requests.graphql(ACCOUNT, {}, context.settings))
    answer = read(response, _account, write=False, now=context.now())
    return read_probe(answer, context.settings)


def read_probe(answer: AccountProbe, settings: Settings) -> Probe:
    """What ShipHero says about itself. The account is named as configured when that is one of its names."""
    node = (answer.account.data if answer.account else None) or AccountNode()
    names = [str(name) for name in (node.username, node.legacy_id, node.id, node.email) if name]
    matches = settings.account in names
    places = [f"{place.identifier} ({place.legacy_id})" for place in node.warehouses or ()]
    quota = answer.user_quota or UserQuota()
    checks = (
        Check(name="account", ok=matches, detail=f"ShipHero calls it {', '.join(names) or 'nothing'}"),
        Check(name="warehouses", ok=bool(places), detail=", ".join(places) or "none: nothing can be sent to a node"),
        Check(name="credits", ok=True, detail=f"{quota.max_available} at most, {quota.increment_rate} a second"),
        Check(
            name="webhooks",
            ok=bool(settings.webhook_secret),
            detail="signatures are checked" if settings.webhook_secret else "no secret: every delivery is refused",
        ),
    )
    return Probe(account=settings.account if matches or not names else names[0], checks=checks)
