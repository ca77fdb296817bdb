"""Every kind of policy that a merchant may keep, and what reads its text."""

from collections.abc import Mapping
from typing import Final, Protocol

from hub.flow.cartons import PackingError, load_packing
from hub.flow.change_window import ChangePolicyError, load_change_policy
from hub.flow.exception_rules import ExceptionRuleError, load_exception_rules
from hub.flow.hold_rules import HoldPolicyError, load_hold_policy
from hub.flow.pick_up_rules import PickUpPolicyError, load_pick_up_policy
from hub.flow.return_rules import ReturnPolicyError, load_return_policy
from hub.promise.offer import OfferError, load_offer
from hub.routing.policy import PolicyError, load_policy


class Versioned(Protocol):
    """A policy names itself."""

    @property
    def version(self) -> str: ...


class Loader(Protocol):
    """Reads a text; raises one of `WRONG`."""

    def __call__(self, text: str, /) -> Versioned: ...


LOADERS: Final[Mapping[str, Loader]] = {
    "routing": load_policy,
    "promise": load_offer,
    "returns": load_return_policy,
    "exceptions": load_exception_rules,
    "holds": load_hold_policy,
    "changes": load_change_policy,
    "pick_up": load_pick_up_policy,
    "packing": load_packing,
}
WRONG: Final = (
    PolicyError,
    OfferError,
    ReturnPolicyError,
    ExceptionRuleError,
    HoldPolicyError,
    ChangePolicyError,
    PickUpPolicyError,
    PackingError,
)
"""What the loaders raise of a text that cannot be used."""


def fault_of(text: str, kind: str) -> str | None:
    """What keeps a text from being used as a policy of this kind; None where nothing does."""
    try:
        LOADERS[kind](text)
    except WRONG as error:
        return str(error)
    return None


def kinds_of(text: str) -> list[str]:
    """The kinds that a text can be used as."""
    return [kind for kind in LOADERS if fault_of(text, kind) is None]
