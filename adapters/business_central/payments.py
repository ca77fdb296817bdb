"""Book money that moved: two lines of a general journal, between the clearing account of the payment's method and the
account of what customers paid.

Each entry has a journal of its own, named after our key: posting a journal posts all of it, and nobody's half-made
entry stands in the way of another. The API shows lines on G/L accounts only, so both sides are on such: what cannot be
seen cannot be looked for before it is repeated.
"""

import base64
import hashlib
from decimal import Decimal
from typing import Final

from adapters.business_central.amounts import check_total
from adapters.business_central.answers import later_if_changed
from adapters.business_central.client import BusinessCentral
from adapters.business_central.schemas import CompanyInformation, Journal, JournalLine, LedgerEntry
from adapters.business_central.settings import Settings, account
from adapters.business_central.translate import LONGEST_NAME, Values, day, equals
from hub.domain.money import major
from hub.sdk.booking import clearing, what, within_period
from hub.sdk.capabilities import Context
from hub.sdk.outcomes import Done, Outcome, blocked
from hub.sdk.posting import EntryLine, EntryRequest

GL_ACCOUNT: Final = "G/L Account"
LONGEST_JOURNAL: Final = 10
LONGEST_DOCUMENT: Final = 20


async def post_payment(context: Context[Settings], request: EntryRequest) -> Outcome:
    """Post one entry. Done names it by its document number."""
    posting = later_if_changed(_post(BusinessCentral(context), request))
    return await within_period(posting, account(context.settings), request.dated)


async def _post(central: BusinessCentral, request: EntryRequest) -> Outcome:
    number = document_number(request)
    if await _booked(central, request, number):
        return Done(reference=number, found=True)
    numbers = await _accounts(central, request)
    journal = await _journal(central, number[:LONGEST_JOURNAL])
    path = f"journals({journal.id})/{JournalLine.entity}"
    there = {line.account_number for line in await central.rows_of(JournalLine, path)}
    for line in request.lines:
        if numbers[line.account] not in there:
            await central.create(path, _line(request, line, numbers, number))
    await central.act(Journal, journal.id, "post")
    if not await _booked(central, request, number):
        raise blocked(
            f"{what(request)}: Business Central said that it posted it, and shows no entries {number}",
            f"look at the general journal {journal.code}; resolve this if it was posted, else send it again",
        )
    # An empty journal is in nobody's way: it is taken away once, and never looked for again.
    await central.remove(Journal, journal.id)
    return Done(reference=number)


async def _booked(central: BusinessCentral, request: EntryRequest, number: str) -> bool:
    entries = await central.rows(LedgerEntry, equals("documentNumber", [number]))
    if entries:
        debit = sum((entry.debit_amount for entry in entries), Decimal(0))
        check_total(request, number, request.currency, debit)
    return bool(entries)


async def _accounts(central: BusinessCentral, request: EntryRequest) -> dict[str, str]:
    settings = central.settings
    known = {"payments": settings.payments_account, "gift_card": settings.gift_card_account}
    cleared = clearing(request, known, settings.method_accounts, account(settings))
    if settings.customers_account is None:
        raise blocked(
            f"{what(request)}: the connection does not name the G/L account of what customers paid",
            "set customers_account in the connection, then send it again",
        )
    companies = await central.rows(CompanyInformation, "")
    own = companies[0].currency_code if companies else None
    if own != request.currency:
        raise blocked(
            f"{what(request)} is in {request.currency}, the company in Business Central keeps its books in {own}",
            "book it there by hand at the day's rate, then resolve this",
        )
    return {"clearing": cleared, "customer": settings.customers_account}


async def _journal(central: BusinessCentral, code: str) -> Journal:
    terms = equals("code", [code])
    found = await central.rows(Journal, terms)
    if not found:
        await central.create(Journal.entity, {"code": code, "displayName": "Hub payment"})
        found = await central.rows(Journal, terms)
    if not found:
        raise blocked(
            f"Business Central made the journal {code} and does not show it", "check the app's permission sets"
        )
    return found[0]


def document_number(request: EntryRequest) -> str:
    """Our name of an entry: 20 characters, of which the first 10 name its journal."""
    digest = hashlib.sha256(request.key.encode()).digest()
    return base64.b32encode(digest).decode()[:LONGEST_DOCUMENT]


def _line(request: EntryRequest, line: EntryLine, numbers: dict[str, str], number: str) -> Values:
    return {
        "accountType": GL_ACCOUNT,
        "accountNumber": numbers[line.account],
        "postingDate": day(request.dated),
        "documentNumber": number,
        "externalDocumentNumber": request.order,
        "amount": major(line.debit - line.credit, request.currency),
        "description": f"{request.order_number} {request.method} {request.kind}"[:LONGEST_NAME],
    }
