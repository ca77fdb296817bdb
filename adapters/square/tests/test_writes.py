"""What is told to Square: shipments, cancels, money, counts. Each write meets what may go wrong with it."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from adapters.square import payments, shipments
from adapters.square.availability import publish_availability
from adapters.square.cancels import cancel_order
from adapters.square.harness import two_lines
from adapters.square.payments import capture_payment, refund_payment, void_payment
from adapters.square.settings import Settings
from adapters.square.shipments import confirm_shipment, mark
from adapters.square.simulator import SquareSimulator
from hub.domain.payment import PaymentKind
from hub.domain.shipping import Parcel
from hub.sdk.capabilities import (
    AvailabilityUpdate,
    ChannelCancel,
    ConfirmedLine,
    Context,
    Level,
    PaymentCapture,
    PaymentRefund,
    PaymentVoid,
    RefundFrom,
    ShipmentConfirmation,
)
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Refused, Uncertain

Here = Context[Settings]
Order = dict[str, Any]


def shipment(order: Order, units: dict[str, int], *numbers: str, key: str = "O1-confirm-1") -> ShipmentConfirmation:
    return ShipmentConfirmation(
        key=key,
        order_external_id=order["id"],
        lines=tuple(ConfirmedLine(line=line, quantity=number) for line, number in units.items()),
        parcels=tuple(Parcel(tracking=number, carrier="ups", service="Ground") for number in numbers),
        location=None,
        shipped_at=datetime.fromisoformat("2026-01-16T15:00:00+00:00"),
    )


def cancel(order: Order) -> ChannelCancel:
    return ChannelCancel(key="O1-cancel-1", order_external_id=order["id"], reason="customer asked")


def refund(order: Order, amount: int, *paid: tuple[str, int], **more: Any) -> PaymentRefund:
    given = tuple(RefundFrom(payment=name, method="card", left=left) for name, left in paid)
    asked = PaymentRefund(
        key="O1-refund-1", order_external_id=order["id"], amount=amount, currency="USD", payments=given
    )
    return msgspec.structs.replace(asked, **more)


def counts(*levels: Level, **more: Any) -> AvailabilityUpdate:
    return AvailabilityUpdate(key="availability-1", levels=levels, **more)


def level(sku: str, quantity: int, location: str = "L1") -> Level:
    return Level(sku=sku, location=location, quantity=quantity)


def uids(order: Order) -> list[str]:
    return [line["uid"] for line in order["line_items"]]


# --- shipments --------------------------------------------------------------------------------------------------------


async def test_a_shipment_completes_its_fulfilment_and_the_order(seller: SquareSimulator, context: Here) -> None:
    order = two_lines(seller)
    mugs, tee = uids(order)
    outcome = await confirm_shipment(context, shipment(order, {mugs: 2, tee: 1}, "1Z1", "1Z2"))
    (way,) = order["fulfillments"]
    assert outcome == Done(reference=way["uid"])
    details = {name: value for name, value in way["shipment_details"].items() if name != "recipient"}
    assert details == {
        "tracking_number": "1Z1",
        "carrier": "UPS",
        "shipping_type": "Ground",
        "shipping_note": "Further parcels: 1Z2",
    }
    assert (way["state"], order["state"]) == ("COMPLETED", "COMPLETED")


async def test_parts_are_noted_until_the_last_has_left(seller: SquareSimulator, context: Here) -> None:
    order = two_lines(seller)
    mugs, tee = uids(order)
    (way,) = order["fulfillments"]
    assert isinstance(await confirm_shipment(context, shipment(order, {mugs: 1}, "1Z1")), Done)
    assert (way["state"], order["state"]) == ("RESERVED", "OPEN")
    again = await confirm_shipment(context, shipment(order, {mugs: 1}, "1Z1"))
    assert again == Done(reference=way["uid"], found=True)
    too_many = await confirm_shipment(context, shipment(order, {mugs: 2}, key="O1-confirm-2"))
    assert isinstance(too_many, NeedsPerson)
    assert isinstance(await confirm_shipment(context, shipment(order, {mugs: 1, tee: 1}, key="O1-confirm-3")), Done)
    assert (way["state"], order["state"], len(way["metadata"])) == ("COMPLETED", "COMPLETED", 2)


async def test_a_pickup_is_completed_without_tracking(seller: SquareSimulator, context: Here) -> None:
    order = two_lines(seller, kind="PICKUP")
    mugs, tee = uids(order)
    assert isinstance(await confirm_shipment(context, shipment(order, {mugs: 2, tee: 1}, "1Z1")), Done)
    (way,) = order["fulfillments"]
    assert way["state"] == "COMPLETED"
    assert "shipment_details" not in way


async def test_a_change_in_between_is_read_again(
    seller: SquareSimulator, context: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = two_lines(seller)
    mugs, tee = uids(order)
    plan, times = shipments.plan, []

    def interfered(*given: Any) -> Any:
        times.append(1)
        if len(times) == 1:
            seller.edit(order)
        return plan(*given)

    monkeypatch.setattr(shipments, "plan", interfered)
    assert isinstance(await confirm_shipment(context, shipment(order, {mugs: 2, tee: 1})), Done)
    assert len(times) == 2


async def test_a_200_that_changed_nothing_is_no_success(seller: SquareSimulator, context: Here) -> None:
    order = two_lines(seller)
    seller.forgetful = True
    with pytest.raises(Interrupted) as stopped:
        await confirm_shipment(context, shipment(order, {uids(order)[0]: 2}))
    assert isinstance(stopped.value.outcome, NeedsPerson)
    assert "changed nothing" in stopped.value.outcome.reason


@pytest.mark.parametrize("fault", ["html", "truncated"])
async def test_an_unreadable_reply_is_uncertain_and_found_the_next_time(
    seller: SquareSimulator, context: Here, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = two_lines(seller)
    asked = shipment(order, {line["uid"]: int(line["quantity"]) for line in order["line_items"]})
    plan = shipments.plan

    def then_break(*given: Any) -> Any:
        setattr(seller, fault, 1)
        return plan(*given)

    monkeypatch.setattr(shipments, "plan", then_break)
    with pytest.raises(Interrupted) as stopped:
        await confirm_shipment(context, asked)
    assert isinstance(stopped.value.outcome, Uncertain)
    monkeypatch.setattr(shipments, "plan", plan)
    again = await confirm_shipment(context, msgspec.structs.replace(asked, look_first=True))
    assert again == Done(reference=order["fulfillments"][0]["uid"], found=True)
    assert list(order["fulfillments"][0]["metadata"]) == [mark(asked.key)]


async def test_what_cannot_be_told(seller: SquareSimulator, context: Here) -> None:
    till = seller.ring_up([("MUG-RED", 1)])
    outcome = await confirm_shipment(context, shipment(till, {uids(till)[0]: 1}))
    assert isinstance(outcome, NeedsPerson)
    assert "till" in outcome.reason
    gone = two_lines(seller, paid=False)
    await cancel_order(context, cancel(gone))
    assert isinstance(await confirm_shipment(context, shipment(gone, {uids(gone)[0]: 1})), Refused)
    order = two_lines(seller)
    unknown = await confirm_shipment(context, shipment(order, {"nobody": 1}))
    assert isinstance(unknown, NeedsPerson)
    assert "nobody" in unknown.reason


async def test_a_line_in_two_ways_is_told_on_its_own_fulfilment(seller: SquareSimulator, context: Here) -> None:
    order = seller.place_order([("MUG-RED", 3)])
    (uid,), (first,) = uids(order), order["fulfillments"]
    first.update(line_item_application="ENTRY_LIST", entries=[{"line_item_uid": uid, "quantity": "1"}])
    second = {**first, "uid": "F2", "entries": [{"line_item_uid": uid, "quantity": "2"}]}
    order["fulfillments"].append(second)
    assert await confirm_shipment(context, shipment(order, {f"{uid}/F2": 2}, "1Z9")) == Done(reference="F2")
    assert [one["state"] for one in order["fulfillments"]] == ["PROPOSED", "COMPLETED"]


# --- cancels ----------------------------------------------------------------------------------------------------------


async def test_a_cancel_takes_the_fulfilment_first(seller: SquareSimulator, context: Here) -> None:
    order = two_lines(seller, paid=False)
    assert await cancel_order(context, cancel(order)) == Done(reference=order["id"])
    assert (order["fulfillments"][0]["state"], order["state"]) == ("CANCELED", "CANCELED")
    assert order["fulfillments"][0]["shipment_details"]["cancel_reason"] == "customer asked"
    assert await cancel_order(context, cancel(order)) == Done(reference=order["id"], found=True)


async def test_a_paid_order_completes_with_nothing_in_it(seller: SquareSimulator, context: Here) -> None:
    order = two_lines(seller)
    assert isinstance(await cancel_order(context, cancel(order)), Done)
    assert (order["fulfillments"][0]["state"], order["state"]) == ("CANCELED", "COMPLETED")
    assert seller.refunds == {}


async def test_what_is_done_is_not_cancelled(seller: SquareSimulator, context: Here) -> None:
    assert isinstance(await cancel_order(context, cancel(seller.ring_up([("MUG-RED", 1)]))), Refused)
    order = two_lines(seller)
    order["fulfillments"][0]["state"] = "COMPLETED"
    assert isinstance(await cancel_order(context, cancel(order)), Refused)


# --- money ------------------------------------------------------------------------------------------------------------


async def test_a_payment_is_captured_whole_or_not(seller: SquareSimulator, context: Here) -> None:
    order = two_lines(seller, captured=False)
    name, total = order["tenders"][0]["id"], order["total_money"]["amount"]
    asked = PaymentCapture(
        key="O1-capture-1",
        order_external_id=order["id"],
        payment=None,
        amount=total - 1,
        currency="USD",
        final=True,
        asked_at=datetime.fromisoformat("2026-01-16T15:00:00+00:00"),
    )
    assert isinstance(await capture_payment(context, asked), Refused)
    outcome = await capture_payment(context, msgspec.structs.replace(asked, amount=total))
    assert isinstance(outcome, Done)
    (moved,) = outcome.payments
    assert (moved.external_id, moved.kind, moved.amount, moved.parent) == (name, PaymentKind.CAPTURE, total, name)
    refused = await void_payment(context, PaymentVoid(key="v", order_external_id=order["id"], payment=name))
    assert isinstance(refused, Refused)


async def test_money_without_an_amount_is_a_persons(seller: SquareSimulator, context: Here) -> None:
    order = two_lines(seller, captured=False)
    name = order["tenders"][0]["id"]
    seller.payments[name] |= {"status": "CANCELED", "total_money": {"amount": 1299}}
    with pytest.raises(Interrupted) as stopped:
        await void_payment(context, PaymentVoid(key="v", order_external_id=order["id"], payment=name))
    assert stopped.value.outcome == NeedsPerson(
        reason=f"payment {name}: Square names no amount", next_step="look it up in the seller's dashboard, then resolve"
    )


async def test_a_refund_is_spread_over_the_payments(seller: SquareSimulator, context: Here) -> None:
    one, two = seller.ring_up([("MUG-RED", 1)]), seller.ring_up([("TEE-M", 1)])
    first, second = one["tenders"][0]["id"], two["tenders"][0]["id"]
    asked = refund(one, 2000, (first, 1299), (second, 1999), reason="damaged")
    outcome = await refund_payment(context, asked)
    assert isinstance(outcome, Done)
    assert [(paid.parent, paid.amount, paid.status) for paid in outcome.payments] == [
        (first, 1299, "pending"),
        (second, 701, "pending"),
    ]
    assert {made["reason"] for made in seller.refunds.values()} == {"damaged [O1-refund-1]"}
    again = await refund_payment(context, msgspec.structs.replace(asked, look_first=True))
    assert isinstance(again, Done)
    assert (again.found, len(seller.refunds)) == (True, 2)


async def test_a_refund_finds_the_payments_by_itself_and_is_refused_beyond(
    seller: SquareSimulator, context: Here
) -> None:
    sale = seller.ring_up([("MUG-RED", 1)])
    assert isinstance(await refund_payment(context, refund(sale, 1300)), Refused)
    assert isinstance(await refund_payment(context, refund(sale, 1000)), Done)
    beyond = await refund_payment(context, refund(sale, 500, key="O1-refund-2"))
    assert isinstance(beyond, Refused)
    assert len(seller.refunds) == 1
    assert "500 USD left to give back, only 299" in beyond.reason
    again = await refund_payment(context, refund(sale, 1000, look_first=True))
    assert isinstance(again, Done)
    assert (again.found, len(seller.refunds)) == (True, 1)


def test_a_long_reason_keeps_our_key() -> None:
    asked = refund({"id": "O"}, 1, reason="x" * 300)
    assert len(payments.reason_of(asked)) == 192
    assert payments.reason_of(asked).endswith(" [O1-refund-1]")


# --- availability -----------------------------------------------------------------------------------------------------


async def test_counts_are_set_and_variations_learned(seller: SquareSimulator, context: Here) -> None:
    outcome = await publish_availability(context, counts(level("MUG-RED", 7), level("TEE-M", 0)))
    assert isinstance(outcome, Done)
    items = {one.sku: one.id for one in seller.variations.values()}
    assert {(one.ours, one.theirs) for one in outcome.learned} == set(items.items())
    assert [seller.counts[items[sku], "L1"] for sku in ("MUG-RED", "TEE-M")] == [7, 0]
    searched = seller.calls["/v2/catalog/search"]
    known = {f"variation:{sku}": item for sku, item in items.items()}
    assert isinstance(await publish_availability(context, counts(level("MUG-RED", 5), references=known)), Done)
    assert seller.calls["/v2/catalog/search"] == searched


async def test_the_count_is_stamped_before_anything_is_asked(seller: SquareSimulator, context: Here) -> None:
    started = context.now() - timedelta(seconds=30)
    stamped = msgspec.structs.replace(context, now=lambda: started)
    assert isinstance(await publish_availability(stamped, counts(level("MUG-RED", 7))), Done)
    ((body, _),) = seller.answered.values()
    (change,) = msgspec.json.decode(body)["changes"]
    assert change["physical_count"]["occurred_at"] == started.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def test_an_item_made_anew_is_looked_up_again(seller: SquareSimulator, context: Here) -> None:
    old = next(one for one in seller.variations.values() if one.sku == "MUG-RED")
    old.deleted = True
    new = seller.sell("MUG-RED", price=1399)
    known = {"variation:MUG-RED": old.id}
    outcome = await publish_availability(context, counts(level("MUG-RED", 4), level("TEE-M", 3), references=known))
    assert isinstance(outcome, Done)
    assert {one.theirs for one in outcome.learned if one.ours == "MUG-RED"} == {new.id}
    assert seller.counts[new.id, "L1"] == 4


async def test_what_cannot_be_counted_is_named_and_the_rest_is_set(seller: SquareSimulator, context: Here) -> None:
    seller.sell("TWIN", price=100)
    seller.sell("TWIN", price=100)
    outcome = await publish_availability(
        context,
        counts(level("NOBODY", 1), level("TWIN", 2), level("TEE-M", 3, "L99"), level("MUG-RED", 9)),
    )
    assert isinstance(outcome, NeedsPerson)
    for words in ("NOBODY: no variation", "TWIN: 2 variations", "TEE-M: No such location"):
        assert words in outcome.reason
    assert "MUG-RED" not in outcome.reason
    item = next(one.id for one in seller.variations.values() if one.sku == "MUG-RED")
    assert seller.counts[item, "L1"] == 9


async def test_the_same_numbers_later_are_a_new_count(seller: SquareSimulator, context: Here) -> None:
    await publish_availability(context, counts(level("MUG-RED", 7)))
    item = next(one.id for one in seller.variations.values() if one.sku == "MUG-RED")
    seller.counts[item, "L1"] = 99
    later = msgspec.structs.replace(context, now=lambda: context.now() + timedelta(seconds=1))
    await publish_availability(later, counts(level("MUG-RED", 7)))
    assert seller.counts[item, "L1"] == 7
