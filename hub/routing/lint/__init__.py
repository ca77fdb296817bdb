"""Checks policies before they are activated: what cannot be used, and what does not mean what it seems to."""

from collections.abc import Iterator, Sequence

from hub.routing.lint import chain, conditions, figures, network
from hub.routing.lint.finding import Finding, Note, Severity
from hub.routing.model import NodeState, Policy
from hub.routing.policy import read_policy
from hub.routing.positions import line_of, lines_of, opens_below, words

__all__ = ["Finding", "Severity", "lint"]


def lint(text: str, nodes: Sequence[NodeState] | None = None) -> list[Finding]:
    """Everything there is to say about a policy, by line. `nodes` are those it will decide over, where known.

    Empty for a policy without fault. What keeps it from being loaded is an error, and then nothing else is looked for.
    """
    policy, faults = read_policy(text)
    found = [Finding(fault.code, Severity.ERROR, fault.key, fault.line, fault.problem) for fault in faults]
    if policy is None or found:
        return sorted(found, key=_place)
    lines = lines_of(text)
    for note in _notes(policy, nodes):
        line = line_of(lines, note.path) if note.path else 0
        if note.path and note.path[-1] in ("when", "keep", "drop", "kept_for") and line:
            line += note.further + opens_below(text, line)
        found.append(Finding(note.code, note.severity, words(note.path), line, note.message))
    return sorted(found, key=_place)


def _notes(policy: Policy, nodes: Sequence[NodeState] | None) -> Iterator[Note]:
    yield from conditions.notes(policy, nodes)
    yield from chain.notes(policy, nodes)
    yield from figures.notes(policy)
    if nodes is not None:
        yield from network.notes(policy, nodes)


def _place(finding: Finding) -> tuple[int, str, str]:
    return finding.line, finding.code, finding.key
