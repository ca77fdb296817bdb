"""A Magento store on loopback: its REST API behind OAuth 1.0a, over the books of `simulator_store`."""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote, unquote

import msgspec
from litestar import Request, Response, route
from litestar.types import ControllerRouterHandler

from adapters.magento import simulator_bodies as bodies
from adapters.magento import simulator_catalogue as catalogue
from adapters.magento import simulator_search as search
from adapters.magento.simulator_books import StoreOrder, StoreSource
from adapters.magento.simulator_sales import Refusal
from adapters.magento.simulator_store import Store

CLOCK_SECONDS: Final = 600
"""How far a request's timestamp may be off."""

_encoder = msgspec.json.Encoder(decimal_format="number")
_PARAMETER: Final = re.compile(r'(\w+)="([^"]*)"')
_PATH: Final = re.compile(r"/rest/\w+/V1(/.*)")

Answer = Any
Handler = Callable[["MagentoSimulator", Sequence[str], search.Pairs, Any], Answer]


class MagentoSimulator(Store):
    """Accepts one integration. Input limits as in stores that have them on: `entity_limit` per call, `page_limit`.

    Faults besides those of every simulator: `html` answers this many requests with a page of HTML, `truncated` cuts
    this many answers in the middle, `error_inside` answers this many with 200 and an error document; all act first.
    """

    vendor = "magento"

    def __init__(
        self,
        *,
        consumer_key: str,
        consumer_secret: str,
        access_token: str,
        access_token_secret: str,
        store_url: str = "https://magento.example/",
        sources: Sequence[StoreSource] = (StoreSource(code="default", name="Default Source"),),
        entity_limit: int = 20,
        page_limit: int = 300,
        **base: Any,
    ) -> None:
        super().__init__(sources=sources, **base)
        self.consumer_key, self.consumer_secret = consumer_key, consumer_secret
        self.access_token, self.access_token_secret = access_token, access_token_secret
        self.store_url = store_url
        self.entity_limit, self.page_limit = entity_limit, page_limit
        self.html = self.truncated = self.error_inside = 0
        self.seen_nonces: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        """Every request: method and path with query, as it came."""

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """Everything under /rest."""

        @route("/{path:path}", http_method=["GET", "POST"])
        async def serve(request: Request[Any, Any, Any]) -> Response[bytes]:
            raw, query = request.scope["raw_path"].decode(), request.scope["query_string"].decode()
            path = raw.partition("?")[0]
            self.asked.append((request.method, f"{path}?{query}" if query else path))
            status, body = self._serve(request, path, query, await request.body())
            return self._spoiled(status, _encoder.encode(body))

        return [serve]

    def throttled(self) -> tuple[int, dict[str, str], bytes]:
        """What a rate limiter in front of the store says."""
        body = b'{"message":"Too Many Requests"}'
        return 429, {"retry-after": "2", "content-type": "application/json; charset=utf-8"}, body

    def _serve(self, request: Request[Any, Any, Any], path: str, query: str, body: bytes) -> tuple[int, Answer]:
        pairs = [
            (unquote(name), unquote(value)) for name, _, value in (p.partition("=") for p in query.split("&") if p)
        ]
        try:
            self._authorise(request, path, pairs)
            match = _PATH.fullmatch(path)
            for method, pattern, handler in HANDLERS:
                found = re.fullmatch(pattern, match[1]) if match and request.method == method else None
                if found:
                    document = msgspec.json.decode(body) if body else {}
                    return 200, handler(self, [unquote(part) for part in found.groups()], pairs, document)
            raise Refusal("Request does not match any route.", status=404)
        except Refusal as refusal:
            said: dict[str, Any] = {"message": refusal.message}
            if refusal.parameters is not None:
                said["parameters"] = refusal.parameters
            return refusal.status, said

    def _spoiled(self, status: int, body: bytes) -> Response[bytes]:
        """The answer, or what a fault makes of it."""
        kind = "application/json; charset=utf-8"
        if self.html:
            self.html -= 1
            page = b"<!doctype html><html><body>We are down for maintenance</body></html>"
            return Response(page, status_code=200, media_type="text/html")
        if self.truncated:
            self.truncated -= 1
            return Response(body[: max(1, len(body) // 2)] + b'{"', status_code=status, media_type=kind)
        if self.error_inside:
            self.error_inside -= 1
            inside = b'{"message":"Internal Error. Details are available in Magento log file. Report ID: webapi-65b1"}'
            return Response(inside, status_code=200, media_type=kind)
        return Response(body, status_code=status, media_type=kind)

    # --- OAuth 1.0a --------------------------------------------------------------------------------------------------

    def _authorise(self, request: Request[Any, Any, Any], path: str, query: search.Pairs) -> None:
        """Check the signature as the store does: parameters decoded with `rawurldecode`, a "+" stays a "+"."""
        header = request.headers.get("authorization", "")
        given = {name: unquote(value) for name, value in _PARAMETER.findall(header)}
        signature = given.pop("oauth_signature", "")
        if not header.startswith("OAuth ") or given.get("oauth_consumer_key") != self.consumer_key:
            raise Refusal("The consumer isn't authorized to access %resources.", {"resources": "self"}, 401)
        if given.get("oauth_signature_method") != "HMAC-SHA256":
            raise Refusal("Signature method %1 is not supported", [given.get("oauth_signature_method")], 401)
        if abs(self.now().timestamp() - int(given.get("oauth_timestamp", "0"))) > CLOCK_SECONDS:
            raise Refusal("The oauth_timestamp value is incorrect. Verify and try again.", status=401)
        url = f"{request.url.scheme}://{request.headers.get('host', '').lower()}{path}"
        pairs = sorted((_escaped(name), _escaped(value)) for name, value in [*query, *given.items()])
        text = "&".join(map(_escaped, (request.method, url, "&".join(f"{name}={value}" for name, value in pairs))))
        key = f"{_escaped(self.consumer_secret)}&{_escaped(self.access_token_secret)}"
        expected = b64encode(hmac.digest(key.encode(), text.encode(), hashlib.sha256)).decode()
        token = hmac.compare_digest(given.get("oauth_token", ""), self.access_token)
        if not (token and hmac.compare_digest(expected, signature)):
            raise Refusal("The signature is invalid. Verify and try again.", status=401)
        nonce = given.get("oauth_nonce", "")
        if nonce in self.seen_nonces:
            raise Refusal("The nonce is already being used by the consumer with ID %1.", [self.consumer_key], 401)
        self.seen_nonces.add(nonce)

    # --- reading -----------------------------------------------------------------------------------------------------

    def page(self, rows: Iterable[search.Document], pairs: search.Pairs, body: Callable[[Any], Any]) -> Answer:
        """A list: `rows` are what can be filtered by, with the thing itself under "of"."""
        criteria = search.parse(pairs)
        if criteria.paged and criteria.size > self.page_limit:
            self.violations.append(f"pageSize {criteria.size} over {self.page_limit}")
            raise Refusal("Maximum SearchCriteria pageSize is %max", {"max": str(self.page_limit)})
        try:
            page, total = search.found(rows, criteria)
        except Refusal as refusal:
            self.violations.append(refusal.message)
            raise
        answer = {
            "items": [body(row["of"]) for row in page],
            "search_criteria": {
                "filter_groups": [
                    {"filters": [{"field": f, "value": v, "condition_type": c} for f, c, v in group]}
                    for group in criteria.groups
                ],
                "page_size": criteria.size,
                "current_page": criteria.page,
            },
            "total_count": total,
        }
        return search.projected(answer, criteria.fields) if criteria.fields else answer

    def order(self, id: str) -> StoreOrder:
        """An order, or the store's 404."""
        found = self.orders.get(int(id)) if id.isdigit() else None
        if found is None:
            message = "The entity that was requested doesn't exist. Verify the entity and try again."
            raise Refusal(message, status=404)
        return found


def _escaped(text: str) -> str:
    return quote(text, safe="-._~")


def _orders(store: MagentoSimulator, parts: Sequence[str], pairs: search.Pairs, body: Any) -> Answer:
    rows = (
        {
            "of": order,
            "entity_id": order.id,
            "increment_id": order.number,
            "updated_at": bodies.stamp(order.updated_at),
            "created_at": bodies.stamp(order.created_at),
            "state": order.state,
            "status": order.status,
            "store_id": order.store,
        }
        for order in store.orders.values()
    )
    return store.page(rows, pairs, bodies.order_body)


def _order(store: MagentoSimulator, parts: Sequence[str], pairs: search.Pairs, body: Any) -> Answer:
    return bodies.order_body(store.order(parts[0]))


def _documents(memo: bool) -> Handler:
    def listed(store: MagentoSimulator, parts: Sequence[str], pairs: search.Pairs, body: Any) -> Answer:
        kept = store.memos if memo else store.invoices
        rows = ({"of": one, "entity_id": one.id, "order_id": one.order} for one in kept.values())
        return store.page(rows, pairs, lambda one: bodies.document_body(store.orders[one.order], one, memo=memo))

    return listed


def _shipments(store: MagentoSimulator, parts: Sequence[str], pairs: search.Pairs, body: Any) -> Answer:
    rows = ({"of": one, "entity_id": one.id, "order_id": one.order} for one in store.shipments.values())
    return store.page(rows, pairs, lambda one: bodies.shipment_body(store.orders[one.order], one))


def _products(store: MagentoSimulator, parts: Sequence[str], pairs: search.Pairs, body: Any) -> Answer:
    asked = search.named(pairs, "sku")
    found = store.products.values() if asked is None else store.of_skus(asked)
    rows = ({"of": one, "entity_id": one.id, "sku": one.sku} for one in found)
    return store.page(rows, pairs, catalogue.product_body)


def _sources(store: MagentoSimulator, parts: Sequence[str], pairs: search.Pairs, body: Any) -> Answer:
    rows = ({"of": one, "entity_id": one.code, "source_code": one.code} for one in store.sources.values())
    return store.page(rows, pairs, catalogue.source_body)


def _held(store: MagentoSimulator, parts: Sequence[str], pairs: search.Pairs, body: Any) -> Answer:
    rows = (
        {"of": (sku, source, units), "sku": sku, "source_code": source}
        for (sku, source), units in store.source_items.items()
    )
    return store.page(rows, pairs, lambda one: catalogue.source_item_body(*one, in_stock=store.in_stock[one[:2]]))


def _configs(store: MagentoSimulator, parts: Sequence[str], pairs: search.Pairs, body: Any) -> Answer:
    urls = ("base_url", "base_link_url", "base_static_url", "base_media_url")
    return [
        {
            "id": 1,
            "code": "default",
            "website_id": 1,
            "locale": "en_US",
            "base_currency_code": store.currency,
            "default_display_currency_code": store.currency,
            "timezone": "America/Chicago",
            "weight_unit": "kgs",
            **dict.fromkeys((*urls, *(f"secure_{url}" for url in urls)), store.store_url),
        }
    ]


def _ship(store: MagentoSimulator, parts: Sequence[str], pairs: search.Pairs, body: Any) -> Answer:
    units = {line["order_item_id"]: int(line["qty"]) for line in body.get("items") or ()}
    extension = (body.get("arguments") or {}).get("extension_attributes") or {}
    made = store.ship(
        store.order(parts[0]),
        units,
        body.get("tracks") or (),
        source=extension.get("source_code"),
        note=(body.get("comment") or {}).get("comment"),
        notify=body.get("notify"),
    )
    return made.id


def _invoice(store: MagentoSimulator, parts: Sequence[str], pairs: search.Pairs, body: Any) -> Answer:
    units = {line["order_item_id"]: int(line["qty"]) for line in body.get("items") or ()}
    note = (body.get("comment") or {}).get("comment")
    return store.invoice(store.order(parts[0]), units, capture=bool(body.get("capture")), note=note).id


def _cancel(store: MagentoSimulator, parts: Sequence[str], pairs: search.Pairs, body: Any) -> Answer:
    return store.cancel(store.order(parts[0]))


def _refund_invoice(store: MagentoSimulator, parts: Sequence[str], pairs: search.Pairs, body: Any) -> Answer:
    invoice = store.invoices.get(int(parts[0]))
    if invoice is None:
        raise Refusal("The entity that was requested doesn't exist. Verify the entity and try again.", status=404)
    return _refund(store, store.orders[invoice.order], body, invoice.id)


def _refund_order(store: MagentoSimulator, parts: Sequence[str], pairs: search.Pairs, body: Any) -> Answer:
    return _refund(store, store.order(parts[0]), body, None)


def _refund(store: MagentoSimulator, order: StoreOrder, body: Any, invoice: int | None) -> Answer:
    arguments: Mapping[str, Any] = body.get("arguments") or {}
    shipping = arguments.get("shipping_amount")
    plus, minus = (Decimal(str(arguments.get(f"adjustment_{name}") or 0)) for name in ("positive", "negative"))
    note = (body.get("comment") or {}).get("comment")
    made = store.refund(
        order,
        {line["order_item_id"]: int(line["qty"]) for line in body.get("items") or ()},
        invoice=invoice,
        note=note,
        shipping=None if shipping is None else Decimal(str(shipping)),
        adjustment=plus - minus,
        back_to=(arguments.get("extension_attributes") or {}).get("return_to_stock_items") or (),
    )
    return made.id


def _source_items(store: MagentoSimulator, parts: Sequence[str], pairs: search.Pairs, body: Any) -> Answer:
    """All or nothing. A SKU that no product has is taken in silence."""
    items = body["sourceItems"]
    if len(items) > store.entity_limit:
        store.violations.append(f"{len(items)} source items in one call")
        kind = "Magento\\InventoryApi\\Api\\Data\\SourceItemInterface"
        raise Refusal('Maximum items of type "%type" is %max', {"type": kind, "max": str(store.entity_limit)})
    for item in items:
        if item["source_code"] not in store.sources:
            raise Refusal('Validation Failed: Source with code "%1" does not exist.', [item["source_code"]])
        if "status" not in item:
            store.violations.append("a source item without status")
        product = store.products.get(item["sku"])
        if product is not None and product.kind in ("bundle", "configurable", "grouped"):
            message = 'Validation Failed: Source Item Management is not allowed for product type "%1".'
            raise Refusal(message, [product.kind])
    for item in items:
        status = bool(item.get("status", 0))
        store.set_stock(item["sku"], item["source_code"], int(item["quantity"]), in_stock=status)
    return []


HANDLERS: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/orders", _orders),
    ("GET", "/orders/(\\d+)", _order),
    ("POST", "/orders/(\\d+)/cancel", _cancel),
    ("GET", "/shipments", _shipments),
    ("GET", "/invoices", _documents(False)),
    ("GET", "/creditmemos", _documents(True)),
    ("GET", "/products", _products),
    ("GET", "/store/storeConfigs", _configs),
    ("GET", "/inventory/sources", _sources),
    ("GET", "/inventory/source-items", _held),
    ("POST", "/inventory/source-items", _source_items),
    ("POST", "/order/(\\d+)/ship", _ship),
    ("POST", "/order/(\\d+)/invoice", _invoice),
    ("POST", "/order/(\\d+)/refund", _refund_order),
    ("POST", "/invoice/(\\d+)/refund", _refund_invoice),
)
