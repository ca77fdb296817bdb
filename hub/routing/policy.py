"""Read policies."""

import msgspec

from hub.routing.model import Policy


class PolicyFault(ValueError):
    """x"""


def load_policy(text: str) -> Policy:
    """x"""
    try:
        return msgspec.toml.decode(text, type=Policy)
    except msgspec.MsgspecError as error:
        raise PolicyFault(str(error)) from error
