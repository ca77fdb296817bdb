"""Depths of queues, for /metrics."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from hub.store.database import PooledConnection


class Gauge(NamedTuple):
    """One sample."""

    name: str
    help: str
    labels: Mapping[str, str]
    value: int


INBOX: Final = (
    "SELECT lane, count(*) FILTER (WHERE NOT parked), count(*) FILTER (WHERE parked), "
    "coalesce(extract(epoch FROM now() - min(due_at) FILTER (WHERE NOT parked)), 0)::bigint FROM inbox GROUP BY lane"
)
OUTBOX: Final = (
    "SELECT connection_id, count(*) FILTER (WHERE NOT parked), count(*) FILTER (WHERE parked), "
    "coalesce(extract(epoch FROM now() - min(due_at) FILTER (WHERE NOT parked)), 0)::bigint "
    "FROM outbox GROUP BY connection_id"
)


async def read_gauges(connection: PooledConnection) -> list[Gauge]:
    """All gauges."""
    found: list[Gauge] = []
    for lane, queued, parked, age in await connection.fetch(INBOX + " ORDER BY 1"):
        labels = {"lane": lane}
        found += _queue("inbox", "inbound messages", labels, queued, parked, age)
    for link, queued, parked, age in await connection.fetch(OUTBOX + " ORDER BY 1"):
        found += _queue("outbox", "effects", {"connection": link}, queued, parked, age)
    sql = "SELECT queue, count(DISTINCT order_id) FROM waiting GROUP BY queue ORDER BY 1"
    found += [
        Gauge("crossdock_waiting_orders", "Orders in named waiting places", {"queue": q}, n)
        for q, n in await connection.fetch(sql)
    ]
    sql = "SELECT kind, count(*) FROM exception WHERE closed_at IS NULL GROUP BY kind ORDER BY 1"
    found += [
        Gauge("crossdock_exceptions_open", "Open exceptions", {"kind": k}, n) for k, n in await connection.fetch(sql)
    ]
    due = await connection.fetchval("SELECT count(*) FROM availability WHERE due_at IS NOT NULL")
    found.append(Gauge("crossdock_availability_due", "Levels that a channel has not been told yet", {}, due))
    return sorted(found, key=lambda gauge: (gauge.name, sorted(gauge.labels.items())))


def _queue(name: str, what: str, labels: Mapping[str, str], queued: int, parked: int, age: int) -> list[Gauge]:
    return [
        Gauge(f"crossdock_{name}_depth", f"Queued {what}", labels, queued),
        Gauge(f"crossdock_{name}_parked", f"Parked {what}, each waiting for a person", labels, parked),
        Gauge(f"crossdock_{name}_oldest_seconds", f"How long the oldest of the {what} is due", labels, max(0, age)),
    ]
