"""Show what a mapping makes of a stored message, problems and all, without storing anything."""

from typing import Any

import msgspec

from hub.domain.order import Problem
from hub.mapping.compile import Mapping
from hub.mapping.errors import Malformed


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The result as JSON values: `content` and `contacts`; None where the message is malformed."""

    result: dict[str, Any] | None
    problems: tuple[Problem, ...] = ()
    malformed: str | None = None


def preview(mapping: Mapping, raw: bytes) -> Preview:
    """Map one message. Shows people as well as goods: for those who may read the message itself."""
    try:
        snapshot = mapping(raw)
    except Malformed as fault:
        return Preview(result=None, malformed=str(fault))
    shown = {name: msgspec.to_builtins(getattr(snapshot, name)) for name in ("content", "contacts")}
    return Preview(result=shown, problems=snapshot.problems)
