"""What a newer revision changes: a pure difference of two, with nothing of people in it."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from hub.domain.contact import Contact
from hub.domain.order import DeliveryGroup, OrderContent, OrderLine


class ChangeKind(StrEnum):
    """One way in which an order differs from what it was."""

    CANCELLED = "cancelled"
    LINE_ADDED = "line_added"
    LINE_REMOVED = "line_removed"
    QUANTITY_UP = "quantity_up"
    QUANTITY_DOWN = "quantity_down"
    PRICE = "price"
    ADDRESS = "address"
    METHOD = "method"
    SERVICE = "service"
    NOT_BEFORE = "not_before"
    DELIVER_BY = "deliver_by"


LINES = frozenset({ChangeKind.LINE_ADDED, ChangeKind.LINE_REMOVED, ChangeKind.QUANTITY_UP, ChangeKind.QUANTITY_DOWN})


class Change(NamedTuple):
    """One difference. `units` are sold units more or fewer, always positive."""

    kind: ChangeKind
    line: str | None = None
    group: str | None = None
    units: int = 0
    elsewhere: bool = False
    """An address in another place than before, so that another node may be the better one."""

    def __str__(self) -> str:
        about = f" of line {self.line}" if self.line is not None else f" of {self.group}" if self.group else ""
        return f"{self.kind.value.replace('_', ' ')}{about}" + (f" by {self.units}" if self.units else "")


People = Mapping[str, Contact]


def difference(old: OrderContent, new: OrderContent, before: People, after: People) -> tuple[Change, ...]:
    """Changes that lead from `old` to `new`: of the whole, then of lines, then of groups, in the order they stand in.

    A contact that one side does not tell of is no change: channels leave people out once goods have left.
    """
    return (*_whole(old, new), *_lines(old, new), *_groups(old, new, before, after))


def _whole(old: OrderContent, new: OrderContent) -> Iterator[Change]:
    if old.cancelled_at is None and new.cancelled_at is not None:
        yield Change(ChangeKind.CANCELLED)
    charges = [
        (one.shipping, one.duties, one.fees, one.tip, one.tax_included) for one in (old.amounts.shop, new.amounts.shop)
    ]
    if charges[0] != charges[1]:
        yield Change(ChangeKind.PRICE)


def _lines(old: OrderContent, new: OrderContent) -> Iterator[Change]:
    had = {line.external_id: line for line in old.lines}
    has = {line.external_id: line for line in new.lines}
    for name, line in has.items():
        was = had.get(name)
        before = was.quantity if was is not None else 0
        if line.quantity > before:
            kind = ChangeKind.QUANTITY_UP if before else ChangeKind.LINE_ADDED
            yield Change(kind, name, units=line.quantity - before)
        elif line.quantity < before:
            kind = ChangeKind.QUANTITY_DOWN if line.quantity else ChangeKind.LINE_REMOVED
            yield Change(kind, name, units=before - line.quantity)
        if was is not None and _dearer(was, line):
            yield Change(ChangeKind.PRICE, name)
    for name, line in had.items():
        if name not in has and line.quantity > 0:
            yield Change(ChangeKind.LINE_REMOVED, name, units=line.quantity)


def _dearer(was: OrderLine, line: OrderLine) -> bool:
    """Whether as many units cost another amount: amounts that move with the quantity are no change of price."""
    units = [one.quantity if one.ordered is None else one.ordered for one in (was, line)]
    return units[0] == units[1] and (was.subtotal - was.discount, was.tax) != (line.subtotal - line.discount, line.tax)


def _groups(old: OrderContent, new: OrderContent, before: People, after: People) -> Iterator[Change]:
    had = {group.key: group for group in old.groups}
    for group in new.groups:
        was = had.get(group.key)
        if was is None:
            continue
        elsewhere = _place(was) != _place(group) and group.place is not None
        if elsewhere or _moved(before.get(was.contact or "ship"), after.get(group.contact or "ship")):
            yield Change(ChangeKind.ADDRESS, group=group.key, elsewhere=elsewhere)
        if (was.method, was.pickup_location) != (group.method, group.pickup_location):
            yield Change(ChangeKind.METHOD, group=group.key)
        if was.service != group.service:
            yield Change(ChangeKind.SERVICE, group=group.key)
        if was.not_before != group.not_before:
            yield Change(ChangeKind.NOT_BEFORE, group=group.key)
        if was.deliver_by != group.deliver_by:
            yield Change(ChangeKind.DELIVER_BY, group=group.key)


def _place(group: DeliveryGroup) -> tuple[str | None, ...]:
    place = group.place
    return () if place is None else (place.country, _plain(place.region), _plain(place.postal_code))


def _moved(was: Contact | None, now: Contact | None) -> bool:
    """Whether both are told and a carrier would have another label."""
    return was is not None and now is not None and now.deliverable and another_door(was, now)


def another_door(was: Contact, now: Contact) -> bool:
    """Whether a carrier would go to another door, or ask for somebody else."""
    return _label(was) != _label(now)


def _label(contact: Contact) -> tuple[str | None, ...]:
    lines = " ".join(line for line in contact.lines if line.strip())
    words = (contact.name, contact.company, lines, contact.city, contact.region, contact.postal_code, contact.country)
    return tuple(map(_plain, words))


def _plain(word: str | None) -> str | None:
    return " ".join(word.casefold().split()) or None if word else None
