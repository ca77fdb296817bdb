"""Money of an order, of its cancelled part and of its credit memos, from the store's own totals. Pure.

The store's rule (all `base_*`, website currency): grand total = subtotal + shipping + tax + discount (negative)
+ discount tax compensation + shipping discount tax compensation + fixed product taxes, gift wrapping and custom fees
- gift cards - store credit - reward points. Subtotal and shipping are without tax in it, whether the catalogue's prices
have tax in them or not; the compensation is the tax inside a discount that was reckoned on prices with tax.
So the canonical view is always the one without tax: discount less its compensation, tax beside it, exact to the cent.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from adapters.magento.goods import ZERO, Row, amount

CANCELLED: Final = 3
"""State of an invoice or credit memo that does not count."""


def net_discount(discount: object, hidden: object, shipping_hidden: object) -> Decimal:
    """The order's discount as a positive number without tax; on the wire it is negative and may have tax in it."""
    return -amount(discount) - amount(hidden) - amount(shipping_hidden)


def fees(rows: Sequence[Row] | None, extension: Row | None) -> Decimal:
    """Fixed product taxes, gift wrapping and custom fees, in base currency."""
    return _fees(rows, extension, "fixed_tax", "base_", "base_custom_fee_amount")


def order_fees(rows: Sequence[Row] | None, extension: Row | None) -> Decimal:
    """The same in the order's currency."""
    return _fees(rows, extension, "order_fixed_tax", "", "custom_fee_amount")


def _fees(rows: Sequence[Row] | None, extension: Row | None, fixed: str, prefix: str, custom: str) -> Decimal:
    found = extension or {}
    total = sum((amount(row.get(fixed)) for row in rows or ()), ZERO)
    for name in (f"gw_{prefix}price", f"gw_items_{prefix}price", f"gw_card_{prefix}price"):
        total += amount(found.get(name))
    return total + sum((amount(fee.get(custom)) for fee in found.get("custom_fees") or ()), ZERO)


CREDITS: Final = (
    ("gift_card", "base_gift_cards_amount"),
    ("store_credit", "base_customer_balance_amount"),
    ("reward_points", "base_reward_currency_amount"),
)
"""Payments that the store takes off the grand total."""


def credits_used(extension: Row | None) -> Decimal:
    """What was paid by gift card, store credit and points."""
    found = extension or {}
    return sum((amount(found.get(name)) for _, name in CREDITS), ZERO)


def stated_total(total: object, extension: Row | None) -> Decimal | None:
    """What the sale came to: the grand total, before gift cards and the like paid part of it."""
    return None if total is None or total == "" else amount(total) + credits_used(extension)


def differs(one: object, other: object) -> bool:
    """Whether both are there and not the same."""
    return bool(one) and bool(other) and one != other


def edited_amounts(
    rows: Sequence[Row] | None,
    extension: Row | None,
    order: Sequence[object],
    cancelled: Sequence[object],
) -> Mapping[str, Decimal] | None:
    """What stands after a part was cancelled; None where none was.

    `order`: grand total, shipping, tax, discount, its two compensations. `cancelled`: total, subtotal, shipping, tax,
    discount. The store does not say what compensation went with the cancelled discount: it is what remains.
    """
    total, shipping, tax, discount, hidden, shipping_hidden = (amount(value) for value in order)
    gone, gone_subtotal, gone_shipping, gone_tax, gone_discount = (amount(value) for value in cancelled)
    if not gone:
        return None
    if gone == total:
        return dict.fromkeys(("subtotal", "shipping", "tax", "discount", "fees", "total"), ZERO)
    gone_hidden = gone - gone_subtotal - gone_shipping - gone_tax + gone_discount
    subtotal = sum((amount(row.get("subtotal")) for row in rows or ()), ZERO)
    return {
        "subtotal": subtotal - gone_subtotal,
        "shipping": shipping - gone_shipping,
        "tax": tax - gone_tax,
        "discount": net_discount(discount, hidden, shipping_hidden) - gone_discount + gone_hidden,
        "fees": fees(rows, extension),
        "total": total + credits_used(extension) - gone,
    }


def refunded_amounts(
    memos: Sequence[Row] | None, total: object, parts: Sequence[object]
) -> Mapping[str, Decimal] | None:
    """What went back; None where nothing did.

    From the credit memos where the order came with them, else from the order's own sums: `parts` are subtotal,
    shipping, tax, discount, compensation, positive and negative adjustment.
    """
    if not amount(total):
        return None
    counting = [memo for memo in memos or () if memo.get("state") != CANCELLED]
    if counting:
        each = [_memo(memo) for memo in counting]
        return {name: sum((one[name] for one in each), ZERO) for name in each[0]}
    subtotal, shipping, tax, discount, hidden, plus, minus = (abs(amount(value)) for value in parts)
    return {
        "subtotal": subtotal,
        "shipping": shipping,
        "tax": tax,
        "discount": discount - hidden,
        "fees": ZERO,
        "rounding": plus - minus,
        "total": amount(total),
    }


def _memo(memo: Row) -> dict[str, Decimal]:
    lines: Sequence[Mapping[str, Any]] = memo.get("items") or ()
    return {
        "subtotal": amount(memo.get("base_subtotal")),
        "shipping": amount(memo.get("base_shipping_amount")),
        "tax": amount(memo.get("base_tax_amount")),
        "discount": net_discount(
            memo.get("base_discount_amount"),
            memo.get("base_discount_tax_compensation_amount"),
            memo.get("base_shipping_discount_tax_compensation_amnt"),
        ),
        "fees": sum((amount(line.get("base_weee_tax_applied_row_amnt")) for line in lines), ZERO),
        "rounding": amount(memo.get("base_adjustment_positive")) - amount(memo.get("base_adjustment_negative")),
        "total": amount(memo.get("base_grand_total")),
    }
