"""Settings over settings: what a policy is once rules have fired, and what of it rules may not change."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from hub.routing.model import Policy

FOR_ALL: Final = frozenset(
    {
        "version",
        "currency",
        "node_groups",
        "markets",
        "b2b_groups",
        "class_needs",
        "search_budget",
        "blackout",
        "reservation",
        "rule",
    }
)
"""What is said once for the whole policy."""

_MERGED: Final = ("terms", "weights")
"""Tables that are laid over one another key by key."""


def over(policy: Policy, settings: Iterable[Mapping[str, object]]) -> Policy:
    """The policy with settings laid over it, the last on top. Raises `msgspec.ValidationError`.

    Of `terms` and `weights` each key is replaced by itself.
    """
    values: dict[str, object] = msgspec.to_builtins(policy)
    for change in settings:
        for name, value in change.items():
            below = values.get(name)
            if name in _MERGED and isinstance(below, Mapping) and isinstance(value, Mapping):
                value = {**below, **value}
            values[name] = value
    return msgspec.convert(values, Policy)
