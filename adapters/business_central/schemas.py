"""Business Central's rows, as far as we read them: API v2.0, JSON numbers as Decimals."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Final

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A record of an entity set."""

    entity: ClassVar[str]

    id: str


class OrderLine(Row, frozen=True, kw_only=True):
    """A line of a sales order."""

    entity: ClassVar[str] = "salesOrderLines"

    line_type: str
    line_object_number: str
    quantity: Decimal
    unit_price: Decimal
    shipped_quantity: Decimal = Decimal(0)
    ship_quantity: Decimal = Decimal(0)
    invoice_quantity: Decimal = Decimal(0)
    etag: str = msgspec.field(name="@odata.etag", default="")

    @property
    def left(self) -> Decimal:
        """What has not left yet."""
        return self.quantity - self.shipped_quantity


class SalesOrder(Row, frozen=True, kw_only=True):
    """A sales order. It is gone once all of it was shipped and invoiced."""

    entity: ClassVar[str] = "salesOrders"

    number: str
    external_document_number: str
    currency_code: str
    total_amount_including_tax: Decimal
    sales_order_lines: tuple[OrderLine, ...] = ()
    etag: str = msgspec.field(name="@odata.etag", default="")


class Document(Row, frozen=True, kw_only=True):
    """An invoice or credit memo: Draft and In Review until it is posted."""

    number: str
    external_document_number: str
    status: str
    customer_number: str
    currency_code: str
    total_amount_including_tax: Decimal


class SalesInvoice(Document, frozen=True, kw_only=True):
    """An invoice, drafts included; `order_number` names the order that it was posted from."""

    entity: ClassVar[str] = "salesInvoices"

    order_number: str = ""


class CreditMemo(Document, frozen=True, kw_only=True):
    """A credit memo, drafts included."""

    entity: ClassVar[str] = "salesCreditMemos"


class Shipment(Row, frozen=True, kw_only=True):
    """A posted shipment."""

    entity: ClassVar[str] = "salesShipments"

    number: str
    external_document_number: str


class Customer(Row, frozen=True, kw_only=True):
    """A customer, of which we want to know no more."""

    entity: ClassVar[str] = "customers"

    number: str


class Item(Row, frozen=True, kw_only=True):
    """An item; `inventory` is what the whole company has on hand."""

    entity: ClassVar[str] = "items"

    number: str
    inventory: Decimal = Decimal(0)


class CatalogueItem(Row, frozen=True, kw_only=True):
    """An item, and the unit that its stock is kept in."""

    entity: ClassVar[str] = "items"

    number: str
    base_unit_of_measure_code: str = ""


class StockItem(Row, frozen=True, kw_only=True):
    """An item as the catalogue has it: price and cost of its base unit, in the company's currency."""

    entity: ClassVar[str] = "items"

    number: str
    display_name: str
    blocked: bool
    unit_price: Decimal
    unit_cost: Decimal
    last_modified_date_time: datetime
    gtin: str = ""
    base_unit_of_measure_code: str = ""


class Location(Row, frozen=True, kw_only=True):
    """A location."""

    entity: ClassVar[str] = "locations"

    code: str


class PurchaseLine(Row, frozen=True, kw_only=True):
    """A line of a purchase order; quantities in its own unit. An id of zeros is no location, the year 1 no date."""

    entity: ClassVar[str] = "purchaseOrderLines"

    line_type: str
    line_object_number: str
    unit_of_measure_code: str = ""
    quantity: Decimal
    received_quantity: Decimal
    expected_receipt_date: date = date.min
    location_id: str = ""


class PurchaseOrder(Row, frozen=True, kw_only=True):
    """A purchase order: Draft and In Review until it is released, which is called Open. Gone once it is invoiced."""

    entity: ClassVar[str] = "purchaseOrders"

    number: str
    status: str
    fully_received: bool
    requested_receipt_date: date = date.min
    purchase_order_lines: tuple[PurchaseLine, ...] = ()


class Company(Row, frozen=True, kw_only=True):
    """A company."""

    entity: ClassVar[str] = "companies"

    name: str


class CompanyInformation(Row, frozen=True, kw_only=True):
    """What the company says of itself."""

    entity: ClassVar[str] = "companyInformation"

    currency_code: str


class Journal(Row, frozen=True, kw_only=True):
    """A general journal: a batch of lines that are posted together."""

    entity: ClassVar[str] = "journals"

    code: str


class JournalLine(Row, frozen=True, kw_only=True):
    """A line of a general journal. Only those on G/L and bank accounts are shown."""

    entity: ClassVar[str] = "journalLines"

    account_number: str
    document_number: str


class LedgerEntry(Row, frozen=True, kw_only=True):
    """A posted entry of the general ledger."""

    entity: ClassVar[str] = "generalLedgerEntries"

    document_number: str
    debit_amount: Decimal
    credit_amount: Decimal
    posting_date: str


class Subscription(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A webhook subscription; it ends three days after it was made or renewed."""

    subscription_id: str
    notification_url: str
    resource: str
    expiration_date_time: datetime
    etag: str = msgspec.field(name="@odata.etag", default="")


class Notification(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something changed: a record by its path, or a collection by a path with a filter."""

    resource: str
    change_type: str
    client_state: str = ""


class Notifications(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery: notifications of several subscriptions."""

    value: tuple[Notification, ...]


class Levels(msgspec.Struct, frozen=True, kw_only=True):
    """What a read of items is stored as."""

    as_of: datetime
    location: str
    items: tuple[Item, ...]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """An error, in Business Central's words."""

    code: str = ""
    message: str = ""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error body."""

    error: Fault


WRITTEN: Final[dict[str, tuple[str, ...]]] = {
    "salesOrder": ("externalDocumentNumber", "orderDate", "postingDate", "customerNumber", "currencyCode"),
    "salesOrderLine": (
        "lineType",
        "lineObjectNumber",
        "description",
        "quantity",
        "unitPrice",
        "taxCode",
        "shipQuantity",
        "invoiceQuantity",
    ),
    "salesCreditMemo": (
        "externalDocumentNumber",
        "creditMemoDate",
        "postingDate",
        "customerNumber",
        "currencyCode",
    ),
    "salesCreditMemoLine": ("lineType", "lineObjectNumber", "description", "quantity", "unitPrice", "taxCode"),
    "journal": ("code", "displayName"),
    "journalLine": (
        "accountType",
        "accountNumber",
        "postingDate",
        "documentNumber",
        "externalDocumentNumber",
        "amount",
        "description",
    ),
    "customer": (
        "number",
        "displayName",
        "type",
        "email",
        "addressLine1",
        "addressLine2",
        "city",
        "state",
        "postalCode",
        "country",
    ),
}
"""Fields that we write, per entity."""
