"""Odoo in the demo: the books of a company that sells in several currencies."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from adapters.odoo.simulator import OdooSimulator
from hub.domain.money import minor
from hub.sdk.testkit.player import Booked, Good, LedgerPlayer, Part

SERVICES: Final = {"SHIPPING": "Shipping", "SALES-TAX": "Sales tax", "TIP": "Tip", "OTHER": "Other charges"}


class OdooPlayer(LedgerPlayer):
    """One database with a price list per foreign currency."""

    def __init__(self, part: Part) -> None:
        super().__init__(part)
        self._odoo = OdooSimulator(
            api_key=part.secret, database=part.name, currency=part.currency, seed=part.seed, faults=part.faults
        )
        foreign = [currency for currency in part.currencies if currency != part.currency]
        self._pricelists = {currency: self._odoo.books.add_pricelist(currency) for currency in foreign}
        for sku, name in SERVICES.items():
            self._odoo.add_product(sku, name, stocked=False)

    @property
    def simulator(self) -> OdooSimulator:
        """The database."""
        return self._odoo

    def config(self) -> dict[str, Any]:
        """A connection's config."""
        return {
            "host": f"{self.part.name}.example",
            "database": self._odoo.database,
            "api_key": self._odoo.api_key,
            "pricelists": self._pricelists,
            "base_url": self._odoo.base_url,
        }

    def know(self, goods: Iterable[Good]) -> None:
        """Put goods into the catalogue."""
        for good in goods:
            self._odoo.add_product(good.sku, good.title)

    def booked(self, order: str, currency: str) -> Booked:
        """What the books hold of an order."""
        posted = self._odoo.posted(order)
        sales = self._odoo.books.tables["sale.order"].where("client_order_ref", order)
        ordered = sum((sale["amount_total"] for sale in sales if sale["state"] != "cancel"), Decimal(0))
        return Booked(
            orders=posted.orders,
            ordered=minor(ordered, currency),
            deliveries=posted.deliveries,
            invoices=posted.invoices,
            drafts=posted.drafts,
            invoiced=minor(posted.invoiced, currency),
        )


PLAYER: Final = OdooPlayer
