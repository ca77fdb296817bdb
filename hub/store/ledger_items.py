"""Items as ledgers tell of them: read under lock, made, changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from hub.domain.item import Particulars
from hub.flow.ledger_ports import KnownItem, ToldItems
from hub.store.admin.mending import mend_connections, mend_items
from hub.store.database import PooledConnection

# Of an item that is not counted the open orders are found by their lines: no balance holds their units.
HELD: Final = (
    "EXISTS (SELECT 1 FROM stock s WHERE s.item_id = i.id AND (s.sellable, s.pinned, s.safety, "
    "s.damaged, s.quarantine, s.in_transit) <> (0, 0, 0, 0, 0, 0)) "
    "OR EXISTS (SELECT 1 FROM item_promise p WHERE p.item_id = i.id "
    "AND (p.unpinned, p.backordered, p.soft) <> (0, 0, 0)) "
    "OR EXISTS (SELECT 1 FROM supply e WHERE e.item_id = i.id) "
    "OR EXISTS (SELECT 1 FROM allowance a WHERE a.item_id = i.id) "
    "OR EXISTS (SELECT 1 FROM item_component c WHERE c.component_id = i.id) "
    "OR (i.stock_mode <> 'tracked' AND EXISTS (SELECT 1 FROM demand d JOIN customer_order o ON o.id = d.order_id "
    "WHERE d.sku = i.sku AND d.item_id = i.id AND o.state IN ('captured', 'open')))"
)
"""Whether anything is counted in the base unit of an item `i`."""
COUNTED: Final = "i.safety > 0 OR " + HELD
KNOWN: Final = (
    "SELECT i.sku, i.weight_g, i.document, EXISTS (SELECT 1 FROM item_component c WHERE c.item_id = i.id) AS kit, "
    "CASE WHEN u.unit <> coalesce(i.document ->> 'base_unit', 'each') THEN " + COUNTED + " ELSE false END AS counted, "
    "(i.told ->> $2)::timestamptz AS told_at FROM unnest($3::text[], $4::text[]) AS u(sku, unit) "
    "JOIN item i ON i.merchant = $1 AND i.sku = u.sku ORDER BY i.sku FOR NO KEY UPDATE OF i"
)
MAKE: Final = (
    "INSERT INTO item (merchant, sku, weight_g, document, updated_at) SELECT $1, u.sku, u.weight_g, u.document::jsonb, "
    "$5 FROM unnest($2::text[], $3::int[], $4::text[]) AS u(sku, weight_g, document) ORDER BY u.sku RETURNING id, sku"
)
CHANGE: Final = (
    "UPDATE item i SET weight_g = u.weight_g, document = i.document || u.document::jsonb, updated_at = $5 "
    "FROM unnest($2::text[], $3::int[], $4::text[]) AS u(sku, weight_g, document) "
    "WHERE i.merchant = $1 AND i.sku = u.sku RETURNING i.id, i.sku"
)
HEARD: Final = (
    "UPDATE item i SET told = i.told || jsonb_build_object($2::text, u.at) FROM unnest($3::text[], $4::timestamptz[]) "
    "AS u(sku, at) WHERE i.merchant = $1 AND i.sku = u.sku AND coalesce((i.told ->> $2)::timestamptz < u.at, true)"
)
WHO: Final = "the ledger"

_particulars = msgspec.json.Decoder(Particulars)


async def known_items(
    connection: PooledConnection, merchant: str, ledger: str, units: Mapping[str, str | None]
) -> dict[str, KnownItem]:
    """See `LedgerUnit.known_items`."""
    rows = await connection.fetch(KNOWN, merchant, ledger, list(units), list(units.values()))
    return {
        row["sku"]: KnownItem(
            msgspec.structs.replace(_particulars.decode(row["document"]), weight_g=row["weight_g"]),
            row["kit"],
            row["counted"],
            row["told_at"],
        )
        for row in rows
    }


async def put_told(
    connection: PooledConnection, merchant: str, ledger: str, told: ToldItems, now: datetime
) -> list[tuple[int, str]]:
    """Make and change items, and close what asked for them; (id, SKU) of each. Nothing else of an item is touched."""
    done: list[tuple[int, str]] = []
    for sql, items in ((MAKE, told.made), (CHANGE, told.changed)):
        if items:
            weights = [one.weight_g for one in items.values()]
            rows = await connection.fetch(sql, merchant, list(items), weights, _documents(list(items.values())), now)
            done += [(row["id"], row["sku"]) for row in rows]
    await connection.execute(HEARD, merchant, ledger, list(told.heard), list(told.heard.values()))
    await mend_connections(connection, merchant, "item_malformed", list(told.heard), who=WHO, now=now)
    if done:
        await mend_items(connection, merchant, done, who=WHO, now=now)
    return done


def _documents(items: Sequence[Particulars]) -> list[str]:
    """What of an item stands in its document; the weight has a column of its own."""
    found = []
    for item in items:
        fields = msgspec.structs.asdict(item)
        del fields["weight_g"]
        found.append(msgspec.json.encode(fields).decode())
    return found
