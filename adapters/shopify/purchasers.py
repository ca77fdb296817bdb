"""Companies that buy, and when they pay: what every webhook says, and reads say to apps with further rights only.

`Company` is there in shops on the Plus plan, `PaymentTerms` for apps with `read_payment_terms` (Admin API reference,
"Requires" of both objects). A document that asks for what an app may not see is refused whole, so this one is sent
apart, once for a page of orders, and only where the connection says that companies buy.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from adapters.shopify import orders
from adapters.shopify.operation import Operation
from adapters.shopify.orders import rest_id

PURCHASERS: Final = Operation(
    name="CrossdockPurchasers",
    document="""
query CrossdockPurchasers($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on Order {
      id
      purchasingEntity { __typename ... on PurchasingCompany { company { id } location { id } } }
      paymentTerms { paymentTermsName paymentTermsType dueInDays }
    }
  }
}
""",
    cost=5,
    worst=5,
)
"""Of as many orders as a page has: 50 at most."""


class Entity(orders.Shape, frozen=True):
    """A customer, of whom the order itself says enough, or a company."""

    type: str = msgspec.field(name="__typename")
    company: orders.Ref | None = None
    location: orders.Ref | None = None


class Terms(orders.Shape, frozen=True):
    """When the order is to be paid."""

    payment_terms_name: str
    payment_terms_type: str
    due_in_days: int | None


class Purchaser(orders.Shape, frozen=True):
    """What `PURCHASERS` says of one order."""

    id: str
    purchasing_entity: Entity | None
    payment_terms: Terms | None


def rest_purchaser(found: Purchaser) -> Mapping[str, object]:
    """As the webhook of an order writes it; nulls where no company buys, and where nothing was agreed."""
    buyer, terms = found.purchasing_entity, found.payment_terms
    company: dict[str, object] | None = None
    if buyer is not None and buyer.company is not None:
        place = buyer.location
        company = {"id": rest_id(buyer.company.id), "location_id": None if place is None else rest_id(place.id)}
    if terms is None:
        return {"company": company, "payment_terms": None}
    agreed = {
        "payment_terms_name": terms.payment_terms_name,
        "payment_terms_type": terms.payment_terms_type.lower(),
        "due_in_days": terms.due_in_days,
    }
    return {"company": company, "payment_terms": agreed}
