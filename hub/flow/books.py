"""What a ledger says it holds of a day, against what we posted into it. Pure, but for the one write at the end."""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from hub.domain.facts import BookedDocument, BooksReported
from hub.domain.posting import DocumentKind, EntryKind
from hub.flow.batch import Batch
from hub.flow.ports import Inbound, Unit

ENTRY = "entry"
"""Kind under which a ledger shows every entry of payments."""


class BookDrift(StrEnum):
    """How a ledger differs from what was posted."""

    MISSING_THERE = "missing_there"
    """It accepted the document, and holds it no more."""
    MISSING_HERE = "missing_here"
    """It holds a document under our reference that we know nothing of."""
    DOUBLED = "doubled"
    """It holds another one under the same reference."""
    AMOUNT = "amount_wrong"


class Posted(NamedTuple):
    """A document that we posted."""

    number: str
    key: str
    kind: str
    amount: int
    currency: str


class Found(NamedTuple):
    """A difference. `ours` and `theirs` are amounts in minor units, of `currency`; None is no document."""

    kind: str
    number: str
    key: str | None
    drift: BookDrift
    ours: int | None
    theirs: int | None
    currency: str


def shown_as(kind: str) -> str | None:
    """The kind under which a ledger shows what we posted; None for what carries no money of its own."""
    if kind in (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE):
        return kind
    return ENTRY if kind in tuple(EntryKind) else None


def compare(
    posted: Sequence[Posted],
    known: Mapping[tuple[str, str], Posted],
    held: Sequence[BookedDocument],
    elsewhere: set[str],
) -> list[Found]:
    """Differences of one day. `posted` are ours of that day; `known` ours among `held`, of whatever day, by
    (kind, number); `elsewhere` are numbers that the ledger holds on other days; `held` are its own of the day."""
    there = {(one.kind, one.number) for one in held}
    found = [
        Found(
            shown_as(one.kind) or one.kind, one.number, one.key, BookDrift.MISSING_THERE, one.amount, None, one.currency
        )
        for one in posted
        if (shown_as(one.kind), one.number) not in there and one.number not in elsewhere
    ]
    named = Counter(one.reference for one in held if one.reference)
    for one in held:
        ours = known.get((one.kind, one.number))
        if ours is None:
            if one.reference:
                drift = BookDrift.DOUBLED if named[one.reference] > 1 else BookDrift.MISSING_HERE
                found.append(Found(one.kind, one.number, None, drift, None, one.amount, one.currency))
        elif (ours.amount, ours.currency) != (one.amount, one.currency):
            found.append(Found(one.kind, one.number, ours.key, BookDrift.AMOUNT, ours.amount, one.amount, one.currency))
    return found


async def take_books(unit: Unit, messages: Sequence[tuple[Inbound, BooksReported]], batch: Batch) -> None:
    """Keep what ledgers hold, day by day, and compare it. The newest word of a day stands."""
    newest = {(inbound.connection, fact.day): (inbound, fact) for inbound, fact in messages}
    for (ledger, _), (inbound, fact) in sorted(newest.items()):
        await unit.compare_books(inbound.merchant, ledger, fact, batch.now)
