"""Is the process up, can it serve, and how full are the queues."""

import asyncio
from collections.abc import Iterable
from typing import Final

import asyncpg
import msgspec
from litestar import MediaType, Response, get

from hub.store.admin.gauges import Gauge, read_gauges
from hub.store.database import FAULTS, is_weather
from hub.web.services import Hub

READY_SECONDS: Final = 2.0


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How it is."""

    status: str
    detail: str | None = None


@get("/livez", summary="Is the process up", tags=["health"])
async def livez() -> Health:
    """Always ok: that it answers is the answer."""
    return Health(status="ok")


@get("/readyz", summary="Can it serve", tags=["health"])
async def readyz(hub: Hub) -> Response[Health]:
    """200 when the database answers and has the schema that this code expects, else 503."""
    try:
        async with asyncio.timeout(READY_SECONDS), hub.database.connection() as connection:
            revision = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        revision = None
    except (*FAULTS, RuntimeError) as error:
        return _not_ready(f"the database cannot be reached: {type(error).__name__}")
    if revision != hub.schema_revision:
        return _not_ready(f"the schema is at {revision}, not {hub.schema_revision}: run `crossdock db upgrade`")
    return Response(Health(status="ok"))


def _not_ready(detail: str) -> Response[Health]:
    return Response(Health(status="unavailable", detail=detail), status_code=503, headers={"Retry-After": "1"})


@get("/metrics", summary="Gauges for Prometheus", media_type=MediaType.TEXT, tags=["health"])
async def metrics(hub: Hub) -> Response[str]:
    """Depth of every queue, in Prometheus' text format. Counts only, nobody's data."""
    try:
        async with asyncio.timeout(READY_SECONDS), hub.database.connection() as connection:
            gauges = await read_gauges(connection)
        up = 1
    except Exception as error:
        if not isinstance(error, TimeoutError) and not is_weather(error):
            raise
        gauges, up = [], 0
    text = exposition([Gauge("crossdock_database_up", "Whether the database answers", {}, up), *gauges])
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def exposition(gauges: Iterable[Gauge]) -> str:
    """Prometheus text: HELP and TYPE once per name."""
    lines: list[str] = []
    told: set[str] = set()
    for gauge in gauges:
        if gauge.name not in told:
            told.add(gauge.name)
            lines += [f"# HELP {gauge.name} {gauge.help}", f"# TYPE {gauge.name} gauge"]
        labels = ",".join(f'{name}="{_escape(value)}"' for name, value in sorted(gauge.labels.items()))
        lines.append(f"{gauge.name}{{{labels}}} {gauge.value}" if labels else f"{gauge.name} {gauge.value}")
    return "\n".join(lines) + "\n"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
