"""The order in GraphQL: fragments that whole reads and the bulk export share."""

from typing import Final

from adapters.shopify.operation import MONEY

ADDRESS: Final = """
fragment Address on MailingAddress {
  firstName lastName name company phone address1 address2 city province provinceCode country countryCodeV2 zip
  latitude longitude
}
"""

LINE: Final = """
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

REFUND_LINE: Final = """
fragment RefundLine on RefundLineItem {
  id quantity restockType lineItem { id } location { id } subtotalSet { ...Money } totalTaxSet { ...Money }
}
"""

FULFILLED_LINE: Final = """
fragment FulfilledLine on FulfillmentLineItem { quantity lineItem { id } }
"""

MOVED: Final = "id kind status gateway createdAt processedAt test amountSet { ...Money } parentTransaction { id }"
"""A movement of money."""

PLAIN: Final = (
    """
fragment PlainOrder on Order {
  id name createdAt processedAt updatedAt cancelledAt cancelReason closedAt test confirmed confirmationNumber
  currencyCode presentmentCurrencyCode taxesIncluded dutiesIncluded taxExempt
  sourceName sourceIdentifier note tags email phone poNumber customerLocale
  displayFinancialStatus displayFulfillmentStatus paymentGatewayNames
  customAttributes { key value }
  retailLocation { id }
  risk { assessments { riskLevel } }
  subtotalPriceSet { ...Money } totalPriceSet { ...Money } totalDiscountsSet { ...Money } totalTaxSet { ...Money }
  totalTipReceivedSet { ...Money } totalOutstandingSet { ...Money }
  currentSubtotalPriceSet { ...Money } currentTotalPriceSet { ...Money } currentTotalDiscountsSet { ...Money }
  currentTotalTaxSet { ...Money } currentTotalDutiesSet { ...Money } currentTotalAdditionalFeesSet { ...Money }
  originalTotalDutiesSet { ...Money } originalTotalAdditionalFeesSet { ...Money }
  taxLines { title rate channelLiable priceSet { ...Money } }
  customer { id firstName lastName defaultEmailAddress { emailAddress } defaultPhoneNumber { phoneNumber } tags }
  shippingAddress { ...Address }
  billingAddress { ...Address }
  transactions(first: 50) { """
    + MOVED
    + """ }
}
"""
)
"""All of an order but its lists of things with ids of their own."""

SHIPPING_LINE: Final = """
fragment ShippingLine on ShippingLine {
  id title code source carrierIdentifier deliveryCategory phone
  originalPriceSet { ...Money } discountedPriceSet { ...Money }
  taxLines { title rate channelLiable priceSet { ...Money } }
  discountAllocations { allocatedAmountSet { ...Money } discountApplication { index } }
}
"""

APPLICATION: Final = """
fragment Application on DiscountApplication {
  index allocationMethod targetSelection targetType
  value { __typename ... on MoneyV2 { amount currencyCode } ... on PricingPercentageValue { percentage } }
  __typename
  ... on DiscountCodeApplication { code }
  ... on ManualDiscountApplication { title }
  ... on AutomaticDiscountApplication { title }
  ... on ScriptDiscountApplication { title }
}
"""

HELD: Final = "status fulfillmentHolds { reason }"
"""Of a fulfilment order, what may stop it."""

FULFILLED: Final = "id name status createdAt updatedAt location { id } trackingInfo { company number url }"
"""A fulfilment without its lines."""

_ORDER = f"""
fragment WholeOrder on Order {{
  ...PlainOrder
  shippingLines(first: 10) {{ nodes {{ ...ShippingLine }} }}
  discountApplications(first: 20) {{ nodes {{ ...Application }} }}
  fulfillmentOrders(first: 10) {{ nodes {{ {HELD} }} }}
  lineItems(first: 20) {{ nodes {{ ...Line }} pageInfo {{ hasNextPage endCursor }} }}
  refunds {{
    id createdAt processedAt note
    duties {{ amountSet {{ ...Money }} }}
    refundLineItems(first: 10) {{ nodes {{ ...RefundLine }} pageInfo {{ hasNextPage endCursor }} }}
    refundShippingLines(first: 10) {{
      nodes {{ id subtotalAmountSet {{ ...Money }} taxAmountSet {{ ...Money }} }}
    }}
    orderAdjustments(first: 10) {{ nodes {{ id reason amountSet {{ ...Money }} taxAmountSet {{ ...Money }} }} }}
    transactions(first: 10) {{ nodes {{ {MOVED} }} }}
  }}
  fulfillments {{
    {FULFILLED}
    fulfillmentLineItems(first: 10) {{ nodes {{ ...FulfilledLine }} pageInfo {{ hasNextPage endCursor }} }}
  }}
}}
"""

PARTS: Final = PLAIN + SHIPPING_LINE + APPLICATION + LINE + ADDRESS + MONEY
"""What an order is made of, refunds and fulfilments left out."""

WHOLE: Final = _ORDER + PARTS + REFUND_LINE + FULFILLED_LINE
"""The fragment WholeOrder and all that it needs."""
