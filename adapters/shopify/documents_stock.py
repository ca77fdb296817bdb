"""GraphQL documents that read a location's stock."""

from typing import Final

from adapters.shopify.operation import Operation

_HELD: Final = 'quantities(names: ["available", "committed"]) { name quantity }'

LEVEL: Final = Operation(
    name="CrossdockLevel",
    document=f"""
query CrossdockLevel($item: ID!, $location: ID!) {{
  inventoryItem(id: $item) {{ sku tracked inventoryLevel(locationId: $location) {{ {_HELD} }} }}
}}
""",
    cost=3,
    worst=3,
)

SHELF: Final = Operation(
    name="CrossdockShelf",
    document=f"""
query CrossdockShelf($location: ID!, $after: String) {{
  location(id: $location) {{
    inventoryLevels(first: 100, after: $after) {{
      nodes {{ item {{ sku tracked }} {_HELD} }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
""",
    cost=30,
    worst=30,
)
