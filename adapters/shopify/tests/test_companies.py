"""Orders of companies: what webhook and pull both say of them."""

from pathlib import Path

import msgspec
import pytest

from adapters.shopify import translate
from adapters.shopify.client import probe, pull_orders
from adapters.shopify.fetches import fetch
from adapters.shopify.settings import Settings
from adapters.shopify.simulator import ShopifySimulator
from hub.domain.order import OrderContent
from hub.mapping.compile import compile_mapping
from hub.mapping.tables import CodeTables, load_tables
from hub.sdk.capabilities import Context, Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson
from tests.unit.mapping.shopify_orders import order_bytes, shopify_order

MAPPINGS = Path(__file__).resolve().parents[3] / "mappings" / "shopify"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"po_number": "PO 4711", "tax_exempt": True}, ("PO 4711", True)),
        ({"po_number": None, "tax_exempt": False}, (None, False)),
    ],
)
def test_a_purchase_order_number_and_a_tax_exemption_are_taken_over(
    said: dict[str, object], expected: tuple[str | None, bool]
) -> None:
    tables = CodeTables(load_tables((MAPPINGS / "tables.toml").read_text()))
    mapping = compile_mapping((MAPPINGS / "order.toml").read_text(), translate.FUNCTIONS, tables)
    content: OrderContent = mapping(order_bytes(shopify_order(1, lines=2) | said)).content
    assert (content.purchase_order, content.tax_exempt) == expected
    assert not content.on_account


Business = tuple[str | None, str | None, str | None, int | None, bool]


def business(body: bytes) -> Business:
    """What an order says of who buys, and how it is paid."""
    tables = CodeTables(load_tables((MAPPINGS / "tables.toml").read_text()))
    mapping = compile_mapping((MAPPINGS / "order.toml").read_text(), translate.FUNCTIONS, tables)
    content: OrderContent = mapping(body).content
    return content.company, content.purchase_order, content.terms, content.terms_days, content.on_account


async def pulled(context: Context[Settings]) -> dict[str | None, Pulled]:
    return {item.object: item async for page in pull_orders(context, None) for item in page.items}


async def test_an_order_that_is_pulled_says_the_company_as_a_webhook_does(
    shop: ShopifySimulator, context: Context[Settings]
) -> None:
    shop.sell("MUG", available=99)
    ours = shop.place_order([("MUG", 1)])
    ours.company, ours.terms_days, ours.po_number = 4711, 30, "PO 9"
    person = shop.place_order([("MUG", 1)])
    plain = await pulled(context)
    assert business(plain[f"order:{ours.id}"].body)[:3] == (None, "PO 9", None), "not asked for"

    knowing = msgspec.structs.replace(context, settings=msgspec.structs.replace(context.settings, companies=True))
    told = await pulled(knowing)
    for order in (ours, person):
        hooked = business(shop.body(order, "orders/updated"))
        assert business(told[f"order:{order.id}"].body) == hooked
        fetched = await fetch(knowing, "orders/edited", f"order:{order.id}", b"{}")
        assert isinstance(fetched, Pulled)
        assert business(fetched.body) == hooked
    assert business(told[f"order:{ours.id}"].body)[:4] == ("4711", "PO 9", "Net 30", 30)
    assert shop.operations["CrossdockPurchasers"] == 3, "one for the page, one for each fetch"


async def test_an_app_that_may_not_see_terms_is_told_so(shop: ShopifySimulator, context: Context[Settings]) -> None:
    shop.sell("MUG", available=9)
    shop.place_order([("MUG", 1)])
    shop.scopes -= {"read_payment_terms"}
    assert "scope read_payment_terms" not in {check.name for check in (await probe(context)).checks}
    knowing = msgspec.structs.replace(context, settings=msgspec.structs.replace(context.settings, companies=True))
    failed = {check.name for check in (await probe(knowing)).checks if not check.ok}
    assert failed == {"scope read_payment_terms"}
    with pytest.raises(Interrupted) as caught:
        await pulled(knowing)
    assert isinstance(caught.value.outcome, NeedsPerson)
    assert "read_payment_terms" in caught.value.outcome.reason
