"""The fulfilment orders of an order, as the API shows them."""

from typing import Any, Final

import asyncpg
import msgspec

from hub.domain.fulfilment import NodeHold, fulfilment_id, fulfilment_status
from hub.domain.shipping import Shipment
from hub.domain.states import SliceState
from hub.store.admin.order_views import (
    CancelView,
    FulfilmentLineView,
    FulfilmentView,
    NodeHoldView,
    ParcelLineView,
    ParcelView,
    ShipmentView,
)
from hub.store.admin.purchases import purchase_view

Rows = dict[str, list[asyncpg.Record]]
"""Rows of one order by part."""

_shipment: Final = msgspec.json.Decoder(Shipment)
_node_hold: Final = msgspec.json.Decoder(NodeHold)


def pick(row: asyncpg.Record, names: str) -> dict[str, Any]:
    """The columns that a view shows under their own names."""
    return {name: row[name] for name in names.split()}


def fulfilment_views(order: str, rows: Rows) -> list[FulfilmentView]:
    """What was asked of nodes for an order, by number."""
    return [_fulfilment(order, row, rows) for row in rows["fulfilment"]]


def _fulfilment(order: str, row: asyncpg.Record, rows: Rows) -> FulfilmentView:
    parts, shipments, cancels = (
        [one for one in rows[name] if one["fulfilment_no"] == row["no"]] for name in ("slice", "shipment", "cancel")
    )
    names = _named(rows)
    return FulfilmentView(
        id=fulfilment_id(order, row["no"]),
        number=fulfilment_id(order, row["no"]),
        order=order,
        group=row["group_key"],
        connection=row["connection_id"],
        purchase=purchase_view(row["purchase"]),
        node_hold=_held(row["node_hold"]),
        status=fulfilment_status([SliceState(part["state"]) for part in parts], left=bool(shipments)),
        lines=[_line(part, *names[part["demand_no"]]) for part in parts],
        shipments=[_shipped(order, one, rows) for one in shipments],
        cancels=[CancelView(**pick(one, "no state asked_by reason asked_at ended_at")) for one in cancels],
        **pick(row, "node handoff partner_reference created_at ship_by destination accept_by collect_by"),
    )


def _held(document: str | None) -> NodeHoldView | None:
    told = None if document is None else _node_hold.decode(document)
    return NodeHoldView(at=told.at, reasons=list(told.reasons)) if told and told.reasons else None


def _line(part: asyncpg.Record, line: str, sku: str | None) -> FulfilmentLineView:
    return FulfilmentLineView(
        line=str(part["demand_no"]),
        order_line=line,
        sku=sku,
        quantity=part["quantity"],
        state=SliceState(part["state"]),
    )


def _named(rows: Rows) -> dict[int, tuple[str, str | None]]:
    """By demand: the channel's line, and the SKU."""
    return {row["no"]: (row["line"], row["item_sku"] or row["sku"]) for row in rows["demand"]}


def _shipped(order: str, row: asyncpg.Record, rows: Rows) -> ShipmentView:
    document = _shipment.decode(row["document"])
    truth = {part["no"]: part for part in rows["parcel"] if part["shipment_no"] == row["no"]}
    names = _named(rows)
    parcels = []
    for no, parcel in enumerate(document.parcels, 1):
        told = truth.get(no)
        parcels.append(
            ParcelView(
                tracking=parcel.tracking,
                carrier=parcel.carrier,
                service=parcel.service,
                url=parcel.url,
                status=told["status"] if told else "unknown",
                status_at=told["status_at"] if told else None,
                lines=[
                    ParcelLineView(
                        line=names[int(line.line)][0],
                        sku=names[int(line.line)][1],
                        quantity=line.quantity,
                        lot=line.lot,
                    )
                    for line in parcel.lines
                ],
            )
        )
    return ShipmentView(
        no=row["no"],
        external_id=row["external_id"],
        fulfilment=fulfilment_id(order, row["fulfilment_no"]),
        shipped_at=row["shipped_at"],
        parcels=parcels,
    )
