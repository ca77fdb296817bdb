"""The connection test: whose key it is, which version answers, and whether this database has what we use."""

from typing import Final

from adapters.odoo import warehouse_rows
from adapters.odoo.answers import refusal
from adapters.odoo.client import Odoo
from adapters.odoo.fulfil import find_warehouse
from adapters.odoo.older import LACKED
from adapters.odoo.records import find_products
from adapters.odoo.schemas import needed
from adapters.odoo.settings import Settings, account
from hub.sdk.capabilities import Check, Context, Probe
from hub.sdk.outcomes import Interrupted

OLDEST_JSON2: Final = 19
OLDEST_RPC: Final = 17


async def probe(context: Context[Settings]) -> Probe:
    """Ask the database itself: every module may change its models, so the contract is per database.

    Raises `Interrupted` when it cannot be reached or refuses the key.
    """
    odoo = Odoo(context)
    user = await odoo.user()
    checks = [Check(name="api key", ok=True, detail=f"belongs to user {user.uid}"), await _version(odoo)]
    checks += [await _model(odoo, model, names) for model, names in sorted(_needed(context.settings).items())]
    checks.append(await _services(odoo))
    checks += [await _warehouse(odoo, code) for code in context.settings.warehouses]
    return Probe(account=account(context.settings), checks=tuple(checks))


async def _version(odoo: Odoo) -> Check:
    """JSON-2 exists since 19, and what a transfer's lines are told by since 17 (`quantity` and `picked`)."""
    version = await odoo.version()
    major = version.version_info[0] if version.version_info else None
    if isinstance(major, str):  # Odoo Online: "saas~18"
        major = int(major.rpartition("~")[2]) if major.rpartition("~")[2].isdigit() else None
    oldest, spoken = (OLDEST_RPC, "JSON-RPC") if odoo.rpc else (OLDEST_JSON2, "JSON-2")
    detail = f"Odoo {version.version} by {spoken}"
    return Check(name="version", ok=major is not None and major >= oldest, detail=detail)


def _needed(settings: Settings) -> dict[str, frozenset[str]]:
    """Fields of the books, and of Inventory where warehouses are worked."""
    books, goods = needed(), warehouse_rows.needed() if settings.warehouses else {}
    none: frozenset[str] = frozenset()
    return {model: books.get(model, none) | goods.get(model, none) for model in books.keys() | goods.keys()}


async def _warehouse(odoo: Odoo, code: str) -> Check:
    try:
        await find_warehouse(odoo, code)
    except Interrupted as interrupted:
        if not refusal(interrupted):
            raise
        return Check(name=f"warehouse {code}", ok=False, detail=interrupted.outcome.reason)
    return Check(name=f"warehouse {code}", ok=True, detail="delivers in one step")


async def _model(odoo: Odoo, model: str, names: frozenset[str]) -> Check:
    try:
        missing = names - await odoo.fields(model, sorted(names))
        if odoo.rpc:
            missing -= {name for lacked, name in LACKED if lacked == model}
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
