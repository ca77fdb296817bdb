"""Notifications: whose they are, how subscriptions are made and kept, and what is fetched."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from litestar import Request, Response, post
from litestar.types import ControllerRouterHandler

from adapters.business_central.harness import CLIENT_STATE, HARNESS, ITEM, notification, settings, sign, simulator
from adapters.business_central.settings import Settings
from adapters.business_central.simulator import COMPANY, BusinessCentralSimulator
from adapters.business_central.stock import fetch, keep_subscriptions, pull_stock
from adapters.business_central.tests.conftest import Shop
from adapters.business_central.translate import stock_facts
from adapters.business_central.webhook import TOPIC, check
from hub.mapping.tables import CodeTables
from hub.sdk.outcomes import Interrupted, NeedsPerson
from hub.sdk.testkit.simulator import Simulator
from hub.sdk.translate import Malformed
from hub.sdk.webhook import Delivery, Handshake, Refuse, Store

AT = datetime(2026, 1, 16, 12, tzinfo=UTC)
KNOWN = settings(simulator())


def delivery(*notifications: dict[str, Any], **query: str) -> Delivery:
    body = msgspec.json.encode({"value": notifications})
    return msgspec.structs.replace(sign(KNOWN, topic=TOPIC, body=body, event="x", at=AT), query=query)


def test_who_shows_the_secret_is_believed() -> None:
    verdict = check(delivery(notification(ITEM), notification(ITEM, "deleted")), KNOWN)
    assert isinstance(verdict, Store)
    assert verdict.topic == TOPIC
    older = notification(ITEM) | {"clientState": "client-state-older-1"}
    assert isinstance(check(delivery(older), KNOWN), Store)


@pytest.mark.parametrize("state", ["", "client-state-5ab0e3", CLIENT_STATE[:-1]])
def test_who_does_not_is_refused_even_beside_one_who_does(state: str) -> None:
    forged = notification(ITEM) | {"clientState": state}
    assert isinstance(check(delivery(notification(ITEM), forged), KNOWN), Refuse)


def test_an_empty_secret_is_a_closed_door() -> None:
    closed = msgspec.structs.replace(KNOWN, webhook_secret="", previous_webhook_secret=None)
    assert isinstance(check(delivery(notification(ITEM) | {"clientState": ""}), closed), Refuse)
    assert isinstance(check(delivery(), KNOWN), Refuse)


def test_a_token_is_said_back_as_text_and_nothing_else_is() -> None:
    verdict = check(delivery(validationToken="abc-123"), KNOWN)
    assert isinstance(verdict, Handshake)
    assert (verdict.reply.status, verdict.reply.body, verdict.reply.content_type) == (200, b"abc-123", "text/plain")
    for bad in ("", "x" * 501, "line\nbreak"):
        assert isinstance(check(delivery(validationToken=bad), KNOWN), Refuse)


class Hub(Simulator):
    """An address that answers as ours does."""

    def __init__(self, known: Settings) -> None:
        super().__init__()
        self.known = known
        self.verdicts: list[object] = []

    def routes(self) -> Sequence[ControllerRouterHandler]:
        @post("/webhooks")
        async def webhooks(request: Request[Any, Any, Any]) -> Response[bytes]:
            came = Delivery(
                method="POST",
                url=str(request.url),
                headers={},
                query=dict(request.query_params),
                body=await request.body(),
                received_at=AT,
            )
            verdict = check(came, self.known)
            self.verdicts.append(verdict)
            if isinstance(verdict, Handshake):
                return Response(verdict.reply.body, status_code=200, media_type="text/plain")
            return Response(b"", status_code=verdict.status if isinstance(verdict, Refuse) else 200)

        return [webhooks]


async def test_a_subscription_is_made_once_renewed_before_it_ends_and_delivers(shop: Shop) -> None:
    async with Hub(shop.settings) as hub, shop.bench.context() as context:
        shop.set(webhook_url=f"{hub.base_url}/webhooks")
        clock = [context.now()]
        ours = msgspec.structs.replace(context, settings=shop.settings, now=lambda: clock[0])
        shop.simulator.now = lambda: clock[0]

        async def look() -> None:
            assert [page.items async for page in keep_subscriptions(ours, None)] == [()]

        await look()
        await look()
        (one,) = shop.simulator.subscriptions.values()
        assert (one["resource"], one["clientState"]) == (f"/api/v2.0/companies({COMPANY})/items", CLIENT_STATE)
        made = one["expirationDateTime"]
        clock[0] += timedelta(hours=36)
        await look()
        (one,) = shop.simulator.subscriptions.values()
        assert one["expirationDateTime"] > made
        # A moment that names no offset is UTC, and ends no look.
        one["expirationDateTime"] = one["expirationDateTime"][:19]
        await look()
        shop.simulator.notify(one["notificationUrl"], [notification(ITEM)])
        await shop.simulator.delivered()
        assert [type(verdict) for verdict in hub.verdicts] == [Handshake, Handshake, Store]


async def test_an_address_that_does_not_answer_is_told_with_the_reason(shop: Shop) -> None:
    async with Hub(shop.settings) as hub, shop.bench.context() as context:
        lost = msgspec.structs.replace(shop.settings, webhook_url=f"{hub.base_url}/elsewhere")
        with pytest.raises(Interrupted) as caught:
            async for _ in keep_subscriptions(msgspec.structs.replace(context, settings=lost), None):
                pass
    assert isinstance(caught.value.outcome, NeedsPerson)
    assert "validation token" in caught.value.outcome.reason


async def brought(shop: Shop, *notifications: dict[str, Any]) -> dict[str, int | None]:
    async with shop.bench.context() as context:
        body = msgspec.json.encode({"value": notifications})
        pulled = await fetch(context, TOPIC, "items", body)
    tables = CodeTables({})
    lines = [line for one in pulled for fact in stock_facts(one.body, tables) for line in fact.lines]  # type: ignore[union-attr]
    return {line.sku: line.on_hand for line in lines}


async def test_items_that_were_named_are_read_and_others_are_not(shop: Shop) -> None:
    mug, tee = shop.books.items.values()
    tee["inventory"] = Decimal(3)
    assert await brought(shop, notification(tee["id"]), notification(mug["id"], "deleted")) == {"TEE-M": 3}
    capitals = notification(tee["id"]) | {"resource": f"api/v2.0/companies({COMPANY.upper()})/items({tee['id']})"}
    assert COMPANY.upper() != COMPANY
    assert await brought(shop, capitals) == {"TEE-M": 3}
    customer = notification("x") | {"resource": f"api/v2.0/companies({COMPANY})/customers(x)"}
    elsewhere = notification(mug["id"]) | {"resource": f"api/v2.0/companies({ITEM})/items({mug['id']})"}
    assert await brought(shop, customer, elsewhere) == {}
    many = {"resource": f"/api/v2.0/companies({COMPANY})/items?$filter=lastModifiedDateTime%20gt%202020-01-01"}
    assert await brought(shop, notification("") | many | {"changeType": "collection"}) == {"MUG-RED": 100, "TEE-M": 3}


async def test_a_part_of_a_unit_is_not_rounded(shop: Shop) -> None:
    mug, _ = shop.books.items.values()
    mug["inventory"] = Decimal("2.5")
    with pytest.raises(Malformed, match="MUG-RED"):
        await brought(shop, notification(mug["id"]))


async def test_no_stock_master_no_stock(shop: Shop) -> None:
    async with shop.bench.context() as context:
        silent = msgspec.structs.replace(shop.settings, stock_location=None)
        pages = [page.items async for page in pull_stock(msgspec.structs.replace(context, settings=silent), None)]
    assert pages == [()]
    assert isinstance(shop.simulator, BusinessCentralSimulator)
    assert HARNESS.adapter.pulls["stock"].every_seconds == 900
