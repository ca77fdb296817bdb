"""Pure: what a label request declares at a customs border, as EasyPost's customs_info."""

from collections import Counter
from decimal import ROUND_DOWN, Decimal
from typing import Final

from hub.domain.contact import Contact
from hub.domain.money import major
from hub.sdk.capabilities import Declaration, LabelRequest
from hub.sdk.outcomes import NeedsPerson

OUNCE_G: Final = Decimal("28.349523125")
TENTH: Final = Decimal("0.1")

NO_EXPORT_FILING: Final = "NOEEI 30.37(a)"
"""What the United States want to read on exports that need no filing."""
FILED_FROM: Final = 250_000
"""US cents: goods of one tariff number worth more than this, in all boxes together, leave the United States with a
filing's number (ITN), which nobody gave us."""


def customs_info(wanted: LabelRequest) -> dict[str, object] | NeedsPerson | None:
    """The customs_info of a shipment; None without a declaration.

    Values and weights are of a line's units together. Goods carry no weight of their own in a declaration: the
    parcel's is shared among the units, rounded down, so that the lines never weigh more than the parcel.
    """
    declared = wanted.declaration
    if declared is None:
        return None
    lacking = [goods.description for goods in declared.goods if goods.origin_country is None]
    if lacking:
        return NeedsPerson(
            reason=f"{wanted.key}: nobody said where {', '.join(lacking)[:200]} was made",
            next_step="add the country of origin to the item's customs data, then retry",
        )
    filing = _filing(declared, wanted.ship_from)
    if isinstance(filing, str):
        return NeedsPerson(reason=f"{wanted.key}: {filing}", next_step="file the export and buy this label by hand")
    units = sum(goods.quantity for goods in declared.goods)
    return {
        "contents_type": "merchandise",
        "restriction_type": "none",
        "customs_certify": True,
        "customs_signer": wanted.ship_from.name or wanted.ship_from.company,
        **filing,
        "customs_items": [
            {
                "description": goods.description,
                "quantity": goods.quantity,
                "value": str(major(goods.value, declared.currency)),
                "currency": declared.currency,
                "weight": _ounces(wanted.parcel.weight_g * goods.quantity, units),
                "hs_tariff_number": goods.hs_code,
                "origin_country": goods.origin_country,
            }
            for goods in declared.goods
        ],
    }


def _filing(declared: Declaration, ship_from: Contact) -> dict[str, str] | str:
    """What the exporting country wants besides, or why it cannot be said."""
    if ship_from.country != "US":
        return {}
    if declared.currency != "USD":
        return f"an export from the United States is declared in USD, not in {declared.currency}"
    worth: Counter[str] = Counter()
    for goods in declared.goods:
        worth[goods.hs_code or goods.description] += goods.value
    if any(value > FILED_FROM for value in worth.values()):
        return "goods of one kind worth more than 2,500 USD need an export filing"
    return {"eel_pfc": NO_EXPORT_FILING}


def _ounces(grams: int, units: int) -> Decimal:
    return max(TENTH, (Decimal(grams) / units / OUNCE_G).quantize(TENTH, ROUND_DOWN))
