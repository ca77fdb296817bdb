"""Key figures of time: how soon, and whether when it was promised."""

from typing import Final

from hub.store.kpis.kpi import Kpi

ORDER_TO_NODE: Final = Kpi(
    name="order_to_node",
    title="Order to node",
    definition="Seconds from the placing of an order to the first fulfilment order of each of its delivery groups. One "
    "row per group, on the day of that fulfilment order.",
    unit="seconds",
    good="low",
    by=("channel", "node", "day"),
    rows="""
SELECT o.merchant, f.created_at AS at, o.order_id, f.group_key AS ref, o.channel, n.code AS node, NULL::text AS item,
  NULL::text AS reason, NULL::text AS currency,
  greatest(0, extract(epoch FROM f.created_at - o.placed_at))::bigint AS numerator, 1::bigint AS denominator
FROM kpi_order o JOIN fulfilment_order f ON f.order_id = o.order_id
JOIN node n ON n.id = f.node_id
WHERE NOT EXISTS (SELECT 1 FROM fulfilment_order b
  WHERE b.order_id = f.order_id AND b.group_key = f.group_key AND b.no < f.no)
""",
)

ORDER_TO_SHIP: Final = Kpi(
    name="order_to_ship",
    title="Order to ship",
    definition="Seconds from the placing of an order to each of its shipments, by the node's own clock. One row per "
    "shipment, on the day it left.",
    unit="seconds",
    good="low",
    by=("channel", "node", "day"),
    rows="""
SELECT o.merchant, s.shipped_at AS at, o.order_id, s.order_id || '-' || s.fulfilment_no || '/' || s.no AS ref,
  o.channel, n.code AS node, NULL::text AS item, NULL::text AS reason, NULL::text AS currency,
  greatest(0, extract(epoch FROM s.shipped_at - o.placed_at))::bigint AS numerator, 1::bigint AS denominator
FROM kpi_order o JOIN shipment s ON s.order_id = o.order_id
JOIN fulfilment_order f ON f.order_id = s.order_id AND f.no = s.fulfilment_no
JOIN node n ON n.id = f.node_id
""",
)

PROMISED: Final = """(
  SELECT g.key, g.promised, s.there, s.there AND t.delivered_at <= g.promised AS in_time
  FROM (
    SELECT coalesce(x ->> 'key', 'main') AS key, (x ->> 'deliver_by')::timestamptz AS promised
    FROM jsonb_array_elements(o.document -> 'groups') x
    WHERE x ->> 'deliver_by' IS NOT NULL AND coalesce(x ->> 'method', 'ship') IN ('ship', 'deliver')) g
  CROSS JOIN LATERAL (
    SELECT count(*) AS parts, coalesce(bool_and(p.state IN ('delivered', 'returned')), false) AS there
    FROM demand d JOIN slice p ON p.order_id = d.order_id AND p.demand_no = d.no AND p.state <> 'cancelled'
    WHERE d.order_id = o.order_id AND d.group_key = g.key AND d.managed_by = 'hub' AND d.ships) s
  CROSS JOIN LATERAL (
    SELECT max(c.status_at) FILTER (WHERE c.status = 'delivered') AS delivered_at,
      coalesce(bool_or(c.tracking IS NULL), false) AS untold
    FROM fulfilment_order f JOIN shipment h ON h.order_id = f.order_id AND h.fulfilment_no = f.no
    JOIN parcel c ON c.order_id = h.order_id AND c.shipment_no = h.no
    WHERE f.order_id = o.order_id AND f.group_key = g.key) t
  WHERE s.parts > 0 AND NOT t.untold AND (s.there OR g.promised < now()))"""
"""Delivery groups of an order `o` with a date for the customer, that are delivered or past it."""

ON_TIME: Final = Kpi(
    name="on_time",
    title="Delivered on time",
    definition="Delivery groups of which everything was delivered by the date that the customer was promised, of "
    "groups with such a date that are delivered or past it. Groups that are collected, and goods that left without "
    "a tracking number, of which nobody can know, are left out. One row per group, on the promised day.",
    unit="share",
    good="high",
    by=("channel", "reason", "day"),
    whole=("reason",),
    rows=f"""
SELECT o.merchant, g.promised AS at, o.order_id, g.key AS ref, o.channel, NULL::text AS node, NULL::text AS item,
  CASE WHEN NOT g.there THEN 'not delivered' WHEN NOT g.in_time THEN 'late' END AS reason,
  NULL::text AS currency, g.in_time::int::bigint AS numerator, 1::bigint AS denominator
FROM kpi_order o CROSS JOIN LATERAL {PROMISED} g
""",
)

ON_TIME_DISPATCH: Final = Kpi(
    name="on_time_dispatch",
    title="Shipped on time",
    definition="Fulfilment orders whose last goods left by their ship-by time, of those with such a time that have "
    "left or are past it. What the node refused or let go of is left out. One row per fulfilment order, on the day of "
    "its ship-by time.",
    unit="share",
    good="high",
    by=("node", "channel", "day"),
    rows="""
SELECT o.merchant, f.ship_by AS at, o.order_id, f.order_id || '-' || f.no AS ref, o.channel, n.code AS node,
  NULL::text AS item, NULL::text AS reason, NULL::text AS currency,
  (p.gone AND h.left_at <= f.ship_by)::int::bigint AS numerator, 1::bigint AS denominator
FROM kpi_order o JOIN fulfilment_order f ON f.order_id = o.order_id AND f.ship_by IS NOT NULL AND f.handoff <> 'refused'
JOIN node n ON n.id = f.node_id
CROSS JOIN LATERAL (
  SELECT count(*) AS parts, coalesce(bool_and(s.state IN ('shipped', 'delivered', 'returned')), false) AS gone
  FROM slice s WHERE s.order_id = f.order_id AND s.fulfilment_no = f.no AND s.state <> 'cancelled') p
CROSS JOIN LATERAL (
  SELECT max(s.shipped_at) AS left_at FROM shipment s WHERE s.order_id = f.order_id AND s.fulfilment_no = f.no) h
WHERE p.parts > 0 AND (p.gone OR f.ship_by < now())
""",
)

PERFECT_ORDER: Final = Kpi(
    name="perfect_order",
    title="Perfect orders",
    definition="Orders that were complete (nothing cancelled for want of goods), on time (no delivery group late; "
    "without a promise to the customer, no fulfilment order late at its node) and right (nothing came back as damaged, "
    "defective or wrong), of orders at rest of which we sent goods. The reason is the first that failed. One row per "
    "order, on the day it was placed.",
    unit="share",
    good="high",
    by=("channel", "reason", "day"),
    whole=("reason",),
    rows=f"""
SELECT o.merchant, o.placed_at AS at, o.order_id, o.order_id AS ref, o.channel, NULL::text AS node, NULL::text AS item,
  f.failed AS reason, NULL::text AS currency, (f.failed IS NULL)::int::bigint AS numerator, 1::bigint AS denominator
FROM kpi_order o
CROSS JOIN LATERAL (SELECT count(*) AS promised, bool_or(g.in_time IS NOT TRUE) AS late FROM {PROMISED} g) s
CROSS JOIN LATERAL (SELECT CASE
  WHEN EXISTS (SELECT 1 FROM slice p WHERE p.order_id = o.order_id AND p.state = 'cancelled'
    AND kpi_wanting(p.reason, o.cancel_reason)) THEN 'incomplete'
  WHEN s.late THEN 'late'
  WHEN s.promised = 0
    AND EXISTS (SELECT 1 FROM kpi_on_time_dispatch t WHERE t.order_id = o.order_id AND t.numerator = 0) THEN 'late'
  WHEN EXISTS (SELECT 1 FROM return_order r CROSS JOIN LATERAL jsonb_array_elements(r.document -> 'lines') x
    WHERE r.order_id = o.order_id AND lower(x ->> 'reason') IN ('damaged', 'defective', 'wrong_item')) THEN 'not right'
  END AS failed) f
WHERE o.state = 'closed' AND EXISTS (SELECT 1 FROM shipment s WHERE s.order_id = o.order_id AND s.fulfilment_no > 0)
""",
)

TIMES: Final = (ON_TIME, ON_TIME_DISPATCH, PERFECT_ORDER, ORDER_TO_NODE, ORDER_TO_SHIP)
