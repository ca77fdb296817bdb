"""What a condition demands, fact by fact, as far as it is written plainly.

That is enough to see that it can never hold, or that it holds whenever another does. What is not plain is kept as its
words, and is only the same as itself.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from hub.routing.facts import Kind, kind_of
from hub.routing.native import fact_at, number_of, text_of, texts_of
from hub.routing.tokens import Token, conjuncts, tokens_of

Fact = tuple[str, str]

_LEAST: Final[Mapping[Fact, int]] = {
    ("order", "lines"): 1,
    ("order", "units"): 1,
    ("order", "weight_g"): 0,
    ("order", "age_hours"): 0,
    ("node", "distance_km"): 0,
    ("node", "load"): 0,
    ("node", "lines_held"): 0,
    ("node", "handling_cost"): 0,
}
_KINDS: Final = (Kind.NUMBER, Kind.NUMBER_OR_NULL)


class Range(NamedTuple):
    """Values that a fact may have. Only the fields of its kind say anything."""

    among: frozenset[str] | None = None
    without: frozenset[str] = frozenset()
    low: int | None = None
    high: int | None = None
    flag: bool | None = None
    holds: frozenset[str] = frozenset()
    """Texts that a list must contain."""

    def both(self, other: "Range") -> "Range | None":
        """What satisfies both; None when nothing does."""
        among = self.among if other.among is None else other.among if self.among is None else self.among & other.among
        without = self.without | other.without
        low = max((n for n in (self.low, other.low) if n is not None), default=None)
        high = min((n for n in (self.high, other.high) if n is not None), default=None)
        if among is not None and not among - without:
            return None
        if low is not None and high is not None and low > high:
            return None
        if None not in (self.flag, other.flag) and self.flag != other.flag:
            return None
        flag = other.flag if self.flag is None else self.flag
        return Range(among, without, low, high, flag, self.holds | other.holds)

    def within(self, other: "Range") -> bool:
        """Whether everything that satisfies this satisfies the other."""
        if other.among is not None and (self.among is None or not self.among <= other.among):
            return False
        if not all(
            word in self.without or (self.among is not None and word not in self.among) for word in other.without
        ):
            return False
        if other.low is not None and (self.low is None or self.low < other.low):
            return False
        if other.high is not None and (self.high is None or self.high > other.high):
            return False
        return (other.flag is None or self.flag == other.flag) and other.holds <= self.holds


class Demands(NamedTuple):
    """All that a condition demands. `possible` is false when it contradicts itself."""

    ranges: Mapping[Fact, Range]
    words: frozenset[str]
    possible: bool

    def implies(self, other: "Demands") -> bool:
        """Whether the other holds whenever this does, for certain."""
        if not other.words <= self.words:
            return False
        free = Range()
        return all(self.ranges.get(fact, _base(fact) or free).within(wanted) for fact, wanted in other.ranges.items())

    def and_(self, other: "Demands") -> "Demands":
        """Both."""
        ranges, possible = dict(self.ranges), self.possible and other.possible
        for fact, wanted in other.ranges.items():
            possible = _narrow(ranges, fact, wanted) and possible
        return Demands(ranges, self.words | other.words, possible)


def demands_of(source: str) -> Demands:
    """What a condition demands."""
    ranges: dict[Fact, Range] = {}
    words: set[str] = set()
    possible = True
    for part in conjuncts(tokens_of(source)):
        if len(part) == 1 and part[0].text in ("true", "false"):
            possible = possible and part[0].text == "true"
            continue
        found = _range(part)
        if found is None:
            words.add(" ".join(token.text for token in part))
        else:
            possible = _narrow(ranges, *found) and possible
    opposite = {word.removeprefix("! ") if word.startswith("! ") else f"! {word}" for word in words}
    return Demands(ranges, frozenset(words), possible and not words & opposite)


def _base(fact: Fact) -> Range | None:
    return Range(low=_LEAST[fact]) if fact in _LEAST else None


def _narrow(ranges: dict[Fact, Range], fact: Fact, wanted: Range) -> bool:
    both = (ranges.get(fact) or _base(fact) or Range()).both(wanted)
    ranges[fact] = wanted if both is None else both
    return both is not None


def _range(tokens: Sequence[Token]) -> tuple[Fact, Range] | None:
    negated = bool(tokens) and tokens[0].text == "!"
    flag = fact_at(tokens[1:] if negated else tokens)
    if flag is not None and kind_of(*flag) is Kind.FLAG:
        return flag, Range(flag=not negated)
    fact = fact_at(tokens[:3])
    if fact is not None and len(tokens) > 4:
        among = texts_of(tokens[4:]) if tokens[3].text == "in" else None
        if among is not None:
            return fact, Range(among=frozenset(among))
        if len(tokens) == 5:
            compared = _compared(fact, tokens[3].text, tokens[4])
            return None if compared is None else (fact, compared)
    listed = fact_at(tokens[2:]) if len(tokens) == 5 and tokens[1].text == "in" else None
    word = text_of(tokens[0]) if listed is not None else None
    return None if listed is None or word is None else (listed, Range(holds=frozenset([word])))


def _compared(fact: Fact, sign: str, token: Token) -> Range | None:
    text, number = text_of(token), number_of(token)
    if text is not None:
        word = frozenset([text])
        return {"==": Range(among=word), "!=": Range(without=word)}.get(sign)
    if number is None or kind_of(*fact) not in _KINDS:
        return None
    return {
        "==": Range(low=number, high=number),
        "<": Range(high=number - 1),
        "<=": Range(high=number),
        ">": Range(low=number + 1),
        ">=": Range(low=number),
    }.get(sign)
