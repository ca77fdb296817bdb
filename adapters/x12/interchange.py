"""A tolerant reader of X12: whatever can be told apart is, and what is wrong with it is said beside it. Pure.

Delimiters are read from each ISA, padded or not. Counts and control numbers that do not agree are findings, not
failures. A transaction whose end is missing is told by name; the others of the file are read all the same.
"""

import codecs
import re
from collections.abc import Iterator
from typing import Final

import msgspec

Segment = tuple[str, ...]

ISA_ELEMENTS: Final = 16
LONGEST_ISA: Final = 200
"""Where the segment after an ISA begins at the latest; a padded ISA has 106 characters."""
LONGEST_COUNT: Final = 10
MOST_UNREADABLE: Final = 20
"""ISAs that cannot be read, in one file; what is behind so many is left."""

_BARE = re.compile(
    r"ST(?P<element>[^\w \r\n])\d{3}(?P=element)\w+(?:(?P=element)\w*)?"
    r"(?P<segment>[^\w ])(?P<gap>[ \t\r\n]*)[A-Z]\w{1,2}(?P=element)"
)


class NotX12(Exception):
    """A file that is no X12 as a whole. `reason` is its name, the text says what it is instead."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(f"{reason}: {text}")
        self.reason = reason


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with an envelope or a transaction."""

    name: str
    text: str
    fatal: bool = False
    """Then what it is about is not taken; otherwise it is, and the answer says so."""
    code: str | None = None
    """Of X12's tables for 997: element 718 for a transaction, 716 for a group."""


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """ST to SE."""

    set: str
    control: str
    segments: tuple[Segment, ...]
    """Those between."""
    findings: tuple[Finding, ...] = ()

    @property
    def fault(self) -> Finding | None:
        """Why it cannot be taken, if so."""
        return next((found for found in self.findings if found.fatal), None)


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """GS to GE. A transaction without a group stands in one whose fields are empty."""

    functional: str = ""
    sender: str = ""
    receiver: str = ""
    date: str = ""
    time: str = ""
    control: str = ""
    version: str = ""
    transactions: tuple[Transaction, ...] = ()
    findings: tuple[Finding, ...] = ()


class Party(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who sends or receives, as an ISA names them."""

    id: str
    qualifier: str = "ZZ"


class Interchange(msgspec.Struct, frozen=True, kw_only=True):
    """ISA to IEA. A file of bare transactions is one whose `sender` and `receiver` are None."""

    sender: Party | None = None
    receiver: Party | None = None
    date: str = ""
    time: str = ""
    control: str = ""
    usage: str = ""
    groups: tuple[Group, ...] = ()
    answers: tuple[Segment, ...] = ()
    """TA1 segments: what the sender says about interchanges of ours."""
    findings: tuple[Finding, ...] = ()

    @property
    def fault(self) -> Finding | None:
        """Why nothing in it can be taken, if so."""
        return next((found for found in self.findings if found.fatal), None)


def read(body: bytes) -> tuple[Interchange, ...]:
    """The interchanges of a file. Raises `NotX12`."""
    text = _text(body)
    if not text.startswith("ISA"):
        return (_bare(text),)
    found = []
    at = unreadable = 0
    while True:
        interchange, end = _interchange(text, at)
        at = text.find("ISA", end)
        junk = text[end : None if at < 0 else at].strip()
        if junk:
            told = Finding(name="junk", text=f"{len(junk)} characters after the interchange: {junk[:30]!r}")
            interchange = msgspec.structs.replace(interchange, findings=(*interchange.findings, told))
        found.append(interchange)
        unreadable += interchange.fault is not None
        if at < 0 or unreadable > MOST_UNREADABLE:
            return tuple(found)


def _text(body: bytes) -> str:
    try:
        text = body.decode("utf-16") if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ""
        text = text or body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    # Padding of mainframes and UTF-16 without its mark. No text column takes a NUL either.
    text = text.replace("\0", "").strip("\ufeff \t\r\n\x1a")
    if not text:
        raise NotX12("empty", "the file holds nothing")
    if text[0] == "<":
        what = "HTML" if "<html" in text[:500].lower() or "<!doctype html" in text[:500].lower() else "XML"
        raise NotX12(what.lower(), f"the file is {what}, maybe an error page of a gateway")
    if text[0] in "{[":
        raise NotX12("json", "the file is JSON")
    if text[:3] in ("UNA", "UNB"):
        raise NotX12("edifact", "the file is EDIFACT")
    if not text.startswith(("ISA", "ST")):
        raise NotX12("no_header", f"the file begins with {text[:12]!r}, neither with ISA nor with ST")
    return text


# --- delimiters ------------------------------------------------------------------------------------------------------


class _Marks(msgspec.Struct, frozen=True):
    element: str
    segment: str


def _marks(text: str, at: int) -> tuple[_Marks, list[str], int] | None:
    """Delimiters and elements of the ISA that begins there, and where it ends; None when they cannot be told."""
    element = text[at + 3 : at + 4]
    if not element or element.isalnum() or element in " \r\n":
        return None
    mark = re.escape(element)
    following = re.compile(rf"(?P<segment>[^\w {mark}])(?P<gap>[ \t\r\n]*)(?:GS|TA1|IEA|ISA|ST){mark}")
    end = following.search(text, at + 4, at + LONGEST_ISA)
    if end is None:
        return None
    segment, stop = end["segment"], end.start()
    line_break = _line_break(segment + end["gap"])
    if segment in "\r\n":
        segment = line_break
    elif text[stop + 1] in "\r\n" and not _ends_lines(text[stop + 1 : stop + LONGEST_ISA], segment, line_break):
        # `*P*>` and a line break: the line break ends segments, and ">" is the component separator.
        segment, stop = line_break, stop + 1
    return _Marks(element, segment), text[at + 4 : stop].strip("\r\n").split(element), stop + 1


def _line_break(gap: str) -> str:
    """The character that every line break of a file has: some end lines in a carriage return alone."""
    return "\r" if "\r" in gap and "\n" not in gap else "\n"


def _ends_lines(rest: str, mark: str, line_break: str) -> bool:
    """Whether the first line of what follows ends in a character."""
    line = rest.strip("\r\n").split(line_break, 1)[0].strip("\r\n ")
    return line.endswith(mark)


def _segments(text: str, marks: _Marks, at: int = 0) -> Iterator[tuple[Segment, int, int, bool]]:
    """(elements, where the segment begins, where the next one does, whether this one was ended)."""
    while at < len(text):
        end = text.find(marks.segment, at)
        stop = len(text) if end < 0 else end
        segment = text[at:stop].strip("\r\n\t ")
        if segment:
            yield tuple(part.strip("\r\n") for part in segment.split(marks.element)), at, stop + 1, end >= 0
        at = stop + 1


# --- envelopes -------------------------------------------------------------------------------------------------------


def _interchange(text: str, start: int) -> tuple[Interchange, int]:
    """The interchange that begins there, and where it ends."""
    marks = _marks(text, start)
    if marks is None or len(marks[1]) not in (ISA_ELEMENTS - 1, ISA_ELEMENTS):
        found = "its delimiters cannot be told" if marks is None else f"{len(marks[1])} elements where 16 are"
        told = Finding(name="bad_isa", text=f"{found}: {text[start : start + 40]!r}", fatal=True)
        after = text.find("ISA", start + 3)
        return Interchange(findings=(told,)), len(text) if after < 0 else after
    head = [part.strip(" \t\r\n") for part in marks[1]]
    body = _Body(head[12])
    stop = len(text)
    for segment, at, following, ended in _segments(text, marks[0], marks[2]):
        if segment[0] == "ISA":
            stop = at
            break
        body.take(segment, ended)
        if segment[0] == "IEA":
            stop = following
            break
    groups, findings = body.close()
    if len(marks[1]) < ISA_ELEMENTS or not head[-1]:
        findings = (*findings, Finding(name="no_component_separator", text="ISA16 is missing"))
    return (
        Interchange(
            sender=Party(qualifier=head[4], id=head[5]),
            receiver=Party(qualifier=head[6], id=head[7]),
            date=head[8],
            time=head[9],
            control=head[12],
            usage=head[14],
            groups=groups,
            answers=tuple(body.answers),
            findings=findings,
        ),
        stop,
    )


def _bare(text: str) -> Interchange:
    """Transactions without an envelope. Raises `NotX12` when their delimiters cannot be told."""
    found = _BARE.match(text)
    if found is None:
        raise NotX12("no_delimiters", f"the file begins with {text[:20]!r}, of which delimiters cannot be told")
    segment = _line_break(found["segment"] + found["gap"]) if found["segment"] in "\r\n" else found["segment"]
    body = _Body(None)
    for elements, _, _, ended in _segments(text, _Marks(found["element"], segment)):
        body.take(elements, ended)
    groups, findings = body.close()
    told = Finding(name="no_envelope", text="transactions without ISA and GS: who sent them is not said")
    return Interchange(groups=groups, findings=(told, *findings))


class _Body:
    """Collects what stands between ISA and IEA."""

    def __init__(self, control: str | None) -> None:
        self._control = control
        self._groups: list[Group] = []
        self._group: Group | None = None
        self._transactions: list[Transaction] = []
        self._known: set[tuple[str, str]] = set()
        """Set and number of each transaction of the group: a file may hold very many."""
        self._open: tuple[str, str] | None = None
        self._segments: list[Segment] = []
        self._trouble: list[Finding] = []
        self._findings: list[Finding] = []
        self._ended = control is None
        self.answers: list[Segment] = []

    def take(self, segment: Segment, ended: bool) -> None:
        """The next segment; `ended` is whether its terminator was there."""
        match segment[0]:
            case "ST":
                self._end_transaction(None)
                self._open = (element(segment, 1), element(segment, 2))
            case "SE" if self._open is not None:
                self._end_transaction(segment)
            case "GS":
                self._end_group(None)
                functional, sender, receiver, date, time, control, _, version = (
                    element(segment, n) for n in range(1, 9)
                )
                self._group = Group(
                    functional=functional,
                    sender=sender,
                    receiver=receiver,
                    date=date,
                    time=time,
                    control=control,
                    version=version,
                )
            case "GE":
                self._end_group(segment)
            case "IEA":
                self._end_group(None)
                self._end(segment)
            case "TA1":
                self.answers.append(segment)
            case _ if self._open is not None:
                self._segments.append(segment)
                if not ended:
                    self._trouble.append(_cut(segment))
            case _:
                self._findings.append(Finding(name="stray_segment", text=f"{segment[0]} stands in no transaction"))

    def close(self) -> tuple[tuple[Group, ...], tuple[Finding, ...]]:
        """All of it, whatever is missing at the end."""
        self._end_group(None)
        if not self._ended:
            self._findings.append(Finding(name="no_iea", text="the interchange has no end (IEA)"))
        return tuple(self._groups), tuple(self._findings)

    def _end_transaction(self, trailer: Segment | None) -> None:
        if self._open is None:
            return
        found = list(self._trouble)
        (code, control), count = self._open, len(self._segments) + 2
        if trailer is None:
            told = f"transaction {control} has no end (SE): the file was cut off, or sent before it was whole"
            found.append(Finding(name="truncated", text=told, fatal=True, code="2"))
        else:
            stated, closing = element(trailer, 1), element(trailer, 2)
            if _count(stated) != count:
                said = f"SE01 says {stated or 'nothing'}, there are {count} segments"
                found.append(Finding(name="segment_count", text=said, code="4"))
            if closing != control:
                said = f"SE02 says {closing or 'nothing'}, ST02 {control}"
                found.append(Finding(name="control_number", text=said, code="3"))
        if (code, control) in self._known:
            found.append(Finding(name="control_number_twice", text=f"ST02 {control} is there twice"))
        self._known.add((code, control))
        self._transactions.append(
            Transaction(set=code, control=control, segments=tuple(self._segments), findings=tuple(found))
        )
        self._open, self._segments, self._trouble = None, [], []

    def _end_group(self, trailer: Segment | None) -> None:
        self._end_transaction(None)
        if self._group is None and not self._transactions:
            return
        group = self._group or Group()
        found = list(group.findings)
        if self._group is None and self._control is not None:
            found.append(Finding(name="no_gs", text="transactions outside a group"))
        elif self._group is not None and trailer is None:
            found.append(Finding(name="no_ge", text=f"group {group.control} has no end (GE)", code="3"))
        if trailer is not None:
            stated, closing = element(trailer, 1), element(trailer, 2)
            if _count(stated) != len(self._transactions):
                said = f"GE01 says {stated or 'nothing'}, there are {len(self._transactions)} transactions"
                found.append(Finding(name="transaction_count", text=said, code="5"))
            if _plain(closing) != _plain(group.control):
                said = f"GE02 says {closing or 'nothing'}, GS06 {group.control}"
                found.append(Finding(name="group_control_number", text=said, code="4"))
        self._groups.append(
            msgspec.structs.replace(group, transactions=tuple(self._transactions), findings=tuple(found))
        )
        self._group, self._transactions, self._known = None, [], set()

    def _end(self, trailer: Segment) -> None:
        self._ended = True
        stated, closing = element(trailer, 1), element(trailer, 2)
        if _count(stated) != len(self._groups):
            said = f"IEA01 says {stated or 'nothing'}, there are {len(self._groups)} groups"
            self._findings.append(Finding(name="group_count", text=said))
        if _plain(closing) != _plain(self._control or ""):
            said = f"IEA02 says {closing or 'nothing'}, ISA13 {self._control}"
            self._findings.append(Finding(name="interchange_control_number", text=said))


def element(segment: Segment, number: int) -> str:
    """An element by its number, as the standard counts: W0602 is `element(w06, 2)`. Empty when it is not there."""
    return segment[number].strip() if len(segment) > number else ""


def _count(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdigit() and len(written) < LONGEST_COUNT else None


def _plain(control: str) -> str:
    return control.lstrip("0")


def _cut(segment: Segment) -> Finding:
    text = f"the file ends in the middle of {segment[0]}"
    return Finding(name="truncated", text=text, fatal=True, code="2")
