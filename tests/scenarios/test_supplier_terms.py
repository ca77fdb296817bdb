"""Dates and costs of a supplier: a later date moves the promise, a dearer cost is a choice, silence is told."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.supplier.simulator import SupplierApi
from tests.scenarios.counter import Counter
from tests.scenarios.direct import direct
from tests.scenarios.dropship import Dropship, by_api, posted, soon
from tests.scenarios.town import Town

LATE = "UPDATE fulfilment_order SET accept_by = now() - interval '1 minute' WHERE accept_by IS NOT NULL"


@pytest.fixture
async def api(town: Town) -> AsyncIterator[Dropship[SupplierApi]]:
    async with by_api(town, tolerance_percent="5", transit_days=2) as made:
        yield made


async def answered(api: Dropship[SupplierApi], asked: str, **said: object) -> None:
    number = api.supplier.fulfilments[asked]
    api.supplier.say(api.supplier.books.acknowledged(number, **said))  # type: ignore[arg-type]
    await posted(api)


async def test_a_later_date_moves_the_customers_promise_and_an_earlier_one_moves_it_back(
    api: Dropship[SupplierApi], town: Town
) -> None:
    order, asked = await api.bought("late", ("VASE", 1), days=10)
    await answered(api, asked, ships_on=soon(5))
    assert await api.promised(order) == [None], "five days and two on the way are in time"
    await answered(api, asked, ships_on=soon(20))
    assert await api.promised(order) == [soon(22)]
    assert "promise_moved" in await town.timeline(order)
    await answered(api, asked, ships_on=soon(6))
    assert await api.promised(order) == [None]
    assert await town.house.open_exceptions() == []


async def test_an_older_acknowledgement_that_comes_late_changes_nothing(api: Dropship[SupplierApi], town: Town) -> None:
    order, asked = await api.bought("order", ("VASE", 1))
    at = api.supplier.now()
    await answered(api, asked, ships_on=soon(20), at=at.isoformat())
    await answered(api, asked, ships_on=soon(1), at=(at - timedelta(hours=1)).isoformat())
    assert await api.promised(order) == [soon(22)]
    assert (await town.timeline(order)).count("acknowledged") == 1


async def test_the_promise_goes_back_with_the_units_when_the_supplier_refuses_after_all(
    api: Dropship[SupplierApi], town: Town
) -> None:
    order, asked = await api.bought("twice", ("VASE", 1))
    await answered(api, asked, ships_on=soon(20))
    api.supplier.say(api.supplier.books.refused(api.supplier.fulfilments[asked], "capacity"))
    await posted(api)
    assert await api.promised(order) == [None]
    assert await api.where(order) == [(1, "unallocated")]
    await answered(api, asked, ships_on=soon(2))
    assert await api.where(order) == [(1, "unallocated")], "who refused is not asked again by changing his mind"
    assert "acknowledged_cancelled" in await api.kinds()


async def test_a_date_that_is_over_is_not_believed(api: Dropship[SupplierApi]) -> None:
    order, asked = await api.bought("past", ("VASE", 1))
    await answered(api, asked, ships_on=soon(-3))
    assert await api.where(order) == [(1, "accepted")]
    assert await api.promised(order) == [None]
    assert "Ask for one" in (await api.kinds())["promised_in_past"]["next_step"]


async def test_a_cost_within_the_tolerance_is_kept_and_nobody_is_asked(
    api: Dropship[SupplierApi], counter: Counter
) -> None:
    order, asked = await api.bought("near", ("VASE", 2))
    await answered(api, asked, ships_on=soon(1), costs={"1": "12.60"})
    purchase = (await counter.ok("GET", f"/fulfilment-orders/{asked}"))["purchase"]
    assert (purchase["agreed"], purchase["stated"]) == ({"1": "12.00"}, {"1": "12.60"})
    assert (purchase["cost"], purchase["too_dear"]) == (2520, False)
    kpi = await counter.ok("GET", "/kpis/purchase_cost?from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z&by=currency")
    assert [(part["key"], part["numerator"]) for part in kpi["parts"]] == [("USD", 2520)]
    kept = await counter.ok("GET", "/kpis/supplier_margin?from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z")
    assert (kept["numerator"], kept["denominator"]) == (4000 - 2520, 4000)
    assert await api.town.house.open_exceptions() == []
    assert await api.where(order) == [(2, "accepted")]


async def test_a_dearer_cost_is_a_choice_and_may_be_approved(api: Dropship[SupplierApi], counter: Counter) -> None:
    _, asked = await api.bought("dear", ("VASE", 1))
    await answered(api, asked, ships_on=soon(1), costs={"1": "13.00"})
    found = (await api.kinds())["supplier_cost"]
    assert "VASE 13.00 USD for 12.00 USD" in found["cause"]
    assert f"{asked}/approve-cost" in found["next_step"]
    assert f"{asked}/take-back" in found["next_step"]
    view = await counter.ok("POST", f"/fulfilment-orders/{asked}/approve-cost")
    assert (view["purchase"]["agreed"], view["purchase"]["too_dear"]) == ({"1": "13.00"}, False)
    assert await api.town.house.open_exceptions() == []
    assert (await counter.refused("POST", f"/fulfilment-orders/{asked}/approve-cost"))["type"].endswith("cannot-do")


async def test_a_dearer_cost_may_be_refused_and_the_goods_are_routed_anew(
    api: Dropship[SupplierApi], counter: Counter, town: Town
) -> None:
    order, asked = await api.bought("refused", ("VASE", 1))
    await answered(api, asked, ships_on=soon(1), costs={"1": "99"})
    await town.house.shelf(town.east, town.items["VASE"], 5)
    town.depot.stock("76733", "VASE", 5)
    await counter.ok("POST", f"/fulfilment-orders/{asked}/take-back", {"reason": "too dear"})
    await town.settle()
    assert api.supplier.books.cancels == {api.supplier.fulfilments[asked]: 1}
    assert await town.slices(order) == [(1, "accepted", town.east)]
    assert await town.house.open_exceptions() == []
    assert (await counter.refused("POST", f"/fulfilment-orders/{asked}/take-back"))["type"].endswith("cannot-do")


async def test_a_cost_that_the_supplier_takes_back_is_asked_about_no_more(api: Dropship[SupplierApi]) -> None:
    _, asked = await api.bought("again", ("VASE", 1))
    await answered(api, asked, ships_on=soon(1), costs={"1": "13.00"})
    (first,) = await api.town.house.open_exceptions()
    await answered(api, asked, ships_on=soon(2), costs={"1": "13.00"})
    (still,) = await api.town.house.open_exceptions()
    assert (still["id"], still["count"]) == (first["id"], first["count"]), "the same cost is the same question"
    await answered(api, asked, ships_on=soon(2), costs={"1": "14.00"})
    (other,) = await api.town.house.open_exceptions()
    assert "VASE 14.00 USD" in other["cause"]
    await answered(api, asked, ships_on=soon(2), costs={"1": "12.00"})
    assert await api.town.house.open_exceptions() == []


async def test_a_supplier_that_refuses_what_it_priced_too_high_ends_the_question(api: Dropship[SupplierApi]) -> None:
    _, asked = await api.bought("ended", ("VASE", 1))
    await answered(api, asked, ships_on=soon(1), costs={"1": "13.00"})
    api.supplier.say(api.supplier.books.refused(api.supplier.fulfilments[asked], "price"))
    await posted(api)
    assert "supplier_cost" not in await api.kinds()


async def test_units_that_turn_out_short_cost_nothing(api: Dropship[SupplierApi], counter: Counter) -> None:
    _, asked = await api.bought("short", ("VASE", 3))
    await answered(api, asked, ships_on=soon(1))
    assert (await counter.ok("GET", f"/fulfilment-orders/{asked}"))["purchase"]["cost"] == 3600
    await answered(api, asked, ships_on=soon(1), refused={"1": 1})
    assert (await counter.ok("GET", f"/fulfilment-orders/{asked}"))["purchase"]["cost"] == 2400


async def test_another_currency_than_agreed_is_asked_about(api: Dropship[SupplierApi]) -> None:
    _, asked = await api.bought("euro", ("VASE", 1))
    await answered(api, asked, ships_on=soon(1), costs={"1": "11.00"}, currency="EUR")
    assert "VASE 11.00 EUR for 12.00 USD" in (await api.kinds())["supplier_cost"]["cause"]


async def test_a_price_of_the_suppliers_own_goes_before_the_items(api: Dropship[SupplierApi], counter: Counter) -> None:
    price = {"node": "ACME", "sku": "VASE", "currency": "USD", "unit_cost": "9.75"}
    assert (await counter.ok("PUT", "/supplier-prices", price))["items"] == [price]
    _, asked = await api.bought("priced", ("VASE", 1))
    assert api.supplier.books.orders[api.supplier.fulfilments[asked]].costs == {"1": "9.75"}
    assert (await counter.ok("GET", "/supplier-prices?node=ACME"))["items"] == [price]
    await counter.ok("PUT", "/supplier-prices", price | {"unit_cost": None})
    assert (await counter.ok("GET", "/supplier-prices"))["items"] == []
    fault = await counter.refused("PUT", "/supplier-prices", price | {"node": "NOWHERE", "currency": "XXX"})
    assert {error["pointer"] for error in fault["errors"]} == {"/node", "/currency"}


async def test_a_supplier_that_does_not_answer_in_time_is_told_and_an_answer_ends_it(
    api: Dropship[SupplierApi], town: Town
) -> None:
    order, asked = await api.bought("silent", ("VASE", 1))
    assert await town.house.value("SELECT accept_by > now() FROM fulfilment_order WHERE order_id = $1", order)
    await town.house.run(LATE)
    assert await town.house.worker.performer.meet_deadlines() == 1
    found = (await api.kinds())["not_acknowledged"]
    assert f"{asked}/take-back" in found["next_step"]
    assert await api.where(order) == [(1, "released")], "nobody decided anything yet"
    assert await town.house.worker.performer.meet_deadlines() == 0
    await answered(api, asked, ships_on=soon(1))
    assert await town.house.open_exceptions() == []


async def test_by_rule_what_is_not_acknowledged_is_taken_back_too(
    api: Dropship[SupplierApi], town: Town, counter: Counter
) -> None:
    rules = 'version = "p"\n[accept]\nsuppliers = "reroute"\n[accept.minutes]\nsupplier = 60\n'
    made = await counter.ok("POST", "/policies", {"kind": "pick_up", "text": rules})
    await counter.ok("POST", f"/policies/{made['id']}/activate")
    await town.house.parts.configuration.directory()
    order, asked = await api.bought("rerouted", ("VASE", 1))
    await town.house.run(LATE)
    await town.house.worker.performer.meet_deadlines()
    await town.settle()
    assert api.supplier.books.cancels == {api.supplier.fulfilments[asked]: 1}
    assert await api.where(order) == [(1, "unallocated")]
    assert "accept_timed_out" in await town.timeline(order)


async def test_a_warehouse_that_names_no_date_and_no_cost_is_no_supplier(town: Town) -> None:
    order = await direct(town, "plain", ("PASS", 1))
    assert await town.house.value("SELECT purchase FROM fulfilment_order WHERE order_id = $1", order["id"]) is None
    assert "acknowledged" not in await town.timeline(order["id"])
