"""Money of an order, of what was returned of it, and its payments. Pure; amounts leave as major units."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from adapters.square.goods import Rows, cents
from adapters.square.schemas import Row
from hub.domain.money import major

GOES_BACK: Final = frozenset({"PENDING", "APPROVED", "COMPLETED"})
"""States of a refund whose money goes or went."""

ZERO: Final = Decimal(0)


def money(value: object, currency: object) -> Decimal | None:
    """A money as an exact number of major units; None where there is none."""
    if value is None or not isinstance(currency, str):
        return None
    return major(cents(value, currency), currency)


def currency_of(total: object, lines: Rows, returned: object) -> str | None:
    """The order's currency: its total's, else its first line's."""
    for one in (total, *(line.get("base_price_money") for line in lines or ()), returned):
        if isinstance(one, Mapping) and isinstance(one.get("currency"), str):
            return str(one["currency"])
    return None


def shipping(rows: Rows, currency: object) -> Decimal:
    """Service charges that are the price of delivery, without their tax."""
    return _charges([row for row in rows or () if is_delivery(row)], currency)


def fees(rows: Rows, total: object, currency: object) -> Decimal:
    """All other service charges without their tax; the order's own sum where it names no rows."""
    if not rows:
        return money(total, currency) or ZERO
    return _charges([row for row in rows if not is_delivery(row)], currency)


def _charges(rows: Sequence[Row], currency: object) -> Decimal:
    return major(sum(_charge(row, currency) for row in rows), currency) if isinstance(currency, str) else ZERO


def _charge(row: Row, currency: str) -> int:
    tax = cents(row.get("total_tax_money"), currency)
    if row.get("total_money") is not None:
        return cents(row["total_money"], currency) - tax
    return cents(row.get("applied_money") or row.get("amount_money"), currency)


def is_delivery(row: Row) -> bool:
    """Whether a service charge is the price of delivery: Square keeps no type for it, only the name."""
    name = str(row.get("name") or "").casefold()
    return any(word in name for word in ("shipping", "delivery", "versand", "livraison", "spedizione", "envío"))


def refunded(order: object, returns: Rows, refunds: Rows, currency: object) -> Mapping[str, Decimal] | None:
    """What went back; None where nothing did.

    Parts come from the orders that return goods of this one, the total from the refunds themselves. A refund of an
    amount, without goods, is all subtotal. In an exchange the difference alone moves, so the goods' own sum stands.
    """
    if not isinstance(currency, str):
        return None
    paid = sum(cents(one.get("amount_money"), currency) for one in refunds or () if one.get("status") in GOES_BACK)
    parts = [
        one for other in returns or () for one in other.get("returns") or () if one.get("source_order_id") == order
    ]
    sums = [(one.get("return_amounts") or {}, one.get("rounding_adjustment") or {}) for one in parts]
    total, tax, discount, tip, fee = (
        sum(cents(amounts.get(f"{name}_money"), currency) for amounts, _ in sums)
        for name in ("total", "tax", "discount", "tip", "service_charge")
    )
    rounding = sum(cents(given.get("amount_money"), currency) for _, given in sums)
    if not paid and not total:
        return None
    if not total:
        total = paid
    exchange = any(other.get("line_items") for other in returns or ())
    found = {
        "subtotal": total - tax + discount - tip - fee - rounding,
        "discount": discount,
        "tax": tax,
        "tip": tip,
        "fees": fee,
        "rounding": rounding,
        "total": total if exchange or not refunds else paid,
    }
    return {name: major(value, currency) for name, value in found.items()}


def due(rest: object, total: object, tenders: Rows, payments: Rows, currency: object) -> int:
    """Minor units that nobody has paid or had authorised yet."""
    if not isinstance(currency, str):
        return 0
    if rest is not None:
        return cents(rest, currency)
    given = sum(cents(one.get("amount_money"), currency) for one in tenders or ())
    promised = sum(
        cents(one.get("total_money"), currency)
        for one in payments or ()
        if one.get("status") in ("APPROVED", "COMPLETED")
    )
    return max(0, cents(total, currency) - max(given, promised))


def financial_status(
    state: object, rest: object, total: object, tenders: Rows, payments: Rows, refunds: Rows, currency: object
) -> str:
    """How much of the money is there; Square has sums and no word for it."""
    if not isinstance(currency, str):
        return "pending"
    sum_total = cents(total, currency)
    back = sum(cents(one.get("amount_money"), currency) for one in refunds or () if one.get("status") in GOES_BACK)
    if back:
        return "refunded" if back >= sum_total else "part_refunded"
    if state == "CANCELED":
        return "voided"
    left = due(rest, total, tenders, payments, currency)
    kinds = {row["kind"] for row in payment_rows(tenders, payments, None, currency) if row["state"] == "done"}
    held = "authorise" in kinds and "capture" not in kinds
    if left <= 0:
        return "authorised" if held else "paid"
    return "part_paid" if left < sum_total else "pending"


# --- payments ---------------------------------------------------------------------------------------------------------

_PAYMENT_STATES: Final = {
    "APPROVED": (("authorise", "done"),),
    "COMPLETED": (("capture", "done"),),
    "PENDING": (("capture", "pending"),),
    "CANCELED": (("authorise", "done"), ("void", "done")),
    "FAILED": (("authorise", "failed"),),
}
HANDED_OVER: Final = frozenset({"cash", "external", "other", "no_sale", "third_party_card"})
"""Ways of paying that nobody authorises first. Any other payment is authorised and completed under one id, so what was
completed is a capture of itself: an authorisation told earlier is then used up."""
_CARD_STATES: Final = {"AUTHORIZED": "APPROVED", "CAPTURED": "COMPLETED", "VOIDED": "CANCELED", "FAILED": "FAILED"}


def payment_rows(tenders: Rows, payments: Rows, refunds: Rows, currency: object) -> tuple[Row, ...]:
    """Money that moved, in the words of the mapping. A payment stands under its own id, whether its tender told of it
    or Square's payment did; where both did, the payment says more."""
    known = {one.get("id") for one in payments or ()}
    rows: list[Row] = []
    for tender in tenders or ():
        name = tender.get("payment_id") or tender.get("id")
        if name not in known:
            rows.extend(
                _moved(name, _tender_state(tender), tender.get("amount_money"), _method(tender, "type"), tender)
            )
    for payment in payments or ():
        amount = payment.get("total_money") or payment.get("amount_money")
        rows.extend(_moved(payment.get("id"), payment.get("status"), amount, _method(payment, "source_type"), payment))
    for refund in refunds or ():
        rows.append(
            {
                "id": refund.get("id"),
                "kind": "refund",
                "state": f"refund_{str(refund.get('status') or 'missing').lower()}",
                "method": str(refund.get("destination_type") or "card").lower(),
                "parent": refund.get("payment_id"),
                "at": refund.get("created_at"),
                **_amount(refund.get("amount_money"), currency),
            }
        )
    return tuple({"currency": currency, **row} for row in rows)


def _moved(name: object, status: object, amount: object, method: str, row: Row) -> list[Row]:
    shared = {"method": method, "at": row.get("created_at"), **_amount(amount, None)}
    steps: Sequence[tuple[str, str]] = _PAYMENT_STATES.get(
        str(status), (("capture", f"payment_{str(status).lower()}"),)
    )
    rows: list[Row] = []
    for kind, state in steps:
        own = "sale" if kind == "capture" and method in HANDED_OVER else kind
        step = {"id": f"{name}/void" if kind == "void" else name, "kind": own, "state": state}
        parent = name if own in ("capture", "void") else None
        expires = row.get("delayed_until") if kind == "authorise" else None
        rows.append({**shared, **step, "parent": parent, "expires_at": expires})
    return rows


def _amount(amount: object, currency: object) -> Row:
    if not isinstance(amount, Mapping):
        return {"amount": None, "currency": currency}
    own = amount.get("currency") or currency
    return {"amount": money(amount, own), "currency": own}


def _tender_state(tender: Row) -> str:
    """A tender has no state of its own: a card's is with the card, anything else was handed over."""
    details = tender.get("card_details")
    status = details.get("status") if isinstance(details, Mapping) else None
    return _CARD_STATES.get(str(status), str(status)) if status else "COMPLETED"


def _method(row: Row, field: str) -> str:
    """Gift cards are payments of the brand SQUARE_GIFT_CARD."""
    details = row.get("card_details")
    card = details.get("card") if isinstance(details, Mapping) else None
    if isinstance(card, Mapping) and card.get("card_brand") == "SQUARE_GIFT_CARD":
        return "gift_card"
    word = str(row.get(field) or "unknown").lower()
    return "gift_card" if word == "square_gift_card" else word


# --- times ------------------------------------------------------------------------------------------------------------


def latest(updated_at: object, created_at: object, *beside: Rows) -> object:
    """The newest change of the order and of what stands beside it: a refund changes nothing of its sale."""
    times = [updated_at or created_at]
    times += [row.get("updated_at") or row.get("created_at") for rows in beside for row in rows or ()]
    return max((one for one in times if isinstance(one, str)), key=_moment, default=None)


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return at
