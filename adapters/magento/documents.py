"""Invoices, credit memos and shipments of an order: reading them, and recognising those that are ours."""

from collections.abc import Iterable
from typing import Final

from adapters.magento import queries, schemas
from adapters.magento.client import Store, decoder, listed

NOTE: Final = "Crossdock"
"""What we make carries a note for the staff, "Crossdock <key>": by it an earlier try is recognised."""

CANCELLED: Final = 3

_invoices: Final = decoder(schemas.Listed[schemas.Invoice])
_memos: Final = decoder(schemas.Listed[schemas.CreditMemo])
_shipments: Final = decoder(schemas.Listed[schemas.Shipment])


def note(key: str) -> dict[str, object]:
    """Fields of a body that leave the note; the customer is not sent it."""
    return {"appendComment": False, "comment": {"comment": f"{NOTE} {key}", "is_visible_on_front": 0}}


def noted(comments: Iterable[schemas.Comment], key: str) -> bool:
    """Whether one of the notes is ours under this key."""
    return any(key in (one.comment or "").split() for one in comments)


async def invoices_of(context: Store, order: schemas.Order) -> list[schemas.Invoice]:
    """The order's invoices that count."""
    found = await listed(context, "/invoices", (queries.among("order_id", [order.entity_id]),), _invoices)
    return [one for one in found if one.state != CANCELLED]


async def memos_of(context: Store, order: schemas.Order) -> list[schemas.CreditMemo]:
    """The order's credit memos that count."""
    found = await listed(context, "/creditmemos", (queries.among("order_id", [order.entity_id]),), _memos)
    return [one for one in found if one.state != CANCELLED]


async def shipments_of(context: Store, order: schemas.Order) -> list[schemas.Shipment]:
    """The order's shipments."""
    return await listed(context, "/shipments", (queries.among("order_id", [order.entity_id]),), _shipments)
