"""What a GraphQL document is, and the fragment that most of them share."""

from collections.abc import Mapping
from typing import Final

import msgspec

IDEMPOTENT_FROM: Final = "2026-04"
"""Of this version on inventory and refunds demand a key, and levels a `changeFromQuantity`; earlier ones do not know
either, and refuse them. "unstable" is later than all."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A named document. `cost` is what it usually costs, `worst` what it must find in the bucket to be let in.

    The vendor lets a query in by its worst cost and charges the real one. Both in points; no document may cost
    more than 1,000.
    """

    name: str
    document: str
    cost: float
    worst: int
    write: bool = False


def dated(operation: Operation, variables: Mapping[str, object], version: str) -> tuple[str, Mapping[str, object]]:
    """Document and variables as a version takes them: the directive and its key are left out where it is not known."""
    if version >= IDEMPOTENT_FROM or _DIRECTIVE not in operation.document:
        return operation.document, variables
    document = operation.document.replace(_DIRECTIVE, "").replace(", $key: String!", "")
    return document, {name: value for name, value in variables.items() if name != "key"}


_DIRECTIVE: Final = " @idempotent(key: $key)"

MONEY = """
fragment Money on MoneyBag { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
"""
