"""Parcels that nobody has seen, that stand still, that could not be delivered or turned round, and labels that no
parcel carries: found by the clock.

One exception per parcel; for parcels that were never scanned one per day, node and carrier, for then a whole pallet was
not handed over. Each closes by itself when the parcel moves on, and one that a person closed is not opened again.
"""

from datetime import datetime, timedelta
from typing import Final

import asyncpg

from hub.flow.trouble import Trouble
from hub.store.database import PooledConnection
from hub.store.labels import label_of, price_of
from hub.store.troubles import leave, raise_troubles

UNSCANNED_AFTER: Final = timedelta(days=3)
"""After leaving, with nothing from the carrier. Only where a carrier was asked to follow the parcel."""
STUCK_AFTER: Final = timedelta(days=7)
"""After the last scan, on the way."""
LOST_AFTER: Final = timedelta(days=60)
"""After this long nothing is said any more of a parcel."""

NEXT_STEPS: Final = {
    "parcel_unscanned": "The carrier has not seen parcels that left days ago. Ask the node whether they were handed "
    "over, and the carrier whether it has them.",
    "parcel_stuck": "The carrier has not moved the parcel for days. Open a search at the carrier; send the goods again "
    "or refund them when it is lost.",
    "parcel_failed": "The carrier could not deliver. Correct the address or the appointment with the customer at the "
    "carrier, before it turns round.",
    "parcel_returned": "The parcel is on its way back. Agree with the customer on another delivery or a refund; its "
    "return is open already.",
    "label_unused": "A label was bought for {price} days ago, and nothing has left with it. Ship the goods with it; or "
    "cancel or unpack them, and it is voided; or, where they went with another label, have the carrier void it by hand "
    "within its window.",
}

UNUSED_AFTER: Final = timedelta(days=7)
"""After a label was bought, with no parcel that carries it. Carriers give money back for weeks, not for ever: 30 days
for USPS, 90 for UPS and FedEx by EasyPost's account of them."""

# A carrier's words about the same parcel are newer than its status when they say the same again.
TROUBLED: Final = """
WITH troubled AS (
  SELECT o.merchant, o.id AS order_id, o.external_id, NULL AS connection_id, 'label_unused' AS kind,
    (l.document::jsonb ->> 'carrier') || ': label ' || l.tracking || ' of ' || o.id || '-' || l.fulfilment_no AS cause,
    l.document
  FROM label l JOIN customer_order o ON o.id = l.order_id AND o.acting
  WHERE l.voided_at IS NULL AND l.bought_at < $1::timestamptz - $5::interval
    AND l.bought_at > $1::timestamptz - $4::interval
    AND NOT EXISTS (SELECT 1 FROM parcel p WHERE p.order_id = l.order_id AND p.tracking = l.tracking)
    AND NOT EXISTS (SELECT 1 FROM effect e WHERE e.order_id = l.order_id AND e.kind = 'VoidLabel'
      AND (e.document::jsonb ->> 'fulfilment')::int = l.fulfilment_no)
  UNION ALL
  SELECT o.merchant, o.id AS order_id, o.external_id, f.connection_id, u.kind,
    p.carrier || CASE WHEN u.kind = 'parcel_unscanned' THEN ' from ' || n.code || ', left on ' || (s.shipped_at AT TIME
      ZONE 'UTC')::date ELSE ': parcel ' || p.tracking END AS cause, NULL
  FROM parcel p
  JOIN shipment s ON s.order_id = p.order_id AND s.no = p.shipment_no
  JOIN fulfilment_order f ON f.order_id = s.order_id AND f.no = s.fulfilment_no
  JOIN node n ON n.id = f.node_id
  JOIN customer_order o ON o.id = p.order_id AND o.acting
  LEFT JOIN LATERAL (SELECT max(c.at) AS at FROM scan c WHERE c.merchant = o.merchant
    AND c.tracking = p.tracking) seen ON true
  CROSS JOIN LATERAL (SELECT CASE
    WHEN p.status = 'failed' THEN 'parcel_failed'
    WHEN p.status = 'return_to_sender' THEN 'parcel_returned'
    WHEN p.status IN ('pre_transit', 'unknown') THEN 'parcel_unscanned'
    ELSE 'parcel_stuck' END AS kind) u
  WHERE p.tracking IS NOT NULL AND p.carrier IS NOT NULL AND p.status NOT IN ('delivered', 'cancelled')
    AND s.shipped_at > $1::timestamptz - $4::interval
    AND (u.kind <> 'parcel_unscanned' OR (s.shipped_at < $1 - $2::interval AND EXISTS (
      SELECT 1 FROM effect e WHERE e.order_id = p.order_id AND e.kind = 'TrackParcels')))
    AND (u.kind <> 'parcel_stuck' OR GREATEST(p.status_at, seen.at) < $1 - $3::interval)
)
"""
TO_RAISE: Final = (
    TROUBLED + "SELECT * FROM troubled t WHERE NOT EXISTS (SELECT 1 FROM exception e WHERE e.merchant = t.merchant "
    "AND e.kind = t.kind AND e.cause = t.cause AND (e.closed_by IS DISTINCT FROM 'cause gone' AND e.closed_at IS NOT "
    "NULL OR e.closed_at IS NULL AND EXISTS (SELECT 1 FROM exception_waiter w WHERE w.exception_id = e.id "
    "AND w.what = 'order' AND w.ref = t.order_id))) ORDER BY t.order_id, t.cause LIMIT 500"
)
TO_LEAVE: Final = (
    TROUBLED + "SELECT e.id, w.ref FROM exception e JOIN exception_waiter w ON w.exception_id = e.id "
    "AND w.what = 'order' WHERE e.closed_at IS NULL AND e.kind = ANY($6::text[]) AND NOT EXISTS (SELECT 1 FROM "
    "troubled t WHERE t.merchant = e.merchant AND t.kind = e.kind AND t.cause = e.cause AND t.order_id = w.ref) "
    "ORDER BY e.merchant, e.kind, e.cause FOR UPDATE OF e SKIP LOCKED"
)


async def watch_parcels(connection: PooledConnection, now: datetime) -> int:
    """Raise what became of parcels lately, close what is over; returns how many were raised. In one transaction."""
    ages = (now, UNSCANNED_AFTER, STUCK_AFTER, LOST_AFTER, UNUSED_AFTER)
    rows = await connection.fetch(TO_RAISE, *ages)
    await raise_troubles(connection, [(row["merchant"], row["order_id"], _trouble(row)) for row in rows], now)
    await leave(connection, "order", await connection.fetch(TO_LEAVE, *ages, sorted(NEXT_STEPS)))
    return len(rows)


def _trouble(row: asyncpg.Record) -> Trouble:
    return Trouble(
        kind=row["kind"],
        cause=row["cause"],
        next_step=_next_step(row),
        connection=row["connection_id"],
        external_id=row["external_id"],
        waiter=("order", row["order_id"]),
    )


def _next_step(row: asyncpg.Record) -> str:
    step = NEXT_STEPS[row["kind"]]
    return step if row["document"] is None else step.format(price=price_of(label_of(row["document"])))
