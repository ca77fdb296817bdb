"""How others route, behind one interface: a function from a state to what each node sends.

Written from public descriptions, and kinder than they are: all know the stock of this moment, send a line whole where
some node has it whole, spread it only where none has, and choose the cheapest of equals.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Final

from tests.bench.routing.state import Sent, State

Peer = Callable[[State], Sent]

MOST_TRIES: Final = 10_000
"""Combinations of nodes after which the enumeration of one system gives up."""


def nearest_per_line(state: State) -> Sent:
    """Each line from the nearest node that has it, as if it were alone."""
    return _line_by_line(state, state.near)


def fixed_priority(state: State) -> Sent:
    """Each line from the first node of a list that is the same for every order."""
    return _line_by_line(state, range(len(state.held)))


def proximity_walk(state: State) -> Sent:
    """The nearest node that has everything; else a walk from near to far that takes what each node has."""
    fill = state.fill()
    for node in state.near:
        if all(units >= asked for units, asked in zip(state.held[node], fill, strict=True)):
            return {node: fill}
    return _walk(state, fill, lambda left, whole, rest: rest[0])


def most_lines(state: State) -> Sent:
    """Again and again the node that has most of the lines that are left, the nearest of equals."""

    def best(left: list[int], whole: list[bool], rest: Sequence[int]) -> int:
        return max(rest, key=lambda node: sum(map(bool, state.take(node, left, whole))))

    return _walk(state, state.fill(), best)


def fewest_splits(state: State) -> Sent:
    """One node, then all pairs, then all triples: the cheapest of the first size that sends everything."""
    fill, whole, tries = state.fill(), state.whole(), 0
    useful = [node for node in state.near if any(state.held[node])]
    everything = sum(1 << n for n, at_once in enumerate(whole) if at_once)
    masks = {
        node: sum(1 << n for n, at_once in enumerate(whole) if at_once and state.held[node][n] >= fill[n])
        for node in useful
    }
    for size in range(1, len(useful) + 1):
        best: tuple[int, Sent] | None = None
        for nodes in combinations(useful, size):
            tries += 1
            if tries > MOST_TRIES:
                return proximity_walk(state)
            held = 0
            for node in nodes:
                held |= masks[node]
            sent = _from(state, fill, whole, nodes) if held == everything else None
            if sent is not None:
                cost = state.cost(sent)
                best = (cost, sent) if best is None or cost < best[0] else best
        if best is not None:
            return best[1]
    return {}


def _line_by_line(state: State, order: Sequence[int]) -> Sent:
    sent: Sent = {}
    whole, left = state.whole(), state.fill()
    for n in range(len(left)):
        for node in order:
            units = state.take(node, left, whole)[n]
            if units:
                sent.setdefault(node, [0] * len(left))[n] = units
                left[n] -= units
    return sent


def _walk(state: State, left: list[int], choose: Callable[[list[int], list[bool], Sequence[int]], int]) -> Sent:
    sent: Sent = {}
    whole, rest = state.whole(), list(state.near)
    while any(left) and rest:
        node = choose(left, whole, rest)
        rest.remove(node)
        units = state.take(node, left, whole)
        if any(units):
            sent[node] = units
            left = [before - count for before, count in zip(left, units, strict=True)]
    return sent


def _from(state: State, fill: Sequence[int], whole: Sequence[bool], nodes: Sequence[int]) -> Sent | None:
    """Everything from these nodes, each line from the cheapest; None where they have not enough."""
    sent: Sent = {}
    for n, asked in enumerate(fill):
        left = asked
        for node in sorted(nodes, key=lambda node: (state.unit[node][n], node)):
            units = min(left, state.held[node][n])
            if units and (units == asked or not whole[n]):
                sent.setdefault(node, [0] * len(fill))[n] = units
                left -= units
        if left:
            return None
    return sent


PEERS: Final[Mapping[str, Peer]] = {
    "nearest per line": nearest_per_line,
    "fixed priority": fixed_priority,
    "proximity walk": proximity_walk,
    "most lines": most_lines,
    "fewest splits": fewest_splits,
}
