"""Which line of a TOML text says what: every key and table, with the places of tables in their arrays."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

Path = tuple[str | int, ...]
"""("rule", 2, "set", "max_splits"): the third rule's setting."""

_HEADER: Final = re.compile(r"\s*(?P<open>\[\[?)\s*(?P<key>[^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY: Final = re.compile(
    r"""\s*(?P<key>(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART: Final = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_SCRAP: Final = re.compile(r"""\"{3}|'{3}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*|[\[\]{}]|.""", re.DOTALL)


def lines_of(text: str) -> dict[Path, int]:
    """Line, from 1, of every key and table header. Keys within brackets stand on the line of what holds them."""
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in _openings(text):
        header = _HEADER.match(line)
        assignment = _KEY.match(line)
        if header:
            table = _table(header["key"], len(header["open"]) == 2, counts)
            found.setdefault(table, number)
        elif assignment:
            found.setdefault((*table, *_parts(assignment["key"])), number)
    return found


def _openings(text: str) -> Iterator[tuple[int, str]]:
    """Lines that begin a statement: not inside a long text or open brackets."""
    quote, depth = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if not quote and depth == 0:
            yield number, line
            if _HEADER.match(line):
                continue
        for scrap in _SCRAP.findall(line):
            if quote:
                quote = "" if scrap == quote else quote
            elif scrap in ('"""', "'''"):
                quote = scrap
            elif scrap in "[{":
                depth += 1
            elif scrap in "]}":
                depth = max(0, depth - 1)


def _table(key: str, is_array: bool, counts: dict[Path, int]) -> Path:
    """The path of a header: each array on the way is entered at its newest table."""
    path: Path = ()
    parts = _parts(key)
    for place, part in enumerate(parts):
        path = (*path, part)
        if is_array and place == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _parts(key: str) -> list[str]:
    return [part.strip("\"'") for part in _PART.findall(key)]


def line_of(lines: Mapping[Path, int], path: Sequence[str | int]) -> int:
    """The line of a path, or of the nearest thing above it; 0 when there is none."""
    for end in range(len(path), 0, -1):
        if tuple(path[:end]) in lines:
            return lines[tuple(path[:end])]
    return 0


def opens_below(text: str, line: int) -> int:
    """1 where a line opens a text that begins on the next, else 0."""
    written = text.splitlines()
    return int(0 < line <= len(written) and written[line - 1].rstrip().endswith(('"""', "'''")))


def words(path: Sequence[str | int]) -> str:
    """A path as a person writes it: rule[2].set.max_splits. Places in arrays count from 1."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f"{'.' if text else ''}{step}"
    return text
