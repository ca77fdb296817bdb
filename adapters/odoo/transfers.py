"""A fulfilment order as a transfer of Odoo's: what is written, and what is read back. Pure."""

import hashlib
import html
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from adapters.odoo.marks import Asked, Group, groups, mark
from adapters.odoo.schemas import record_id
from adapters.odoo.settings import Settings
from adapters.odoo.translate import CREATE, UPDATE, Values, naive_utc
from adapters.odoo.warehouse_rows import Move, Transfer, Warehouse
from hub.domain.contact import Contact
from hub.domain.facts import FactLine, FulfilmentAccepted, StockMeaning, UnitsShort
from hub.sdk.capabilities import FulfilmentRequest
from hub.sdk.outcomes import Done, Learned, Outcome, Refused, blocked

DRAFT: Final = "draft"
DONE: Final = "done"
CANCELLED: Final = "cancel"
ENDED: Final = (DONE, CANCELLED)
ONE_STEP: Final = "ship_only"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a transfer goes from and to."""

    warehouse: Warehouse
    customers: int
    """Odoo's location of goods that customers have."""


# --- submit ----------------------------------------------------------------------------------------------------------


def usable(found: Sequence[Warehouse], code: str) -> Warehouse:
    """The warehouse with this short name. Raises NeedsPerson when there is none, several, or one that we cannot use."""
    if len(found) != 1:
        raise blocked(
            f"Odoo has {len(found)} warehouses with the short name {code!r}",
            "correct the node's external location, or set company_id where two companies use one short name",
        )
    (warehouse,) = found
    if warehouse.delivery_steps != ONE_STEP:
        raise blocked(
            f"warehouse {code} delivers in several steps ({warehouse.delivery_steps}), which the hub cannot order",
            "let it deliver goods directly (Inventory > Warehouses > Outgoing Shipments: Deliver), then send it again",
        )
    return warehouse


def transfer_values(
    request: FulfilmentRequest,
    asked: Iterable[Asked],
    place: Place,
    partner: int,
    settings: Settings,
    *,
    names: Mapping[int, str] | None = None,
) -> Values:
    """A transfer with all its moves: one call, so one transaction. `names` is for Odoo before 19, where a move has one.

    Raises NeedsPerson for a service that `shipping_methods` does not know.
    """
    ends = {"location_id": record_id(place.warehouse.lot_stock_id), "location_dest_id": place.customers}
    due = {} if request.ship_by is None else {"date": naive_utc(request.ship_by)}
    moves: list[Values] = [
        {
            "product_id": one.product,
            "product_uom_qty": one.units,
            "origin": mark(request.fulfilment, one),
            **ends,
            **due,
            **({} if names is None else {"name": names[one.product]}),
        }
        for one in asked
    ]
    return {
        "picking_type_id": record_id(place.warehouse.out_type_id),
        "partner_id": partner,
        "origin": request.fulfilment,
        "note": _note(request),
        "move_ids": [[CREATE, 0, move] for move in moves],
        **ends,
        **_method(request, settings),
    }


def _method(request: FulfilmentRequest, settings: Settings) -> Values:
    if request.service is None or not settings.shipping_methods:
        return {}
    if request.service not in settings.shipping_methods:
        raise blocked(
            f"{request.fulfilment}: no delivery method of Odoo's is named for the service {request.service!r}",
            "add it to shipping_methods of the connection, then send it again",
        )
    return {"carrier_id": settings.shipping_methods[request.service]}


def _note(request: FulfilmentRequest) -> str:
    said = [f"Order {request.order_number}"]
    if request.purchase_order:
        said.append(f"Purchase order {request.purchase_order}")
    if request.service:
        said.append(f"Service {request.service}")
    return "".join(f"<p>{html.escape(line)}</p>" for line in said)


def address_values(contact: Contact, country: int | None, region: int | None) -> Values:
    """A delivery address, with the telephone number that carriers ask for. Its reference is what is in it: the same
    address is written once, however often and whoever sends it."""
    street = dict(zip(("street", "street2"), _street(contact), strict=False))
    city = contact.city if region is not None or not contact.region else f"{contact.city}, {contact.region}"
    values: Values = {
        "name": contact.name or contact.company or contact.email or "Customer",
        "company_name": contact.company if contact.name else None,
        "email": contact.email,
        "phone": contact.phone,
        "city": city,
        "zip": contact.postal_code,
        "country_id": country,
        "state_id": region,
        **street,
    }
    kept = {name: value for name, value in values.items() if value}
    return {**kept, "type": "delivery", "ref": address_reference(contact)}


def _street(contact: Contact) -> list[str]:
    """Two lines: Odoo has no third."""
    first, *rest = contact.lines or ("",)
    return [first, ", ".join(rest)] if rest else [first]


def address_reference(contact: Contact) -> str:
    """Reference of a delivery address."""
    return f"hub-{hashlib.sha256(msgspec.json.encode(contact)).hexdigest()[:24]}"


def the_first(found: Sequence[Transfer], fulfilment: str) -> Transfer | None:
    """The transfer that we made, of which others may be backorders. Raises NeedsPerson when there are two of it."""
    made = [one for one in found if record_id(one.backorder_id) is None]
    living = [one for one in made if one.state != CANCELLED]
    if len(living) > 1:
        names = ", ".join(one.name for one in living)
        raise blocked(
            f"{fulfilment} is in Odoo {len(living)} times: {names}", "cancel all but one in Odoo, then send it again"
        )
    return next(iter(living or made), None)


class Reserved(msgspec.Struct, frozen=True, kw_only=True):
    """What Odoo has put aside of a fulfilment order, whatever the transfer's state says of itself."""

    ready: tuple[tuple[Group, int], ...]

    @property
    def short(self) -> bool:
        """Whether anything is missing: a transfer may call itself ready (assigned) with a part of it."""
        return any(units < group.asked.units for group, units in self.ready)

    @property
    def nothing(self) -> bool:
        """Whether not one unit is there."""
        return not any(units for _, units in self.ready)


def reserved(fulfilment: str, moves: Sequence[Move]) -> Reserved:
    """Units that are reserved, by what was asked for. Cancelled moves have none."""
    living = [move for move in moves if move.state != CANCELLED]
    return Reserved(
        ready=tuple((group, min(group.asked.units, group.whole(group.moves))) for group in groups(fulfilment, living))
    )


def cut_values(fulfilment: str, found: Reserved) -> Values:
    """The transfer without what is not there: asked for, and remembered, is what can be shipped."""
    commands = []
    for group, units in found.ready:
        if units == group.asked.units:
            continue
        parts, left = group.parts(), group.asked.first(units)
        for move in group.moves:
            each = parts.get(record_id(move.product_id) or 0, 0)
            change = {"product_uom_qty": float(each * units), "origin": mark(fulfilment, left)}
            commands.append([UPDATE, move.id, change])
    return {"move_ids": commands}


def read_submit(
    request: FulfilmentRequest, transfer: Transfer, moves: Sequence[Move], now: datetime, *, found: bool
) -> Outcome:
    """What became of a fulfilment order: taken on, all or in part; or refused because nothing of it is there.

    A transfer that waits for stock is made and not accepted yet: that is told once Odoo has reserved all of it.
    """
    about = request.fulfilment
    kept = {line: units for group in groups(about, moves) for line, units in group.asked.lines}
    if transfer.state == CANCELLED:
        gone = not any(kept.values())
        reason = "has none of it in stock" if gone else f"has cancelled {transfer.name}"
        meaning = StockMeaning.QUANTITY if gone else StockMeaning.NOTHING
        return Refused(reason=f"{about}: Odoo {reason}", stock=meaning)
    short = tuple(
        FactLine(line=line.line, quantity=line.quantity - kept.get(line.line, 0))
        for line in request.lines
        if line.quantity > kept.get(line.line, 0)
    )
    learned = (Learned(kind="transfer", ours=about, theirs=str(transfer.id)),)
    facts: tuple[FulfilmentAccepted | UnitsShort, ...] = ()
    if transfer.state == DONE or not reserved(about, moves).short:
        facts = (FulfilmentAccepted(at=now, fulfilment=about, partner_reference=transfer.name),)
    if short:
        facts = (*facts, UnitsShort(at=now, fulfilment=about, lines=short, reason="not in stock at Odoo"))
    return Done(reference=transfer.name, facts=facts, learned=learned, found=found)
