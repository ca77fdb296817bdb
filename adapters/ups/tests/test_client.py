"""The adapter and a running UPS: labels are bought once, whatever is lost on the way."""

import base64
from typing import Any

import msgspec
import pytest

from adapters.ups import client
from adapters.ups.harness import CREDENTIALS, HARNESS, NUMBER, bought, settings
from adapters.ups.labels import reference
from adapters.ups.settings import TOKEN, Settings
from adapters.ups.simulator import UpsSimulator
from adapters.ups.simulator_books import Journey
from adapters.ups.translate import alert_facts, track_facts
from adapters.ups.webhook import check
from hub.domain.shipping import Label, TrackingStatus
from hub.mapping.tables import CodeTables
from hub.sdk.capabilities import Context, Declaration, DeclaredGoods, LabelRequest, LabelVoid, ParcelToShip
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, RetryLater, Unauthorised, Uncertain
from hub.sdk.testkit.bench import Bench, outcome_of
from hub.sdk.testkit.recorder import Recorder
from hub.sdk.testkit.samples import CUSTOMER, LABEL, RATE
from hub.sdk.testkit.simulator import Sent
from hub.sdk.webhook import Delivery, Refuse, Store

AGAIN = msgspec.structs.replace(LABEL, look_first=True)
ABROAD = msgspec.structs.replace(CUSTOMER, city="Toronto", region="ON", postal_code="M5V 2T6", country="CA")
GOODS = Declaration(
    currency="USD",
    goods=(
        DeclaredGoods(description="Mug", quantity=3, value=2599, hs_code="6912.00", origin_country="PT"),
        DeclaredGoods(description="T-shirt", quantity=1, value=1999),
    ),
)


async def buy(context: Context[Settings], wanted: LabelRequest = LABEL) -> Outcome:
    return await outcome_of(client.buy_label(context, wanted))


async def label(context: Context[Settings], wanted: LabelRequest = LABEL) -> Label:
    outcome = await buy(context, wanted)
    assert isinstance(outcome, Done), outcome
    assert outcome.label is not None
    return outcome.label


def posted(sim: UpsSimulator, found: Label) -> dict[str, Any]:
    return sim.books.shipments[found.external_id].document


class TestBuying:
    async def test_the_cheapest_offer_at_the_accounts_own_price(
        self, sim: UpsSimulator, context: Context[Settings]
    ) -> None:
        offers = await client.quote(context, RATE)
        found = await label(context)
        assert (offers[0].service, offers[0].delivery_days) == ("Ground", 4)
        assert len(offers) == 4
        assert (found.amount, found.currency, found.service) == (offers[0].amount, "USD", "Ground")
        shipment = sim.books.shipments[found.external_id]
        assert found.amount == shipment.cents * 70 // 100
        assert found.tracking == shipment.parcels[0].tracking

    @pytest.mark.parametrize("word", ["02", "2nd Day Air", "ups 2nd-day air", "2ndDayAir"])
    async def test_the_service_asked_for_needs_no_rates(
        self, sim: UpsSimulator, context: Context[Settings], word: str
    ) -> None:
        found = await label(context, msgspec.structs.replace(LABEL, service=word))
        assert found.service == "2nd Day Air"
        assert not [path for path in sim.calls if "rating" in path]

    async def test_a_service_that_ups_does_not_have(self, sim: UpsSimulator, context: Context[Settings]) -> None:
        outcome = await buy(context, msgspec.structs.replace(LABEL, service="Pigeon"))
        assert isinstance(outcome, NeedsPerson)
        assert "'Pigeon'" in outcome.reason
        assert sim.labels_bought == {}

    @pytest.mark.parametrize(
        ("form", "media_type"),
        [("GIF", "image/gif"), ("ZPL", "application/zpl"), ("EPL", "application/epl2"), ("SPL", "application/spl")],
    )
    async def test_the_label_is_kept_in_its_format(
        self, sim: UpsSimulator, context: Context[Settings], form: Any, media_type: str
    ) -> None:
        chosen = msgspec.structs.replace(context.settings, label_format=form)
        found = await label(msgspec.structs.replace(context, settings=chosen))
        assert found.media_type == media_type
        assert found.url is not None
        head, _, image = found.url.partition(",")
        assert head == f"data:{media_type};base64"
        assert base64.b64decode(image) == f"label of {found.tracking}".encode()

    async def test_several_boxes_are_one_shipment(self, sim: UpsSimulator, context: Context[Settings]) -> None:
        more = (ParcelToShip(weight_g=500), ParcelToShip(weight_g=900))
        wanted = msgspec.structs.replace(LABEL, more_parcels=more)
        found = await label(context, wanted)
        shipment = sim.books.shipments[found.external_id]
        assert [found.tracking, *(box.tracking for box in found.more)] == [one.tracking for one in shipment.parcels]
        assert len({box.url for box in found.more}) == 2
        assert sim.labels_bought == {LABEL.key: 1}
        assert await label(context, msgspec.structs.replace(wanted, look_first=True)) == found

    async def test_what_nobody_wants_any_more_is_looked_for_and_not_bought(
        self, sim: UpsSimulator, context: Context[Settings]
    ) -> None:
        given_up = msgspec.structs.replace(LABEL, given_up=True, look_first=True)
        assert await buy(context, given_up) == Done()
        assert sim.labels_bought == {}
        bought = await label(context)
        outcome = await buy(context, given_up)
        assert isinstance(outcome, Done)
        assert outcome.label is not None
        assert (outcome.label.external_id, outcome.label.amount) == (bought.external_id, 0)
        assert sim.labels_bought == {LABEL.key: 1}

    async def test_a_return_label_is_billed_to_where_it_goes(
        self, sim: UpsSimulator, context: Context[Settings]
    ) -> None:
        wanted = msgspec.structs.replace(LABEL, ship_from=LABEL.ship_to, ship_to=LABEL.ship_from, returns=True)
        shipment = posted(sim, await label(context, wanted))
        assert shipment["ReturnService"] == {"Code": "9"}
        assert shipment["Shipper"]["Name"] == "Crossdock West"
        assert shipment["ShipFrom"]["AttentionName"] == CUSTOMER.name
        assert shipment["Package"][0]["Description"] == "Returned goods"

    async def test_a_long_key_fits_the_reference_and_is_found_by_it(
        self, sim: UpsSimulator, context: Context[Settings]
    ) -> None:
        wanted = msgspec.structs.replace(LABEL, key="a-key-as-long-as-the-hub-ever-makes-them1")
        await label(context, wanted)
        outcome = await buy(context, msgspec.structs.replace(wanted, look_first=True))
        assert isinstance(outcome, Done)
        assert outcome.found
        assert sim.labels_bought == {reference(wanted.key): 1}
        assert len(reference(wanted.key)) == 35


class TestLookingFirst:
    async def test_a_lost_purchase_is_found_with_its_label(self, sim: UpsSimulator, context: Context[Settings]) -> None:
        first = await label(context)
        second = await label(context, AGAIN)
        assert second == first
        assert sim.labels_bought == {LABEL.key: 1}

    async def test_what_recovery_does_not_print_is_found_by_tracking(
        self, sim: UpsSimulator, context: Context[Settings]
    ) -> None:
        first = await label(context)
        sim.unrecoverable = True
        second = await label(context, AGAIN)
        assert (second.external_id, second.tracking, second.url) == (first.external_id, first.tracking, None)
        assert sim.labels_bought == {LABEL.key: 1}

    async def test_a_voided_label_is_not_handed_out_again(self, sim: UpsSimulator, context: Context[Settings]) -> None:
        first = await label(context)
        await client.void_label(context, LabelVoid(key="v", external_id=first.external_id))
        second = await label(context, AGAIN)
        assert second.tracking != first.tracking

    async def test_of_a_voided_and_a_living_label_the_living_one_is_found(
        self, sim: UpsSimulator, context: Context[Settings]
    ) -> None:
        first = await label(context)
        await client.void_label(context, LabelVoid(key="v", external_id=first.external_id))
        second = await label(context, AGAIN)
        sim.unrecoverable = True
        third = await label(context, AGAIN)
        assert third.tracking == second.tracking
        assert sim.labels_bought == {LABEL.key: 2}

    async def test_a_shipment_that_is_known_is_looked_for(self, sim: UpsSimulator, context: Context[Settings]) -> None:
        first = await label(context)
        known = msgspec.structs.replace(LABEL, references={f"shipment:{LABEL.key}": first.external_id})
        assert await label(context, known) == first
        assert sim.labels_bought == {LABEL.key: 1}

    @pytest.mark.parametrize("place", [0, 1, 2])
    @pytest.mark.parametrize("fault", ["throttle", "server_error", "lost_reply"])
    async def test_a_search_cut_short_stays_uncertain(
        self, sim: UpsSimulator, context: Context[Settings], place: int, fault: Any
    ) -> None:
        await label(context)
        sim.unrecoverable = True  # recovery, tracking by reference, rates: three requests
        sim.script.extend([None] * place + [fault])
        outcome = await buy(context, AGAIN)
        assert isinstance(outcome, Uncertain)
        assert "cut short" in outcome.reason
        assert sim.labels_bought == {LABEL.key: 1}

    async def test_nothing_there_is_bought(self, sim: UpsSimulator, context: Context[Settings]) -> None:
        outcome = await buy(context, AGAIN)
        assert isinstance(outcome, Done)
        assert not outcome.found
        assert sim.labels_bought == {LABEL.key: 1}


class TestBorders:
    WANTED = msgspec.structs.replace(LABEL, ship_to=ABROAD)

    async def test_undeclared_goods_stay_here(self, sim: UpsSimulator, context: Context[Settings]) -> None:
        outcome = await buy(context, self.WANTED)
        assert isinstance(outcome, NeedsPerson)
        assert "not declared" in outcome.reason
        assert sim.labels_bought == {}

    async def test_goods_are_declared_on_an_invoice(self, sim: UpsSimulator, context: Context[Settings]) -> None:
        shipment = posted(sim, await label(context, msgspec.structs.replace(self.WANTED, declaration=GOODS)))
        form = shipment["ShipmentServiceOptions"]["InternationalForms"]
        assert (form["FormType"], form["CurrencyCode"], form["InvoiceNumber"]) == (["01"], "USD", LABEL.key)
        mug, shirt = form["Product"]
        assert mug["Unit"] == {"Number": "3", "UnitOfMeasurement": {"Code": "PCS"}, "Value": "8.663333"}
        assert (mug["CommodityCode"], mug["OriginCountryCode"]) == ("691200", "PT")
        assert shirt["Unit"]["Value"] == "19.99"
        assert shipment["InvoiceLineTotal"] == {"CurrencyCode": "USD", "MonetaryValue": "45.98"}
        assert form["Contacts"]["SoldTo"]["Address"]["CountryCode"] == "CA"

    @pytest.mark.parametrize("boxes", [1, 2])
    async def test_what_is_declared_lets_ups_tell_days_abroad(
        self, sim: UpsSimulator, context: Context[Settings], boxes: int
    ) -> None:
        more = (ParcelToShip(weight_g=700),) * (boxes - 1)
        wanted = msgspec.structs.replace(self.WANTED, declaration=GOODS, more_parcels=more)
        recorder = Recorder(context.client)
        await label(msgspec.structs.replace(context, client=recorder), wanted)
        asked = recorder.exchanges[0][0]
        shipment = msgspec.json.decode(asked.body or b"")["RateRequest"]["Shipment"]
        assert asked.path.endswith("/Shoptimeintransit")
        assert shipment["InvoiceLineTotal"] == {"CurrencyCode": "USD", "MonetaryValue": "45.98"}
        assert shipment["ShipmentTotalWeight"] == {
            "UnitOfMeasurement": {"Code": "LBS", "Description": "Pounds"},
            # 1,240 g are 2.74 pounds, 700 g are 1.55: each rounded up.
            "Weight": {1: "2.8", 2: "4.4"}[boxes],
        }

    async def test_a_quote_abroad_has_prices_and_no_days(self, sim: UpsSimulator, context: Context[Settings]) -> None:
        offers = await client.quote(context, msgspec.structs.replace(RATE, ship_to=ABROAD))
        assert offers
        assert all(offer.amount and offer.delivery_days is None for offer in offers)

    async def test_abroad_the_reference_is_the_shipments(self, sim: UpsSimulator, context: Context[Settings]) -> None:
        wanted = msgspec.structs.replace(self.WANTED, declaration=GOODS)
        shipment = posted(sim, await label(context, wanted))
        assert shipment["ReferenceNumber"] == [{"Value": LABEL.key}]
        assert "ReferenceNumber" not in shipment["Package"][0]
        outcome = await buy(context, msgspec.structs.replace(wanted, look_first=True))
        assert isinstance(outcome, Done)
        assert outcome.found


class TestVoiding:
    async def test_a_parcel_under_way_is_not_given_back(self, sim: UpsSimulator, context: Context[Settings]) -> None:
        shipment = bought(sim, LABEL)
        sim.books.seen(shipment.parcels[0], sim.now(), ("I", "OR", "005", "Origin Scan"))
        outcome = await outcome_of(client.void_label(context, LabelVoid(key="v", external_id=shipment.id)))
        assert isinstance(outcome, NeedsPerson)
        assert "190102" in outcome.reason
        assert not shipment.voided

    async def test_void_already_is_done(self, sim: UpsSimulator, context: Context[Settings]) -> None:
        shipment = bought(sim, LABEL)
        wanted = LabelVoid(key="v", external_id=shipment.id)
        assert await client.void_label(context, wanted) == Done(reference=shipment.id)
        assert await client.void_label(context, wanted) == Done(reference=shipment.id, found=True)

    async def test_without_a_number_nothing_is_sent(self, sim: UpsSimulator, context: Context[Settings]) -> None:
        outcome = await client.void_label(context, LabelVoid(key="v", external_id=""))
        assert isinstance(outcome, NeedsPerson)
        assert not sim.calls


class TestTracking:
    async def test_a_journey(self, sim: UpsSimulator, context: Context[Settings], tables: CodeTables) -> None:
        parcel = bought(sim, LABEL).parcels[0]
        sim.books.seen(parcel, sim.now(), ("I", "OT", "021", "Out For Delivery Today"))
        item = await client.track(context, "ups", parcel.tracking)
        assert item is not None
        facts = track_facts(item.body, tables)
        statuses = [fact.event.status for fact in facts]  # type: ignore[union-attr]
        assert statuses == [TrackingStatus.PRE_TRANSIT, TrackingStatus.OUT_FOR_DELIVERY]
        again = await client.track(context, "ups", parcel.tracking)
        assert again is not None
        assert again.key == item.key

    async def test_a_number_that_ups_does_not_know_is_no_parcel(
        self, sim: UpsSimulator, context: Context[Settings]
    ) -> None:
        assert await client.track(context, "ups", "9400100000000000000001") is None

    async def test_only_with_a_credential_it_subscribes(self, sim: UpsSimulator, context: Context[Settings]) -> None:
        quiet = msgspec.structs.replace(context.settings, webhook_secret=None)
        sim.books.follow(NUMBER, sim.now())
        await client.track(msgspec.structs.replace(context, settings=quiet), "ups", NUMBER)
        assert not sim.books.parcels[NUMBER].subscribed
        await client.track(context, "ups", NUMBER)
        assert sim.books.parcels[NUMBER].subscribed

    async def test_alerts_tell_of_the_journey(
        self,
        sim: UpsSimulator,
        context: Context[Settings],
        tables: CodeTables,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        told: list[Sent] = []
        monkeypatch.setattr(sim, "deliver", told.append)
        sim.hub_url = "https://hub.example/webhooks/ups"
        parcel = bought(sim, LABEL).parcels[0]
        await client.track(context, "ups", parcel.tracking)
        sim.tell(parcel, sim.books.seen(parcel, sim.now(), ("D", "FS", "011", "DELIVERED ")))
        (sent,) = told
        delivery = Delivery(
            method="POST", url=sent.url, headers=sent.headers, query={}, body=sent.body, received_at=sim.now()
        )
        verdict = check(delivery, context.settings)
        assert isinstance(verdict, Store)
        assert verdict.object == f"parcel:{parcel.tracking}"
        (fact,) = alert_facts(sent.body, tables)
        (polled,) = [
            one for one in track_facts((await _tracked(context, parcel.tracking)), tables) if one.at == fact.at
        ][-1:]
        assert fact == polled, "an alert and a look tell the same"
        other = msgspec.structs.replace(context.settings, webhook_secret="another")
        assert isinstance(check(delivery, other), Refuse)


async def _tracked(context: Context[Settings], number: str) -> bytes:
    item = await client.track(context, "ups", number)
    assert item is not None
    return item.body


class TestHabits:
    async def test_one_object_for_a_list_of_one(
        self, sim: UpsSimulator, context: Context[Settings], tables: CodeTables
    ) -> None:
        sim.single = True
        sim.refused_services = {"12", "02", "13"}
        (offer,) = await client.quote(context, RATE)
        assert offer.service == "Ground"
        found = await label(context)
        assert await label(context, AGAIN) == found
        assert len(track_facts(await _tracked(context, found.tracking), tables)) == 1

    async def test_carriage_returns_are_no_part_of_a_value(self, sim: UpsSimulator, context: Context[Settings]) -> None:
        sim.polluted = True
        found = await label(context)
        assert found.tracking in sim.books.parcels
        assert found.media_type == "image/gif"
        assert await label(context, AGAIN) == found
        assert await client.void_label(context, LabelVoid(key="v", external_id=found.external_id)) == Done(
            reference=found.external_id
        )

    async def test_one_token_serves_many_calls_and_an_ended_one_is_replaced(
        self, sim: UpsSimulator, context: Context[Settings]
    ) -> None:
        await client.quote(context, RATE)
        await client.quote(context, RATE)
        assert sim.calls[TOKEN] == 1
        sim.expire_tokens()
        await client.quote(context, RATE)
        assert sim.calls[TOKEN] == 2

    async def test_a_wrong_secret_stops_the_connection(self, sim: UpsSimulator) -> None:
        wrong = msgspec.structs.replace(settings(sim), client_secret="not-the-secret")
        async with Bench(HARNESS, sim, wrong).context() as context:
            with pytest.raises(Interrupted) as caught:
                await client.quote(context, RATE)
        assert isinstance(caught.value.outcome, Unauthorised)

    async def test_throttling_names_a_time_although_ups_does_not(
        self, sim: UpsSimulator, context: Context[Settings]
    ) -> None:
        await client.quote(context, RATE)
        sim.script.append("throttle")
        outcome = await buy(context)
        assert isinstance(outcome, RetryLater)
        assert outcome.at is not None
        assert outcome.at > sim.now()

    def test_secrets_are_not_printed(self, sim: UpsSimulator) -> None:
        assert CREDENTIALS not in repr(settings(sim))

    async def test_parcels_travel_by_themselves(self, sim: UpsSimulator) -> None:
        sim.books.journey = Journey(in_transit_ms=0, delivered_ms=0)
        parcel = bought(sim, LABEL).parcels[0]
        sim.advance()
        assert [scan.type for scan in parcel.scans] == ["M", "I", "D"]
