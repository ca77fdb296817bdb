"""Old orders in bulk: the export's rules, its pieces, what it cannot say, and where it goes on."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial

import msgspec
import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)

from adapters.shopify import history
from adapters.shopify.client import pull_orders
from adapters.shopify.documents_bulk import history as query
from adapters.shopify.history import pull_history, trusted
from adapters.shopify.jsonl import Broken, groups, whole
from adapters.shopify.settings import Settings
from adapters.shopify.simulator import ShopifySimulator
from adapters.shopify.simulator_books import ShopOrder
from adapters.shopify.simulator_bulk import look
from hub.sdk.capabilities import Context, Page
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater
from hub.sdk.wire import Request, Response

SINCE = date(2026, 1, 1)


@pytest.fixture
def old(context: Context[Settings]) -> Context[Settings]:
    """A connection that wants history."""
    return msgspec.structs.replace(context, settings=msgspec.structs.replace(context.settings, history_from=SINCE))


async def pages(context: Context[Settings], cursor: str | None = None) -> list[Page]:
    return [page async for page in pull_history(context, cursor)]


async def into(found: list[Page], context: Context[Settings], cursor: str | None) -> None:
    """Pages, as far as they come."""
    async for page in pull_history(context, cursor):
        found.append(page)


def items(found: list[Page]) -> dict[str, bytes]:
    """Bodies by key."""
    brought = [item for page in found for item in page.items]
    assert len({item.key for item in brought}) == len(brought)
    return {item.key: item.body for item in brought}


def past(shop: ShopifySimulator, orders: int) -> list[ShopOrder]:
    """Orders of every kind: untouched, gone in one, gone in parts, refunded, corrected, over the till."""
    made = []
    for number in range(orders):
        order = shop.place_order([("MUG-RED", 3), ("TEE-M", 2)], discount=Decimal("7.77"))
        (one,) = order.fulfilment_orders
        match number % 5:
            case 1:
                shop.fulfil(one, [(line, line.remaining) for line in one.lines], numbers=["1Z9"], company="UPS")
            case 2:
                shop.fulfil(one, [(one.lines[0], 2)], numbers=["1Z8"])
            case 3:
                shop.refund_order(order.id, {order.lines[1].id: 1})
            case 4:
                shop.edit_order(order.id, {"TEE-M": 1})
        made.append(order)
    made.append(shop.place_order([("MUG-RED", 1)], at_till=501))
    return made


async def test_what_is_exported_is_what_a_pull_brings(
    shop: ShopifySimulator, old: Context[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same keys and bytes, so an order that is here already is not taken twice."""
    monkeypatch.setattr(history, "PIECE", 34_000)
    past(shop, 20)
    exported = items(await pages(old))
    assert shop.operations["CrossdockOrders"] == 5, "what the export cannot say, one call a piece"
    read = {item.key: item.body async for page in pull_orders(old, None) for item in page.items}
    assert exported == read
    assert len(exported) == 21


async def test_nothing_is_asked_without_history_from_or_when_all_is_here(
    shop: ShopifySimulator, old: Context[Settings]
) -> None:
    never = msgspec.structs.replace(old.settings, history_from=None)
    assert await pages(msgspec.structs.replace(old, settings=never)) == []
    past(shop, 3)
    found = await pages(old)
    shop.operations.clear()
    assert await pages(old, found[-1].cursor) == []
    assert shop.operations.total() == 0
    earlier = msgspec.structs.replace(old.settings, history_from=date(2025, 12, 1))
    again = await pages(msgspec.structs.replace(old, settings=earlier), found[-1].cursor)
    assert len(items(again)) == 4
    assert len(shop.exports) == 2


async def test_an_export_that_runs_is_looked_at_again(shop: ShopifySimulator, old: Context[Settings]) -> None:
    shop.job_polls = 2
    past(shop, 2)
    first = await pages(old)
    assert [page.items for page in first] == [()]
    assert await pages(old, first[-1].cursor) == []
    assert len(items(await pages(old, first[-1].cursor))) == 3
    assert len(shop.exports) == 1


async def test_an_export_whose_answer_was_lost_is_found_and_not_asked_for_twice(
    shop: ShopifySimulator, old: Context[Settings]
) -> None:
    past(shop, 2)
    shop.script.extend([None, None, "lost_reply"])
    with pytest.raises(Interrupted) as interrupted:
        await pages(old)
    assert isinstance(interrupted.value.outcome, RetryLater)
    assert len(shop.exports) == 1
    assert len(items(await pages(old))) == 3
    assert len(shop.exports) == 1


async def test_a_reading_that_broke_off_goes_on_where_it_was(
    shop: ShopifySimulator, old: Context[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PIECE", 8_000)
    past(shop, 15)
    before: list[Page] = []
    shop.script.extend([None] * 8 + ["lost_reply"])
    with pytest.raises(Interrupted):
        await into(before, old, None)
    after = await pages(old, before[-1].cursor)
    assert 0 < len(items(before)) < 16
    assert len(items(before + after)) == 16


async def test_an_export_that_failed_is_asked_for_anew(shop: ShopifySimulator, old: Context[Settings]) -> None:
    shop.job_polls = 1
    past(shop, 1)
    first = await pages(old)
    (made,) = shop.exports.values()
    made.status, made.error_code = "FAILED", "TIMEOUT"
    told: list[Page] = []
    with pytest.raises(Interrupted) as interrupted:
        await into(told, old, first[-1].cursor)
    assert interrupted.value.outcome == RetryLater(
        reason="history: the export ended as FAILED (TIMEOUT); it is asked for anew"
    )
    shop.job_polls = 0
    assert len(items(await pages(old, told[-1].cursor))) == 2


async def test_exports_that_fail_in_a_row_become_a_persons(shop: ShopifySimulator, old: Context[Settings]) -> None:
    shop.job_polls = 1
    past(shop, 1)
    cursor, outcomes = None, []
    for _ in range(history.MOST_FAILURES):
        cursor = (await pages(old, cursor))[-1].cursor
        made = list(shop.exports.values())[-1]
        made.status, made.error_code = "FAILED", "TIMEOUT"
        told: list[Page] = []
        with pytest.raises(Interrupted) as interrupted:
            await into(told, old, cursor)
        cursor = told[-1].cursor
        outcomes.append(interrupted.value.outcome)
    assert [type(one) for one in outcomes] == [RetryLater, RetryLater, NeedsPerson]
    assert "FAILED (TIMEOUT)" in outcomes[-1].reason
    assert "gid://shopify/BulkOperation/" in outcomes[-1].reason
    shop.job_polls = 0
    assert len(items(await pages(old, cursor))) == 2


async def test_an_export_that_is_not_kept_any_more_is_asked_for_anew(
    shop: ShopifySimulator, old: Context[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its address is good for a week. What was not read by then is not taken for read."""
    monkeypatch.setattr(history, "PIECE", 8_000)
    past(shop, 15)
    before: list[Page] = []
    shop.script.extend([None] * 8 + ["lost_reply"])
    with pytest.raises(Interrupted):
        await into(before, old, None)
    (made,) = shop.exports.values()
    kept, made.body = made.body, b""
    told: list[Page] = []
    monkeypatch.setattr(history, "call", partial(_without_address, size=len(kept)))
    with pytest.raises(Interrupted, match="not kept any more"):
        await into(told, old, before[-1].cursor)
    assert msgspec.json.decode(told[-1].cursor or "", type=history.Place).failures == 1
    tired = msgspec.json.encode(
        history.Place(since="2026-01-01", operation="1", failures=history.MOST_FAILURES - 1)
    ).decode()
    since = msgspec.structs.replace(old.settings, history_from=date(2026, 1, 1))
    with pytest.raises(Interrupted) as interrupted:
        await into([], msgspec.structs.replace(old, settings=since), tired)
    assert isinstance(interrupted.value.outcome, NeedsPerson)
    monkeypatch.undo()
    made.created_at -= timedelta(days=8)
    assert len(items(await pages(old, told[-1].cursor))) == 16
    assert len(shop.exports) == 2


async def _without_address(context: Context[Settings], *rest: object, size: int) -> history.Bulk:
    return history.Bulk(id="gid://shopify/BulkOperation/1", status="COMPLETED", url=None, file_size=str(size))


@pytest.mark.parametrize("status", [400, 403, 404, 410])
async def test_an_address_that_has_ended_is_told_from_a_storage_that_is_down(
    old: Context[Settings], status: int
) -> None:
    url = f"{old.settings.base_url}/exports/1.jsonl"
    gone = msgspec.structs.replace(old, client=_Answers(Response(status=status, headers={}, body=b"")))
    assert await history._piece(gone, url, 0, 10) is None
    down = msgspec.structs.replace(old, client=_Answers(Response(status=503, headers={}, body=b"")))
    with pytest.raises(Interrupted):
        await history._piece(down, url, 0, 10)


class _Answers:
    """Answers the same to everything."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer

    async def send(self, request: Request) -> Response:
        return self.answer


async def test_too_many_exports_at_once_wait(shop: ShopifySimulator, old: Context[Settings]) -> None:
    shop.job_polls = 9
    for month in range(2, 7):
        other = msgspec.structs.replace(old.settings, history_from=date(2026, month, 1))
        await pages(msgspec.structs.replace(old, settings=other))
    with pytest.raises(Interrupted) as interrupted:
        await pages(old)
    assert isinstance(interrupted.value.outcome, RetryLater)
    assert "already in progress" in interrupted.value.outcome.reason
    assert interrupted.value.outcome.at is not None


async def test_what_the_app_may_not_see_is_not_left_out_in_silence(
    shop: ShopifySimulator, old: Context[Settings]
) -> None:
    shop.scopes.discard("read_all_orders")
    with pytest.raises(Interrupted) as interrupted:
        await pages(old)
    assert isinstance(interrupted.value.outcome, NeedsPerson)
    assert "last 60 days only" in interrupted.value.outcome.reason
    recent = msgspec.structs.replace(old.settings, history_from=datetime.now(UTC).date() - timedelta(days=3))
    assert items(await pages(msgspec.structs.replace(old, settings=recent))) == {}


async def test_an_order_that_was_deleted_since_is_left_out(shop: ShopifySimulator, old: Context[Settings]) -> None:
    shop.job_polls = 1
    refunded = past(shop, 5)[3]
    first = await pages(old)
    (made,) = shop.exports.values()
    look(shop, {"id": f"gid://shopify/BulkOperation/{made.id}"})
    assert made.status == "COMPLETED"
    del shop.orders[refunded.id]
    found = await pages(old, first[-1].cursor)
    assert len(items(found)) == 5
    assert f"order:{refunded.id}" not in {item.object for page in found for item in page.items}


def line(id: str, parent: str | None = None, kind: str = "LineItem") -> bytes:
    document = {"id": id} if parent is None else {"id": id, "__typename": kind, "__parentId": parent}
    return msgspec.json.encode(document) + b"\n"


def test_a_piece_ends_where_an_order_does() -> None:
    export = line("A") + line("a1", "A") + line("a2", "A", "ShippingLine") + line("B") + line("b1", "B")
    for cut in range(len(export)):
        here, taken = groups(export[:cut], last=False)
        rest, left = groups(export[taken:], last=True)
        assert [group.id for group in here + rest] == ["A", "B"]
        assert taken + left == len(export)
        assert [len(group.lines) for group in here + rest] == [1, 1]


@pytest.mark.parametrize(
    ("export", "why"),
    [
        (line("A") + line("b1", "B"), "a LineItem of B does not stand under it"),
        (line("a1", "A"), "a LineItem of A does not stand under it"),
        (b"<html>\n", "a line is no object"),
        (b'{"name": 1}\n', "an order has no id"),
    ],
)
def test_an_export_that_is_none_says_so(export: bytes, why: str) -> None:
    with pytest.raises(Broken, match=why):
        groups(export, last=True)


def test_an_order_that_lacks_a_field_names_it() -> None:
    (group,), _ = groups(b'{"id":"gid://shopify/Order/1","givenBack":[],"gone":[]}\n', last=True)
    with pytest.raises(Broken, match=r"Order/1: Object missing required field"):
        whole(group)


def test_only_the_storage_is_trusted() -> None:
    settings = Settings(shop="a.myshopify.com", client_secret="s", access_token="t", base_url="http://127.0.0.1:9")
    assert trusted("https://storage.googleapis.com/shopify/out.jsonl?sig=1", settings)
    assert trusted("http://127.0.0.1:9/exports/1.jsonl", settings)
    for url in (
        "http://storage.googleapis.com/a",
        "https://storage.googleapis.com.evil.example/a",
        "http://127.0.0.1:90/a",
    ):
        assert not trusted(url, settings)


def test_the_query_keeps_the_rules_of_bulk_queries() -> None:
    """As recorded refusals state them: edges, five connections, two deep, ids of parents; none inside a list."""
    document = parse(query(SINCE))
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    connections: list[tuple[str, int]] = []

    def walk(selections: SelectionSetNode, depth: int) -> None:
        for node in selections.selections:
            if isinstance(node, FragmentSpreadNode):
                walk(fragments[node.name.value].selection_set, depth)
            elif isinstance(node, InlineFragmentNode):
                walk(node.selection_set, depth)
            elif isinstance(node, FieldNode) and node.selection_set is not None:
                names = {one.name.value for one in node.selection_set.selections if isinstance(one, FieldNode)}
                assert "nodes" not in names
                if "edges" in names:
                    connections.append((node.name.value, depth + 1))
                walk(node.selection_set, depth + ("edges" in names))

    (root,) = (one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    walk(root.selection_set, 0)
    assert connections == [
        ("orders", 1),
        ("shippingLines", 2),
        ("discountApplications", 2),
        ("fulfillmentOrders", 2),
        ("lineItems", 2),
    ]
