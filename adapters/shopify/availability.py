"""Telling Shopify what may be sold."""

from collections.abc import Iterable
from typing import Final

import msgspec

from adapters.shopify import documents, levels
from adapters.shopify.answers import UserError
from adapters.shopify.client import Shop, call
from adapters.shopify.levels import Entry, Failure
from hub.sdk.capabilities import AvailabilityUpdate
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, RetryLater

ROUNDS: Final = 6
"""A set with one bad entry sets nothing, so what is bad is taken out and the rest sent again, this many times."""


async def publish_availability(context: Shop, request: AvailabilityUpdate, /) -> Outcome:
    """Set `available` at each location, compare-and-set against what we last told.

    SKUs whose inventory item is not known are looked up and learned. What cannot be set is named by SKU; all the
    others are set.
    """
    own = context.settings.stock_locations
    ours = [level for level in request.levels if level.location not in own]
    items = levels.known_items(request)
    new, failures = await _look_up(context, [level.sku for level in ours if level.sku not in items])
    failures += levels.counted_there(request.levels, own)
    batch, version = levels.entries(ours, items | new), context.settings.api_version
    if levels.compares(version):
        untold = {place for place, entry in enumerate(batch) if entry.expected is None}
        batch = await _refreshed(context, batch, untold, ())
    for _ in range(ROUNDS):
        if not batch:
            return levels.told(failures) if failures else Done(learned=levels.learned(new))
        answer = await call(
            context,
            documents.SET_AVAILABLE,
            levels.set_request(batch, request.key, context.now(), version),
            "inventorySetQuantities",
            levels.SetAnswer,
        )
        if answer is not None and not answer.user_errors:
            batch = []
            continue
        stale, failed, rest = levels.sort_errors(answer or _EMPTY, batch)
        if rest or not (stale or failed):
            return _whole_call(rest)
        failures.extend(failed.values())
        batch = await _refreshed(context, batch, stale, failed.keys())
    return RetryLater(reason="availability: the levels at Shopify keep changing under our hands")


_EMPTY: Final = levels.SetAnswer(inventory_adjustment_group=None, user_errors=())


async def _look_up(context: Shop, skus: Iterable[str]) -> tuple[dict[str, str], list[Failure]]:
    missing = sorted(set(skus))
    if not missing:
        return {}, []
    variables = {"query": levels.variants_query(missing)}
    answer = await call(context, documents.VARIANTS, variables, "productVariants", levels.Variants)
    if answer is None:
        return {}, [Failure(sku, "variants cannot be read: grant read_products") for sku in missing]
    return levels.read_variants(answer, missing)


async def _refreshed(context: Shop, batch: list[Entry], stale: set[int], failed: Iterable[int]) -> list[Entry]:
    """The batch without its failures, with stale entries expecting what Shopify holds now."""
    dropped = set(failed)
    now: dict[tuple[str, str], int] = {}
    for location in {batch[place].location for place in stale}:
        ids = [batch[place].item for place in sorted(stale) if batch[place].location == location]
        variables = {"ids": ids, "location": location}
        answer = await call(context, documents.LEVELS, variables, "nodes", tuple[levels.ItemNow | None, ...])
        now.update({(item, location): quantity for item, quantity in levels.read_levels(answer or ()).items()})
    return [
        msgspec.structs.replace(entry, expected=now.get((entry.item, entry.location))) if place in stale else entry
        for place, entry in enumerate(batch)
        if place not in dropped
    ]


def _whole_call(errors: list[UserError]) -> Outcome:
    """What an error that names no entry means."""
    told = "; ".join(error.message for error in errors) or "no reason given"
    if errors and all(error.code in levels.IDEMPOTENCY for error in errors):
        return RetryLater(reason=f"availability: {told}")
    return NeedsPerson(
        reason=f"availability: Shopify set nothing: {told}",
        next_step="check the connection's api_version and the app's write_inventory scope",
    )
