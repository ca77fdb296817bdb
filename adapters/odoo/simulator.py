"""A stand-in for one Odoo database over JSON-2 and JSON-RPC, for the models and methods that the adapter uses.

Faithful to what was seen of a real one: references are not unique, false is null, a many2one is [id, name], times are
naive UTC, a button that wants an answer returns an object with status 200, posting returns false, and a body that is a
list is read as "no arguments". What the methods do to the books is in `simulated/`.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from litestar import HttpMethod, Request, Response, get, post, route
from litestar.types import ControllerRouterHandler

from adapters.odoo.simulated import documents, methods, orders, rpc, transfers
from adapters.odoo.simulated.books import OdooError, Record
from adapters.odoo.simulated.database import Database
from adapters.odoo.simulated.floor import Floor
from hub.sdk.testkit.simulator import Faults, Simulator

_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)

METHODS: Final[dict[str, Callable[..., object]]] = {
    "sale.order.create": orders.create_orders,
    "sale.order.action_confirm": orders.confirm,
    "sale.order.action_cancel": orders.cancel,
    "stock.picking.create": transfers.create_pickings,
    "stock.picking.write": transfers.write_picking,
    "stock.picking.action_confirm": transfers.confirm,
    "stock.picking.action_assign": transfers.assign,
    "stock.picking.action_cancel": transfers.cancel,
    "stock.picking.button_validate": transfers.validate,
    "stock.move.write": transfers.write_move,
    "account.move.create": documents.create_documents,
    "account.move.action_post": documents.post,
    "res.partner.create": methods.create_partners,
    "product.product.create": methods.create_products,
    "res.users.context_get": methods.context_get,
}
EVERY_MODEL: Final[dict[str, Callable[..., object]]] = {
    "search_read": methods.search_read,
    "read": methods.read,
    "write": methods.write,
    "fields_get": methods.fields_get,
}
_SIGNATURES: Final = {f: inspect.signature(f) for f in (*METHODS.values(), *EVERY_MODEL.values())}

PATH_HINT: Final = "Did you mean POST /json/2/<model>/<method>?"


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """What the books hold of one order. More than one order, or two deliveries of one shipment, is a duplicate."""

    orders: int
    confirmed: int
    deliveries: int
    invoices: int
    credit_notes: int
    drafts: int
    """Invoices and credit notes not posted yet, or never to be."""
    invoiced: Decimal
    credited: Decimal


class OdooSimulator(Simulator):
    """Serves `/json/2/<model>/<method>`, `/jsonrpc` and `/web/version` for one database and one API key.

    The books are plain records by id (`sale_orders`, `pickings`, `invoices`, `partners`, `products`); `posted(order)`
    counts what one order of ours led to; `books` is the database itself, with its `lock_date` and the like.
    """

    vendor = "odoo"

    def __init__(
        self,
        *,
        api_key: str = "odoo-api-key",
        database: str = "acme",
        currency: str = "USD",
        seed: int = 1,
        faults: Faults | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(seed=seed, faults=faults, now=now)
        self.api_key = api_key
        self.database = database
        self.books = Database(currency=currency, now=lambda: self.now())
        self.floor = Floor(self.books)
        """What people at its warehouse do."""
        self.login = "hub@example.com"
        self.version: tuple[object, ...] = (19, 0, 0, "final", 0, "")
        self.json2 = True
        """Whether JSON-2 is there: before 19 it is not, and its paths and `/web/version` are unknown pages."""
        self.refuse: dict[str, OdooError] = {}
        """By "model.method": answer this error instead of acting, until removed."""

    # --- books -------------------------------------------------------------------------------------------------------

    @property
    def sale_orders(self) -> dict[int, Record]:
        """Sale orders by id."""
        return self.books.tables["sale.order"].rows

    @property
    def pickings(self) -> dict[int, Record]:
        """Transfers by id."""
        return self.books.tables["stock.picking"].rows

    @property
    def invoices(self) -> dict[int, Record]:
        """Invoices and credit notes by id."""
        return self.books.tables["account.move"].rows

    @property
    def partners(self) -> dict[int, Record]:
        """Contacts by id."""
        return self.books.tables["res.partner"].rows

    @property
    def products(self) -> dict[int, Record]:
        """Products by id."""
        return self.books.tables["product.product"].rows

    def add_product(self, sku: str, name: str | None = None, *, stocked: bool = True) -> int:
        """Put a product into the catalogue."""
        return self.books.add_product(sku, name or sku, stocked=stocked)

    def invoice_by_hand(self, order_id: int) -> int:
        """A person presses "Create Invoice"."""
        return documents.invoice_by_hand(self.books, order_id)

    def posted(self, order: str) -> Posted:
        """Counts for one order of ours, whatever the size of the books."""
        tables = self.books.tables
        orders = [o for o in tables["sale.order"].where("client_order_ref", order) if o["state"] != "cancel"]
        pickings = [p for o in orders for p in tables["stock.picking"].where("sale_id", o["id"])]
        moves = [self.invoices[i] for i in self.books.search("account.move", [["ref", "=like", f"{order}%"]])]
        kept = [m for m in moves if m["state"] == "posted"]
        invoices = [m["amount_total"] for m in kept if m["move_type"] == "out_invoice"]
        credits = [m["amount_total"] for m in kept if m["move_type"] == "out_refund"]
        return Posted(
            orders=len(orders),
            confirmed=sum(o["state"] == "sale" for o in orders),
            deliveries=sum(p["state"] == "done" for p in pickings),
            invoices=len(invoices),
            credit_notes=len(credits),
            drafts=sum(m["state"] == "draft" for m in moves),
            invoiced=sum(invoices, Decimal(0)),
            credited=sum(credits, Decimal(0)),
        )

    # --- HTTP --------------------------------------------------------------------------------------------------------

    def throttled(self) -> tuple[int, dict[str, str], bytes]:
        """What a proxy in front of Odoo answers; Odoo itself has no limit of its own."""
        return 429, {"retry-after": "1", "content-type": "text/html"}, b"<html>429 Too Many Requests</html>"

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """One path for every method of every model."""

        @get("/web/version")
        async def version() -> Response[bytes]:
            told = {"version_info": self.version, "version": f"{self.version[0]}.{self.version[1]}"}
            return _json(200, told) if self.json2 else _page_not_found()

        @route("/json/2/{rest:path}", http_method=[HttpMethod.GET, HttpMethod.POST])
        async def json2(request: Request[Any, Any, Any]) -> Response[bytes]:
            if not self.json2:
                return _page_not_found()
            path = request.scope["path"].removeprefix("/json/2/").split("/")
            try:
                answer = self._call(request.method, path, request.headers, await request.body())
            except OdooError as error:
                return _json(error.status, _problem(error))
            return _json(200, answer)

        @post("/jsonrpc", status_code=200)
        async def jsonrpc(request: Request[Any, Any, Any]) -> Response[bytes]:
            call = _decoder.decode(await request.body())
            served = rpc.Service(database=self.database, login=self.login, key=self.api_key, version=self.version)
            return _json(200, served.answer(call, self._act, _names))

        return [version, json2, jsonrpc]

    def _call(self, method: str, path: Sequence[str], headers: Mapping[str, str], body: bytes) -> object:
        if method != "POST" or len(path) != 2:
            raise OdooError(404, "werkzeug.exceptions.NotFound", PATH_HINT)
        if headers.get("authorization") != f"bearer {self.api_key}":
            message = "User not authenticated, use an API Key with a Bearer Authorization header."
            raise OdooError(401, "werkzeug.exceptions.Unauthorized", message)
        if headers.get("x-odoo-database", self.database) != self.database:
            raise OdooError(404, "werkzeug.exceptions.NotFound", "no such database")
        arguments = _decoder.decode(body) if body else {}
        model, name = path
        if not isinstance(arguments, dict):
            self.violations.append(f"{model}.{name}: a list for a body is read as no arguments at all")
            arguments = {}
        return self._act(model, name, arguments)

    def _act(self, model: str, name: str, arguments: dict[str, Any]) -> object:
        if name == "search_read" and not arguments.get("limit"):
            self.violations.append(f"{model}.search_read without a limit")
        refusal = self.refuse.get(f"{model}.{name}")
        if refusal is not None:
            raise refusal
        return self._perform(model, name, arguments)

    def _perform(self, model: str, name: str, arguments: dict[str, Any]) -> object:
        self.books.table(model)
        if name.startswith("_"):
            message = f"Private methods (such as '{model}.{name}') cannot be called remotely."
            raise OdooError(403, "odoo.exceptions.AccessError", message)
        function = METHODS.get(f"{model}.{name}") or EVERY_MODEL.get(name)
        if function is None:
            raise OdooError(404, "werkzeug.exceptions.NotFound", f"The method '{model}.{name}' does not exist")
        ids, context = arguments.pop("ids", []), arguments.pop("context", {})
        try:
            _SIGNATURES[function].bind(self.books, model, ids, context, **arguments)
        except TypeError as error:
            raise OdooError(500, "builtins.TypeError", f"BaseModel.{name}() {error}") from None
        return function(self.books, model, ids, context, **arguments)


def _names(model: str, name: str) -> Sequence[str]:
    function = METHODS.get(f"{model}.{name}") or EVERY_MODEL.get(name)
    return () if function is None else rpc.order_of(function)


def _page_not_found() -> Response[bytes]:
    return Response(b"<!doctype html><title>404 Not Found</title>", status_code=404, media_type="text/html")


def _problem(error: OdooError) -> dict[str, object]:
    trace = f'Traceback (most recent call last):\n  File "/srv/odoo/http.py", line 1, in serve\n{error.name}: {error}\n'
    arguments = [error.message, error.status] if error.name.startswith("werkzeug") else [error.message]
    return {"name": error.name, "message": error.message, "arguments": arguments, "context": {}, "debug": trace}


def _json(status: int, answer: object) -> Response[bytes]:
    return Response(msgspec.json.encode(answer), status_code=status, media_type="application/json; charset=utf-8")
