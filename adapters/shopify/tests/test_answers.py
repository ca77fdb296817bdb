"""Reading answers: the error table, the waiting times, the cost points; and the small words of a shipment. Pure."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from adapters.shopify import documents
from adapters.shopify.answers import read, read_rates
from adapters.shopify.companies import company
from adapters.shopify.messages import Fulfilled, Work, cancel_request, read_fulfill, tracking_info
from adapters.shopify.orders import Paged, PageInfo, Ref
from hub.domain.shipping import Parcel
from hub.sdk.capabilities import ChannelCancel, ShipmentConfirmation
from hub.sdk.outcomes import Interrupted, NeedsPerson, Outcome, RetryLater, Unauthorised, Uncertain
from hub.sdk.wire import Response

NOW = datetime(2026, 1, 16, 12, tzinfo=UTC)
COST = {
    "requestedQueryCost": 97,
    "throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": 47, "restoreRate": 100.0},
}


def response(body: object, status: int = 200, **headers: str) -> Response:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Response(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=raw)


def failed(code: str | None, message: str = "no") -> dict[str, object]:
    return {"data": None, "errors": [{"message": message, "extensions": {"code": code}}], "extensions": {"cost": COST}}


def outcome(given: Response, operation: documents.Operation) -> Outcome:
    with pytest.raises(Interrupted) as interrupted:
        read(given, operation, "order", Ref, NOW)
    return interrupted.value.outcome


def test_read_value_and_null() -> None:
    found = read(response({"data": {"order": {"id": "gid://shopify/Order/1"}}}), documents.ORDER, "order", Ref, NOW)
    assert found == Ref(id="gid://shopify/Order/1")
    assert read(response({"data": {"order": None}}), documents.ORDER, "order", Ref, NOW) is None


def test_hidden_field_is_null_and_no_error() -> None:
    body = {
        "data": {"order": {"id": "gid://shopify/Order/1"}},
        "errors": [
            {"message": "Access denied", "path": ["order", "customer"], "extensions": {"code": "ACCESS_DENIED"}}
        ],
    }
    assert read(response(body), documents.ORDER, "order", Ref, NOW) == Ref(id="gid://shopify/Order/1")


def test_throttled_waits_as_long_as_the_bucket_needs() -> None:
    at = NOW + timedelta(seconds=0.5)
    assert outcome(response(failed("THROTTLED", "Throttled")), documents.FULFILL) == RetryLater(
        reason="CrossdockFulfill: Throttled", at=at
    )


@pytest.mark.parametrize(
    ("given", "reads", "writes"),
    [
        (response(b"<html>", 503), RetryLater, Uncertain),
        (response(b"<html>", 200), RetryLater, Uncertain),
        (response(failed("INTERNAL_SERVER_ERROR")), RetryLater, Uncertain),
        (response(failed("TIMEOUT")), RetryLater, Uncertain),
        (response(failed("ACCESS_DENIED")), NeedsPerson, NeedsPerson),
        (response(failed("SHOP_INACTIVE")), NeedsPerson, NeedsPerson),
        (response(failed("MAX_COST_EXCEEDED")), NeedsPerson, NeedsPerson),
        (response(failed("INVALID_FIELD_ARGUMENTS")), NeedsPerson, NeedsPerson),
        (response(failed(None)), NeedsPerson, NeedsPerson),
        (response({"errors": "Not Found"}, 404), NeedsPerson, NeedsPerson),
        (response({"errors": "plain words"}), NeedsPerson, NeedsPerson),
        (response({"errors": "Unavailable Shop"}, 402), NeedsPerson, NeedsPerson),
        (response({"errors": "no"}, 403), NeedsPerson, NeedsPerson),
        (response({"errors": "no"}, 401), Unauthorised, Unauthorised),
        (response(b"", 429, retry_after="2.0"), RetryLater, RetryLater),
        (response(b"", 430), RetryLater, RetryLater),
    ],
)
def test_error_table(given: Response, reads: type[Outcome], writes: type[Outcome]) -> None:
    assert type(outcome(given, documents.ORDER)) is reads
    assert type(outcome(given, documents.FULFILL)) is writes


def test_too_many_requests_says_when() -> None:
    told = outcome(response(b"", 429, retry_after="2.0"), documents.FULFILL)
    assert isinstance(told, RetryLater)
    assert told.at == NOW + timedelta(seconds=2)


def test_answer_of_another_shape_names_the_path() -> None:
    told = outcome(response({"data": {"order": {"no": 1}}}), documents.ORDER)
    assert isinstance(told, NeedsPerson)
    assert "missing required field `id`" in told.reason


def test_rates_keep_room_for_the_worst_cost() -> None:
    (reading,) = read_rates(response({"data": {}, "extensions": {"cost": COST}}), NOW)
    assert (reading.scope, reading.remaining, reading.per_second, reading.capacity) == ("account", 0, 100, 2000)
    assert read_rates(response(b"<html>", 503), NOW) == ()
    assert read_rates(response({"data": {}}), NOW) == ()


def confirmation(*parcels: Parcel) -> ShipmentConfirmation:
    return ShipmentConfirmation(
        key="k-1", order_external_id="1", lines=(), parcels=parcels, location=None, shipped_at=NOW
    )


def test_tracking_of_one_parcel() -> None:
    one = Parcel(tracking="1Z9", carrier="ups", url="https://ups.example/1Z9")
    assert tracking_info(confirmation(one)) == {"number": "1Z9", "url": "https://ups.example/1Z9", "company": "UPS"}


def test_tracking_of_many_parcels() -> None:
    one, two, same = (Parcel(tracking=number, carrier="gls") for number in ("A", "B", "A"))
    assert tracking_info(confirmation(one, two, same)) == {"numbers": ["A", "B"], "company": "GLS"}


def test_tracking_of_two_carriers_names_none() -> None:
    assert tracking_info(confirmation(Parcel(tracking="A", carrier="gls"), Parcel(tracking="B", carrier="ups"))) == {
        "numbers": ["A", "B"]
    }
    assert tracking_info(confirmation(Parcel())) == {}


def test_company_is_spelled_as_shopify_links_it() -> None:
    assert (company("ups"), company("Royal Mail"), company("DHL-Express")) == ("UPS", "Royal Mail", "DHL Express")
    assert company("Bicycle Couriers") == "Bicycle Couriers"


WORK = Work(
    id="gid://shopify/Order/1",
    name="#1001",
    cancelled_at=None,
    fulfillments=(),
    fulfillment_orders=Paged(nodes=(), page_info=PageInfo(has_next_page=False)),
)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Fulfillment order does not exist.", RetryLater),
        ("Fulfillment order line item does not exist.", RetryLater),
        ("Invalid fulfillment order line item quantity requested.", RetryLater),
        ("All fulfillment orders must be assigned to a single location. Multiple locations ...", RetryLater),
        ("Fulfillment order 1 has an unfulfillable status= closed.", RetryLater),
        ("Quantity must be greater than 0", NeedsPerson),
        ("Something never heard of", NeedsPerson),
    ],
)
def test_refused_shipments(message: str, kind: type[Outcome]) -> None:
    answer = msgspec.convert({"fulfillment": None, "userErrors": [{"field": None, "message": message}]}, Fulfilled)
    assert type(read_fulfill(answer, WORK)) is kind


def test_cancel_words() -> None:
    request = ChannelCancel(key="o-cancel-1", order_external_id="1", reason="out of stock")
    given = cancel_request(request, "gid://shopify/Order/1")
    assert (given["reason"], given["note"]) == ("INVENTORY", "out of stock (o-cancel-1)")
    other = cancel_request(msgspec.structs.replace(request, reason="lost a bet" * 50), "gid://shopify/Order/1")
    assert other["reason"] == "OTHER"
    assert len(str(other["note"])) == 255
