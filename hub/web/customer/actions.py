"""What a customer may do from the page: the same functions as the API's, once per form, whoever presses twice."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, Literal

import msgspec

from hub.domain.contact import Contact
from hub.domain.states import AT_REST, GONE, OrderState
from hub.flow.aggregate import Order
from hub.flow.amend import window_closed
from hub.flow.batch import Batch
from hub.flow.cancel import ask_cancel
from hub.flow.change_address import change_address
from hub.flow.change_window import Wish
from hub.flow.pick_up import ready_for_code
from hub.flow.refusal import CannotDo
from hub.flow.returns import returnable
from hub.flow.take_order import advance
from hub.store.admin.errors import Conflict, Fault, Invalid
from hub.web.api import order_actions
from hub.web.api.order_actions import ContactBody
from hub.web.api.pick_ups import IssueBody, issue
from hub.web.api.return_actions import NewReturn, ReturnLineBody
from hub.web.api.return_actions import make as open_return
from hub.web.forms import Form, Forms
from hub.web.reading import read
from hub.web.services import Services, Work

FORM_FOR: Final = timedelta(hours=2)
CUSTOMER: Final[Literal["customer"]] = "customer"
REASON: Final = "asked by the customer"

Do = Callable[[Work, str], Awaitable[None]]


def forms(hub: Services) -> Forms:
    """The forms of the customer's page."""
    return Forms(holder=CUSTOMER, valid_for=FORM_FOR, key=hub.link_key)


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
