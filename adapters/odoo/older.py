"""What Odoo 17 and 18 call otherwise than 19, in the values of records that we create. Pure.

Which of the names a database knows is asked of the database itself, not concluded from its version.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from adapters.odoo.translate import Values

ASKED: Final[Mapping[str, tuple[str, str]]] = {
    "sale.order": ("sale.order.line", "tax_ids"),
    "product.product": ("product.product", "is_storable"),
}
"""Per model that we create: the model and field of 19 that older versions lack."""

LACKED: Final = frozenset(ASKED.values())


def older(model: str, records: Sequence[Values]) -> list[Values]:
    """The same records without the field of `ASKED`: taxes of an order's line are `tax_id` up to 18, and up to 17 a
    product is kept in stock by its type."""
    change = {"sale.order": _order, "product.product": _product}[model]
    return [change(record) for record in records]


def _order(values: Values) -> Values:
    commands = values.get("order_line")
    assert isinstance(commands, list)
    return {**values, "order_line": [[*command[:2], _line(command[2])] for command in commands]}


def _line(values: Values) -> Values:
    return {"tax_id" if name == "tax_ids" else name: value for name, value in values.items()}


def _product(values: Values) -> Values:
    kept = {name: value for name, value in values.items() if name not in ("is_storable", "type")}
    return {**kept, "detailed_type": "product" if values.get("is_storable") else values.get("type")}
