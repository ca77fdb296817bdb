"""A stand-in for one Business Central environment with one company: OAuth, OData, posting, subscriptions.

Faithful to what Microsoft documents: no external number is unique, a change wants the tag of what was read, posting an
order ships and invoices at once and deletes it when nothing is left, a subscription is made only if its address echoes
a token, and it lives three days. What the calls do to the books is in `simulator_books.py`.
"""

import asyncio
import base64
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import HttpMethod, Request, Response, post, route
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from adapters.business_central import simulator_journals
from adapters.business_central.simulator_books import Books, Record, Refused
from hub.sdk.testkit.simulator import Faults, Sent, Simulator

COMPANY: Final = "7dbba574-5f69-4167-a43e-fb975045de15"
LIFE: Final = timedelta(days=3)
PATH: Final = re.compile(r"(?P<entity>\w+)(?:\('?(?P<id>[^')]+)'?\))?(?:/(?P<rest>.+))?")
CONTENT: Final = "application/json; odata.metadata=minimal"

_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)
_encoder: Final = msgspec.json.Encoder(decimal_format="number")


class BusinessCentralSimulator(Simulator):
    """Serves the token endpoint and `/v2.0/<tenant>/<environment>/api/v2.0`. `books` is the company.

    `page` is how many records an answer holds before it names the next page; `subscriptions` are by id.
    """

    vendor = "business_central"

    def __init__(
        self,
        *,
        client_id: str = "app-1",
        client_secret: str = "app-secret",
        tenant: str = "acme.onmicrosoft.com",
        environment: str = "production",
        seed: int = 1,
        faults: Faults | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(seed=seed, faults=faults, now=now)
        self.client_id, self.client_secret = client_id, client_secret
        self.tenant, self.environment = tenant, environment
        self.books = Books(lambda: self.now())
        self.subscriptions: dict[str, Record] = {}
        self.page = 100
        self.refuse: dict[str, Refused] = {}
        """By "METHOD entity" or "action": answer this error instead of acting, until removed."""
        self._tokens: set[str] = set()

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """See `Simulator.routes`."""
        methods = [HttpMethod.GET, HttpMethod.POST, HttpMethod.PATCH, HttpMethod.DELETE]

        @post("/{tenant:str}/oauth2/v2.0/token", status_code=200)
        async def token(request: Request[Any, Any, Any], tenant: FromPath[str]) -> Response[bytes]:
            return self._grant(dict(await request.form()), request.headers.get("authorization", ""))

        @route("/v2.0/{rest:path}", http_method=methods)
        async def api(request: Request[Any, Any, Any], rest: FromPath[str]) -> Response[bytes]:
            return await self._serve(request, rest)

        return [token, api]

    def throttled(self) -> tuple[int, dict[str, str], bytes]:
        """See `Simulator.throttled`."""
        body = _fault("Application_TooManyRequests", "The request rate limit has been exceeded.")
        return 429, {"retry-after": "2", "content-type": CONTENT}, body

    def notify(self, url: str, notifications: Sequence[Record]) -> None:
        """Tell a subscriber what changed."""
        body = msgspec.json.encode({"value": list(notifications)})
        self.deliver(Sent(url=url, headers={"content-type": "application/json"}, body=body))

    # --- serving -----------------------------------------------------------------------------------------------------

    def _grant(self, form: Record, basic: str) -> Response[bytes]:
        known = (form.get("client_id"), form.get("client_secret")) == (self.client_id, self.client_secret)
        if (not known and not basic.startswith("Basic ")) or (basic and not self._basic(basic)):
            body = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
            return Response(msgspec.json.encode(body), status_code=401, media_type="application/json")
        token = f"token-{len(self._tokens) + 1}-{self.random.randrange(10**9)}"
        self._tokens.add(token)
        answer = {"token_type": "Bearer", "expires_in": 3599, "access_token": token}
        return Response(msgspec.json.encode(answer), status_code=200, media_type="application/json")

    def _basic(self, header: str) -> bool:
        return header == "Basic " + base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()

    async def _serve(self, request: Request[Any, Any, Any], rest: str) -> Response[bytes]:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._tokens:
            body = _fault("Authentication_InvalidCredentials", "The server has rejected the client credentials.")
            return Response(body, status_code=401, media_type=CONTENT)
        try:
            status, answer = await self._act(request, rest)
        except Refused as refused:
            refusal = refused.refusal
            body = _fault(refusal.code, refusal.message)
            return Response(body, status_code=refusal.status, media_type=CONTENT)
        return Response(b"" if answer is None else _encoder.encode(answer), status_code=status, media_type=CONTENT)

    async def _act(self, request: Request[Any, Any, Any], rest: str) -> tuple[int, Record | None]:
        base = f"/{self.tenant}/{self.environment}/api/v2.0/"
        body = await request.body()
        values: Record = _decoder.decode(body) if body else {}
        if not rest.startswith(base):
            raise Refused(404, "BadRequest_NotFound", "No HTTP resource was found that matches the request URI.")
        path = rest.removeprefix(base)
        tag = request.headers.get("if-match", "")
        if request.method == "PATCH" and not tag:
            raise Refused(400, "BadRequest_InvalidToken", "Could not validate the client concurrency token.")
        if path.startswith("subscriptions"):
            return await self._subscribe(request.method, path, values)
        if not path.startswith(f"companies({COMPANY})"):
            raise Refused(404, "Internal_CompanyNotFound", "Cannot find a company.")
        path = path.removeprefix(f"companies({COMPANY})").strip("/")
        if not path:
            return 200, {"id": COMPANY, "name": "CRONUS"}
        match = PATH.fullmatch(path)
        if match is None:
            raise Refused(404, "BadRequest_NotFound", f"Resource not found: {path}")
        refused = self.refuse.get(f"{request.method} {match['entity']}") or self.refuse.get(match["rest"] or "")
        if refused is not None:
            raise refused
        if request.method == "GET":
            return 200, self._read(request, match)
        return self._write(request.method, match, values, tag)

    def _read(self, request: Request[Any, Any, Any], match: re.Match[str]) -> Record:
        if match["rest"] == "journalLines":
            return {"value": simulator_journals.lines_of(self.books, match["id"])}
        if match["id"]:
            return self._found(match["entity"], match["id"])
        query = request.query_params
        rows = self.books.search(match["entity"], query.get("$filter", ""))
        start = int(query.get("$skiptoken", 0))
        part = [self._expanded(row, query.get("$expand")) for row in rows[start : start + self.page]]
        answer: Record = {"@odata.context": f"{self.base_url}/$metadata#{match['entity']}", "value": part}
        if start + self.page < len(rows):
            following = urlencode({name: query[name] for name in query} | {"$skiptoken": str(start + self.page)})
            answer["@odata.nextLink"] = f"{self.base_url}{request.url.path}?{following}"
        return answer

    def _expanded(self, row: Record, expand: str | None) -> Record:
        if "purchaseOrderLines" in row and expand != "purchaseOrderLines":
            return {name: value for name, value in row.items() if name != "purchaseOrderLines"}
        return row | {"salesOrderLines": self.books.lines_of(row)} if expand == "salesOrderLines" else row

    def _found(self, entity: str, record: str) -> Record:
        found = self.books.sets().get(entity, {}).get(record)
        if found is None:
            raise Refused(404, "BadRequest_ResourceNotFound", f"Resource not found for the segment {entity}.")
        return found

    def _write(self, method: str, match: re.Match[str], values: Record, tag: str) -> tuple[int, Record | None]:
        entity, books = match["entity"], self.books
        if method == "PATCH":
            return 200, books.change(entity, self._found(entity, match["id"]), values, tag)
        match entity, match["rest"]:
            case "customers", None:
                return 201, books.add_customer(values)
            case "salesOrders", None:
                return 201, books.add_order(values)
            case "salesCreditMemos", None:
                return 201, books.add_memo(values)
            case "journals", None if method == "DELETE":
                del books.journals[self._found(entity, match["id"])["id"]]
            case "journals", None:
                return 201, simulator_journals.add_journal(books, values)
            case "journals", "journalLines":
                return 201, simulator_journals.add_line(books, self._found(entity, match["id"]), values)
            case "journals", "Microsoft.NAV.post":
                simulator_journals.post_journal(books, self._found(entity, match["id"]))
            case "salesOrders", "salesOrderLines":
                return 201, books.add_order_line(self._found(entity, match["id"]), values)
            case "salesOrders", "Microsoft.NAV.shipAndInvoice":
                books.ship_and_invoice(self._found(entity, match["id"]))
            case "salesCreditMemos", "Microsoft.NAV.post":
                books.post_memo(self._found(entity, match["id"]))
            case _:
                raise Refused(404, "BadRequest_NotFound", f"No such action: {match['rest']}")
        return 204, None

    async def _subscribe(self, method: str, path: str, values: Record) -> tuple[int, Record]:
        if method == "GET":
            return 200, {"value": list(self.subscriptions.values())}
        await self._shake_hands(values["notificationUrl"])
        known = path.partition("('")[2].removesuffix("')")
        if not known and any(
            (one["notificationUrl"], one["resource"]) == (values["notificationUrl"], values["resource"])
            for one in self.subscriptions.values()
        ):
            raise Refused(400, "Application_DialogException", "The subscription already exists.")
        identity = known or f"sub{len(self.subscriptions) + 1}"
        ends = (self.now() + LIFE).isoformat().replace("+00:00", "Z")
        record = {**values, "subscriptionId": identity, "expirationDateTime": ends, "@odata.etag": f'W/"{ends}"'}
        self.subscriptions[identity] = record
        return 200 if known else 201, record

    async def _shake_hands(self, url: str) -> None:
        token = f"token-{self.random.randrange(10**9)}"
        answer = await asyncio.to_thread(_asked, f"{url}?{urlencode({'validationToken': token})}")
        if answer != token:
            message = "The notification address did not return the validation token."
            raise Refused(400, "BadRequest", message)


def _asked(url: str) -> str | None:
    """What an address answers to an empty POST; None when it is not 200."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=5) as answer:
            return answer.read().decode() if answer.status == 200 else None
    except urllib.error.URLError:
        return None


def _fault(code: str, message: str) -> bytes:
    return msgspec.json.encode({"error": {"code": code, "message": message}})
