"""Policies from TOML. Strict: an unknown key, a wrong type or a value that cannot be meant names its key and line."""

import re
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from hub.routing.model import Policy
from hub.routing.positions import Path, line_of, lines_of, opens_below, words
from hub.routing.sound import problems

LONGEST_POLICY: Final = 256 * 1024
"""Bytes of the whole text."""

DIGEST_LENGTH: Final = 8
"""Hexadecimal digits: there are a handful of shipped texts in all."""

_PATH: Final = re.compile(r"`\$(?P<path>[^`]*)`")
_UNKNOWN: Final = re.compile(r"unknown field `(?P<key>[^`]*)`")


class PolicyError(ValueError):
    """A policy text that cannot be used. `key` is dotted; `line` counts from 1; 0 where no line names the key."""

    def __init__(self, key: str, line: int, problem: str) -> None:
        place = f"line {line}, " if line else ""
        super().__init__(f"routing policy, {place}{key or 'text'}: {problem}")
        self.key = key
        self.line = line
        self.problem = problem


class Fault(NamedTuple):
    """What is wrong with a text, and where."""

    code: str
    key: str
    line: int
    problem: str


def load_policy(text: str) -> Policy:
    """Read a policy. Raises `PolicyError` for the first thing that is wrong."""
    policy, faults = read_policy(text)
    for fault in faults:
        raise PolicyError(fault.key, fault.line, fault.problem)
    assert policy is not None
    return policy


def load_shipped(text: str) -> Policy:
    """A policy that comes with the program. Its version names its content too: a text that a release changes without
    another `version` is another version all the same. Raises `PolicyError`."""
    policy = load_policy(text)
    digest = sha256(text.replace("\r\n", "\n").encode()).hexdigest()[:DIGEST_LENGTH]
    return msgspec.structs.replace(policy, version=f"{policy.version}+{digest}")


def read_policy(text: str) -> tuple[Policy | None, Iterator[Fault]]:
    """The policy as far as it can be read at all, and what keeps it from being used, looked for as it is asked for."""
    if len(text.encode(errors="replace")) > LONGEST_POLICY:
        return None, iter([Fault("too-long", "", 0, f"is longer than {LONGEST_POLICY} bytes")])
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else len(text.splitlines())  # else it says "at end of document"
        return None, iter([Fault("not-toml", "", line, f"not TOML: {error}")])
    except RecursionError:
        return None, iter([Fault("not-toml", "", 0, "not TOML: nested too deeply")])
    try:
        policy = msgspec.convert(values, Policy, strict=True)
    except msgspec.ValidationError as error:
        path = _path_of(str(error))
        code = "unknown-field" if _UNKNOWN.search(str(error)) else "wrong-type"
        return None, iter([Fault(code, words(path), line_of(lines_of(text), path), str(error))])
    return policy, _located(text, policy)


def _located(text: str, policy: Policy) -> Iterator[Fault]:
    lines = None
    for problem in problems(policy):
        lines = lines_of(text) if lines is None else lines
        line = line_of(lines, problem.path)
        if problem.code == "bad-condition" and line:
            line += problem.further + opens_below(text, line)
        yield Fault(problem.code, words(problem.path), line, problem.words)


def _path_of(message: str) -> Path:
    """The path that a validation error is about, with the field that it does not know or misses."""
    found = _PATH.search(message)
    steps: list[str | int] = []
    for step in re.findall(r"[^.\[\]]+", found["path"]) if found else ():
        if step.isdigit():
            steps.append(int(step))
        elif step != "...":
            steps.append(step)
    unknown = _UNKNOWN.search(message)
    return (*steps, unknown["key"]) if unknown else tuple(steps)
