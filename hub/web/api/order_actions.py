"""What people do with orders: capture, cancel, hold, lift, re-route, correct an address."""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec

from hub.domain.contact import Contact
from hub.domain.countries import COUNTRIES
from hub.domain.demand import Hold
from hub.domain.money import MINOR_UNITS, Amounts, AmountSet
from hub.domain.order import DeliveryGroup, Method, OrderContent, OrderLine, OrderSnapshot
from hub.domain.payment import Payment
from hub.domain.states import OrderState
from hub.flow import cancel as asked
from hub.flow import hold as holds
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.change_address import change_address
from hub.flow.risk import question_risk
from hub.flow.take_order import advance
from hub.sdk.adapter import Lane
from hub.store.admin.direct import ADAPTER as DIRECT
from hub.store.admin.direct import capture_direct
from hub.store.admin.errors import Conflict, Fault, Invalid, no_such, pointer
from hub.store.admin.messages import MessageView, get_message
from hub.store.admin.order_views import OrderView
from hub.store.admin.orders import get_order
from hub.store.admin.tokens import Actor, Role
from hub.web.problems import forbidden
from hub.web.services import Services, Work

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Units = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Aware = Annotated[datetime, msgspec.Meta(tz=True)]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]


CAPTURE_SECONDS: Final = 2.0
"""How long an answer waits for the order that was just stored; a worker takes it up within milliseconds."""

BUSINESS: Final = ("company", "purchase_order", "terms", "terms_days", "tax_exempt", "ship_complete", "approval_asked")
"""Fields of a company's order, named alike in a direct order and in the canonical one."""

LOOK_SECONDS: Final = 0.02


class CancelBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cancel all of an order, or units of lines: line id -> sold units."""

    reason: Text = "cancelled by hand"
    lines: dict[str, Units] | None = None


class HoldBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stop transitions. Reservations stay."""

    reason: Text
    kind: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,62}$")] = "manual"
    scope: Annotated[str, msgspec.Meta(pattern="^(order|group:.{1,100}|slice:[0-9]{1,5})$")] = "order"
    stops: Annotated[tuple[Literal["release", "post"], ...], msgspec.Meta(min_length=1, max_length=2)] = ("release",)
    """release: to a node; post: to the books."""
    until: Aware | None = None
    """When it is lifted by itself."""
    role: Role | None = None
    """The least role that may lift it; the asker's own at most."""


class LiftBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lift the active holds of a kind, of one scope of it, or one hold by its number."""

    kind: Text = "manual"
    scope: Text | None = None
    no: Annotated[int, msgspec.Meta(ge=1, le=32_767)] | None = None


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

    def __post_init__(self) -> None:
        if self.country is not None and self.country not in COUNTRIES:
            raise ValueError(f"country: no country has the code {self.country} (ISO 3166-1 alpha-2)")


class AddressBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another delivery address."""

    address: ContactBody
    contact: Text = "ship"
    """Key of the contact that it replaces."""


ContactKey = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_-]{0,39}$")]
Days = Annotated[int, msgspec.Meta(ge=0, le=3650)]


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
    contacts: dict[ContactKey, ContactBody] = {}
    """"ship", "bill", "customer", and what groups name: each group may go to another place."""
    source: Text | None = None
    customer_group: Text | None = None
    tags: list[Text] = []
    financial_status: Text | None = None
    risk: Text | None = None
    """The channel's own word, such as low, medium or high."""
    locale: Text | None = None
    """The customer's language (BCP 47), such as de-AT: mails to him are in it."""
    company: Text | None = None
    purchase_order: Text | None = None
    terms: Text | None = None
    terms_days: Days | None = None
    """Days after the invoice by which the company pays; with terms nothing is authorised."""
    tax_exempt: bool = False
    ship_complete: bool = False
    """Each group leaves whole or not at all."""
    approval_asked: bool = False
    """A person approves it before anything leaves."""
    test: bool = False


Act = Callable[[Order, Batch], None]


async def act(tx: Work, id: str, do: Act) -> OrderView:
    """Do something to one order in its transaction, then take it as far as it goes."""
    order = await load(tx, id)
    batch = await tx.batch()
    do(order, batch)
    return await go_on(tx, order, batch)


async def go_on(tx: Work, order: Order, batch: Batch) -> OrderView:
    """Take a changed order as far as it goes, and show it."""
    await advance(tx.unit, [order], batch)
    tx.ring("deliver", "availability", "waiting")
    return await get_order(tx.connection, tx.merchant, order.id, people=tx.actor.role.reaches(Role.OPERATOR))


async def load(tx: Work, id: str) -> Order:
    """Lock and load an order of the actor's merchant; raises `Missing`."""
    order = (await tx.unit.by_id([id])).get(id)
    if order is None or order.merchant != tx.merchant:
        raise no_such("order", id)
    return order


def cancel(data: CancelBody, who: str) -> Act:
    """Cancel all or units of lines."""

    def do(order: Order, batch: Batch) -> None:
        if order.state in (OrderState.CANCELLED, OrderState.CLOSED):
            raise Conflict(
                "cannot-do", f"The order is {order.state.value} already; goods that left come back as a return"
            )
        asked.ask_cancel(order, data.lines, reason=data.reason, who=who, batch=batch)

    return do


def hold(data: HoldBody, actor: Actor) -> Act:
    """Stop transitions."""
    if data.role is not None and not actor.role.reaches(data.role):
        raise Invalid([Fault(f"is above your own role {actor.role.value}", "/role")])

    def do(order: Order, batch: Batch) -> None:
        holds.place(
            order,
            reason=data.reason,
            who=actor.name,
            at=batch.now,
            kind=data.kind,
            scope=data.scope,
            stops=data.stops,
            until=data.until,
            role=data.role.value if data.role else None,
        )

    return do


def lift(data: LiftBody, actor: Actor) -> Act:
    """Lift holds, if the asker may."""

    def do(order: Order, batch: Batch) -> None:
        for found in holds.pick(order, data.kind, data.no, data.scope):
            end(order, found, actor, batch)

    return do


def end(order: Order, hold: Hold, actor: Actor, batch: Batch) -> None:
    """Lift one hold for an actor; raises a refusal when its role does not reach so far."""
    if hold.lift_role is not None and not actor.role.reaches(Role(hold.lift_role)):
        raise forbidden(
            f"Hold {hold.no} ({hold.kind}) on order {order.id} is lifted by the role {hold.lift_role}; "
            f"the token {actor.name!r} has {actor.role.value}"
        )
    who = f"token:{actor.name}"
    if hold.four_eyes and order.content is not None and order.content.entered_by == who:
        raise forbidden(f"Hold {hold.no} ({hold.kind}) on order {order.id} takes another person than who entered it")
    order.end_hold(hold.no, batch.now, by=who)


def reroute(who: str) -> Act:
    """Decide anew."""
    return lambda order, batch: asked.reroute(order, who=who, batch=batch)


async def address(tx: Work, id: str, data: AddressBody) -> OrderView:
    """Another delivery address."""
    order = await load(tx, id)
    batch = await tx.batch()
    if order.state in (OrderState.CANCELLED, OrderState.CLOSED):
        raise Conflict("cannot-do", f"The order is {order.state.value} already: nothing of it will be sent")
    contact = contact_of(data.address)
    await change_address(tx.unit, order, data.contact, contact, who=tx.actor.name, batch=batch)
    await question_risk(tx.unit, [order], batch)
    return await go_on(tx, order, batch)


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
    faults += [
        Fault(f"no contact {group.contact!r}", f"{pointer('groups', index)}/contact")
        for index, group in enumerate(data.groups)
        if group.contact is not None and group.place is None and group.contact not in data.contacts
    ]
    if faults:
        raise Invalid(faults)


def _placed(group: DeliveryGroup, contacts: Mapping[str, Contact]) -> DeliveryGroup:
    """A group with the place of its contact, unless it says its own."""
    there = contacts.get(group.contact or "ship")
    if group.place is not None or there is None or group.method not in (Method.SHIP, Method.DELIVER):
        return group
    return msgspec.structs.replace(group, contact=group.contact or "ship", place=there.place)


def _snapshot(data: DirectOrder, now: datetime, placed_at: datetime, who: str) -> OrderSnapshot:
    contacts: dict[str, Contact] = {key: contact_of(body) for key, body in data.contacts.items()}
    ship = contacts.get("ship")
    groups = tuple(_placed(group, contacts) for group in data.groups) or (
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
        risk=data.risk,
        locale=data.locale,
        entered_by=who,
        **{name: getattr(data, name) for name in BUSINESS},
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
    snapshot = _snapshot(data, tx.now, placed_at or tx.now, tx.who)
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
