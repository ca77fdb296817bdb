"""What is read of a ledger's catalogue: items that changed there since the last read. Pure.

An adapter asks for items with a date of change from `begin(cursor).since` on, in an order of its own, and hands them to
`item_pages` part by part. The next read goes on from the ledger's own dates, not from our clock. It looks back over the
last one, and what it finds again is under its first key, which the inbox knows.
"""

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

import msgspec

from hub.domain.facts import ItemReported
from hub.sdk.capabilities import Page, Pulled
from hub.sdk.translate import Malformed, Tables, utc

ITEM: Final = "item"
"""Topic of an item."""
PULL: Final = "pull_items"
"""Off until its mode is set: what was kept by hand (PUT /items) is replaced where the ledger says otherwise."""
EVERY_SECONDS: Final = 1800
OVERLAP_SECONDS: Final = 600
"""A record is dated when its transaction begins, and seen when it ends."""
UNITS: Final = "unit"
"""Code table of the ledger's units: its word = the hub's. A word that is not there is the hub's own, too."""
PLACES: Final = Decimal("0.000001")
MOST_DIGITS: Final = 15
"""What is larger than so many digits is told as it is, and refused by name."""
HEAVIEST: Final = 1_000_000
"""In any unit; what is heavier is a slip of the pen, and no weight is told."""
GRAMS: Final = {"g": Decimal(1), "kg": Decimal(1000), "lb": Decimal("453.59237"), "oz": Decimal("28.349523125")}

_decoder: Final = msgspec.json.Decoder(ItemReported)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """Cursor: items dated from `since` on are read, `after` is how far that came in the adapter's own order, and `seen`
    the latest date among them."""

    since: datetime | None = None
    after: str = ""
    seen: datetime | None = None

    def text(self) -> str:
        """As it is kept."""
        return msgspec.json.encode(self).decode()


class Part(NamedTuple):
    """Items that one request brought, by the ledger's own id. `at` of each is its date of change."""

    items: Mapping[str, ItemReported]
    after: str = ""
    """Where the next request goes on; "" where a read that is cut short begins again."""


def begin(cursor: str | None) -> Reading:
    """Where a read goes on; without a cursor everything is read."""
    return Reading() if cursor is None else msgspec.json.decode(cursor, type=Reading)


async def item_pages(parts: AsyncIterator[Part], reading: Reading, now: datetime) -> AsyncIterator[Page]:
    """Pages of what `parts` bring, and the cursor of the next read after them.

    The key names the date and the content: changed and changed back is told twice, found again in the overlap once. A
    date after `now` moves the cursor no further than that, and one that `translate.utc` refuses not at all.
    """
    seen = reading.seen
    async for part in parts:
        seen = max([*_dates(part), *([] if seen is None else [seen])], default=None)
        kept = Reading(since=reading.since, after=part.after, seen=seen)
        yield Page(items=tuple(_pulled(id, item) for id, item in part.items.items()), cursor=kept.text())
    if seen is None:
        since = reading.since
    else:
        back = min(seen, now) - timedelta(seconds=OVERLAP_SECONDS)
        since = back if reading.since is None else max(back, reading.since)
    yield Page(items=(), cursor=Reading(since=since).text(), last=True)


def item_facts(body: bytes, tables: Tables) -> Sequence[ItemReported]:
    """An item, its units in the hub's words. Raises Malformed."""
    try:
        item = _decoder.decode(body)
    except msgspec.MsgspecError as error:
        text, _, path = str(error).partition(" - at ")
        raise Malformed("item", path.strip("`") or "$", text) from error
    unit = item.base_unit if item.base_unit is None else _word(item.base_unit, tables)
    conversions = {_word(word, tables): count for word, count in item.conversions.items()}
    return (msgspec.structs.replace(item, at=utc(item.at), base_unit=unit, conversions=conversions),)


def stated(amount: Decimal, currency: str | None) -> dict[str, Decimal]:
    """A price or cost by its currency. Zero is what a ledger shows where nobody stated any: it is not its word, and
    neither is an amount without a currency. Places beyond the sixth are an average's, and rounded."""
    if not currency or not amount.is_finite() or not amount:
        return {}
    if amount.adjusted() > MOST_DIGITS:
        return {currency: amount}
    exact = amount.quantize(PLACES, ROUND_HALF_EVEN).normalize()
    return {currency: Decimal(f"{exact:f}")} if exact else {}


def grams(weight: Decimal, unit: str | None) -> int | None:
    """A weight in whole grams, never none of what weighs something; None where none is stated, or in a unit that we do
    not know (g, kg, lb and oz are)."""
    factor = GRAMS.get((unit or "").strip().casefold())
    if factor is None or not 0 < weight <= HEAVIEST:
        return None
    return max(1, int((weight * factor).to_integral_value(ROUND_HALF_UP)))


def _dates(part: Part) -> Iterator[datetime]:
    for item in part.items.values():
        # `item_facts` meets the same date in the stored body, and parks that item alone.
        with suppress(Malformed):
            yield utc(item.at)


def _word(word: str, tables: Tables) -> str:
    return tables.find(UNITS, word) or word


def _pulled(id: str, item: ItemReported) -> Pulled:
    body = msgspec.json.encode(item)
    digest = hashlib.sha256(body).hexdigest()[:16]
    return Pulled(key=f"item:{id}:{item.at.isoformat()}:{digest}", topic=ITEM, object=f"item:{item.sku}", body=body)
