"""A day's stock adjustment in a ledger: a document for what is gone and one for what was found, each booked once. Pure.

Shared by adapters of ledgers whose stock documents have one direction. Our names of the two are searched before
anything is made, so what was made is gone on with, and what a person cancelled is not made again behind their back.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from hub.sdk.outcomes import Done, blocked
from hub.sdk.posting import AdjustedLine, StockAdjustment


class StockDocument(Protocol):
    """One of the two, as the ledger has it."""

    @property
    def mark(self) -> str:
        """Our name of it."""
        ...

    @property
    def name(self) -> str:
        """The ledger's."""
        ...

    @property
    def cancelled(self) -> bool:
        """Somebody cancelled it in the ledger."""
        ...


D = TypeVar("D", bound=StockDocument)


def by_direction(request: StockAdjustment) -> dict[str, list[AdjustedLine]]:
    """Lines by our name of their document: "<key>/out" for what is gone, "<key>/in" for what was found."""
    ways = {
        f"{request.key}/out": [line for line in request.lines if line.quantity < 0],
        f"{request.key}/in": [line for line in request.lines if line.quantity > 0],
    }
    return {mark: lines for mark, lines in ways.items() if lines}


def living(found: Sequence[D], ledger: str, clear: str) -> dict[str, D]:
    """Those that live, by our name of them. Raises NeedsPerson where there are several, or none but cancelled ones.

    `clear` is what has to be cleared of a cancelled one to have it booked anew.
    """
    kept: dict[str, D] = {}
    for one in found:
        if not one.cancelled and kept.setdefault(one.mark, one) is not one:
            raise blocked(f"{one.mark} is in {ledger} several times", "cancel all but one, then retry")
    for one in found:
        if one.mark not in kept:
            raise blocked(
                f"{one.mark} was cancelled in {ledger} ({one.name})",
                f"clear {clear} to book it anew, or resolve the exception",
            )
    return kept


def booked(documents: Mapping[str, StockDocument], *, found: bool) -> Done:
    """The outcome, by the ledger's names of them; `found` when they were all done before."""
    return Done(reference=", ".join(documents[mark].name for mark in sorted(documents)), found=found)
