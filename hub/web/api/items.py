"""Items, and the channels' names for them."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Final

import msgspec
from litestar import Controller, Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from hub.domain.item import Component, Customs, Dimensions, LotPolicy, StockMode
from hub.domain.money import MINOR_UNITS
from hub.store.admin import items, sku_maps
from hub.store.admin.accounts import find_account, find_accounts
from hub.store.admin.errors import Conflict, Fault, Invalid, pointer
from hub.store.admin.items import ItemView, ItemWrite
from hub.store.admin.mending import mend_accounts, mend_items
from hub.store.admin.paging import Page
from hub.store.admin.sku_maps import SkuMapView
from hub.store.admin.tokens import Role
from hub.web.auth import NEEDS
from hub.web.bodies import places
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit

Sku = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Units = Annotated[int, msgspec.Meta(ge=0, le=2_000_000_000)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=2_000_000_000)]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
Price = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$")]
MOST_ITEMS: Final = 10_000


class ComponentBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A component of a kit: `quantity` base units of `sku`."""

    sku: Sku
    quantity: Positive = 1


class DimensionsBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Outer size in millimetres."""

    length_mm: Positive
    width_mm: Positive
    height_mm: Positive


class CustomsBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a border asks."""

    hs_code: Word | None = None
    origin_country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")] | None = None
    description: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    value: dict[Currency, Price] = {}
    """What a base unit is declared at, by currency, where nothing was paid for it."""


class ItemBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An item as it shall be: what is left out gets its default. With another `sku` than the path's it is renamed."""

    sku: Sku | None = None
    title: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    barcodes: Annotated[list[Word], msgspec.Meta(max_length=100)] = []
    base_unit: Word = "each"
    conversions: dict[str, Positive] = {}
    """Base units per other unit: {"case": 12}."""
    weight_g: Units | None = None
    dimensions: DimensionsBody | None = None
    classes: Word | list[Word] | None = msgspec.field(name="class", default=None)
    """hazmat, age_restricted, cold, ...: what a node must be capable of."""
    customs: CustomsBody | None = None
    unit_cost: dict[Currency, Price] = {}
    """What a base unit costs you, by currency: {"EUR": "3.20"}. Routing policies may ask what a part of an order earns;
    without it that is unknown."""
    price: dict[Currency, Price] = {}
    """List price of a base unit, by currency: {"EUR": "9.90"}. It never changes what an order says was paid; goods that
    cost nothing are declared to customs at it, unless `customs.value` says otherwise."""
    ships: bool = True
    stock_mode: StockMode = StockMode.TRACKED
    lot_policy: LotPolicy = LotPolicy.NONE
    safety: Units = 0
    """Units kept back at every node."""
    components: Annotated[list[ComponentBody], msgspec.Meta(max_length=200)] = []
    available_from: date | None = None
    """The day before which it is sold as a pre-order, and not sent, whatever is on the shelves."""


class BulkItems(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Many items at once: all of them or, with any fault, none."""

    items: Annotated[list[ItemBody], msgspec.Meta(min_length=1, max_length=MOST_ITEMS)]


class SkuMapBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A channel's variant is this item. `account` is its name or a connection's id; an item of null unmaps."""

    account: Sku
    external_variant: Sku
    item: int | Sku | None
    """Item id, or its SKU."""


def _refuse_currencies(body: ItemBody, at: str) -> None:
    value = body.customs.value if body.customs else {}
    prices = (("unit_cost", body.unit_cost), ("price", body.price), ("customs/value", value))
    strange = [f"{name}/{currency}" for name, known in prices for currency in known if currency not in MINOR_UNITS]
    if strange:
        raise Invalid([Fault("is no currency of ISO 4217", f"{at}/{where}") for where in strange])


def _exact(prices: dict[str, str]) -> dict[str, Decimal]:
    return {currency: Decimal(price) for currency, price in prices.items()}


def _write(sku: str, body: ItemBody, at: str) -> ItemWrite:
    _refuse_currencies(body, at)
    given = body.classes or []
    return ItemWrite(
        sku=sku,
        at=at,
        title=body.title,
        barcodes=tuple(body.barcodes),
        base_unit=body.base_unit,
        conversions=body.conversions,
        weight_g=body.weight_g,
        dimensions=msgspec.convert(body.dimensions, Dimensions | None, from_attributes=True),
        classes=tuple([given] if isinstance(given, str) else given),
        customs=msgspec.convert(body.customs, Customs | None, from_attributes=True),
        unit_cost=_exact(body.unit_cost),
        price=_exact(body.price),
        ships=body.ships,
        stock_mode=body.stock_mode,
        lot_policy=body.lot_policy,
        safety=body.safety,
        components=tuple(Component(sku=part.sku, quantity=part.quantity) for part in body.components),
        available_from=body.available_from,
    )


async def store(tx: Work, writes: list[ItemWrite]) -> list[ItemView]:
    """Write items, close the questions they answer, and wake what waited for them."""
    made = await items.put_items(tx.connection, tx.merchant, writes, tx.now)
    named = [(item.item, item.sku) for item in made]
    await mend_items(tx.connection, tx.merchant, named, who=tx.who, now=tx.now)
    await tx.unit.wake(
        tx.merchant, [f"sku:{item.sku}" for item in made] + [f"item:{item.item}" for item in made], tx.now
    )
    tx.ring("waiting", "stock", "availability", "deliver")
    return made


async def put_one(tx: Work, sku: str, body: ItemBody) -> ItemView:
    """Make, replace or rename an item."""
    if body.sku is not None and body.sku != sku:
        if await items.items_by_sku(tx.connection, tx.merchant, [body.sku]):
            raise Conflict("sku-taken", f"Another item has the SKU {body.sku!r}")
        await items.rename_item(tx.connection, tx.merchant, sku, body.sku)
    return (await store(tx, [_write(body.sku or sku, body, "")]))[0]


async def put_many(tx: Work, bodies: list[ItemBody]) -> Page[ItemView]:
    """Make or replace many items."""
    faults = [Fault("is missing", pointer("items", n, "sku")) for n, body in enumerate(bodies) if body.sku is None]
    if faults:
        raise Invalid(faults)
    writes = [_write(body.sku or "", body, pointer("items", n)) for n, body in enumerate(bodies)]
    return Page(items=await store(tx, writes), next=None)


async def map_variants(tx: Work, bodies: list[SkuMapBody], at: list[str]) -> Page[SkuMapView]:
    """Map variants to items, and wake the lines that waited for them."""
    accounts = await find_accounts(
        tx.connection, tx.merchant, [b.account for b in bodies], [f"{a}/account" for a in at]
    )
    found = await _items_named(tx, bodies, at)
    await sku_maps.put_sku_maps(
        tx.connection,
        [
            (account.id, body.external_variant, item[0] if item else None)
            for account, body, item in zip(accounts, bodies, found, strict=True)
        ],
    )
    words = [f"variant {body.external_variant}" for body in bodies]
    await mend_accounts(tx.connection, tx.merchant, "unknown_sku", words, who=tx.who, now=tx.now)
    await sku_maps.wake_variants(tx.connection, [account.id for account in accounts])
    tx.ring("waiting")
    views = [
        SkuMapView(
            account=account.name,
            adapter=account.adapter,
            external_variant=body.external_variant,
            item=item[0],
            sku=item[1],
        )
        for account, body, item in zip(accounts, bodies, found, strict=True)
        if item is not None
    ]
    return Page(items=views, next=None)


async def _items_named(tx: Work, bodies: list[SkuMapBody], at: list[str]) -> list[tuple[int, str] | None]:
    """(id, SKU) of each mapping's item, named by either; None where a mapping is taken away. Raises `Invalid`."""
    rows = await tx.connection.fetch(
        "SELECT id, sku FROM item WHERE merchant = $1 AND (id = ANY($2::bigint[]) OR sku = ANY($3::text[]))",
        tx.merchant,
        [b.item for b in bodies if isinstance(b.item, int)],
        [b.item for b in bodies if isinstance(b.item, str)],
    )
    known: dict[int | str | None, tuple[int, str] | None] = {None: None}
    for row in rows:
        known[row["id"]] = known[row["sku"]] = (row["id"], row["sku"])
    faults = [
        Fault(f"no item {body.item!r}", f"{where}/item")
        for body, where in zip(bodies, at, strict=True)
        if body.item not in known
    ]
    if faults:
        raise Invalid(faults)
    return [known[body.item] for body in bodies]


class Items(Controller):
    """What can be sold."""

    path = "/items"
    tags = ("items",)
    opt = {NEEDS: Role.INTEGRATOR}  # noqa: RUF012

    @get("/", summary="List items", opt={NEEDS: Role.VIEWER})
    async def list_items(
        self, hub: Hub, request: ApiRequest, cut: Paged, q: FromQuery[str | None] = None
    ) -> Page[ItemView]:
        """Items by SKU; `q` is a part of a SKU or title, or a barcode."""
        async with hub.database.connection() as connection:
            return await items.list_items(connection, request.user.merchant, cut, q)

    @post("/", summary="Make or replace many items", status_code=200)
    async def bulk(self, hub: Hub, request: ApiRequest, data: JSONBody[BulkItems]) -> Response[Page[ItemView]]:
        """All of them in one transaction."""
        return await commit(hub, request, lambda tx: put_many(tx, data.items))

    @post("/bulk", summary="Make or replace many items", status_code=200)
    async def bulk_again(self, hub: Hub, request: ApiRequest, data: JSONBody[BulkItems]) -> Response[Page[ItemView]]:
        """The same as POST /items."""
        return await commit(hub, request, lambda tx: put_many(tx, data.items))

    @get("/{sku:path}", summary="Read an item", opt={NEEDS: Role.VIEWER})
    async def get_item(self, hub: Hub, request: ApiRequest, sku: FromPath[str]) -> ItemView:
        """One item."""
        async with hub.database.connection() as connection:
            return await items.get_item(connection, request.user.merchant, sku.removeprefix("/"))

    @put("/{sku:path}", summary="Make or replace an item")
    async def put_item(
        self, hub: Hub, request: ApiRequest, sku: FromPath[str], data: JSONBody[ItemBody]
    ) -> Response[ItemView]:
        """Make or replace an item; orders that waited for it go on at once."""
        return await commit(hub, request, lambda tx: put_one(tx, sku.removeprefix("/"), data))


class SkuMaps(Controller):
    """Variants of channels whose SKU is missing or not unique."""

    path = "/sku-maps"
    tags = ("items",)
    opt = {NEEDS: Role.INTEGRATOR}  # noqa: RUF012

    @get("/", summary="List mappings of variants", opt={NEEDS: Role.VIEWER})
    async def list_sku_maps(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        account: FromQuery[str | None] = None,
        external_variant: FromQuery[str | None] = None,
    ) -> Page[SkuMapView]:
        """Mappings by account and variant."""
        merchant = request.user.merchant
        async with hub.database.connection() as connection:
            known = await find_account(connection, merchant, account, "account") if account else None
            return await sku_maps.list_sku_maps(
                connection, merchant, cut, account=known.id if known else None, variant=external_variant
            )

    @put("/", summary="Map variants to items", opt={"many": True, NEEDS: Role.INTEGRATOR})
    async def put_sku_maps(
        self, hub: Hub, request: ApiRequest, data: JSONBody[list[SkuMapBody]]
    ) -> Response[Page[SkuMapView]]:
        """One mapping, or many as `{"items": [...]}`; lines that waited for them go on at once."""
        return await commit(hub, request, lambda tx: map_variants(tx, data, places(request)))
