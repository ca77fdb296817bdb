"""What a simulated shop says of its shelves."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from adapters.shopify.simulator_answers import Node, connection

if TYPE_CHECKING:
    from adapters.shopify.simulator import ShopifySimulator

Variables = Mapping[str, Any]
PAGE: Final = 100


def _number(global_id: object) -> int:
    return int(str(global_id).rpartition("/")[2])


def _held(shop: "ShopifySimulator", item: int, place: int) -> Node:
    held = {"available": shop.inventory[item, place], "committed": shop.committed[item, place]}
    return {"quantities": [{"name": name, "quantity": quantity} for name, quantity in held.items()]}


def level(shop: "ShopifySimulator", variables: Variables) -> Node:
    item, place = _number(variables["item"]), _number(variables["location"])
    sku = next((variant.sku for variant in shop.variants.values() if variant.item == item), None)
    if sku is None:
        return {"inventoryItem": None}
    held = _held(shop, item, place) if (item, place) in shop.inventory else None
    return {"inventoryItem": {"sku": sku, "tracked": True, "inventoryLevel": held}}


def shelf(shop: "ShopifySimulator", variables: Variables) -> Node:
    place = _number(variables["location"])
    if place not in shop.locations:
        return {"location": None}
    nodes = [
        {"item": {"sku": variant.sku, "tracked": True}, **_held(shop, variant.item, place)}
        for variant in shop.variants.values()
        if (variant.item, place) in shop.inventory
    ]
    return {"location": {"inventoryLevels": connection(nodes, PAGE, variables.get("after"))}}


STOCK_HANDLERS: Final[dict[str, Callable[["ShopifySimulator", Variables], Node]]] = {
    "CrossdockLevel": level,
    "CrossdockShelf": shelf,
}
