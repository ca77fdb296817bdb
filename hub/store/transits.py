"""Parcels that arrived, counted by lane and days: what promises learn from."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from hub.promise.lanes import Delivered, Lanes, Went
from hub.promise.offer import Offer
from hub.store.database import PooledConnection

# Sorted: two batches that count the same lanes wait for each other instead of each holding what the other wants.
COUNT: Final = (
    "INSERT INTO transit AS t (merchant, node_id, country, service, shipped_on, delivered_on, carrier, "
    "carrier_service, parcels) SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::date[], "
    "$6::date[], $7::text[], $8::text[], $9::int[]) AS u(merchant, node_id, country, service, shipped_on, "
    "delivered_on, carrier, carrier_service, parcels) ORDER BY merchant, node_id, country, service, shipped_on, "
    "delivered_on, carrier, carrier_service ON CONFLICT (merchant, node_id, country, service, shipped_on, "
    "delivered_on, carrier, carrier_service) DO UPDATE SET parcels = t.parcels + EXCLUDED.parcels"
)
WENT: Final = (
    "SELECT node_id, country, service, shipped_on, delivered_on, sum(parcels)::int AS parcels FROM transit "
    "WHERE merchant = $1 AND delivered_on >= $2 GROUP BY 1, 2, 3, 4, 5"
)


async def count(connection: PooledConnection, delivered: Sequence[Delivered]) -> None:
    """Count parcels that arrived; in the transaction that first hears of it."""
    if not delivered:
        return
    counted = Counter((one.merchant, *one.went[:5], one.carrier, one.carrier_service) for one in delivered)
    await connection.execute(COUNT, *zip(*((*key, units) for key, units in sorted(counted.items())), strict=True))


async def lanes(connection: PooledConnection, merchant: str, offer: Offer, now: datetime) -> Lanes:
    """What a merchant's past parcels say to its promise rules."""
    since = (now - timedelta(days=offer.history.days)).date()
    return offer.lanes([Went(*row) for row in await connection.fetch(WENT, merchant, since)])
