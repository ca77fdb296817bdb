"""Purchase orders that a ledger tells of: what is expected, when, and where. It is no stock until it is received."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from hub.domain.facts import SupplyReported
from hub.flow.batch import Batch
from hub.flow.carry import Parked
from hub.flow.ledger_ports import SupplyRow
from hub.flow.ports import Inbound, Unit
from hub.flow.serve import line_up, serve
from hub.flow.stock_ports import StockItem
from hub.flow.trouble import Trouble
from hub.stock.units import UnknownUnit, base_units

CERTAIN: Final = 100
"""Confidence in per cent of what a supplier was ordered for, until somebody says otherwise (PUT /supply)."""


async def take_supply(unit: Unit, messages: Sequence[tuple[Inbound, SupplyReported]], batch: Batch) -> Parked:
    """Write what is expected; a purchase order is told whole, and what it does not name any more is called off.

    One with a place, an item or a unit that nobody knows needs a person; nothing of it changes until then.
    """
    parked: Parked = []
    for merchant in sorted({inbound.merchant for inbound, _ in messages}):
        mine = [(inbound, fact) for inbound, fact in messages if inbound.merchant == merchant]
        items = await unit.stock_items(merchant, {line.sku for _, fact in mine for line in fact.lines})
        told: dict[str, list[SupplyRow]] = {}
        for inbound, fact in mine:
            rows = _rows(inbound, fact, items, batch)
            if isinstance(rows, Trouble):
                parked.append((inbound, rows))
            else:
                told[fact.reference] = rows
        wanted = sorted({row[2] for rows in told.values() for row in rows})
        wanted = sorted({*wanted, *await unit.items_of_supply(merchant, sorted(told))})
        if not told:
            continue
        line = await line_up(unit, merchant, wanted)
        await unit.put_supply(merchant, told)
        await serve(unit, line, wanted, batch)
        await unit.wake(merchant, [f"item:{item}" for item in wanted], batch.now)
    return parked


def _rows(
    inbound: Inbound, fact: SupplyReported, items: Mapping[str, StockItem], batch: Batch
) -> list[SupplyRow] | Trouble:
    """Rows of a purchase order in base units; several lines of one item at one place that are due on the same day, or
    not, are one row, due with the last."""
    found: dict[tuple[int, int], tuple[int, date]] = {}
    for line in fact.lines:
        node = batch.directory.node_at(inbound.connection, line.location)
        if node is None:
            step = "Bind the ledger's location to a node (PUT /api/v1/nodes/{code}, bindings), then retry."
            return Trouble("unknown_location", f"{inbound.connection}: {line.location}", step)
        item = items.get(line.sku)
        if item is None or item.kit:
            step = f"Create item {line.sku} (PUT /api/v1/items/{line.sku}), no kit, then retry."
            return Trouble("unknown_supply_item", f"{inbound.connection}: {line.sku}", step)
        try:
            units = base_units(line.quantity, line.unit, base_unit=item.base_unit, conversions=item.conversions)
        except UnknownUnit as error:
            step = f"Add the unit to the item's conversions (PUT /api/v1/items/{line.sku}), then retry."
            return Trouble("unknown_unit", f"{inbound.connection}: {line.sku}: {error}", step)
        before, due = found.get((node.id, item.id), (0, line.due))
        found[node.id, item.id] = (before + units, max(due, line.due))
    return [(fact.reference, node, item, units, due, CERTAIN) for (node, item), (units, due) in found.items() if units]
