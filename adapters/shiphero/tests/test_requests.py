"""Requests as ShipHero wants them, and the reading of what an earlier try left behind."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from adapters.shiphero import requests
from adapters.shiphero.schemas import Named, OrderHead
from adapters.shiphero.settings import Settings, least_cost, transport
from hub.domain.contact import Contact
from hub.domain.facts import FulfilmentAccepted
from hub.sdk.capabilities import FulfilmentCancel, FulfilmentRequest, RequestLine
from hub.sdk.outcomes import Done, Learned, NeedsPerson, Refused, RetryLater, Uncertain
from hub.sdk.wire import Response

NOW = datetime(2026, 1, 16, 12, 0, tzinfo=UTC)
SETTINGS = Settings(account="northwind", username="hub@example.com", password="p" * 8, webhook_secret="")
REQUEST = FulfilmentRequest(
    key="A-1-submit-1",
    fulfilment="A-1",
    order_number="#1001",
    lines=(RequestLine(line="11", sku="MUG", quantity=3, title="Mug", value=1000),),
    location="76733",
    ship_to=Contact(
        name="Mary Ann Smith", lines=("1 High St", "Flat 2", "Back door"), city="Leeds", postal_code="LS1", country="GB"
    ),
    service="express",
    currency="EUR",
    ordered_at=datetime(2026, 1, 15, 9, 30, tzinfo=UTC),
    ship_by=datetime(2026, 1, 17, 18, 0, tzinfo=UTC),
)
CANCEL = FulfilmentCancel(key="A-1-cancel-1", fulfilment="A-1", partner_reference="o1", reason="customer asked")


def data(request: FulfilmentRequest, settings: Settings = SETTINGS) -> dict[str, Any]:
    body = requests.submit_request(request, settings).body
    assert body is not None
    found: dict[str, Any] = msgspec.json.decode(body)["variables"]["data"]
    return found


def test_submit_carries_our_references() -> None:
    order = data(REQUEST, msgspec.structs.replace(SETTINGS, customer_account_id="Q3VzdG9tZXI6MQ=="))

    assert order == {
        "customer_account_id": "Q3VzdG9tZXI6MQ==",
        "partner_order_id": "A-1",
        "order_number": "#1001",
        "shop_name": "Crossdock",
        "fulfillment_status": "pending",
        "order_date": "2026-01-15T09:30:00",
        "required_ship_date": "2026-01-17T18:00:00",
        "currency": "EUR",
        "ready_to_ship": True,
        "shipping_lines": {"title": "express", "price": "0.00"},
        "shipping_address": {
            "first_name": "Mary Ann",
            "last_name": "Smith",
            "address1": "1 High St",
            "address2": "Flat 2, Back door",
            "city": "Leeds",
            "zip": "LS1",
            "country": "GB",
        },
        "line_items": [
            {
                "sku": "MUG",
                "partner_line_item_id": "11",
                "quantity": 3,
                "price": "3.3333",
                "customs_value": "3.3333",
                "product_name": "Mug",
                "warehouse_id": "V2FyZWhvdXNlOjc2NzMz",
            }
        ],
    }


@pytest.mark.parametrize(
    ("contact", "names"),
    [
        (Contact(name="Cher"), ("Cher", "")),
        (Contact(name=" Cher "), ("Cher", "")),
        (Contact(company="Fjord & Sons"), ("Fjord &", "Sons")),
        (Contact(), ("", "")),
    ],
)
def test_names_are_split_as_shiphero_wants_them(contact: Contact, names: tuple[str, str]) -> None:
    address = data(msgspec.structs.replace(REQUEST, ship_to=contact))["shipping_address"]

    assert (address["first_name"], address["last_name"]) == names


def test_a_global_warehouse_id_is_sent_as_it_is_and_none_is_left_out() -> None:
    named = data(msgspec.structs.replace(REQUEST, location="V2FyZWhvdXNlOjE="))["line_items"][0]
    free = data(msgspec.structs.replace(REQUEST, location=None))["line_items"][0]

    assert named["warehouse_id"] == "V2FyZWhvdXNlOjE="
    assert "warehouse_id" not in free


def test_a_line_without_a_value_has_no_customs_value() -> None:
    line = RequestLine(line="11", sku="MUG", quantity=3)
    sent = data(msgspec.structs.replace(REQUEST, lines=(line,)))["line_items"][0]

    assert sent["price"] == "0.00"
    assert "customs_value" not in sent


def test_only_mutations_are_writes() -> None:
    head = OrderHead(id="o1")

    assert requests.submit_request(REQUEST, SETTINGS).write
    assert requests.cancel_request(head, CANCEL, SETTINGS).write
    assert not requests.find_request("A-1", SETTINGS).write
    assert not requests.state_request("o1", SETTINGS).write


def test_no_five_minutes_can_hold_more_requests_than_allowed() -> None:
    (limit,) = transport(SETTINGS).limits
    in_window = (limit.capacity + limit.per_second * 300) / least_cost(SETTINGS)

    assert in_window <= 7000
    assert requests.state_request("o1", SETTINGS).cost == least_cost(SETTINGS)
    assert requests.submit_request(REQUEST, SETTINGS).cost == 10


def test_an_earlier_order_is_taken_over() -> None:
    found = requests.read_earlier((OrderHead(id="o1", fulfillment_status="pending"),), REQUEST, NOW)

    assert found == Done(
        reference="o1",
        found=True,
        learned=(Learned(kind="fulfilment", ours="A-1", theirs="o1"),),
        facts=(FulfilmentAccepted(at=NOW, fulfilment="A-1", partner_reference="o1"),),
    )


def test_nothing_earlier_is_nothing() -> None:
    assert requests.read_earlier((), REQUEST, NOW) is None


def test_an_earlier_order_that_was_cancelled_there_is_not_made_again() -> None:
    found = requests.read_earlier((OrderHead(id="o1", fulfillment_status="Canceled"),), REQUEST, NOW)

    assert isinstance(found, Refused)


def test_two_living_orders_need_a_person() -> None:
    heads = (OrderHead(id="o1"), OrderHead(id="o2"), OrderHead(id="o3", fulfillment_status="canceled"))
    found = requests.read_earlier(heads, REQUEST, NOW)

    assert isinstance(found, NeedsPerson)
    assert "o1, o2" in found.reason


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (OrderHead(id="o1", fulfillment_status="fulfilled"), Refused),
        (OrderHead(id="o1", fulfillment_status="pending", shipments=(Named(id="s1"),)), Refused),
        (OrderHead(id="o1", fulfillment_status="canceled"), Done),
        (OrderHead(id="o1", fulfillment_status="pending", shipments=()), OrderHead),
        (OrderHead(id="o1", fulfillment_status="custom word"), OrderHead),
    ],
)
def test_what_has_left_is_not_cancelled(head: OrderHead, kind: type) -> None:
    assert type(requests.read_standing((head,), CANCEL, NOW)) is kind


def test_an_order_that_shiphero_does_not_know_is_looked_for_by_a_person() -> None:
    assert isinstance(requests.read_standing((), CANCEL, NOW), NeedsPerson)


def cancelled(**order: object) -> object:
    body = {"data": {"order_cancel": {"order": {"id": "o1", **order}}}}
    return requests.read_cancel(Response(status=200, headers={}, body=msgspec.json.encode(body)), CANCEL, NOW)


def test_a_cancel_is_done_when_the_order_reads_so() -> None:
    assert isinstance(cancelled(fulfillment_status="canceled"), Done)
    assert isinstance(cancelled(fulfillment_status="pending"), RetryLater)


def test_a_cancel_that_names_no_order_is_uncertain() -> None:
    response = Response(status=200, headers={}, body=b'{"data":{"order_cancel":{"order":null}}}')

    assert isinstance(requests.read_cancel(response, CANCEL, NOW), Uncertain)


def test_a_cancel_of_what_is_cancelled_is_found_done() -> None:
    body = b'{"errors":[{"message":"Order is already canceled","code":1}],"data":{"order_cancel":null}}'
    found = requests.read_cancel(Response(status=200, headers={}, body=body), CANCEL, NOW)

    assert isinstance(found, Done)
    assert found.found
