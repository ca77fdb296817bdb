"""How tests of the mapping read an order, and what they see of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from hub.domain.order import OrderSnapshot

MAPPINGS: Final = Path(__file__).resolve().parents[3] / "mappings" / "shopify"

Read = Callable[..., OrderSnapshot]
"""Maps an order of two lines after some changes: see the fixture `read`."""


def kinds(snapshot: OrderSnapshot) -> list[str]:
    """Kinds of its problems."""
    return [problem.kind for problem in snapshot.problems]
