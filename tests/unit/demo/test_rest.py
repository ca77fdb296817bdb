"""What an order is doing, read from its slices: the classes that the report counts."""

import pytest

from hub.demo.rest import look, moving
from hub.store.database import Database

ORDER = (
    "INSERT INTO customer_order (id, merchant, account_id, connection_id, external_id, number, state, currency, "
    "placed_at, version, revision, acting, created_at) "
    "VALUES ('O1', 'default', 1, 'c1', '77', '#1', $1, 'EUR', now(), 1, 1, true, now())"
)
SLICE = "INSERT INTO slice (order_id, no, demand_no, quantity, state, fulfilment_no) VALUES ('O1', $1, $2, 1, $3, 1)"
WAIT = "INSERT INTO waiting VALUES ('O1', 1, 'default', 'shortage', 'item:1', 5, 'infinity', now(), now())"
HOLD = "INSERT INTO hold VALUES ('O1', 1, 'order', 'manual', 'ada', 'call first', 'person', now(), NULL)"
EFFECT = (
    "INSERT INTO effect VALUES (1, current_date, 'default', 'c1', 'O1', 'O1-post-1', 'PostDocument', 'O1', '{}', now())"
)
PARKED_EFFECT = "INSERT INTO outbox (id, connection_id, subject, due_at, parked) VALUES (1, 'c1', 'O1', now(), true)"
DUE_EFFECT = "INSERT INTO outbox (id, connection_id, subject, due_at, parked) VALUES (1, 'c1', 'O1', now(), false)"
PARKED_MESSAGE = (
    "INSERT INTO inbox (id, received_on, lane, account_id, object, due_at, parked) "
    "VALUES (1, current_date, 'facts', 1, 'fulfilment:O1-1', now(), true)"
)


@pytest.mark.parametrize(
    ("state", "slices", "more", "fate", "left"),
    [
        ("open", ["released"], [], "moving", 0),
        ("open", ["unallocated"], [], "moving", 0),
        ("closed", ["shipped", "delivered"], [], "moving", 1),
        ("closed", ["delivered", "cancelled"], [], "delivered", 1),
        ("cancelled", ["cancelled"], [], "cancelled", 0),
        ("open", ["unallocated"], [WAIT], "waiting", 0),
        ("open", ["unallocated", "delivered"], [WAIT], "waiting", 0),
        ("open", ["unallocated", "released"], [WAIT], "moving", 0),
        ("open", ["reserved"], [HOLD], "parked", 0),
        ("closed", ["delivered"], [EFFECT, PARKED_EFFECT], "parked", 1),
        ("closed", ["delivered"], [EFFECT, DUE_EFFECT], "delivered", 1),
        ("open", ["released"], [PARKED_MESSAGE], "parked", 0),
    ],
)
async def test_an_orders_fate(
    database: Database, state: str, slices: list[str], more: list[str], fate: str, left: int
) -> None:
    async with database.transaction() as connection:
        await connection.execute(ORDER, state)
        for no, where in enumerate(slices, 1):
            await connection.execute(SLICE, no, no, where)
        for statement in more:
            await connection.execute(statement)
        found = await look(connection)
        assert found.fates == {fate: 1}
        assert found.left == left
        assert found.orders == 1
        assert found.at_rest == (fate != "moving" and DUE_EFFECT not in more)
        stuck = await moving(connection)
        assert any("order #1 (O1)" in line for line in stuck) == (fate == "moving")
        assert any("PostDocument O1-post-1" in line for line in stuck) == (DUE_EFFECT in more)


async def test_nothing_is_at_rest(database: Database) -> None:
    async with database.connection() as connection:
        found = await look(connection)
        assert (found.orders, found.left, found.parked, found.at_rest) == (0, 0, 0, True)
        await connection.execute("INSERT INTO dirty (item_id) VALUES (1)")
        assert not (await look(connection)).at_rest
