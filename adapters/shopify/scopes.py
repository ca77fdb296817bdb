"""What the app is allowed to do, and what is missing without it. Pure."""

from typing import Final

from hub.sdk.capabilities import Check

VISIBLE_DAYS: Final = 60
"""Without `read_all_orders` older orders are hidden."""

SCOPES: Final = {
    "read_orders": "orders and their webhooks",
    "write_orders": "cancelling, capturing and refunding orders",
    "read_returns": "webhooks of returns",
    "read_customers": "names and addresses on orders",
    "read_products": "finding variants by SKU",
    "read_inventory": "reading levels",
    "write_inventory": "publishing availability",
    "read_locations": "naming locations",
}
"""Scopes and what is missing without them. A write scope includes the read scope of its name."""

OF_MERCHANT: Final[tuple[str, ...]] = ("write_merchant_managed_fulfillment_orders",)
OF_SERVICES: Final[tuple[str, ...]] = ("write_assigned_fulfillment_orders", "write_third_party_fulfillment_orders")
FULFILLMENT_SCOPES: Final[tuple[str, ...]] = OF_MERCHANT + OF_SERVICES
"""At least one for each kind of owner of the locations; without it those fulfilment orders are just not there."""

COMPANY_SCOPES: Final = {"read_payment_terms": "when companies pay"}
"""More, where the connection says that companies buy; `read_customers` shows the companies themselves."""

HISTORY_SCOPE: Final = "read_all_orders"


def scope_checks(
    handles: frozenset[str], *, companies: bool = False, services: frozenset[bool] = frozenset()
) -> list[Check]:
    """Pure: one check per scope that something here needs; `companies` are to be read, too.

    `services` says of the active locations whether fulfilment services keep them; empty where that is not known.
    """
    granted = handles | {handle.replace("write_", "read_", 1) for handle in handles if handle.startswith("write_")}
    checks = [
        Check(name=f"scope {scope}", ok=scope in granted, detail=f"needed for {purpose}")
        for scope, purpose in (SCOPES | (COMPANY_SCOPES if companies else {})).items()
    ]
    owners = [scope for scope in FULFILLMENT_SCOPES if scope in granted]
    kinds = [OF_SERVICES if kept else OF_MERCHANT for kept in sorted(services)] or [FULFILLMENT_SCOPES]
    lacking = [" or ".join(kind) for kind in kinds if not granted.intersection(kind)]
    detail = ", ".join(owners)
    if lacking:
        detail = f"missing {', '.join(lacking)}: without it fulfilment orders look empty"
    checks.append(Check(name="scope fulfillment_orders", ok=not lacking, detail=detail))
    reach = "all orders" if HISTORY_SCOPE in granted else f"only the last {VISIBLE_DAYS} days ({HISTORY_SCOPE})"
    checks.append(Check(name="history", ok=True, detail=reach))
    return checks
