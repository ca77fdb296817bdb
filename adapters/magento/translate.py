"""What is irregular in a Magento order, as pure functions that `mappings/magento/order.toml` calls by name.

They are given raw values of any shape: one they cannot work with raises TypeError, ValueError, LookupError,
AttributeError or ArithmeticError, which the mapping turns into a problem that names field, path and value.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from adapters.magento import amounts
from adapters.magento.goods import Row, amount, goods

STAMP: Final = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)")
STREET_LINES: Final = 4


def utc(value: object) -> object:
    """A time as RFC 3339. The store writes UTC as "2026-01-15 09:30:00", without a zone; else the value itself."""
    if isinstance(value, str):
        match = STAMP.fullmatch(value)
        return f"{match[1]}T{match[2]}Z" if match else value
    return value


# --- what the order's state means -------------------------------------------------------------------------------------


def release_word(state: object, method: object, due: object, authorised: object) -> str | None:
    """Word of the table `release`, which holds whatever it does not know.

    The state, for `status` is the merchant's own text. A new order is paid or authorised ("new_paid") or waits for its
    money, and whether it may leave before depends on the way of paying: "new_cashondelivery", "new_banktransfer".
    """
    if not isinstance(state, str) or not state:
        return None
    if state != "new":
        return state
    return f"new_{method or 'unknown'}" if amount(due) > 0 and not amount(authorised) else "new_paid"


def financial_status(
    state: object, total: object, paid: object, refunded: object, cancelled: object, authorised: object
) -> str:
    """How much of the money is there; the store has sums and no word for it."""
    if amount(refunded):
        return "refunded" if amount(refunded) >= amount(paid) else "part_refunded"
    if amount(paid):
        return "paid" if amount(paid) >= amount(total) - amount(cancelled) else "part_paid"
    if state == "canceled":
        return "voided"
    if amount(authorised):
        return "authorised"
    return "pending" if amount(total) else "paid"


def cancelled_at(
    state: object, rows: Sequence[Row] | None, status: object, history: Sequence[Row] | None, updated_at: object
) -> object:
    """When the order was cancelled: in state "canceled", or "closed" (all refunded) before anything left.

    The store keeps no such time: it is that of the first note under the present status, else of the last change.
    """
    nothing_left = not any(amount(row.get("gone")) for row in rows or ())
    if state != "canceled" and not (state == "closed" and nothing_left):
        return None
    stamps = [note.get("created_at") for note in history or () if status and note.get("status") == status]
    return utc(min((stamp for stamp in stamps if isinstance(stamp, str)), default=updated_at))


def cancel_reason(state: object, successor: object) -> str | None:
    """An order that is edited in the admin is cancelled, and a new one takes its place."""
    return "edited" if state == "canceled" and successor else None


# --- the way of the goods ---------------------------------------------------------------------------------------------


def addresses(assignments: Sequence[Row] | None) -> Mapping[str, Row]:
    """Address and shipping method by delivery group: "main" and, where goods go to several, "address_2" and so on."""
    found: dict[str, Row] = {}
    for number, assignment in enumerate(assignments or (), 1):
        shipping = assignment.get("shipping") or {}
        person = person_of(shipping.get("address")) or {}
        found["main" if number == 1 else f"address_{number}"] = {**person, "method": shipping.get("method")}
    return found


def person_of(address: Row | None) -> Row | None:
    """An address with its street line by line and its name in one; `region` may be text, a code or only an id."""
    if not address:
        return None
    names = (address.get(part) for part in ("prefix", "firstname", "middlename", "lastname", "suffix"))
    street = address.get("street")
    lines = street.split("\n") if isinstance(street, str) else list(street or ())
    lines = [*lines[: STREET_LINES - 1], ", ".join(filter(None, lines[STREET_LINES - 1 :]))]
    region = address.get("region")
    known = region.get("region_code") or region.get("region") if isinstance(region, Mapping) else region
    return {
        **address,
        "name": " ".join(part for part in names if isinstance(part, str) and part) or None,
        "state": address.get("region_code") or known,
        **{f"street_{number}": line for number, line in enumerate(lines, 1)},
    }


def full_name(first: object, middle: object, last: object) -> str | None:
    """The parts of a name that are there."""
    return " ".join(part for part in (first, middle, last) if isinstance(part, str) and part) or None


# --- payments ---------------------------------------------------------------------------------------------------------


def payment_rows(
    order: object,
    payment: Row | None,
    invoices: Sequence[Row] | None,
    memos: Sequence[Row] | None,
    extension: Row | None,
    currency: object,
    placed_at: object,
    paid: object,
) -> tuple[Row, ...]:
    """Money that moved, in base currency: what was authorised, captured by invoice, refunded by credit memo, and what
    gift cards and store credit paid. Where the invoices are not known, the order's own sum stands for them."""
    given = payment or {}
    method = given.get("method") or "unknown"
    shared = {"method": method, "currency": currency, "at": utc(placed_at), "implied": False}
    rows: list[Row] = []
    if amount(given.get("base_amount_authorized")):
        held = {"id": f"order:{order}:authorised", "kind": "authorise", "state": "done"}
        rows.append({**shared, **held, "amount": given["base_amount_authorized"]})
    for invoice in invoices or ():
        rows.append({**shared, **_document(invoice, "invoice", "capture")})
    if not invoices and amount(paid):
        row: Row = {"id": f"order:{order}:paid", "kind": "sale", "state": "done", "amount": paid}
        rows.append({**shared, **row, "implied": True})
    for name, field in amounts.CREDITS:
        used = (extension or {}).get(field)
        if amount(used):
            credit = {"id": f"order:{order}:{name}", "kind": "sale", "method": name, "state": "done"}
            rows.append({**shared, **credit, "amount": used})
    for memo in memos or ():
        invoice_id = memo.get("invoice_id")
        parent = f"invoice:{invoice_id}" if invoice_id else None
        rows.append({**shared, **_document(memo, "creditmemo", "refund"), "parent": parent})
    return tuple(rows)


def _document(document: Row, name: str, kind: str) -> Row:
    return {
        "id": f"{name}:{document['entity_id']}",
        "kind": kind,
        "amount": document.get("base_grand_total"),
        "currency": document.get("base_currency_code"),
        "state": f"{name}_{document.get('state')}",
        "at": utc(document.get("created_at")),
    }


def as_list(*values: object) -> list[object]:
    """The values, for functions that take many."""
    return list(values)


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    function.__name__: function
    for function in (
        addresses,
        as_list,
        cancel_reason,
        cancelled_at,
        financial_status,
        full_name,
        goods,
        payment_rows,
        person_of,
        release_word,
        utc,
        amounts.differs,
        amounts.edited_amounts,
        amounts.fees,
        amounts.net_discount,
        amounts.order_fees,
        amounts.refunded_amounts,
        amounts.stated_total,
    )
}
"""What the mapping file may call."""
