"""What the books hold, day by day: posted invoices, credit memos, and what was booked on the clearing accounts."""

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal

from adapters.business_central.client import BusinessCentral
from adapters.business_central.schemas import CompanyInformation, CreditMemo, LedgerEntry, SalesInvoice
from adapters.business_central.settings import Settings
from adapters.business_central.translate import POSTED, equals
from hub.domain.facts import BookedDocument
from hub.sdk.capabilities import Context, Page
from hub.sdk.ledger_reads import day_page, days_to_read, document


async def pull_books(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """Each of the last days, whole."""
    central = BusinessCentral(context)
    companies = await central.rows(CompanyInformation, "")
    own = companies[0].currency_code if companies else ""
    for day in days_to_read(context.now()):
        documents = [*await _documents(central, day), *await _entries(central, day, own)]
        yield day_page(day, documents, context.now())


async def _documents(central: BusinessCentral, day: date) -> list[BookedDocument]:
    terms = f"postingDate eq {day}"
    rows = [("invoice", one) for one in await central.rows(SalesInvoice, terms)]
    memos = [("credit_note", one) for one in await central.rows(CreditMemo, terms)]
    return [
        document(kind, one.number, one.total_amount_including_tax, one.currency_code, one.external_document_number)
        for kind, one in [*rows, *memos]
        if one.status in POSTED and one.status not in ("Canceled", "Corrective")
    ]


async def _entries(central: BusinessCentral, day: date, currency: str) -> list[BookedDocument]:
    """By document number; the general ledger shows no reference of ours."""
    settings = central.settings
    named = (settings.payments_account, settings.gift_card_account, *settings.method_accounts.values())
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for number in sorted({one for one in named if one}):
        terms = f"{equals('accountNumber', [number])} and postingDate eq {day}"
        for entry in await central.rows(LedgerEntry, terms):
            totals[entry.document_number] += entry.debit_amount - entry.credit_amount
    return [document("entry", number, total, currency) for number, total in totals.items()]
