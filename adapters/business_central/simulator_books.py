"""The simulator's books of one company: customers, items and documents as plain records, and what posting does."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from uuid import UUID

import msgspec

Record = dict[str, Any]

CENT: Final = Decimal("0.01")
LONGEST_EXTERNAL: Final = 35
TERM: Final = re.compile(r"(startswith\()?(?P<field>\w+)(?: (?P<op>eq|gt|ge) |,)(?P<value>'(?:[^']|'')*'|[^ )]+)\)?")

CREATED: Final = {
    "customers": (
        "number",
        "displayName",
        "type",
        "email",
        "phoneNumber",
        "addressLine1",
        "addressLine2",
        "city",
        "state",
        "postalCode",
        "country",
    ),
    "salesOrders": (
        "externalDocumentNumber",
        "orderDate",
        "postingDate",
        "customerNumber",
        "currencyCode",
        "salesOrderLines",
    ),
    "salesCreditMemos": (
        "externalDocumentNumber",
        "creditMemoDate",
        "postingDate",
        "customerNumber",
        "currencyCode",
        "salesCreditMemoLines",
    ),
    "lines": (
        "lineType",
        "lineObjectNumber",
        "description",
        "quantity",
        "unitPrice",
        "taxCode",
        "shipQuantity",
        "invoiceQuantity",
    ),
}
"""Fields that may be written, per entity; any other is refused by name, as the real one does."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """An error answer."""

    status: int
    code: str
    message: str


class Refused(Exception):
    """Carries an error answer out of the books."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.refusal = Refusal(status=status, code=code, message=message)


class Books:
    """Records by id, per entity set. `allowed_from` closes what is before it; `tax_percent` is added to taxed lines."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.customers: dict[str, Record] = {}
        self.items: dict[str, Record] = {}
        self.orders: dict[str, Record] = {}
        self.order_lines: dict[str, Record] = {}
        self.invoices: dict[str, Record] = {}
        self.shipments: dict[str, Record] = {}
        self.memos: dict[str, Record] = {}
        self.journals: dict[str, Record] = {}
        self.journal_lines: dict[str, Record] = {}
        self.entries: dict[str, Record] = {}
        self.company: dict[str, Record] = {}
        self.locations: dict[str, Record] = {}
        self.purchases: dict[str, Record] = {}
        self.allowed_from: date | None = None
        self.tax_percent = Decimal(8)
        self._now = now
        self._made = 0
        self.keep(self.company, {"displayName": "CRONUS", "currencyCode": "USD"})

    def sets(self) -> dict[str, dict[str, Record]]:
        """Records by the name of their entity set."""
        return {
            "customers": self.customers,
            "items": self.items,
            "salesOrders": self.orders,
            "salesOrderLines": self.order_lines,
            "salesInvoices": self.invoices,
            "salesShipments": self.shipments,
            "salesCreditMemos": self.memos,
            "journals": self.journals,
            "journalLines": self.journal_lines,
            "generalLedgerEntries": self.entries,
            "companyInformation": self.company,
            "locations": self.locations,
            "purchaseOrders": self.purchases,
        }

    # --- creating ----------------------------------------------------------------------------------------------------

    def add_item(self, number: str, name: str | None = None, *, inventory: Decimal = Decimal(0)) -> Record:
        """Put an item into the catalogue."""
        known = next((item for item in self.items.values() if item["number"] == number.upper()), None)
        if known is not None:
            return known
        values = {"number": number.upper(), "displayName": name or number, "type": "Inventory", "inventory": inventory}
        values |= {"baseUnitOfMeasureCode": "PCS", "blocked": False, "gtin": ""}
        values |= {"unitPrice": Decimal(0), "unitCost": Decimal(0)}
        return self.keep(self.items, values)

    def change_item(self, number: str, **values: Any) -> None:
        """Somebody changes an item's card. Postings change `inventory`, and date nothing."""
        (item,) = [one for one in self.items.values() if one["number"] == number]
        item |= values
        self._touch(item)

    def add_customer(self, values: Record) -> Record:
        """A customer; a number that is taken is refused."""
        _only(values, "customers")
        number = values.get("number") or f"C{self._made + 10000}"
        if any(one["number"] == number for one in self.customers.values()):
            message = f"The record already exists in table Customer. Identification fields and values: No.='{number}'"
            raise Refused(400, "Internal_EntityWithSameKeyExists", message)
        return self.keep(self.customers, {"email": "", **values, "number": number})

    def add_order(self, values: Record) -> Record:
        """A sales order with its lines."""
        _only(values, "salesOrders")
        header = self._header(values, "salesOrderLines")
        order = self.keep(self.orders, {**header, "number": f"S-ORD{101000 + self._made}", "status": "Draft"})
        for line in values.get("salesOrderLines", ()):
            self.add_order_line(order, line)
        self._sum(order, self.lines_of(order))
        return order

    def add_order_line(self, order: Record, values: Record) -> Record:
        """A line of an order: all of it is to leave with the next posting unless said otherwise."""
        line = self._line(values)
        count = len(self.lines_of(order))
        line |= {"documentId": order["id"], "sequence": (count + 1) * 10000}
        line |= {"shippedQuantity": Decimal(0), "invoicedQuantity": Decimal(0)}
        line |= {
            name: Decimal(values[name]) if name in values else line["quantity"]
            for name in ("shipQuantity", "invoiceQuantity")
        }
        made = self.keep(self.order_lines, line)
        self._sum(order, self.lines_of(order))
        return made

    def add_memo(self, values: Record) -> Record:
        """A draft credit memo with its lines."""
        _only(values, "salesCreditMemos")
        header = self._header(values, "salesCreditMemoLines")
        memo = self.keep(self.memos, {**header, "number": f"S-CR{1000 + self._made}", "status": "Draft"})
        memo["salesCreditMemoLines"] = [self._line(line) for line in values.get("salesCreditMemoLines", ())]
        self._sum(memo, memo["salesCreditMemoLines"])
        return memo

    def _header(self, values: Record, lines: str) -> Record:
        number = values.get("customerNumber", "")
        if not any(one["number"] == number for one in self.customers.values()):
            raise Refused(400, "Internal_RecordNotFound", f"The Customer does not exist. No.='{number}'")
        external = values.get("externalDocumentNumber", "")
        if len(external) > LONGEST_EXTERNAL:
            message = "The length of the string is larger than the maximum length of 35 characters."
            raise Refused(400, "Application_StringExceededLength", message)
        header = {name: value for name, value in values.items() if name != lines}
        # A field of type Code keeps capitals only.
        return header | {"externalDocumentNumber": external.upper()}

    def _line(self, values: Record) -> Record:
        _only(values, "lines")
        kind, number = values.get("lineType"), str(values.get("lineObjectNumber", ""))
        if kind == "Item" and not any(item["number"] == number.upper() for item in self.items.values()):
            raise Refused(400, "Internal_RecordNotFound", f"The Item does not exist. No.='{number}'")
        if kind == "Account" and not number.isdigit():
            raise Refused(400, "Internal_RecordNotFound", f"The G/L Account does not exist. No.='{number}'")
        line = {"taxCode": "TAXABLE", **values, "lineObjectNumber": number.upper()}
        return line | {"quantity": Decimal(values["quantity"]), "unitPrice": Decimal(values.get("unitPrice", 0))}

    # --- changing ----------------------------------------------------------------------------------------------------

    def change(self, entity: str, record: Record, values: Record, etag: str) -> Record:
        """Change a record, if it is still as the tag says."""
        if etag != "*" and etag != record["@odata.etag"]:
            message = "Another user has already changed the record."
            raise Refused(409, "Request_EntityChanged", message)
        _only(values, "lines" if entity == "salesOrderLines" else entity)
        if entity == "salesOrderLines":
            for name in ("shipQuantity", "invoiceQuantity"):
                if Decimal(values.get(name, 0)) > record["quantity"] - record["shippedQuantity"]:
                    message = f"You cannot ship more than {record['quantity'] - record['shippedQuantity']} units."
                    raise Refused(400, "Application_DialogException", message)
            numbers = {"unitPrice", "quantity", "shipQuantity", "invoiceQuantity"}
            values = {name: Decimal(value) if name in numbers else value for name, value in values.items()}
        elif "externalDocumentNumber" in values:
            values = values | {"externalDocumentNumber": values["externalDocumentNumber"].upper()}
        record |= values
        self._touch(record)
        if entity == "salesOrderLines":
            order = self.orders[record["documentId"]]
            self._sum(order, self.lines_of(order))
        return record

    # --- posting -----------------------------------------------------------------------------------------------------

    def ship_and_invoice(self, order: Record) -> None:
        """Post what is to leave as a shipment and an invoice. An order of which nothing is left is deleted."""
        lines = [line for line in self.lines_of(order) if line["shipQuantity"]]
        if not lines:
            raise Refused(400, "Application_DialogException", "There is nothing to post.")
        self.check_open(order.get("postingDate") or order.get("orderDate"))
        taken = [line | {"quantity": line["invoiceQuantity"]} for line in lines]
        header = {name: order[name] for name in ("externalDocumentNumber", "customerNumber", "currencyCode")}
        header |= {"orderNumber": order["number"], "postingDate": order.get("postingDate") or order.get("orderDate")}
        shipped = self.keep(self.shipments, {**header, "number": f"S-SHPT{102000 + self._made}"})
        shipped["salesShipmentLines"] = taken
        invoice = self.keep(self.invoices, {**header, "number": f"PS-INV{103000 + self._made}", "status": "Open"})
        self._sum(invoice, taken)
        for line in lines:
            item = next((i for i in self.items.values() if i["number"] == line["lineObjectNumber"]), None)
            if item is not None and line["lineType"] == "Item":
                item["inventory"] -= line["shipQuantity"]
            line["shippedQuantity"] += line["shipQuantity"]
            line["invoicedQuantity"] += line["invoiceQuantity"]
            left = line["quantity"] - line["shippedQuantity"]
            line |= {"shipQuantity": left, "invoiceQuantity": left}
            self._touch(line)
        self._touch(order)
        if all(line["shippedQuantity"] == line["quantity"] for line in self.lines_of(order)):
            for line in self.lines_of(order):
                del self.order_lines[line["id"]]
            del self.orders[order["id"]]

    def post_memo(self, memo: Record) -> None:
        """Post a credit memo; the posted one has another id and number."""
        if memo["status"] != "Draft":
            raise Refused(400, "Application_DialogException", "The credit memo is posted already.")
        self.check_open(memo.get("postingDate"))
        del self.memos[memo["id"]]
        self.keep(self.memos, {**memo, "number": f"PS-CR{104000 + self._made}", "status": "Open"})

    def check_open(self, day: str | None) -> None:
        """Refuse a posting date in a closed period."""
        posting = date.fromisoformat(day) if day else self._now().date()
        if self.allowed_from is not None and posting < self.allowed_from:
            message = "Posting Date is not within your range of allowed posting dates. CorrelationId: 7c1d."
            raise Refused(400, "Application_DialogException", message)

    # --- reading -----------------------------------------------------------------------------------------------------

    def lines_of(self, order: Record) -> list[Record]:
        """Lines of an order, in sequence."""
        return [line for line in self.order_lines.values() if line["documentId"] == order["id"]]

    def search(self, entity: str, terms: str) -> list[Record]:
        """Records that match `a eq 'x' or a eq 'y'`, or `startswith(a,'x')`."""
        rows = list(self.sets()[entity].values())
        if not terms:
            return rows
        found = list(TERM.finditer(terms))
        if not found:
            raise Refused(400, "BadRequest", "The filter expression is not valid.")
        groups = [list(TERM.finditer(part)) for part in terms.split(" and ")]
        return [row for row in rows if all(any(_matches(row, match) for match in group) for group in groups)]

    # --- arithmetic --------------------------------------------------------------------------------------------------

    def _sum(self, document: Record, lines: Iterable[Record]) -> None:
        net = tax = Decimal(0)
        for line in lines:
            amount = (line["quantity"] * line["unitPrice"]).quantize(CENT, ROUND_HALF_UP)
            net += amount
            if line["taxCode"] == "TAXABLE":
                tax += (amount * self.tax_percent / 100).quantize(CENT, ROUND_HALF_UP)
        document |= {
            "totalAmountExcludingTax": net,
            "totalTaxAmount": tax,
            "totalAmountIncludingTax": net + tax,
        }

    def keep(self, table: dict[str, Record], values: Record) -> Record:
        """Put a record into a table, under a new id."""
        self._made += 1
        record = {**values, "id": str(UUID(int=self._made))}
        table[record["id"]] = record
        self._touch(record)
        return record

    def _touch(self, record: Record) -> None:
        self._made += 1
        record["@odata.etag"] = f'W/"{self._made}"'
        record["lastModifiedDateTime"] = self._now().isoformat().replace("+00:00", "Z")


def _only(values: Record, entity: str) -> None:
    only(values, entity, CREATED[entity])


def only(values: Record, entity: str, known: Sequence[str]) -> None:
    """Refuse a field that an entity does not have, as the real one does."""
    for name in values:
        if name not in known:
            message = f"The property '{name}' does not exist on type 'Microsoft.NAV.{entity}'."
            raise Refused(400, "BadRequest", message)


def _matches(row: Record, match: re.Match[str]) -> bool:
    value = match["value"].strip("'").replace("''", "'")
    known = str(row.get(match["field"], ""))
    if match[1]:
        return known.startswith(value)
    if match["op"] == "eq":
        return known == value
    if match["field"] == "lastModifiedDateTime":
        known, value = _moment(known), _moment(value)
    return known >= value if match["op"] == "ge" else known > value


def _moment(text: str) -> str:
    """A moment so that it compares as text, whether it has parts of a second, or is a day only."""
    return datetime.fromisoformat(text).replace(tzinfo=None).isoformat(timespec="microseconds")
