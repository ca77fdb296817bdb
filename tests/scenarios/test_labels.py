"""Labels of nodes that are worked through the hub: bought once, given back once when their goods stay here."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from litestar.types import ASGIApp, Receive, Scope, Send

from adapters.easypost.harness import API_KEY, SECRET, STILL, settings
from adapters.easypost.simulator import EasyPostSimulator
from adapters.easypost.simulator_books import Scan
from adapters.ups.harness import settings as ups_settings
from adapters.ups.harness import simulator as ups_simulator
from adapters.ups.simulator import UpsSimulator
from hub.store.parcels import watch_parcels
from tests.scenarios.high_street import HighStreet, open_high_street, slices
from tests.scenarios.house import House

BUYER = {"name": "Ada", "lines": ["2 Road"], "city": "Berlin", "postal_code": "10115", "country": "DE"}


class Slow(EasyPostSimulator):
    """Sells nothing while it is not open."""

    def __init__(self) -> None:
        super().__init__(api_key=API_KEY, webhook_secret=SECRET, journey=STILL)
        self.open, self.asked = asyncio.Event(), asyncio.Event()
        self.open.set()

    def app(self) -> ASGIApp:
        """Purchases wait at the door."""
        inner = super().app()

        async def gated(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"].endswith("/buy"):
                self.asked.set()
                await self.open.wait()
            await inner(scope, receive, send)

        return gated


@dataclass(kw_only=True)
class PostOffice:
    """A street whose stores are sold postage."""

    street: HighStreet
    carrier: Slow

    async def do(self, work: str, *verbs: str, body: Any = None) -> dict[str, Any]:
        """What is done at the node, with nothing sent to anybody meanwhile."""
        found: dict[str, Any] = {}
        for verb in verbs:
            found = await self.street.counter.ok("POST", f"/fulfilment-orders/{work}/{verb}", body)
        return found

    async def packed(self, units: int = 2, **more: Any) -> tuple[str, str]:
        """Goods that are packed, their label not bought yet: (order, fulfilment order)."""
        order = await self.street.order(("MUG", units), **{"contacts": {"ship": BUYER}, **more})
        (work,) = order["fulfilments"]
        await self.do(work["id"], "accept", "pick", "pack")
        return order["id"], work["id"]

    async def cancel(self, order: str, work: str) -> None:
        """Cancelled while packed: the node is asked, and unpacks."""
        await self.street.counter.ok("POST", f"/orders/{order}/cancel", {"reason": "changed mind"})
        (open_one,) = await self.street.house.open_exceptions()
        assert open_one["kind"] == "cancel_refused"
        assert f"{work}/unpack" in open_one["next_step"]
        await self.do(work, "unpack")

    async def label(self, work: str) -> dict[str, Any]:
        """The label as the node sees it."""
        found: dict[str, Any] = await self.street.counter.ok("GET", f"/fulfilment-orders/{work}/label")
        return found

    @property
    def refunds(self) -> list[str | None]:
        """What became of the money, by purchase."""
        return [shipment.refund for shipment in self.carrier.books.bought]


@pytest.fixture
async def post(house: House) -> AsyncIterator[PostOffice]:
    street = await open_high_street(house)
    await street.goods("MUG", MITTE=5, NORD=5)
    async with Slow() as carrier:
        given = settings(carrier)
        config = {name: getattr(given, name) for name in given.__struct_fields__ if getattr(given, name)}
        await house.connect("carrier", "easypost", config)
        yield PostOffice(street=street, carrier=carrier)
    await street.counter.client.aclose()


async def test_a_label_is_voided_once_when_what_it_was_bought_for_is_cancelled(post: PostOffice) -> None:
    order, work = await post.packed()
    await post.street.house.everything()
    label = await post.label(work)
    assert (len(label["boxes"]), label["voided_at"], label["amount"] > 0) == (1, None, True)
    await post.cancel(order, work)
    await post.street.house.everything()
    assert post.refunds == ["submitted"]
    assert (await post.label(work))["voided_at"] is not None
    after = await post.street.look(order)
    assert (after["state"], slices(after)) == ("cancelled", [])
    assert await post.street.house.open_exceptions() == [], "unpacking answered the question"
    assert [k for k in await post.street.kinds(order) if "label" in k] == ["label_given_up"]
    refused = await post.street.counter.refused("POST", f"/fulfilment-orders/{work}/unpack")
    assert refused["status"] == 409
    assert await post.street.house.value("SELECT count(*) FROM effect WHERE kind = 'VoidLabel'") == 1


async def test_a_label_that_nobody_heard_of_is_not_bought(post: PostOffice) -> None:
    order, work = await post.packed()
    await post.cancel(order, work)
    await post.street.house.everything()
    assert post.carrier.books.shipments == {}
    assert await post.street.house.value("SELECT count(*) FROM effect WHERE kind = 'VoidLabel'") == 0
    assert (await post.street.counter.refused("GET", f"/fulfilment-orders/{work}/label"))["status"] == 404


async def test_a_label_whose_purchase_is_answered_after_the_cancel_is_voided_then(post: PostOffice) -> None:
    order, work = await post.packed()
    post.carrier.open.clear()
    sending = asyncio.ensure_future(post.street.house.send())
    await post.carrier.asked.wait()
    await post.cancel(order, work)
    assert post.refunds == [], "cancelled before the carrier answered"
    post.carrier.open.set()
    await sending
    await post.street.house.everything()
    assert post.refunds == ["submitted"], "bought in spite of the cancel, and given back"


async def test_after_a_lost_reply_the_purchase_is_looked_for_and_voided(post: PostOffice) -> None:
    order, work = await post.packed()
    post.carrier.script.extend([None, "lost_reply"])
    await post.street.house.send()
    assert await post.street.house.value("SELECT count(*) FROM label") == 0, "nobody knows yet"
    await post.cancel(order, work)
    await post.street.house.send()
    assert dict(post.carrier.labels_bought) == {f"{work}-label-1": 1}
    await post.street.house.everything()
    assert post.refunds == ["submitted"]


async def test_a_purchase_that_was_lost_before_it_was_made_is_not_made_up_for(post: PostOffice) -> None:
    order, work = await post.packed()
    post.carrier.script.extend([None, "html"])
    await post.street.house.send()
    await post.cancel(order, work)
    await post.street.house.send()
    await post.street.house.everything()
    assert dict(post.carrier.labels_bought) == {}
    assert await post.street.house.open_exceptions() == []
    assert await post.street.house.value("SELECT count(*) FROM outbox") == 0


async def test_a_carrier_that_keeps_the_money_is_told_with_what_the_label_cost(post: PostOffice) -> None:
    order, work = await post.packed()
    await post.street.house.everything()
    label = await post.label(work)
    (bought,) = post.carrier.books.bought
    assert bought.tracker is not None
    bought.tracker.status = "in_transit"
    bought.tracker.scans = [Scan(status="in_transit", at=bought.created)]
    await post.cancel(order, work)
    await post.street.house.everything()
    (told,) = await post.street.house.open_exceptions()
    assert (told["kind"], told["cause"]) == ("label_not_voided", f"carrier: {work}")
    cost = f"{label['amount'] / 100:.2f} USD"
    assert label["boxes"][0]["tracking"] in told["next_step"]
    assert cost in told["next_step"]
    assert (await post.label(work))["voided_at"] is None


async def test_units_that_turn_out_short_after_packing_go_elsewhere_with_a_label_of_their_own(post: PostOffice) -> None:
    order, work = await post.packed()
    await post.street.house.everything()
    body = {"lines": [{"sku": "MUG", "quantity": 2}], "stock": "nothing"}
    await post.do(work, "short", body=body)
    await post.street.house.everything()
    assert post.refunds == ["submitted"]
    after = await post.street.look(order)
    (units, state, node) = slices(after)[0]
    assert (units, state) == (2, "released")
    first, again = after["fulfilments"][0], after["fulfilments"][-1]["id"]
    assert node != first["node"]
    await post.do(again, "accept", "pick", "pack")
    await post.street.house.everything()
    assert post.refunds == ["submitted", None]


async def test_some_units_short_leave_the_label_to_the_rest(post: PostOffice) -> None:
    _, work = await post.packed()
    await post.street.house.everything()
    await post.do(work, "short", body={"lines": [{"sku": "MUG", "quantity": 1}], "stock": "nothing"})
    await post.street.house.everything()
    assert post.refunds == [None]


async def unused(post: PostOffice, days: int) -> list[dict[str, Any]]:
    """Look at labels so many days from now, twice."""
    for _ in range(2):
        async with post.street.house.parts.database.transaction() as connection:
            await watch_parcels(connection, datetime.now(UTC) + timedelta(days=days))
    return await post.street.house.open_exceptions()


async def test_a_label_that_nothing_left_with_is_told_after_a_week(post: PostOffice) -> None:
    order, work = await post.packed()
    await post.street.house.everything()
    (box,) = (await post.label(work))["boxes"]
    assert await unused(post, 6) == []
    (told,) = await unused(post, 8)
    assert (told["kind"], told["count"]) == ("label_unused", 1)
    assert (box["tracking"] in told["cause"], work in told["cause"]) == (True, True)
    assert " USD days ago" in told["next_step"]
    await post.do(work, "ship")
    kinds = [row["kind"] for row in await unused(post, 8)]
    assert kinds == ["parcel_unscanned"], "it left with the label that was bought for it, and no carrier saw it"
    assert "label_given_up" not in await post.street.kinds(order)


EXPORT: dict[str, Any] = {"contacts": {"ship": {**BUYER, "city": "Zurich", "country": "CH"}}}


async def test_an_export_without_customs_data_waits_for_it_and_nothing_is_bought(post: PostOffice) -> None:
    order = await post.street.order(("MUG", 2), **EXPORT)
    (work,) = order["fulfilments"]
    await post.do(work["id"], "accept", "pick", "pack")
    await post.street.house.everything()
    (told,) = await post.street.house.open_exceptions()
    assert (told["kind"], told["cause"]) == ("customs_data_missing", "item MUG")
    assert "description, origin_country, hs_code" in told["next_step"]
    assert "from DE to CH" in told["next_step"]
    assert post.carrier.books.shipments == {}
    customs = {"hs_code": "6912.00", "origin_country": "PT", "description": "Mug of clay"}
    await post.street.counter.ok("PUT", "/items/MUG", {"title": "Mug", "weight_g": 400, "customs": customs})
    await post.street.house.everything()
    assert await post.street.house.open_exceptions() == []
    (bought,) = post.carrier.books.bought
    (declared,) = bought.document["customs_info"]["customs_items"]
    assert declared["hs_tariff_number"] == "6912.00"
    assert (declared["quantity"], declared["value"], declared["currency"]) == (2, "10.00", "EUR")
    assert (declared["origin_country"], declared["description"]) == ("PT", "Mug of clay")


async def test_a_gift_is_declared_at_the_items_own_value(post: PostOffice) -> None:
    customs = {"hs_code": "691200", "origin_country": "PT", "description": "Mug", "value": {"EUR": "3.335"}}
    await post.street.counter.ok("PUT", "/items/MUG", {"customs": customs})
    lines = [{"external_id": "MUG", "sku": "MUG", "quantity": 2, "subtotal": 1000, "discount": 1000}]
    order = await post.street.order(("MUG", 2), **{**EXPORT, "lines": lines})
    (work,) = order["fulfilments"]
    await post.do(work["id"], "accept", "pick", "pack")
    await post.street.house.everything()
    (bought,) = post.carrier.books.bought
    (declared,) = bought.document["customs_info"]["customs_items"]
    assert declared["value"] == "6.67"


async def test_each_box_declares_its_own_goods_and_all_are_voided_together(post: PostOffice) -> None:
    counter = post.street.counter
    made = await counter.ok("POST", "/policies", {"kind": "packing", "text": 'version = "light"\nmax_g = 700'})
    await counter.ok("POST", f"/policies/{made['id']}/activate")
    customs = {"hs_code": "691200", "origin_country": "PT", "description": "Mug"}
    await counter.ok("PUT", "/items/MUG", {"customs": customs, "weight_g": 400})
    order, work = await post.packed(3, contacts=EXPORT["contacts"])
    await post.street.house.everything()
    declared = [shipment.document["customs_info"]["customs_items"] for shipment in post.carrier.books.bought]
    assert [[(line["quantity"], line["value"]) for line in lines] for lines in declared] == [[(1, "3.33")]] * 3
    assert len((await post.label(work))["boxes"]) == 3
    await post.cancel(order, work)
    await post.street.house.everything()
    assert post.refunds == ["submitted"] * 3


BOXES = """
version = "boxes-{no}"
fill_percent = 80
[[box]]
code = "mug"
length_mm = 120
width_mm = 100
height_mm = 100
empty_g = 50
"""


async def with_ups(street: HighStreet, carrier: UpsSimulator) -> None:
    """UPS sells postage to Berlin's stores, from full addresses."""
    given = ups_settings(carrier)
    config = {name: getattr(given, name) for name in given.__struct_fields__ if getattr(given, name)}
    await street.house.connect("ups", "ups", config)
    address = {"company": "Store", "lines": ["1 Street"], "city": "Newark", "region": "NJ", "postal_code": "07102"}
    await street.house.run(
        "UPDATE node SET address = $1",
        msgspec.json.encode({**address, "country": "US", "phone": "2015550100"}).decode(),
    )
    made = await street.counter.ok("POST", "/policies", {"kind": "packing", "text": BOXES})
    await street.counter.ok("POST", f"/policies/{made['id']}/activate")
    item = {"weight_g": 400, "dimensions": {"length_mm": 110, "width_mm": 90, "height_mm": 90}}
    await street.counter.ok("PUT", "/items/MUG", item)


async def test_several_boxes_are_labelled_shipped_and_followed_each_with_its_goods(house: House) -> None:
    street = await open_high_street(house)
    await street.goods("MUG", MITTE=5)
    async with ups_simulator() as carrier:
        await with_ups(street, carrier)
        buyer = {"name": "Ada", "lines": ["2 Road"], "city": "Boston", "region": "MA", "postal_code": "02108"}
        order = await street.order(("MUG", 3), contacts={"ship": {**buyer, "country": "US"}})
        (work,) = order["fulfilments"]
        advice = await street.counter.ok("GET", f"/fulfilment-orders/{work['id']}/boxes")
        assert [(box["box"], box["weight_g"], box["lines"]) for box in advice["boxes"]] == [
            ("mug", 450, [{"line": "1", "quantity": 1}])
        ] * 3
        assert advice["assumed"] == []
        await street.work(work["id"], "accept", "pick", "pack")
        label = await street.counter.ok("GET", f"/fulfilment-orders/{work['id']}/label")
        numbers = [box["tracking"] for box in label["boxes"]]
        assert len(set(numbers)) == 3
        shipped = await street.work(work["id"], "ship")
        (shipment,) = shipped["shipments"]
        assert [parcel["tracking"] for parcel in shipment["parcels"]] == numbers
        assert [line["quantity"] for parcel in shipment["parcels"] for line in parcel["lines"]] == [1, 1, 1]
    await street.counter.client.aclose()
