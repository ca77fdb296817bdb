"""A warehouse that speaks X12: an SFTP server with books of its own, a strict reader of what it is sent, and answers.

It reads the standard's letter, independently of the adapter's tolerant reader: what is no flawless file is a violation.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from hub.sdk.testkit.sftp import SftpSimulator

US: Final = "WAREHOUSE1"
THEM: Final = "CROSSDOCK"
LOCATION: Final = "loc-1"
ISA_LENGTH: Final = 105

FUNCTIONAL: Final = {"945": "SW", "944": "RE", "846": "IB", "947": "AW", "997": "FA"}

Segments = list[list[str]]


class Line(msgspec.Struct, kw_only=True):
    """A line of an order in the books."""

    line: str
    sku: str
    quantity: int
    shipped: int = 0


class Order(msgspec.Struct, kw_only=True):
    """What the warehouse was asked to ship, or to expect."""

    reference: str
    lines: list[Line]
    segments: Segments
    cancelled: bool = False


class Knobs(msgspec.Struct, kw_only=True):
    """What else partners do. May be turned while running."""

    repeat_files: bool = False
    """Every file is put there twice, under two names."""
    partial_uploads: bool = False
    """A file grows where it lies: its first half is there before the whole; see `X12Partner.finish`."""
    reject: int = 0
    """How many of the next files are rejected by 997."""
    silent: bool = False
    """No 997."""


class X12Partner(SftpSimulator):
    """Reads `to_partner`, writes `from_partner`. `work` does what a day at the warehouse does with files."""

    vendor = "x12"

    def __init__(self, **base: Any) -> None:
        super().__init__(folders=("to_partner", "from_partner"), **base)
        self.knobs = Knobs()
        self.orders: dict[str, Order] = {}
        self.advices: dict[str, Order] = {}
        self.answers: list[Segments] = []
        """997 that we were sent."""
        self.taken: dict[str, bytes] = {}
        """Files that were taken away, by name."""
        self.numbers: dict[str, str] = {}
        """ISA13 that we were sent, and in which file."""
        self._unfinished: dict[str, bytes] = {}
        self._control = 0
        self._files = 0

    # --- what comes ---

    def work(self) -> int:
        """Take in every file that lies there, and answer it; returns how many."""
        found = self.within("to_partner")
        for name, body in found.items():
            del self.disk[f"/to_partner/{name}"]
            self._take(name, body)
        return len(found)

    def asked(self, reference: str) -> int:
        """How many files, taken or not, ask for an order."""
        return self._count(reference, "N")

    def asked_back(self, reference: str) -> int:
        """How many cancel it."""
        return self._count(reference, "F")

    def advised(self, reference: str) -> int:
        """How many files, taken or not, advise of goods."""
        bodies = (*self.taken.values(), *self.within("to_partner").values())
        heads = (segment for body in bodies for segment in self.strict("", body) if segment[0] == "W06")
        return sum(segment[2] == reference for segment in heads)

    def _count(self, reference: str, purpose: str) -> int:
        bodies = (*self.taken.values(), *self.within("to_partner").values())
        heads = (segment for body in bodies for segment in self.strict("", body) if segment[0] == "W05")
        return sum(segment[1:3] == [purpose, reference] for segment in heads)

    def _take(self, name: str, body: bytes) -> None:
        segments = self.strict(name, body)
        if not segments:
            return
        number = segments[0][13]
        other = self.numbers.setdefault(number, name)
        if other != name:
            self.violations.append(f"ISA13 {number} in {other} and in {name}")
        self.taken[name] = body
        code = segments[2][1]
        if code == "997":
            self.answers.append(segments)
            return
        rejected = self.knobs.reject > 0
        if rejected:
            self.knobs.reject -= 1
        elif code == "940":
            self._order(segments)
        elif code == "943":
            self._advice(segments)
        else:
            self.violations.append(f"{name}: a {code} was not agreed")
        if not self.knobs.silent:
            self._answer(segments, rejected)

    def strict(self, name: str, body: bytes) -> Segments:
        """Segments of a flawless file; anything else is a violation, and nothing."""
        text = body.decode("ascii", errors="replace")
        segments = [part.strip("\n").split("*") for part in text.split("~") if part.strip("\n")]
        faults = [
            (text[:3] == "ISA" and text[ISA_LENGTH : ISA_LENGTH + 1] == "~", "ISA is not padded"),
            ([s[0] for s in segments[:3]] == ["ISA", "GS", "ST"], "ISA, GS, ST do not begin it"),
            ([s[0] for s in segments[-3:]] == ["SE", "GE", "IEA"], "SE, GE, IEA do not end it"),
        ]
        if all(good for good, _ in faults):
            isa, gs, st = segments[:3]
            se, ge, iea = segments[-3:]
            faults += [
                (isa[6].strip() == THEM and isa[8].strip() == US, f"from {isa[6]} to {isa[8]}"),
                (se[1:] == [str(len(segments) - 4), st[2]], f"SE says {se}"),
                (ge[1:] == ["1", gs[6]], f"GE says {ge}"),
                (iea[1:] == ["1", isa[13]], f"IEA says {iea}"),
                (all(element or at < len(s) - 1 for s in segments for at, element in enumerate(s)), "empty at an end"),
            ]
        wrong = [said for good, said in faults if not good]
        self.violations += [f"{name}: {said}" for said in wrong]
        return [] if wrong else segments

    def _order(self, segments: Segments) -> None:
        purpose, reference = segments[3][1:3]
        if purpose == "F":
            if reference in self.orders:
                self.orders[reference].cancelled = True
            return
        if reference in self.orders:
            self.violations.append(f"order {reference} was sent twice")
        self.orders[reference] = Order(reference=reference, lines=_lines(segments, "W01"), segments=segments)

    def _advice(self, segments: Segments) -> None:
        reference = segments[3][2]
        self.advices[reference] = Order(reference=reference, lines=_lines(segments, "W04"), segments=segments)

    def _answer(self, segments: Segments, rejected: bool) -> None:
        gs, st = segments[1], segments[2]
        verdict = "R" if rejected else "A"
        body: list[Sequence[str]] = [("AK1", gs[1], gs[6]), ("AK2", st[1], st[2])]
        if rejected:
            body += [("AK3", "N4", "6", "", "8"), ("AK4", "2", "156", "1")]
        body.append(("AK5", verdict, "5") if rejected else ("AK5", verdict))
        body.append(("AK9", verdict, "1", "1", "0" if rejected else "1"))
        self.send("997", body)

    # --- what goes ---

    def ship(
        self,
        reference: str,
        units: Mapping[str, int] | None = None,
        *,
        tracking: str = "1Z999AA10123456784",
        shipment: str = "",
        status: str = "",
    ) -> str:
        """Units of an order leave, by SKU; all that is open by default. Returns the file's name."""
        order = self.orders[reference]
        body: list[Sequence[str]] = [
            ("W06", "F", reference, f"{self.now():%Y%m%d}", shipment or f"BOL-{self._files + 1}"),
            ("N1", "WH", "", "91", LOCATION),
            ("G62", "11", f"{self.now():%Y%m%d}", "8", f"{self.now():%H%M}"),
            ("W27", "M", "UPSN", "Ground"),
        ]
        total = 0
        for number, line in enumerate(order.lines, 1):
            left = line.quantity - line.shipped if units is None else units.get(line.sku, 0)
            word = status or ("CC" if left + line.shipped >= line.quantity else "PR")
            item = ("W12", word, str(line.quantity - line.shipped), str(left), "", "EA", "", "VN", line.sku)
            body += [("LX", str(number)), ("MAN", "CP", tracking), item, ("N9", "LI", line.line)]
            line.shipped += left
            total += left
        body.append(("W03", str(total), str(total), "LB"))
        return self.send("945", body)

    def receive(self, reference: str, damaged: Mapping[str, int] | None = None) -> str:
        """What was advised arrives."""
        number = f"REC-{self._files + 1}"
        body: list[Sequence[str]] = [("W17", "F", f"{self.now():%Y%m%d}", number, reference)]
        body.append(("N1", "WH", "", "91", LOCATION))
        advice = self.advices[reference]
        for line in advice.lines:
            body += [("W07", str(line.quantity), "EA", "", "VN", line.sku), ("N9", "LI", line.line)]
            broken = (damaged or {}).get(line.sku, 0)
            if broken:
                body.append(("W13", str(broken), "EA", "01"))
        body.append(("W14", str(sum(line.quantity for line in advice.lines))))
        return self.send("944", body)

    def count(self, levels: Mapping[str, int]) -> str:
        """Tell what is there."""
        at = self.now()
        body: list[Sequence[str]] = [("BIA", "00", "SI", f"INV-{self._files + 1}", f"{at:%Y%m%d}", f"{at:%H%M}")]
        body.append(("N1", "WH", "", "91", LOCATION))
        for number, (sku, units) in enumerate(levels.items(), 1):
            body += [("LIN", str(number), "VN", sku), ("QTY", "33", str(units), "EA")]
        body.append(("CTT", str(len(levels))))
        return self.send("846", body)

    def adjust(self, sku: str, units: int, reason: str = "06") -> str:
        """Tell a correction."""
        number = f"ADJ-{self._files + 1}"
        head = [("W15", f"{self.now():%Y%m%d}", number, number), ("N1", "WH", "", "91", LOCATION)]
        return self.send("947", [*head, ("W19", reason, str(units), "EA", "", "VN", sku)])

    def send(self, code: str, body: Sequence[Sequence[str]]) -> str:
        """Put a document where it is taken from; returns the file's name."""
        self._files += 1
        name = f"{code}_{self._files:06}.edi"
        self._drop(name, self.file(code, body))
        return name

    def file(self, code: str, body: Sequence[Sequence[str]]) -> bytes:
        """A document in an envelope with the next control number."""
        self._control += 1
        at, number = self.now(), self._control
        isa = ["ISA", "00", " " * 10, "00", " " * 10, "ZZ", US.ljust(15), "ZZ", THEM.ljust(15), f"{at:%y%m%d}"]
        isa += [f"{at:%H%M}", "U", "00401", f"{number:09}", "0", "P", ">"]
        gs = ["GS", FUNCTIONAL[code], US, THEM, f"{at:%Y%m%d}", f"{at:%H%M}", str(number), "X", "004010"]
        st, se = ["ST", code, "0001"], ["SE", str(len(body) + 2), "0001"]
        whole = [isa, gs, st, *body, se, ["GE", "1", str(number)], ["IEA", "1", f"{number:09}"]]
        return "".join("*".join(segment) + "~\r\n" for segment in whole).encode()

    def finish(self) -> None:
        """The rest of every file of which half is there."""
        for path, body in self._unfinished.items():
            self.drop(path, body)
        self._unfinished.clear()

    def _drop(self, name: str, body: bytes) -> None:
        names = (name, f"again_{name}") if self.knobs.repeat_files else (name,)
        for one in names:
            if self.knobs.partial_uploads:
                self._unfinished[f"from_partner/{one}"] = body
                self.drop(f"from_partner/{one}", body[: len(body) // 2])
            else:
                self.drop(f"from_partner/{one}", body)


def _lines(segments: Segments, name: str) -> list[Line]:
    """Lines that begin with a segment, each with the N9*LI that follows it."""
    lines: list[Line] = []
    for segment in segments:
        if segment[0] == name:
            lines.append(Line(line="", sku=segment[5], quantity=int(segment[1])))
        elif segment[:2] == ["N9", "LI"] and lines:
            lines[-1].line = segment[2]
    return lines
