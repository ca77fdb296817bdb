"""A file taken apart: each transaction is stored on its own, and so is each refusal, with its reason. Pure."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from adapters.x12.answers import READ, Answer, Holders, Said, answer_of, answers_in
from adapters.x12.document import Document, fulfilment
from adapters.x12.interchange import Finding, Group, Interchange, Party, Segment, Transaction, element
from adapters.x12.settings import Profile
from adapters.x12.stock import receipt_of
from hub.sdk.capabilities import Pulled

ANSWER: Final = "answer"
"""Topic of what is said about files: the partner's of ours, and ours of the partner's that we cannot take."""

LOST: Final = ("no_iea", "no_ge", "stray_segment", "junk")
"""Findings about what may have been in a file besides what was read of it."""

_ASK: Final = "Ask the partner what it means."

_OWN_NUMBER: Final = {"945": ("W06", 4), "944": ("W17", 3), "947": ("W15", 2)}
"""Where a document's own number stands. One that has a number is known by it, whatever envelope it comes in."""


def split(interchanges: Sequence[Interchange], profile: Profile, holders: Holders) -> tuple[Pulled, ...]:
    """What a file holds, each once. `holders` names what the numbers that it answers were given to."""
    found: dict[str, Pulled] = {}
    for interchange in interchanges:
        for item in _interchange(interchange, profile, holders):
            found.setdefault(item.key, item)
    return tuple(found.values())


def _interchange(interchange: Interchange, profile: Profile, holders: Holders) -> Iterator[Pulled]:
    refused = refusal(interchange, profile)
    whole = f"ISA {interchange.control or 'without a number'}"
    transactions = [one for group in interchange.groups for one in group.transactions]
    if refused is not None and not transactions:
        yield _refused("ISA", whole, refused)
    if refused is None:
        told = "; ".join(f"{found.name}: {found.text}" for found in _untaken(interchange, transactions))
        if told:
            yield _refused("ISA", whole, f"{told}. Look at the file; what is whole was taken.")
    for segment in interchange.answers:
        yield from _answered(answer_of(segment), "TA1", whole, refused, profile, holders)
    for group in interchange.groups:
        for one in group.transactions:
            where = f"{whole}, GS {group.control or 'without a number'}, ST {one.control}"
            fault = one.fault
            if fault is not None and refused is None:
                yield _refused(one.set, where, f"{fault.name}: {fault.text}. Have the partner send it again.")
            elif refused is None and one.set == "997":
                said = answers_in(one)
                if not said:
                    yield _refused(one.set, where, f"no_verdict: it answers nothing (no AK5, no AK9). {_ASK}")
                for each in said:
                    yield from _answered(each, one.set, where, None, profile, holders)
            elif refused is None and one.set not in READ:
                words = f"not_read: {one.set} is none of the documents that are taken here ({', '.join(READ)})"
                yield _refused(one.set, where, words)
            else:
                yield _document(interchange, group, one, where, refused, profile)


def _untaken(interchange: Interchange, transactions: Sequence[Transaction]) -> list[Finding]:
    """What says that there was more, or other, than was taken. Counts that are wrong are answered by 997 only."""
    found = [*interchange.findings, *(one for group in interchange.groups for one in group.findings)]
    told = [one for one in found if one.name in LOST and not any(t.fault for t in transactions)]
    if not told and not transactions and not interchange.answers:
        return [Finding(name="nothing_inside", text="an envelope without transactions")]
    return told


def refusal(interchange: Interchange, profile: Profile) -> str | None:
    """Why nothing of an interchange is taken, by name and with what to do; None when it is for us."""
    fault = interchange.fault
    if fault is not None:
        return f"{fault.name}: {fault.text}. Have the partner send it again."
    if interchange.sender is None or interchange.receiver is None:
        step = "Set profile.bare if the partner may send such files."
        return None if profile.bare else f"no_envelope: transactions without ISA and GS. {step}"
    for name, theirs, ours in (
        ("wrong_sender", interchange.sender, profile.partner),
        ("wrong_receiver", interchange.receiver, profile.us),
    ):
        if (theirs.qualifier, theirs.id) != (ours.qualifier, ours.id):
            step = "Ask the partner, or correct the profile."
            return f"{name}: the file names {_named(theirs)}, agreed is {_named(ours)}. {step}"
    if (interchange.usage == "T") != profile.test:
        return f"wrong_usage: ISA15 is {interchange.usage or 'empty'}; profile.test is {str(profile.test).lower()}."
    return None


def _named(party: Party) -> str:
    return f"{party.qualifier}/{party.id}"


def _document(
    interchange: Interchange, group: Group, one: Transaction, where: str, refused: str | None, profile: Profile
) -> Pulled:
    sent = _sent(interchange, group)
    document = Document(
        set=one.set,
        segments=one.segments,
        where=where,
        sent=sent,
        zone=profile.time_zone,
        location=profile.location,
        refused=refused,
    )
    topic = ANSWER if refused is not None else one.set
    if topic == "944" and receipt_of(one.segments) == "purchase":
        topic = "944.stock"
    sender = interchange.sender.id if interchange.sender else ""
    number = _own_number(one)
    known = f"no {number}" if number else f"{interchange.control}:{group.control}:{one.control}"
    return Pulled(
        key=f"{one.set}:{sender}:{known}:{_digest(one.segments)}",
        topic=topic,
        object=_object(one, refused),
        body=msgspec.json.encode(document),
    )


def _object(one: Transaction, refused: str | None) -> str | None:
    """What it is about: documents of one order are read one after the other."""
    head = {"945": ("W06", 2), "944": ("W17", 4)}.get(one.set)
    if head is None or refused is not None:
        return None
    named = _first(one.segments, *head)
    return f"order:{fulfilment(named)}" if named else None


def _own_number(one: Transaction) -> str:
    where = _OWN_NUMBER.get(one.set)
    return _first(one.segments, *where) if where else ""


def _first(segments: Sequence[Segment], name: str, number: int) -> str:
    return next((element(segment, number) for segment in segments if segment[0] == name), "")


def _sent(interchange: Interchange, group: Group) -> str | None:
    date = group.date if len(group.date) == 8 else f"20{interchange.date}" if len(interchange.date) == 6 else ""
    time = (group.time or interchange.time)[:6]
    good = date.isdigit() and time.isdigit() and len(time) in (4, 6)
    return date + time if good else None


def _answered(
    said: Answer, set_: str, where: str, refused: str | None, profile: Profile, holders: Holders
) -> Iterator[Pulled]:
    held = holders.get(said.number) if said.number is not None else None
    if refused is not None or held is None:
        number = "no number" if said.number is None else f"number {said.number}"
        unknown = f"unknown_number: it answers {number}, which no file of ours has. {_ASK}"
        yield _refused(set_, where, refused or unknown)
        return
    if said.taken is None:
        unsaid = f"unknown_verdict: of our file {said.number} it says neither that it is taken nor that it is rejected"
        yield _refused(set_, where, f"{unsaid}. {_ASK}")
        return
    text = f"{set_} rejects our file {said.number}: {said.text or 'it does not say why'}"
    done = profile.acknowledged_cancel_is_done
    words = Said(held=held, taken=said.taken, text="" if said.taken else text, cancel_is_done=done)
    body = msgspec.json.encode({"said": words})
    about = held.partition(":")[2]
    yield Pulled(key=f"{set_}:{said.number}:{_hashed(body)}", topic=ANSWER, object=f"order:{about}", body=body)
    if not said.taken:
        step = f"It was {held}. Correct what the partner's guide wants (profile, address), then send it again."
        yield _refused(set_, where, f"rejected: {text}. {step}")


def _refused(set_: str, where: str, reason: str) -> Pulled:
    body = msgspec.json.encode(Document(set=set_, segments=(), where=where, refused=reason))
    return Pulled(key=f"refused:{set_}:{_hashed(body)}", topic=ANSWER, object=None, body=body)


def _digest(segments: Sequence[Segment]) -> str:
    return _hashed(msgspec.json.encode(segments))


def _hashed(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=12).hexdigest()
