"""Every GraphQL document that is sent, with what it costs. Valid against Admin API 2026-04; a test holds them to it."""

from typing import Final

from adapters.shopify.documents_hooks import RESUBSCRIBE, SUBSCRIBE, SUBSCRIPTIONS
from adapters.shopify.documents_money import CAPTURE, REFUND, TRANSACTIONS, VOID
from adapters.shopify.documents_stock import LEVEL, SHELF
from adapters.shopify.operation import MONEY, Operation
from adapters.shopify.tracking import TRACK

_ADDRESS = """
fragment Address on MailingAddress {
  firstName lastName name company phone address1 address2 city province provinceCode country countryCodeV2 zip
  latitude longitude
}
"""

_LINE = """
fragment Line on LineItem {
  id title variantTitle name sku vendor quantity currentQuantity unfulfilledQuantity
  requiresShipping taxable isGiftCard
  product { id } variant { id }
  customAttributes { key value }
  originalUnitPriceSet { ...Money } totalDiscountSet { ...Money }
  taxLines { title rate channelLiable priceSet { ...Money } }
  discountAllocations { allocatedAmountSet { ...Money } discountApplication { index } }
}
"""

_REFUND_LINE = """
fragment RefundLine on RefundLineItem {
  id quantity restockType lineItem { id } location { id } subtotalSet { ...Money } totalTaxSet { ...Money }
}
"""

_FULFILLED_LINE = """
fragment FulfilledLine on FulfillmentLineItem { quantity lineItem { id } }
"""

_ORDER = """
fragment WholeOrder on Order {
  id name createdAt processedAt updatedAt cancelledAt cancelReason closedAt test confirmed confirmationNumber
  currencyCode presentmentCurrencyCode taxesIncluded dutiesIncluded taxExempt
  sourceName sourceIdentifier note tags email phone poNumber customerLocale
  displayFinancialStatus displayFulfillmentStatus paymentGatewayNames
  customAttributes { key value }
  retailLocation { id }
  subtotalPriceSet { ...Money } totalPriceSet { ...Money } totalDiscountsSet { ...Money } totalTaxSet { ...Money }
  totalTipReceivedSet { ...Money } totalOutstandingSet { ...Money }
  currentSubtotalPriceSet { ...Money } currentTotalPriceSet { ...Money } currentTotalDiscountsSet { ...Money }
  currentTotalTaxSet { ...Money } currentTotalDutiesSet { ...Money } currentTotalAdditionalFeesSet { ...Money }
  originalTotalDutiesSet { ...Money } originalTotalAdditionalFeesSet { ...Money }
  taxLines { title rate channelLiable priceSet { ...Money } }
  customer { id firstName lastName defaultEmailAddress { emailAddress } defaultPhoneNumber { phoneNumber } tags }
  shippingAddress { ...Address }
  billingAddress { ...Address }
  shippingLines(first: 10) {
    nodes {
      id title code source carrierIdentifier deliveryCategory phone
      originalPriceSet { ...Money } discountedPriceSet { ...Money }
      taxLines { title rate channelLiable priceSet { ...Money } }
      discountAllocations { allocatedAmountSet { ...Money } discountApplication { index } }
    }
  }
  discountApplications(first: 20) {
    nodes {
      index allocationMethod targetSelection targetType
      value { __typename ... on MoneyV2 { amount currencyCode } ... on PricingPercentageValue { percentage } }
      __typename
      ... on DiscountCodeApplication { code }
      ... on ManualDiscountApplication { title }
      ... on AutomaticDiscountApplication { title }
      ... on ScriptDiscountApplication { title }
    }
  }
  lineItems(first: 20) { nodes { ...Line } pageInfo { hasNextPage endCursor } }
  refunds {
    id createdAt processedAt note
    refundLineItems(first: 10) { nodes { ...RefundLine } pageInfo { hasNextPage endCursor } }
    refundShippingLines(first: 10) { nodes { id subtotalAmountSet { ...Money } taxAmountSet { ...Money } } }
    orderAdjustments(first: 10) { nodes { id reason amountSet { ...Money } taxAmountSet { ...Money } } }
    transactions(first: 10) {
      nodes { id kind status gateway createdAt processedAt test amountSet { ...Money } parentTransaction { id } }
    }
  }
  fulfillments {
    id name status createdAt updatedAt location { id }
    trackingInfo { company number url }
    fulfillmentLineItems(first: 10) { nodes { ...FulfilledLine } pageInfo { hasNextPage endCursor } }
  }
}
"""

_WHOLE = _ORDER + _LINE + _REFUND_LINE + _FULFILLED_LINE + _ADDRESS + MONEY

ORDER: Final = Operation(
    name="CrossdockOrder",
    document="query CrossdockOrder($id: ID!) { order(id: $id) { ...WholeOrder } }" + _WHOLE,
    cost=30,
    worst=120,
)

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
    + _WHOLE,
    cost=250,
    worst=842,
)

ORDER_LINES: Final = Operation(
    name="CrossdockOrderLines",
    document="""
query CrossdockOrderLines($id: ID!, $after: String) {
  order(id: $id) { lineItems(first: 100, after: $after) { nodes { ...Line } pageInfo { hasNextPage endCursor } } }
}
"""
    + _LINE
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
    + _REFUND_LINE
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
    + _FULFILLED_LINE,
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
    + _FULFILLED_LINE
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
  locations(first: 100, includeInactive: true) { nodes { id name isActive } pageInfo { hasNextPage } }
}
""",
    cost=11,
    worst=11,
)

OPERATIONS: Final = (
    ORDER,
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
    LEVEL,
    SHELF,
    TRACK,
    SUBSCRIPTIONS,
    SUBSCRIBE,
    RESUBSCRIBE,
)
