"""GraphQL documents that move money. Valid against Admin API 2026-04; a test holds them to it."""

from typing import Final

from adapters.shopify.operation import MONEY, Operation

_TRANSACTION = (
    """
fragment Moved on OrderTransaction {
  id kind status gateway createdAt processedAt test amountSet { ...Money } parentTransaction { id }
}
"""
    + MONEY
)

TRANSACTIONS: Final = Operation(
    name="CrossdockTransactions",
    document="""
query CrossdockTransactions($id: ID!) {
  order(id: $id) {
    id name cancelledAt presentmentCurrencyCode
    transactions(first: 100) { ...Moved }
    refunds { id note transactions(first: 20) { nodes { ...Moved } } }
  }
}
"""
    + _TRANSACTION,
    cost=10,
    worst=16,
)

CAPTURE: Final = Operation(
    name="CrossdockCapture",
    document="""
mutation CrossdockCapture($input: OrderCaptureInput!) {
  orderCapture(input: $input) { transaction { ...Moved } userErrors { field message } }
}
"""
    + _TRANSACTION,
    cost=10,
    worst=11,
    write=True,
)

VOID: Final = Operation(
    name="CrossdockVoid",
    document="""
mutation CrossdockVoid($id: ID!) {
  transactionVoid(parentTransactionId: $id) { transaction { ...Moved } userErrors { field message code } }
}
"""
    + _TRANSACTION,
    cost=10,
    worst=11,
    write=True,
)

ON_ORDER: Final = Operation(
    name="CrossdockOnOrder",
    document="""
query CrossdockOnOrder($id: ID!) {
  order(id: $id) {
    id name cancelledAt
    refunds { id note }
    fulfillmentOrders(first: 10) {
      nodes {
        assignedLocation { location { id } }
        lineItems(first: 20) { nodes { remainingQuantity lineItem { id } } }
      }
    }
  }
}
""",
    cost=12,
    worst=64,
)

UNITS_LEFT: Final = Operation(
    name="CrossdockUnitsLeft",
    document="""
query CrossdockUnitsLeft($ids: [ID!]!) {
  nodes(ids: $ids) { ... on LineItem { id currentQuantity unfulfilledQuantity } }
}
""",
    cost=1,
    worst=1,
)

REFUND: Final = Operation(
    name="CrossdockRefund",
    document="""
mutation CrossdockRefund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund { id note transactions(first: 20) { nodes { ...Moved } } }
    userErrors { field message }
  }
}
"""
    + _TRANSACTION,
    cost=10,
    worst=22,
    write=True,
)
