"""The connection test: whose session it is, which company, and whether the accounts are in the chart."""

from adapters.tryton.client import Tryton
from adapters.tryton.records import find_accounts
from adapters.tryton.schemas import Company
from adapters.tryton.settings import Settings, account
from hub.sdk.capabilities import Check, Context, Probe
from hub.sdk.outcomes import Interrupted, NeedsPerson


async def probe(context: Context[Settings]) -> Probe:
    """Raises `Interrupted` when it cannot be reached or refuses the user."""
    tryton, settings = Tryton(context), context.settings
    companies = await tryton.rows(Company, [["id", "=", settings.company_id]], limit=1)
    name = companies[0].rec_name if companies else f"there is no company {settings.company_id}, or it is not shown"
    checks = [Check(name="company", ok=bool(companies), detail=name)]
    named = (settings.revenue_account, settings.tax_account, settings.shipping_account, settings.charges_account)
    try:
        await find_accounts(tryton, [code for code in named if code is not None])
    except Interrupted as interrupted:
        if not isinstance(interrupted.outcome, NeedsPerson):
            raise
        checks.append(Check(name="accounts", ok=False, detail=interrupted.outcome.reason))
    else:
        checks.append(Check(name="accounts", ok=True, detail="all in the chart"))
    return Probe(account=account(settings), checks=tuple(checks))
