"""Conditions of the plainest forms, answered without the CEL engine: a fact against written values, or two facts.

The engine takes some microseconds for what is one comparison, and most conditions are nothing else. Only forms whose
meaning is the engine's beyond doubt are taken, as the types of the facts are known. A property test holds the two
together.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Any, Final, NamedTuple

from hub.routing.facts import Kind, NodeFacts, Value, kind_of
from hub.routing.tokens import Token, conjuncts, disjuncts

Answer = bool | str
"""Whether it holds, or why that cannot be said: a reason that is never empty."""


class Simple(NamedTuple):
    """A test of one fact."""

    root: str
    name: str
    test: Callable[[Any], Answer]
    fails: bool = False
    """Whether it has no answer for null."""


class Both(NamedTuple):
    """A comparison of two facts."""

    left: tuple[str, str]
    right: tuple[str, str]
    compare: Callable[[Any, Any], bool]


class Joined(NamedTuple):
    """Tests of which one must hold, or all."""

    tests: "tuple[Test, ...]"
    one: bool


Test = Simple | Both | Joined


def may_fail(test: Test) -> bool:
    """Whether there are facts for which it has no answer."""
    if isinstance(test, Joined):
        return any(map(may_fail, test.tests))
    return isinstance(test, Simple) and test.fails


def answer(test: Test, order: Mapping[str, Value]) -> Answer:
    """The answer of a test that reads no node."""
    if isinstance(test, Simple):
        return test.test(order[test.name])
    if isinstance(test, Both):
        return test.compare(order[test.left[1]], order[test.right[1]])
    return _join([answer(inner, order) for inner in test.tests], test.one)


def answers(test: Test, order: Mapping[str, Value], nodes: NodeFacts) -> list[Answer]:
    """The answer for each node of a test that reads one."""
    if isinstance(test, Simple):
        if test.root == "node":
            return list(map(test.test, nodes[test.name]))
        return [test.test(order[test.name])] * nodes.count
    if isinstance(test, Both):
        pair = (test.left, test.right)
        left, right = (nodes[name] if root == "node" else repeat(order[name], nodes.count) for root, name in pair)
        return list(map(test.compare, left, right))
    columns = [answers(inner, order, nodes) for inner in test.tests]
    return [_join(column, test.one) for column in zip(*columns, strict=True)]


def _join(found: Sequence[Answer], one: bool) -> Answer:
    """As in CEL: what settles the whole does so even beside what has no answer."""
    if one in found:
        return one
    return next((each for each in found if isinstance(each, str)), not one)


_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_EQUAL: Final = ("==", "!=")
_LOOKS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": str.__contains__,
}
_NUMBERS: Final = (Kind.NUMBER, Kind.NUMBER_OR_NULL)
NO_SIZE: Final = "it is not known (null), so it has no size"
NO_TEXT: Final = "it is not known (null), so it is no text"
_TEXTS: Final = (Kind.TEXT, Kind.TEXT_OR_NULL)
MOST_DIGITS: Final = 18
"""Whole numbers of more may be beyond 64 bits, where the engine has rules of its own."""


def native_test(tokens: Sequence[Token]) -> Test | None:
    """The test of a condition of one of the plain forms, or of such joined by `||` and `&&`; None for all others."""
    for split, one in ((disjuncts, True), (conjuncts, False)):
        parts = split(tokens)
        if len(parts) > 1:
            tests = [native_test(part) for part in parts]
            known = tuple(test for test in tests if test is not None)
            return Joined(known, one) if len(known) == len(tests) else None
    return _plain(parts[0])


def _plain(tokens: Sequence[Token]) -> Simple | Both | None:
    negated = bool(tokens) and tokens[0].text == "!"
    flag = fact_at(tokens[1:] if negated else tokens)
    if flag is not None and kind_of(*flag) is Kind.FLAG:
        return Simple(*flag, operator.not_ if negated else operator.truth)
    if len(tokens) > 4 and (left := fact_at(tokens[:3])) is not None:
        if tokens[3].text == "in":
            return _among(left, tokens[4:])
        if tokens[3].text in _COMPARE:
            return _compared(left, tokens[3].text, tokens[4:])
        if tokens[3].text == ".":
            return _asked(left, tokens[4:])
    if len(tokens) == 5 and tokens[1].text == "in" and (listed := fact_at(tokens[2:])) is not None:
        return _contains(listed, tokens[0])
    return None


def fact_at(tokens: Sequence[Token]) -> tuple[str, str] | None:
    """(root, name) where the words are a fact and nothing else."""
    if len(tokens) != 3 or tokens[1].text != "." or tokens[0].kind != "name":
        return None
    root, name = tokens[0].text, tokens[2].text
    return None if kind_of(root, name) is None else (root, name)


def text_of(token: Token) -> str | None:
    """The text of a literal without escapes."""
    quoted = token.kind == "string" and token.text[0] in "\"'" and "\\" not in token.text
    return token.text[1:-1] if quoted and not token.text.startswith(('"""', "'''")) else None


def number_of(token: Token) -> int | None:
    """The value of a whole number that no engine can misread."""
    plain = token.kind == "number" and token.text.isdigit() and len(token.text) <= MOST_DIGITS
    return int(token.text) if plain else None


def texts_of(tokens: Sequence[Token]) -> list[str] | None:
    """The texts of a written list of literals."""
    if len(tokens) < 2 or tokens[0].text != "[" or tokens[-1].text != "]":
        return None
    inner = tokens[1:-1]
    words = [text for text in map(text_of, inner[::2]) if text is not None]
    regular = all(token.text == "," for token in inner[1::2]) and (not inner or len(inner) % 2 == 1)
    return words if regular and len(words) == len(inner[::2]) else None


def _compared(left: tuple[str, str], sign: str, right: Sequence[Token]) -> Simple | Both | None:
    kind = kind_of(*left)
    other = fact_at(right)
    if other is not None:
        texts = kind in _TEXTS and kind_of(*other) in _TEXTS and sign in _EQUAL
        numbers = kind is Kind.NUMBER and kind_of(*other) is Kind.NUMBER
        return Both(left, other, _COMPARE[sign]) if texts or numbers else None
    if len(right) != 1:
        return None
    if right[0].text == "null" and sign in _EQUAL:
        return Simple(*left, _is_null if sign == "==" else _is_known)
    if kind in _TEXTS and sign in _EQUAL:
        text = text_of(right[0])
        if text is None:
            return None
        among = frozenset([text])
        return Simple(*left, among.__contains__ if sign == "==" else lambda value: value not in among)
    number = number_of(right[0]) if kind in _NUMBERS else None
    if number is None:
        return None
    compare, fixed = _COMPARE[sign], number
    if kind is Kind.NUMBER or sign in _EQUAL:
        return Simple(*left, lambda value: compare(value, fixed))
    return Simple(*left, lambda value: NO_SIZE if value is None else compare(value, fixed), fails=True)


def _is_null(value: Value) -> bool:
    return value is None


def _is_known(value: Value) -> bool:
    return value is not None


def _asked(fact: tuple[str, str], tokens: Sequence[Token]) -> Simple | None:
    """fact.startsWith("a")."""
    if len(tokens) != 4 or tokens[1].text != "(" or tokens[3].text != ")" or kind_of(*fact) not in _TEXTS:
        return None
    look, word = _LOOKS.get(tokens[0].text), text_of(tokens[2])
    if look is None or word is None:
        return None
    asked, fixed = look, word
    fails = kind_of(*fact) is Kind.TEXT_OR_NULL
    return Simple(*fact, lambda value: NO_TEXT if value is None else asked(value, fixed), fails=fails)


def _among(fact: tuple[str, str], tokens: Sequence[Token]) -> Simple | None:
    """fact in ["a", "b"]."""
    words = texts_of(tokens) if kind_of(*fact) in _TEXTS else None
    return None if words is None else Simple(*fact, frozenset(words).__contains__)


def _contains(fact: tuple[str, str], token: Token) -> Simple | None:
    """ "a" in fact."""
    word = text_of(token) if kind_of(*fact) is Kind.TEXTS else None
    return None if word is None else Simple(*fact, lambda value: word in value)
