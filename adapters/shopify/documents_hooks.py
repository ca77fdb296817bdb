"""GraphQL documents about webhook subscriptions. Valid against Admin API 2026-04 and 2026-07, as a test says."""

from typing import Final

from adapters.shopify.operation import Operation

SUBSCRIPTIONS: Final = Operation(
    name="CrossdockSubscriptions",
    document="""
query CrossdockSubscriptions($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    nodes { id topic uri format includeFields filter }
    pageInfo { hasNextPage endCursor }
  }
}
""",
    cost=11,
    worst=11,
)

SUBSCRIBE: Final = Operation(
    name="CrossdockSubscribe",
    document="""
mutation CrossdockSubscribe($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) {
    webhookSubscription { id }
    userErrors { field message }
  }
}
""",
    cost=10,
    worst=10,
    write=True,
)

RESUBSCRIBE: Final = Operation(
    name="CrossdockResubscribe",
    document="""
mutation CrossdockResubscribe($id: ID!, $subscription: WebhookSubscriptionInput!) {
  webhookSubscriptionUpdate(id: $id, webhookSubscription: $subscription) {
    webhookSubscription { id }
    userErrors { field message }
  }
}
""",
    cost=10,
    worst=10,
    write=True,
)
"""Of a subscription that narrows what is sent, or that leads to where the hub was before."""
