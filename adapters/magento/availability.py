"""Telling the store what may be sold: quantities of source items, absolute."""

from collections.abc import Iterable, Sequence
from typing import Final

from adapters.magento import queries, schemas
from adapters.magento.client import Store, decoder, listed
from adapters.magento.settings import Settings
from adapters.magento.sources import SKUS_PER_CALL, set_items
from hub.sdk.capabilities import AvailabilityUpdate, Level
from hub.sdk.outcomes import Done, NeedsPerson, Outcome

BATCH: Final = 100
FIELDS: Final = "items[id,sku,type_id],total_count"

COMPOSITE: Final = frozenset({"configurable", "bundle", "grouped"})
"""Types that have no stock of their own; the store refuses source items for them."""

Failure = tuple[str, str]
"""SKU, and why its level was not set."""

_products: Final = decoder(schemas.Listed[schemas.Product])


async def publish_availability(context: Store, request: AvailabilityUpdate, /) -> Outcome:
    """Set the quantity of each (SKU, source).

    The store takes a source item of a SKU that it does not have and says nothing: what was never told before is
    looked up first. Calls are all or nothing, so the levels of a refused call are set one by one, and those that
    cannot be set are named.
    """
    failures = await _unknown(context, [level.sku for level in request.levels if level.previous is None])
    named = {sku for sku, _ in failures}
    good = [level for level in request.levels if level.sku not in named]
    size = context.settings.items_per_call
    for start in range(0, len(good), size):
        part = good[start : start + size]
        message = await _set(context, part)
        if message is None:
            continue
        if len(part) == 1:
            failures.append((part[0].sku, f"{part[0].location}: {message}"))
            continue
        for level in part:
            message = await _set(context, [level])
            if message is not None:
                failures.append((level.sku, f"{level.location}: {message}"))
    return told(failures) if failures else Done()


async def _unknown(context: Store, skus: Iterable[str]) -> list[Failure]:
    """SKUs that the store does not have, or whose products have no stock. It compares SKUs without regard to case."""
    wanted = sorted(set(skus))
    kinds: dict[str, str | None] = {}
    for start in range(0, len(wanted), SKUS_PER_CALL):
        groups = (queries.any_of("sku", wanted[start : start + SKUS_PER_CALL]),)
        for product in await listed(context, "/products", groups, _products, fields=FIELDS):
            kinds[product.sku.casefold()] = product.type_id
    failures = []
    for sku in wanted:
        if sku.casefold() not in kinds:
            failures.append((sku, "the store has no such product"))
        elif kinds[sku.casefold()] in COMPOSITE:
            failures.append((sku, f"a {kinds[sku.casefold()]} product has no stock of its own"))
    return failures


async def _set(context: Store, levels: Sequence[Level]) -> str | None:
    return await set_items(context, source_items(levels, context.settings))


def source_items(levels: Sequence[Level], settings: Settings) -> list[dict[str, object]]:
    """Items of `POST /inventory/source-items`. Without `status` one would be out of stock at any quantity."""
    return [
        {
            "sku": level.sku,
            "source_code": level.location,
            "quantity": level.quantity,
            "status": int(level.quantity > 0 or not settings.zero_is_out_of_stock),
        }
        for level in levels
    ]


def told(failures: Sequence[Failure]) -> NeedsPerson:
    """What a person must know; all other levels are set."""
    text = "; ".join(f"{sku}: {why}" for sku, why in sorted(failures))
    return NeedsPerson(
        reason=f"availability not set for {text}",
        next_step="correct the SKU or the stock point's source code, or create the product or source at the store",
    )
