"""What is read of a ledger's open purchase orders: all of them each time, told where they changed. Pure.

No ledger dates an order by the change or receipt of its lines, so the list is read whole; the cursor keeps what was
told.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Final

import msgspec

from hub.domain.facts import UNSTATED, SupplyLine, SupplyReported
from hub.sdk.capabilities import Page, Pulled
from hub.sdk.translate import Malformed, Tables

SUPPLY: Final = "supply"
"""Topic of a purchase order."""
PULL: Final = "pull_supply"
"""Off until its mode is set: what was kept by hand (PUT /supply) under the same references is replaced."""
EVERY_SECONDS: Final = 1800
AT_ONCE: Final = 200

_decoder: Final = msgspec.json.Decoder(SupplyReported)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Cursor: how many reads brought something, and a digest of each purchase order as it was told last."""

    reads: int = 0
    digests: dict[str, str] = {}


def whole_units(left: Decimal) -> int:
    """Units that may be promised: of a part of one, none."""
    return int(left.to_integral_value(ROUND_FLOOR))


def supply_pages(orders: Mapping[str, Sequence[SupplyLine]], cursor: str | None, now: datetime) -> Iterator[Page]:
    """Purchase orders that are new or changed since the cursor, and those that are not open any more, without lines.

    `orders` are all that are open, by number. The key is of this read: what is changed and changed back is told twice.
    """
    before = Told() if cursor is None else msgspec.json.decode(cursor, type=Told)
    found = {number: _body(number, lines) for number, lines in orders.items() if lines}
    bodies = {**{number: _body(number, ()) for number in before.digests if number not in found}, **found}
    changed = [number for number in sorted(bodies) if _digest(bodies[number]) != before.digests.get(number)]
    kept = dict(before.digests)
    day = now.astimezone(UTC).date()
    for start in range(0, len(changed), AT_ONCE):
        items = []
        for number in changed[start : start + AT_ONCE]:
            digest = _digest(bodies[number])
            key = f"supply:{number}:{day}:{before.reads}:{digest}"
            items.append(Pulled(key=key, topic=SUPPLY, object=f"supply:{number}", body=bodies[number]))
            kept.pop(number, None)
            if number in found:
                kept[number] = digest
        yield Page(items=tuple(items), cursor=_text(before.reads, kept))
    # Last, so that a read that was cut short goes on under the keys that it began with.
    yield Page(items=(), cursor=_text(before.reads + bool(changed), kept))


def supply_facts(body: bytes, tables: Tables) -> Sequence[SupplyReported]:
    """A purchase order. Raises Malformed."""
    try:
        return (_decoder.decode(body),)
    except msgspec.MsgspecError as error:
        text, _, path = str(error).partition(" - at ")
        raise Malformed("purchase order", path.strip("`") or "$", text) from error


def _body(number: str, lines: Sequence[SupplyLine]) -> bytes:
    return msgspec.json.encode(SupplyReported(at=UNSTATED, reference=number, lines=tuple(lines)))


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


def _text(reads: int, digests: dict[str, str]) -> str:
    return msgspec.json.encode(Told(reads=reads, digests=digests)).decode()
