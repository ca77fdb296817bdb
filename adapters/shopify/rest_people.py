"""People of an order that was read through GraphQL, in the shape of a webhook's body. Pure."""

from typing import Final

from adapters.shopify import orders
from adapters.shopify.orders import rest_id

Shape = dict[str, object]


def customer_shape(customer: orders.Customer | None) -> Shape | None:
    """Who ordered."""
    if customer is None:
        return None
    email, phone = customer.default_email_address, customer.default_phone_number
    return {
        "id": rest_id(customer.id),
        "admin_graphql_api_id": customer.id,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "email": None if email is None else email.email_address,
        "phone": None if phone is None else phone.phone_number,
        "tags": ", ".join(customer.tags),
    }


def address_shape(address: orders.Address | None) -> Shape | None:
    """Where goods or bills go."""
    if address is None:
        return None
    shaped: Shape = {name: getattr(address, name) for name in _ADDRESS_FIELDS}
    shaped["country_code"] = address.country_code_v2
    return shaped


_ADDRESS_FIELDS: Final = tuple(name for name in orders.Address.__struct_fields__ if name != "country_code_v2")
