"""The policies in force, by kind and merchant."""

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

import msgspec
import structlog

from hub.store.database import PooledConnection

P = TypeVar("P", bound=msgspec.Struct)

log = structlog.get_logger(__name__)


class ActivePolicy(NamedTuple):
    """The policy of a kind that a merchant has put in force."""

    kind: str
    merchant: str
    version: str
    text: str


async def read_active(connection: PooledConnection) -> list[ActivePolicy]:
    """Those of all merchants and kinds."""
    rows = await connection.fetch("SELECT kind, merchant, version, text FROM policy WHERE state = 'active'")
    return [ActivePolicy(*row) for row in rows]


def in_force(active: Iterable[ActivePolicy], kind: str, load: Callable[[str], P], shipped: P | None) -> dict[str, P]:
    """Policies of one kind by merchant, and the shipped one under "".

    A merchant's text that loads no longer, as after an upgrade to stricter rules, is logged as `policy.broken` and the
    shipped one stands for it. `load` raises ValueError for such a text.
    """
    found = {} if shipped is None else {"": shipped}
    for one in active:
        if one.kind != kind:
            continue
        try:
            found[one.merchant] = msgspec.structs.replace(load(one.text), version=one.version)
        except ValueError as fault:
            log.error("policy.broken", kind=kind, merchant=one.merchant, version=one.version, reason=str(fault))
    return found
