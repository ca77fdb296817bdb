"""Decisions and their inputs as bytes, and deciding again from the bytes. The same input gives the same bytes."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from hub.routing.decide import decide
from hub.routing.model import ENGINE_VERSION, Decision, Group, Policy, Snapshot


class ReplayError(Exception):
    """A stored input cannot be decided again as it was. Says which version is missing."""


class Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a decision depends on. The policy is named, not copied: versions are immutable."""

    engine: str
    policy: str
    group: Group
    snapshot: Snapshot


_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_INPUT: Final = msgspec.json.Decoder(Input)
_DECISION: Final = msgspec.json.Decoder(Decision)


def encode(decision: Decision) -> bytes:
    """A decision as JSON."""
    return _ENCODER.encode(decision)


def decode(data: bytes) -> Decision:
    """A decision from what `encode` wrote. Raises `msgspec.ValidationError`."""
    return _DECISION.decode(data)


def encode_input(group: Group, snapshot: Snapshot, policy_version: str) -> bytes:
    """The input of a decision as JSON, to be stored beside it."""
    return _ENCODER.encode(Input(engine=ENGINE_VERSION, policy=policy_version, group=group, snapshot=snapshot))


def decode_input(data: bytes) -> Input:
    """An input from what `encode_input` wrote. Raises `msgspec.ValidationError`."""
    return _INPUT.decode(data)


def replay(data: bytes, policies: Mapping[str, Policy]) -> Decision:
    """Decide a stored input again, under the policy version that it names, taken from `policies`.

    Raises `ReplayError` when that version is not among them, or when another engine version decided it: the answer
    could differ, and a replay that differs without a reason is worse than none.
    """
    stored = decode_input(data)
    order = stored.group.order
    if stored.engine != ENGINE_VERSION:
        raise ReplayError(f"order {order} was decided by engine {stored.engine}, this is engine {ENGINE_VERSION}")
    policy = policies.get(stored.policy)
    if policy is None:
        raise ReplayError(f"order {order} was decided under policy {stored.policy!r}, which was not given")
    if policy.version != stored.policy:
        raise ReplayError(f"policy {policy.version!r} was given under the name {stored.policy!r}")
    return decide(stored.group, stored.snapshot, policy)


class Recorded(NamedTuple):
    """A decision as it was stored."""

    order: str
    no: int
    group: str
    at: datetime
    policy: str
    engine: str
    input: bytes
    document: bytes


class Parity(StrEnum):
    """What deciding a stored input again under its own policy gives."""

    IDENTICAL = "identical"
    """The very bytes that were stored."""
    DIFFERENT = "different"
    """Other bytes from the same engine and policy. Must not happen; the decision is named."""
    OLDER_SAME = "older_same"
    """Another engine version decided it, and this one plans the same."""
    OLDER_DIFFERENT = "older_different"
    """Another engine version decided it, and this one plans otherwise."""
    NO_POLICY = "no_policy"
    """The policy's version is gone, or cannot be read any more."""
    UNREADABLE = "unreadable"
    """This engine cannot read the input, or not decide it."""


def parity(stored: Input, document: bytes, again: Decision) -> Parity:
    """Compare a stored decision with the one that this engine makes of its input under the same policy."""
    if stored.engine == ENGINE_VERSION:
        return Parity.IDENTICAL if encode(again) == document else Parity.DIFFERENT
    before = decode(document).plan
    return Parity.OLDER_SAME if before == again.plan else Parity.OLDER_DIFFERENT
