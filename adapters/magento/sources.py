"""Source items: what the store believes to lie at each of its places."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from adapters.magento import answers, queries, schemas
from adapters.magento.client import Store, decoder, listed, post

SKUS_PER_CALL: Final = 20
"""Every SKU is a filter of its own in the URL, which servers cut at 8 kB."""

_items: Final = decoder(schemas.Listed[schemas.SourceItem])


async def set_items(context: Store, items: Sequence[Mapping[str, object]]) -> str | None:
    """Set source items in one call, all or none; the store's message when it refuses. Raises `Interrupted`.

    Absolute: whoever is unsure of the answer tells it again.
    """
    what = "POST /inventory/source-items"
    answer = await post(context, "/inventory/source-items", what, {"sourceItems": items})
    if answer.status in (400, 404):
        return answers.told(answer.body) or f"refused with {answer.status}"
    answers.read(answer, answers.NOTHING, what, context.now(), write=True)
    return None


async def restored(context: Store, source: str, needed: Mapping[str, int]) -> bool:
    """Raise a source to what is known to have left from it; False where the store takes no quantity for it.

    The store takes its own open orders off what it sells, and the source's quantity only when they ship. Where it was
    told a quantity from which these orders were off already, or another order's shipment took what this one was raised
    to, it has too few to ship them (magento/inventory#2725).
    """
    short = await lacking(context, source, needed)
    rows = [{"sku": sku, "source_code": source, "quantity": units, "status": 1} for sku, units in short.items()]
    size = context.settings.items_per_call
    for start in range(0, len(rows), size):
        if await set_items(context, rows[start : start + size]) is not None:
            return False
    return True


async def lacking(context: Store, source: str, needed: Mapping[str, int]) -> dict[str, int]:
    """Of what is needed, the SKUs of which a source has fewer."""
    held = await quantities(context, source, sorted(needed))
    return {sku: units for sku, units in needed.items() if held.get(sku, Decimal(0)) < units}


async def quantities(context: Store, source: str, skus: Sequence[str]) -> dict[str, Decimal]:
    """What a source has by SKU, as far as it has items for them."""
    found: dict[str, Decimal] = {}
    here = (queries.Filter("source_code", "eq", source),)
    for start in range(0, len(skus), SKUS_PER_CALL):
        part = skus[start : start + SKUS_PER_CALL]
        by_fold = {sku.casefold(): sku for sku in part}
        groups = (here, queries.any_of("sku", part))
        for item in await listed(context, "/inventory/source-items", groups, _items, sort=queries.BY_SKU):
            found[by_fold.get(item.sku.casefold(), item.sku)] = item.quantity
    return found
