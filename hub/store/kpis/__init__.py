"""Key figures: every definition once, as a view of the rows that it counts. A figure is sum / sum over those rows.

Each view has the same columns: merchant, at (which period the row belongs to), order_id, ref (what the row is: a line,
a fulfilment order, a group, ...), channel, node, item, reason, currency, numerator, denominator. So whoever doubts a
figure reads the very rows it was added up from. Test orders, and orders that were only recorded, are in none of them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hub.store.kpis.goods import GOODS
from hub.store.kpis.kpi import COLUMNS, DIMENSIONS, Kpi
from hub.store.kpis.money import MONEY
from hub.store.kpis.times import TIMES

__all__ = ["COLUMNS", "DIMENSIONS", "KPIS", "VIEWS", "Kpi"]

KPIS: Final[Mapping[str, Kpi]] = MappingProxyType({kpi.name: kpi for kpi in (*GOODS, *TIMES, *MONEY)})

ORDERS: Final = """
CREATE VIEW kpi_order AS
SELECT o.id AS order_id, o.merchant, o.account_id, o.state, o.placed_at, o.currency, a.name AS channel,
  r.document::jsonb AS document,
  lower(coalesce(r.document::jsonb ->> 'cancel_reason', 'amended')) AS cancel_reason
FROM customer_order o JOIN account a ON a.id = o.account_id
JOIN order_revision r ON r.order_id = o.id AND r.no = o.revision
WHERE o.acting AND NOT o.test;

-- A unit that was cancelled because no node had it, not because nobody wanted it.
CREATE FUNCTION kpi_wanting(reason text, cancel_reason text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(reason IN ('short', 'refused', 'displaced'), false)
    OR cancel_reason IN ('inventory', 'out_of_stock', 'no_stock', 'shortage', 'noinventory', 'backorder_expired')
$$;

-- The stated sum of a view of amounts, as the domain adds it up.
CREATE FUNCTION kpi_total(amounts jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(t.subtotal, 0) - coalesce(t.discount, 0) + coalesce(t.shipping, 0) + coalesce(t.duties, 0)
    + coalesce(t.fees, 0) + coalesce(t.tip, 0) + coalesce(t.rounding, 0)
    + CASE WHEN coalesce(t.tax_included, false) THEN 0 ELSE coalesce(t.tax, 0) END
  FROM jsonb_to_record(CASE jsonb_typeof(amounts) WHEN 'object' THEN amounts ELSE '{}' END) AS t (subtotal bigint,
    discount bigint, shipping bigint, duties bigint, fees bigint, tip bigint, rounding bigint, tax bigint,
    tax_included boolean)
$$;
"""

VIEWS: Final = ORDERS + "".join(
    f"CREATE VIEW {kpi.view} AS\n{kpi.rows.strip()};\n\n"
    for kpi in sorted(KPIS.values(), key=lambda kpi: kpi.name == "perfect_order")
)
"""Statements that make every view; the perfect order is made of others and comes last."""
