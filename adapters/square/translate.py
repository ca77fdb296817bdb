"""What is irregular in a Square order, as pure functions that `mappings/square/order.toml` calls by name.

They are given raw values of any shape: one they cannot work with raises TypeError, ValueError, LookupError,
AttributeError or ArithmeticError, which the mapping turns into a problem that names field, path and value.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from adapters.square import amounts
from adapters.square.goods import CANCELED, COMPLETED, DEAD, GROUPS, OPEN, Rows, goods
from adapters.square.schemas import Row

DETAILS: Final = ("shipment_details", "pickup_details", "delivery_details")


def ways(fulfilments: Rows) -> Mapping[str, Row]:
    """Type, person and wishes by delivery group; the person stands inside the fulfilment, none on the order."""
    found: dict[str, Row] = {}
    for name, one in zip(GROUPS, fulfilments or (), strict=False):
        details: Row = next((one[kind] for kind in DETAILS if one.get(kind)), {})
        person: Row = details.get("recipient") or {}
        address: Row = person.get("address") or {}
        found[name] = {
            **address,
            "type": one.get("type"),
            "name": person.get("display_name") or _full_name(address),
            "email": person.get("email_address"),
            "phone": person.get("phone_number"),
            "company": address.get("organization"),
            "service": details.get("shipping_type"),
            "deliver_by": details.get("deliver_at") or details.get("expected_shipped_at") or details.get("pickup_at"),
        }
    return found


def _full_name(address: Row) -> str | None:
    return " ".join(str(address[part]) for part in ("first_name", "last_name") if address.get(part)) or None


def release_word(
    state: object, fulfilments: Rows, rest: object, total: object, tenders: Rows, payments: Rows, currency: object
) -> str:
    """Word of the table `release`, which holds whatever it does not know.

    The state; an open order without a fulfilment is a "TICKET", and one that waits for its money is "OPEN_UNPAID".
    """
    if not isinstance(state, str) or not state:
        return "state_missing"
    if state != OPEN:
        return state
    if not fulfilments:
        return "TICKET"
    return "OPEN_UNPAID" if amounts.due(rest, total, tenders, payments, currency) > 0 else OPEN


def cancelled_at(state: object, fulfilments: Rows, closed_at: object, updated_at: object) -> object:
    """When the order was cancelled: by its state, or because every fulfilment was (a paid order then completes)."""
    dead = bool(fulfilments) and all(one.get("state") in DEAD for one in fulfilments or ())
    if state == CANCELED or (state == COMPLETED and dead):
        return closed_at or updated_at
    return None


def version(updated_at: object, created_at: object, payments: Rows, refunds: Rows, returns: Rows) -> object:
    """Time of the newest change. Square's counter is missing from orders of a till, and does not count refunds."""
    return amounts.latest(updated_at, created_at, payments, refunds, returns)


RISK_LEVELS: Final = {"HIGH": "high", "MODERATE": "medium", "NORMAL": "low"}
"""Worst first. PENDING says nothing yet."""


def risk_level(payments: Rows) -> str | None:
    """The worst of what Square thinks of the payments."""
    said = {(one.get("risk_evaluation") or {}).get("risk_level") for one in payments or ()}
    return next((ours for theirs, ours in RISK_LEVELS.items() if theirs in said), None)


def is_draft(state: object) -> bool:
    """A draft is nobody's order yet."""
    return state == "DRAFT"


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    function.__name__: function
    for function in (
        amounts.currency_of,
        amounts.fees,
        amounts.financial_status,
        amounts.money,
        amounts.payment_rows,
        amounts.refunded,
        amounts.shipping,
        cancelled_at,
        goods,
        is_draft,
        release_word,
        risk_level,
        version,
        ways,
    )
}
"""What the mapping file may call."""
