"""What people ask of an order through the API: cancel, hold, lift, re-route, another address."""

from collections.abc import Mapping

import msgspec

from hub.domain.contact import Contact
from hub.domain.effects import CancelAtChannel
from hub.domain.order import OrderContent, OrderLine
from hub.domain.states import WITH_NODE, SliceState
from hub.flow.aggregate import Order
from hub.flow.amend import fit
from hub.flow.batch import Batch


class CannotDo(Exception):
    """The order is past the point. The text says what and what to do instead."""


def cancel(order: Order, lines: Mapping[str, int] | None, *, reason: str, who: str, batch: Batch) -> None:
    """Cancel all, or quantities of lines (line external id -> units to cancel), as a revision made here.

    Raises `CannotDo` for unknown lines and for more units than a line still has.
    """
    content = order.content
    if content is None:
        raise CannotDo(f"order {order.id} has no content")
    if not lines:
        link = batch.directory.speaker(order.account)
        if link is not None and link.live("cancel_order"):
            order.plan(link.connection.id, order.id, CancelAtChannel(order=order.id, reason=reason))
        changed = msgspec.structs.replace(content, cancelled_at=batch.now, cancel_reason=reason)
    else:
        changed = msgspec.structs.replace(content, lines=tuple(_less(content, lines)), cancel_reason=reason)
    order.content = changed
    order.revision += 1
    order.revised = (changed, None, batch.now)
    order.note(batch.now, "cancel_requested", f"by {who}: {reason}")
    fit(order, changed, batch)


def answer_wish(order: Order, batch: Batch) -> None:
    """Grant a customer's wish to cancel, at the channel that passed it on, once every unit is cancelled here.

    Goods that left in spite of it are confirmed as shipped, which is the other answer.
    """
    content = order.content
    if content is None or not content.cancel_asked or content.cancelled_at is not None or not order.acting:
        return
    link = batch.directory.speaker(order.account)
    nothing_left = order.slices and all(part.state is SliceState.CANCELLED for part in order.slices.values())
    if nothing_left and link is not None and link.live("cancel_order"):
        order.plan(link.connection.id, order.id, CancelAtChannel(order=order.id, reason="buyer asked"))


def _less(content: OrderContent, lines: Mapping[str, int]) -> list[OrderLine]:
    known = {line.external_id: line for line in content.lines}
    for name, units in lines.items():
        if name not in known:
            raise CannotDo(f"line {name} is not in this order")
        if not 0 < units <= known[name].quantity:
            raise CannotDo(f"line {name} has {known[name].quantity} units, {units} cannot be cancelled")
    return [
        msgspec.structs.replace(line, quantity=line.quantity - lines.get(line.external_id, 0)) for line in content.lines
    ]


def hold(order: Order, *, reason: str, who: str, batch: Batch, kind: str = "manual", scope: str = "order") -> None:
    """Stop release until somebody lifts it. Reservations stay."""
    order.hold(kind, reason, owner=who, at=batch.now, scope=scope)


def lift(order: Order, kind: str, batch: Batch) -> None:
    """Lift the active holds of a kind. Raises `CannotDo` when there is none."""
    if not order.lift(kind, batch.now):
        raise CannotDo(f"no active hold of kind {kind!r} on this order")


def reroute(order: Order, *, who: str, batch: Batch) -> None:
    """Take reserved units back and ask nodes for theirs, so that they are decided anew."""
    for part in list(order.slices.values()):
        if part.state is SliceState.RESERVED:
            order.take_back(part.no, "displaced")
        elif part.state in WITH_NODE and part.fulfilment is not None and part.fulfilment not in order.recalled:
            order.recalled.append(part.fulfilment)
    order.note(batch.now, "reroute_requested", f"by {who}")


def change_address(order: Order, key: str, contact: Contact, *, who: str, batch: Batch) -> None:
    """Another delivery address. Raises `CannotDo` when a node has it already: it would ship to the old one."""
    content = order.content
    if content is None:
        raise CannotDo(f"order {order.id} has no content")
    groups = {group.key for group in content.groups if (group.contact or "ship") == key}
    for part in order.slices.values():
        if part.state in WITH_NODE and order.demands[part.demand].group in groups:
            raise CannotDo("a node is working on it already: re-route the order first, then change the address")
    changed = msgspec.structs.replace(
        content,
        groups=tuple(
            msgspec.structs.replace(group, place=contact.place) if group.key in groups else group
            for group in content.groups
        ),
    )
    order.content = changed
    order.revision += 1
    order.revised = (changed, None, batch.now)
    order.contacts = {key: contact}
    if contact.deliverable:
        order.lift("missing_address", batch.now)
    order.note(batch.now, "address_changed", f"by {who}")
