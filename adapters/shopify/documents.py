"""Every GraphQL document that is sent, with what it costs. Valid against Admin API 2026-04; a test holds them to it."""

from typing import Final

from adapters.shopify.documents_bulk import BULK, RECENT, RUN
from adapters.shopify.documents_hooks import RESUBSCRIBE, SUBSCRIBE, SUBSCRIPTIONS
from adapters.shopify.documents_money import CAPTURE, ON_ORDER, REFUND, TRANSACTIONS, UNITS_LEFT, VOID
from adapters.shopify.documents_order import FULFILLED_LINE, LINE, REFUND_LINE, WHOLE
from adapters.shopify.documents_stock import LEVEL, SHELF
from adapters.shopify.operation import MONEY, Operation
from adapters.shopify.purchasers import PURCHASERS
from adapters.shopify.tracking import TRACK

ORDER: Final = Operation(
    name="CrossdockOrder",
    document="query CrossdockOrder($id: ID!) { order(id: $id) { ...WholeOrder } }" + WHOLE,
    cost=30,
    worst=135,
)

ORDER_OF_WORK: Final = Operation(
    name="CrossdockOrderOfWork",
    document="""
query CrossdockOrderOfWork($id: ID!) { fulfillmentOrder(id: $id) { order { ...WholeOrder } } }
"""
    + WHOLE,
    cost=31,
    worst=136,
)
"""The order that a fulfilment order belongs to."""

ORDERS: Final = Operation(
    name="CrossdockOrders",
    document="""
query CrossdockOrders($query: String!, $after: String) {
  orders(first: 50, after: $after, query: $query, sortKey: UPDATED_AT) {
    nodes { ...WholeOrder }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + WHOLE,
    cost=250,
    worst=947,
)

ORDER_LINES: Final = Operation(
    name="CrossdockOrderLines",
    document="""
query CrossdockOrderLines($id: ID!, $after: String) {
  order(id: $id) { lineItems(first: 100, after: $after) { nodes { ...Line } pageInfo { hasNextPage endCursor } } }
}
"""
    + LINE
    + MONEY,
    cost=50,
    worst=57,
)

REFUND_LINES: Final = Operation(
    name="CrossdockRefundLines",
    document="""
query CrossdockRefundLines($id: ID!, $after: String) {
  refund(id: $id) {
    refundLineItems(first: 100, after: $after) { nodes { ...RefundLine } pageInfo { hasNextPage endCursor } }
  }
}
"""
    + REFUND_LINE
    + MONEY,
    cost=30,
    worst=30,
)

FULFILLED_LINES: Final = Operation(
    name="CrossdockFulfilledLines",
    document="""
query CrossdockFulfilledLines($id: ID!, $after: String) {
  fulfillment(id: $id) {
    fulfillmentLineItems(first: 100, after: $after) { nodes { ...FulfilledLine } pageInfo { hasNextPage endCursor } }
  }
}
"""
    + FULFILLED_LINE,
    cost=20,
    worst=21,
)

_OPEN_LINE = """
fragment OpenLine on FulfillmentOrderLineItem { id remainingQuantity lineItem { id } }
"""

FULFILLMENT_ORDERS: Final = Operation(
    name="CrossdockFulfillmentOrders",
    document="""
query CrossdockFulfillmentOrders($id: ID!, $after: String) {
  order(id: $id) {
    id name cancelledAt
    fulfillments {
      id name status createdAt location { id }
      trackingInfo { number }
      fulfillmentLineItems(first: 50) { nodes { ...FulfilledLine } pageInfo { hasNextPage endCursor } }
    }
    fulfillmentOrders(first: 10, after: $after) {
      nodes {
        id status requestStatus
        assignedLocation { location { id } }
        lineItems(first: 50) { nodes { ...OpenLine } pageInfo { hasNextPage endCursor } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
    + FULFILLED_LINE
    + _OPEN_LINE,
    cost=12,
    worst=98,
)

OPEN_LINES: Final = Operation(
    name="CrossdockOpenLines",
    document="""
query CrossdockOpenLines($id: ID!, $after: String) {
  fulfillmentOrder(id: $id) {
    lineItems(first: 100, after: $after) { nodes { ...OpenLine } pageInfo { hasNextPage endCursor } }
  }
}
"""
    + _OPEN_LINE,
    cost=20,
    worst=21,
)

MOVE: Final = Operation(
    name="CrossdockMove",
    document="""
mutation CrossdockMove($id: ID!, $newLocationId: ID!, $lines: [FulfillmentOrderLineItemInput!]) {
  fulfillmentOrderMove(id: $id, newLocationId: $newLocationId, fulfillmentOrderLineItems: $lines) {
    movedFulfillmentOrder { id }
    userErrors { field message code }
  }
}
""",
    cost=10,
    worst=10,
    write=True,
)

FULFILL: Final = Operation(
    name="CrossdockFulfill",
    document="""
mutation CrossdockFulfill($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id status }
    userErrors { field message }
  }
}
""",
    cost=10,
    worst=10,
    write=True,
)

VARIANTS: Final = Operation(
    name="CrossdockVariants",
    document="""
query CrossdockVariants($query: String!) {
  productVariants(first: 250, query: $query) { nodes { sku inventoryItem { id } } pageInfo { hasNextPage } }
}
""",
    cost=24,
    worst=24,
)

LEVELS: Final = Operation(
    name="CrossdockLevels",
    document="""
query CrossdockLevels($ids: [ID!]!, $location: ID!) {
  nodes(ids: $ids) {
    ... on InventoryItem {
      id
      inventoryLevel(locationId: $location) { quantities(names: ["available"]) { name quantity } }
    }
  }
}
""",
    cost=3,
    worst=3,
)

SET_AVAILABLE: Final = Operation(
    name="CrossdockSetAvailable",
    document="""
mutation CrossdockSetAvailable($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id }
    userErrors { field message code }
  }
}
""",
    cost=10,
    worst=10,
    write=True,
)

CANCEL: Final = Operation(
    name="CrossdockCancel",
    document="""
mutation CrossdockCancel(
  $orderId: ID!, $reason: OrderCancelReason!, $restock: Boolean!, $notify: Boolean!, $note: String,
  $refund: OrderCancelRefundMethodInput
) {
  orderCancel(
    orderId: $orderId, reason: $reason, restock: $restock, notifyCustomer: $notify, staffNote: $note,
    refundMethod: $refund
  ) {
    job { id done }
    orderCancelUserErrors { field message code }
  }
}
""",
    cost=10,
    worst=10,
    write=True,
)

CANCELLED: Final = Operation(
    name="CrossdockCancelled",
    document="query CrossdockCancelled($id: ID!) { order(id: $id) { id name cancelledAt } }",
    cost=1,
    worst=1,
)

JOB: Final = Operation(
    name="CrossdockJob", document="query CrossdockJob($id: ID!) { job(id: $id) { id done } }", cost=1, worst=1
)

SHOP: Final = Operation(
    name="CrossdockShop",
    document="query CrossdockShop { shop { name myshopifyDomain currencyCode taxesIncluded } }",
    cost=1,
    worst=1,
)

SCOPES: Final = Operation(
    name="CrossdockScopes",
    document="query CrossdockScopes { currentAppInstallation { accessScopes { handle } } }",
    cost=2,
    worst=2,
)

LOCATIONS: Final = Operation(
    name="CrossdockLocations",
    document="""
query CrossdockLocations {
  locations(first: 100, includeInactive: true) {
    nodes { id name isActive isFulfillmentService } pageInfo { hasNextPage }
  }
}
""",
    cost=11,
    worst=11,
)

OPERATIONS: Final = (
    ORDER,
    ORDER_OF_WORK,
    ORDERS,
    ORDER_LINES,
    REFUND_LINES,
    FULFILLED_LINES,
    FULFILLMENT_ORDERS,
    OPEN_LINES,
    MOVE,
    FULFILL,
    VARIANTS,
    LEVELS,
    SET_AVAILABLE,
    CANCEL,
    CANCELLED,
    JOB,
    SHOP,
    SCOPES,
    LOCATIONS,
    TRANSACTIONS,
    CAPTURE,
    VOID,
    REFUND,
    ON_ORDER,
    UNITS_LEFT,
    LEVEL,
    SHELF,
    TRACK,
    SUBSCRIPTIONS,
    SUBSCRIBE,
    RESUBSCRIBE,
    RUN,
    RECENT,
    BULK,
    PURCHASERS,
)
