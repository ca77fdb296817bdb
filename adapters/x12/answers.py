"""997 and TA1: what a partner says of files of ours, and what we say of the partner's. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from adapters.x12.document import opened
from adapters.x12.interchange import Group, Interchange, Segment, Transaction, element
from hub.domain.facts import UNSTATED, CancelConfirmed, CancelRefused, FulfilmentAccepted, FulfilmentRefused
from hub.sdk.adapter import Message
from hub.sdk.translate import Malformed, Tables

READ: Final = ("945", "944", "846", "947", "997")
"""Transactions that this adapter reads."""
TAKEN: Final = ("A", "E", "P")
"""Taken as it is, with errors noted, in part: of one transaction all the same."""
REJECTED: Final = ("R", "M", "W", "X")
"""Rejected: for what it says, or because it could not be authenticated or decrypted (elements 715 and 717)."""


class Answer(NamedTuple):
    """What a partner says of a file of ours, by its number."""

    number: int | None
    """None where it names none."""
    taken: bool | None
    """None where it does not say, or in a word that X12 does not have."""
    text: str


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A stored answer: `held` is what the number was given to, "submit:<fulfilment>" for one."""

    held: str
    taken: bool
    text: str
    cancel_is_done: bool = False


class _Settled(msgspec.Struct, frozen=True, kw_only=True):
    said: Said | None = None


_settled: Final = msgspec.json.Decoder(_Settled)


def settle(body: bytes, tables: Tables) -> Sequence[Message]:
    """What an answer means for what was sent. Raises `Malformed` for what was refused, and says why."""
    try:
        said = _settled.decode(body).said
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Malformed("997", "$", str(fault)) from fault
    if said is None:
        document = opened(body)
        raise Malformed(document.set, document.where, "no answer")
    kind, _, about = said.held.partition(":")
    match kind, said.taken:
        case "submit", True:
            return (FulfilmentAccepted(at=UNSTATED, fulfilment=about),)
        case "submit", False:
            return (FulfilmentRefused(at=UNSTATED, fulfilment=about, reason=said.text),)
        case "cancel", True if said.cancel_is_done:
            return (CancelConfirmed(at=UNSTATED, fulfilment=about),)
        case "cancel", False:
            return (CancelRefused(at=UNSTATED, fulfilment=about, reason=said.text),)
        case _:
            return ()


def answers_in(transaction: Transaction) -> list[Answer]:
    """What a 997 says: of each group, and of its transaction, which of ours there is one in each."""
    found: list[Answer] = []
    number: int | None = None
    verdicts: list[str] = []
    told: list[str] = []
    segment_id = ""
    for segment in transaction.segments:
        match segment[0]:
            case "AK1":
                if verdicts:
                    found.append(Answer(number, _taken(verdicts), "; ".join(told)))
                number, verdicts, told = _number(element(segment, 2)), [], []
            case "AK3":
                segment_id = f"{element(segment, 1)} (segment {element(segment, 2)})"
                told.append(f"{segment_id}: error {element(segment, 4) or 'not named'}")
            case "AK4":
                told.append(f"{segment_id}, element {element(segment, 1)}: error {element(segment, 3)}")
            case "AK5" | "AK9":
                verdicts.append(element(segment, 1))
                start = 2 if segment[0] == "AK5" else 5
                told += [f"{segment[0]} error {code}" for code in segment[start:] if code]
                if segment[0] == "AK9":
                    found.append(Answer(number, _taken(verdicts), "; ".join(told)))
                    verdicts, told = [], []
    if verdicts:
        # Without an AK9: what was said of the transaction holds.
        found.append(Answer(number, _taken(verdicts), "; ".join(told)))
    return found


def _taken(verdicts: Sequence[str]) -> bool | None:
    """What is rejected anywhere is rejected; a word that nobody knows says nothing."""
    if any(verdict in REJECTED for verdict in verdicts):
        return False
    return True if all(verdict in TAKEN for verdict in verdicts) else None


def answer_of(segment: Segment) -> Answer:
    """What a TA1 says of an interchange."""
    code = element(segment, 5)
    return Answer(_number(element(segment, 1)), _taken([element(segment, 4)]), f"TA1 error {code}" if code else "")


def numbers_in(interchanges: Sequence[Interchange]) -> set[int]:
    """Numbers of ours that a file answers."""
    told = [answer_of(segment) for interchange in interchanges for segment in interchange.answers]
    for interchange in interchanges:
        for group in interchange.groups:
            told += [a for one in group.transactions if one.set == "997" for a in answers_in(one)]
    return {answer.number for answer in told if answer.number is not None}


def _number(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdigit() and len(written) <= 9 else None


# --- ours ------------------------------------------------------------------------------------------------------------


def answer(group: Group) -> list[Segment] | None:
    """A 997 for a group; None for one that is itself an answer, or has no number to answer to.

    It repeats the partner's own words, which need not be writable.
    """
    if group.functional == "FA" or not group.control:
        return None
    segments: list[Segment] = [("AK1", group.functional, group.control)]
    verdicts = []
    for one in group.transactions:
        verdict, codes = _verdict(one)
        verdicts.append(verdict)
        segments += [("AK2", one.set, one.control), ("AK5", verdict, *codes)]
    taken = sum(verdict != "R" for verdict in verdicts)
    codes = tuple(dict.fromkeys(found.code for found in group.findings if found.code))[:5]
    whole = "E" if codes or "E" in verdicts else "A"
    if taken < len(verdicts):
        whole = "P" if taken else "R"
    count = str(len(verdicts))
    segments.append(("AK9", whole, count, count, str(taken), *codes))
    return segments


def _verdict(transaction: Transaction) -> tuple[str, tuple[str, ...]]:
    if transaction.set not in READ:
        return "R", ("1",)
    codes = tuple(dict.fromkeys(found.code for found in transaction.findings if found.code))[:5]
    if transaction.fault is not None:
        return "R", codes
    return ("E", codes) if codes else ("A", ())


Holders = Mapping[int, str | None]
"""What numbers of ours were given to."""
