"""Another delivery address, asked for by a person or a customer: all of it, or nothing and why."""

from collections.abc import Mapping
from typing import Final

import msgspec

from hub.domain.contact import Contact, told_key
from hub.domain.order import DeliveryGroup, ManagedBy, Method, OrderContent, OrderSnapshot
from hub.domain.states import AT_REST, GONE
from hub.flow.aggregate import Order
from hub.flow.amend import window_closed
from hub.flow.batch import Batch
from hub.flow.change_window import Party, Wish
from hub.flow.difference import another_door, difference
from hub.flow.ports import Unit
from hub.flow.promise import Wanted, group_lines
from hub.flow.redirect import redirect
from hub.flow.refusal import CannotDo
from hub.flow.scene import UNLIMITED, Scene
from hub.flow.transfer import only_moves
from hub.routing.conditions import ConditionFailed
from hub.routing.decide import decide
from hub.routing.model import Group
from hub.routing.prepare import RoutingInputError

MISSING: Final = "missing_address"


async def change_address(
    unit: Unit, order: Order, key: str, contact: Contact, *, who: str, by: Party = "person", batch: Batch
) -> None:
    """Give the groups that go to contact `key` another address; a node that works on them is asked back first.

    Raises `CannotDo`, with nothing done: when goods have left, when the window is closed, and when no node serves the
    new place. The caller takes the order on.
    """
    content = order.content
    if content is None:
        raise CannotDo(f"order {order.id} has no content")
    if only_moves(order):
        raise CannotDo(
            f"order {order.number} moves goods between two nodes and goes nowhere else: cancel it "
            f"(POST /api/v1/orders/{order.id}/cancel) and have another made (POST /api/v1/transfers)"
        )
    groups = {group.key for group in content.groups if (group.contact or "ship") == key}
    if not groups:
        raise CannotDo(f"nothing of this order goes to a contact {key!r}")
    _still_here(order, groups, by, batch)
    changed = _moved(content, groups, contact)
    await _served(unit, order, changed, groups, batch)
    known = (await unit.contacts([order.id])).get(order.id, {})
    changes = difference(content, changed, known, {key: contact})
    order.contacts = {key: contact}
    if key not in content.moved:
        changed = msgspec.structs.replace(changed, moved=(*content.moved, key))
        order.contacts |= {told_key(key): known[key]} if key in known else {}
    order.content = changed
    order.revision += 1
    order.revised = (changed, None, batch.now)
    if contact.deliverable:
        order.lift(MISSING, batch.now)
        order.mend(MISSING)
    order.note(batch.now, "address_changed", f"by {who}")
    redirect(order, changes, batch)


def keep_address(old: OrderContent | None, snapshot: OrderSnapshot, known: Mapping[str, Contact]) -> OrderSnapshot:
    """A channel's newer word, in which an address that was changed here stands.

    Until the channel itself names another door than it did before: its old one, said again, is no news. Pure.
    """
    if old is None or not old.moved:
        return snapshot
    stays = tuple(key for key in old.moved if not _news(known.get(told_key(key)), snapshot.contacts.get(key)))
    places = {group.key: group.place for group in old.groups if (group.contact or "ship") in stays}
    groups = tuple(
        msgspec.structs.replace(group, place=places.get(group.key, group.place)) for group in snapshot.content.groups
    )
    return msgspec.structs.replace(
        snapshot,
        content=msgspec.structs.replace(snapshot.content, groups=groups, moved=stays),
        contacts={key: contact for key, contact in snapshot.contacts.items() if key not in stays},
    )


def _news(told: Contact | None, now: Contact | None) -> bool:
    return now is not None and now.deliverable and (told is None or another_door(told, now))


def _moved(content: OrderContent, groups: set[str], contact: Contact) -> OrderContent:
    return msgspec.structs.replace(
        content,
        groups=tuple(
            msgspec.structs.replace(group, place=contact.place) if group.key in groups else group
            for group in content.groups
        ),
    )


def _still_here(order: Order, groups: set[str], by: Party, batch: Batch) -> None:
    parts = [part for part in order.slices.values() if order.demands[part.demand].group in groups]
    gone = sum(part.quantity for part in parts if part.state in GONE)
    here = [part for part in parts if part.state not in AT_REST]
    if gone:
        raise CannotDo(
            f"{gone} units have left for the old address: ask the carrier to redirect the parcel, or agree a return "
            "(POST /api/v1/returns). Cancel the rest and have it ordered anew to send it elsewhere"
        )
    closed = window_closed(order, Wish.ADDRESS, by, here, batch)
    if closed is not None:
        raise CannotDo(
            f"{closed}. Let it go and ask the carrier to redirect the parcel, or cancel the order and have it placed "
            "anew"
        )


async def _served(unit: Unit, order: Order, changed: OrderContent, groups: set[str], batch: Batch) -> None:
    """Refuse a place that no node would send to, whatever it had on its shelves."""
    for group in (one for one in changed.groups if one.key in groups and one.method in (Method.SHIP, Method.DELIVER)):
        wanted = _wanted(order, changed, group.key)
        if not wanted:
            continue
        items = await unit.items_by_id({line.item for line in wanted})
        shelves = dict.fromkeys(batch.directory.nodes, UNLIMITED)
        scene = Scene(batch.directory, items, {item: dict(shelves) for item in items}, {})
        why = _why_unserved(order, changed, group, wanted, scene, batch)
        if why is not None:
            place = group.place.country if group.place else None
            raise CannotDo(f"no node serves {place or 'an address without a country'}: {why}. The order stays as it is")


def _wanted(order: Order, content: OrderContent, group: str) -> list[Wanted]:
    """Units of a group that are still here."""
    values = {line.external_id: line.subtotal - line.discount for line in content.lines}
    units: dict[int, int] = {}
    for part in order.slices.values():
        if part.state not in AT_REST:
            units[part.demand] = units.get(part.demand, 0) + part.quantity
    return [
        Wanted(demand.item, units[no], values.get(demand.line, 0))
        for no, demand in order.demands.items()
        if demand.group == group
        and demand.item is not None
        and demand.managed_by is ManagedBy.HUB
        and demand.ships
        and no in units
    ]


def _why_unserved(
    order: Order, content: OrderContent, group: DeliveryGroup, wanted: list[Wanted], scene: Scene, batch: Batch
) -> str | None:
    network = scene.network(order)
    asked = Group(
        order=order.id,
        group=group.key,
        method=group.method,
        channel=order.connection,
        currency=order.currency,
        placed_at=order.placed_at,
        lines=group_lines(wanted, scene.items, order.currency),
        place=group.place,
        service=group.service,
        customer_group=content.customer_group,
        tags=content.tags,
        source=content.source,
        account=batch.directory.accounts[order.account].name,
    )
    snapshot = scene.snapshot(network, asked, batch.now)
    try:
        decision = decide(asked, snapshot, network.policy, network.prepared)
    except (ConditionFailed, RoutingInputError) as error:
        return str(error)
    if not decision.plan.unfilled:
        return None
    told = dict(decision.reasons)
    words = [f"{node.code} is told {told[node.id].value.replace('_', ' ')}" for node in snapshot.nodes]
    return ", ".join(words) or "there is no node"
