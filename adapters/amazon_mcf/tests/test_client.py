"""Submitting and cancelling, by both versions alike."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from adapters.amazon_mcf.client import cancel_fulfilment, port, probe, submit_fulfilment
from adapters.amazon_mcf.harness import place
from adapters.amazon_mcf.outbound import Order
from adapters.amazon_mcf.settings import Settings
from adapters.amazon_mcf.simulator import McfSimulator
from adapters.amazon_mcf.simulator_books import Pace
from adapters.amazon_mcf.tests.stub import Stub, answer
from adapters.amazon_mcf.tests.stub import context as stubbed
from hub.domain.contact import Contact
from hub.domain.facts import CancelConfirmed, FulfilmentAccepted, StockMeaning
from hub.sdk.capabilities import Context, RequestLine
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Refused, RetryLater, Unauthorised, Uncertain
from hub.sdk.testkit.bench import outcome_of
from hub.sdk.testkit.samples import FULFILMENT, FULFILMENT_CANCEL, FULFILMENT_ID


async def test_an_order_is_taken_on(sim: McfSimulator, context: Context[Settings]) -> None:
    outcome = await submit_fulfilment(context, FULFILMENT)
    assert isinstance(outcome, Done)
    (fact,) = outcome.facts
    assert isinstance(fact, FulfilmentAccepted)
    assert (outcome.reference, fact.partner_reference, outcome.found) == (FULFILMENT_ID, FULFILMENT_ID, False)
    order = sim.books.orders[FULFILMENT_ID]
    assert [(line.id, line.sku, line.quantity) for line in order.lines] == [("1", "MUG-RED", 2), ("2", "TEE-M", 1)]
    assert (order.policy, order.speed, order.address["name"]) == ("FillOrKill", "Standard", "Zoë Quimby-O'Hara")


async def test_2026_may_answer_with_the_whole_order(sim: McfSimulator, connect: Callable[..., Any]) -> None:
    sim.answers_whole = True
    assert isinstance(await submit_fulfilment(await connect("2026-07-04"), FULFILMENT), Done)


async def test_twice_is_once(sim: McfSimulator, context: Context[Settings]) -> None:
    await submit_fulfilment(context, FULFILMENT)
    again = await submit_fulfilment(context, FULFILMENT)
    assert isinstance(again, Done)
    assert again.found
    assert sim.books.created[FULFILMENT_ID] == 1


async def test_the_same_id_with_other_items_needs_a_person(sim: McfSimulator, context: Context[Settings]) -> None:
    await submit_fulfilment(context, FULFILMENT)
    other = msgspec.structs.replace(FULFILMENT, lines=FULFILMENT.lines[:1])
    assert isinstance(await submit_fulfilment(context, other), NeedsPerson)


@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'"ok"'])
async def test_an_answer_that_amazon_does_not_give_says_nothing_of_the_order(version: str, body: bytes) -> None:
    assert isinstance(await submit_fulfilment(stubbed(Stub(answer(200, body)), version), FULFILMENT), Uncertain)


async def test_an_order_that_cannot_be_read_needs_a_person_and_is_not_made_again(version: str) -> None:
    stub = Stub(answer(200, {"payload": {"fulfillmentOrder": 7}, "order": {"lineItems": 7}}))
    for request in (
        submit_fulfilment(stubbed(stub, version), msgspec.structs.replace(FULFILMENT, look_first=True)),
        cancel_fulfilment(stubbed(stub, version), FULFILMENT_CANCEL),
    ):
        assert isinstance(await outcome_of(request), NeedsPerson)
    assert {asked.method for asked in stub.asked} == {"GET"}


async def test_an_item_amazon_does_not_have_is_a_no_of_this_node(context: Context[Settings]) -> None:
    wanted = msgspec.structs.replace(FULFILMENT, lines=(RequestLine(line="1", sku="UNHEARD-OF", quantity=1),))
    outcome = await submit_fulfilment(context, wanted)
    assert isinstance(outcome, Refused)
    assert outcome.stock is StockMeaning.QUANTITY


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"ship_to": Contact(name="A", city="B", country="US")}, NeedsPerson),
        ({"lines": (RequestLine(line="1", sku="X" * 51, quantity=1),)}, Refused),
        ({"lines": (RequestLine(line="1", sku="MUG-RED", quantity=251),)}, Refused),
        ({"lines": tuple(RequestLine(line=str(n), sku="MUG-RED", quantity=1) for n in range(101))}, Refused),
    ],
)
async def test_what_amazon_would_never_take_is_not_sent(version: str, change: dict[str, Any], kind: type) -> None:
    client = Stub(answer(200, {}))
    outcome = await submit_fulfilment(stubbed(client, version), msgspec.structs.replace(FULFILMENT, **change))
    assert isinstance(outcome, kind)
    assert client.asked == []


async def test_settings_decide_speed_policy_and_box(sim: McfSimulator, connect: Callable[..., Any]) -> None:
    for number, version in enumerate(("2020-07-01", "2026-07-04"), 1):
        wishes = {"policy": "FillAllAvailable", "speeds": {"next_day": "Priority"}, "unbranded": True}
        context = await connect(version, **wishes)
        wanted = msgspec.structs.replace(FULFILMENT, fulfilment=f"{FULFILMENT_ID[:-1]}{number}", service="next_day")
        assert isinstance(await submit_fulfilment(context, wanted), Done)
        order = sim.books.orders[wanted.fulfilment]
        assert (order.policy, order.speed) == ("FillAllAvailable", "Priority")


async def test_a_date_that_cannot_be_costs_an_order_that_was_made_nothing(
    connect: Callable[..., Any], version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = await connect(version)
    never = datetime(9999, 1, 1, tzinfo=UTC)
    odd = Order(id="1", status="New", received_at=never, changed_at=never, lines=())
    monkeypatch.setattr(type(port(context)), "created", lambda self, response: odd)
    outcome = await submit_fulfilment(context, FULFILMENT)
    assert isinstance(outcome, Done)
    assert isinstance(outcome.facts[0], FulfilmentAccepted)
    assert outcome.facts[0].at.year < never.year


async def test_a_service_without_a_speed_waits_and_is_never_sent_at_the_default(version: str) -> None:
    client = Stub(answer(200, {}))
    context = stubbed(client, version, speeds={"next_day": "Priority"})
    outcome = await outcome_of(submit_fulfilment(context, msgspec.structs.replace(FULFILMENT, service="Air")))
    assert isinstance(outcome, NeedsPerson)
    assert (outcome.kind, "'Air'" in outcome.reason) == ("unmapped_service", True)
    assert client.asked == []


async def test_an_address_in_japan_has_no_city(version: str) -> None:
    client = Stub(answer(200, {}))
    to = Contact(
        name="Sato", lines=("1-1", "", "Chiyoda", "Floor 2"), city="Tokyo", postal_code="100-0001", country="JP"
    )
    await submit_fulfilment(stubbed(client, version), msgspec.structs.replace(FULFILMENT, ship_to=to))
    document: dict[str, Any] = msgspec.json.decode(client.asked[0].body or b"")
    address = document.get("destinationAddress") or document["destination"]["deliveryAddress"]
    assert "city" not in address
    assert [address[f"addressLine{n}"] for n in (1, 2, 3)] == ["1-1", "Chiyoda", "Floor 2"]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html>Sign in</html>", Uncertain),
        (200, b'{"order": {"ord', Uncertain),
        (200, b'{"errors": [{"code": "InternalFailure", "message": "no"}]}', NeedsPerson),
        (401, b"{}", Unauthorised),
        (403, b'{"errors": [{"code": "InvalidToken", "message": "no"}]}', Unauthorised),
        (403, b'{"errors": [{"code": "Unauthorized", "message": "denied"}]}', NeedsPerson),
        (429, b"", RetryLater),
        (502, b"<html>", Uncertain),
    ],
)
async def test_answers_that_are_none(version: str, status: int, body: bytes, kind: type) -> None:
    assert isinstance(await submit_fulfilment(stubbed(Stub(answer(status, body)), version), FULFILMENT), kind)


async def test_an_error_about_the_address_does_not_repeat_it(version: str) -> None:
    told = {"errors": [{"code": "InvalidInput", "message": "The address 417 Montgomery Street is invalid"}]}
    missing = answer(404, {"errors": [{"code": "NotFound", "message": "not found"}]})
    outcome = await submit_fulfilment(stubbed(Stub(answer(400, told), missing), version), FULFILMENT)
    assert isinstance(outcome, NeedsPerson)
    assert "Montgomery" not in outcome.reason


class TestCancel:
    async def test_in_time(self, sim: McfSimulator, context: Context[Settings], version: str) -> None:
        place(sim, FULFILMENT, version)
        outcome = await cancel_fulfilment(context, FULFILMENT_CANCEL)
        assert isinstance(outcome, Done)
        (fact,) = outcome.facts
        assert isinstance(fact, CancelConfirmed)

    @pytest.mark.parametrize("pace", [Pace(ship_after_ms=None), Pace()])
    async def test_too_late(self, sim: McfSimulator, context: Context[Settings], version: str, pace: Pace) -> None:
        place(sim, FULFILMENT, version)
        sim.books.pace = pace
        assert isinstance(await cancel_fulfilment(context, FULFILMENT_CANCEL), Refused)

    async def test_taken_on_and_not_done_yet(self, sim: McfSimulator, connect: Callable[..., Any]) -> None:
        context = await connect("2026-07-04")
        place(sim, FULFILMENT)
        sim.slow_cancels = True
        assert isinstance(await cancel_fulfilment(context, FULFILMENT_CANCEL), Uncertain)
        sim.slow_cancels = False
        again = msgspec.structs.replace(FULFILMENT_CANCEL, look_first=True)
        assert isinstance(await cancel_fulfilment(context, again), Done)

    async def test_of_nothing(self, context: Context[Settings]) -> None:
        assert isinstance(await cancel_fulfilment(context, FULFILMENT_CANCEL), NeedsPerson)


async def test_an_app_that_may_not_read_orders_shows_in_the_test(sim: McfSimulator, context: Context[Settings]) -> None:
    sim.may_read = False
    checks = {check.name: check.ok for check in (await probe(context)).checks}
    assert checks == {"list orders": True, "read an order": False}


async def test_a_look_that_fails_is_no_answer(version: str) -> None:
    again = msgspec.structs.replace(FULFILMENT, look_first=True)
    with pytest.raises(Interrupted):
        await submit_fulfilment(stubbed(Stub(answer(503, b"<html>")), version), again)
