"""What a supplier was asked and said, as the API shows it."""

from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from hub.domain.purchase import Purchase, dearer


class PurchaseView(msgspec.Struct, frozen=True, kw_only=True):
    """The purchase order of a supplier. Prices of a unit are by line of the fulfilment order."""

    number: str | None
    currency: str | None
    agreed: dict[str, Decimal]
    acknowledged_at: datetime | None
    ships_on: datetime | None
    """When the supplier lets it leave, at the latest."""
    stated: dict[str, Decimal]
    stated_currency: str | None
    cost: int | None
    """Minor units of `stated_currency` for what the supplier took on; null while a price is unknown."""
    too_dear: bool
    """It asks for more than was agreed and is tolerated: approve the cost, or take it back."""


_purchase: Final = msgspec.json.Decoder(Purchase)


def purchase_view(document: str | None) -> PurchaseView | None:
    """A stored purchase order; None for a node that is no supplier."""
    if document is None:
        return None
    found = _purchase.decode(document)
    names = (name for name in PurchaseView.__struct_fields__ if name != "too_dear")
    return PurchaseView(too_dear=bool(dearer(found)), **{name: getattr(found, name) for name in names})
