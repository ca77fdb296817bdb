"""What the books hold, day by day: posted invoices, credit notes, and entries of payments."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Final

from adapters.odoo.client import Domain, Odoo
from adapters.odoo.schemas import AccountMove, display
from adapters.odoo.settings import Settings
from adapters.odoo.translate import company_terms
from hub.domain.facts import BookedDocument
from hub.sdk.capabilities import Context, Page
from hub.sdk.ledger_reads import day_page, days_to_read, document

AT_ONCE: Final = 1000
KINDS: Final = {"out_invoice": "invoice", "out_refund": "credit_note", "entry": "entry"}


async def pull_books(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """Each of the last days, whole."""
    odoo = Odoo(context)
    for day in days_to_read(context.now()):
        yield day_page(day, await _day(odoo, day), context.now())


async def _day(odoo: Odoo, day: date) -> list[BookedDocument]:
    found = await _rows(
        odoo, [["invoice_date", "=", day.isoformat()], ["move_type", "in", ["out_invoice", "out_refund"]]]
    )
    found += await _rows(odoo, [["date", "=", day.isoformat()], ["move_type", "=", "entry"], ["ref", "!=", False]])
    return [
        document(
            KINDS[one.move_type],
            str(one.name),
            one.amount_total,
            currency,
            one.ref if isinstance(one.ref, str) else None,
        )
        for one in found
        if (currency := display(one.currency_id))
    ]


async def _rows(odoo: Odoo, terms: Domain) -> list[AccountMove]:
    found: list[AccountMove] = []
    whole: Domain = [*terms, ["state", "=", "posted"], *company_terms(odoo.settings)]
    while True:
        after: Domain = [["id", ">", found[-1].id]] if found else []
        page = await odoo.rows(AccountMove, [*whole, *after], limit=AT_ONCE)
        found += page
        if len(page) < AT_ONCE:
            return found
