"""Key figures, each with its definition and the rows that it is the sum of."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.params import FromPath, FromQuery, QueryParameter

from hub.store.admin.errors import Fault, Invalid
from hub.store.admin.kpis import FigureView, KpiRow, KpiView, Period, describe, find_kpi, list_rows, read_kpi
from hub.store.admin.paging import Page
from hub.store.kpis import KPIS
from hub.store.kpis.kpi import Dimension
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub

Aware = Annotated[datetime, msgspec.Meta(tz=True)]
Since = Annotated[Aware | None, QueryParameter(name="from")]
Until = Annotated[Aware | None, QueryParameter(name="to")]


def period(since: datetime | None, until: datetime | None) -> Period:
    """A period; raises `Invalid` when it ends before it begins, or is told without a time zone."""
    for name, moment in (("from", since), ("to", until)):
        if moment is not None and moment.tzinfo is None:
            raise Invalid([Fault("needs a time zone, as in 2026-03-01T00:00:00Z", parameter=name)])
    if since is not None and until is not None and until <= since:
        raise Invalid([Fault("is not after `from`", parameter="to")])
    return Period(since=since, until=until)


class Kpis(Controller):
    """Key figures."""

    path = "/kpis"
    tags = ("kpis",)

    @get("/", summary="List key figures")
    async def list_kpis(self) -> Page[KpiView]:
        """Every figure with its definition."""
        return Page(items=[describe(kpi) for kpi in KPIS.values()], next=None)

    @get("/{name:str}", summary="Read a key figure")
    async def read(
        self,
        hub: Hub,
        request: ApiRequest,
        name: FromPath[str],
        since: Since = None,
        until: Until = None,
        by: FromQuery[Dimension | None] = None,
    ) -> FigureView:
        """Its value over a period, with numerator and denominator, and split by what its definition allows."""
        kpi, asked = find_kpi(name), period(since, until)
        async with hub.database.connection() as connection:
            return await read_kpi(connection, request.user.merchant, kpi, asked, by)

    @get("/{name:str}/rows", summary="Read what a figure is made of")
    async def rows(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        name: FromPath[str],
        since: Since = None,
        until: Until = None,
        by: FromQuery[Dimension | None] = None,
        key: FromQuery[str | None] = None,
        counted: FromQuery[bool] = False,
    ) -> Page[KpiRow]:
        """The orders behind it, the newest first: of one part with `by` and `key`, only those with something in the
        numerator with `counted`."""
        kpi, asked = find_kpi(name), period(since, until)
        async with hub.database.connection() as connection:
            return await list_rows(
                connection, request.user.merchant, kpi, asked, cut, by=by, key=key, only_counted=counted
            )
