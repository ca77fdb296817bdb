"""Every request of the client and every answer of the simulator, against UPS's OpenAPI documents."""

import json
from pathlib import Path

import msgspec
import pytest

from adapters.ups import client
from adapters.ups.harness import ALERT, HARNESS, NUMBER, bought, settings, simulator
from adapters.ups.settings import TOKEN, Settings
from adapters.ups.simulator import PER_SECOND, TOKEN_LIVES, UpsSimulator
from adapters.ups.simulator_documents import alert_document, token_document
from adapters.ups.tests.specification import Operation, Specification
from adapters.ups.tests.test_client import ABROAD, AGAIN, GOODS
from hub.sdk.capabilities import Context, LabelRequest, LabelVoid, ParcelToShip
from hub.sdk.testkit.bench import Bench, outcome_of
from hub.sdk.testkit.recorder import Exchange, Recorder
from hub.sdk.testkit.samples import LABEL, RATE
from hub.sdk.wire import Request

TOLERATED = (
    "$.LabelRecoveryRequest: 'TrackingNumbers' is a required property",
    "$.LabelRecoveryRequest.LabelSpecification.LabelImageFormat.Code: 'GIF' is too short",
    "$.LabelRecoveryResponse.LabelResults[0].LabelImage.LabelImageFormat.Code: 'GIF' is too short",
    "$.ShipmentResponse.ShipmentResults.BillingWeight.Weight: '13.0' is too short",
)
"""The numbers are for Roadie parcels only, by their own description; UPS's first example of the call leaves them out.
GIF is the first valid value in the description of the code, whose length is to be four; a billing weight of "13.0" is
to be as long as the longest."""


@pytest.fixture(scope="module")
def spec(contracts: Path) -> Specification:
    return Specification(contracts)


@pytest.fixture(scope="module")
async def exchanges() -> list[Exchange]:
    """All that the adapter ever sends, in all the states a shipment can be in."""
    async with simulator() as sim, Bench(HARNESS, sim, settings(sim)).context() as context:
        recorder = Recorder(context.client)
        await everything(sim, msgspec.structs.replace(context, client=recorder))
    assert not sim.violations
    return recorder.exchanges


async def everything(sim: UpsSimulator, context: Context[Settings]) -> None:
    """Call all there is."""

    async def buy(wanted: LabelRequest) -> None:
        await outcome_of(client.buy_label(context, wanted))

    await client.quote(context, RATE)
    await client.quote(context, msgspec.structs.replace(RATE, ship_to=ABROAD))
    await buy(msgspec.structs.replace(LABEL, key="b", ship_to=ABROAD, declaration=GOODS))
    await buy(LABEL)
    await buy(AGAIN)
    zpl = msgspec.structs.replace(context.settings, label_format="ZPL")
    returned = msgspec.structs.replace(
        LABEL, key="r", ship_from=LABEL.ship_to, ship_to=LABEL.ship_from, returns=True, service="Ground"
    )
    await outcome_of(client.buy_label(msgspec.structs.replace(context, settings=zpl), returned))
    abroad = msgspec.structs.replace(LABEL, key="a", ship_to=ABROAD, declaration=GOODS, service="Standard")
    await buy(msgspec.structs.replace(abroad, more_parcels=(ParcelToShip(weight_g=700),)))
    await buy(msgspec.structs.replace(LABEL, key="x", service="54"))
    await buy(msgspec.structs.replace(AGAIN, key="never bought", service="03"))
    void = LabelVoid(key="v", external_id=bought(sim, LABEL).id)
    await outcome_of(client.void_label(context, void))
    await outcome_of(client.void_label(context, void))
    sim.books.follow(NUMBER, sim.now())
    await client.track(context, "ups", NUMBER)
    await client.probe(context)


def test_every_operation_was_exchanged(exchanges: list[Exchange]) -> None:
    assert {(request.operation, response.status) for request, response in exchanges} == {
        ("POST /rating", 200),
        ("POST /shipments/ship", 200),
        ("POST /shipments/ship", 400),
        ("POST /labels/recovery", 200),
        ("POST /labels/recovery", 400),
        ("DELETE /shipments/void", 200),
        ("DELETE /shipments/void", 400),
        ("GET /track/details", 200),
        ("GET /track/reference", 404),
        ("POST /track/subscription", 200),
    }
    assert len(exchanges) > PER_SECOND


def test_requests_are_as_specified(spec: Specification, exchanges: list[Exchange]) -> None:
    objections = []
    for request, _ in exchanges:
        operation = spec.operation(request)
        declared = {one.get("name") for one in operation.said.get("parameters", ())}
        assert set(request.query) <= declared, request.operation
        assert request.headers["transId"]
        if request.body is not None:
            objections += operation.errors(("requestBody",), request.body)
        assert (request.body is not None) == ("requestBody" in operation.said), request.operation
    assert "\n".join(sorted(set(objections) - set(TOLERATED))) == ""


def test_answers_are_as_specified(spec: Specification, exchanges: list[Exchange]) -> None:
    objections = []
    for request, response in exchanges:
        operation = spec.operation(request)
        assert str(response.status) in operation.said["responses"], f"{request.operation} never answers so"
        objections += operation.errors(("responses", str(response.status)), response.body)
    assert "\n".join(sorted(set(objections) - set(TOLERATED))) == ""


def test_every_call_has_a_number_of_its_own(exchanges: list[Exchange]) -> None:
    numbers = [request.headers["transId"] for request, _ in exchanges]
    assert len(set(numbers)) == len(numbers)
    assert all(len(number) <= 32 for number in numbers)


def test_the_token_is_as_specified(spec: Specification, sim: UpsSimulator) -> None:
    operation = spec.operation(Request(method="POST", path=TOKEN, operation="token"))
    body = msgspec.json.encode(token_document("t", sim.now(), TOKEN_LIVES))
    assert operation.errors(("responses", "200"), body) == []


def test_throttling_is_as_specified(spec: Specification) -> None:
    status, _, body = simulator().throttled()
    rating = spec.operation(Request(method="POST", path="/api/rating/v2409/Shop", operation="r"))
    assert rating.errors(("responses", str(status)), body) == []


def test_alerts_are_as_specified(spec: Specification, sim: UpsSimulator) -> None:
    parcel = bought(sim, LABEL).parcels[0]
    event = Operation("UPSTrackAlert", spec.document("UPSTrackAlert"), ("webhooks", "TrackingEvent", "post"))
    told = alert_document(parcel, parcel.scans[0])
    for document in (told, ALERT):
        found = event.errors(("requestBody",), json.dumps(document).encode())
        # What is not known yet is sent as an empty text, which the patterns of the document do not allow.
        # The simplified code is in the document's examples only.
        assert [error for error in found if "descriptionCode" not in error and "''" not in error] == []
