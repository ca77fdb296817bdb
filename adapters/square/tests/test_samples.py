"""Every published and recorded sample is read, with its sums, or refused for a named reason."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.square import answers, schemas
from adapters.square.adapter import ADAPTER
from adapters.square.amounts import payment_rows
from adapters.square.availability import read_skus
from adapters.square.settings import Settings
from adapters.square.tests.conftest import Read
from adapters.square.webhook import check, decode, subject
from hub.domain.order import ManagedBy
from hub.domain.payment import PaymentKind
from hub.mapping.errors import Malformed
from hub.sdk.auth import exchange
from hub.sdk.outcomes import Interrupted, RetryLater
from hub.sdk.webhook import Delivery, Refuse, Store
from hub.sdk.wire import RefreshToken, Response

NOW = datetime(2026, 1, 16, 12, tzinfo=UTC)

ORDERS = {
    "api/RetrieveOrderResponse": (550, [(0, 1, 500, 250, 0), (0, 2, 600, 300, 0)], ()),
    "api/CreateOrderResponse": (6176, [(0, 1, 1599, 87, 136), (0, 2, 4500, 346, 374)], ()),
    "api/BatchRetrieveOrdersResponse": (
        7599,
        [(0, 1, 1599, 0, 0), (0, 3, 6000, 0, 0)],
        ("unmapped_release", "missing_field", "missing_field"),
    ),
    "recorded-sandbox/order-with-line-tax": (11385, [(1, 1, 9900, 0, 1485)], ()),
}
"""Total; units wanted, units ordered, subtotal, discount and tax by line; problems. Open orders without a fulfilment
are tickets: nothing of them is wanted yet."""

PAYMENTS = {
    "api/CreatePaymentResponse": [("capture", "done", 1000)],
    "api/GetPaymentResponse": [("capture", "done", 555)],
    "api/UpdatePaymentResponse": [("authorise", "done", 1100)],
    "api/ListPaymentsResponse": [("capture", "done", 555)],
    "recorded-sandbox/payment-completed-with-fee": [("capture", "done", 8803)],
    "webhooks/PaymentCreatedEvent": [("authorise", "done", 100)],
}

REFUNDS = {
    "api/RefundPaymentResponse": ("refund_pending", 1000),
    "recorded-sandbox/refund-tax-part": ("refund_completed", 1485),
    "webhooks/RefundCreatedEvent": ("refund_pending", 1000),
}

ANSWERS: dict[str, tuple[type, Callable[[Any], object], object]] = {
    "api/BatchChangeInventoryResponse": (schemas.Counts, lambda one: one.counts[0].quantity, "53"),
    "api/BatchRetrieveInventoryCountsResponse": (schemas.Counts, lambda one: one.counts[0].quantity, "79"),
    "api/RetrieveInventoryChangesResponse": (schemas.Counts, lambda one: one.counts, ()),
    "api/ListLocationsResponse": (
        schemas.Locations,
        lambda one: [at.id for at in one.locations],
        ["18YC4JDH91E1H", "3Z4V4WHQK64X9"],
    ),
    "api/RetrieveMerchantResponse": (schemas.MerchantAnswer, lambda one: one.merchant.currency, "USD"),
    "api/BatchRetrieveCatalogObjectsResponse": (
        schemas.Catalog,
        lambda one: [item.type for item in one.objects],
        ["ITEM", "ITEM"],
    ),
    "api/SearchCatalogObjectsResponse": (
        schemas.Catalog,
        lambda one: [item.type for item in one.objects],
        ["ITEM", "ITEM"],
    ),
}

REFUSED_ANSWERS = {
    "api/SearchOrdersResponse": schemas.OneOrder,
    "api/RetrieveGiftCardResponse": schemas.PaymentAnswer,
    "api/SearchCustomersResponse": schemas.OneOrder,
    "api/RetrieveInventoryAdjustmentResponse": schemas.OneOrder,
    "api/UpsertCatalogObjectResponse": schemas.OneOrder,
    "api/ListWebhookEventTypesResponse": schemas.OneOrder,
    "api/CreateWebhookSubscriptionResponse": schemas.OneOrder,
    "api/ListWebhookSubscriptionsResponse": schemas.OneOrder,
}
"""Answers to calls that we do not make: taken for what we ask, they are another document, never a default."""

TOKEN = "api/ObtainTokenResponse"
VECTORS = "webhooks/signature-vectors"


def test_every_sample_is_accounted_for(contracts: Path) -> None:
    names = {str(one.relative_to(contracts / "samples").with_suffix("")) for one in contracts.glob("samples/*/*.json")}
    requests = {one for one in names if one.endswith("Request")}
    events = {one for one in names if one.startswith("webhooks/") and one.endswith("Event")}
    known = {*ORDERS, *PAYMENTS, *REFUNDS, *ANSWERS, *REFUSED_ANSWERS, TOKEN, VECTORS}
    assert names == known | requests | events


@pytest.mark.parametrize("name", ORDERS)
def test_orders_reconcile(contracts: Path, read: Read, name: str) -> None:
    total, lines, problems = ORDERS[name]
    document = load(contracts, name)
    order = document.get("order") or (document["orders"][0] if "orders" in document else document)
    snapshot = read(msgspec.json.encode(order))
    content = snapshot.content
    assert content.external_id == order["id"]
    assert content.amounts.shop.total == content.amounts.stated_total == total
    found = [(one.quantity, one.ordered, one.subtotal, one.discount, one.tax) for one in content.lines]
    assert found == lines
    assert {line.managed_by for line in content.lines} == {ManagedBy.DONE}
    assert content.groups[0].pickup_location == order["location_id"]
    assert tuple(problem.kind for problem in snapshot.problems) == problems


def test_a_recorded_sale_with_its_recorded_refund(contracts: Path, read: Read) -> None:
    """The refund's order_id is that of a return: what joins it to the sale is the payment."""
    sale, refund = (
        load(contracts, "recorded-sandbox/order-with-line-tax"),
        load(contracts, "recorded-sandbox/refund-tax-part"),
    )
    assert refund["payment_id"] == sale["tenders"][0]["payment_id"]
    content = read(msgspec.json.encode({**sale, "payment_refunds": [refund]})).content
    rows = [(one.kind, one.amount, one.status, one.parent) for one in content.payments]
    assert rows == [
        (PaymentKind.CAPTURE, 11385, "done", sale["tenders"][0]["payment_id"]),
        (PaymentKind.REFUND, 1485, "done", sale["tenders"][0]["payment_id"]),
    ]
    assert content.refunded is not None
    assert content.refunded.shop.total == content.refunded.stated_total == 1485
    assert content.financial_status == "part_refunded"


@pytest.mark.parametrize("name", PAYMENTS)
def test_payments_are_read(contracts: Path, name: str) -> None:
    document = load(contracts, name)
    inner = document.get("payment") or document.get("payments") or document
    if "data" in document:
        inner = document["data"]["object"]["payment"]
    rows = payment_rows(None, inner if isinstance(inner, list) else [inner], None, "USD")
    assert [(row["kind"], row["state"], int(row["amount"] * 100)) for row in rows] == PAYMENTS[name]


@pytest.mark.parametrize("name", REFUNDS)
def test_refunds_are_read(contracts: Path, name: str) -> None:
    document = load(contracts, name)
    inner = document["data"]["object"]["refund"] if "data" in document else document.get("refund", document)
    (row,) = payment_rows(None, None, [inner], "USD")
    assert (row["kind"], row["parent"]) == ("refund", inner["payment_id"])
    assert (row["state"], int(row["amount"] * 100)) == REFUNDS[name]


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_read(contracts: Path, name: str) -> None:
    kind, look, expected = ANSWERS[name]
    assert look(answers.read(answer(contracts, name), msgspec.json.Decoder(kind), name, NOW)) == expected


@pytest.mark.parametrize("name", REFUSED_ANSWERS)
def test_other_answers_are_no_answer_of_ours(contracts: Path, name: str) -> None:
    with pytest.raises(Interrupted) as refused:
        answers.read(answer(contracts, name), msgspec.json.Decoder(REFUSED_ANSWERS[name]), name, NOW)
    assert isinstance(refused.value.outcome, RetryLater)
    assert "another document than the one asked for" in refused.value.outcome.reason


def test_a_search_of_entries_brings_no_orders(contracts: Path) -> None:
    """The published answer was asked with return_entries, which we never do."""
    found = answers.read(answer(contracts, "api/SearchOrdersResponse"), msgspec.json.Decoder(schemas.Search), "", NOW)
    assert (found.orders, found.cursor) == ([], "123")


def test_skus_of_published_variations(contracts: Path) -> None:
    (one, *_) = load(contracts, "api/SearchCatalogObjectsResponse")["objects"]
    variation = one["item_data"]["variations"][0]
    variation["item_variation_data"]["sku"] = "TEA-MUG"
    found, failures = read_skus([msgspec.convert(variation, schemas.CatalogObject)], ["TEA-MUG", "NONE"])
    assert found == {"TEA-MUG": variation["id"]}
    assert [(one.sku, one.reason) for one in failures] == [("NONE", "no variation carries this SKU")]


async def test_the_published_token_answer(contracts: Path) -> None:
    """Square says when a token ends as a time, not in seconds."""
    sent: list[bytes] = []

    async def post(url: str, headers: Any, body: bytes) -> Response:
        sent.append(body)
        return answer(contracts, TOKEN)

    grant = RefreshToken(
        token_url="https://x/oauth2/token", client_id="a", client_secret="b", refresh_token="c", json=True
    )
    token = await exchange(grant, None, post, lambda: NOW)
    assert token.expires_at == datetime(2025, 4, 3, 18, 31, 6, tzinfo=UTC)
    assert token.refresh_token == load(contracts, TOKEN)["refresh_token"]
    asked = {"client_id": "a", "client_secret": "b", "refresh_token": "c", "grant_type": "refresh_token"}
    assert [msgspec.json.decode(one) for one in sent] == [asked]


def test_requests_are_no_orders(contracts: Path, read: Read) -> None:
    """Bodies of requests name no order, so there is none: Malformed names the field."""
    names = sorted(one for one in contracts.glob("samples/api/*Request.json"))
    assert len(names) == 16
    for one in names:
        with pytest.raises(Malformed, match="external_id"):
            read(one.read_bytes())


def test_events_are_stored_with_what_they_are_about(contracts: Path) -> None:
    found = {}
    for one in sorted(contracts.glob("samples/webhooks/*Event.json")):
        event = decode(one.read_bytes())
        assert event.type in ADAPTER.topics
        if not ADAPTER.topics[event.type].ignore:
            found[event.type] = subject(event)
    assert found == {
        "inventory.count.updated": "counts:FGQ5JJWT2PYTHF35CKZ2DSKP",
        "order.created": "order:eA3vssLHKJrv9H0IdJCM3gNqfdcZY",
        "order.updated": "order:eA3vssLHKJrv9H0IdJCM3gNqfdcZY",
        "payment.created": "order:03O3USaPaAaFnI6kkwB1JxGgBsUZY",
        "refund.created": "payment:KkAkhdMsgzn59SM8A89WgKwekxLZY",
    }


def test_signature_vectors(contracts: Path) -> None:
    vectors = load(contracts, VECTORS)
    assert len(vectors) == 2
    for vector in vectors:
        body = vector["body"].encode()
        known = Settings(
            merchant_id=decode(body).merchant_id or "M",
            signature_key=vector["signature_key"],
            notification_url=vector["notification_url"],
            access_token="t" * 8,
        )
        delivery = Delivery(
            method="POST",
            url="http://proxy/elsewhere",
            headers={"x-square-hmacsha256-signature": vector["x-square-hmacsha256-signature"]},
            query={},
            body=body,
            received_at=NOW,
        )
        assert isinstance(check(delivery, known), Store)
        slash = msgspec.structs.replace(known, notification_url=f"{vector['notification_url']}/")
        assert isinstance(check(delivery, slash), Refuse)


def load(contracts: Path, name: str) -> Any:
    return msgspec.json.decode((contracts / "samples" / f"{name}.json").read_bytes())


def answer(contracts: Path, name: str) -> Response:
    body = (contracts / "samples" / f"{name}.json").read_bytes()
    return Response(status=200, headers={"content-type": "application/json"}, body=body)
