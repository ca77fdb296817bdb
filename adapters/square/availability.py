"""Telling Square what may be sold: physical counts, with the time at which they were true."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from adapters.square import answers, schemas
from adapters.square.client import stamp
from adapters.square.documents import Seller, decoder, post
from adapters.square.updates import idempotency_key
from hub.sdk.capabilities import AvailabilityUpdate, Level
from hub.sdk.outcomes import Done, Interrupted, Learned, NeedsPerson, Outcome
from hub.sdk.wire import Response

BATCH: Final = 100
"""Changes per call, Square's own limit."""
ROUNDS: Final = 4
"""A call with one bad change sets nothing, so what is bad is taken out and the rest sent again, this many times."""

VARIATION: Final = "variation"
_PLACE: Final = re.compile(r"changes\[(\d+)\]")

_catalog: Final = decoder(schemas.Catalog)
_counts: Final = decoder(schemas.Counts)


class Failure(msgspec.Struct, frozen=True):
    """Why the level of a SKU could not be set."""

    sku: str
    reason: str


async def publish_availability(context: Seller, request: AvailabilityUpdate, /) -> Outcome:
    """Count each item at its location. What cannot be counted is named by SKU; all the others are set.

    The count is stamped with the time before anything is asked: what a till sells after it comes off by itself. A
    variation that was learned and is gone (sellers make items anew) is looked up once more.
    """
    at = context.now()
    known = learned_before(request)
    ours, theirs = apart(request.levels, context.settings.stock_locations)
    new, failures = await _look_up(context, [level.sku for level in ours if level.sku not in known])
    failures += theirs
    items, batch = known | new, [level for level in ours if level.sku in known | new]
    for _ in range(ROUNDS):
        if not batch:
            break
        bad = await _count(context, changes_request(batch, items, request.key, at))
        if not bad:
            break
        stale = sorted({batch[place].sku for place in bad} & known.keys() - new.keys())
        again, gone = await _look_up(context, stale)
        new, items = new | again, items | again
        lost = {failure.sku for failure in gone}
        for place in sorted(bad, reverse=True):
            level = batch[place]
            if level.sku in again and level.sku in stale:
                continue
            del batch[place]
            if level.sku not in lost:
                failures.append(Failure(level.sku, bad[place]))
        failures.extend(gone)
    else:
        failures.extend(Failure(level.sku, "refused again and again") for level in batch)
    return told(failures) if failures else Done(learned=learned(new))


def apart(levels: Sequence[Level], counted: Sequence[str]) -> tuple[list[Level], list[Failure]]:
    """Levels that may be told, and a failure for each that would change a count which is believed. Pure."""
    said = "Square counts location {}: stock_locations or a stock point that sells, not both"
    failures = [Failure(level.sku, said.format(level.location)) for level in levels if level.location in counted]
    return [level for level in levels if level.location not in counted], failures


def learned_before(request: AvailabilityUpdate) -> dict[str, str]:
    """Variations learned before, by SKU."""
    found = {level.sku: request.references.get(f"{VARIATION}:{level.sku}") for level in request.levels}
    return {sku: item for sku, item in found.items() if item is not None}


def learned(items: Mapping[str, str]) -> tuple[Learned, ...]:
    """Variations to keep."""
    return tuple(Learned(kind=VARIATION, ours=sku, theirs=item) for sku, item in sorted(items.items()))


async def _look_up(context: Seller, skus: Iterable[str]) -> tuple[dict[str, str], list[Failure]]:
    missing = sorted(set(skus))
    if not missing:
        return {}, []
    objects: list[schemas.CatalogObject] = []
    body = skus_request(missing)
    while True:
        answer = await post(context, "/v2/catalog/search", "POST /v2/catalog/search", body)
        page = answers.read(answer, _catalog, "catalogue search", context.now())
        objects.extend(page.objects)
        if not page.cursor:
            return read_skus(objects, missing)
        body = {**body, "cursor": page.cursor}


def skus_request(skus: Sequence[str]) -> dict[str, object]:
    """Body of SearchCatalogObjects. Pure."""
    query = {"set_query": {"attribute_name": "sku", "attribute_values": list(skus)}}
    return {"object_types": ["ITEM_VARIATION"], "query": query, "limit": 1000}


def read_skus(
    objects: Iterable[schemas.CatalogObject], skus: Sequence[str]
) -> tuple[dict[str, str], list[Failure]]:  # fmt: skip
    """Variations by SKU, and a failure per SKU that none or several carry. Pure."""
    found: dict[str, set[str]] = {sku: set() for sku in skus}
    for one in objects:
        sku = one.item_variation_data.sku if one.item_variation_data else None
        if sku in found and not one.is_deleted:
            found[sku].add(one.id)
    unique = {sku: next(iter(ids)) for sku, ids in found.items() if len(ids) == 1}
    failures = [
        Failure(sku, f"{len(ids)} variations carry this SKU" if ids else "no variation carries this SKU")
        for sku, ids in found.items()
        if len(ids) != 1
    ]
    return unique, failures


def changes_request(levels: Sequence[Level], items: Mapping[str, str], key: str, at: datetime) -> dict[str, object]:
    """Body of BatchCreateInventoryChanges. Pure.

    The idempotency key belongs to this call alone: the same numbers told again later are a new count.
    """
    changes = [
        {
            "type": "PHYSICAL_COUNT",
            "physical_count": {
                "reference_id": key[:255],
                "catalog_object_id": items[level.sku],
                "state": "IN_STOCK",
                "location_id": level.location,
                "quantity": str(level.quantity),
                "occurred_at": stamp(at),
            },
        }
        for level in levels
    ]
    return {"idempotency_key": idempotency_key(key, changes), "changes": changes, "ignore_unchanged_counts": True}


async def _count(context: Seller, body: dict[str, object]) -> dict[int, str]:
    """Send it; reasons by place for what was refused, in which case nothing at all was set."""
    path = "/v2/inventory/changes/batch-create"
    answer = await post(context, path, f"POST {path}", body, write=True)
    if answers.good(answer):
        answers.read(answer, _counts, "availability", context.now(), write=True)
        return {}
    bad = refused_places(answer)
    if not bad or answer.status in (401, 403, 429) or answer.status >= 500:
        raise Interrupted(answers.refusal(answer, "availability", context.now(), write=True))
    return bad


def refused_places(answer: Response) -> dict[int, str]:
    """Reasons by index of the change that an error's field names. Pure."""
    found = {}
    for fault in answers.faults(answer.body):
        place = _PLACE.search(fault.field or "")
        if place:
            found[int(place[1])] = fault.detail or fault.code
    return found


def told(failures: Iterable[Failure]) -> NeedsPerson:
    """The SKUs that could not be set; all others were."""
    words = "; ".join(f"{failure.sku}: {failure.reason}" for failure in failures)
    return NeedsPerson(
        reason=f"availability was not set for {words}",
        next_step="correct the SKU, or the locations it is stocked at, in the Square Dashboard, or unmap it; all "
        "others are set",
    )
