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
CREATE FUNCTION kpi_wanting(reason text, cancel_reason text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(reason IN ('short', 'refused', 'displaced'), false)
    OR cancel_reason IN ('inventory', 'out_of_stock', 'no_stock', 'shortage', 'noinventory', 'backorder_expired')
$$;

-- The stated sum of a view of amounts, as the domain adds it up.
CREATE FUNCTION kpi_total(amounts jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(sum(coalesce((amounts ->> p.name)::bigint, 0) * p.sign), 0)::bigint
  FROM (VALUES ('subtotal', 1), ('discount', -1), ('shipping', 1), ('duties', 1), ('fees', 1), ('tip', 1),
    ('rounding', 1), ('tax', CASE WHEN coalesce((amounts ->> 'tax_included')::boolean, false) THEN 0 ELSE 1 END))
    AS p (name, sign)
$$;
"""

VIEWS: Final = ORDERS + "".join(
    f"CREATE VIEW {kpi.view} AS\n{kpi.rows.strip()};\n\n"
    for kpi in sorted(KPIS.values(), key=lambda kpi: kpi.name == "perfect_order")
)
"""Statements that make every view; the perfect order is made of others and comes last."""
