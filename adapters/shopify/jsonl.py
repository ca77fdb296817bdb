"""What a bulk export brings: a line per object, children under their parent and naming it. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from adapters.shopify import orders

_LINE_ITEM: Final = "LineItem"
_SHIPPING_LINE: Final = "ShippingLine"
_ASKED: Final = "FulfillmentOrder"
_GONE: Final = "SUCCESS"


class Broken(ValueError):
    """The export is not what was asked for."""


class _Head(orders.Shape, frozen=True):
    id: str | None = None
    parent: str | None = msgspec.field(name="__parentId", default=None)
    kind: str | None = msgspec.field(name="__typename", default=None)


class _Fulfilled(orders.Shape, frozen=True):
    status: str


class _Root(orders.Shape, frozen=True):
    """What says whether the export could say everything of an order."""

    id: str
    given_back: tuple[orders.Ref, ...]
    gone: tuple[msgspec.Raw, ...]


class _Units(orders.Shape, frozen=True):
    id: str
    quantity: int
    current_quantity: int
    unfulfilled_quantity: int


_head: Final = msgspec.json.Decoder(_Head)
_root: Final = msgspec.json.Decoder(_Root)
_units: Final = msgspec.json.Decoder(_Units)
_fulfilled: Final = msgspec.json.Decoder(_Fulfilled)
_order: Final = msgspec.json.Decoder(orders.Order)


class Group(msgspec.Struct, frozen=True):
    """An order's line and those of its children, as they came."""

    id: str
    root: bytes
    lines: tuple[bytes, ...] = ()
    shipping: tuple[bytes, ...] = ()
    discounts: tuple[bytes, ...] = ()
    asked: tuple[bytes, ...] = ()


def groups(chunk: bytes, *, last: bool) -> tuple[list[Group], int]:
    """Whole orders of a piece of the export that begins with one, and how many bytes they take.

    Only the `last` piece shows where its last order ends. Raises `Broken`.
    """
    found: list[tuple[int, bytes, list[tuple[str | None, bytes]]]] = []
    place = 0
    for line in chunk.splitlines(keepends=True):
        if not line.endswith(b"\n") and not last:
            break
        if line.strip():
            _sort(line.strip(), place, found)
        place += len(line)
    whole = found if last else found[:-1]
    end = place if last else (found[-1][0] if found else 0)
    return [_group(root, children) for _, root, children in whole], end


def _sort(line: bytes, place: int, found: list[tuple[int, bytes, list[tuple[str | None, bytes]]]]) -> None:
    try:
        head = _head.decode(line)
    except msgspec.MsgspecError as error:
        raise Broken(f"a line is no object: {error}") from None
    if head.parent is None:
        found.append((place, line, []))
    elif found and _head.decode(found[-1][1]).id == head.parent:
        found[-1][2].append((head.kind, line))
    else:
        raise Broken(f"a {head.kind or 'thing'} of {head.parent} does not stand under it")


def _group(root: bytes, children: Iterable[tuple[str | None, bytes]]) -> Group:
    kinds: dict[str, list[bytes]] = {_LINE_ITEM: [], _SHIPPING_LINE: [], _ASKED: [], "": []}
    for kind, line in children:
        kinds[kind if kind in kinds else ""].append(line)
    id = _head.decode(root).id
    if id is None:
        raise Broken("an order has no id")
    return Group(
        id=id,
        root=root,
        lines=tuple(kinds[_LINE_ITEM]),
        shipping=tuple(kinds[_SHIPPING_LINE]),
        discounts=tuple(kinds[""]),
        asked=tuple(kinds[_ASKED]),
    )


def whole(group: Group) -> orders.Order | None:
    """The order; None where the export cannot say everything of it and it has to be read. Raises `Broken`.

    That is where something was refunded, or left in a way that the lines do not tell.
    """
    try:
        root = _root.decode(group.root)
        units = [_units.decode(line) for line in group.lines]
        gone = _gone(root, units)
        if gone is None or root.given_back:
            return None
        body = b"".join(
            (
                group.root.rstrip()[:-1],
                b',"shippingLines":{"nodes":[%b]}' % b",".join(group.shipping),
                b',"discountApplications":{"nodes":[%b]}' % b",".join(group.discounts),
                b',"fulfillmentOrders":{"nodes":[%b]}' % b",".join(group.asked),
                b',"lineItems":{"nodes":[%b],"pageInfo":{"hasNextPage":false}}' % b",".join(group.lines),
                b',"refunds":[],"fulfillments":[%b]}' % b",".join(gone),
            )
        )
        return _order.decode(body)
    except msgspec.MsgspecError as error:
        raise Broken(f"order {group.id}: {error}") from None


def _gone(root: _Root, units: Sequence[_Units]) -> list[bytes] | None:
    """Fulfilments with their lines, as far as those follow: nothing has left, or everything in one."""
    if not root.gone:
        return []
    alone = len(root.gone) == 1 and _fulfilled.decode(root.gone[0]).status == _GONE
    everything = all(one.unfulfilled_quantity == 0 and one.current_quantity == one.quantity for one in units)
    if not (alone and everything):
        return None
    lines = [{"quantity": one.quantity, "lineItem": {"id": one.id}} for one in units]
    moved = {"nodes": lines, "pageInfo": {"hasNextPage": False}}
    return [bytes(root.gone[0]).rstrip()[:-1] + b',"fulfillmentLineItems":' + msgspec.json.encode(moved) + b"}"]
