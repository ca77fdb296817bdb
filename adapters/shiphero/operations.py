"""Every GraphQL document we send, with its price.

`cost` is the most credits the operation may need: ShipHero wants that much in the bucket before it runs, and charges
for what it returned. Nested connections multiply, so pages are small and a longer object is read again on its own.
"""

from typing import Final

import msgspec


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One document. `name` is its operation name, and the name under which attempts and limits know it."""

    name: str
    document: str
    cost: float
    write: bool = False


MUTATION_CREDITS: Final = 10.0
"""What ShipHero's examples show for a mutation that returns one object."""

PAGE: Final = 20
NESTED: Final = 30
LONGEST: Final = 250
STOCK_PAGE: Final = 100

_FEW: Final = f"first: {NESTED}"
_MANY: Final = f"first: {LONGEST}, after: $after"
_MUTATED: Final = "request_id complexity order { id legacy_id partner_order_id fulfillment_status }"
_LINES: Final = "partner_line_item_id sku quantity quantity_shipped legacy_id"
_SHIPMENT: Final = """id legacy_id warehouse_id created_date completed
      order { id partner_order_id order_number shop_name }
      shipping_labels { id tracking_number carrier shipping_method refunded }
      line_items(%s) { pageInfo { hasNextPage endCursor } edges { node {
        quantity shipping_label_id line_item { partner_line_item_id sku }
      } } }"""
_ORDER: Final = """id legacy_id partner_order_id order_number fulfillment_status updated_at
      holds { fraud_hold address_hold shipping_method_hold operator_hold payment_hold client_hold }
      line_items(%s) { pageInfo { hasNextPage endCursor } edges { node { %s } } }"""

CREATE_ORDER: Final = Operation(
    name="order_create",
    document=f"mutation order_create($data: CreateOrderInput!) {{ order_create(data: $data) {{ {_MUTATED} }} }}",
    cost=MUTATION_CREDITS,
    write=True,
)

CANCEL_ORDER: Final = Operation(
    name="order_cancel",
    document=f"mutation order_cancel($data: CancelOrderInput!) {{ order_cancel(data: $data) {{ {_MUTATED} }} }}",
    cost=MUTATION_CREDITS,
    write=True,
)

FIND_ORDERS: Final = Operation(
    name="orders_by_reference",
    document="""query orders_by_reference($partner_order_id: String!, $customer_account_id: String) {
  orders(partner_order_id: $partner_order_id, customer_account_id: $customer_account_id) {
    request_id complexity
    data(first: 5) { edges { node { id legacy_id partner_order_id fulfillment_status shipments { id } } } }
  }
}""",
    cost=6,
)

ORDER_STATE: Final = Operation(
    name="order_state",
    document="""query order_state($id: String!) {
  order(id: $id) {
    request_id complexity
    data { id legacy_id partner_order_id fulfillment_status shipments { id } }
  }
}""",
    cost=1,
)

ORDER_LINES: Final = Operation(
    name="order_lines",
    document=f"""query order_lines($id: String!, $after: String) {{
  order(id: $id) {{
    request_id complexity
    data {{ {_ORDER % (_MANY, _LINES)} }}
  }}
}}""",
    cost=1 + LONGEST,
)

ORDERS_UPDATED: Final = Operation(
    name="orders_updated",
    document=f"""query orders_updated(
  $shop_name: String, $updated_from: ISODateTime, $customer_account_id: String, $after: String
) {{
  orders(shop_name: $shop_name, updated_from: $updated_from, customer_account_id: $customer_account_id) {{
    request_id complexity
    data(first: {PAGE}, after: $after) {{
      pageInfo {{ hasNextPage endCursor }}
      edges {{ node {{ {_ORDER % (_FEW, _LINES)} }} }}
    }}
  }}
}}""",
    cost=1 + PAGE * (1 + NESTED),
)

SHIPMENTS: Final = Operation(
    name="shipments_since",
    document=f"""query shipments_since($date_from: ISODateTime, $after: String) {{
  shipments(date_from: $date_from) {{
    request_id complexity
    data(first: {PAGE}, after: $after) {{
      pageInfo {{ hasNextPage endCursor }}
      edges {{ node {{ {_SHIPMENT % _FEW} }} }}
    }}
  }}
}}""",
    cost=1 + PAGE * (1 + NESTED),
)

SHIPMENT: Final = Operation(
    name="shipment_whole",
    document=f"""query shipment_whole($id: String!, $after: String) {{
  shipment(id: $id) {{
    request_id complexity
    data {{ {_SHIPMENT % _MANY} }}
  }}
}}""",
    cost=1 + LONGEST,
)

STOCK: Final = Operation(
    name="warehouse_products_page",
    document=f"""query warehouse_products_page(
  $customer_account_id: String, $updated_from: ISODateTime, $after: String
) {{
  warehouse_products(customer_account_id: $customer_account_id, updated_from: $updated_from) {{
    request_id complexity
    data(first: {STOCK_PAGE}, after: $after) {{
      pageInfo {{ hasNextPage endCursor }}
      edges {{ node {{ sku warehouse_id on_hand updated_at }} }}
    }}
  }}
}}""",
    cost=1 + STOCK_PAGE,
)

SNAPSHOT_CREDITS: Final = 30.0
"""What ShipHero's example of a snapshot was charged (developer.shiphero.com, inventory snapshot)."""

SNAPSHOT_ASKED: Final = Operation(
    name="inventory_generate_snapshot",
    document="""mutation inventory_generate_snapshot($data: InventoryGenerateSnapshotInput!) {
  inventory_generate_snapshot(data: $data) { request_id complexity snapshot { snapshot_id status } }
}""",
    cost=SNAPSHOT_CREDITS,
)

SNAPSHOT: Final = Operation(
    name="inventory_snapshot",
    document="""query inventory_snapshot($snapshot_id: String!) {
  inventory_snapshot(snapshot_id: $snapshot_id) {
    request_id complexity snapshot { snapshot_id status error snapshot_url }
  }
}""",
    cost=2,
)

RETURNS: Final = Operation(
    name="returns_since",
    document=f"""query returns_since($customer_account_id: String, $date_from: ISODateTime, $after: String) {{
  returns(customer_account_id: $customer_account_id, date_from: $date_from) {{
    request_id complexity
    data(first: {PAGE}, after: $after) {{
      pageInfo {{ hasNextPage endCursor }}
      edges {{ node {{ id status order {{ id partner_order_id }} line_items {{
        quantity quantity_received restock warehouse_id line_item {{ sku }}
      }} }} }}
    }}
  }}
}}""",
    cost=1 + PAGE,
)

ACCOUNT: Final = Operation(
    name="account_probe",
    document="""query account_probe {
  account { request_id complexity data { id legacy_id email username status warehouses { id legacy_id identifier } } }
  user_quota { credits_remaining max_available increment_rate }
}""",
    cost=2,
)

OPERATIONS: Final = (
    CREATE_ORDER,
    CANCEL_ORDER,
    FIND_ORDERS,
    ORDER_STATE,
    ORDER_LINES,
    ORDERS_UPDATED,
    SHIPMENTS,
    SHIPMENT,
    STOCK,
    SNAPSHOT_ASKED,
    SNAPSHOT,
    RETURNS,
    ACCOUNT,
)
