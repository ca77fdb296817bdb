"""Which item a channel's variant is, where the SKU does not say it."""

from collections.abc import Sequence

import msgspec

from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection


class SkuMapView(msgspec.Struct, frozen=True, kw_only=True):
    """One mapping."""

    account: str
    adapter: str
    external_variant: str
    item: int
    sku: str


async def list_sku_maps(
    connection: PooledConnection, merchant: str, cut: Cut, *, account: int | None, variant: str | None
) -> Page[SkuMapView]:
    """Mappings of a merchant by account and variant."""
    at_account, at_variant = cut.after(int, str)
    rows = await connection.fetch(
        "SELECT a.id, a.name, a.adapter, m.external_variant, m.item_id, i.sku FROM sku_map m "
        "JOIN account a ON a.id = m.account_id JOIN item i ON i.id = m.item_id WHERE a.merchant = $1 "
        "AND ($2::bigint IS NULL OR a.id = $2) AND ($3::text IS NULL OR m.external_variant = $3) "
        "AND ($4::bigint IS NULL OR (a.id, m.external_variant) > ($4, $5)) "
        "ORDER BY a.id, m.external_variant LIMIT $6",
        merchant,
        account,
        variant,
        at_account,
        at_variant,
        cut.limit + 1,
    )
    found = page(rows, cut, lambda row: (row["id"], row["external_variant"]))
    return Page(
        items=[
            SkuMapView(
                account=row["name"],
                adapter=row["adapter"],
                external_variant=row["external_variant"],
                item=row["item_id"],
                sku=row["sku"],
            )
            for row in found.items
        ],
        next=found.next,
    )


async def put_sku_maps(connection: PooledConnection, rows: Sequence[tuple[int, str, int | None]]) -> None:
    """Write mappings: (account, variant, item); an item of None takes the mapping away."""
    gone = [(account, variant) for account, variant, item in rows if item is None]
    kept = [(account, variant, item) for account, variant, item in rows if item is not None]
    if gone:
        await connection.execute(
            "DELETE FROM sku_map m USING unnest($1::bigint[], $2::text[]) AS u(account, variant) "
            "WHERE m.account_id = u.account AND m.external_variant = u.variant",
            *map(list, zip(*gone, strict=True)),
        )
    if kept:
        await connection.execute(
            "INSERT INTO sku_map (account_id, external_variant, item_id) "
            "SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS u(account, variant, item) ORDER BY 1, 2 "
            "ON CONFLICT (account_id, external_variant) DO UPDATE SET item_id = EXCLUDED.item_id",
            *map(list, zip(*kept, strict=True)),
        )


async def wake_variants(connection: PooledConnection, accounts: Sequence[int]) -> None:
    """Look again at every unresolved line of these accounts: one with a SKU waits under that, not under its variant."""
    await connection.execute(
        "UPDATE waiting w SET due_at = now() FROM customer_order o WHERE o.id = w.order_id AND w.queue = 'unresolved' "
        "AND o.account_id = ANY($1::bigint[])",
        list(accounts),
    )
