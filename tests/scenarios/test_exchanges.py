"""Other goods for those that come back: an order of its own, paid by what returns."""

from tests.scenarios.counter import Counter
from tests.scenarios.sold import sold
from tests.scenarios.town import Town


async def test_an_exchange_is_an_order_of_its_own_paid_by_what_comes_back(town: Town, counter: Counter) -> None:
    await town.goods("LAMP", east=5)
    _, order, line = await sold(town, 3)
    made = await counter.ok(
        "POST",
        "/returns",
        {
            "order": order["id"],
            "lines": [{"line": line, "quantity": 1, "reason": "wrong_item"}],
            "exchange": [{"sku": "LAMP", "quantity": 1}],
        },
    )
    await town.settle()
    (other,) = await town.house.rows("SELECT * FROM customer_order WHERE external_id = $1", made["exchange"])
    view = await counter.ok("GET", f"/orders/{other['id']}")
    value = view["amounts"]["placed"]["shop"]["total"]
    assert value > 0
    assert [(p["method"], p["amount"]) for p in view["payments"]] == [("exchange", value)]
    assert view["progress"]["by_state"] == {"accepted": 1}
    assert not view["progress"]["held"]
    related = await town.house.rows("SELECT order_id, other_id, kind FROM related_order ORDER BY kind")
    assert {(r["order_id"], r["other_id"], r["kind"]) for r in related} == {
        (other["id"], order["id"], "exchange"),
        (order["id"], other["id"], "exchange_of"),
    }
    await counter.ok("POST", f"/returns/{made['id']}/receive", {"node": "EAST"})
    await counter.ok("POST", f"/returns/{made['id']}/grade", {"disposition": "restock"})
    await town.settle()
    (refund,) = (await counter.ok("GET", f"/refunds?order={order['id']}"))["items"]
    assert (refund["amount"], refund["state"], refund["reason"]) == (value, "done", "exchange")
    assert town.shop.refunds == {}, "the money went into the other order"


async def test_an_exchange_that_costs_more_waits_for_the_difference(town: Town, counter: Counter) -> None:
    await town.goods("LAMP", east=5)
    _, order, line = await sold(town, 3)
    made = await counter.ok("POST", "/returns", {"order": order["id"], "lines": [{"line": line, "quantity": 1}]})
    await counter.ok(
        "POST", f"/returns/{made['id']}/exchange", {"lines": [{"sku": "LAMP", "quantity": 1, "amount": 9900}]}
    )
    await town.settle()
    other = await town.house.value("SELECT id FROM customer_order WHERE external_id LIKE '%-X%'")
    view = await counter.ok("GET", f"/orders/{other}")
    assert [hold["kind"] for hold in view["holds"]] == ["payment_due"]
    assert view["progress"]["by_state"] == {"reserved": 1}
    problem = await counter.refused(
        "POST", f"/returns/{made['id']}/exchange", {"lines": [{"sku": "LAMP", "quantity": 1}]}
    )
    assert problem["status"] == 409


async def test_an_exchange_that_costs_less_gives_the_rest_back_when_the_goods_are_here(
    town: Town, counter: Counter
) -> None:
    await town.goods("LAMP", east=5)
    placed, order, line = await sold(town, 3)
    made = await counter.ok("POST", "/returns", {"order": order["id"], "lines": [{"line": line, "quantity": 1}]})
    await counter.ok(
        "POST", f"/returns/{made['id']}/exchange", {"lines": [{"sku": "LAMP", "quantity": 1, "amount": 300}]}
    )
    await counter.ok("POST", f"/returns/{made['id']}/receive", {"node": "EAST"})
    assert len((await counter.ok("GET", "/refunds"))["items"]) == 1
    await counter.ok("POST", f"/returns/{made['id']}/grade", {"disposition": "restock"})
    await town.settle()
    rest, credit = (await counter.ok("GET", "/refunds"))["items"]
    assert credit["amount"] == 300
    (back,) = town.shop.orders[placed.id].refunds
    assert int(back.moved(town.shop.orders[placed.id]) * 100) == rest["amount"] > 0
    assert rest["state"] == "done"
