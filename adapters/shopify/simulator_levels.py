"""Levels of a simulated shop being set: with an idempotency key from 2026-04 on, compared and without one before."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.shopify.operation import IDEMPOTENT_FROM
from adapters.shopify.simulator_admin import Errors, Invalid, number
from adapters.shopify.simulator_answers import Node, gid, user_errors

if TYPE_CHECKING:
    from adapters.shopify.simulator import ShopifySimulator

Variables = Mapping[str, Any]

MOST_UNITS: Final = 1_000_000_000


class _Entry(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    inventory_item_id: str
    location_id: str
    quantity: int
    change_from_quantity: int | msgspec.UnsetType | None = msgspec.UNSET


class _Compared(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    inventory_item_id: str
    location_id: str
    quantity: int
    compare_quantity: int | None = None


class _Set(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    reason: str
    name: str
    quantities: list[_Entry]
    reference_document_uri: str | None = None


class _SetCompared(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    reason: str
    name: str
    quantities: list[_Compared]
    reference_document_uri: str | None = None
    ignore_compare_quantity: bool = False


def set_available(shop: "ShopifySimulator", variables: Variables) -> Node:
    """inventorySetQuantities, in the form of the shop's version: all or nothing."""
    if shop.api_version < IDEMPOTENT_FROM:
        return _set_compared(shop, msgspec.convert(variables["input"], _SetCompared))
    given = msgspec.convert(variables["input"], _Set)
    if any(entry.change_from_quantity is msgspec.UNSET for entry in given.quantities):
        raise Invalid("InventoryQuantityInput must include the following argument: changeFromQuantity.")
    key, fingerprint = str(variables["key"]), msgspec.json.encode(variables["input"])
    if key in shop.idempotent:
        before, answer = shop.idempotent[key]
        if before == fingerprint:
            return answer
        told = "The idempotency key was used with other parameters."
        return _answer(shop, [((), told, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH")])
    errors = _cannot_set(shop, given.name, given.quantities)
    if not errors:
        _keep(shop, given.quantities)
    answer = _answer(shop, errors)
    if not errors:
        shop.idempotent[key] = (fingerprint, answer)
    return answer


def _set_compared(shop: "ShopifySimulator", given: _SetCompared) -> Node:
    told = "The compareQuantity argument must be given to each quantity or ignored using ignoreCompareQuantity."
    errors: Errors = [
        (("input", "quantities", str(place), "compareQuantity"), told, "COMPARE_QUANTITY_REQUIRED")
        for place, entry in enumerate(given.quantities)
        if entry.compare_quantity is None and not given.ignore_compare_quantity
    ]
    errors = errors or _cannot_set(shop, given.name, given.quantities)
    if not errors:
        _keep(shop, given.quantities)
    return _answer(shop, errors)


def _keep(shop: "ShopifySimulator", entries: Sequence[_Entry | _Compared]) -> None:
    for entry in entries:
        shop.inventory[number(entry.inventory_item_id), number(entry.location_id)] = entry.quantity
    shop.levels_set += len(entries)


def _answer(shop: "ShopifySimulator", errors: Errors) -> Node:
    group = None if errors else {"id": gid("InventoryAdjustmentGroup", shop.next_id())}
    return {"inventorySetQuantities": {"inventoryAdjustmentGroup": group, "userErrors": user_errors(errors)}}


def _cannot_set(shop: "ShopifySimulator", name: str, entries: Sequence[_Entry | _Compared]) -> Errors:
    errors: Errors = []
    if name not in ("available", "on_hand"):
        errors.append((("input", "name"), "The quantity name must be either 'available' or 'on_hand'.", "INVALID_NAME"))
    seen: set[tuple[int, int]] = set()
    for place, entry in enumerate(entries):
        item, location = number(entry.inventory_item_id), number(entry.location_id)
        field, told, code = _refused(shop, entry, (item, location) in seen)
        seen.add((item, location))
        if code:
            errors.append((("input", "quantities", str(place), field), told, code))
    return errors


def _refused(shop: "ShopifySimulator", entry: _Entry | _Compared, again: bool) -> tuple[str, str, str]:
    """Field, message and code of an entry that cannot be set; empty words for one that can."""
    item, location = number(entry.inventory_item_id), number(entry.location_id)
    if item not in shop.items:
        return "inventoryItemId", "The specified inventory item could not be found.", "INVALID_INVENTORY_ITEM"
    if location not in shop.locations:
        return "locationId", "The specified location could not be found.", "INVALID_LOCATION"
    if (item, location) not in shop.inventory:
        told = "The specified inventory item is not stocked at the location."
        return "locationId", told, "ITEM_NOT_STOCKED_AT_LOCATION"
    if again:
        told = "The combination of inventoryItemId and locationId must be unique."
        return "inventoryItemId", told, "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"
    if entry.quantity < 0:
        return "quantity", "The quantity can't be negative.", "INVALID_QUANTITY_NEGATIVE"
    if entry.quantity > MOST_UNITS:
        return "quantity", "The quantity can't be higher than 1,000,000,000.", "INVALID_QUANTITY_TOO_HIGH"
    field, code = "changeFromQuantity", "CHANGE_FROM_QUANTITY_STALE"
    if isinstance(entry, _Compared):
        field, code = "compareQuantity", "COMPARE_QUANTITY_STALE"
    believed = entry.compare_quantity if isinstance(entry, _Compared) else entry.change_from_quantity
    if believed is not None and believed != shop.inventory[item, location]:
        return field, f"The {field} argument no longer matches the persisted quantity.", code
    return "", "", ""


LEVEL_HANDLERS: Final[dict[str, Callable[["ShopifySimulator", Variables], Node]]] = {
    "CrossdockSetAvailable": set_available
}
