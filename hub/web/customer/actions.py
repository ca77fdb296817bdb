"""What a customer may do from the page: the same functions as the API's, once per form, whoever presses twice."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

import asyncpg
import msgspec

from hub.domain.contact import Contact
from hub.domain.signed_link import BadLink, sign, verify
from hub.domain.states import AT_REST, GONE, OrderState
from hub.flow.aggregate import Order
from hub.flow.amend import window_closed
from hub.flow.batch import Batch
from hub.flow.cancel import ask_cancel
from hub.flow.change_address import change_address
from hub.flow.change_window import Wish
from hub.flow.pick_up import ready_for_code
from hub.flow.ports import LostRace
from hub.flow.refusal import CannotDo
from hub.flow.returns import returnable
from hub.flow.take_order import advance
from hub.store.admin import idempotency
from hub.store.admin.errors import Conflict, Fault, Invalid
from hub.store.admin.tokens import Actor, Role
from hub.web.api import order_actions
from hub.web.api.order_actions import ContactBody
from hub.web.api.pick_ups import IssueBody, issue
from hub.web.api.return_actions import NewReturn, ReturnLineBody
from hub.web.api.return_actions import make as open_return
from hub.web.reading import read
from hub.web.services import RACES, Services, Work

FORM_FOR: Final = timedelta(hours=2)
CUSTOMER: Final[Literal["customer"]] = "customer"
REASON: Final = "asked by the customer"

Do = Callable[[Work, str], Awaitable[None]]
Form = Mapping[str, str]


class BadForm(ValueError):
    """The form was not made here, is for something else, or is too old."""


@dataclass(kw_only=True)
class CustomersWork(Work):
    """A write that the customer of an order asked for."""

    @property
    def who(self) -> str:
        """As rows name it; who that is, the link says."""
        return CUSTOMER


def form_key(key: bytes) -> bytes:
    """The key of forms, so that no form's token is a link."""
    return hashlib.sha256(b"crossdock customer form 1 " + key).digest()


def form_token(hub: Services, order: str, action: str) -> str:
    """The token of a form: for one action on one order, usable once."""
    return sign(f"{order}/{action}/{hub.new_id()}", hub.clock() + FORM_FOR, form_key(hub.link_key))


def read_form_token(hub: Services, token: str, order: str, action: str) -> str:
    """What makes a form unique. Raises `BadForm`."""
    try:
        said = verify(token, hub.clock(), form_key(hub.link_key))
    except (BadLink, ValueError) as error:
        raise BadForm("the form is not valid any more") from error
    whose, _, rest = said.partition("/")
    what, _, once = rest.partition("/")
    if (whose, what) != (order, action):
        raise BadForm("the form is for something else")
    return once


async def submit(hub: Services, order: Order, action: str, once: str, do: Do) -> None:
    """Run `do` in one transaction; a form that was sent before does nothing more. Raises what the action raises."""
    actor = Actor(token=f"link:{order.id}", name=CUSTOMER, role=Role.VIEWER, merchant=order.merchant)
    for tried in range(1, RACES + 1):
        try:
            async with hub.database.transaction() as connection:
                work = CustomersWork(connection=connection, actor=actor, now=hub.clock(), hub=hub, lock_stock=tried > 1)
                key = f"{action}:{once}"
                if await idempotency.begin(connection, actor.token, key, b""):
                    return
                await do(work, order.id)
                await idempotency.keep(connection, actor.token, key, 303, "text/html", b"")
            break
        except (LostRace, asyncpg.DeadlockDetectedError):
            if tried == RACES:
                raise
    for lane in sorted(work.rings):
        hub.ring(lane)


# --- may they ---------------------------------------------------------------------------------------------------------


def may(order: Order, wish: Wish, batch: Batch) -> bool:
    """Whether nothing has left, and the merchant's window is open for a customer."""
    parts = list(order.slices.values())
    here = [part for part in parts if part.state not in AT_REST]
    if not order.acting or order.state is not OrderState.OPEN or not here or any(p.state in GONE for p in parts):
        return False
    return window_closed(order, wish, "customer", here, batch) is None


def may_give_back(order: Order) -> dict[str, int]:
    """Sold units per line that may be asked back; the merchant's rules speak when they are."""
    if not order.acting or order.content is None:
        return {}
    return {line: units for line, units in returnable(order).items() if units}


# --- do it ------------------------------------------------------------------------------------------------------------


async def cancel(work: Work, id: str) -> None:
    """Cancel everything. Raises `CannotDo` when it is too far."""
    order = await order_actions.load(work, id)
    batch = await work.batch()
    if order.state is not OrderState.OPEN:
        raise CannotDo(f"order {order.number} is {order.state.value} already")
    ask_cancel(order, None, reason=REASON, who=CUSTOMER, by=CUSTOMER, batch=batch)
    await _go_on(work, order, batch)


def address(form: Form) -> Do:
    """Another address; telephone and mail address stay. Raises `Invalid` for one that nothing can be sent to."""
    said = {name: text for name in ("name", "postal_code", "city", "region") if (text := form.get(name, "").strip())}
    lines = [line for name in ("street", "more") if (line := form.get(name, "").strip())]
    country = form.get("country", "").strip().upper()
    contact = order_actions.contact_of(read(ContactBody, {**said, "country": country, "lines": lines}))
    if not contact.deliverable:
        raise Invalid([Fault("is not complete", "/address")])

    async def do(work: Work, id: str) -> None:
        order = await order_actions.load(work, id)
        batch = await work.batch()
        groups = order.content.groups if order.content else ()
        key = next((group.contact for group in groups if group.contact), "ship")
        old = (await work.unit.contacts([id])).get(id, {}).get(key, Contact())
        reached = msgspec.structs.replace(contact, email=old.email, phone=old.phone)
        await change_address(work.unit, order, key, reached, who=CUSTOMER, by=CUSTOMER, batch=batch)
        await _go_on(work, order, batch)

    return do


def give_back(form: Form) -> Do:
    """Ask for a return of what the form names. Raises `Invalid`, and `Conflict` where the rules say no."""
    lines = []
    for name, value in form.items():
        if name.startswith("units-") and value.strip() not in ("", "0"):
            if not (value.strip().isascii() and value.strip().isdigit()):
                raise Invalid([Fault("is not a number", f"/{name}")])
            lines.append({"line": name.removeprefix("units-"), "quantity": int(value.strip()[:9])})
    if not lines:
        raise Invalid([Fault("nothing is to be given back", "/lines")])
    wanted = read(list[ReturnLineBody], lines, "/lines")
    reason = form.get("reason", "other")

    async def do(work: Work, id: str) -> None:
        await open_return(work, NewReturn(order=id, lines=wanted, reason=reason))

    return do


def new_code(form: Form, made: list[str]) -> Do:
    """A code to collect with, put into `made`, instead of any there was. Raises `CannotDo` when nothing waits."""
    group = form.get("group", "")

    async def do(work: Work, id: str) -> None:
        made.clear()
        order = await order_actions.load(work, id)
        if group not in ready_for_code(order, await work.batch()):
            raise CannotDo(f"nothing of order {order.number} waits to be collected with a code")
        issued = await issue(work, id, IssueBody(group=group, renew=True))
        made.append(issued.code or "")

    return do


async def _go_on(work: Work, order: Order, batch: Batch) -> None:
    await advance(work.unit, [order], batch)
    work.ring("deliver", "availability", "waiting")


TOO_LATE: Final = (CannotDo, Conflict)
"""The goods are past the point, or the merchant's rules say no."""
