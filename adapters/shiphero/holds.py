"""Holds that are placed on an order at ShipHero, whoever did it. Pure.

No webhook tells of them (developer.shiphero.com, webhooks), so the pull of orders does. They are a message of their
own: an order that is freed looks as it did before it was held, so that only `updated_at` tells the two apart, and an
order whose lines are counted must not be a new message at every touch.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.shiphero.schemas import Edges, HeldOrder, OrderLine
from adapters.shiphero.translate import decoded, required
from hub.domain.facts import FulfilmentHeld
from hub.sdk.translate import Tables, moment

TOPIC: Final = "order_holds"
"""Under which they are stored."""

_ASIDE: Final = ("holds", "updated_at")
_TOLD: Final = ("id", "partner_order_id", "fulfillment_status", *_ASIDE)


class _Lines(msgspec.Struct, frozen=True):
    line_items: Edges[OrderLine] = Edges()


_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_lines: Final = msgspec.json.Decoder(_Lines)
_held: Final = msgspec.json.Decoder(HeldOrder)


def apart(node: msgspec.Raw) -> tuple[msgspec.Raw, bytes | None]:
    """A pulled order without its holds, and the holds; None where every unit has left and nothing can be held."""
    fields = _fields.decode(node)
    rest = {name: value for name, value in fields.items() if name not in _ASIDE}
    told = {name: fields[name] for name in _TOLD if name in fields}
    return msgspec.Raw(msgspec.json.encode(rest)), msgspec.json.encode(told) if _open(node) else None


def _open(node: msgspec.Raw) -> bool:
    try:
        lines = _lines.decode(node).line_items.nodes
    except msgspec.ValidationError:
        return True
    return not lines or any((line.quantity or 0) > (line.quantity_shipped or 0) for line in lines)


def order_holds(body: bytes, tables: Tables) -> Sequence[FulfilmentHeld]:
    """What an open order is held for, by ShipHero's names of the holds; an account's status that means it counts too.

    Raises `Unmapped` for a status word that nobody knows, as the order itself does.
    """
    order = decoded(_held, body)
    word = required(order.fulfillment_status, "order.fulfillment_status")
    status = tables.require("status", word)
    if status in ("shipped", "cancelled"):
        return ()
    reasons = [name for name, on in msgspec.structs.asdict(order.holds).items() if on] if order.holds else []
    if status == "held":
        reasons.append(f"status {word}")
    fact = FulfilmentHeld(
        at=moment(order.updated_at, "order.updated_at"),
        fulfilment=required(order.partner_order_id, "order.partner_order_id"),
        reasons=tuple(reasons),
    )
    return (fact,)
