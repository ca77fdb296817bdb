"""What stock masters report: facts about shelves, always recorded, even when they put the truth below our promises."""

from collections.abc import Mapping, Sequence

from hub.domain.facts import StockReported
from hub.domain.stock import ReportKind
from hub.flow.aggregate import Trouble
from hub.flow.batch import CLOCK_SKEW, Batch
from hub.flow.carry import Parked
from hub.flow.ports import Inbound, StockReport, Unit


async def take_stock(unit: Unit, messages: Sequence[tuple[Inbound, StockReported]], batch: Batch) -> Parked:
    """Apply stock reports of partners in one transaction. What names an unknown node or SKU is told, once a name."""
    merchants = {inbound.merchant for inbound, _ in messages}
    items = {
        merchant: await unit.items_by_sku(
            merchant, {line.sku for inbound, fact in messages if inbound.merchant == merchant for line in fact.lines}
        )
        for merchant in sorted(merchants)
    }
    parked: Parked = []
    for merchant in sorted(merchants):
        reports: list[StockReport] = []
        for inbound, fact in messages:
            if inbound.merchant == merchant:
                reports += _reports(inbound, fact, items[merchant], batch, parked)
        await report_stock(unit, merchant, reports, batch)
    return parked


def _reports(
    inbound: Inbound, fact: StockReported, items: Mapping[str, int], batch: Batch, parked: Parked
) -> list[StockReport]:
    if fact.at > batch.now + CLOCK_SKEW:
        step = "Correct the partner's clock; a later report with a believable time is taken."
        parked.append((inbound, Trouble("stock_from_the_future", f"{inbound.connection}: {fact.at.isoformat()}", step)))
        return []
    found = []
    unknown: set[tuple[str, str]] = set()
    for line in fact.lines:
        node = batch.directory.node_at(inbound.connection, line.location)
        item = items.get(line.sku)
        if node is None:
            unknown.add(("unknown_location", line.location))
        elif item is None:
            unknown.add(("unknown_stock_sku", line.sku))
        else:
            units = line.delta if fact.kind is ReportKind.DELTA else line.on_hand
            if units is not None:
                cause = f"message:{inbound.id}"
                found.append(
                    StockReport(fact.kind.value, item, node.id, units, fact.at, inbound.connection, cause, line.lot)
                )
    if unknown:
        kind, word = min(unknown)
        step = (
            "Bind the partner's location to a node (PUT /api/v1/nodes/{code}, bindings)."
            if kind == "unknown_location"
            else "Create the item (PUT /api/v1/items/{sku}), or ignore it if it is not yours to sell."
        )
        parked.append((inbound, Trouble(kind, f"{inbound.connection}: {word}", step)))
    return found


async def report_stock(unit: Unit, merchant: str, reports: Sequence[StockReport], batch: Batch) -> None:
    """Write figures into the ledger and wake what waits for the items of which there is more now."""
    if not reports:
        return
    more = await unit.count(merchant, sorted(reports, key=lambda r: (r.item, r.node)), batch.now)
    if more:
        await unit.wake(merchant, sorted({f"item:{item}" for item, _ in more}), batch.now)
