"""Capture what left, void what will not leave. Derived from the order as it is, so that nothing is asked twice."""

from collections.abc import Iterable, Mapping

import msgspec

from hub.domain.effects import CapturePayment, VoidPayment
from hub.domain.order import OrderContent
from hub.domain.payment import (
    Authorisation,
    CapturedBy,
    Payment,
    PaymentKind,
    PaymentRequest,
    Position,
    position,
)
from hub.domain.returns import share
from hub.domain.states import AT_REST, GONE, REQUEST_MOVES, RequestState, move
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.credit import billed
from hub.flow.directory import Link
from hub.flow.ports import Unit
from hub.flow.refund import money_subject, payments_of
from hub.flow.trouble import Trouble
from hub.sdk.capabilities import PaymentCapture, PaymentVoid

EXPIRES = "authorisation_expires"
SHORT = "capture_short"
BY_HAND = "capture_by_hand"


async def know_money(unit: Unit, orders: Iterable[Order], batch: Batch) -> None:
    """Read the money of orders whose account leaves capturing to the hub."""
    await unit.peers([order for order in orders if not order.peers_known and _ours(order, batch)])


def _ours(order: Order, batch: Batch) -> bool:
    account = batch.directory.accounts.get(order.account)
    return order.acting and account is not None and account.captured_by is CapturedBy.HUB


def pay(order: Order, batch: Batch) -> None:
    """Ask for what is due: capture of what left, void of what never will. Asked already is not asked again."""
    if not _ours(order, batch) or order.content is None or not order.peers_known:
        return
    found = _position(order)
    if order.content.on_account and not found.authorisations:
        return  # a company that pays its invoice has nothing to capture
    link = batch.directory.links.get(batch.directory.successor(order.connection))
    _capture(order, order.content, found, link, batch)
    _void(order, order.content, _position(order), link, batch)
    _watch(order, _position(order), batch)


def _position(order: Order) -> Position:
    return position(payments_of(order), order.currency, order.requests.values())


def due(order: Order, content: OrderContent) -> int:
    """What has left so far, in minor units: its lines' shares, and charges of the whole order with the first of it.

    Everything gone comes to the order's total exactly, in however many parts.
    """
    gone = _gone(order)
    if not any(gone.values()):
        return 0
    amounts = content.amounts.shop
    included = amounts.tax_included
    total, lines = 0, 0
    for line in content.lines:
        whole = line.subtotal - line.discount
        lines += whole + (0 if included else line.tax)
        units, of = min(gone.get(line.external_id, 0), billed(line)), billed(line)
        total += share(whole, 0, units, of) + (0 if included else share(line.tax, 0, units, of))
    return total + amounts.total - lines


def _gone(order: Order) -> dict[str, int]:
    """Sold units per line that left; of a kit as many as its slowest component allows."""
    units: dict[str, int] = {}
    for no, demand in order.demands.items():
        left = sum(part.quantity for part in order.slices.values() if part.demand == no and part.state in GONE)
        units[demand.line] = min(left // demand.per_unit, units.get(demand.line, left // demand.per_unit))
    return units


def _capture(order: Order, content: OrderContent, found: Position, link: Link | None, batch: Batch) -> None:
    wanted = _wanted(order, content, found)
    if wanted <= 0:
        order.mend(BY_HAND)
        order.mend(SHORT)
        return
    if link is None or not link.wants("capture_payment"):
        order.troubles.append(_trouble(order, BY_HAND, f"Capture {wanted} {order.currency} (minor units) at the "
                                       "channel by hand: the connection cannot be asked to."))  # fmt: skip
        return
    resting = all(part.state in AT_REST for part in order.slices.values())
    for authorisation in sorted(found.authorisations, key=lambda one: one.left):
        amount = min(wanted, authorisation.left)
        if amount > 0:
            wanted -= amount
            _request(order, PaymentKind.CAPTURE, authorisation, amount, resting, link, batch)
    if wanted > 0:
        order.troubles.append(
            _trouble(order, SHORT, f"Goods left, and {wanted} {order.currency} (minor units) of them are not covered "
                     "by an open authorisation. Have the customer authorise again, or invoice it.")
        )  # fmt: skip


def _wanted(order: Order, content: OrderContent, found: Position) -> int:
    """What is due and neither captured nor asked for. What was refused is asked again of a newer authorisation only."""
    newest = max((one.at for one in found.authorisations if one.at is not None), default=None)
    standing = sum(
        one.amount
        for one in order.requests.values()
        if one.kind is PaymentKind.CAPTURE
        and (
            one.state is RequestState.ASKED
            or (one.state is RequestState.REFUSED and (newest is None or newest <= one.asked_at))
        )
    )
    # A payment that the channel still calls pending is taken all the same.
    ours = sum(
        one.amount
        for one in order.requests.values()
        if one.kind is PaymentKind.CAPTURE and one.state is RequestState.DONE
    )
    return due(order, content) - max(found.captured, ours) - standing


def _void(order: Order, content: OrderContent, found: Position, link: Link | None, batch: Batch) -> None:
    """An authorisation of which nothing was and nothing will be captured is let go."""
    states = {part.state for part in order.slices.values()}
    resting = states <= AT_REST and bool(states or content.cancelled_at)
    if content.financial_status == "voided" or not resting or due(order, content) > found.captured:
        return
    if link is None or not link.wants("void_payment"):
        return
    for authorisation in found.authorisations:
        if not authorisation.captured and authorisation.left == authorisation.amount:
            _request(order, PaymentKind.VOID, authorisation, authorisation.amount, True, link, batch)


def _request(
    order: Order, kind: PaymentKind, authorisation: Authorisation, amount: int, final: bool, link: Link, batch: Batch
) -> None:
    no = max(order.requests, default=0) + 1
    order.requests[no] = PaymentRequest(
        order=order.id,
        no=no,
        kind=kind,
        parent=authorisation.external_id,
        amount=amount,
        currency=order.currency,
        asked_at=batch.now,
        final=final,
    )
    effect = (
        CapturePayment(order=order.id, request=no)
        if kind is PaymentKind.CAPTURE
        else VoidPayment(order=order.id, request=no)
    )
    order.plan(link.connection.id, money_subject(order), effect, no)
    order.note(batch.now, f"{kind.value}_asked", f"request {no}: {amount} {order.currency}")


def _watch(order: Order, found: Position, batch: Batch) -> None:
    """Tell of an authorisation that ends before a node has promised to ship what it pays for."""
    waiting = any(part.state not in AT_REST for part in order.slices.values())
    ends = [one.expires_at for one in found.authorisations if one.left and one.expires_at is not None]
    ships = [
        fulfilment.ship_by
        for no, fulfilment in order.fulfilments.items()
        if fulfilment.ship_by is not None and any(part.state not in AT_REST for part in order.of_fulfilment(no))
    ]
    latest = max(ships, default=None)
    first = min(ends, default=None)
    if waiting and first is not None and (first <= batch.now or (latest is not None and first < latest)):
        order.troubles.append(expires(order.connection, order.external_id, order.id, first.isoformat()))
    else:
        order.mend(EXPIRES)


def expires(connection: str, external: str, order: str, when: str) -> Trouble:
    """The exception of an authorisation that ends too soon."""
    return Trouble(
        kind=EXPIRES,
        cause=f"{connection}: order {external}",
        next_step=f"The authorisation ends at {when}, before the goods leave. Ship sooner, capture now, or have the "
        "customer authorise again; it closes by itself when there is a newer one.",
        connection=connection,
        external_id=external,
        waiter=("order", order),
    )


def _trouble(order: Order, kind: str, step: str) -> Trouble:
    return order.trouble(
        kind=kind,
        cause=f"{order.connection}: order {order.external_id}",
        next_step=step,
    )


# --- what became of it -----------------------------------------------------------------------------------------------


def request_done(order: Order, no: int, payments: tuple[Payment, ...], reference: str | None, batch: Batch) -> None:
    """The channel captured or voided. Told again, it changes nothing: payments keep their ids."""
    request = order.requests[no]
    id = reference or (payments[0].external_id if payments else f"{order.id}-request-{no}")
    order.payments.extend(payments or (_as_asked(request, id, batch),))
    if request.state is not RequestState.DONE:
        state = move(REQUEST_MOVES, request.state, RequestState.DONE)
        order.requests[no] = msgspec.structs.replace(request, state=state, external_id=id)
        word = "captured" if request.kind is PaymentKind.CAPTURE else "voided"
        order.note(batch.now, word, f"request {no}: {request.amount} {request.currency}")


def _as_asked(request: PaymentRequest, id: str, batch: Batch) -> Payment:
    return Payment(
        external_id=id,
        kind=request.kind,
        method="unknown",
        amount=request.amount,
        currency=request.currency,
        status="done",
        parent=request.parent,
        at=batch.now,
    )


def request_refused(order: Order, no: int, reason: str, batch: Batch) -> None:
    """The channel will not: told by the delivery's own exception; the goods are unpaid as long as that stands."""
    request = order.requests[no]
    if request.state is RequestState.ASKED:
        state = move(REQUEST_MOVES, request.state, RequestState.REFUSED)
        order.requests[no] = msgspec.structs.replace(request, state=state)
        order.note(batch.now, f"{request.kind.value}_refused", f"request {no}: {reason}")


# --- requests --------------------------------------------------------------------------------------------------------


def capture_request(
    order: Order, effect: CapturePayment, *, key: str, look_first: bool, references: Mapping[str, str]
) -> PaymentCapture:
    """What the channel is asked to take."""
    request = order.requests[effect.request]
    others = (one.external_id for no, one in order.requests.items() if no != effect.request)
    return PaymentCapture(
        key=key,
        look_first=look_first,
        references=references,
        order_external_id=order.external_id,
        payment=request.parent,
        amount=request.amount,
        currency=request.currency,
        final=request.final,
        asked_at=request.asked_at,
        known=tuple(sorted(id for id in others if id is not None)),
    )


def void_request(
    order: Order, effect: VoidPayment, *, key: str, look_first: bool, references: Mapping[str, str]
) -> PaymentVoid:
    """What the channel is asked to let go."""
    return PaymentVoid(
        key=key,
        look_first=look_first,
        references=references,
        order_external_id=order.external_id,
        payment=order.requests[effect.request].parent,
    )
