"""Policies from TOML. Strict: an unknown key, a wrong type or a value that cannot be meant names its key and line."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from hub.domain.money import MINOR_UNITS
from hub.routing.model import Policy

_PATH: Final = re.compile(r"`\$(?P<path>[^`]*)`")
_UNKNOWN: Final = re.compile(r"unknown field `(?P<key>[^`]*)`")
_KEY: Final = re.compile(r"""\s*(?P<key>[A-Za-z0-9_\-."' ]+?)\s*=""")
_TABLE: Final = re.compile(r"""\s*\[+\s*(?P<key>[^\]]+?)\s*\]+""")


class PolicyError(ValueError):
    """A policy text that cannot be used. `key` is dotted; `line` counts from 1; 0 where no line names the key."""

    def __init__(self, key: str, line: int, problem: str) -> None:
        place = f"line {line}, " if line else ""
        super().__init__(f"routing policy, {place}{key or 'text'}: {problem}")
        self.key = key
        self.line = line


def load_policy(text: str) -> Policy:
    """Read a policy. Raises `PolicyError` for the first thing that is wrong."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else len(text.splitlines())  # else it says "at end of document"
        raise PolicyError("", line, f"not TOML: {error}") from error
    try:
        policy = msgspec.convert(values, Policy, strict=True)
    except msgspec.ValidationError as error:
        keys = _keys_of(str(error))
        raise PolicyError(".".join(keys), _line_of(text, keys), str(error)) from error
    for key, problem in _problems(policy):
        raise PolicyError(key, _line_of(text, [key]), problem)
    return policy


def _keys_of(message: str) -> list[str]:
    """The key that a validation error is about, from its path and the field it does not know."""
    path = _PATH.search(message)
    unknown = _UNKNOWN.search(message)
    steps = re.findall(r"[^.\[\]]+", path["path"]) if path else []
    keys = [step for step in steps if not step.isdigit() and step != "..."]
    return [*keys, unknown["key"]] if unknown else keys


def _line_of(text: str, keys: Sequence[str]) -> int:
    """The line that names a key, or the nearest key above it; 0 when none does."""
    table: list[str] = []
    best = (0, 0)
    for number, line in enumerate(text.splitlines(), start=1):
        header, assignment = _TABLE.match(line), _KEY.match(line)
        if header:
            table = _parts(header["key"])
            here = table
        elif assignment:
            here = [*table, *_parts(assignment["key"])]
        else:
            continue
        if here == list(keys[: len(here)]) and len(here) > best[0]:
            best = (len(here), number)
    return best[1]


def _parts(key: str) -> list[str]:
    return [part.strip().strip("\"'") for part in key.split(".")]


def _problems(policy: Policy) -> Iterator[tuple[str, str]]:
    """What the types allow and nobody can mean."""
    if not policy.version:
        yield "version", "a policy needs a version"
    if policy.currency not in MINOR_UNITS:
        yield "currency", f"{policy.currency!r} is not an ISO 4217 code"
    for key in policy.__struct_fields__:
        value = getattr(policy, key)
        if isinstance(value, int) and value < 0:
            yield key, f"{value} is negative; costs, distances and limits start at 0"
    if policy.search_budget < 1:
        yield "search_budget", "a search needs at least one step"
    for key in ("use_groups", "skip_groups"):
        for name in getattr(policy, key):
            if name not in policy.node_groups:
                yield key, f"{name!r} is not one of node_groups ({', '.join(sorted(policy.node_groups)) or 'none'})"
    grams, cost = 0, 0
    for step in policy.rate_steps:
        if step[0] <= grams or step[1] < cost:
            yield "rate_steps", f"step {list(step)} does not rise above the one before it"
        grams, cost = step
