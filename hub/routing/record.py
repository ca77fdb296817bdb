"""Bytes of a decision and of its input: deterministic, so that a replay can be compared with what was stored."""

import msgspec

from hub.routing.model import Decision, Group, Policy, Snapshot

_encode = msgspec.json.Encoder(order="deterministic").encode


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision was made from. The policy is named by its version, which is immutable."""

    group: Group
    snapshot: Snapshot
    policy: str


def encode_input(group: Group, snapshot: Snapshot, policy: Policy) -> bytes:
    """Bytes of a decision's input."""
    return _encode(Recorded(group=group, snapshot=snapshot, policy=policy.version))


def encode_decision(decision: Decision) -> bytes:
    """Bytes of a decision."""
    return _encode(decision)


_input = msgspec.json.Decoder(Recorded)
_decision = msgspec.json.Decoder(Decision)


def decode_input(stored: bytes) -> Recorded:
    """What a stored decision was made from."""
    return _input.decode(stored)


def decode_decision(stored: bytes) -> Decision:
    """A stored decision."""
    return _decision.decode(stored)
