"""Stock: what is there, what is expected, and who says so."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Final

import msgspec
from litestar import Controller, Response, get, put
from litestar.params import FromQuery, JSONBody
from msgspec import UNSET, UnsetType

from hub.domain.stock import ReportKind
from hub.flow.serve import line_up, serve
from hub.flow.stock_levels import gone, report_stock
from hub.flow.stock_ports import LARGEST_DROP, StockItem, StockReport, StockSource
from hub.sdk.adapter import Subtracts
from hub.stock.units import UnknownUnit, base_units
from hub.store.admin import stock
from hub.store.admin.errors import Conflict, Fault, Invalid, pointer
from hub.store.admin.items import items_by_sku
from hub.store.admin.mending import mark_dirty
from hub.store.admin.nodes import node_ids
from hub.store.admin.paging import Page
from hub.store.admin.stock import BalanceView, SourceView, SupplyView
from hub.store.admin.tokens import Role
from hub.store.sources import put_source, remember
from hub.store.stock_postings import RECEIPT
from hub.web.auth import NEEDS
from hub.web.bodies import places
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Units = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Change = Annotated[int, msgspec.Meta(ge=-1_000_000_000, le=1_000_000_000)]
Aware = Annotated[datetime, msgspec.Meta(tz=True)]
Lot = Annotated[str, msgspec.Meta(max_length=100)]

MOST_LINES: Final = 50_000
SKEW: Final = timedelta(seconds=5)
"""How far the caller's clock may run ahead of ours."""


class StockLineBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A figure: `on_hand` for snapshots and counts, `delta` for changes."""

    node: Text
    sku: Text
    on_hand: Units | UnsetType = UNSET
    delta: Change | UnsetType = UNSET
    lot: Lot = ""
    unit: Text | None = None
    """Unit of the figure, such as "case": converted by the item's own table. The base unit when left out."""
    safety: Units | UnsetType = UNSET
    """Base units to keep back here from now on."""
    supply: Text | None = None
    """Reference of the expected supply that this change receives: so much less is expected from now on."""


class StockBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report about shelves: a fact, recorded even when it puts the truth below what is promised."""

    kind: ReportKind
    lines: Annotated[list[StockLineBody], msgspec.Meta(min_length=1, max_length=MOST_LINES)]
    source: Text = "api"
    as_of: Aware | None = None
    """When it was true; now when left out. What moved after it is added to it."""
    complete: bool = False
    """The lines are all there is at their nodes: what is not listed is not there. Partial otherwise."""
    reference: Text | None = None
    """The source's own name of this report: the same one is refused a second time."""


class SourceBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a source of figures is: a name that reports give as `source`, or a connection's id."""

    source: Text
    kinds: Annotated[list[ReportKind], msgspec.Meta(min_length=1)]
    subtracts: Subtracts = Subtracts.NOTHING
    """What its levels have taken off already: exactly that is added back."""
    largest_drop: Annotated[int, msgspec.Meta(ge=0, le=100)] = LARGEST_DROP
    """Percent of what a node has that a complete snapshot may leave out and be believed; 100 believes everything."""


class SupplyBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stock that is expected; a quantity of 0 takes it away."""

    reference: Text
    node: Text
    sku: Text
    quantity: Units
    due: date
    confidence: Annotated[int, msgspec.Meta(ge=0, le=100)] = 100


def _faults_of_lines(data: StockBody, codes: Mapping[str, int], items: Mapping[str, StockItem]) -> list[Fault]:
    wanted, other = ("delta", "on_hand") if data.kind is ReportKind.DELTA else ("on_hand", "delta")
    faults = []
    seen: set[tuple[str, str, str]] = set()
    for index, line in enumerate(data.lines):
        if getattr(line, wanted) is UNSET:
            faults.append(Fault(f"is needed in a {data.kind.value}", pointer("lines", index, wanted)))
        if getattr(line, other) is not UNSET:
            faults.append(Fault(f"does not belong in a {data.kind.value}", pointer("lines", index, other)))
        if line.node not in codes:
            faults.append(Fault(f"no node {line.node!r}", pointer("lines", index, "node")))
        faults += _faults_of_item(line, items.get(line.sku), index)
        if line.supply is not None and (data.kind is not ReportKind.DELTA or _figure(line) <= 0):
            faults.append(Fault("only a change upwards receives supply", pointer("lines", index, "supply")))
        if (line.node, line.sku, line.lot) in seen:
            faults.append(Fault("the same node, sku and lot stand twice", pointer("lines", index)))
        seen.add((line.node, line.sku, line.lot))
    return faults


def _faults_of_item(line: StockLineBody, item: StockItem | None, index: int) -> list[Fault]:
    if item is None:
        return [Fault(f"no item {line.sku!r}", pointer("lines", index, "sku"))]
    if item.kit:
        return [Fault("is a kit, which has no shelf of its own: report its components", pointer("lines", index, "sku"))]
    try:
        base_units(1, line.unit, base_unit=item.base_unit, conversions=item.conversions)
    except UnknownUnit as fault:
        return [Fault(str(fault), pointer("lines", index, "unit"))]
    return []


def _figure(line: StockLineBody) -> int:
    return line.delta if isinstance(line.delta, int) else line.on_hand if isinstance(line.on_hand, int) else 0


def _units(line: StockLineBody, item: StockItem) -> int:
    return base_units(_figure(line), line.unit, base_unit=item.base_unit, conversions=item.conversions)


def _faults_of_source(data: StockBody, source: StockSource | None) -> list[Fault]:
    if source is None or data.kind.value in source.kinds:
        return []
    kinds = ", ".join(sorted(source.kinds))
    return [Fault(f"{data.source!r} is declared to report {kinds} (PUT /api/v1/stock-sources)", "/kind")]


async def report(tx: Work, data: StockBody) -> Page[BalanceView]:
    """Apply a stock report whole or not at all, and wake what waited for the goods."""
    as_of = data.as_of or tx.now
    codes = await node_ids(tx.connection, sorted({line.node for line in data.lines}))
    items = await tx.unit.stock_items(tx.merchant, {line.sku for line in data.lines})
    source = (await tx.unit.stock_sources(tx.merchant, [data.source])).get(data.source)
    faults = [] if as_of <= tx.now + SKEW else [Fault("lies in the future; say when the figures were true", "/as_of")]
    faults += _faults_of_source(data, source) + _faults_of_lines(data, codes, items)
    if faults:
        raise Invalid(faults)
    if data.reference and not await remember(tx.connection, tx.merchant, data.source, data.reference, tx.now):
        raise Conflict("already-counted", f"{data.source!r} has reported {data.reference!r} before; it counts once")
    # A cause of its own: a change is counted once per cause, and two requests are two changes.
    cause = f"api:{tx.hub.new_id()}"
    reports = [
        StockReport(
            data.kind.value,
            items[line.sku].id,
            codes[line.node],
            _units(line, items[line.sku]),
            min(as_of, tx.now),
            data.source,
            cause if line.supply is None else cause + RECEIPT,
            line.lot,
            source is not None and source.subtracts,
        )
        for line in data.lines
    ]
    absent = await _absent(tx, data, reports, source.largest_drop if source is not None else LARGEST_DROP)
    received = [
        (line.supply, codes[line.node], items[line.sku].id, _units(line, items[line.sku]))
        for line in data.lines
        if line.supply is not None
    ]
    await report_stock(tx.unit, tx.merchant, reports + absent, await tx.batch(), received)
    await _safety(tx, [(items[n.sku].id, codes[n.node], n.safety) for n in data.lines if isinstance(n.safety, int)])
    tx.ring("waiting", "availability")
    pairs = [(row.item, row.node) for row in reports]
    return Page(items=await stock.read_balances(tx.connection, tx.merchant, pairs), next=None)


async def _absent(tx: Work, data: StockBody, reports: list[StockReport], largest_drop: int) -> list[StockReport]:
    if not data.complete or data.kind is ReportKind.DELTA:
        return []
    found = await gone(tx.unit, tx.merchant, reports, largest_drop=largest_drop)
    if found.collapsed:
        node, absent, had = found.collapsed[0]
        code = next(line.node for line, report in zip(data.lines, reports, strict=True) if report.node == node)
        raise Conflict(
            "stock-collapsed",
            f"the report claims to be complete, and {absent} of the {had} SKUs that {code} has are not in it; nothing "
            "was applied. If they are gone, declare the source with a larger largest_drop (PUT /api/v1/stock-sources)",
        )
    return found.reports


async def _safety(tx: Work, rows: list[tuple[int, int, int]]) -> None:
    if rows:
        await stock.put_safety(tx.connection, rows)
        await mark_dirty(tx.connection, [item for item, _, _ in rows])
        await tx.unit.wake(tx.merchant, [f"item:{item}" for item, _, _ in rows], tx.now)


async def expect(tx: Work, bodies: list[SupplyBody], at: list[str]) -> Page[SupplyView]:
    """Write expected supply; who waits for it is promised it, or promised anew, in the same transaction."""
    codes = await node_ids(tx.connection, sorted({body.node for body in bodies}))
    skus = await items_by_sku(tx.connection, tx.merchant, sorted({body.sku for body in bodies}))
    faults = [
        Fault(f"no node {b.node!r}", f"{where}/node")
        for b, where in zip(bodies, at, strict=True)
        if b.node not in codes
    ]
    faults += [
        Fault(f"no item {b.sku!r}", f"{where}/sku") for b, where in zip(bodies, at, strict=True) if b.sku not in skus
    ]
    keys = [(b.reference, b.node, b.sku) for b in bodies]
    faults += [
        Fault("the same reference, node and sku stand twice", at[n]) for n, key in enumerate(keys) if key in keys[:n]
    ]
    if faults:
        raise Invalid(faults)
    wanted = sorted(set(skus.values()))
    line = await line_up(tx.unit, tx.merchant, wanted)
    await stock.put_supply(
        tx.connection,
        tx.merchant,
        [(b.reference, codes[b.node], skus[b.sku], b.quantity, b.due, b.confidence) for b in bodies],
    )
    await serve(tx.unit, line, wanted, await tx.batch())
    await tx.unit.wake(tx.merchant, [f"item:{item}" for item in wanted], tx.now)
    await mark_dirty(tx.connection, wanted)
    tx.ring("waiting", "availability")
    views = [
        SupplyView(
            reference=b.reference, node=b.node, sku=b.sku, quantity=b.quantity, due=b.due, confidence=b.confidence
        )
        for b in bodies
        if b.quantity
    ]
    return Page(items=views, next=None)


class Stock(Controller):
    """What is on the shelves."""

    path = "/stock"
    tags = ("stock",)

    @get("/", summary="List balances")
    async def list_stock(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        sku: FromQuery[str | None] = None,
        node: FromQuery[str | None] = None,
    ) -> Page[BalanceView]:
        """Balances by SKU and node."""
        async with hub.database.connection() as connection:
            return await stock.list_balances(connection, request.user.merchant, cut, sku=sku, node=node)

    @put("/", summary="Report stock", opt={NEEDS: Role.OPERATOR})
    async def put_stock(self, hub: Hub, request: ApiRequest, data: JSONBody[StockBody]) -> Response[Page[BalanceView]]:
        """A snapshot, a count or changes; all lines or, with any fault, none. Answers with the new balances."""
        return await commit(hub, request, lambda tx: report(tx, data))


class Supply(Controller):
    """Expected stock, which is not stock."""

    path = "/supply"
    tags = ("stock",)

    @get("/", summary="List expected supply")
    async def list_supply(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        sku: FromQuery[str | None] = None,
        node: FromQuery[str | None] = None,
    ) -> Page[SupplyView]:
        """Expected supply by due date."""
        async with hub.database.connection() as connection:
            return await stock.list_supply(connection, request.user.merchant, cut, sku=sku, node=node)

    @put("/", summary="Write expected supply", opt={"many": True, NEEDS: Role.OPERATOR})
    async def put_supply(
        self, hub: Hub, request: ApiRequest, data: JSONBody[list[SupplyBody]]
    ) -> Response[Page[SupplyView]]:
        """One, or many as `{"items": [...]}`."""
        return await commit(hub, request, lambda tx: expect(tx, data, places(request)))


class StockSources(Controller):
    """Who reports figures, in which form, and what they have taken off already."""

    path = "/stock-sources"
    tags = ("stock",)

    @get("/", summary="List declared sources")
    async def list_sources(self, hub: Hub, request: ApiRequest, cut: Paged) -> Page[SourceView]:
        """Declared sources by name. What is not declared may report anything and takes off nothing."""
        async with hub.database.connection() as connection:
            return await stock.list_sources(connection, request.user.merchant, cut)

    @put("/", summary="Declare a source", opt={"many": True, NEEDS: Role.INTEGRATOR})
    async def put_sources(
        self, hub: Hub, request: ApiRequest, data: JSONBody[list[SourceBody]]
    ) -> Response[Page[SourceView]]:
        """One, or many as `{"items": [...]}`. What was reported before stays as it was understood."""

        async def work(tx: Work) -> Page[SourceView]:
            for body in data:
                await put_source(
                    tx.connection,
                    tx.merchant,
                    body.source,
                    [kind.value for kind in body.kinds],
                    body.subtracts,
                    body.largest_drop,
                )
            views = [
                SourceView(
                    source=body.source,
                    kinds=sorted({kind.value for kind in body.kinds}),
                    subtracts=body.subtracts,
                    largest_drop=body.largest_drop,
                )
                for body in data
            ]
            return Page(items=views, next=None)

        return await commit(hub, request, work)
