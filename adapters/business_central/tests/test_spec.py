"""What we read and write exists at the vendor: its v1.0 OpenAPI and its v2.0 examples, read in place.

Microsoft publishes no description of v2.0 to download; its pages' examples and the v1.0 description say the names.
"""

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from adapters.business_central import simulator_journals
from adapters.business_central.answers import read
from adapters.business_central.items import reported
from adapters.business_central.schemas import (
    WRITTEN,
    CatalogueItem,
    CompanyInformation,
    CreditMemo,
    Customer,
    Item,
    Journal,
    JournalLine,
    LedgerEntry,
    Location,
    Notifications,
    OrderLine,
    PurchaseLine,
    PurchaseOrder,
    Row,
    SalesInvoice,
    SalesOrder,
    Shipment,
    StockItem,
    Subscription,
)
from adapters.business_central.simulator_books import CREATED
from hub.domain.facts import ItemReported

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = ROOT.parent / "shared" / "contracts" / "business-central"
SAMPLES = CONTRACTS / "samples"

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="Microsoft's pages are not beside this repository")

V2_ONLY = {"postingDate"}
"""Of a credit memo, which no example shows; the v2.0 resource page lists it."""
EXPANDED = "purchaseOrderLines"
"""Lines that are asked for with their order, which no example does."""


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    # The C loader reads half a megabyte in a second, the other in ten.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load((CONTRACTS / "BCOAS1.0.yaml").read_text("utf-8"), Loader=loader)
    return found


def documents(pattern: str) -> list[dict[str, Any]]:
    found = []
    for path in sorted(SAMPLES.glob(pattern)):
        text = path.read_text("utf-8")
        # An address has braces, too; a body begins a line with one.
        start = (
            text.find("{", text.find("\n{") if "\n{" in text else len(text))
            if path.suffix == ".http"
            else text.find("{")
        )
        if start >= 0:
            # Some examples have a comma too many or a slash the wrong way round, as examples have.
            text = re.sub(r"\\(?![\"\\/bfnrtu])", "/", text[start:])
            found.append(json.loads(re.sub(r",\s*([}\]])", r"\1", text), strict=False))
    return found


@pytest.mark.parametrize(
    ("entity", "kind"),
    [
        ("salesOrder", SalesOrder),
        ("salesOrderLine", OrderLine),
        ("salesInvoice", SalesInvoice),
        ("salesCreditMemo", CreditMemo),
        ("salesCreditMemoLine", None),
        ("customer", Customer),
        ("item", Item),
        ("salesShipment", Shipment),
        ("purchaseOrder", PurchaseOrder),
        ("purchaseOrderLine", PurchaseLine),
        ("location", Location),
        ("item", CatalogueItem),
        ("item", StockItem),
    ],
)
def test_every_field_is_documented(description: dict[str, Any], entity: str, kind: type[Row] | None) -> None:
    shown = {name for one in documents(f"dynamics_{entity}*") for name in one}
    shown |= {name for one in documents(f"dynamics_{entity.lower()}*") for name in one}
    known = set(description["components"]["schemas"].get(entity, {"properties": {}})["properties"]) | shown
    fields = set() if kind is None else set(kind.__struct_encode_fields__) - {"@odata.etag", EXPANDED}
    assert fields | (set(WRITTEN.get(entity, ())) - V2_ONLY) <= known
    assert shown


@pytest.mark.parametrize(
    ("entity", "kind"),
    [
        ("journal", Journal),
        ("journalLine", JournalLine),
        ("generalLedgerEntry", LedgerEntry),
        ("companyInformation", CompanyInformation),
    ],
)
def test_every_field_of_the_journals_is_described(description: dict[str, Any], entity: str, kind: type[Row]) -> None:
    known = set(description["components"]["schemas"][entity]["properties"])
    assert set(kind.__struct_encode_fields__) | set(WRITTEN.get(entity, ())) <= known
    assert set(WRITTEN.get(entity, ())) == set(simulator_journals.WRITTEN.get(f"{entity}s", ()))


def test_the_simulator_takes_what_is_documented_and_no_more(description: dict[str, Any]) -> None:
    for entity, name in (("customers", "customer"), ("salesOrders", "salesOrder"), ("salesCreditMemos", None)):
        shown = {field for one in documents(f"dynamics_{name or 'salesCreditMemo'}*") for field in one}
        shown |= {field for one in documents(f"dynamics_{(name or 'salesCreditMemo').lower()}*") for field in one}
        known = set(description["components"]["schemas"][name or "salesCreditMemo"]["properties"])
        assert set(CREATED[entity]) - V2_ONLY <= known | shown


def test_the_actions_are_documented(description: dict[str, Any]) -> None:
    base = "/companies({company_id})"
    for action in (
        "salesOrders({salesOrder_id})/Microsoft.NAV.shipAndInvoice",
        "salesCreditMemos({salesCreditMemo_id})/Microsoft.NAV.post",
        "journals({journal_id})/Microsoft.NAV.post",
    ):
        assert "post" in description["paths"][f"{base}/{action}"]


def test_examples_are_read() -> None:
    (invoice,) = documents("dynamics_salesinvoice_get.1.json")
    found = read(SalesInvoice, msgspec.json.encode(invoice), "x")
    assert (found.number, found.status, found.total_amount_including_tax) == (
        "PS-INV103001",
        "Paid",
        Decimal("172.94"),
    )
    (line,) = documents("dynamics_salesOrderLine_create.1.http")
    ordered = read(OrderLine, msgspec.json.encode(line), "x")
    assert (ordered.line_object_number, ordered.left, ordered.unit_price) == ("1996-S", Decimal(12), Decimal("1397.3"))
    (told,) = documents("dynamics_subscriptions_get.1.json")
    assert read(Subscription, msgspec.json.encode(told), "x").notification_url == "https://contoso.com/myCallbacks"
    (item,) = documents("dynamics_item_create.1.http")
    assert read(Item, msgspec.json.encode(item), "x").number == "1896-S"
    assert reported(read(StockItem, msgspec.json.encode(item), "x"), "USD") == ItemReported(
        at=datetime(2020, 8, 21, 0, 24, 19, 347000, tzinfo=UTC),
        sku="1896-S",
        title="ATHENS Desk",
        base_unit="PCS",
        unit_cost={"USD": Decimal("780.7")},
        price={"USD": Decimal("1000.8")},
    )


def test_the_examples_of_purchase_orders_are_read() -> None:
    order = next(one for one in documents("dynamics_purchaseorder_create*"))
    found = read(PurchaseOrder, msgspec.json.encode(order), "x")
    assert (found.number, found.status, found.requested_receipt_date) == ("108001", "Draft", date(2021, 1, 1))
    line = next(one for one in documents("dynamics_purchaseorderline_create*"))
    ordered = read(PurchaseLine, msgspec.json.encode(line), "x")
    assert (ordered.line_object_number, ordered.quantity, ordered.received_quantity) == (
        "1996-S",
        Decimal(12),
        Decimal(0),
    )
    assert (ordered.expected_receipt_date, ordered.unit_of_measure_code) == (date(2020, 4, 2), "PCS")


def test_the_example_of_a_delivery_is_read() -> None:
    page = (CONTRACTS / "dynamics-subscriptions.md").read_text("utf-8")
    block = next(part for part in re.findall(r"```json\n(.*?)```", page, re.DOTALL) if '"changeType"' in part)
    told = msgspec.json.decode(block, type=Notifications).value
    assert [one.change_type for one in told] == ["updated", "created", "deleted", "collection"]
