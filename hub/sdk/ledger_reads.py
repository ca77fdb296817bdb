"""What is read of a ledger every day: the documents it holds of each of the last days. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from hub.domain.facts import UNSTATED, BookedDocument, BooksReported
from hub.domain.money import minor
from hub.sdk.capabilities import Page, Pulled
from hub.sdk.translate import Malformed, Tables

BOOKS: Final = "books"
"""Topic of a day of a ledger."""
EVERY_SECONDS: Final = 86_400
DAYS_BACK: Final = 7
"""How many days are compared anew each time: documents are corrected, taken back, dated elsewhere."""

_decoder: Final = msgspec.json.Decoder(BooksReported)


def days_to_read(now: datetime) -> list[date]:
    """The days to read, the newest first: a document that was moved on is seen there before it is missed here."""
    today = now.astimezone(UTC).date()
    return [today - timedelta(days=back) for back in range(DAYS_BACK + 1)]


def day_page(day: date, documents: Iterable[BookedDocument], now: datetime) -> Page:
    """All that a ledger holds of a day, as it is stored: once a day of ours, and whenever it changed."""
    body = msgspec.json.encode(BooksReported(at=UNSTATED, day=day, documents=tuple(documents)))
    key = f"books:{day}:{now.astimezone(UTC).date()}:{hashlib.sha256(body).hexdigest()[:20]}"
    return Page(items=(Pulled(key=key, topic=BOOKS, object=f"books:{day}", body=body),), cursor=now.isoformat())


def document(kind: str, number: str, total: Decimal, currency: str, reference: str | None = None) -> BookedDocument:
    """A document; the sign of its total is in its kind. Raises MoneyError for an amount with parts of a minor unit."""
    amount = abs(minor(total, currency))
    return BookedDocument(kind=kind, number=number, amount=amount, currency=currency, reference=reference or None)


def books_facts(body: bytes, tables: Tables) -> Sequence[BooksReported]:
    """A day of a ledger. Raises Malformed."""
    try:
        return (_decoder.decode(body),)
    except msgspec.MsgspecError as error:
        text, _, path = str(error).partition(" - at ")
        raise Malformed("day of the books", path.strip("`") or "$", text) from error
