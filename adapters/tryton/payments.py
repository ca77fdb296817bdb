"""Book money that moved: an entry between the customer's account and the clearing account of the payment's method."""

from decimal import Decimal
from typing import Final

from adapters.tryton.answers import PERIOD
from adapters.tryton.client import Domain, Tryton, Values
from adapters.tryton.records import ensure_party, find_accounts
from adapters.tryton.schemas import Company, Entry, EntrySide, Journal, Party, Period
from adapters.tryton.settings import Settings, account
from adapters.tryton.translate import amount, day
from hub.domain.money import major
from hub.sdk.booking import LOCKED, check_total, clearing, what, within_period
from hub.sdk.capabilities import Context
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, blocked
from hub.sdk.posting import EntryRequest

JOURNALS: Final = ("cash", "general")
"""Types of journals that an entry may go into, the better one first."""


async def post_payment(context: Context[Settings], request: EntryRequest) -> Outcome:
    """Post one entry. Done names it by Tryton's number."""
    return await within_period(_post(Tryton(context), request), account(context.settings), request.dated)


async def _post(tryton: Tryton, request: EntryRequest) -> Outcome:
    entry = await _entry(tryton, request)
    found = entry is not None and entry.state == "posted"
    if entry is None:
        await tryton.create(Entry.model, await _values(tryton, request))
        entry = await _entry(tryton, request)
    if entry is None:
        raise blocked(f"{what(request)} was made in Tryton and is not shown", "check the user's access in Tryton")
    await _check(tryton, request, entry)
    if entry.state != "posted":
        await tryton.act(Entry.model, "post", entry.id)
        entry = await _entry(tryton, request) or entry
    if entry.state != "posted":
        raise blocked(f"{what(request)}: the entry stays {entry.state}", "post it in Tryton by hand")
    return Done(reference=entry.number or str(entry.id), found=found)


async def _entry(tryton: Tryton, request: EntryRequest) -> Entry | None:
    terms: Domain = [["description", "=", request.key], ["company", "=", tryton.settings.company_id]]
    found = await tryton.rows(Entry, terms, limit=10)
    if len(found) > 1:
        names = ", ".join(one.number or f"draft {one.id}" for one in found)
        raise blocked(
            f"{what(request)} is in Tryton {len(found)} times: {names}",
            "cancel all but one and clear their descriptions in Tryton, then send it again",
        )
    return found[0] if found else None


async def _check(tryton: Tryton, request: EntryRequest, entry: Entry) -> None:
    name = entry.number or f"draft {entry.id}"
    sides = await tryton.read_rows(EntrySide, entry.lines)
    debit = sum((side.debit.decimal for side in sides), Decimal(0))
    check_total(
        request,
        name,
        request.currency,
        debit,
        ledger="Tryton",
        foreign=f"delete {name} in Tryton, then send it again",
        wrong=f"correct {name} in Tryton",
    )


async def _values(tryton: Tryton, request: EntryRequest) -> Values:
    settings = tryton.settings
    known: dict[str, str | None] = {"payments": settings.payments_account, "gift_card": settings.gift_card_account}
    cleared = clearing(request, known, settings.method_accounts, account(settings))
    await _check_currency(tryton, request)
    accounts = await find_accounts(tryton, [cleared])
    party = await ensure_party(tryton, request.customer)
    ids = {"clearing": accounts[cleared], "customer": accounts[settings.receivable_account]}
    return {
        "company": settings.company_id,
        "journal": await _journal(tryton),
        "period": await _period(tryton, request),
        "date": day(request.dated),
        "description": request.key,
        "lines": [
            ["create", [_side(request, line.account, line.debit, line.credit, ids, party) for line in request.lines]]
        ],
    }


def _side(request: EntryRequest, role: str, debit: int, credit: int, ids: dict[str, int], party: Party) -> Values:
    values: Values = {
        "account": ids[role],
        "debit": amount(major(debit, request.currency)),
        "credit": amount(major(credit, request.currency)),
        "description": f"{request.order_number} {request.method}",
    }
    return values | ({"party": party.id} if role == "customer" else {})


async def _check_currency(tryton: Tryton, request: EntryRequest) -> None:
    """Entries in a foreign currency need its rate of the day, which is the books' business: a person's."""
    (company,) = await tryton.read_rows(Company, [tryton.settings.company_id])
    own = company.currency.code if company.currency else None
    if own != request.currency:
        raise blocked(
            f"{what(request)} is in {request.currency}, the company in Tryton keeps its books in {own}",
            "book it there by hand at the day's rate, then resolve this",
        )


async def _journal(tryton: Tryton) -> int:
    for kind in JOURNALS:
        found = await tryton.rows(Journal, [["type", "=", kind]], limit=1)
        if found:
            return found[0].id
    raise blocked("Tryton has no cash or general journal", "create one there, then send it again")


async def _period(tryton: Tryton, request: EntryRequest) -> int:
    """The open period of the entry's day; calls run no on-change rules, so it is looked up."""
    today = day(request.dated)
    terms: Domain = [
        ["company", "=", tryton.settings.company_id],
        ["start_date", "<=", today],
        ["end_date", ">=", today],
        ["type", "=", "standard"],
    ]
    found = await tryton.rows(Period, terms, limit=2)
    for period in found:
        if period.state == "open":
            return period.id
    said = f"{found[0].name} is {found[0].state}" if found else "no period of that day"
    raise Interrupted(NeedsPerson(kind=LOCKED, reason=said, next_step=PERIOD))
