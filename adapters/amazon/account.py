"""The seller's account: which money went back to a buyer, whoever gave it. Pure.

A refund is a transaction of the Finances API 2024-06-19. Its total is net of the fees that Amazon gives back, so what
the buyer got is read from its breakdowns. Amazon lists no words for these: the ones below stand in answers that
integrators published, and any other is named, never guessed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

Row = Mapping[str, Any]

REFUND: Final = "Refund"
RELEASE: Final = "DEFERRED_TRANSACTION_ID"
"""A transaction that names a deferred one only releases it: its money was told already."""
BUYERS: Final = frozenset({"Sales", "ProductCharges", "Product Charges", "Tax", "Shipping"})
SELLERS: Final = frozenset({"Expenses", "AmazonFees", "Amazon Fees"})


_row: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def read(raw: msgspec.Raw) -> Row:
    """A transaction with exact numbers. Raises `msgspec.MsgspecError`."""
    return _row.decode(raw)


def identifier(transaction: Row, name: str) -> str | None:
    """One of the ids that a transaction relates to."""
    for row in transaction.get("relatedIdentifiers") or ():
        if row.get("relatedIdentifierName") == name:
            value = row.get("relatedIdentifierValue")
            return str(value) if value else None
    return None


def is_refund(transaction: Row) -> bool:
    """Whether a transaction gives money back, for the first time."""
    return transaction.get("transactionType") == REFUND and identifier(transaction, RELEASE) is None


def given_back(transaction: Row) -> Decimal:
    """What the buyer got, positive. Raises ValueError for parts that nobody knows, or where none are stated."""
    parts = transaction.get("breakdowns")
    if not parts:
        raise ValueError(f"refund {transaction.get('transactionId')} states no breakdowns")
    return -_buyers(parts)


def _buyers(parts: Sequence[Row]) -> Decimal:
    found = Decimal(0)
    for part in parts:
        word, within = part.get("breakdownType"), part.get("breakdowns")
        if word in BUYERS:
            found += _amount(part.get("breakdownAmount"))
        elif word in SELLERS:
            continue
        elif within:
            found += _buyers(within)
        else:
            raise ValueError(f"{word!r} is no part of a refund that we know")
    return found


def _amount(money: Row | None) -> Decimal:
    value = (money or {}).get("currencyAmount")
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError(f"{value!r} is not an amount")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value!r} is not an amount")
    return number


def refund_rows(order: object, transactions: Sequence[Row] | None) -> list[Row]:
    """Refunds as rows of payments; one that only moved fees moved nothing of the buyer's.

    What cannot be read stands in place of its amount: the mapping makes a problem of that one payment, and names it.
    """
    rows: list[Row] = []
    for transaction in filter(is_refund, transactions or ()):
        amount: Decimal | str
        try:
            amount = given_back(transaction)
        except ValueError as fault:
            amount = str(fault)
        if not amount:
            continue
        name = transaction.get("transactionId") or f"{order}:refund:{transaction.get('postedDate')}"
        currency = (transaction.get("totalAmount") or {}).get("currencyCode")
        row = {"id": name, "kind": "returned", "method": "amazon", "at": transaction.get("postedDate")}
        rows.append({**row, "amount": amount, "currency": currency})
    return rows


def newest(updated: object, created: object, transactions: Sequence[Row] | None) -> object:
    """Time of the newest change: a refund does not change the order itself."""
    times = [updated or created, *(one.get("postedDate") for one in transactions or () if is_refund(one))]
    stated = [time for time in times if isinstance(time, str)]
    return max(stated, key=datetime.fromisoformat, default=None)
