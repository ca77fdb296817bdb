"""A purchase order as a document: for an API, a file or a mail. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from adapters.supplier.settings import Settings
from hub.domain.contact import Contact
from hub.domain.facts import PurchaseOrdered
from hub.domain.purchase import UnitCost
from hub.sdk.capabilities import FulfilmentCancel, FulfilmentRequest
from hub.sdk.tabular import Layout


class OrderedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units to send."""

    line: str
    """Our reference: answers come back with it, or with the SKU."""
    sku: str
    title: str | None
    quantity: int
    unit_cost: Decimal | None
    """As agreed; null where nothing is."""


class ShipTo(msgspec.Struct, frozen=True, kw_only=True):
    """Where it goes."""

    name: str | None
    company: str | None
    lines: tuple[str, ...]
    city: str | None
    region: str | None
    postal_code: str | None
    country: str | None
    phone: str | None


class PurchaseOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What the supplier is asked to send, or, with the action "cancel", not to send."""

    purchase_order: str
    action: str
    fulfilment: str
    ordered_at: datetime
    currency: str
    ship_by: datetime | None = None
    service: str | None = None
    reason: str | None = None
    ship_to: ShipTo | None = None
    lines: tuple[OrderedLine, ...] = ()


def new_order(request: FulfilmentRequest, settings: Settings, number: str, at: datetime) -> PurchaseOrder:
    """The purchase order of a fulfilment order; the same bytes at every repeat."""
    to = request.ship_to
    return PurchaseOrder(
        purchase_order=number,
        action="new",
        fulfilment=request.fulfilment,
        ordered_at=at,
        currency=settings.currency,
        ship_by=request.ship_by,
        service=request.service,
        ship_to=_ship_to(to),
        lines=tuple(
            OrderedLine(
                line=line.line,
                sku=line.sku,
                title=line.title,
                quantity=line.quantity,
                unit_cost=line.unit_costs.get(settings.currency),
            )
            for line in request.lines
        ),
    )


def _ship_to(to: Contact) -> ShipTo:
    return ShipTo(
        name=to.name,
        company=to.company,
        lines=to.lines,
        city=to.city,
        region=to.region,
        postal_code=to.postal_code,
        country=to.country,
        phone=to.phone,
    )


def cancelled_order(request: FulfilmentCancel, settings: Settings, number: str, at: datetime) -> PurchaseOrder:
    """The same purchase order, not to be sent after all."""
    return PurchaseOrder(
        purchase_order=number,
        action="cancel",
        fulfilment=request.fulfilment,
        ordered_at=at,
        currency=settings.currency,
        reason=request.reason,
    )


def ordered_fact(order: PurchaseOrder, settings: Settings) -> PurchaseOrdered:
    """What was agreed, for the hub to compare the supplier's answer with."""
    return PurchaseOrdered(
        at=order.ordered_at,
        fulfilment=order.fulfilment,
        number=order.purchase_order,
        currency=order.currency,
        costs=tuple(
            UnitCost(line=line.line, unit_cost=line.unit_cost) for line in order.lines if line.unit_cost is not None
        ),
        tolerance_percent=settings.tolerance_percent,
        transit_days=settings.transit_days,
    )


def file_body(order: PurchaseOrder, settings: Settings) -> bytes:
    """The document as a file: JSON, or a row a line."""
    if settings.writes == "json":
        return msgspec.json.encode(order)
    return _table(_rows(order), settings.columns, settings.layout)


def _rows(order: PurchaseOrder) -> Iterable[Mapping[str, object]]:
    to = order.ship_to
    head: dict[str, object] = {
        "purchase_order": order.purchase_order,
        "action": order.action,
        "fulfilment": order.fulfilment,
        "ordered_at": _utc(order.ordered_at),
        "ship_by": _utc(order.ship_by),
        "currency": order.currency,
        "service": order.service,
        "reason": order.reason,
    }
    if to is not None:
        head |= {f"ship_address_{no}": line for no, line in enumerate(_three(to.lines), 1)}
        head |= {f"ship_{name}": getattr(to, name) for name in ("name", "company", "city", "region", "postal_code")}
        head |= {"ship_country": to.country, "ship_phone": to.phone}
    if not order.lines:
        yield head
    for line in order.lines:
        yield head | msgspec.structs.asdict(line)


def _utc(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _three(lines: Sequence[str]) -> list[str]:
    """Three lines of street: what is more goes into the last."""
    return [*lines[:2], ", ".join(lines[2:])] if len(lines) > 2 else list(lines)


def _table(rows: Iterable[Mapping[str, object]], columns: Sequence[str], layout: Layout) -> bytes:
    quote = layout.quote
    special = (layout.delimiter, quote, "\n", "\r")

    def cell(value: object) -> str:
        text = "" if value is None else str(value)
        needs = any(character in text for character in special)
        return f"{quote}{text.replace(quote, quote * 2)}{quote}" if needs else text

    lines = [[layout.names.get(column, column) for column in columns]] if layout.header else []
    lines += [[cell(row.get(column)) for column in columns] for row in rows]
    text = "".join(f"{layout.delimiter.join(cells)}\r\n" for cells in lines)
    return text.encode(layout.encoding, errors="replace")


def mail_text(order: PurchaseOrder, link: str | None) -> tuple[str, str]:
    """Subject and text of a mail: no people, and no goods but their number. The rest is behind the link."""
    number = order.purchase_order
    if order.action == "cancel":
        said = f"Please do not send purchase order {number}: {order.reason or 'it was cancelled'}."
        return f"Purchase order {number} is cancelled", f"{said}\n\nTell us whether you could stop it:\n{link}\n"
    units = sum(line.quantity for line in order.lines)
    text = (
        f"You have a new purchase order, {number}: {units} units in {len(order.lines)} lines"
        f"{f', to leave by {order.ship_by.date().isoformat()}' if order.ship_by else ''}.\n\n"
        f"See it, and accept it with a date and a cost, or refuse it:\n{link}\n\n"
        "The link is for you alone and ends by itself. No log-in is needed. This message may reach you twice; "
        "it is the same order then.\n"
    )
    return f"Purchase order {number}", text
