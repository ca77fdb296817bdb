"""The simulated store's documents about products and sources."""

from typing import Any

from adapters.magento.simulator_bodies import number
from adapters.magento.simulator_books import StoreProduct, StoreSource

Document = dict[str, Any]


def product_body(product: StoreProduct) -> Document:
    """A product."""
    attributes = []
    if product.kind == "bundle":
        attributes = [
            {"attribute_code": "shipment_type", "value": "0" if product.together else "1"},
            {"attribute_code": "price_type", "value": "1" if product.fixed_price else "0"},
        ]
    return {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "attribute_set_id": 4,
        "price": number(product.price),
        "status": 1,
        "visibility": 4,
        "type_id": product.kind,
        "custom_attributes": attributes,
    }


def source_body(source: StoreSource) -> Document:
    """A source."""
    return {
        "source_code": source.code,
        "name": source.name,
        "enabled": source.enabled,
        "country_id": "US",
        "postcode": "00000",
        "use_default_carrier_config": True,
        "carrier_links": [],
    }


def source_item_body(sku: str, source: str, units: int, *, in_stock: bool) -> Document:
    """A source item."""
    return {"sku": sku, "source_code": source, "quantity": units, "status": int(in_stock)}
