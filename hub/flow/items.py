"""Items that a ledger tells of: made where the hub has none, and changed in what the ledger says of them."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from hub.domain.facts import ItemReported
from hub.domain.item import Customs, Particulars
from hub.domain.money import MINOR_UNITS
from hub.flow.batch import Batch
from hub.flow.carry import Parked
from hub.flow.ledger_ports import KnownItem, ToldItems
from hub.flow.ports import Inbound, Unit
from hub.flow.trouble import Trouble

PLACES: Final = 6
DIGITS: Final = 12
"""Of a price, after and before the point: those of PUT /items."""
LONGEST: Final = {"sku": 200, "title": 500, "barcode": 100, "base_unit": 100, "hs_code": 100}
MOST: Final = 2_000_000_000
COUNTRY: Final = re.compile("[A-Z]{2}")

Told = tuple[Inbound, ItemReported]


async def take_items(unit: Unit, messages: Sequence[Told], batch: Batch) -> Parked:
    """Write what is told; what is told already, or later was told otherwise, changes nothing.

    A kit stays as it is, and so does what the ledger keeps no more. Malformed values, and a unit in which the hub's
    figures of the item are not counted, need a person; nothing of the message is taken until then.
    """
    parked: Parked = []
    ordered = sorted(messages, key=lambda told: (told[0].merchant, told[0].connection, told[1].at, told[0].id))
    while ordered:
        # One transaction may hold several messages about an item: each is compared with what the one before left.
        first: dict[tuple[str, str, str], Told] = {}
        for one in ordered:
            first.setdefault((one[0].merchant, one[0].connection, one[1].sku), one)
        ordered = [one for one in ordered if first[one[0].merchant, one[0].connection, one[1].sku] is not one]
        for merchant, ledger in sorted({key[:2] for key in first}):
            mine = [one for key, one in first.items() if key[:2] == (merchant, ledger)]
            parked += await _take(unit, merchant, ledger, mine, batch.now)
    return parked


async def _take(unit: Unit, merchant: str, ledger: str, mine: Sequence[Told], now: datetime) -> Parked:
    """One ledger's words, at most one of each item."""
    parked: Parked = []
    known = await unit.known_items(merchant, ledger, {fact.sku: fact.base_unit for _, fact in mine})
    told = ToldItems({}, {}, {})
    for inbound, fact in mine:
        decided = _decide(inbound, fact, known.get(fact.sku))
        if isinstance(decided, Trouble):
            parked.append((inbound, decided))
            continue
        # A clock that was wrong for a day would keep the ledger unheard until then.
        told.heard[fact.sku] = min(fact.at, now)
        if decided is not None:
            (told.changed if fact.sku in known else told.made)[fact.sku] = decided
    if told.heard:
        await unit.put_told(merchant, ledger, told, now)
    return parked


def _decide(inbound: Inbound, fact: ItemReported, known: KnownItem | None) -> Particulars | Trouble | None:
    """The item as it is to be; None where nothing changes."""
    if not fact.active or (known is not None and (known.kit or (known.told_at or fact.at) > fact.at)):
        return None
    if wrong := fault(fact):
        step = f"Nothing of it was taken: {wrong}. Correct the item in the ledger, which tells it again."
        sku = fact.sku[: LONGEST["sku"]]
        return Trouble("item_malformed", f"{inbound.connection}: {sku}", step, external_id=sku)
    if known is None:
        return merged(Particulars(), fact)
    here, there = known.particulars.base_unit, fact.base_unit
    if there is not None and there != here and known.counted:
        step = (
            f"If both words mean one unit, say so: PUT /api/v1/connections/{inbound.connection}/tables/unit, "
            f'{{"{there}": "{here}"}}. If not, {fact.sku} is counted in two units: correct it in the ledger, or bring '
            f"its stock, orders and supply here to nothing first. Then retry."
        )
        cause = f"{inbound.connection}: counted here in {here!r}, in the ledger in unit {there!r}"
        return Trouble("item_unit_differs", cause, step, external_id=fact.sku)
    found = merged(known.particulars, fact)
    return None if found == known.particulars else found


def merged(known: Particulars, fact: ItemReported) -> Particulars:
    """What is known with what is told: the ledger's word for each field, currency and unit that it names."""
    anew = fact.base_unit is not None and fact.base_unit != known.base_unit
    customs = known.customs
    if fact.hs_code is not None or fact.origin_country is not None:
        before = customs or Customs()
        customs = msgspec.structs.replace(
            before,
            hs_code=fact.hs_code or before.hs_code,
            origin_country=fact.origin_country or before.origin_country,
        )
    return Particulars(
        title=fact.title or known.title,
        barcodes=fact.barcodes or known.barcodes,
        base_unit=fact.base_unit or known.base_unit,
        # Other units were counted in a base unit that is one no more.
        conversions=fact.conversions if anew else {**known.conversions, **fact.conversions},
        weight_g=known.weight_g if fact.weight_g is None else fact.weight_g,
        dimensions=fact.dimensions or known.dimensions,
        customs=customs,
        unit_cost={**known.unit_cost, **fact.unit_cost},
        price={**known.price, **fact.price},
    )


def fault(fact: ItemReported) -> str | None:
    """What is wrong with a fact's values; None where nothing is. The limits are those of PUT /items."""
    texts = [("sku", fact.sku), ("title", fact.title), ("base_unit", fact.base_unit), ("hs_code", fact.hs_code)]
    for name, text in [*texts, *(("barcode", one) for one in fact.barcodes)]:
        if text is not None and not 0 < len(text) <= LONGEST[name]:
            return f"{name} is empty, or longer than {LONGEST[name]} characters"
    if fact.origin_country is not None and COUNTRY.fullmatch(fact.origin_country) is None:
        return f"origin_country {fact.origin_country!r} is no code of two capitals"
    if fact.weight_g is not None and not 0 <= fact.weight_g <= MOST:
        return f"weight_g {fact.weight_g} is out of range"
    sizes = msgspec.structs.astuple(fact.dimensions) if fact.dimensions else ()
    if not all(0 < size <= MOST for size in (*sizes, *fact.conversions.values())):
        return "dimensions and conversions are positive numbers"
    return _price_fault("unit_cost", fact.unit_cost) or _price_fault("price", fact.price)


def _price_fault(name: str, prices: Mapping[str, Decimal]) -> str | None:
    for currency, amount in prices.items():
        said = f"{name} {currency} {amount}"
        if currency not in MINOR_UNITS:
            return f"{said}: no currency of ISO 4217"
        exponent = amount.as_tuple().exponent
        if not isinstance(exponent, int):
            return f"{said}: no amount"
        if amount < 0:
            return f"{said}: negative"
        if -exponent > PLACES:
            return f"{said}: more than {PLACES} decimal places"
        if amount.adjusted() >= DIGITS:
            return f"{said}: more than {DIGITS} digits"
    return None
