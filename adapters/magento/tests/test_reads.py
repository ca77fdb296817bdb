"""Pulls, paging and the connection test, against the simulated store over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import unquote

import msgspec
import pytest

from adapters.magento import queries, schemas
from adapters.magento.client import Scan, decoder, listed, probe, pull_open_orders, pull_orders
from adapters.magento.harness import two_lines
from adapters.magento.settings import Settings, account, transport
from adapters.magento.simulator import MagentoSimulator
from adapters.magento.simulator_store import CUSTOMER
from adapters.magento.tests.conftest import CONNECTION, now, with_settings
from hub.domain.contact import Contact
from hub.mapping.compile import Mapping
from hub.sdk.capabilities import Context, Page
from hub.sdk.http import HttpClient
from hub.sdk.outcomes import Interrupted, RetryLater, Unauthorised
from hub.sdk.wire import Request, Response

Store = Context[Settings]
AT = datetime(2026, 1, 16, 12, tzinfo=UTC)


async def pages(context: Store, cursor: str | None = None) -> list[Page]:
    return [page async for page in pull_orders(context, cursor)]


def ids(found: list[Page]) -> list[str]:
    return [str(item.object).removeprefix("order:") for page in found for item in page.items]


def recent(context: Store, at: datetime = AT) -> Store:
    """The same, with a first pull that begins the day before."""
    live_from = msgspec.structs.replace(CONNECTION, live_from=at - timedelta(days=1))
    return msgspec.structs.replace(context, connection=live_from)


class Meddling:
    """A client under which the store changes after a page."""

    def __init__(self, inner: Context[Settings], after: Callable[[], object]) -> None:
        self.inner, self.after = inner.client, after

    async def send(self, request: Request) -> Response:
        response = await self.inner.send(request)
        if request.operation == "GET /orders":
            self.after()
        return response


# --- changed orders ---------------------------------------------------------------------------------------------------


async def test_a_scan_brings_everything_once_oldest_change_first(store: MagentoSimulator, context: Store) -> None:
    orders = [two_lines(store) for _ in range(7)]
    store.settle(orders[0])
    small = with_settings(context, page_size=3)
    found = await pages(small)
    assert ids(found) == [str(order.id) for order in [*orders[1:], orders[0]]]
    assert [len(page.items) for page in found] == [3, 3, 1]


async def test_orders_that_change_during_a_scan_push_none_out(store: MagentoSimulator, context: Store) -> None:
    """By page number, every change under a scan shifts one order over the edge of a page, unread."""
    orders = [two_lines(store) for _ in range(9)]
    moving = iter(orders)

    def change() -> None:
        order = next(moving, None)
        if order is not None:
            store.settle(order)

    small = with_settings(context, page_size=3)
    meddled = msgspec.structs.replace(small, client=Meddling(small, change))
    assert {str(order.id) for order in orders} <= set(ids(await pages(meddled)))


async def test_more_changes_in_one_second_than_a_page_holds(store: MagentoSimulator, context: Store) -> None:
    store.now, store.ties = lambda: AT, True
    orders = [two_lines(store) for _ in range(8)]
    context = recent(with_settings(context, page_size=3))
    store.now = now
    assert ids(await pages(context)) == [str(order.id) for order in orders]


async def test_a_second_scan_looks_back_and_brings_what_was_committed_late(
    store: MagentoSimulator, context: Store
) -> None:
    store.now = lambda: AT
    early = two_lines(store)
    store.now = now
    (first, *_) = await pages(recent(context))
    late = two_lines(store)
    late.updated_at = AT - timedelta(minutes=4)
    found = await pages(context, first.cursor)
    assert set(ids(found)) == {str(early.id), str(late.id)}
    assert {item.key for item in first.items} <= {item.key for page in found for item in page.items}


async def test_a_scan_that_was_broken_off_goes_on_where_it_was(store: MagentoSimulator, context: Store) -> None:
    orders = [two_lines(store) for _ in range(7)]
    small = with_settings(context, page_size=3)
    scan: AsyncIterator[Page] = pull_orders(small, None)
    first = await anext(scan)
    assert ids(await pages(small, first.cursor)) == [str(order.id) for order in orders[3:]]


async def test_two_changes_in_one_second_have_two_keys(store: MagentoSimulator, context: Store) -> None:
    store.ties = True
    order = two_lines(store)
    (before,) = (await pages(context))[0].items
    order.ship_to = Contact(name="Una Marlowe", lines=("9 Quay",), city="Cork", country="IE")
    (after,) = (await pages(context))[0].items
    assert before.key != after.key
    assert before.key.rpartition(":")[0] == after.key.rpartition(":")[0]


async def test_the_first_pull_begins_at_live_from_else_at_its_history(store: MagentoSimulator, context: Store) -> None:
    old, fresh = two_lines(store), two_lines(store)
    old.updated_at -= timedelta(days=70)
    assert ids(await pages(context)) == [str(fresh.id)]
    assert ids(await pages(with_settings(context, history_days=90))) == [str(old.id), str(fresh.id)]
    live = msgspec.structs.replace(CONNECTION, live_from=now() - timedelta(days=80))
    assert ids(await pages(msgspec.structs.replace(context, connection=live))) == [str(old.id), str(fresh.id)]


async def test_only_the_stores_that_are_asked_for(store: MagentoSimulator, context: Store) -> None:
    store.place_order([("MUG-RED", 1)], store=1)
    wanted = store.place_order([("MUG-RED", 1)], store=4)
    assert ids(await pages(with_settings(context, store_ids=(4, 5)))) == [str(wanted.id)]


async def test_documents_come_with_the_order(store: MagentoSimulator, context: Store, mapping: Mapping) -> None:
    store.sell("PART", price=Decimal("4.00"), quantity=9)
    store.sell("KIT", kind="bundle", parts=(("PART", 2),), together=True)
    store.sell("LOOSE", kind="bundle", parts=(("PART", 2),), together=False)
    order = store.place_order([("MUG-RED", 2), ("KIT", 1), ("LOOSE", 1)], paid=True)
    store.refund(order, {order.items[0].id: 1}, shipping=Decimal(0))
    store.refund(order, {}, shipping=Decimal("2.00"), adjustment=Decimal("-0.50"))
    plain = two_lines(store)
    items = {str(item.object): item for page in await pages(context) for item in page.items}
    content = mapping(items[f"order:{order.id}"].body).content
    assert content.refunded is not None
    assert content.refunded.shop.total == content.refunded.stated_total
    assert [row.external_id for row in content.payments if row.kind == "refund"] == [
        f"creditmemo:{memo.id}" for memo in order.memos
    ]
    assert [line.group for line in content.lines] == ["main", "together", "main"]
    assert b'"invoices"' not in items[f"order:{plain.id}"].body


async def test_an_order_of_nothing_but_spaces_at_its_end_keeps_its_documents(context: Store) -> None:
    from adapters.magento.client import pulled

    head = schemas.Head(entity_id=4, updated_at="2026-01-16 12:00:00")
    item = pulled(head, b'{"entity_id": 4 } \n', {"invoices": [{"entity_id": 9}], "creditmemos": []})
    assert msgspec.json.decode(item.body) == {"entity_id": 4, "invoices": [{"entity_id": 9}]}
    assert item.key.startswith("order:4:2026-01-16T12:00:00:")
    assert pulled(head, b'{"entity_id": 4 }', {"invoices": []}).body == b'{"entity_id": 4 }'


# --- open orders ------------------------------------------------------------------------------------------------------


async def test_an_address_edited_in_the_admin_is_found_by_the_pull_of_open_orders(
    store: MagentoSimulator, context: Store, mapping: Mapping
) -> None:
    order, done = two_lines(store), store.place_order([("MUG-RED", 1)], paid=True)
    store.ship(done, {}, [])
    before = [item async for page in pull_open_orders(context, None) for item in page.items]
    store.correct_address(order.id, msgspec.structs.replace(CUSTOMER, city="Salem"))
    after = [item async for page in pull_open_orders(context, None) for item in page.items]
    assert [item.object for item in before] == [item.object for item in after] == [f"order:{order.id}"]
    assert before[0].key != after[0].key
    assert mapping(after[0].body).contacts["ship"].city == "Salem"
    assert mapping(before[0].body).content.version == mapping(after[0].body).content.version


async def test_open_orders_go_on_after_an_interruption_and_begin_again(store: MagentoSimulator, context: Store) -> None:
    orders = [two_lines(store) for _ in range(5)]
    small = with_settings(context, page_size=2)
    first = await anext(pull_open_orders(small, None))
    rest = [page async for page in pull_open_orders(small, first.cursor)]
    assert ids(rest) == [str(order.id) for order in orders[2:]]
    assert rest[-1].cursor == "0"


# --- paging and filters -----------------------------------------------------------------------------------------------


async def test_a_page_past_the_end_is_the_last_page_again(store: MagentoSimulator, context: Store) -> None:
    """What the store does, so that `listed` must not wait for an empty page."""
    for _ in range(5):
        store.invoice(two_lines(store), {}, capture=True, note=None)
    kind = decoder(schemas.Listed[schemas.Invoice])

    async def page(number: int) -> list[int]:
        request = Request(method="GET", path=queries.search("/invoices", (), queries.BY_ID, 2, number), operation="x")
        return [one.entity_id for one in kind.decode((await context.client.send(request)).body).items or ()]

    assert await page(3) == await page(4) == await page(99)
    found = await listed(with_settings(context, page_size=2), "/invoices", (), kind)
    assert [one.entity_id for one in found] == list(store.invoices)


async def test_a_list_ends_when_it_has_nothing_although_the_count_says_more(context: Store) -> None:
    class Vanishing:
        async def send(self, request: Request) -> Response:
            return Response(status=200, headers={}, body=b'{"items":null,"search_criteria":{},"total_count":4}')

    kind = decoder(schemas.Listed[schemas.Invoice])
    assert await listed(msgspec.structs.replace(context, client=Vanishing()), "/invoices", (), kind) == []


def test_a_range_is_two_groups_and_never_from_and_to() -> None:
    query = unquote(queries.search("/orders", queries.changed_after("2026-01-16 12:00:00", 7), queries.BY_CHANGE, 50))
    assert "[filterGroups][0][filters][0][conditionType]=gteq" in query
    assert "[filterGroups][1][filters][0][conditionType]=gt" in query
    assert "[filterGroups][1][filters][1][field]=entity_id" in query
    assert "from" not in query
    assert "[sortOrders][0][field]=updated_at" in query
    assert "[sortOrders][1][field]=entity_id" in query
    assert "[currentPage]=1" in query


def test_a_query_is_encoded_once_with_spaces_as_percent_20() -> None:
    query = queries.search("/orders", queries.changed_after("2026-01-16 12:00:00", 7), (), 50)
    assert "searchCriteria%5BfilterGroups%5D%5B0%5D%5Bfilters%5D%5B0%5D%5Bvalue%5D=2026-01-16%2012%3A00%3A00" in query
    assert "+" not in query
    assert "%255B" not in query


def test_skus_with_commas_are_filters_of_their_own() -> None:
    (one, two) = queries.any_of("sku", ["A,B", "C/D"])
    assert (one.condition, one.value, two.value) == ("eq", "A,B", "C/D")


# --- bad answers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "words"),
    [("html", "HTML instead of JSON"), ("truncated", "no whole JSON"), ("error_inside", "an error inside: Internal")],
)
async def test_an_answer_that_is_none_ends_no_scan(
    fault: str, words: str, store: MagentoSimulator, context: Store
) -> None:
    for _ in range(5):
        two_lines(store)
    small = with_settings(context, page_size=2)
    scan = pull_orders(small, None)
    first = await anext(scan)
    setattr(store, fault, 1)
    with pytest.raises(Interrupted) as interrupted:
        await anext(scan)
    assert isinstance(interrupted.value.outcome, RetryLater)
    assert words in interrupted.value.outcome.reason
    assert len(ids(await pages(small, first.cursor))) == 3


async def test_a_list_of_something_else_ends_no_scan(context: Store) -> None:
    class Odd:
        async def send(self, request: Request) -> Response:
            return Response(status=200, headers={}, body=b'{"items":[{"name":"no order"}],"total_count":1}')

    with pytest.raises(Interrupted, match="one cannot be told apart"):
        await pages(msgspec.structs.replace(context, client=Odd()))


# --- the connection test ----------------------------------------------------------------------------------------------


async def test_the_connection_test_names_store_orders_and_sources(store: MagentoSimulator, context: Store) -> None:
    two_lines(store)
    found = await probe(context)
    assert found.account == "dune.example"
    assert {check.name: (check.ok, check.detail) for check in found.checks} == {
        "store": (True, "dune.example"),
        "orders": (True, "1 can be read"),
        "sources": (True, "default Default Source"),
    }


async def test_a_store_of_another_name_is_told(store: MagentoSimulator, context: Store) -> None:
    store.store_url = "https://www.other.example/shop/"
    found = await probe(context)
    assert found.account == "www.other.example/shop"
    (check, *_) = found.checks
    assert not check.ok
    assert "www.other.example/shop" in check.detail


async def test_a_resource_that_was_not_granted_is_named(store: MagentoSimulator, context: Store) -> None:
    class Partial:
        async def send(self, request: Request) -> Response:
            if request.operation == "GET /orders":
                raise Interrupted(Unauthorised(reason="401"))
            return await context.client.send(request)

    found = await probe(msgspec.structs.replace(context, client=Partial()))
    refused = next(check for check in found.checks if check.name == "orders")
    assert (refused.ok, refused.detail) == (False, "give the integration the resource Magento_Sales::sales")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://Shop.Example.com/", "shop.example.com"),
        ("https://example.com/store", "example.com/store"),
        ("http://localhost:8080/", "localhost:8080"),
    ],
)
def test_an_account_is_the_stores_own_address(url: str, name: str) -> None:
    given = Settings(
        store_url=url, consumer_key="k", consumer_secret="s", access_token="t", access_token_secret="u", store_code="de"
    )
    assert account(given) == name
    assert transport(given).base_url == f"{url.rstrip('/')}/rest/de/V1"


@pytest.mark.parametrize("url", ["shop.example.com", "", "ftp://shop.example.com", "https://"])
def test_settings_want_a_whole_url(url: str) -> None:
    with pytest.raises(ValueError, match="whole URL"):
        Settings(store_url=url, consumer_key="k", consumer_secret="s", access_token="t", access_token_secret="u")


async def test_many_at_once_sign_with_nonces_of_their_own(store: MagentoSimulator, context: Store) -> None:
    await asyncio.gather(*(probe(context) for _ in range(4)))
    assert len(store.seen_nonces) == len(store.asked) == 12


def test_a_scan_keeps_its_place_in_the_cursor() -> None:
    scan = Scan(at="2026-01-16 12:00:00", entity=7, seen="2026-01-16 12:00:00", scanning=True)
    assert scan.resumed() == scan
    ended = msgspec.structs.replace(scan, scanning=False)
    assert ended.resumed() == Scan(at="2026-01-16 11:55:00", entity=0, seen="2026-01-16 12:00:00")


async def test_a_plus_for_a_space_would_not_be_let_in(store: MagentoSimulator) -> None:
    """The store decodes what it signs with `rawurldecode`: only a query written with %20 has the same signature."""
    from adapters.magento.harness import settings

    async with HttpClient(transport(settings(store)), clock=now) as client:
        path = queries.search("/orders", queries.changed_after("2026-01-16 12:00:00", 0), (), 5)
        good = await client.send(Request(method="GET", path=path, operation="GET /orders"))
        assert good.status == 200
        with pytest.raises(Interrupted, match="refused the credentials"):
            await client.send(Request(method="GET", path=path.replace("%20", "+"), operation="GET /orders"))
