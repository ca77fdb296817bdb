"""The connection test: whose key it is, which version answers, and whether this database has what we use."""

from adapters.odoo.answers import refusal
from adapters.odoo.client import Odoo
from adapters.odoo.records import find_products
from adapters.odoo.schemas import needed
from adapters.odoo.settings import Settings, account
from hub.sdk.capabilities import Check, Context, Probe
from hub.sdk.outcomes import Interrupted


async def probe(context: Context[Settings]) -> Probe:
    """Ask the database itself: every module may change its models, so the contract is per database.

    Raises `Interrupted` when it cannot be reached or refuses the key.
    """
    odoo = Odoo(context)
    user = await odoo.user()
    checks = [Check(name="api key", ok=True, detail=f"belongs to user {user.uid}"), await _version(odoo)]
    checks += [await _model(odoo, model, names) for model, names in sorted(needed().items())]
    checks.append(await _services(odoo))
    return Probe(account=account(context.settings), checks=tuple(checks))


async def _version(odoo: Odoo) -> Check:
    """JSON-2 exists since 19."""
    version = await odoo.version()
    major = version.version_info[0] if version.version_info else None
    return Check(name="version", ok=isinstance(major, int) and major >= 19, detail=f"Odoo {version.version}")


async def _model(odoo: Odoo, model: str, names: frozenset[str]) -> Check:
    try:
        missing = names - await odoo.fields(model, sorted(names))
    except Interrupted as interrupted:
        if not refusal(interrupted):
            raise
        return Check(name=model, ok=False, detail=interrupted.outcome.reason)
    return Check(name=model, ok=not missing, detail=f"lacks {', '.join(sorted(missing))}" if missing else "as expected")


async def _services(odoo: Odoo) -> Check:
    """The products that shipping, tax and lines without a SKU are booked on."""
    settings = odoo.settings
    wanted = {settings.shipping_sku, settings.tax_sku, settings.other_sku}
    missing = sorted(wanted - (await find_products(odoo, wanted)).keys())
    detail = "all there" if not missing else f"not in Odoo: {', '.join(missing)}"
    return Check(name="service products", ok=not missing or settings.create_products, detail=detail)
