"""Orders of companies: what webhook and pull both say of them."""

from pathlib import Path

import pytest

from adapters.shopify import translate
from hub.domain.order import OrderContent
from hub.mapping.compile import compile_mapping
from hub.mapping.tables import CodeTables, load_tables
from tests.unit.mapping.shopify_orders import order_bytes, shopify_order

MAPPINGS = Path(__file__).resolve().parents[3] / "mappings" / "shopify"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"po_number": "PO 4711", "tax_exempt": True}, ("PO 4711", True)),
        ({"po_number": None, "tax_exempt": False}, (None, False)),
    ],
)
def test_a_purchase_order_number_and_a_tax_exemption_are_taken_over(
    said: dict[str, object], expected: tuple[str | None, bool]
) -> None:
    tables = CodeTables(load_tables((MAPPINGS / "tables.toml").read_text()))
    mapping = compile_mapping((MAPPINGS / "order.toml").read_text(), translate.FUNCTIONS, tables)
    content: OrderContent = mapping(order_bytes(shopify_order(1, lines=2) | said)).content
    assert (content.purchase_order, content.tax_exempt) == expected
    assert not content.on_account
