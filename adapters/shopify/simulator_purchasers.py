"""What a simulated shop says of companies that buy, to apps that may know."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from adapters.shopify.simulator_answers import Node, gid
from adapters.shopify.simulator_books import ShopOrder

if TYPE_CHECKING:
    from adapters.shopify.simulator import ShopifySimulator

Variables = Mapping[str, Any]


def purchasers(shop: "ShopifySimulator", variables: Variables) -> Node:
    """One node per id asked for, null where there is none."""
    known = {gid("Order", one.id): one for one in map(shop.orders.get, map(_number, variables["ids"])) if one}
    return {"nodes": [_purchaser(known[id]) if id in known else None for id in variables["ids"]]}


def _number(id: str) -> int:
    tail = id.rpartition("/")[2]
    return int(tail) if tail.isdigit() else 0


def _purchaser(order: ShopOrder) -> Node:
    entity: Node = {"__typename": "Customer"}
    if order.company is not None:
        company, location = gid("Company", order.company), gid("CompanyLocation", order.company + 1)
        entity = {"__typename": "PurchasingCompany", "company": {"id": company}, "location": {"id": location}}
    days = order.terms_days
    terms = {"paymentTermsName": f"Net {days}", "paymentTermsType": "NET", "dueInDays": days}
    return {
        "id": gid("Order", order.id),
        "purchasingEntity": entity,
        "paymentTerms": None if days is None else terms,
    }


PURCHASER_HANDLERS: Final[dict[str, Callable[["ShopifySimulator", Variables], Node]]] = {
    "CrossdockPurchasers": purchasers,
}
