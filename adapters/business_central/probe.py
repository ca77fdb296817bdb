"""The connection test: whether the app is let in, which company answers, and whether it has what postings need."""

from adapters.business_central.client import BusinessCentral
from adapters.business_central.settings import Settings, account
from hub.sdk.capabilities import Check, Context, Probe


async def probe(context: Context[Settings]) -> Probe:
    """Raises `Interrupted` when it cannot be reached or refuses the app."""
    settings = context.settings
    company = await BusinessCentral(context).company()
    missing = [
        name
        for name in ("shipping_account", "charges_account", "tax_account", "returns_account")
        if getattr(settings, name) is None
    ]
    detail = f"not set: {', '.join(missing)}; a document that needs one waits for a person" if missing else "all set"
    return Probe(
        account=account(settings).replace(settings.company, company.id),
        checks=(
            Check(name="company", ok=True, detail=company.name),
            Check(name="G/L accounts", ok=True, detail=detail),
        ),
    )
