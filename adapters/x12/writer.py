"""A strict writer of X12: padded envelopes, true counts, one number for interchange, group and file. Pure."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from adapters.x12.interchange import Segment
from adapters.x12.settings import Profile

LAST_NUMBER: Final = 999_999_999
"""ISA13 has nine digits. A partner gets as many files of us before they run out."""
CONTROL: Final = "0001"
"""ST02: there is one transaction in each of our files."""


class Unwritable(ValueError):
    """An identity that this partner's files cannot carry unchanged: says which, and why."""


def identity(what: str, value: str, longest: int, profile: Profile) -> str:
    """A value that must arrive as it is. Raises `Unwritable`."""
    if len(value) > longest:
        raise Unwritable(f"{what} {value!r} is longer than the {longest} characters that X12 has for it")
    try:
        value.encode(profile.encoding)
    except UnicodeEncodeError as fault:
        raise Unwritable(f"{what} {value!r} cannot be written in {profile.encoding}") from fault
    held = sorted(set(value) & set(_marks(profile)))
    if held:
        raise Unwritable(f"{what} {value!r} holds {' '.join(held)!r}, which X12 cannot carry: it is a delimiter here")
    return value


def text(value: str | None, longest: int, profile: Profile) -> str:
    """Words for people, cut and without what the file cannot carry: X12 knows no escape for its delimiters."""
    plain = value or ""
    for mark in _marks(profile):
        plain = plain.replace(mark, " ")
    plain = " ".join(plain.split())
    try:
        plain.encode(profile.encoding)
    except UnicodeEncodeError:
        bare = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
        plain = bare.encode(profile.encoding, errors="replace").decode(profile.encoding)
    return plain[:longest].strip()


def pieces(value: str | None, longest: int, profile: Profile) -> list[str]:
    """Words for people over several elements, broken between words where that is possible."""
    rest, found = text(value, 10_000, profile), []
    while rest:
        cut = len(rest) if len(rest) <= longest else rest.rfind(" ", 1, longest + 1)
        cut = longest if cut < 1 else cut
        found.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    return found


def written(
    profile: Profile, functional: str, code: str, segments: Iterable[Segment], number: int, at: datetime
) -> bytes:
    """A file of one transaction. The same arguments make the same bytes. Raises `Unwritable`, for a value that holds a
    delimiter or cannot be encoded too: whoever reads the file would read something else."""
    if not 0 < number <= LAST_NUMBER:
        raise Unwritable(f"control number {number} has more than nine digits: agree with the partner how to go on")
    local = at.astimezone(ZoneInfo(profile.time_zone))
    body = [("ST", code, CONTROL), *(trimmed(segment) for segment in segments)]
    body.append(("SE", str(len(body) + 1), CONTROL))
    group = (
        *("GS", functional, profile.our_group or profile.us.id, profile.partner_group or profile.partner.id),
        *(f"{local:%Y%m%d}", f"{local:%H%M}", str(number), "X", profile.version),
    )
    for segment in (group, *body):
        for value in segment:
            identity(segment[0], value, len(value), profile)
    whole = [_isa(profile, number, local), group, *body, ("GE", "1", str(number)), ("IEA", "1", f"{number:09}")]
    end = profile.segment + ("\n" if profile.line_breaks and profile.segment not in "\r\n" else "")
    return "".join(profile.element.join(segment) + end for segment in whole).encode(profile.encoding)


def trimmed(segment: Sequence[str]) -> Segment:
    """A segment without empty elements at its end, as X12 wants it."""
    last = max((place for place, value in enumerate(segment) if value), default=0)
    return tuple(segment[: last + 1])


def _isa(profile: Profile, number: int, local: datetime) -> Segment:
    us, partner = profile.us, profile.partner
    for party in (us, partner):
        if len(party.id) > 15 or len(party.qualifier) != 2:
            raise Unwritable(f"{party.qualifier}/{party.id}: an id has at most 15 characters, a qualifier two")
    repeats = "U" if profile.version < "00402" else "^"
    return (
        *("ISA", "00", " " * 10, "00", " " * 10),
        *(us.qualifier, us.id.ljust(15), partner.qualifier, partner.id.ljust(15)),
        *(f"{local:%y%m%d}", f"{local:%H%M}", repeats, profile.version[:5].zfill(5), f"{number:09}", "0"),
        *("T" if profile.test else "P", profile.component),
    )


def _marks(profile: Profile) -> str:
    return profile.element + profile.segment + profile.component + "\r\n\t"
