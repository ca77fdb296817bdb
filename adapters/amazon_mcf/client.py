"""Sends; what is sent and what the answers mean is said by the version's port, `answers.py` and `translate.py`."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

import msgspec

from adapters.amazon_mcf import answers, translate
from adapters.amazon_mcf.outbound import Order, Outbound
from adapters.amazon_mcf.settings import Settings
from hub.domain.facts import CancelConfirmed, FulfilmentAccepted, StockMeaning
from hub.sdk.capabilities import Check, Context, FulfilmentCancel, FulfilmentRequest, Probe
from hub.sdk.outcomes import (
    Done,
    Interrupted,
    Learned,
    NeedsPerson,
    Outcome,
    Refused,
    RetryLater,
    Uncertain,
)
from hub.sdk.translate import Malformed, utc
from hub.sdk.wire import Request, Response

Mcf = Context[Settings]

MOST_LINES: Final = 100
MOST_UNITS: Final = 250
LONGEST_SKU: Final = 50
ENDED: Final = frozenset({"cancelled", "canceled"})
TOO_LATE: Final = frozenset({"complete", "completepartialled", "complete_partial", "unfulfillable", "invalid"})


def port(context: Mcf) -> Outbound:
    """The version that the connection speaks."""
    return translate.VERSIONS[context.settings.version]


# --- submit -----------------------------------------------------------------------------------------------------------


async def submit_fulfilment(context: Mcf, wanted: FulfilmentRequest, /) -> Outcome:
    """Create the order, once: Amazon refuses a second one with our id, and then we look at the first."""
    if wanted.look_first:
        found = await find(context, wanted.fulfilment)
        if found is not None:
            return read_found(found, wanted)
    problem = unsendable(wanted)
    if problem is not None:
        return problem
    sent = port(context).create(wanted, context.settings)
    response = await context.client.send(sent)
    if answers.good(response):
        return accepted(wanted.fulfilment, _received(context, response), found=False)
    if response.status in (400, 409):
        found = await find(context, wanted.fulfilment)
        if found is not None:
            return read_found(found, wanted)
    if response.status == 400 and answers.names_item(response, (line.sku for line in wanted.lines)):
        reason = f"{wanted.fulfilment}: Amazon will not fulfil it: {answers.said(response)}"
        return Refused(reason=reason, stock=StockMeaning.QUANTITY)
    return answers.refusal(response, sent, wanted.fulfilment, context.now())


def _received(context: Mcf, response: Response) -> datetime:
    """When Amazon took it on: it is in; an answer that tells more of the order and cannot be read changes nothing."""
    try:
        order = port(context).created(response)
        return utc(order.received_at) if order else context.now()
    except (msgspec.MsgspecError, ValueError, Malformed):
        return context.now()


def unsendable(wanted: FulfilmentRequest) -> Outcome | None:
    """What Amazon would certainly not take, said before it is asked; names fields, never what is in them."""
    to = wanted.ship_to
    missing = [name for name, there in (("name", to.name or to.company), ("street", any(to.lines))) if not there]
    missing += [name for name, there in (("postal code", to.postal_code), ("country", to.country)) if not there]
    if missing:
        return NeedsPerson(
            reason=f"{wanted.fulfilment}: the address has no {', no '.join(missing)}, which Amazon requires",
            next_step="complete the order's address",
        )
    long = [line.sku for line in wanted.lines if len(line.sku) > LONGEST_SKU]
    if long:
        return Refused(
            reason=f"{wanted.fulfilment}: Amazon has no SKU of more than {LONGEST_SKU} characters: {long[0]}"
        )
    units = sum(line.quantity for line in wanted.lines)
    if len(wanted.lines) > MOST_LINES or units > MOST_UNITS:
        size = f"{len(wanted.lines)} lines and {units} units"
        return Refused(
            reason=f"{wanted.fulfilment}: {size} are more than the {MOST_LINES} and {MOST_UNITS} Amazon takes"
        )
    return None


def accepted(fulfilment: str, at: datetime, *, found: bool) -> Done:
    """Amazon has it."""
    fact = FulfilmentAccepted(at=utc(at), fulfilment=fulfilment, partner_reference=fulfilment)
    learned = (Learned(kind="order", ours=fulfilment, theirs=fulfilment),)
    return Done(reference=fulfilment, facts=(fact,), learned=learned, found=found)


def read_found(order: Order, wanted: FulfilmentRequest) -> Outcome:
    """An order that has our id already: ours from an earlier try, if it asks for the same."""
    there: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for line in order.lines:
        there[line.sku] += line.quantity
    for line_wanted in wanted.lines:
        asked[line_wanted.sku] += line_wanted.quantity
    if there == asked:
        return accepted(wanted.fulfilment, order.received_at, found=True)
    return NeedsPerson(
        reason=f"{wanted.fulfilment}: Amazon's order with this id asks for other items",
        next_step="cancel it at Amazon, or re-route the order",
    )


async def find(context: Mcf, order: str) -> Order | None:
    """The order with this id, if there is one. Raises `Interrupted`."""
    body = await get_body(context, order)
    try:
        return None if body is None else translate.read(port(context), body)
    except Malformed as fault:
        step = "look at the order in Seller Central; compare the API version with the adapter's"
        raise Interrupted(NeedsPerson(reason=f"{order}: Amazon's {fault}", next_step=step)) from fault


async def get_body(context: Mcf, order: str) -> bytes | None:
    """The answer to `get`, as it is stored; None when there is no such order."""
    wanted = port(context).get(order)
    response = await context.client.send(wanted)
    # 2020-07-01 answers 400 for an order that it does not have.
    if response.status == 404 or (response.status == 400 and "not" in answers.said(response).lower()):
        return None
    answers.expect(response, wanted, order, context.now())
    return response.body


# --- cancel -----------------------------------------------------------------------------------------------------------


async def cancel_fulfilment(context: Mcf, wanted: FulfilmentCancel, /) -> Outcome:
    """Ask for a cancel and see whether it came: a success is only "taken on", an error may mean "already done"."""
    before = await find(context, wanted.fulfilment)
    if before is None:
        return NeedsPerson(
            reason=f"{wanted.fulfilment}: Amazon has no order with this id, so nothing can be cancelled",
            next_step="see whether the order was submitted at all, and by which version of the API",
        )
    seen = ended(before, wanted, found=True)
    if seen is not None:
        return seen
    sent = port(context).cancel(wanted.fulfilment)
    response = await context.client.send(sent)
    good = answers.good(response)
    if not good and response.status not in (400, 409):
        return answers.refusal(response, sent, wanted.fulfilment, context.now())
    after = await find(context, wanted.fulfilment)
    seen = ended(after, wanted, found=False) if after else None
    if seen is not None:
        return seen
    if good:
        return Uncertain(reason=f"{wanted.fulfilment}: Amazon took the cancel on and has not done it yet")
    return Refused(reason=f"{wanted.fulfilment}: Amazon is already at work: {answers.said(response)}")


def ended(order: Order, wanted: FulfilmentCancel, *, found: bool) -> Outcome | None:
    """What the order's state says about a cancel; None while both ends are open."""
    word = order.status.casefold()
    gone = [shipment for shipment in order.shipments if shipment.status.casefold() == "shipped"]
    if word in ENDED and not gone:
        fact = CancelConfirmed(at=utc(order.changed_at), fulfilment=wanted.fulfilment)
        return Done(facts=(fact,), found=found)
    if word in TOO_LATE or gone:
        return Refused(reason=f"{wanted.fulfilment}: Amazon's order is {order.status}, too late to cancel")
    return None


# --- connection test --------------------------------------------------------------------------------------------------

NOBODY: Final = "CROSSDOCK-CONNECTION-TEST"


async def probe(context: Mcf, /) -> Probe:
    """Whether orders can be listed and read: a seller's app may do the one and be denied the other."""
    now = context.now()
    listed = port(context).list(now - timedelta(minutes=1), None)
    checks = [await _may(context, "list orders", listed)]
    checks.append(await _may(context, "read an order", port(context).get(NOBODY)))
    return Probe(account=context.settings.seller_id, checks=tuple(checks))


async def _may(context: Mcf, name: str, wanted: Request) -> Check:
    response = await context.client.send(wanted)
    if answers.good(response) or response.status in (400, 404):
        return Check(name=name, ok=True, detail="allowed")
    failure = answers.refusal(response, wanted, "connection test", context.now())
    if isinstance(failure, RetryLater | Uncertain):
        raise Interrupted(failure)
    return Check(name=name, ok=False, detail=failure.reason)
