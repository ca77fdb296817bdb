"""What people do with orders: capture, cancel, hold, lift, re-route, correct an address."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec

from hub.domain.contact import Contact
from hub.domain.money import MINOR_UNITS, Amounts, AmountSet
from hub.domain.order import DeliveryGroup, OrderContent, OrderLine, OrderSnapshot
from hub.domain.payment import Payment
from hub.domain.states import OrderState
from hub.flow import cancel as asked
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.take_order import advance
from hub.sdk.adapter import Lane
from hub.store.admin.direct import ADAPTER as DIRECT
from hub.store.admin.direct import capture_direct
from hub.store.admin.errors import Conflict, Fault, Invalid, Missing, pointer
from hub.store.admin.messages import MessageView, get_message
from hub.store.admin.order_views import OrderView
from hub.store.admin.orders import get_order
from hub.store.admin.tokens import Role
from hub.web.services import Services, Work

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Units = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Aware = Annotated[datetime, msgspec.Meta(tz=True)]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]


CAPTURE_SECONDS: Final = 2.0
"""How long an answer waits for the order that was just stored; a worker takes it up within milliseconds."""

LOOK_SECONDS: Final = 0.02


class CancelBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cancel all of an order, or units of lines: line id -> sold units."""

    reason: Text = "cancelled by hand"
    lines: dict[str, Units] | None = None


class HoldBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stop release. Reservations stay."""

    reason: Text
    kind: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,62}$")] = "manual"
    scope: Annotated[str, msgspec.Meta(pattern="^(order|group:.{1,100}|slice:[0-9]{1,5})$")] = "order"


class LiftBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lift the active holds of a kind."""

    kind: Text = "manual"


class ContactBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who and where."""

    name: Text | None = None
    company: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    lines: Annotated[list[Text], msgspec.Meta(max_length=10)] = []
    city: Text | None = None
    region: Text | None = None
    postal_code: Text | None = None
    country: Country | None = None
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None


class AddressBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another delivery address."""

    address: ContactBody
    contact: Text = "ship"
    """Key of the contact that it replaces."""


class DirectOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A canonical order. Amounts are integers of minor units; without `amounts` the lines' own are summed."""

    external_id: Text
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    lines: Annotated[list[OrderLine], msgspec.Meta(min_length=1, max_length=1000)]
    number: Text | None = None
    version: Annotated[int, msgspec.Meta(ge=1, le=2**62)] | None = None
    """The newest wins; the time of this request when left out."""
    placed_at: Aware | None = None
    amounts: AmountSet | None = None
    groups: list[DeliveryGroup] = []
    payments: list[Payment] = []
    contacts: dict[Literal["ship", "bill", "customer"], ContactBody] = {}
    source: Text | None = None
    customer_group: Text | None = None
    tags: list[Text] = []
    financial_status: Text | None = None
    test: bool = False


Act = Callable[[Order, Batch], None]


async def act(tx: Work, id: str, do: Act) -> OrderView:
    """Do something to one order in its transaction, then take it as far as it goes."""
    order = await load(tx, id)
    batch = await tx.batch()
    do(order, batch)
    await advance(tx.unit, [order], batch)
    tx.ring("deliver", "availability", "waiting")
    return await get_order(tx.connection, tx.merchant, id, people=tx.actor.role.reaches(Role.OPERATOR))


async def load(tx: Work, id: str) -> Order:
    """Lock and load an order of the actor's merchant; raises `Missing`."""
    order = (await tx.unit.by_id([id])).get(id)
    if order is None or order.merchant != tx.merchant:
        raise Missing(f"no order {id}")
    return order


def cancel(data: CancelBody, who: str) -> Act:
    """Cancel all or units of lines."""

    def do(order: Order, batch: Batch) -> None:
        if order.state in (OrderState.CANCELLED, OrderState.CLOSED):
            raise Conflict(
                "cannot-do", f"The order is {order.state.value} already; goods that left come back as a return"
            )
        asked.cancel(order, data.lines, reason=data.reason, who=who, batch=batch)

    return do


def hold(data: HoldBody, who: str) -> Act:
    """Stop release."""

    def do(order: Order, batch: Batch) -> None:
        asked.hold(order, reason=data.reason, who=who, batch=batch, kind=data.kind, scope=data.scope)

    return do


def lift(data: LiftBody) -> Act:
    """Lift holds."""
    return lambda order, batch: asked.lift(order, data.kind, batch)


def reroute(who: str) -> Act:
    """Decide anew."""
    return lambda order, batch: asked.reroute(order, who=who, batch=batch)


def address(data: AddressBody, who: str) -> Act:
    """Another delivery address."""
    contact = contact_of(data.address)
    return lambda order, batch: asked.change_address(order, data.contact, contact, who=who, batch=batch)


def contact_of(body: ContactBody) -> Contact:
    """The canonical contact."""
    return msgspec.convert(body, Contact, from_attributes=True)


# --- direct capture ------------------------------------------------------------------------------------------------


def _check(data: DirectOrder) -> None:
    faults = []
    if data.currency not in MINOR_UNITS:
        faults.append(Fault(f"{data.currency!r} is not an ISO 4217 code", "/currency"))
    names = [line.external_id for line in data.lines]
    for index, line in enumerate(data.lines):
        at = pointer("lines", index)
        if not line.external_id or line.external_id in names[:index]:
            faults.append(Fault("must name the line, and no other", f"{at}/external_id"))
        if not 0 <= line.quantity <= 1_000_000:
            faults.append(Fault("must be from 0 to 1000000", f"{at}/quantity"))
        if not (line.sku or line.variant):
            faults.append(Fault("a sku or a variant is needed", f"{at}/sku"))
    if data.amounts is not None and data.amounts.shop.currency != data.currency:
        faults.append(Fault("differs from the order's currency", "/amounts/shop/currency"))
    known = {group.key for group in data.groups} | {"main"}
    faults += [
        Fault(f"no group {line.group!r}", f"{pointer('lines', index)}/group")
        for index, line in enumerate(data.lines)
        if line.group not in known
    ]
    if faults:
        raise Invalid(faults)


def _snapshot(data: DirectOrder, now: datetime, placed_at: datetime) -> OrderSnapshot:
    contacts: dict[str, Contact] = {key: contact_of(body) for key, body in data.contacts.items()}
    ship = contacts.get("ship")
    groups = tuple(data.groups) or (
        DeliveryGroup(contact="ship" if ship else None, place=ship.place if ship else None),
    )
    summed = Amounts(
        currency=data.currency,
        subtotal=sum(line.subtotal for line in data.lines),
        discount=sum(line.discount for line in data.lines),
        tax=sum(line.tax for line in data.lines),
    )
    content = OrderContent(
        external_id=data.external_id,
        version=data.version or int(now.timestamp() * 1_000_000),
        number=data.number or data.external_id,
        placed_at=data.placed_at or placed_at,
        currency=data.currency,
        amounts=data.amounts or AmountSet(shop=summed),
        lines=tuple(data.lines),
        groups=groups,
        payments=tuple(data.payments),
        test=data.test,
        source=data.source,
        customer_group=data.customer_group,
        tags=tuple(data.tags),
        financial_status=data.financial_status,
    )
    return OrderSnapshot(content=content, contacts=contacts)


class Captured(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a capture: the message that holds the order."""

    message: str


async def capture(tx: Work, data: DirectOrder) -> Captured:
    """Store an order like any delivery (decision 0008): a fact, held or queued but never refused."""
    _check(data)
    placed_at = await tx.connection.fetchval(
        "SELECT o.placed_at FROM customer_order o JOIN account a ON a.id = o.account_id "
        "WHERE a.merchant = $1 AND a.adapter = $2 AND o.external_id = $3",
        tx.merchant,
        DIRECT,
        data.external_id,
    )
    snapshot = _snapshot(data, tx.now, placed_at or tx.now)
    message, _ = await capture_direct(tx.connection, tx.merchant, snapshot, tx.now, tx.hub.new_id)
    tx.ring(Lane.ORDERS.value)
    return Captured(message=f"in-{message}")


async def follow(hub: Services, merchant: str, message: str) -> OrderView | MessageView:
    """The order that a stored message became, or the message when it is still under way, or parked, after a while."""
    until = time.monotonic() + CAPTURE_SECONDS
    while True:
        async with hub.database.connection() as connection:
            stored = await get_message(connection, merchant, message, payload=False)
            if stored.state == "done" and stored.order is not None:
                return await get_order(connection, merchant, stored.order, people=True)
        if stored.state != "queued" or time.monotonic() > until:
            return stored
        await asyncio.sleep(LOOK_SECONDS)
