"""Several boxes: a shipment each, bought in turn, found again and given back together."""

import msgspec
import pytest

from adapters.easypost import boxes, client
from adapters.easypost.settings import Settings
from adapters.easypost.simulator import EasyPostSimulator
from hub.domain.shipping import Label, Rate
from hub.sdk.capabilities import Context, Declaration, DeclaredGoods, LabelRequest, LabelVoid, ParcelToShip
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Uncertain
from hub.sdk.testkit.bench import outcome_of
from hub.sdk.testkit.samples import LABEL, RATE
from hub.sdk.wire import Client, Request, Response

MORE = (ParcelToShip(weight_g=700), ParcelToShip(weight_g=20_000))
WANTED = msgspec.structs.replace(LABEL, more_parcels=MORE)
AGAIN = msgspec.structs.replace(WANTED, look_first=True)
QUOTES = 3
"""Requests before the first box is bought: each is asked about."""
ONCE = {LABEL.key: 1, f"{LABEL.key}-box2": 1, f"{LABEL.key}-box3": 1}


async def buy(context: Context[Settings], wanted: LabelRequest = WANTED) -> Outcome:
    return await outcome_of(client.buy_label(context, wanted))


def label_of(outcome: Outcome) -> Label:
    assert isinstance(outcome, Done), outcome
    assert outcome.label is not None
    return outcome.label


async def test_each_box_is_a_shipment_and_all_go_the_same_way(
    sim: EasyPostSimulator, context: Context[Settings]
) -> None:
    label = label_of(await buy(context))
    bought = sim.books.bought
    assert label.external_id.split(",") == [one.id for one in bought]
    assert [label.tracking, *(box.tracking for box in label.more)] == [
        one.tracker.code for one in bought if one.tracker
    ]
    assert label.amount == sum(one.bought.cents for one in bought if one.bought)
    assert len({one.bought.tariff for one in bought if one.bought}) == 1, (
        "although another is cheaper for the heavy one"
    )
    assert [one.document["parcel"]["weight"] for one in bought][1:] == [24.7, 705.5]
    assert sim.labels_bought == ONCE


@pytest.mark.parametrize("request_no", [2, 4, 6], ids=["first", "second", "third"])
async def test_a_lost_reply_of_any_box_is_found_again(
    sim: EasyPostSimulator, context: Context[Settings], request_no: int
) -> None:
    sim.script.extend([None] * (QUOTES + request_no - 1) + ["lost_reply"])
    assert isinstance(await buy(context), Uncertain)
    label = label_of(await buy(context, AGAIN))
    assert sim.labels_bought == ONCE
    assert len(label.more) == 2


@pytest.mark.parametrize("fate", ["throttle", "server_error"])
async def test_a_later_box_that_surely_was_not_bought_leaves_the_whole_uncertain(
    sim: EasyPostSimulator, context: Context[Settings], fate: str
) -> None:
    sim.script.extend([None] * (QUOTES + 3) + [fate])  # type: ignore[list-item]
    assert isinstance(await buy(context), Uncertain)
    label_of(await buy(context, AGAIN))
    assert sim.labels_bought == ONCE


class Poor:
    """A client whose account has money for so many purchases and no more."""

    def __init__(self, inner: Client, money_for: int) -> None:
        self.inner, self.money_for = inner, money_for

    async def send(self, request: Request) -> Response:
        if request.operation == "POST /shipments/buy":
            self.money_for -= 1
            if self.money_for < 0:
                error = {"error": {"code": "BILLING.INSUFFICIENT_FUNDS", "message": "no money", "errors": []}}
                return Response(status=402, headers={}, body=msgspec.json.encode(error))
        return await self.inner.send(request)


async def test_boxes_that_are_paid_are_never_taken_for_untried(
    sim: EasyPostSimulator, context: Context[Settings]
) -> None:
    poor = msgspec.structs.replace(context, client=Poor(context.client, 1))
    # A person is asked only when the boxes were found again: what was never looked for is given up without a look.
    assert isinstance(await buy(poor), Uncertain)
    outcome = await buy(poor, AGAIN)
    assert isinstance(outcome, NeedsPerson)
    assert outcome.reason.startswith("1 boxes are bought, the next is not")
    assert "add funds" in outcome.next_step
    label_of(await buy(context, AGAIN))
    assert sim.labels_bought == ONCE


async def test_without_money_for_the_first_box_a_person_is_asked_at_once(context: Context[Settings]) -> None:
    poor = msgspec.structs.replace(context, client=Poor(context.client, 0))
    assert isinstance(await buy(poor), NeedsPerson)


async def test_all_boxes_are_given_back_once(sim: EasyPostSimulator, context: Context[Settings]) -> None:
    label = label_of(await buy(context))
    void = LabelVoid(key="void-1", external_id=label.external_id)
    assert isinstance(await outcome_of(client.void_label(context, void)), Done)
    assert [one.refund for one in sim.books.bought] == ["submitted"] * 3
    again = await outcome_of(client.void_label(context, msgspec.structs.replace(void, look_first=True)))
    assert isinstance(again, Done)
    assert again.found


async def test_a_box_that_its_carrier_has_seen_does_not_keep_the_others(
    sim: EasyPostSimulator, context: Context[Settings]
) -> None:
    label = label_of(await buy(context))
    tracker = sim.books.bought[0].tracker
    assert tracker is not None
    tracker.status = "in_transit"
    outcome = await outcome_of(client.void_label(context, LabelVoid(key="void-1", external_id=label.external_id)))
    assert isinstance(outcome, NeedsPerson)
    assert [one.refund for one in sim.books.bought] == ["rejected", "submitted", "submitted"]


async def test_what_was_bought_of_a_label_given_up_is_found_box_by_box(
    sim: EasyPostSimulator, context: Context[Settings]
) -> None:
    sim.script.extend([None] * (QUOTES + 3) + ["lost_reply"])
    await buy(context)
    given_up = msgspec.structs.replace(LABEL, given_up=True, look_first=True)
    label = label_of(await buy(context, given_up))
    assert len(label.external_id.split(",")) == 2
    assert sim.labels_bought == {LABEL.key: 1, f"{LABEL.key}-box2": 1}


async def test_each_box_declares_what_is_in_it(sim: EasyPostSimulator, context: Context[Settings]) -> None:
    mug, tee = (
        DeclaredGoods(description=name, quantity=1, value=900, hs_code="691200", origin_country="PT")
        for name in ("Mug", "T-shirt")
    )
    parcels = [ParcelToShip(weight_g=500, goods=(goods,)) for goods in (mug, tee)]
    abroad = msgspec.structs.replace(
        LABEL,
        parcel=parcels[0],
        more_parcels=(parcels[1],),
        declaration=Declaration(currency="USD", goods=(mug, tee)),
        ship_to=msgspec.structs.replace(LABEL.ship_to, country="CA"),
    )
    label_of(await buy(context, abroad))
    declared = [one.document["customs_info"]["customs_items"] for one in sim.books.bought]
    assert [[line["description"] for line in lines] for lines in declared] == [["Mug"], ["T-shirt"]]


async def test_nothing_is_bought_while_a_later_box_cannot_be_declared(
    sim: EasyPostSimulator, context: Context[Settings]
) -> None:
    mug = DeclaredGoods(description="Mug", quantity=1, value=900, origin_country="PT")
    nowhere = msgspec.structs.replace(mug, description="Cup", origin_country=None)
    wanted = msgspec.structs.replace(
        LABEL,
        parcel=ParcelToShip(weight_g=500, goods=(mug,)),
        more_parcels=(ParcelToShip(weight_g=500, goods=(nowhere,)),),
        declaration=Declaration(currency="USD", goods=(mug, nowhere)),
    )
    outcome = await buy(context, wanted)
    assert isinstance(outcome, NeedsPerson)
    assert "where Cup was made" in outcome.reason
    assert sim.calls.total() == 0


async def test_an_offer_for_several_boxes_is_the_price_of_all(
    sim: EasyPostSimulator, context: Context[Settings]
) -> None:
    offers = await client.quote(context, msgspec.structs.replace(RATE, more_parcels=MORE))
    alone = [await client.quote(context, msgspec.structs.replace(RATE, parcel=one)) for one in (RATE.parcel, *MORE)]
    for offer in offers:
        parts = [
            rate for box in alone for rate in box if (rate.carrier, rate.service) == (offer.carrier, offer.service)
        ]
        assert offer.amount == sum(rate.amount for rate in parts)
        assert len(parts) == 3
    assert [offer.amount for offer in offers] == sorted(offer.amount for offer in offers)
    assert sim.labels_bought == {}


async def test_boxes_that_are_alike_are_asked_about_once(sim: EasyPostSimulator, context: Context[Settings]) -> None:
    twins = msgspec.structs.replace(RATE, more_parcels=(RATE.parcel, RATE.parcel))
    offers = await client.quote(context, twins)
    assert sim.calls.total() == 1
    (alone, *_) = await client.quote(context, RATE)
    assert offers[0].amount == 3 * alone.amount


async def test_the_way_that_is_cheapest_for_all_boxes_is_bought(
    sim: EasyPostSimulator, context: Context[Settings]
) -> None:
    offers = await client.quote(
        context,
        msgspec.structs.replace(
            RATE, ship_from=WANTED.ship_from, ship_to=WANTED.ship_to, parcel=WANTED.parcel, more_parcels=MORE
        ),
    )
    label = label_of(await buy(context))
    assert (label.carrier, label.service, label.amount) == (offers[0].carrier, offers[0].service, offers[0].amount)


async def test_nothing_is_bought_where_no_service_takes_all_boxes(
    sim: EasyPostSimulator, context: Context[Settings]
) -> None:
    sim.refused_carriers.update({"UPS", "USPS", "FedEx", "UPSDAP", "FedExDefault"})
    outcome = await buy(context)
    assert isinstance(outcome, NeedsPerson)
    assert "no service of any carrier takes all 3 boxes" in outcome.reason
    assert sim.labels_bought == {}


def offer(id: str, service: str, amount: int, currency: str = "USD", days: int | None = 2) -> Rate:
    return Rate(id=id, carrier="ups", service=service, amount=amount, currency=currency, delivery_days=days)


def test_sums_are_of_one_service_in_one_currency() -> None:
    first = (offer("a", "Ground", 500), offer("b", "Air", 900, days=1), offer("c", "Ground", 450))
    second = (offer("d", "Ground", 700, days=None), offer("e", "Air", 950, "CAD"))
    (ground,) = boxes.summed([first, second])
    assert (ground.id, ground.amount, ground.currency, ground.delivery_days) == ("c,d", 1150, "USD", None)


def test_offers_in_two_currencies_need_a_person() -> None:
    outcome = boxes.cheapest_way(WANTED, (offer("a", "Ground", 5, "CAD"), offer("b", "Ground", 5)))
    assert isinstance(outcome, NeedsPerson)
    assert "CAD and USD" in outcome.reason
