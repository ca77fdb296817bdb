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
  kpi_total(a.document -> 'sold') - kpi_total(a.document -> 'refunded') AS denominator
FROM kpi_order o CROSS JOIN LATERAL (
  SELECT jsonb_build_object('sold', coalesce(d.document -> 'edited', d.document -> 'amounts') -> 'shop',
    'refunded', d.document -> 'refunded' -> 'shop') AS document
  -- Read once: the text of an order is dearer to take apart than all the rest.
  FROM (SELECT o.document OFFSET 0) d OFFSET 0) a
CROSS JOIN LATERAL (
  SELECT sum((b.document::jsonb ->> 'amount')::bigint)::bigint AS paid, count(*) AS labels,
    bool_and(coalesce(b.document::jsonb ->> 'currency', 'USD') = o.currency) AS same
  FROM label b WHERE b.order_id = o.order_id AND b.voided_at IS NULL) l
WHERE l.labels > 0 AND l.same
""",
)

BOUGHT: Final = """
SELECT o.merchant, o.placed_at AS at, o.order_id, f.order_id || '-' || f.no AS ref, o.channel, n.code AS node,
  NULL::text AS item, NULL::text AS reason, f.purchase ->> 'stated_currency' AS currency,
  {numerator} AS numerator, {denominator} AS denominator
FROM kpi_order o JOIN fulfilment_order f ON f.order_id = o.order_id JOIN node n ON n.id = f.node_id
WHERE f.purchase ->> 'cost' IS NOT NULL
  AND EXISTS (SELECT 1 FROM slice s WHERE s.order_id = f.order_id AND s.fulfilment_no = f.no AND s.state <> 'cancelled')
"""

PURCHASE_COST: Final = Kpi(
    name="purchase_cost",
    title="Cost of purchase orders",
    definition="What suppliers said, when they acknowledged, that the units which they took on cost: without postage, "
    "in minor units of the supplier's currency. One row per purchase order that is still wanted or has left, on the "
    "day the order was placed; one with a line of unknown cost is left out.",
    unit="minor_units",
    good="low",
    by=("channel", "node", "currency", "day"),
    rows=BOUGHT.format(numerator="(f.purchase ->> 'cost')::bigint", denominator="1::bigint"),
)

SUPPLIER_MARGIN: Final = Kpi(
    name="supplier_margin",
    title="Margin of dropshipped goods",
    definition="What goods that a supplier took on are sold for, after discounts and without what the supplier said "
    "that they cost, of what they are sold for. Rows as of purchase_cost; those whose cost is in another currency than "
    "the order's, which nobody converts, are left out.",
    unit="share",
    good="high",
    by=("channel", "node", "currency", "day"),
    rows=BOUGHT.format(
        numerator="(f.purchase ->> 'value')::bigint - (f.purchase ->> 'cost')::bigint",
        denominator="(f.purchase ->> 'value')::bigint",
    )
    + "  AND f.purchase ->> 'stated_currency' = o.currency AND (f.purchase ->> 'value')::bigint > 0\n",
)

MONEY: Final = (COST_PER_ORDER, SHIPPING_SHARE, PURCHASE_COST, SUPPLIER_MARGIN)
