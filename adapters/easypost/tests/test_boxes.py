"""Several boxes: a shipment each, bought in turn, found again and given back together."""

import msgspec
import pytest

from adapters.easypost import client
from adapters.easypost.settings import Settings
from adapters.easypost.simulator import EasyPostSimulator
from hub.domain.shipping import Label
from hub.sdk.capabilities import Context, Declaration, DeclaredGoods, LabelRequest, LabelVoid, ParcelToShip
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Uncertain
from hub.sdk.testkit.bench import outcome_of
from hub.sdk.testkit.samples import LABEL

MORE = (ParcelToShip(weight_g=700), ParcelToShip(weight_g=20_000))
WANTED = msgspec.structs.replace(LABEL, more_parcels=MORE)
AGAIN = msgspec.structs.replace(WANTED, look_first=True)
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


@pytest.mark.parametrize("request_no", [2, 4, 6])
async def test_a_lost_reply_of_any_box_is_found_again(
    sim: EasyPostSimulator, context: Context[Settings], request_no: int
) -> None:
    sim.script.extend([None] * (request_no - 1) + ["lost_reply"])
    assert isinstance(await buy(context), Uncertain)
    label = label_of(await buy(context, AGAIN))
    assert sim.labels_bought == ONCE
    assert len(label.more) == 2


@pytest.mark.parametrize("fate", ["throttle", "server_error"])
async def test_a_later_box_that_surely_was_not_bought_leaves_the_whole_uncertain(
    sim: EasyPostSimulator, context: Context[Settings], fate: str
) -> None:
    sim.script.extend([None, None, None, fate])  # type: ignore[list-item]
    assert isinstance(await buy(context), Uncertain)
    label_of(await buy(context, AGAIN))
    assert sim.labels_bought == ONCE


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
    sim.script.extend([None, None, None, "lost_reply"])
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
