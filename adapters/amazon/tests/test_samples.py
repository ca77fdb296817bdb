"""Amazon's own samples, every file: read, or refused with a name. None crashes, none is left out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.amazon import answers, notifications
from adapters.amazon.adapter import ADAPTER
from adapters.amazon.client import Scan, _search, request
from adapters.amazon.harness import NOON, settings, simulator
from adapters.amazon.listings import read_submission
from adapters.amazon.schemas import (
    Created,
    Feed,
    Feeds,
    Listing,
    OrderPage,
    Participation,
    Place,
    Submission,
)
from adapters.amazon.xml_feeds import read_result
from hub.domain.order import ManagedBy, OrderSnapshot
from hub.sdk.outcomes import Interrupted, NeedsPerson
from hub.sdk.translate import Malformed
from hub.sdk.wire import Response

Read = Callable[[bytes], OrderSnapshot]

ORDERS = {
    "orders_2026-01-01/getOrder.200.ex.response.json": {
        "202-1234567-8901234": ("GBP", 10397, "paid", [("ECHO-DOT-4-UK-CHARCOAL-3PACK", 3, 8997, 3)], "M1 2AB"),
    },
    "orders_2026-01-01/getOrder.200.s1.response.json": {
        "171-9876543-2109876": ("BRL", 29990, "authorised", [("ECHO-DOT-4-BR-PRETO", 1, 29990, 0)], "01234-567"),
    },
    "orders_2026-01-01/searchOrders.200.ex.response.json": {
        "123-4567890-1234567": (
            "USD",
            15499,
            "paid",
            [("ECHO-DOT-4-CHARCOAL", 2, 9998, 2), ("FIRE-TV-4K-2021", 1, 4999, 1)],
            "98101",
        ),
    },
    "orders_2026-01-01/searchOrders.200.s2.response.json": {
        "202-7654321-1098765": ("GBP", 3499, "paid", [("ECHO-DOT-4-UK-CHARCOAL-SINGLE", 1, 3499, 1)], "SW1A 1AA"),
    },
}
"""By file and order: currency, total, status, lines (SKU, wanted, amount, gone), postal code. Read by eye."""

REFUSED_FOLDERS = {
    "ordersV0": "reads of Orders v0 are removed on 2027-03-27; only confirmShipment lives on",
    "finances_2024-06-19": "settlements are no business of orders",
    "merchantFulfillmentV0": "labels are bought from carriers",
    "shippingV2": "labels are bought from carriers",
    "externalFulfillmentReturns_2024-09-11": "external fulfilment is another programme",
    "externalFulfillmentShipments_2024-09-11": "external fulfilment is another programme",
    "reports_2021-06-30": "no report is read",
    "tokens_2021-03-01": "Orders 2026-01-01 gives people by role, without restricted tokens",
}
"""What the adapter never receives. As an order, each is refused by name."""

READ_FOLDERS = {
    *("orders_2026-01-01", "feeds_2021-06-30", "listingsItems_2021-08-01"),
    *("notifications", "sellers", "feeds", "code-recipes"),
}


@pytest.fixture(scope="module")
def samples(contracts: Path) -> Path:
    return contracts / "samples"


def files(folder: Path, *patterns: str) -> list[Path]:
    found = sorted(path for pattern in patterns for path in folder.glob(pattern))
    assert found
    return found


def test_every_folder_is_spoken_of(samples: Path) -> None:
    assert {path.name for path in samples.iterdir()} == {*REFUSED_FOLDERS, *READ_FOLDERS}


@pytest.mark.parametrize("name", sorted(ORDERS))
def test_orders(samples: Path, read: Read, name: str) -> None:
    document = json.loads((samples / name).read_text("utf-8"))
    found = {}
    for order in document.get("orders") or [document["order"]]:
        snapshot = read(msgspec.json.encode({"order": order}))
        content = snapshot.content
        assert snapshot.problems == ()
        assert content.amounts.difference == 0
        assert {line.managed_by for line in content.lines} == {ManagedBy.HUB}
        lines = [(line.sku, line.quantity, line.subtotal, line.fulfilled_elsewhere) for line in content.lines]
        place = content.groups[0].place
        assert place is not None
        found[content.external_id] = (
            content.currency,
            content.amounts.shop.total,
            content.financial_status,
            lines,
            place.postal_code,
        )
    assert found == ORDERS[name]


def test_every_order_sample_is_in_the_table(samples: Path) -> None:
    folder = samples / "orders_2026-01-01"
    answered = {f"{folder.name}/{path.name}" for path in folder.glob("*.200.*response.json")}
    assert answered == set(ORDERS)


def test_a_page_of_orders(samples: Path) -> None:
    body = (samples / "orders_2026-01-01" / "searchOrders.200.ex.response.json").read_bytes()
    page = msgspec.json.decode(body, type=OrderPage)
    assert len(page.orders) == 1
    assert page.pagination is not None
    assert page.pagination.next_token == "2YgYW55IGNhcm5hbCBwbGVhc3VyZS4"


def test_their_requests_have_the_parameters_of_ours(samples: Path) -> None:
    sim = simulator()
    sim.base_url = "http://127.0.0.1:9"
    now = sim.now()
    ours = set(_search(settings(sim), Scan(since=now, until=now, token="t")))
    printed = json.loads((samples / "orders_2026-01-01" / "searchOrders.200.s2.request.json").read_text("utf-8"))
    assert set(printed["parameters"]) - ours == {"createdAfter"}


@pytest.mark.parametrize("folder", sorted(REFUSED_FOLDERS))
def test_what_is_no_order_of_ours_is_refused_by_name(samples: Path, read: Read, folder: str) -> None:
    for path in files(samples / folder, "*.json"):
        with pytest.raises(Malformed) as caught:
            read(path.read_bytes())
        assert caught.value.field, path.name


def test_recipes_of_other_calls_are_refused_as_orders(samples: Path, read: Read) -> None:
    for path in files(samples / "code-recipes", "*.json"):
        document = json.loads(path.read_text("utf-8"))
        if "order" in document:
            # Orders of Multi-Channel Fulfillment share the wrapper: their id is one, and everything else is missing.
            problems = {problem.kind for problem in read(path.read_bytes()).problems}
            assert {"missing_field", "bad_money"} & problems, path.name
            continue
        with pytest.raises(Malformed):
            read(path.read_bytes())


def test_every_error_is_read(samples: Path) -> None:
    sim = simulator()
    for path in files(samples, "*/*.40?.*response.json"):
        response = Response(status=400, headers={}, body=path.read_bytes())
        with pytest.raises(Interrupted) as caught:
            answers.read(response, request("GET", "/x", "getOrder"), OrderPage, path.name, sim.now())
        outcome = caught.value.outcome
        assert isinstance(outcome, NeedsPerson)
        assert "no reason that can be read" not in outcome.reason, path.name


NOTIFIED = {
    "FeedProcessingFinishedNotification.ex1.json": "FEED_PROCESSING_FINISHED",
    "ListingsItemMfnQuantityChange.ex1.json": "LISTINGS_ITEM_MFN_QUANTITY_CHANGE",
    "ListingsItemStatusChangeNotification.ex1.json": "LISTINGS_ITEM_STATUS_CHANGE",
    "OrderChangeNotification.ex1.json": "ORDER_CHANGE",
    "ReportProcessingFinishedNotification.ex1.json": "REPORT_PROCESSING_FINISHED",
    "TransactionUpdateNotification.ex1.json": "TRANSACTION_UPDATE",
}


def test_notifications(samples: Path) -> None:
    found = {}
    for path in files(samples / "notifications", "*.ex1.json"):
        body = path.read_bytes()
        known = json.loads(body).get("Payload", {})
        seller = known.get("SellerId", "A3TH9S8BH6GOGM")
        notice = notifications.read(body, seller)
        found[path.name] = notice.topic
        assert notice.key.startswith("notification:")
        assert notice.topic in ADAPTER.topics
        thin = ADAPTER.topics[notice.topic].thin
        assert notice.object == ("order:903-8868176-2219830" if thin else None)
    assert found == NOTIFIED


def test_answers_about_subscriptions_are_no_notifications(samples: Path) -> None:
    for path in files(samples / "notifications", "*.response.json"):
        assert notifications.read(path.read_bytes(), "S").topic == notifications.UNREADABLE


def test_feeds(samples: Path) -> None:
    folder = samples / "feeds_2021-06-30"
    place = msgspec.json.decode((folder / "createFeedDocument.201.s1.response.json").read_bytes(), type=Place)
    assert place.url.startswith("https://")
    assert msgspec.json.decode((folder / "createFeed.202.s1.response.json").read_bytes(), type=Created).feed_id
    (feed,) = msgspec.json.decode((folder / "getFeeds.200.s1.response.json").read_bytes(), type=Feeds).feeds
    assert feed.processing_status in ("IN_QUEUE", "IN_PROGRESS", "DONE", "CANCELLED", "FATAL")
    result = msgspec.json.decode((folder / "getFeedDocument.200.s1.response.json").read_bytes(), type=Place)
    assert result.url
    recipe = msgspec.json.decode((samples / "code-recipes" / "feeds-getFeed.json").read_bytes(), type=Feed)
    assert (recipe.processing_status, bool(recipe.result_feed_document_id)) == ("DONE", True)


def test_a_result_document_says_how_many_succeeded(samples: Path) -> None:
    feed = Feed(feed_id="383186020424", feed_type="X", processing_status="DONE", created_time=NOON)
    outcome = read_result((samples / "code-recipes" / "feeds-feedResultDocument.xml").read_bytes(), feed, "order 1")
    assert getattr(outcome, "reference", None) == "383186020424"


def test_their_listings_feed_changes_availability_as_ours_does(samples: Path) -> None:
    document = json.loads((samples / "feeds" / "listings-feed-v2.json").read_text("utf-8"))
    patches: list[Any] = [patch for one in document["messages"] for patch in one.get("patches", ())]
    (merge,) = (patch for patch in patches if patch["op"] == "merge")
    (value,) = merge["value"]
    assert merge["path"] == "/attributes/fulfillment_availability"
    assert set(value) == {"fulfillment_channel_code", "quantity"}


def test_listings(samples: Path) -> None:
    folder = samples / "listingsItems_2021-08-01"
    for path in files(folder, "p*Item.200.*.response.json"):
        submission = msgspec.json.decode(path.read_bytes(), type=Submission)
        expected = None if submission.status == "ACCEPTED" else "the submission is VALID"
        assert read_submission(submission) == expected, path.name
    listing = msgspec.json.decode((folder / "getListingsItem.200.s1.response.json").read_bytes(), type=Listing)
    assert listing.sku == "GM-ZDPI-9B4E"
    assert listing.summaries[0].product_type
    recipe = (samples / "code-recipes" / "listings-getListingsItem.json").read_bytes()
    assert msgspec.json.decode(recipe, type=Listing).summaries[0].product_type == "PRODUCT"
    patched = (samples / "code-recipes" / "pricing-patchListingsItem.json").read_bytes()
    assert read_submission(msgspec.json.decode(patched, type=Submission)) is None


def test_participations_come_bare_too(samples: Path) -> None:
    body = (samples / "sellers" / "getMarketplaceParticipations.200.ex.response.json").read_bytes()
    (row,) = msgspec.json.decode(body, type=tuple[Participation, ...])
    assert (row.marketplace.id, row.participation.is_participating) == ("ATVPDKIKX0DER", True)
