"""Fetching, pulling, cancelling and the connection test, against the simulated shop over HTTP."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from adapters.shopify import cancels
from adapters.shopify.adapter import ADAPTER
from adapters.shopify.cancels import cancel_order
from adapters.shopify.client import probe, pull_orders
from adapters.shopify.fetches import fetch
from adapters.shopify.settings import Settings
from adapters.shopify.simulator import ShopifySimulator
from adapters.shopify.simulator_bodies import order_body
from adapters.shopify.simulator_books import ShopLocation, ShopMoved, ShopOrder, placed
from hub.domain.order import NOT_HELD, OrderContent, OrderSnapshot
from hub.domain.payment import PaymentKind
from hub.mapping.compile import compile_mapping
from hub.mapping.tables import CodeTables, load_tables
from hub.sdk.capabilities import ChannelCancel, Context, Page, Pulled
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Refused, RetryLater, Uncertain

MAPPINGS = Path(__file__).parents[3] / "mappings" / "shopify"


def read(body: bytes) -> OrderSnapshot:
    tables = CodeTables(load_tables((MAPPINGS / "tables.toml").read_text("utf-8")))
    return compile_mapping((MAPPINGS / "order.toml").read_text("utf-8"), ADAPTER.functions, tables)(body)


def without_holds(snapshot: OrderSnapshot) -> OrderContent:
    """What a webhook says, too; of holds only a read says that there are none."""
    assert snapshot.content.held == NOT_HELD
    return msgspec.structs.replace(snapshot.content, held=None)


def eventful(shop: ShopifySimulator) -> ShopOrder:
    """Discounted, taxed, part refunded, part shipped, corrected."""
    order = shop.place_order([("MUG-RED", 3), ("TEE-M", 2)], discount=Decimal("7.77"), tags=("vip", "gift"))
    shop.refund_order(order.id, {order.lines[1].id: 1})
    (one,) = order.fulfilment_orders
    shop.fulfil(one, [(one.lines[0], 2)], numbers=["1Z9"], company="UPS")
    shop.update_order(order.id, note="Ring twice")
    return order


async def pages(context: Context[Settings], cursor: str | None = None) -> list[Page]:
    return [page async for page in pull_orders(context, cursor)]


def ids(found: list[Page]) -> list[str | None]:
    return [item.object for page in found for item in page.items]


# --- one mapping for webhook, fetch and pull -------------------------------------------------------------------------


async def test_fetched_order_means_the_same_as_the_webhook(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = eventful(shop)
    fetched = await fetch(context, "orders/edited", f"order:{order.id}", b"{}")
    hooked, got = read(shop.body(order, "orders/updated")), read(fetched.body)
    assert without_holds(got) == hooked.content
    assert got.contacts == hooked.contacts
    assert got.problems == hooked.problems == ()
    assert got.content.lines[0].quantity == 3
    assert got.content.lines[0].fulfilled_elsewhere == 2
    assert got.content.lines[1].quantity == 1


async def test_till_sale_means_the_same_as_the_webhook(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 1)], at_till=501)
    fetched = await fetch(context, "orders/edited", f"order:{order.id}", b"{}")
    hooked, got = read(shop.body(order, "orders/create")), read(fetched.body)
    assert msgspec.structs.replace(got, content=without_holds(got)) == hooked
    assert got.content.source == "pos"
    assert got.content.lines[0].managed_by == "done"


async def test_a_gift_card_that_paid_a_part_is_read(shop: ShopifySimulator, context: Context[Settings]) -> None:
    """A webhook names two gateways and no sums, so it implies nothing: only the transactions tell who took how much."""
    order = shop.place_order([("MUG-RED", 2)])
    order.gift_card = Decimal("10.00")
    shop.update_order(order.id, note="half by card")
    total = placed(order).total
    assert read(order_body(order, [], shop.shop)).content.payments == ()
    fetched = await fetch(context, "orders/edited", f"order:{order.id}", b"{}")
    assert isinstance(fetched, Pulled)
    card, rest = read(fetched.body).content.payments
    assert (card.method, card.amount, card.kind, card.implied) == ("gift_card", 1000, PaymentKind.SALE, False)
    assert (rest.method, rest.amount, rest.status) == ("shopify_payments", int(total * 100) - 1000, "done")
    assert card.external_id != rest.external_id


async def test_what_one_gateway_took_in_parts_is_left_to_what_a_webhook_implies(
    shop: ShopifySimulator, context: Context[Settings]
) -> None:
    """When all is paid a webhook implies the whole sum: parts told before would be the same money twice."""
    order = shop.place_order([("MUG-RED", 2)], financial="authorized")
    order.moved.append(
        ShopMoved(id=7001, kind="CAPTURE", amount=Decimal("5.00"), created_at=order.created_at, parent=order.id + 21)
    )
    order.financial = "partially_paid"
    fetched = await fetch(context, "orders/edited", f"order:{order.id}", b"{}")
    assert isinstance(fetched, Pulled)
    assert read(fetched.body).content.payments == ()


async def test_fetch_says_what_it_brought(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = eventful(shop)
    fetched = await fetch(context, "refunds/create", f"order:{order.id}", b"{}")
    updated = order.updated_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert isinstance(fetched, Pulled)
    assert (fetched.topic, fetched.object) == ("orders/updated", f"order:{order.id}")
    assert fetched.key.startswith(f"order:{order.id}:{updated}:")
    assert (await fetch(context, "refunds/create", f"order:{order.id}", b"{}")).key == fetched.key


async def test_two_changes_in_one_second_have_two_keys(shop: ShopifySimulator, context: Context[Settings]) -> None:
    shop.ties = True
    shop.now = lambda: datetime(2026, 1, 16, 12, tzinfo=UTC)
    order = shop.place_order([("MUG-RED", 1)])
    first = await fetch(context, "orders/edited", f"order:{order.id}", b"{}")
    shop.update_order(order.id, note="changed at once")
    second = await fetch(context, "orders/edited", f"order:{order.id}", b"{}")
    assert first.key.rpartition(":")[0] == second.key.rpartition(":")[0]
    assert first.key != second.key


async def test_fetch_of_an_order_that_is_hidden(shop: ShopifySimulator, context: Context[Settings]) -> None:
    with pytest.raises(Interrupted) as interrupted:
        await fetch(context, "orders/edited", "order:1", b"{}")
    assert interrupted.value.outcome == NeedsPerson(
        reason="orders/edited: order 1 cannot be read: deleted, or older than 60 days",
        next_step="grant read_all_orders if it should be visible",
    )


async def test_no_line_is_lost(shop: ShopifySimulator, context: Context[Settings]) -> None:
    """130 lines, 125 of them refunded or shipped: every nested list is longer than its first page, and its second."""
    for number in range(130):
        shop.sell(f"SKU-{number}", available=5)
    order = shop.place_order([(f"SKU-{number}", 2) for number in range(130)])
    (one,) = order.fulfilment_orders
    shop.refund_order(order.id, {line.id: 1 for line in order.lines[:125]})
    shop.fulfil(one, [(line, 1) for line in one.lines[:125]], numbers=["1Z9"])
    got = read((await fetch(context, "orders/edited", f"order:{order.id}", b"{}")).body)
    assert without_holds(got) == read(shop.body(order, "orders/updated")).content
    assert len(got.content.lines) == 130
    assert sum(line.fulfilled_elsewhere for line in got.content.lines) == 125
    refunds = msgspec.json.decode((await fetch(context, "", f"order:{order.id}", b"{}")).body)["refunds"]
    assert len(refunds[0]["refund_line_items"]) == 125


# --- pulling ---------------------------------------------------------------------------------------------------------


async def test_pull_brings_every_order_once(shop: ShopifySimulator, context: Context[Settings]) -> None:
    placed = [shop.place_order([("MUG-RED", 1)]).id for _ in range(120)]
    found = await pages(context)
    assert [len(page.items) for page in found] == [50, 50, 20]
    assert sorted(ids(found), key=str) == sorted((f"order:{id}" for id in placed), key=str)


async def test_pull_begins_where_the_connection_does(shop: ShopifySimulator, context: Context[Settings]) -> None:
    shop.now = lambda: datetime.now(UTC) - timedelta(days=30)
    shop.place_order([("MUG-RED", 1)])
    shop.now = lambda: datetime.now(UTC)
    new = shop.place_order([("MUG-RED", 1)])
    assert len(ids(await pages(context))) == 2
    connection = msgspec.structs.replace(context.connection, live_from=datetime.now(UTC) - timedelta(days=1))
    later = msgspec.structs.replace(context, connection=connection)
    assert ids(await pages(later)) == [f"order:{new.id}"]


async def test_pull_goes_on_with_an_overlap(shop: ShopifySimulator, context: Context[Settings]) -> None:
    start = datetime.now(UTC) - timedelta(hours=2)
    shop.now = lambda: start
    old = shop.place_order([("MUG-RED", 1)])
    shop.now = lambda: start + timedelta(minutes=30)
    recent = shop.place_order([("MUG-RED", 1)])
    cursor = (await pages(context))[-1].cursor
    shop.now = lambda: start + timedelta(minutes=31)
    new = shop.place_order([("MUG-RED", 1)])
    found = await pages(context, cursor)
    assert ids(found) == [f"order:{recent.id}", f"order:{new.id}"]
    assert old.id not in ids(found)


async def test_broken_off_scan_goes_on_at_its_next_page(shop: ShopifySimulator, context: Context[Settings]) -> None:
    """Were it to begin again at the overlap, a shop with more orders in five minutes than points would never end."""
    placed = {f"order:{shop.place_order([('MUG-RED', 1)]).id}" for _ in range(120)}
    shop.script.extend([None, "server_error"])
    scan = pull_orders(context, None)
    first = await anext(scan)
    with pytest.raises(Interrupted) as interrupted:
        await anext(scan)
    assert isinstance(interrupted.value.outcome, RetryLater)
    rest = await pages(context, first.cursor)
    assert [len(page.items) for page in rest] == [50, 20]
    assert set(ids([first])) | set(ids(rest)) == placed


async def test_pull_of_an_empty_shop_keeps_its_place(shop: ShopifySimulator, context: Context[Settings]) -> None:
    (page,) = await pages(context)
    assert page.items == ()
    assert msgspec.json.decode(page.cursor)["after"] is None


async def test_ignored_search_term_is_not_trusted(shop: ShopifySimulator, context: Context[Settings]) -> None:
    shop.place_order([("MUG-RED", 1)])
    shop.search_fields.clear()
    with pytest.raises(Interrupted, match="Invalid search field") as interrupted:
        await pages(context)
    assert isinstance(interrupted.value.outcome, NeedsPerson)


# --- cancelling ------------------------------------------------------------------------------------------------------


def cancel(order: ShopOrder, reason: str = "fraud") -> ChannelCancel:
    return ChannelCancel(key="01KF0X5B3GCDEFGHJKMN-cancel-1", order_external_id=str(order.id), reason=reason)


async def test_cancel(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 2)])
    assert await cancel_order(context, cancel(order)) == Done(reference=str(order.id))
    assert order.cancelled_at is not None
    assert (order.cancel_reason, shop.available("MUG-RED")) == ("fraud", 9)
    assert await cancel_order(context, cancel(order)) == Done(reference=str(order.id), found=True)


async def test_cancel_too_late(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 2)])
    (one,) = order.fulfilment_orders
    shop.fulfil(one, [(one.lines[0], 1)])
    assert await cancel_order(context, cancel(order, "changed our mind")) == Refused(
        reason="order #1001: Shopify does not cancel it: Cannot cancel an order that has outstanding fulfillments"
    )


async def test_cancel_that_takes_a_while(shop: ShopifySimulator, context: Context[Settings]) -> None:
    shop.job_polls = 2
    order = shop.place_order([("MUG-RED", 2)])
    assert await cancel_order(context, cancel(order)) == Done(reference=str(order.id))
    assert shop.operations["CrossdockJob"] == 2


async def test_cancel_that_takes_too_long_is_looked_for(
    shop: ShopifySimulator, context: Context[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancels, "POLL_SECONDS", 0)
    shop.job_polls = 99
    order = shop.place_order([("MUG-RED", 2)])
    assert await cancel_order(context, cancel(order)) == Uncertain(reason="order #1001: Shopify is still cancelling it")
    shop.cancel_order(order.id)
    again = msgspec.structs.replace(cancel(order), look_first=True)
    assert await cancel_order(context, again) == Done(reference=str(order.id), found=True)


async def test_job_that_ends_without_a_cancel(shop: ShopifySimulator, context: Context[Settings]) -> None:
    shop.job_polls = 1
    order = shop.place_order([("MUG-RED", 2)])
    shop.cancel_order = lambda *_, **__: None  # type: ignore[method-assign]
    outcome = await cancel_order(context, cancel(order))
    assert isinstance(outcome, NeedsPerson)
    assert outcome.reason == "order #1001: Shopify finished the cancel, but the order is not cancelled"


# --- the connection test ---------------------------------------------------------------------------------------------


async def test_probe(shop: ShopifySimulator, context: Context[Settings]) -> None:
    found = await probe(context)
    assert found.account == "dune.myshopify.com"
    assert [check.name for check in found.checks if not check.ok] == []
    assert {check.name: check.detail for check in found.checks}["locations"] == "501 Main warehouse"


async def test_probe_names_missing_scopes(shop: ShopifySimulator, context: Context[Settings]) -> None:
    shop.scopes -= {"write_inventory", "write_merchant_managed_fulfillment_orders", "read_all_orders"}
    found = await probe(context)
    failed = {check.name: check.detail for check in found.checks if not check.ok}
    assert set(failed) == {"scope write_inventory", "scope fulfillment_orders"}
    history = next(check for check in found.checks if check.name == "history")
    assert history.detail == "only the last 60 days (read_all_orders)"


async def test_probe_names_the_scope_of_each_kind_of_location(
    shop: ShopifySimulator, context: Context[Settings]
) -> None:
    """A scope for locations of the merchant shows nothing of a fulfilment service's, and the other way round."""
    shop.scopes -= {"write_merchant_managed_fulfillment_orders"}
    checks = {check.name: check for check in (await probe(context)).checks}
    assert not checks["scope fulfillment_orders"].ok
    assert "missing write_merchant_managed_fulfillment_orders" in checks["scope fulfillment_orders"].detail
    shop.scopes |= {"write_merchant_managed_fulfillment_orders"}
    shop.scopes -= {"write_assigned_fulfillment_orders", "write_third_party_fulfillment_orders"}
    assert all(check.ok for check in (await probe(context)).checks)
    shop.locations[900] = ShopLocation(id=900, name="A 3PL", service=True)
    checks = {check.name: check for check in (await probe(context)).checks}
    assert "write_assigned_fulfillment_orders or" in checks["scope fulfillment_orders"].detail


async def test_probe_of_another_shop(shop: ShopifySimulator, context: Context[Settings]) -> None:
    settings = msgspec.structs.replace(context.settings, shop="arrakis.myshopify.com")
    found = await probe(msgspec.structs.replace(context, settings=settings))
    assert found.account == "dune.myshopify.com"
    assert [check.name for check in found.checks if not check.ok] == ["shop"]
