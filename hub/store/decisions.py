"""A stretch of stored decisions with what else happened meanwhile, and the policies that they name."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
import structlog

from hub.routing.counterfactual import Emptied, Freed
from hub.routing.model import Policy
from hub.routing.policy import PolicyError, load_policy
from hub.routing.record import Recorded
from hub.store.database import PooledConnection

log = structlog.get_logger(__name__)

# Where a return goes is decided by its own rules, not by a routing policy.
# Without a beginning the newest are meant: order ids rise with time, so they are read off the end of the key.
NEWEST: Final = (
    "SELECT d.order_id, d.no, d.at, d.policy FROM decision d JOIN customer_order o ON o.id = d.order_id "
    "WHERE o.merchant = $1 AND ($3::timestamptz IS NULL OR d.at < $3) AND ($4::text IS NULL OR o.connection_id = $4) "
    "AND ($2::timestamptz IS NULL) AND d.policy NOT LIKE 'returns:%' ORDER BY d.order_id DESC, d.no DESC LIMIT $5"
)
SINCE: Final = (
    "SELECT d.order_id, d.no, d.at, d.policy FROM decision d JOIN customer_order o ON o.id = d.order_id "
    "WHERE o.merchant = $1 AND d.at >= $2 AND ($3::timestamptz IS NULL OR d.at < $3) "
    "AND ($4::text IS NULL OR o.connection_id = $4) AND d.policy NOT LIKE 'returns:%' "
    "ORDER BY d.at, d.order_id, d.no LIMIT $5"
)
ROWS: Final = (
    "SELECT d.order_id, d.no, d.group_key, d.at, d.policy, d.engine, d.input, d.document FROM decision d "
    "JOIN unnest($1::text[], $2::smallint[]) AS u(order_id, no) ON d.order_id = u.order_id AND d.no = u.no "
    "ORDER BY d.at, d.order_id, d.no"
)
# A revision ends what it cancels; which of several it was, slices do not tell. The last one is taken.
FREED: Final = (
    "SELECT (SELECT max(r.at) FROM order_revision r WHERE r.order_id = s.order_id) AS at, s.order_id, s.demand_no, "
    "sum(s.quantity)::bigint AS units FROM slice s WHERE s.order_id = ANY($1::text[]) AND s.state = 'cancelled' "
    "GROUP BY s.order_id, s.demand_no ORDER BY 1, 2, 3"
)
EMPTIED: Final = (
    "SELECT learned_at AS at, node_id, item_id FROM stock_ledger WHERE merchant = $1 AND reason = 'short' "
    "AND learned_at >= $2 AND learned_at <= $3 ORDER BY id"
)
POLICIES: Final = (
    "SELECT version, text FROM shipped_policy WHERE version = ANY($2::text[]) UNION ALL "
    "SELECT version, text FROM policy WHERE merchant = $1 AND kind = 'routing' AND version = ANY($2::text[])"
)
KEEP_SHIPPED: Final = "INSERT INTO shipped_policy (version, text) VALUES ($1, $2) ON CONFLICT DO NOTHING"


class Key(NamedTuple):
    """Which decision, and when."""

    order: str
    no: int
    at: datetime
    policy: str


async def stretch(
    connection: PooledConnection,
    merchant: str,
    *,
    limit: int,
    since: datetime | None = None,
    until: datetime | None = None,
    link: str | None = None,
) -> list[Key]:
    """Decisions of a merchant in the order of time: the first from `since` on, or the newest without it."""
    sql = NEWEST if since is None else SINCE
    rows = await connection.fetch(sql, merchant, since, until, link, limit)
    return sorted((Key(*row) for row in rows), key=lambda key: (key.at, key.order, key.no))


async def recorded(connection: PooledConnection, keys: Sequence[Key]) -> list[Recorded]:
    """Stored decisions, in the order of time."""
    rows = await connection.fetch(ROWS, [key.order for key in keys], [key.no for key in keys])
    return [Recorded(*row) for row in rows]


async def meanwhile(connection: PooledConnection, merchant: str, keys: Sequence[Key]) -> list[Freed | Emptied]:
    """What no policy decides but another one would have felt elsewhere: cancelled units, nodes found empty."""
    if not keys:
        return []
    orders = sorted({key.order for key in keys})
    freed = [Freed(*row) for row in await connection.fetch(FREED, orders)]
    emptied = await connection.fetch(EMPTIED, merchant, keys[0].at, keys[-1].at)
    return sorted([*freed, *(Emptied(*row) for row in emptied)], key=lambda event: event.at)


async def keep_shipped(connection: PooledConnection, version: str, text: str) -> None:
    """Keep the text of the shipped policy: a later release may bring another, and what this one decided is replayed."""
    await connection.execute(KEEP_SHIPPED, version, text)


async def policies_of(
    connection: PooledConnection, merchant: str, versions: Iterable[str], shipped: Policy
) -> dict[str, Policy]:
    """These versions of a merchant's routing policies, as far as they can be read; shipped ones under their own."""
    rows = await connection.fetch(POLICIES, merchant, sorted(set(versions)))
    return load_policies({row["version"]: row["text"] for row in rows}, shipped)


def load_policies(texts: Mapping[str, str], shipped: Policy) -> dict[str, Policy]:
    """Policies from their texts. One that an older release took and this one does not is left out, and said so."""
    found = {shipped.version: shipped}
    for version, text in texts.items():
        try:
            found[version] = msgspec.structs.replace(load_policy(text), version=version)
        except PolicyError as error:
            log.warning("policy.unreadable", version=version, reason=str(error))
    return found
