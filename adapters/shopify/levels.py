"""What is said about availability, and what the answers mean. Pure.

`available` is what may still be sold: Shopify has taken its own open orders off already. The hub's number has all open
orders off as well, Shopify's among them, so it is set as it is and nothing is added back.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from adapters.shopify.answers import UserError
from adapters.shopify.operation import IDEMPOTENT_FROM
from adapters.shopify.orders import PageInfo, Ref, Shape
from hub.sdk.capabilities import AvailabilityUpdate, Level
from hub.sdk.outcomes import Learned, NeedsPerson

BATCH: Final = 100
"""Levels per call. Shopify takes 250 entries; SKUs are looked up by one search of this many terms."""


class Variant(Shape, frozen=True):
    """A variant that carries a SKU."""

    sku: str | None
    inventory_item: Ref


class Variants(Shape, frozen=True):
    """Answer of `documents.VARIANTS`."""

    nodes: tuple[Variant, ...]
    page_info: PageInfo


class Quantity(Shape, frozen=True):
    """A named quantity."""

    name: str
    quantity: int


class LevelNow(Shape, frozen=True):
    """An item at a location."""

    quantities: tuple[Quantity, ...]


class ItemNow(Shape, frozen=True):
    """What Shopify holds of an item at one location; empty for an id that is no inventory item."""

    id: str | None = None
    inventory_level: LevelNow | None = None


class Group(Shape, frozen=True):
    """What a set left in the books."""

    id: str


class SetAnswer(Shape, frozen=True):
    """Answer of inventorySetQuantities. With any error nothing at all was set."""

    inventory_adjustment_group: Group | None
    user_errors: tuple[UserError, ...]


class Entry(msgspec.Struct, frozen=True):
    """One level on its way. `expected` is what Shopify should still hold; None overwrites whatever it is."""

    sku: str
    item: str
    location: str
    quantity: int
    expected: int | None


class Failure(msgspec.Struct, frozen=True):
    """Why the level of a SKU could not be set."""

    sku: str
    reason: str


def counted_there(levels: Iterable[Level], stock_locations: Iterable[str]) -> list[Failure]:
    """Levels of locations whose shelves Shopify counts itself: set, they would change the count that we believe, and
    come back to us as news."""
    own = set(stock_locations)
    return [
        Failure(level.sku, f"Shopify counts location {level.location}: stock_locations or stock point, not both")
        for level in levels
        if level.location in own
    ]


def known_items(request: AvailabilityUpdate) -> dict[str, str]:
    """Inventory item ids learned before, by SKU."""
    found = {level.sku: request.references.get(f"inventory:{level.sku}") for level in request.levels}
    return {sku: item for sku, item in found.items() if item is not None}


def variants_query(skus: Iterable[str]) -> str:
    """Search term for SKUs. Search is by token and finds more than asked; `read_variants` keeps exact matches."""
    quoted = (sku.replace("\\", "\\\\").replace('"', '\\"') for sku in skus)
    return " OR ".join(f'sku:"{sku}"' for sku in quoted)


def read_variants(answer: Variants, skus: Iterable[str]) -> tuple[dict[str, str], list[Failure]]:
    """Inventory items by SKU, and a failure per SKU that no variant or more than one item carries."""
    items: dict[str, set[str]] = {sku: set() for sku in skus}
    for variant in answer.nodes:
        if variant.sku in items:
            items[variant.sku].add(variant.inventory_item.id)
    unique = {sku: next(iter(ids)) for sku, ids in items.items() if len(ids) == 1}
    failures = [
        Failure(sku, "no variant carries this SKU" if not ids else f"{len(ids)} variants carry this SKU")
        for sku, ids in items.items()
        if len(ids) != 1
    ]
    return unique, failures


def entries(levels: Iterable[Level], items: Mapping[str, str]) -> list[Entry]:
    """Entries for the levels whose item is known; of two for one item and location, which Shopify refuses, the last."""
    found = {
        (level.sku, level.location): Entry(
            level.sku, items[level.sku], location_gid(level.location), level.quantity, level.previous
        )
        for level in levels
        if level.sku in items
    }
    return list(found.values())


def set_request(batch: Iterable[Entry], key: str, at: datetime, version: str) -> dict[str, object]:
    """Variables of `documents.SET_AVAILABLE`: from 2026-04 on `changeFromQuantity` is present in every entry, null
    where nothing is compared; before it is `compareQuantity`, which has to be a number.

    The idempotency key, which Shopify demands, belongs to this call alone. A level is a state: were the same numbers
    to come back under the same key, Shopify would answer from memory and set nothing, though others were set between.
    """
    quantities = [
        {
            "inventoryItemId": entry.item,
            "locationId": entry.location,
            "quantity": entry.quantity,
            "compareQuantity" if compares(version) else "changeFromQuantity": entry.expected,
        }
        for entry in batch
    ]
    digest = hashlib.sha256(msgspec.json.encode((key, at, quantities))).digest()
    return {
        "input": {
            "name": "available",
            "reason": "correction",
            "referenceDocumentUri": f"gid://crossdock/Availability/{key}",
            "quantities": quantities,
        },
        "key": str(UUID(bytes=digest[:16])),
    }


def compares(version: str) -> bool:
    """Whether levels are set in the older form: compared all, or none of a call."""
    return version < IDEMPOTENT_FROM


STALE: Final = frozenset({"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"})
IDEMPOTENCY: Final = frozenset({"IDEMPOTENCY_CONCURRENT_REQUEST", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"})

_NOT_STOCKED: Final = "the item is not stocked at the location: activate it there"
"""An earlier version says it of the number that is missing: what has no level has none to be compared with."""

_REASONS: Final = {
    "INVALID_INVENTORY_ITEM": "the inventory item no longer exists",
    "ITEM_NOT_STOCKED_AT_LOCATION": _NOT_STOCKED,
    "COMPARE_QUANTITY_REQUIRED": _NOT_STOCKED,
    "INVALID_LOCATION": "the location does not exist",
    "NON_MUTABLE_INVENTORY_ITEM": "the item is a bundle, whose level follows its components",
}


def sort_errors(answer: SetAnswer, batch: list[Entry]) -> tuple[set[int], dict[int, Failure], list[UserError]]:
    """Errors of a set: places of stale entries, failures by place, and what concerns the whole call."""
    stale: set[int] = set()
    failed: dict[int, Failure] = {}
    rest: list[UserError] = []
    for error in answer.user_errors:
        place = _place(error, len(batch))
        if place is None:
            rest.append(error)
        elif error.code in STALE:
            stale.add(place)
        else:
            failed[place] = Failure(batch[place].sku, _REASONS.get(error.code or "", error.message))
    return stale - failed.keys(), failed, rest


def read_levels(answer: Iterable[ItemNow | None]) -> dict[str, int]:
    """What Shopify holds now, by inventory item."""
    found = {}
    for item in answer:
        if item is not None and item.id is not None and item.inventory_level is not None:
            for quantity in item.inventory_level.quantities:
                if quantity.name == "available":
                    found[item.id] = quantity.quantity
    return found


def learned(items: Mapping[str, str]) -> tuple[Learned, ...]:
    """Inventory item ids to keep."""
    return tuple(Learned(kind="inventory", ours=sku, theirs=item) for sku, item in sorted(items.items()))


def told(failures: Iterable[Failure]) -> NeedsPerson:
    """The SKUs that could not be set; all others were."""
    words = "; ".join(f"{failure.sku}: {failure.reason}" for failure in failures)
    return NeedsPerson(
        reason=f"availability was not set for {words}",
        next_step="correct the SKU or the stocked locations in the shop's admin, or unmap it; the others are set",
    )


def location_gid(location: str) -> str:
    """A location's global id; one that is global already stays."""
    return location if location.startswith("gid://") else f"gid://shopify/Location/{location}"


def _place(error: UserError, count: int) -> int | None:
    """Index in ["input", "quantities", "3", ...]."""
    field = error.field or ()
    if len(field) >= 3 and field[1] == "quantities" and field[2].isdigit() and int(field[2]) < count:
        return int(field[2])
    return None
