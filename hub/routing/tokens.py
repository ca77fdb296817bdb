"""Reading CEL by its words, as far as needed: the parts that `&&` joins, and which facts each of them reads."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<string>[bB]?[rR][bB]?(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"\n]*"|'[^'\n]*')
       |[bB]?(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?[uU]?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>&&|\|\||[<>=!]=|.)""",
    re.VERBOSE | re.DOTALL,
)
_OPEN: Final = {"(": ")", "[": "]", "{": "}"}


class Token(NamedTuple):
    """A word of an expression. `kind` is string, number, name or sign; `at` is its place in the source."""

    kind: str
    text: str
    at: int


def tokens_of(source: str) -> list[Token]:
    """Words in order, without spaces and comments."""
    found = _TOKEN.finditer(source)
    return [Token(str(m.lastgroup), m[0], m.start()) for m in found if m.lastgroup != "space"]


def conjuncts(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """The parts that all must hold. One part where `||` or `? :` joins what `&&` does not."""
    tokens = _unwrapped(tokens)
    depth, cuts = 0, [-1]
    for place, token in enumerate(tokens):
        if token.text in _OPEN and token.kind == "sign":
            depth += 1
        elif token.text in _OPEN.values() and token.kind == "sign":
            depth -= 1
        elif depth == 0 and token.kind == "sign":
            if token.text in ("||", "?"):
                return [tokens]
            if token.text == "&&":
                cuts.append(place)
    if len(cuts) == 1:
        return [tokens]
    ends = [*cuts[1:], len(tokens)]
    parts = [tokens[start + 1 : end] for start, end in zip(cuts, ends, strict=True)]
    return [inner for part in parts for inner in conjuncts(part)]


def disjuncts(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """The parts of which one must hold; one part where nothing is joined by `||`, or `? :` joins more."""
    tokens = _unwrapped(tokens)
    depth, cuts = 0, [-1]
    for place, token in enumerate(tokens):
        if token.kind == "sign":
            depth += (token.text in _OPEN) - (token.text in _OPEN.values())
            if depth == 0 and token.text == "?":
                return [tokens]
            if depth == 0 and token.text == "||":
                cuts.append(place)
    ends = [*cuts[1:], len(tokens)]
    return [tokens[start + 1 : end] for start, end in zip(cuts, ends, strict=True)]


def _unwrapped(tokens: Sequence[Token]) -> Sequence[Token]:
    """Without brackets around the whole."""
    while len(tokens) > 2 and tokens[0].text == "(" and _closes_at(tokens) == len(tokens) - 1:
        tokens = tokens[1:-1]
    return tokens


def _closes_at(tokens: Sequence[Token]) -> int:
    depth = 0
    for place, token in enumerate(tokens):
        if token.kind == "sign":
            depth += (token.text in _OPEN) - (token.text in _OPEN.values())
            if depth == 0:
                return place
    return -1


class Reading(NamedTuple):
    """A fact that an expression reads, `name` is empty where it takes the whole of `root`."""

    root: str
    name: str
    at: int


def readings(tokens: Sequence[Token], roots: Sequence[str]) -> Iterator[Reading]:
    """What of `order` and `node` is read, in order. A field of something else that has such a name is none."""
    for place, token in enumerate(tokens):
        if token.kind != "name" or token.text not in roots or (place and tokens[place - 1].text == "."):
            continue
        after = tokens[place + 1 : place + 3]
        if len(after) == 2 and after[0].text == "." and after[1].kind == "name":
            yield Reading(token.text, after[1].text, after[1].at)
        else:
            yield Reading(token.text, "", token.at)
