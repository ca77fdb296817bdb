"""Key figures of money: what it cost to bring the goods."""

from typing import Final

from hub.store.kpis.kpi import Kpi

COST_PER_ORDER: Final = Kpi(
    name="cost_per_order",
    title="Cost per order",
    definition="What routing reckoned that an order costs to fulfil: the sum over its delivery groups of their latest "
    "decision's cost, in the currency of the policy, whose version is the reason. One row per order and policy, on the "
    "day the order was placed.",
    unit="minor_units",
    good="low",
    by=("channel", "reason", "day"),
    scale=1000,
    rows="""
SELECT o.merchant, o.placed_at AS at, o.order_id, o.order_id AS ref, o.channel, NULL::text AS node, NULL::text AS item,
  c.policy AS reason, NULL::text AS currency, c.cost AS numerator, 1::bigint AS denominator
FROM kpi_order o CROSS JOIN LATERAL (
  SELECT l.policy, sum(l.cost)::bigint AS cost FROM (
    SELECT DISTINCT ON (d.group_key) d.policy, d.cost FROM decision d WHERE d.order_id = o.order_id
    ORDER BY d.group_key, d.no DESC) l GROUP BY l.policy) c
""",
)

SHIPPING_SHARE: Final = Kpi(
    name="shipping_share",
    title="Shipping as share of revenue",
    definition="Postage that was paid for an order's labels, of the order's total without what was given back. Labels "
    "that were voided do not count; orders without a label, and labels in another currency than the order's, which "
    "nobody converts, are left out. One row per order, on the day it was placed.",
    unit="share",
    good="low",
    by=("channel", "currency", "day"),
    rows="""
SELECT o.merchant, o.placed_at AS at, o.order_id, o.order_id AS ref, o.channel, NULL::text AS node, NULL::text AS item,
  NULL::text AS reason, o.currency, l.paid AS numerator,
  kpi_total(coalesce(o.document -> 'edited', o.document -> 'amounts') -> 'shop')
    - kpi_total(o.document -> 'refunded' -> 'shop') AS denominator
FROM kpi_order o CROSS JOIN LATERAL (
  SELECT sum((b.document::jsonb ->> 'amount')::bigint)::bigint AS paid, count(*) AS labels,
    bool_and(coalesce(b.document::jsonb ->> 'currency', 'USD') = o.currency) AS same
  FROM label b WHERE b.order_id = o.order_id AND b.voided_at IS NULL) l
WHERE l.labels > 0 AND l.same
""",
)

MONEY: Final = (COST_PER_ORDER, SHIPPING_SHARE)
