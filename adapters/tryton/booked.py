"""What the books hold, day by day: posted invoices, credit notes, and entries of payments."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final

from adapters.tryton.client import Domain, Tryton
from adapters.tryton.schemas import Company, Entry, EntrySide, Invoice
from adapters.tryton.settings import Settings
from adapters.tryton.translate import POSTED, day
from hub.domain.facts import BookedDocument
from hub.sdk.capabilities import Context, Page
from hub.sdk.ledger_reads import day_page, days_to_read, document

MOST: Final = 10_000
"""Documents of one day."""
OURS: Final = "%-pay-%"
"""Descriptions of entries that we posted."""


async def pull_books(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """Each of the last days, whole."""
    tryton = Tryton(context)
    (company,) = await tryton.read_rows(Company, [tryton.settings.company_id])
    own = company.currency.code if company.currency and company.currency.code else ""
    for one in days_to_read(context.now()):
        documents = [*await _invoices(tryton, one), *await _entries(tryton, one, own)]
        yield day_page(one, documents, context.now())


async def _invoices(tryton: Tryton, when: date) -> list[BookedDocument]:
    terms: Domain = [
        ["invoice_date", "=", _day(when)],
        ["state", "in", list(POSTED)],
        ["type", "=", "out"],
        ["company", "=", tryton.settings.company_id],
    ]
    return [
        document(
            "credit_note" if one.total_amount.decimal < 0 else "invoice",
            one.number or str(one.id),
            one.total_amount.decimal,
            one.currency.code,
            one.reference,
        )
        for one in await tryton.rows(Invoice, terms, limit=MOST)
        if one.currency and one.currency.code
    ]


async def _entries(tryton: Tryton, when: date, currency: str) -> list[BookedDocument]:
    terms: Domain = [
        ["date", "=", _day(when)],
        ["state", "=", "posted"],
        ["description", "like", OURS],
        ["company", "=", tryton.settings.company_id],
    ]
    entries = await tryton.rows(Entry, terms, limit=MOST)
    sides = {one.id: one for one in await tryton.read_rows(EntrySide, [line for one in entries for line in one.lines])}
    return [
        document(
            "entry",
            one.number or str(one.id),
            sum((sides[line].debit.decimal for line in one.lines), Decimal(0)),
            currency,
            one.description,
        )
        for one in entries
    ]


def _day(when: date) -> dict[str, object]:
    return day(datetime.combine(when, time(12), UTC))
