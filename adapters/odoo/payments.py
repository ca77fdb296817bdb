"""Book money that moved: an entry between the customer's account and the clearing account of the payment's method.

An entry goes into a general journal and not through Odoo's payments: the money came to a provider, not to a bank, and
what reaches the bank later is reconciled with the clearing account.
"""

from datetime import UTC

from adapters.odoo.amounts import check_total
from adapters.odoo.client import Odoo
from adapters.odoo.records import ensure_partner
from adapters.odoo.schemas import AccountMove, Currency
from adapters.odoo.settings import Settings, account
from adapters.odoo.translate import CREATE, Domain, Values, company_terms
from hub.domain.money import major
from hub.sdk.booking import clearing, what, within_period
from hub.sdk.capabilities import Context
from hub.sdk.outcomes import Done, Outcome, blocked
from hub.sdk.posting import EntryLine, EntryRequest


async def post_payment(context: Context[Settings], request: EntryRequest) -> Outcome:
    """Post one entry. Done names it by Odoo's number."""
    return await within_period(_post(Odoo(context), request), account(context.settings), request.dated)


async def _post(odoo: Odoo, request: EntryRequest) -> Outcome:
    entry = await _entry(odoo, request)
    found = entry is not None and entry.state == "posted"
    if entry is None:
        await odoo.create("account.move", [await _values(odoo, request)])
        entry = await _entry(odoo, request)
    if entry is None:
        raise blocked(f"{what(request)} was made in Odoo and is not shown", "check the rights of the API key's user")
    check_total(request, entry)
    if entry.state == "draft":
        # Posting answers false even on success, so the state is read again.
        await odoo.act("account.move", "action_post", entry.id)
        entry = await _entry(odoo, request) or entry
    if entry.state != "posted":
        raise blocked(f"{what(request)}: the entry stays {entry.state} in Odoo", "post it there, then send it again")
    return Done(reference=str(entry.name), found=found)


async def _entry(odoo: Odoo, request: EntryRequest) -> AccountMove | None:
    terms: Domain = [["ref", "=", request.key], ["move_type", "=", "entry"], *company_terms(odoo.settings)]
    found = await odoo.rows(AccountMove, terms, limit=10)
    living = [one for one in found if one.state != "cancel"]
    if len(living) > 1:
        raise blocked(
            f"{what(request)} is in Odoo {len(living)} times ({request.key})", "delete all but one, send it again"
        )
    if found and not living:
        raise blocked(
            f"{what(request)} was cancelled in Odoo ({request.key})",
            "clear the reference of the cancelled entry to have it booked anew, or skip the posting",
        )
    return living[0] if living else None


async def _values(odoo: Odoo, request: EntryRequest) -> Values:
    settings = odoo.settings
    if settings.receivable_account_id is None:
        raise blocked(
            f"{what(request)}: the connection does not name the account that customers owe on",
            "set receivable_account_id in the connection, then send it again",
        )
    known = {"payments": _text(settings.payments_account_id), "gift_card": _text(settings.gift_card_account_id)}
    by_method = {method: str(one) for method, one in settings.method_account_ids.items()}
    cleared = int(clearing(request, known, by_method, account(settings)))
    ids = {"clearing": cleared, "customer": settings.receivable_account_id}
    currency = await _currency(odoo, request)
    partner = await ensure_partner(odoo, request.customer)
    values: Values = {
        "move_type": "entry",
        "ref": request.key,
        "date": request.dated.astimezone(UTC).date().isoformat(),
        "currency_id": currency,
        "line_ids": [[CREATE, 0, _side(request, line, ids, currency, partner)] for line in request.lines],
    }
    chosen = {"company_id": settings.company_id, "journal_id": settings.clearing_journal_id}
    return values | {name: value for name, value in chosen.items() if value is not None}


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _side(request: EntryRequest, line: EntryLine, ids: dict[str, int], currency: int, partner: int) -> Values:
    """Odoo makes debit and credit of the signed amount, in its own currency at its own rate."""
    return {
        "account_id": ids[line.account],
        "partner_id": partner,
        "name": f"{request.order_number} {request.method}",
        "currency_id": currency,
        "amount_currency": major(line.debit - line.credit, request.currency),
    }


async def _currency(odoo: Odoo, request: EntryRequest) -> int:
    found = await odoo.rows(Currency, [["name", "=", request.currency]], limit=1)
    if not found:
        raise blocked(f"Odoo has no active currency {request.currency}", "activate it there, then send it again")
    return found[0].id
