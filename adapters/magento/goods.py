"""The lines of an order: configurables and bundles become what is really bought, counted once. Pure.

Every row keeps the fields of the store's own item and gets those of `Goods` beside them.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

Row = Mapping[str, Any]

BUNDLE: Final = "bundle"
CONFIGURABLE: Final = "configurable"
GIFT_CARD: Final = "giftcard"
INTANGIBLE: Final = frozenset({"virtual", "downloadable"})
LONGEST_AMOUNT: Final = 28
ZERO: Final = Decimal(0)


def amount(value: object) -> Decimal:
    """A wire amount or quantity as an exact number; nothing is zero. Raises ValueError for what is no number."""
    if value is None or value == "":
        return ZERO
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or len(str(value)) > LONGEST_AMOUNT:
        raise ValueError(f"{value!r} is not an amount")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value!r} is not an amount")
    return number


def goods(items: Sequence[Row] | None, assignments: Sequence[Row] | None, together: object) -> tuple[Row, ...]:
    """One row per thing to pick, pack or deliver.

    - Configurable: the parent's id, money and quantities, the child's SKU and product. The store repeats the price on
      some children (magento/magento2#22562); it counts once.
    - Bundle: its children. Where they carry no money the bundle has a fixed price, which stays with the parent, as a
      row that does not ship.
    - `together`: product ids of bundles that must leave in one shipment.
    """
    known = {item["item_id"]: item for item in items or ()}
    children: dict[object, list[Row]] = {}
    for item in known.values():
        if item.get("parent_item_id") in known:
            children.setdefault(item["parent_item_id"], []).append(item)
    places = _places(assignments or ())
    one_shipment = {str(product) for product in together} if isinstance(together, Sequence) else set()
    rows: list[Row] = []
    for item in known.values():
        if item.get("parent_item_id") not in known:
            rows += _rows(item, children.get(item["item_id"], []), places, one_shipment)
    return tuple(rows)


def _places(assignments: Sequence[Row]) -> dict[object, str]:
    """Delivery group by item, for all but the first address."""
    return {
        item.get("item_id"): f"address_{number}"
        for number, assignment in enumerate(assignments, 1)
        if number > 1
        for item in assignment.get("items") or ()
    }


def _rows(item: Row, children: list[Row], places: Mapping[object, str], together: set[str]) -> Iterable[Row]:
    kind = item.get("product_type")
    if not children:
        return [_row(item, item, item, places)]
    if kind == CONFIGURABLE or (kind != BUNDLE and len(children) == 1):
        (child, *_) = children
        payer = item if amount(item.get("base_row_total")) or not amount(child.get("base_row_total")) else child
        return [_row(item, child, payer, places)]
    bound = str(item.get("product_id")) in together
    priced = any(amount(child.get("base_row_total")) for child in children)
    rows = [_component(item, child, priced, bound, places) for child in children]
    if not priced and amount(item.get("base_row_total")):
        rows.append(_charge(item))
    return rows


def _row(item: Row, stocked: Row, payer: Row, places: Mapping[object, str]) -> Row:
    """`item` is what the store ships and counts, `stocked` what lies on the shelf, `payer` what has the money."""
    tangible = _tangible(stocked)
    return {
        **item,
        **_money(payer),
        **_quantities(item, tangible),
        "stock_sku": stocked.get("sku") or item.get("sku"),
        "variant": stocked.get("product_id"),
        "tangible": tangible,
        "is_gift_card": item.get("product_type") == GIFT_CARD,
        "group": places.get(item.get("item_id"), "main") if tangible else "digital",
    }


def _component(bundle: Row, child: Row, priced: bool, bound: bool, places: Mapping[object, str]) -> Row:
    """A child of a bundle. What is counted on the bundle alone counts for the child in proportion."""
    each = amount(child.get("qty_ordered")) / (amount(bundle.get("qty_ordered")) or Decimal(1))
    counted = {
        name: max(amount(child.get(name)), amount(bundle.get(name)) * each)
        for name in ("qty_canceled", "qty_refunded", "qty_shipped")
    }
    payer = (
        child if priced else {**child, "base_row_total": ZERO, "base_discount_amount": ZERO, "base_tax_amount": ZERO}
    )
    row = {**_row({**child, **counted}, child, payer, places)}
    if bound and row["group"] == "main":
        row["group"] = "together"
    return row


def _charge(bundle: Row) -> Row:
    """The fixed price of a bundle: money without goods, since the goods are its children."""
    row = {**_row(bundle, bundle, bundle, {})}
    return {**row, **_quantities(bundle, False), "tangible": False, "group": "digital"}


def _tangible(item: Row) -> bool:
    return not amount(item.get("is_virtual")) and item.get("product_type") not in INTANGIBLE


def _quantities(item: Row, tangible: bool) -> Row:
    """Units ordered, still wanted, and gone.

    Refunded units are those that left as far as any did, by the store's own rule for what it may still ship: what is
    refunded beyond the shipped is no longer wanted.
    """
    ordered, shipped = amount(item.get("qty_ordered")), amount(item.get("qty_shipped")) if tangible else ZERO
    refunded = amount(item.get("qty_refunded"))
    given_up = max(ZERO, refunded - shipped)
    wanted = ordered - amount(item.get("qty_canceled")) - given_up
    return {"ordered": ordered, "wanted": wanted, "gone": shipped, "given_back": refunded - given_up}


def _money(item: Row) -> Row:
    """Money of a line in base currency, without tax: the hidden tax of a discount is taken off the discount."""
    hidden = amount(item.get("base_discount_tax_compensation_amount"))
    return {
        "subtotal": item.get("base_row_total"),
        "discount": amount(item.get("base_discount_amount")) - hidden,
        "tax": item.get("base_tax_amount"),
        "fixed_tax": amount(item.get("base_weee_tax_applied_row_amnt")),
        "order_fixed_tax": amount(item.get("weee_tax_applied_row_amount")),
        "unit_price": item.get("base_price"),
    }
