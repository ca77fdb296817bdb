"""What stock masters report: facts about shelves, always recorded, even when they put the truth below our promises.

Who is not the master of a shelf is heard, and compared, but not believed (`reconcile.py`).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from hub.domain.facts import StockLine, StockReported
from hub.domain.network import Purpose
from hub.domain.stock import ReportKind
from hub.flow.batch import CLOCK_SKEW, Batch
from hub.flow.carry import Parked
from hub.flow.directory import Directory, Link
from hub.flow.ports import Inbound, Unit
from hub.flow.serve import line_up, serve
from hub.flow.stock_ports import LARGEST_DROP, Figure, StockItem, StockReport, StockSource
from hub.flow.trouble import Trouble
from hub.sdk.adapter import Kind, Subtracts
from hub.stock.units import UnknownUnit, base_units

COLLAPSED: Final = "stock_collapsed"

FEW: Final = 20
"""SKUs that a complete snapshot may leave out, however few a node has."""

TOLD_AT_ONCE: Final = 20
"""Causes that one message raises at most: the others come when these are mended."""


class Collapsed(NamedTuple):
    """A node of which a complete snapshot leaves out more than it may."""

    node: int
    absent: int
    had: int
    """SKUs with stock there before."""


class Absent(NamedTuple):
    """What a complete snapshot does not list."""

    reports: list[StockReport]
    """A zero for each."""
    collapsed: list[Collapsed]
    """Nodes of which it is not believed."""


class Place(NamedTuple):
    """What a location is: a shelf whose figures are believed, or something whose figures are only compared."""

    node: int
    stock_point: int
    party: str | None
    """None is believed."""


class Heard(NamedTuple):
    """What a message comes to."""

    reports: list[StockReport]
    figures: list[Figure]
    troubles: list[Trouble]
    unread: set[tuple[int, int]]
    """(item, node) that a line names and says nothing of that could be believed."""


async def take_stock(unit: Unit, messages: Sequence[tuple[Inbound, StockReported]], batch: Batch) -> Parked:
    """Apply stock reports of partners in one transaction. A line that cannot be believed is told, the others count."""
    parked: Parked = []
    for merchant in sorted({inbound.merchant for inbound, _ in messages}):
        mine = [(inbound, fact) for inbound, fact in messages if inbound.merchant == merchant]
        items = await unit.stock_items(merchant, {line.sku for _, fact in mine for line in fact.lines})
        sources = await unit.stock_sources(merchant, {inbound.connection for inbound, _ in mine})
        reports: list[StockReport] = []
        figures: list[Figure] = []
        for inbound, fact in mine:
            heard = _hear(inbound, fact, items, _source(inbound, sources, batch.directory), batch)
            reports += heard.reports
            figures += heard.figures
            parked += [(inbound, trouble) for trouble in heard.troubles[:TOLD_AT_ONCE]]
            if fact.complete and fact.kind is not ReportKind.DELTA:
                drop = _source(inbound, sources, batch.directory).largest_drop
                absent = await gone(unit, merchant, heard.reports, heard.unread, largest_drop=drop)
                reports += absent.reports
                parked += [(inbound, _collapsed(inbound, one, batch.directory)) for one in absent.collapsed]
        await unit.keep_figures(merchant, figures)
        await report_stock(unit, merchant, reports, batch)
    return parked


def _source(inbound: Inbound, sources: Mapping[str, StockSource], directory: Directory) -> StockSource:
    """What was declared of the connection, else what its adapter says of all of its kind."""
    declared = sources.get(inbound.connection)
    if declared is not None:
        return declared
    link = directory.links.get(inbound.connection)
    takes_off = link is not None and link.adapter.stock_subtracts is Subtracts.OWN_OPEN_ORDERS
    return StockSource(frozenset(kind.value for kind in ReportKind), takes_off)


def _hear(
    inbound: Inbound, fact: StockReported, items: Mapping[str, StockItem], source: StockSource, batch: Batch
) -> Heard:
    heard = Heard([], [], [], set())
    if fact.at > batch.now + CLOCK_SKEW:
        step = "Correct the partner's clock; a later report with a believable time is taken."
        heard.troubles.append(_trouble(inbound, "stock_from_the_future", fact.at.isoformat(), step))
        return heard
    if fact.kind.value not in source.kinds:
        kinds = ", ".join(sorted(source.kinds))
        step = f"The source is declared to report {kinds}. Correct it, or its declaration (PUT /api/v1/stock-sources)."
        heard.troubles.append(_trouble(inbound, "stock_kind", f"a {fact.kind.value}", step))
        return heard
    read = [(line, _line(inbound, fact, line, items.get(line.sku), source, batch)) for line in fact.lines]
    troubles = {(found.kind, found.cause): found for _, found in reversed(read) if isinstance(found, Trouble)}
    # A change counts once per cause and place: what is read again when a line is mended has to be the whole of it.
    changes = read if fact.kind is ReportKind.DELTA else []
    waits = {(line.location, line.sku) for line, found in changes if isinstance(found, Trouble)}
    for line, found in read:
        if isinstance(found, StockReport) and (line.location, line.sku) not in waits:
            heard.reports.append(found)
        elif isinstance(found, Figure):
            heard.figures.append(found)
    heard.troubles.extend(troubles[key] for key in sorted(troubles))
    for line in (line for line, found in read if isinstance(found, Trouble) and line.sku in items):
        place = _place(inbound, line.location, batch.directory)
        if place is not None:
            heard.unread.add((items[line.sku].id, place.node))
    return heard


def _line(
    inbound: Inbound, fact: StockReported, line: StockLine, item: StockItem | None, source: StockSource, batch: Batch
) -> StockReport | Figure | Trouble | None:
    place = _place(inbound, line.location, batch.directory)
    if place is None:
        step = "Bind the partner's location to a node (PUT /api/v1/nodes/{code}, bindings)."
        return _trouble(inbound, "unknown_location", line.location, step)
    if item is None:
        step = (
            "Create the item (PUT /api/v1/items/{sku}), or ignore it if it is not yours to sell. The report is read "
            "again then, for this SKU alone: its other unknown ones wait on."
        )
        return _trouble(inbound, "unknown_stock_sku", line.sku, step)
    units = line.delta if fact.kind is ReportKind.DELTA else line.on_hand
    if units is None:
        return _trouble(inbound, "stock_without_figure", line.sku, "Have the partner state the figure, then retry.")
    if place.party is None and item.kit:
        step = "A kit has no shelf of its own: have the partner report its components, or take its components away."
        return _trouble(inbound, "kit_reported", line.sku, step)
    if place.party is None and fact.kind is not ReportKind.DELTA and units < 0:
        step = f"Less than nothing ({units}) cannot be on a shelf. Have it counted; the next report of it is taken."
        return _trouble(inbound, "negative_on_hand", f"{line.location}: {line.sku}", step)
    try:
        units = base_units(units, line.unit, base_unit=item.base_unit, conversions=item.conversions)
    except UnknownUnit as fault:
        step = f"{fault}. Add the unit to the item's conversions (PUT /api/v1/items/{{sku}}), then retry."
        return _trouble(inbound, "unknown_unit", f"{line.sku}: {line.unit}", step)
    # Not the time of this batch: a replay has to come to the same moment.
    cause, as_of = f"message:{inbound.id}", min(fact.at, inbound.received_at)
    if place.party is None:
        return StockReport(
            fact.kind.value,
            item.id,
            place.node,
            units,
            as_of,
            inbound.connection,
            cause,
            line.lot,
            source.subtracts,
        )
    if fact.kind is ReportKind.DELTA:
        # A change says nothing of where it ended, and whoever is believed about the shelf tells of it too.
        return None
    return Figure(place.party, inbound.connection, item.id, place.node, place.stock_point, units, as_of, cause)


def _place(inbound: Inbound, location: str, directory: Directory) -> Place | None:
    link = directory.links.get(inbound.connection)
    node = directory.node_at(inbound.connection, location)
    if link is not None and not _bound(inbound.connection, location, directory):
        for point in directory.stock_points:
            if point.purpose is Purpose.SELL and (point.account, point.external_location) == (
                inbound.account,
                location,
            ):
                return Place(0, point.id, "channel")
    if node is None:
        return None
    master = directory.bindings.get((node.id, inbound.merchant, "stock_master"))
    if master is None or directory.successor(master.connection) == directory.successor(inbound.connection):
        return Place(node.id, 0, None)
    return Place(node.id, 0, _party(link))


def _bound(connection: str, location: str, directory: Directory) -> bool:
    return any(
        binding.external_location == location and directory.successor(binding.connection) == connection
        for binding in directory.bindings.values()
    )


def _party(link: Link | None) -> str:
    if link is not None and link.adapter.kind is Kind.LEDGER:
        return "erp"
    return "channel" if link is not None and link.adapter.kind is Kind.CHANNEL else "node"


def _trouble(inbound: Inbound, kind: str, word: str, step: str) -> Trouble:
    return Trouble(kind, f"{inbound.connection}: {word}", step, connection=inbound.connection)


def _collapsed(inbound: Inbound, one: Collapsed, directory: Directory) -> Trouble:
    step = (
        f"The report claims to be complete, and {one.absent} of the {one.had} SKUs that the node has are not in it. "
        "What it lists was taken, what it does not list is as it was. Have the partner look at its export: the next "
        "whole one closes this. If they are gone, raise largest_drop of the source (PUT /api/v1/stock-sources), retry."
    )
    return _trouble(inbound, COLLAPSED, directory.nodes[one.node].code, step)


async def gone(
    unit: Unit,
    merchant: str,
    reports: Sequence[StockReport],
    unread: Collection[tuple[int, int]] = (),
    *,
    largest_drop: int = LARGEST_DROP,
) -> Absent:
    """What a complete snapshot does not list is not there: a zero for every other balance of its nodes.

    Also where it lists an unknown SKU. That may be one of these under a new name, but what the node does not know by
    ours it would not send either; left alone, all that has gone would be sold until somebody has seen to the name.
    (item, node) of lines that could not be believed, `unread`, are as they were; and a node of which no line at all
    could be read, or that is not named, is left alone: an empty answer is more often a fault than an empty house. So is
    one that lacks more than `largest_drop` percent of what the node had, and more than `FEW`. One that is older than
    the newest that was told whole says nothing.
    """
    listed = {(report.item, report.node) for report in reports} | set(unread)
    first = {report.node: report for report in reports}
    newest = await unit.whole_as_of(merchant, sorted(first))
    first = {node: one for node, one in first.items() if node not in newest or newest[node] <= one.as_of}
    had = await unit.stocked(merchant, sorted(first))
    absent = [(item, node) for item, node in had if (item, node) not in listed]
    lacks, all_of = Counter(node for _, node in absent), Counter(node for _, node in had)
    collapsed = [
        Collapsed(node, lacks[node], all_of[node])
        for node in sorted(first)
        if lacks[node] > FEW and lacks[node] * 100 > all_of[node] * largest_drop
    ]
    doubtful = {node for _, node in unread} | {one.node for one in collapsed}
    await unit.told_whole(merchant, {node: one.as_of for node, one in first.items() if node not in doubtful})
    believed = first.keys() - {one.node for one in collapsed}
    zeros = [first[node]._replace(item=item, units=0, lot="") for item, node in absent if node in believed]
    return Absent(zeros, collapsed)


async def report_stock(
    unit: Unit,
    merchant: str,
    reports: Iterable[StockReport],
    batch: Batch,
    received: Sequence[tuple[str, int, int, int]] = (),
) -> None:
    """Write figures into the ledger, serve who waits for the items of which there is more now, and wake the others.

    `received` names the expected supply that came with it: (reference, node, item, units). A shelf with less than was
    promised of it is marked: whoever is least urgent gives way (`displace.py`).
    """
    ordered = sorted(reports, key=lambda r: (r.item, r.node))
    if not ordered:
        return
    line = await line_up(unit, merchant, {report.item for report in ordered if report.units > 0})
    more = await unit.count(merchant, ordered, batch.now)
    await unit.receive(merchant, received)
    if more:
        await serve(unit, line, {item for item, _ in more} | {item for _, _, item, _ in received}, batch)
        await unit.wake(merchant, sorted({f"item:{item}" for item, _ in more}), batch.now)
