"""Suppliers: agreed prices, and a person's choices about a purchase order."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated

import msgspec
from litestar import Controller, Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from hub.domain.fulfilment import split_fulfilment_id
from hub.domain.money import MINOR_UNITS
from hub.domain.network import NodeKind
from hub.domain.supplier_link import LINK_DAYS, supplier_key, supplier_url
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.purchase import approve_cost, take_back
from hub.flow.refusal import CannotDo
from hub.flow.take_order import advance
from hub.store.admin import supplier_prices
from hub.store.admin.errors import Conflict, Fault, Invalid
from hub.store.admin.fulfilments import get_fulfilment
from hub.store.admin.items import items_by_sku
from hub.store.admin.nodes import node_ids
from hub.store.admin.order_views import FulfilmentView
from hub.store.admin.paging import Page
from hub.store.admin.supplier_prices import PriceWrite, SupplierPriceView
from hub.store.admin.tokens import Role
from hub.web.api.order_actions import load
from hub.web.auth import NEEDS
from hub.web.bodies import places
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Price = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$")]


class SupplierPriceBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a unit costs at a supplier; null takes the price away."""

    node: Text
    sku: Text
    currency: Text
    unit_cost: Price | None


class TakeBackBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the node is not to do it."""

    reason: Text = "taken back"


class PageLinkBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how long."""

    days: Annotated[int, msgspec.Meta(ge=1, le=365)] = LINK_DAYS


class PageLinkView(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever has it answers for the node."""

    url: str
    expires_at: datetime


async def price(tx: Work, bodies: list[SupplierPriceBody], at: list[str]) -> Page[SupplierPriceView]:
    """Write prices: all of them or, with any fault, none."""
    codes = await node_ids(tx.connection, sorted({body.node for body in bodies}))
    items = await items_by_sku(tx.connection, tx.merchant, sorted({body.sku for body in bodies}))
    faults = []
    for body, where in zip(bodies, at, strict=True):
        faults += [Fault(f"no node {body.node!r}", f"{where}/node")] if body.node not in codes else []
        faults += [Fault(f"no item {body.sku!r}", f"{where}/sku")] if body.sku not in items else []
        if body.currency not in MINOR_UNITS:
            faults.append(Fault("is no currency of ISO 4217", f"{where}/currency"))
    keys = [(body.node, body.sku, body.currency) for body in bodies]
    faults += [Fault("the same node, sku and currency stand twice", at[n]) for n, k in enumerate(keys) if k in keys[:n]]
    if faults:
        raise Invalid(faults)
    cost = [None if body.unit_cost is None else Decimal(body.unit_cost) for body in bodies]
    writes = [
        PriceWrite(codes[body.node], items[body.sku], body.currency, amount)
        for body, amount in zip(bodies, cost, strict=True)
    ]
    await supplier_prices.put_prices(tx.connection, tx.merchant, writes)
    views = [
        SupplierPriceView(node=body.node, sku=body.sku, currency=body.currency, unit_cost=amount)
        for body, amount in zip(bodies, cost, strict=True)
        if amount is not None
    ]
    return Page(items=views, next=None)


async def decide(tx: Work, id: str, do: Callable[[Order, int, Batch], None]) -> FulfilmentView:
    """A person's choice about one fulfilment order. Raises `Missing`, and `Conflict` when it is too late for it."""
    view = await get_fulfilment(tx.connection, tx.merchant, id)
    order, batch = await load(tx, view.order), await tx.batch()
    try:
        do(order, split_fulfilment_id(id)[1], batch)
    except CannotDo as refusal:
        raise Conflict("cannot-do", str(refusal)) from refusal
    await advance(tx.unit, [order], batch)
    tx.ring("deliver", "availability", "waiting")
    return await get_fulfilment(tx.connection, tx.merchant, id)


async def link(tx: Work, id: str, data: PageLinkBody) -> PageLinkView:
    """Make a link. Raises `Missing`, and `Conflict` when a system of the node's own speaks for it."""
    view = await get_fulfilment(tx.connection, tx.merchant, id)
    kinds = {node.code: node.kind for node in (await tx.hub.directory()).nodes.values()}
    if view.connection is not None and kinds.get(view.node) is not NodeKind.SUPPLIER:
        raise Conflict("partner-speaks", f"Node {view.node} is worked by connection {view.connection}; its word counts")
    until = (tx.now + timedelta(days=data.days)).replace(microsecond=0)
    url = supplier_url(tx.hub.settings.address, view.id, until, supplier_key(tx.hub.link_key))
    return PageLinkView(url=url, expires_at=until)


class SupplierPrices(Controller):
    """What suppliers agreed to take for a unit."""

    path = "/supplier-prices"
    tags = ("fulfilment",)

    @get("/", summary="List agreed prices")
    async def list_prices(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        node: FromQuery[str | None] = None,
        sku: FromQuery[str | None] = None,
    ) -> Page[SupplierPriceView]:
        """Prices by node and SKU. Where there is none, a purchase order names the item's own `unit_cost`."""
        async with hub.database.connection() as connection:
            return await supplier_prices.list_prices(connection, request.user.merchant, cut, node=node, sku=sku)

    @put("/", summary="Write agreed prices", opt={"many": True, NEEDS: Role.OPERATOR})
    async def put_prices(
        self, hub: Hub, request: ApiRequest, data: JSONBody[list[SupplierPriceBody]]
    ) -> Response[Page[SupplierPriceView]]:
        """One, or many as `{"items": [...]}`. Purchase orders that were sent keep the price that was agreed then."""
        return await commit(hub, request, lambda tx: price(tx, data, places(request)))


class PurchaseOrders(Controller):
    """What a person decides about a supplier's purchase order, which is a fulfilment order like any other."""

    path = "/fulfilment-orders"
    tags = ("fulfilment",)

    @post("/{id:str}/approve-cost", summary="Agree to what the supplier asks for", status_code=200)
    async def approve(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[FulfilmentView]:
        """Its prices are the agreed ones from now on, and the exception is closed."""
        return await commit(
            hub,
            request,
            lambda tx: decide(tx, id, lambda order, no, batch: approve_cost(order, no, tx.who, batch)),
        )

    @post("/{id:str}/take-back", summary="Take it back and route it anew", status_code=200)
    async def take_back(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[TakeBackBody | None] = None
    ) -> Response[FulfilmentView]:
        """The node is asked to let go; then its units are decided anew, without it for a while."""
        reason = (data or TakeBackBody()).reason
        return await commit(
            hub,
            request,
            lambda tx: decide(tx, id, lambda order, no, batch: take_back(order, no, reason, tx.who, batch)),
        )

    @post("/{id:str}/link", summary="Make a link for the supplier", status_code=200)
    async def make_link(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[PageLinkBody | None] = None
    ) -> Response[PageLinkView]:
        """To a page on which it answers without logging in. Nothing is stored of it, so it cannot be taken back."""
        return await commit(hub, request, lambda tx: link(tx, id, data or PageLinkBody()))
