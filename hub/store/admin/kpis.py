"""Key figures read: sums over the rows of their views, and the rows themselves."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import asyncpg
import msgspec

from hub.store.admin.errors import Fault, Invalid, Missing
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection
from hub.store.kpis import COLUMNS, KPIS, Kpi
from hub.store.kpis.kpi import Dimension

LARGEST: Final = 1000
"""Parts that a figure is split into at most; the largest by what they are shares of."""

PLACES: Final = Decimal("0.000001")


class KpiView(msgspec.Struct, frozen=True, kw_only=True):
    """What a key figure is."""

    name: str
    title: str
    definition: str
    unit: str
    good: str
    """Which way is better: high or low."""
    by: list[str]
    """What it may be split by."""


class PartView(msgspec.Struct, frozen=True, kw_only=True):
    """A figure over some of its rows. An empty key stands for rows that name none."""

    key: str
    value: Decimal | None
    """Numerator by denominator, to six places; null where there is nothing to divide by."""
    numerator: int
    denominator: int
    rows: int


class FigureView(msgspec.Struct, frozen=True, kw_only=True):
    """A key figure over a period."""

    name: str
    title: str
    definition: str
    unit: str
    since: datetime | None
    until: datetime | None
    value: Decimal | None
    numerator: int
    denominator: int
    rows: int
    by: str | None
    parts: list[PartView]


class KpiRow(msgspec.Struct, frozen=True, kw_only=True):
    """One of the rows that a figure is the sum of."""

    order: str
    ref: str
    """What of the order: a line, a delivery group, a fulfilment order, a shipment, a return."""
    at: datetime
    channel: str | None
    node: str | None
    item: str | None
    reason: str | None
    currency: str | None
    numerator: int
    denominator: int


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """From a time on, and before another."""

    since: datetime | None = None
    until: datetime | None = None


def find_kpi(name: str) -> Kpi:
    """A key figure by its name; raises `Missing`."""
    found = KPIS.get(name)
    if found is None:
        raise Missing(f"no key figure {name!r}; there are {', '.join(sorted(KPIS))}")
    return found


def describe(kpi: Kpi) -> KpiView:
    """What a key figure is."""
    return KpiView(
        name=kpi.name, title=kpi.title, definition=kpi.definition, unit=kpi.unit, good=kpi.good, by=list(kpi.by)
    )


WHERE: Final = "WHERE merchant = $1 AND ($2::timestamptz IS NULL OR at >= $2) AND ($3::timestamptz IS NULL OR at < $3) "
SUMS: Final = "coalesce(sum(numerator), 0)::bigint, coalesce(sum(denominator), 0)::bigint, count(*)"
OVER_ALL: Final = (
    "(sum(sum(numerator)) OVER ())::bigint, (sum(sum(denominator)) OVER ())::bigint, (sum(count(*)) OVER ())::bigint"
)
"""The same of all parts, also of those beyond the largest."""


async def read_kpi(
    connection: PooledConnection, merchant: str, kpi: Kpi, period: Period, by: Dimension | None
) -> FigureView:
    """A figure over a period, split if asked. Raises `Invalid` for a split that it does not have."""
    if by is not None and by not in kpi.by:
        raise Invalid([Fault(f"{kpi.name} is split by {', '.join(kpi.by)}", parameter="by")])
    asked = (merchant, period.since, period.until)
    found, parts = f"FROM {kpi.view} {WHERE}", []
    numerator = denominator = counted = 0
    if by is None:
        numerator, denominator, counted = (await connection.fetch(f"SELECT {SUMS} {found}", *asked))[0]
    else:
        key = "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD')" if by == "day" else f"coalesce({by}, '')"
        rows = await connection.fetch(
            f"SELECT {key}, {SUMS}, {OVER_ALL} {found} GROUP BY 1 ORDER BY 3 DESC, 2 DESC, 1 LIMIT {LARGEST}", *asked
        )
        parts = [_part(row, kpi, row[5] if by in kpi.whole else None) for row in rows]
        if rows:
            numerator, denominator, counted = rows[0][4:]
    return FigureView(
        name=kpi.name,
        title=kpi.title,
        definition=kpi.definition,
        unit=kpi.unit,
        since=period.since,
        until=period.until,
        value=_value(numerator, denominator, kpi),
        numerator=numerator,
        denominator=denominator,
        rows=counted,
        by=by,
        parts=sorted(parts, key=lambda part: part.key) if by == "day" else parts,
    )


def _part(row: asyncpg.Record, kpi: Kpi, whole: int | None) -> PartView:
    denominator = row[2] if whole is None else whole
    return PartView(
        key=row[0],
        value=_value(row[1], denominator, kpi),
        numerator=row[1],
        denominator=denominator,
        rows=row[3],
    )


def _value(numerator: int, denominator: int, kpi: Kpi) -> Decimal | None:
    if denominator == 0:
        return None
    return (Decimal(numerator) / (denominator * kpi.scale)).quantize(PLACES)


async def list_rows(
    connection: PooledConnection,
    merchant: str,
    kpi: Kpi,
    period: Period,
    cut: Cut,
    *,
    by: Dimension | None,
    key: str | None,
    only_counted: bool,
) -> Page[KpiRow]:
    """The rows behind a figure, or behind one part of it, the newest first. Raises `Invalid` as `read_kpi`."""
    if by is not None and by not in kpi.by:
        raise Invalid([Fault(f"{kpi.name} is split by {', '.join(kpi.by)}", parameter="by")])
    if (by is None) != (key is None):
        raise Invalid([Fault("`by` and `key` go together", parameter="by")])
    at, order, ref = cut.after(datetime, str, str)
    column = "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD')" if by == "day" else f"coalesce({by}, '')"
    rows = await connection.fetch(
        f"SELECT * FROM {kpi.view} {WHERE} AND ($4::timestamptz IS NULL OR (at, order_id, ref) < ($4, $5, $6)) "
        f"AND ($7::text IS NULL OR {column if by else 'NULL'} = $7) AND (NOT $8 OR numerator > 0) "
        "ORDER BY at DESC, order_id DESC, ref DESC LIMIT $9",
        merchant,
        period.since,
        period.until,
        at,
        order,
        ref,
        key,
        only_counted,
        cut.limit + 1,
    )
    return page([_row(row) for row in rows], cut, lambda row: (row.at, row.order, row.ref))


def _row(row: asyncpg.Record) -> KpiRow:
    named: dict[str, Any] = {key: row[key] for key in COLUMNS if key not in ("merchant", "order_id")}
    return KpiRow(order=row["order_id"], **named)
