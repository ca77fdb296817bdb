"""Every sample that the vendor published: read for what it says, or refused by name. A new one must be put in one."""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.magento import answers, schemas
from adapters.magento.availability import source_items
from adapters.magento.captures import Billing, invoice_request
from adapters.magento.harness import settings, simulator
from adapters.magento.refunds import Memo, memo_request
from adapters.magento.shipments import Plan, ship_request
from adapters.magento.simulator import MagentoSimulator
from adapters.magento.tests.conftest import encoded
from adapters.magento.tests.requests import confirmation, level
from adapters.magento.tests.test_payments import capture, refund
from adapters.magento.translate import payment_rows
from hub.domain.order import Method
from hub.domain.shipping import Parcel
from hub.mapping.compile import Mapping
from hub.sdk.capabilities import Context
from hub.sdk.translate import Malformed
from hub.sdk.wire import Request

Load = Callable[[str], Any]

READ = (
    "orders/orders-list-simple-complete.json",
    "orders/order-bundle-configurable.ELIDED.txt",
    "orders/invoice.response.json",
    "orders/ship-bundle-configurable-with-track.request.json",
    "orders/ship-partial-source-ne.request.json",
    "orders/refund-partial-return-to-stock.request.json",
    "orders/invoice-capture.request.json",
    "msi/source-get.response.json",
    "msi/sources-search.response.json",
    "msi/source-items-search.response.json",
    "msi/source-items-save.request.json",
    "msi/source-items-save-many.request.json",
    "catalog/bundle-product.response.json",
    "quote/shipping-information-totals.response.json",
)
"""By a test of their own, below."""

REFUSED = {
    # As an order, by what is missing.
    "orders/accs-order-chain-invoice.request.json": "external_id",
    "orders/notify-ready-for-pickup.request.json": "external_id",
    "orders/notify-ready-for-pickup.response.json": "external_id",
    "bulk/async.response.json": "external_id",
    "bulk/bulk.response.json": "external_id",
    "bulk/status.response.json": "external_id",
    "customers/customer.response.json": "external_id",
    "events/backoffice-shipment-created.json": "external_id",
    "events/catalog_product_save_after.json": "external_id",
    "msi/bulk-source-assign.request.json": "external_id",
    "msi/bulk-source-transfer.request.json": "external_id",
    "msi/is-product-salable-for-requested-qty.response.json": "external_id",
    "msi/low-quantity-notification.request.json": "external_id",
    "msi/pickup-locations.response.json": "external_id",
    "msi/source-create.request.json": "external_id",
    "msi/source-items-delete.request.json": "external_id",
    "msi/source-selection-priority.request.json": "external_id",
    "msi/source-selection-priority.response.json": "external_id",
    "msi/ssa-71-items.request.json": "external_id",
    "msi/stock-create.request.json": "external_id",
    "msi/stock-get.response.json": "external_id",
    "msi/stock-resolver.response.json": "external_id",
    "msi/stock-source-links.request.json": "external_id",
    "quote/add-bundle.request.json": "external_id",
    # A list, or no JSON at all.
    "bulk/bulk-customers.request.json": "document",
    "catalog/bundle-options.response.json": "document",
    "msi/are-products-salable.response.json": "document",
    "msi/source-selection-algorithms.response.json": "document",
    "quote/estimate-shipping.response.json": "document",
}
"""Documents of calls that we do not make: none of them is taken for an order."""


@pytest.fixture
def folder(contracts: Path) -> Path:
    return contracts / "samples"


@pytest.fixture
def load(folder: Path) -> Load:
    def read(name: str) -> Any:
        return msgspec.json.decode((folder / name).read_bytes())

    return read


def test_no_sample_is_left_out(folder: Path) -> None:
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {*READ, *REFUSED}


@pytest.mark.parametrize(("name", "field"), REFUSED.items())
def test_what_is_no_order_is_refused_by_name(name: str, field: str, folder: Path, mapping: Mapping) -> None:
    with pytest.raises(Malformed) as refused:
        mapping((folder / name).read_bytes())
    assert refused.value.field == field


def test_the_real_order_reconciles(folder: Path, mapping: Mapping) -> None:
    (raw,) = msgspec.json.decode(
        (folder / "orders/orders-list-simple-complete.json").read_bytes(), type=list[msgspec.Raw]
    )
    snapshot = mapping(bytes(raw))
    content = snapshot.content
    assert snapshot.problems == ()
    assert (content.external_id, content.number, content.currency) == ("1", "000000001", "USD")
    assert (content.amounts.shop.subtotal, content.amounts.shop.shipping, content.amounts.shop.total) == (
        3400,
        500,
        3900,
    )
    assert (content.amounts.stated_total, content.amounts.difference) == (3900, 0)
    (line,) = content.lines
    assert (line.external_id, line.sku, line.variant, line.quantity) == ("1", "Hat", "1", 1)
    assert (line.subtotal, line.fulfilled_elsewhere, line.unit_price) == (3400, 1, Decimal(34))
    (group,) = content.groups
    assert (group.method, group.service) == (Method.SHIP, "flatrate_flatrate")
    assert (snapshot.contacts["ship"].name, snapshot.contacts["ship"].region) == ("हल्की वर्षा", "CO")
    assert content.financial_status == "paid"
    assert [(row.method, row.amount, row.status) for row in content.payments] == [("checkmo", 3900, "done")]
    assert content.placed_at.isoformat() == "2024-09-25T05:23:40+00:00"


def test_the_elided_order_is_refused_and_read_once_it_is_whole(folder: Path, mapping: Mapping) -> None:
    """The documentation leaves items out with "..."; the invoice of the same order has them all."""
    text = (folder / "orders/order-bundle-configurable.ELIDED.txt").read_text("utf-8")
    with pytest.raises(Malformed, match="no JSON"):
        mapping(text.encode())
    order = msgspec.json.decode(re.sub(r",\s*\.\.\.", "", text))
    invoice = msgspec.json.decode((folder / "orders/invoice.response.json").read_bytes())
    order["items"] = [_item(line) for line in invoice["items"]]
    order["invoices"] = [invoice]
    snapshot = mapping(encoded(order))
    content = snapshot.content
    assert {problem.value for problem in snapshot.problems} == {"new_banktransfer"}
    assert content.amounts.difference == 0
    assert content.amounts.shop.total == 16500
    assert [(line.external_id, line.sku, line.subtotal) for line in content.lines] == [
        ("3", "WS12-M-Orange", 2200),
        ("4", "240-LV08", 1800),
        ("6", "24-WG082-blue", 2700),
        ("7", "24-WG084", 500),
        ("8", "24-WG086", 1700),
        ("9", "24-WG088", 1900),
        ("10", "MH01-S-Gray", 5200),
    ]
    (payment,) = content.payments
    assert (payment.external_id, payment.kind, payment.amount) == ("invoice:3", "capture", 16500)


PARENTS = {6: 5, 7: 5, 8: 5, 9: 5, 11: 10}
KINDS = {5: "bundle", 10: "configurable"}


def _item(line: dict[str, Any]) -> dict[str, Any]:
    """The order's item behind a line of its invoice; the tutorial says which products are what."""
    item = line["order_item_id"]
    parent = {"parent_item_id": PARENTS[item]} if item in PARENTS else {}
    kind = KINDS.get(item, "simple")
    return {**line, "item_id": item, "product_type": kind, "qty_ordered": line["qty"], **parent}


def test_the_invoice_is_a_capture(load: Load) -> None:
    invoice = load("orders/invoice.response.json")
    (row,) = payment_rows(3, {"method": "banktransfer"}, [invoice], None, None, "USD", None, 165)
    assert (row["id"], row["amount"], row["state"], row["at"]) == (
        "invoice:3",
        165,
        "invoice_2",
        "2017-08-21T22:36:02Z",
    )
    read = msgspec.convert(invoice, schemas.Invoice)
    assert (read.entity_id, read.order_id, read.state, read.base_grand_total) == (3, 3, 2, Decimal(165))


def test_our_shipment_says_all_that_theirs_does(load: Load) -> None:
    books = simulator()
    order = books.place_order([("MUG-RED", 1)])
    parcel = Parcel(tracking="1Y-9876543210", carrier="ups")
    plain = load("orders/ship-bundle-configurable-with-track.request.json")
    units = {line["order_item_id"]: line["qty"] for line in plain["items"]}
    given = settings(books)
    ours = ship_request(Plan(units), confirmation(order, {}, parcels=(parcel,), location=None), given)
    assert ours["items"] == plain["items"]
    assert ours["notify"] == plain["notify"]
    (track,) = plain["tracks"]
    assert ours["tracks"] == [track | {"title": "ups"}]
    assert "arguments" not in ours
    sourced = load("orders/ship-partial-source-ne.request.json")
    units = {line["order_item_id"]: line["qty"] for line in sourced["items"]}
    ours = ship_request(Plan(units), confirmation(order, {}, location="ne_wh"), given)
    assert ours["items"] == sourced["items"]
    assert ours["arguments"] == sourced["arguments"]


def test_our_credit_memo_says_all_that_theirs_does(load: Load) -> None:
    order = simulator().place_order([("MUG-RED", 1)])
    theirs = load("orders/refund-partial-return-to-stock.request.json")
    memo = Memo(invoice=None, items=((3, 1),), shipping=Decimal(0), adjustment=Decimal(0), back=(3,))
    ours = memo_request(memo, refund(order, 100), online=False)
    assert {name: ours[name] for name in theirs} == theirs


def test_our_invoice_captures_as_theirs_does(load: Load) -> None:
    order = simulator().place_order([("MUG-RED", 1)])
    theirs = load("orders/invoice-capture.request.json")
    ours = invoice_request(Billing(), capture(order, 100))
    # The customer hears of the shipment, not of the invoice as well.
    assert {name: ours[name] for name in theirs} == theirs | {"notify": False}
    assert "items" not in ours


async def test_the_simulator_takes_the_published_requests(
    load: Load, store: MagentoSimulator, context: Context[Any]
) -> None:
    """Whoever follows the documentation is served."""
    for code in ("central", "east", "ne_wh", "brooklyn", "huntington", "manhattan", "west_wh", "berkeley", "sausalito"):
        store.sources[code] = next(iter(store.sources.values()))
    store.sources |= {row["source_code"]: store.sources["east"] for row in _rows(load)}
    store.entity_limit = 100
    for name in ("msi/source-items-save.request.json", "msi/source-items-save-many.request.json"):
        body = load(name)
        request = Request(method="POST", path="/inventory/source-items", operation="x", body=encoded(body), write=True)
        assert (await context.client.send(request)).body == b"[]"
        for row in body["sourceItems"]:
            assert store.source_items[row["sku"], row["source_code"]] == row["quantity"]
            assert store.in_stock[row["sku"], row["source_code"]] == bool(row["status"])
    order = store.place_order([("MUG-RED", 2)], payment_method="cardgateway")
    capturing = encoded(load("orders/invoice-capture.request.json"))
    path = f"/order/{order.id}/invoice"
    answer = await context.client.send(Request(method="POST", path=path, operation="x", body=capturing, write=True))
    assert order.invoices[0].id == answers.ID.decode(answer.body)
    assert order.invoices[0].captured


def _rows(load: Load) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = load("msi/source-items-save-many.request.json")["sourceItems"]
    return rows


def test_our_levels_are_written_like_theirs(load: Load) -> None:
    theirs = load("msi/source-items-save.request.json")["sourceItems"]
    levels = [level(row["sku"], row["quantity"], source=row["source_code"]) for row in theirs]
    assert source_items(levels, settings(simulator())) == theirs


def test_sources_and_source_items_are_read(load: Load) -> None:
    listed = msgspec.convert(load("msi/sources-search.response.json"), schemas.Listed[schemas.Source])
    assert [one.source_code for one in listed.items or ()][:2] == ["central", "default"]
    assert all(one.enabled for one in listed.items or ())
    single = msgspec.convert(load("msi/source-get.response.json"), schemas.Source)
    assert (single.source_code, single.name) == ("central", "Central Shipping Center")
    held = msgspec.convert(load("msi/source-items-search.response.json"), schemas.Listed[schemas.SourceItem])
    assert [(one.source_code, one.quantity, one.status) for one in held.items or ()] == [
        ("central", Decimal(500), 1),
        ("east", Decimal(250), 1),
    ]


def test_a_bundle_says_how_it_ships(load: Load) -> None:
    product = msgspec.convert(load("catalog/bundle-product.response.json"), schemas.Product)
    assert (product.id, product.type_id) == (25, "bundle")
    assert {str(one.value) for one in product.custom_attributes if one.attribute_code == "shipment_type"} == {"0"}


def test_the_totals_of_a_quote_are_reckoned_as_ours(load: Load, mapping: Mapping) -> None:
    """No order, but real sums with a discount: put as an order's, they reconcile."""
    totals = load("quote/shipping-information-totals.response.json")["totals"]
    with pytest.raises(Malformed):
        mapping(encoded(totals))
    lines = [{**line, "sku": line["name"], "qty_ordered": line["qty"]} for line in totals["items"]]
    order = {**totals, "entity_id": 7, "state": "processing", "items": lines}
    order |= {"order_currency_code": "USD", "updated_at": "2026-01-16 12:00:00", "is_virtual": 0}
    content = mapping(encoded(order)).content
    assert (content.amounts.shop.subtotal, content.amounts.shop.discount) == (202200, 40440)
    assert (content.amounts.shop.total, content.amounts.difference) == (191760, 0)
    assert [line.discount for line in content.lines] == [14400, 25600, 440]
