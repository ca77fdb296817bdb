"""What others say against what we say: figures to compare, drifts found, and what is done about them."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec
from litestar import Controller, Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from hub.domain.stock import ReportKind
from hub.flow.stock_levels import report_stock
from hub.flow.stock_ports import Figure, StockReport
from hub.store import reconcile
from hub.store.admin import reconciliation
from hub.store.admin.errors import Conflict, Fault, Invalid, pointer
from hub.store.admin.nodes import node_ids
from hub.store.admin.paging import Page
from hub.store.admin.reconciliation import DriftView, ReportView
from hub.store.admin.tokens import Role
from hub.web.api.stock import SKEW
from hub.web.auth import NEEDS
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class FigureBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody has of an item, in its base unit."""

    sku: Text
    quantity: Annotated[int, msgspec.Meta(ge=-1_000_000_000, le=1_000_000_000)]
    node: Text | None = None
    """Where; every node together when neither this nor a stock point is named."""
    stock_point: Annotated[int, msgspec.Meta(ge=1, le=1 << 53)] | None = None


class FiguresBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Figures to compare with ours. They never change a balance."""

    source: Text
    party: Literal["channel", "node", "erp"]
    as_of: Aware
    lines: Annotated[list[FigureBody], msgspec.Meta(min_length=1, max_length=50_000)]


class FiguresView(msgspec.Struct, frozen=True, kw_only=True):
    """How many figures were taken."""

    figures: int


class OutcomeView(msgspec.Struct, frozen=True, kw_only=True):
    """What a reconciliation came to."""

    compared: int
    found: int
    repaired: int
    raised: int


class RepairBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do: the drift's own action when left out.

    `retell` tells the channel again; `pull_status` asks the node what has left; `take_over` counts their figure as of
    their moment; `dismiss` leaves both as they are.
    """

    action: Literal["retell", "pull_status", "take_over", "dismiss"] | None = None


async def compare(tx: Work, data: FiguresBody) -> FiguresView:
    """Keep figures for comparison."""
    codes = await node_ids(tx.connection, sorted({line.node for line in data.lines if line.node}))
    items = await tx.unit.stock_items(tx.merchant, {line.sku for line in data.lines})
    points = await tx.connection.fetch(
        "SELECT p.id FROM stock_point p JOIN account a ON a.id = p.account_id "
        "WHERE a.merchant = $1 AND p.id = ANY($2::bigint[])",
        tx.merchant,
        [line.stock_point for line in data.lines if line.stock_point],
    )
    known = {row["id"] for row in points}
    faults = [] if data.as_of <= tx.now + SKEW else [Fault("lies in the future", "/as_of")]
    for n, line in enumerate(data.lines):
        if line.sku not in items:
            faults.append(Fault(f"no item {line.sku!r}", pointer("lines", n, "sku")))
        elif items[line.sku].kit and line.stock_point is None:
            faults.append(Fault("is a kit, which has no shelf of its own", pointer("lines", n, "sku")))
        if line.node is not None and line.node not in codes:
            faults.append(Fault(f"no node {line.node!r}", pointer("lines", n, "node")))
        if line.stock_point is not None and line.stock_point not in known:
            faults.append(Fault(f"no stock point {line.stock_point}", pointer("lines", n, "stock_point")))
        if (data.party == "channel") != (line.stock_point is not None):
            faults.append(Fault("channels are compared at stock points, others at nodes", pointer("lines", n)))
    if faults:
        raise Invalid(faults)
    figures = [
        Figure(
            data.party,
            data.source,
            items[line.sku].id,
            codes[line.node] if line.node else 0,
            line.stock_point or 0,
            line.quantity,
            min(data.as_of, tx.now),
            f"api:{tx.who}",
        )
        for line in data.lines
    ]
    await tx.unit.keep_figures(tx.merchant, figures)
    tx.ring("reconcile")
    return FiguresView(figures=len(figures))


async def repair(tx: Work, id: str, body: RepairBody) -> DriftView:
    """Do something about a drift; doing it again changes nothing more."""
    row = await reconciliation.open_drift(tx.connection, tx.merchant, id)
    action = body.action or row["action"]
    if action in ("wait", "ask", "rebuild", "taken_over"):
        raise Conflict("say-what", f"Nothing can be done by itself ({action}); say take_over or dismiss")
    if (action == "retell") != (row["party"] == "channel") and action != "dismiss":
        raise Conflict("does-not-apply", f"{action} is nothing for a drift of party {row['party']}")
    if action == "take_over":
        await _take_over(tx, row["id"], row["item_id"], row["node_id"], row["theirs"], row["as_of"], row["source"])
    elif action != "dismiss":
        await reconcile.act(
            tx.connection,
            tx.merchant,
            action,
            row["item_id"],
            row["node_id"],
            row["stock_point_id"],
            row["theirs"],
        )
    over = action in ("take_over", "dismiss")
    state = "dismissed" if action == "dismiss" else "repaired"
    await tx.connection.execute(reconcile.STATE, row["id"], state, tx.now if over else None)
    await reconcile.close(tx.connection, [row["id"]])
    tx.ring("availability", "pull", "waiting")
    return await reconciliation.read_drift(tx.connection, tx.merchant, id)


async def _take_over(tx: Work, id: int, item: int, node: int, theirs: int, as_of: datetime, source: str) -> None:
    if not node:
        raise Conflict("does-not-apply", "Their figure is of all nodes together; count the nodes")
    if theirs < 0:
        raise Conflict("does-not-apply", "Less than nothing cannot be on a shelf; have it counted")
    told = StockReport(ReportKind.COUNT.value, item, node, theirs, as_of, source, f"drift:{id}")
    await report_stock(tx.unit, tx.merchant, [told], await tx.batch())


class Reconciliation(Controller):
    """Hub, channels, nodes and books, compared."""

    path = "/reconciliation"
    tags = ("stock",)

    @get("/", summary="List drifts")
    async def list_drifts(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        party: FromQuery[str | None] = None,
        kind: Annotated[str | None, QueryParameter(name="class")] = None,
        wanted: Annotated[str | None, QueryParameter(name="state")] = None,
        sku: FromQuery[str | None] = None,
    ) -> Page[DriftView]:
        """Drifts, the newest first; `state` is open, closed, or a drift's own state."""
        async with hub.database.connection() as connection:
            return await reconciliation.list_drifts(
                connection, request.user.merchant, cut, party=party, kind=kind, state=wanted, sku=sku
            )

    @get("/report", summary="What the comparisons came to")
    async def report(
        self, hub: Hub, request: ApiRequest, days: Annotated[int, QueryParameter(ge=1, le=365)] = 7
    ) -> ReportView:
        """Drifts of the last days by party, class and state; and the newest runs."""
        async with hub.database.connection() as connection:
            return await reconciliation.report(connection, request.user.merchant, hub.clock() - timedelta(days=days))

    @put("/figures", summary="State figures to compare", opt={NEEDS: Role.OPERATOR})
    async def put_figures(self, hub: Hub, request: ApiRequest, data: JSONBody[FiguresBody]) -> Response[FiguresView]:
        """What a channel, a node or the books say they have. Compared at once; never believed."""
        return await commit(hub, request, lambda tx: compare(tx, data))

    @post("/run", summary="Compare now", status_code=200, opt={NEEDS: Role.OPERATOR})
    async def run(self, hub: Hub, request: ApiRequest) -> Response[OutcomeView]:
        """Compare everything that is due, our own books included."""

        async def work(tx: Work) -> OutcomeView:
            done = await reconcile.reconcile(tx.connection, tx.now, own=True)
            if done is None:
                raise Conflict("under-way", "Another comparison is under way; look at the report in a moment")
            tx.ring("availability", "pull")
            return OutcomeView(compared=done.compared, found=done.found, repaired=done.repaired, raised=done.raised)

        return await commit(hub, request, work)

    @get("/{id:str}", summary="Read a drift")
    async def get_drift(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> DriftView:
        """One drift."""
        async with hub.database.connection() as connection:
            return await reconciliation.read_drift(connection, request.user.merchant, id)

    @post("/{id:str}/repair", summary="Repair a drift", status_code=200, opt={NEEDS: Role.OPERATOR})
    async def repair(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[RepairBody]
    ) -> Response[DriftView]:
        """Do its action, or another one; doing it again changes nothing more."""
        return await commit(hub, request, lambda tx: repair(tx, id, data))
