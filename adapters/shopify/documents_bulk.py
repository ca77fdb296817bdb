"""GraphQL documents of the bulk export, and the query that the shop runs in it.

Such a query selects `edges { node }`, has at most five connections, none deeper than two and none inside a list: what a
refund or a fulfilment is made of cannot be asked for (recorded refusals; a test holds the query to these rules).
"""

from datetime import date
from typing import Final

from adapters.shopify.documents_order import FULFILLED, HELD, PARTS
from adapters.shopify.operation import Operation

_HISTORY = (
    """
query CrossdockHistory {
  orders(query: "created_at:>='%s'") {
    edges {
      node {
        ...PlainOrder
        givenBack: refunds { id }
        gone: fulfillments { """
    + FULFILLED
    + """ }
        shippingLines { edges { node { __typename ...ShippingLine } } }
        discountApplications { edges { node { ...Application } } }
        fulfillmentOrders { edges { node { __typename """
    + HELD
    + """ } } }
        lineItems { edges { node { __typename ...Line } } }
      }
    }
  }
}
"""
    + PARTS
)


def history(since: date) -> str:
    """The query for every order placed since the beginning of a day."""
    return _HISTORY % since.isoformat()


RUN: Final = Operation(
    name="CrossdockRunBulk",
    document="""
mutation CrossdockRunBulk($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: true) {
    bulkOperation { id }
    userErrors { field message code }
  }
}
""",
    cost=10,
    worst=10,
    write=True,
)

RECENT: Final = Operation(
    name="CrossdockRecentBulk",
    document="""
query CrossdockRecentBulk {
  bulkOperations(first: 10, sortKey: CREATED_AT) { nodes { id status query createdAt } }
}
""",
    cost=6,
    worst=6,
)
"""The newest first."""

BULK: Final = Operation(
    name="CrossdockBulk",
    document="""
query CrossdockBulk($id: ID!) { bulkOperation(id: $id) { id status errorCode url fileSize } }
""",
    cost=1,
    worst=1,
)
