"""An order that its channel holds for a pending payment asks nobody for its address."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from hub.domain.order import NOT_HELD, Problem
from hub.flow.hold import question


@pytest.mark.parametrize(
    ("held", "paid", "asked"),
    [("not authorised yet", "pending", 0), ("fraud", "paid", 1), (NOT_HELD, "pending", 1), (None, "pending", 1)],
)
def test_the_address_is_asked_for_when_the_hold_ends(held: str | None, paid: str, asked: int) -> None:
    order = Mock(holds={}, troubles=[])
    lacks = Problem(kind="missing_address", field="groups.ship.contact", path="to", value="")
    amounts = SimpleNamespace(difference=0)
    content = SimpleNamespace(held=held, financial_status=paid, amounts=amounts)
    snapshot: Any = SimpleNamespace(problems=(lacks,), content=content)
    question(order, snapshot, datetime(2026, 1, 1, tzinfo=UTC))
    assert len(order.troubles) == asked
    assert order.hold.call_args_list[0].args[0] == "missing_address", "nothing is sent without one"
