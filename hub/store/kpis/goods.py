"""Key figures of goods: were they there, did they go out whole, did they come back."""

from typing import Final

from hub.store.kpis.kpi import Kpi

LEFT: Final = "('shipped', 'delivered', 'collected', 'returned')"

FILL_RATE: Final = Kpi(
    name="fill_rate",
    title="Fill rate",
    definition="Units that left a node, of the units that left or were cancelled for want of goods, on orders that are "
    "at rest. Units that were cancelled because nobody wanted them any more are in neither. One row per line and item "
    "that the hub manages, on the day the order was placed.",
    unit="share",
    good="high",
    by=("channel", "item", "day"),
    rows=f"""
SELECT o.merchant, o.placed_at AS at, o.order_id, d.line AS ref, o.channel, NULL::text AS node,
  coalesce(i.sku, d.sku) AS item, NULL::text AS reason, NULL::text AS currency,
  s.filled AS numerator, s.filled + s.wanting AS denominator
FROM kpi_order o JOIN demand d ON d.order_id = o.order_id AND d.managed_by = 'hub' AND d.ships
LEFT JOIN item i ON i.id = d.item_id
CROSS JOIN LATERAL (
  SELECT coalesce(sum(p.quantity) FILTER (WHERE p.state IN {LEFT}), 0)::bigint AS filled,
    coalesce(sum(p.quantity) FILTER (WHERE p.state = 'cancelled' AND kpi_wanting(p.reason, o.cancel_reason)), 0)::bigint
      AS wanting
  FROM slice p WHERE p.order_id = d.order_id AND p.demand_no = d.no) s
WHERE o.state IN ('closed', 'cancelled') AND s.filled + s.wanting > 0
""",
)

OVERSELL: Final = Kpi(
    name="oversell",
    title="Oversell",
    definition="Units sold that were not there: they wait in the shortage queue now, or were cancelled for want of "
    "goods; of all units that the hub manages. What an allowance lets a channel sell ahead waits on supply and is not "
    "oversold. One row per line and item, on the day the order was placed.",
    unit="share",
    good="low",
    by=("channel", "item", "day"),
    rows="""
SELECT o.merchant, o.placed_at AS at, o.order_id, d.line AS ref, o.channel, NULL::text AS node,
  coalesce(i.sku, d.sku) AS item, NULL::text AS reason, NULL::text AS currency,
  s.waiting + s.wanting AS numerator, s.units AS denominator
FROM kpi_order o JOIN demand d ON d.order_id = o.order_id AND d.managed_by = 'hub' AND d.ships
LEFT JOIN item i ON i.id = d.item_id
LEFT JOIN waiting w ON w.order_id = d.order_id AND w.demand_no = d.no AND w.queue = 'shortage'
CROSS JOIN LATERAL (
  SELECT coalesce(sum(p.quantity) FILTER (WHERE p.state = 'unallocated' AND w.order_id IS NOT NULL), 0)::bigint
      AS waiting,
    coalesce(sum(p.quantity) FILTER (WHERE p.state = 'cancelled' AND kpi_wanting(p.reason, o.cancel_reason)), 0)::bigint
      AS wanting,
    coalesce(sum(p.quantity), 0)::bigint AS units
  FROM slice p WHERE p.order_id = d.order_id AND p.demand_no = d.no) s
WHERE s.units > 0
""",
)

SPLIT_RATE: Final = Kpi(
    name="split_rate",
    title="Split rate",
    definition="Delivery groups whose goods left in more than one fulfilment order, of groups of which goods have "
    "left. One row per group, on the day the order was placed.",
    unit="share",
    good="low",
    rows="""
SELECT o.merchant, o.placed_at AS at, o.order_id, g.group_key AS ref, o.channel, NULL::text AS node, NULL::text AS item,
  NULL::text AS reason, NULL::text AS currency, (g.parts > 1)::int::bigint AS numerator, 1::bigint AS denominator
FROM kpi_order o CROSS JOIN LATERAL (
  SELECT f.group_key, count(DISTINCT f.no) AS parts FROM fulfilment_order f
  JOIN shipment s ON s.order_id = f.order_id AND s.fulfilment_no = f.no
  WHERE f.order_id = o.order_id GROUP BY f.group_key) g
""",
)

REFUSAL_RATE: Final = Kpi(
    name="refusal_rate",
    title="Refusal rate",
    definition="Fulfilment orders that their node refused, of those that it was told of. One row per fulfilment order, "
    "on the day it was made.",
    unit="share",
    good="low",
    by=("node", "channel", "day"),
    rows="""
SELECT o.merchant, f.created_at AS at, o.order_id, f.order_id || '-' || f.no AS ref, o.channel, n.code AS node,
  NULL::text AS item, NULL::text AS reason, NULL::text AS currency,
  (f.handoff = 'refused')::int::bigint AS numerator, 1::bigint AS denominator
FROM kpi_order o JOIN fulfilment_order f ON f.order_id = o.order_id AND f.handoff <> 'unsent'
JOIN node n ON n.id = f.node_id
""",
)

CANCEL_RATE: Final = Kpi(
    name="cancel_rate",
    title="Cancelled units",
    definition="Units cancelled, of all units ordered. The reason is the channel's or the person's own word for the "
    "order, 'amended' where none was given; split by it, the shares add up to the figure. One row per line, item and "
    "what became of it, on the day the order was placed.",
    unit="share",
    good="low",
    by=("reason", "channel", "item", "day"),
    whole=("reason",),
    rows="""
SELECT o.merchant, o.placed_at AS at, o.order_id, d.line AS ref, o.channel, NULL::text AS node,
  coalesce(i.sku, d.sku) AS item, CASE WHEN p.cancelled THEN o.cancel_reason END AS reason, NULL::text AS currency,
  CASE WHEN p.cancelled THEN p.units ELSE 0 END AS numerator, p.units AS denominator
FROM kpi_order o JOIN demand d ON d.order_id = o.order_id
LEFT JOIN item i ON i.id = d.item_id
CROSS JOIN LATERAL (
  SELECT s.state = 'cancelled' AS cancelled, sum(s.quantity)::bigint AS units
  FROM slice s WHERE s.order_id = d.order_id AND s.demand_no = d.no GROUP BY 1) p
""",
)

RETURN_RATE: Final = Kpi(
    name="return_rate",
    title="Return rate",
    definition="Sold units that came back, of sold units that left. Units that are only announced do not count yet. "
    "Split by reason, the shares add up to the figure. Rows of lines that left and rows of lines that came back, all "
    "on the day the order was placed.",
    unit="share",
    good="low",
    by=("item", "reason", "channel", "day"),
    whole=("reason",),
    rows=f"""
SELECT o.merchant, o.placed_at AS at, o.order_id, l.line AS ref, o.channel, NULL::text AS node,
  l.sku AS item, NULL::text AS reason, NULL::text AS currency, 0::bigint AS numerator,
  l.units AS denominator
FROM kpi_order o CROSS JOIN LATERAL (
  SELECT d.line, min(d.sku) AS sku, min(gone.units / d.per_unit) AS units
  FROM demand d CROSS JOIN LATERAL (SELECT coalesce(sum(p.quantity), 0)::bigint AS units FROM slice p
    WHERE p.order_id = d.order_id AND p.demand_no = d.no AND p.state IN {LEFT}) gone
  WHERE d.order_id = o.order_id GROUP BY d.line) l
WHERE l.units > 0
UNION ALL
SELECT o.merchant, o.placed_at, o.order_id, r.id, o.channel, n.code,
  coalesce(s.sku, x ->> 'line'), lower(x ->> 'reason'), NULL, (x ->> 'received')::bigint, 0
FROM return_order r JOIN kpi_order o ON o.order_id = r.order_id
CROSS JOIN LATERAL jsonb_array_elements(r.document -> 'lines') x
LEFT JOIN node n ON n.id = r.node_id
CROSS JOIN LATERAL (SELECT min(d.sku) AS sku FROM demand d
  WHERE d.order_id = o.order_id AND d.line = x ->> 'line') s
WHERE (x ->> 'received')::bigint > 0
""",
)

GOODS: Final = (FILL_RATE, OVERSELL, SPLIT_RATE, REFUSAL_RATE, CANCEL_RATE, RETURN_RATE)
