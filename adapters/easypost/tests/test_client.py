"""The adapter and a running EasyPost: labels are bought once, whatever is lost on the way."""

from datetime import timedelta

import msgspec
import pytest

from adapters.easypost import client
from adapters.easypost.harness import API_KEY, HARNESS, SECRET, bought, settings
from adapters.easypost.settings import Settings
from adapters.easypost.simulator import CARRIERS, EasyPostSimulator
from adapters.easypost.translate import tracker_facts
from adapters.easypost.webhook import check
from hub.domain.shipping import TrackingStatus
from hub.mapping.tables import CodeTables
from hub.sdk.capabilities import Context, LabelRequest, LabelVoid
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, RetryLater, Uncertain
from hub.sdk.testkit.bench import Bench, outcome_of
from hub.sdk.testkit.samples import LABEL, RATE
from hub.sdk.testkit.simulator import Fault, Sent
from hub.sdk.webhook import Delivery, Store

AGAIN = msgspec.structs.replace(LABEL, look_first=True)


async def buy(context: Context[Settings], wanted: LabelRequest = LABEL) -> Outcome:
    return await outcome_of(client.buy_label(context, wanted))


class TestBuying:
    async def test_the_cheapest_offer(self, sim: EasyPostSimulator, context: Context[Settings]) -> None:
        offers = await client.quote(context, RATE)
        outcome = await buy(context)
        assert isinstance(outcome, Done)
        assert outcome.label is not None
        assert outcome.label.amount == min(offer.amount for offer in offers)
        assert outcome.label.tracking in sim.books.trackers
        assert len({offer.carrier for offer in offers}) == 3

    async def test_the_service_asked_for(self, context: Context[Settings]) -> None:
        outcome = await buy(context, msgspec.structs.replace(LABEL, service="2ndDayAir"))
        assert isinstance(outcome, Done)
        assert outcome.label is not None
        assert (outcome.label.carrier, outcome.label.service) == ("ups", "2ndDayAir")

    @pytest.mark.parametrize("request_no", [1, 2])
    async def test_a_lost_reply_is_found_again(
        self, sim: EasyPostSimulator, context: Context[Settings], request_no: int
    ) -> None:
        sim.script.extend([None] * (request_no - 1) + ["lost_reply"])
        assert isinstance(await buy(context), Uncertain)
        outcome = await buy(context, AGAIN)
        assert isinstance(outcome, Done)
        assert sim.labels_bought == {LABEL.key: 1}
        assert len(sim.books.shipments) == 1, "the shipment of the first try is taken up"
        assert outcome.found == (request_no == 2)

    async def test_what_nobody_wants_any_more_is_looked_for_and_not_bought(
        self, sim: EasyPostSimulator, context: Context[Settings]
    ) -> None:
        given_up = msgspec.structs.replace(LABEL, given_up=True)
        assert await buy(context, given_up) == Done(), "nothing was tried"
        assert sim.books.shipments == {}
        sim.script.extend(["lost_reply"])
        await buy(context)
        again = msgspec.structs.replace(given_up, look_first=True)
        assert await buy(context, again) == Done(), "a shipment without postage costs nothing"
        sim.script.extend([None, "lost_reply"])
        await buy(context)
        outcome = await buy(context, again)
        assert isinstance(outcome, Done)
        assert outcome.label is not None
        assert sim.labels_bought == {LABEL.key: 1}

    async def test_a_search_cut_short_stays_uncertain(self, sim: EasyPostSimulator, context: Context[Settings]) -> None:
        sim.script.extend([None, "lost_reply", "server_error"])
        await buy(context)
        assert isinstance(await buy(context, AGAIN), Uncertain)
        assert isinstance(await buy(context, AGAIN), Done)
        assert sim.labels_bought == {LABEL.key: 1}

    @pytest.mark.parametrize("fate", ["throttle", "server_error"])
    async def test_an_unbought_twin_does_not_hide_the_bought_one(
        self, sim: EasyPostSimulator, context: Context[Settings], fate: Fault
    ) -> None:
        sim.script.extend([None, fate])
        first = await buy(context)
        assert isinstance(first, RetryLater if fate == "throttle" else Uncertain)
        sim.script.extend([None, "lost_reply"])
        await buy(context)
        outcome = await buy(context, AGAIN)
        assert isinstance(outcome, Done)
        assert outcome.found
        assert len(sim.books.by_reference[LABEL.key]) == 2
        assert sim.labels_bought == {LABEL.key: 1}

    async def test_the_search_goes_through_all_pages(
        self, sim: EasyPostSimulator, context: Context[Settings], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client.calls, "PAGE", 3)
        wanted = bought(sim, LABEL)
        for number in range(7):
            bought(sim, msgspec.structs.replace(LABEL, key=f"other-{number}"))
        del sim.books.by_reference[LABEL.key]
        outcome = await buy(context, AGAIN)
        assert isinstance(outcome, Done)
        assert outcome.reference == wanted.id
        assert sim.calls["/v2/shipments"] == 3
        assert sim.violations == []

    async def test_the_search_ends(
        self, sim: EasyPostSimulator, context: Context[Settings], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client.calls, "PAGE", 1)
        for number in range(8):
            bought(sim, msgspec.structs.replace(LABEL, key=f"other-{number}"))
        outcome = await buy(context, AGAIN)
        assert isinstance(outcome, Done)
        assert sim.calls["/v2/shipments"] == client.calls.MOST_PAGES + 1, "the list, then the new shipment"

    async def test_a_learned_id_is_asked_first(self, sim: EasyPostSimulator, context: Context[Settings]) -> None:
        earlier = bought(sim, LABEL)
        known = msgspec.structs.replace(LABEL, references={f"shipment:{LABEL.key}": earlier.id})
        outcome = await buy(context, known)
        assert isinstance(outcome, Done)
        assert outcome.found
        assert sum(sim.calls.values()) == 1

    async def test_a_purchase_that_won_the_race_is_read(
        self, sim: EasyPostSimulator, context: Context[Settings], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        taken = sim.books.create({**bought(sim, LABEL).document}, CARRIERS, sim.now())
        taken.document["reference"] = "race"
        sim.books.by_reference["race"] = [taken]
        ordinary = sim._buy

        def overtaken(shipment: object, said: dict[str, object]) -> tuple[int, object]:
            sim.books.buy(taken, taken.offers[0], sim.now())
            return ordinary(taken, said)

        monkeypatch.setattr(sim, "_buy", overtaken)
        outcome = await buy(context, msgspec.structs.replace(AGAIN, key="race"))
        assert isinstance(outcome, Done)
        assert outcome.found
        assert sim.labels_bought["race"] == 1

    async def test_old_rates_are_asked_for_again(self, sim: EasyPostSimulator, context: Context[Settings]) -> None:
        now = sim.now()
        sim.now = lambda: now - timedelta(days=2)
        sim.script.extend([None, "server_error"])
        await buy(context)
        sim.now = lambda: now
        assert isinstance(await buy(context, AGAIN), Done)
        assert any(path.endswith("/rerate") for path in sim.calls)

    async def test_nothing_is_bought_when_no_carrier_goes_there(
        self, sim: EasyPostSimulator, context: Context[Settings]
    ) -> None:
        sim.refused_carriers |= CARRIERS
        assert isinstance(await buy(context), NeedsPerson)
        assert sim.labels_bought == {}


class TestVoiding:
    async def test_a_label_is_given_back_and_its_parcel_stops(
        self, sim: EasyPostSimulator, context: Context[Settings]
    ) -> None:
        shipment = bought(sim, LABEL)
        outcome = await client.void_label(context, LabelVoid(key="v", external_id=shipment.id))
        assert isinstance(outcome, Done)
        assert shipment.refund == "submitted"
        assert shipment.tracker is not None
        assert shipment.tracker.stopped

    async def test_a_label_on_its_way_stays_paid(self, sim: EasyPostSimulator, context: Context[Settings]) -> None:
        shipment = bought(sim, LABEL)
        assert shipment.tracker is not None
        shipment.tracker.status = "in_transit"
        outcome = await client.void_label(context, LabelVoid(key="v", external_id=shipment.id))
        assert isinstance(outcome, NeedsPerson)
        assert "rejected" in outcome.reason

    async def test_a_shipment_without_postage_has_nothing_to_give_back(
        self, sim: EasyPostSimulator, context: Context[Settings]
    ) -> None:
        shipment = sim.books.create({**bought(sim, LABEL).document}, CARRIERS, sim.now())
        outcome = await client.void_label(context, LabelVoid(key="v", external_id=shipment.id))
        assert isinstance(outcome, NeedsPerson)
        assert "SHIPMENT.INVALID_PARAMS" in outcome.reason


class TestTracking:
    async def test_a_parcel_of_somebody_else_is_followed_once(
        self, sim: EasyPostSimulator, context: Context[Settings], tables: CodeTables
    ) -> None:
        first = await client.track(context, "ups", "1ZOTHER")
        assert first is not None
        assert (first.topic, first.object) == ("tracker", "tracker:1ZOTHER")
        assert tracker_facts(first.body, tables) == ()
        again = await client.track(context, "ups", "1ZOTHER")
        assert again == first
        assert list(sim.books.trackers) == ["1ZOTHER"]
        assert sim.books.trackers["1ZOTHER"].carrier == "UPS"

    async def test_without_a_number_there_is_nothing_to_follow(self, context: Context[Settings]) -> None:
        with pytest.raises(Interrupted) as caught:
            await client.track(context, "ups", "")
        assert isinstance(caught.value.outcome, NeedsPerson)


class Heard(EasyPostSimulator):
    """Keeps its webhooks instead of sending them."""

    def deliver(self, sent: Sent) -> None:
        self.sent = [*getattr(self, "sent", []), sent]


async def test_parcels_travel_and_tell_of_it(tables: CodeTables) -> None:
    simulated = Heard(api_key=API_KEY, webhook_secret=SECRET, hub_url="https://hub.example/webhooks/1")
    start = simulated.now()
    simulated.now = lambda: start
    simulated.track_external("1ZOTHER", "UPS")
    for after in (60, 250, 700):
        simulated.now = lambda after=after: start + timedelta(milliseconds=after)  # type: ignore[misc]
        simulated.advance()
    topics, statuses = [], []
    for sent in simulated.sent:
        delivery = Delivery(
            method="POST", url=sent.url, headers=sent.headers, query={}, body=sent.body, received_at=start
        )
        verdict = check(delivery, settings(simulated))
        assert isinstance(verdict, Store)
        assert verdict.object == "tracker:1ZOTHER"
        topics.append(verdict.topic)
        translate = HARNESS.adapter.topics[verdict.topic].translate
        assert translate is not None
        statuses.append([fact.event.status for fact in translate(sent.body, tables)])  # type: ignore[union-attr]
    journey = [TrackingStatus.PRE_TRANSIT, TrackingStatus.IN_TRANSIT, TrackingStatus.DELIVERED]
    assert topics == ["tracker.created", "tracker.updated", "tracker.updated", "tracker.updated"]
    assert statuses == [journey[:0], journey[:1], journey[:2], journey]


async def test_six_lists_in_a_second_are_a_violation(sim: EasyPostSimulator) -> None:
    impatient = Bench(HARNESS, sim, settings(sim))
    for number in range(6):
        async with impatient.context() as fresh:
            if number == 5:
                with pytest.raises(Interrupted):
                    await client.probe(fresh)
            else:
                await client.probe(fresh)
    assert len(sim.violations) == 1
