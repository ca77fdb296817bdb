"""What is sold and who buys it: a seeded assortment with seeded baskets, or the baskets of a file."""

import csv
import gzip
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import accumulate, islice
from pathlib import Path
from typing import Final, TextIO

import msgspec

from hub.demo.places import SERVED_BY, SITES, customer
from hub.domain.contact import Contact
from hub.domain.network import NodeKind
from hub.sdk.testkit.player import Good

ITEMS: Final = 3000
HOT: Final = 24
"""So many items make up a third of all sales."""
SCARCE: Final = 60
"""So many items exist a few times only; one of the hot ones is among them."""

CENT: Final = Decimal("0.01")

_ADJECTIVES: Final = ("Linen", "Oak", "Brass", "Wool", "Enamel", "Slate", "Cork", "Copper", "Canvas", "Stone")
_NOUNS: Final = ("mug", "lamp", "tray", "throw", "vase", "clock", "basket", "stool", "apron", "frame", "candle", "bowl")

OVERSEAS: Final = {"USA", "Canada", "Brazil"}
BRITISH: Final = {"United Kingdom", "Channel Islands"}
COLUMNS: Final = ("order_id", "ordered_at", "sku", "qty", "unit_price", "customer_id", "country")


class FileFault(Exception):
    """An orders file that cannot be read; the message names the file, the row and what is wrong."""


class Basket(msgspec.Struct, frozen=True, kw_only=True):
    """An order to be placed."""

    region: str
    lines: tuple[tuple[str, int], ...]
    ship_to: Contact
    prices: Mapping[str, Decimal] = {}
    """Where they differ from the catalogue's."""


class World(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a run is made of. The same seed makes the same world."""

    goods: tuple[Good, ...]
    stock: Mapping[str, Mapping[str, int]]
    """Units by node and SKU."""
    baskets: tuple[Basket, ...]
    synthetic: str
    """What of it is invented, for the reader."""


def seeded_world(orders: int, seed: int) -> World:
    """An assortment of 3,000 items with a few hot and some scarce ones, stocked unevenly, and baskets for it."""
    chance = random.Random(seed)
    goods = tuple(_good(number, chance) for number in range(1, ITEMS + 1))
    skus = [good.sku for good in goods]
    chance.shuffle(skus)
    scarce = {skus[0], *skus[HOT : HOT + SCARCE - 1]}
    stock = _seeded_stock(skus, scarce, orders, chance)
    weights = [len(skus) / HOT / 2] * HOT + [1.0] * (len(skus) - HOT)
    totals = list(accumulate(weights))
    baskets = tuple(_basket(skus, totals, number, chance) for number in range(orders))
    return World(goods=goods, stock=stock, baskets=baskets, synthetic="invented goods, baskets and customers")


def _good(number: int, chance: random.Random) -> Good:
    title = f"{chance.choice(_ADJECTIVES)} {chance.choice(_NOUNS)}"
    price = Decimal(chance.randint(250, 12_000)) / 100
    return Good(sku=f"CD-{number:05d}", title=title, price=price.quantize(CENT), weight_g=chance.randint(50, 3000))


def _seeded_stock(
    skus: Sequence[str], scarce: set[str], orders: int, chance: random.Random
) -> dict[str, dict[str, int]]:
    carried = {NodeKind.DC: 0.95, NodeKind.THIRD_PARTY: 0.6, NodeKind.STORE: 0.2}
    most = {NodeKind.DC: 60, NodeKind.THIRD_PARTY: 30, NodeKind.STORE: 6}
    stock: dict[str, dict[str, int]] = {}
    for site in SITES:
        shelf = stock.setdefault(site.code, {})
        for rank, sku in enumerate(skus):
            if sku in scarce:
                if chance.random() < 0.25:
                    shelf[sku] = chance.randint(1, 2)
            elif chance.random() < carried[site.kind]:
                hot = orders // 20 if rank < HOT and site.kind is not NodeKind.STORE else 0
                shelf[sku] = chance.randint(1, most[site.kind]) + hot
    return stock


def _basket(skus: Sequence[str], totals: Sequence[float], number: int, chance: random.Random) -> Basket:
    region = chance.choices(tuple(SERVED_BY), (45, 30, 25))[0]
    size = chance.choices((1, 2, 3, 4, 5, 6), (45, 25, 14, 8, 5, 3))[0]
    lines = {sku: chance.choices((1, 2, 3), (80, 15, 5))[0] for sku in chance.choices(skus, cum_weights=totals, k=size)}
    return Basket(
        region=region, lines=tuple(lines.items()), ship_to=customer(region, f"{chance.randrange(10**6)}-{number}")
    )


class _Row(msgspec.Struct, frozen=True):
    order: str
    sku: str
    quantity: int
    price: Decimal
    customer: str
    region: str


def world_of_file(path: Path, orders: int | None, seed: int) -> World:
    """Real baskets: CSV (or .csv.gz) with the columns of COLUMNS, an order's rows standing together.

    The SKUs become the items; what is needed is stocked, unevenly, so that most of it can be served. Customers get an
    invented name and city. Raises `FileFault`, OSError.
    """
    chance = random.Random(seed)
    baskets = tuple(islice(_file_baskets(path), orders))
    if not baskets:
        raise FileFault(f"{path} has no orders")
    wanted: dict[str, Counter[str]] = {region: Counter() for region in SERVED_BY}
    prices: dict[str, Decimal] = {}
    for basket in baskets:
        for sku, units in basket.lines:
            wanted[basket.region][sku] += units
        prices.update(basket.prices)
    goods = tuple(
        Good(sku=sku, title=f"Article {sku}", price=price, weight_g=chance.randint(50, 1500))
        for sku, price in prices.items()
    )
    return World(
        goods=goods,
        stock=_needed_stock(wanted, chance),
        baskets=baskets,
        synthetic="real baskets, synthetic geography and stock",
    )


def _needed_stock(wanted: Mapping[str, Counter[str]], chance: random.Random) -> dict[str, dict[str, int]]:
    """What the region wants and more, most of it in the distribution centre; one item in a thousand is scarce.

    A wholesale basket has twenty lines and more: were one item in fifty scarce, every third order would wait.
    """
    stock: dict[str, dict[str, int]] = {site.code: {} for site in SITES}
    kinds = {site.code: site.kind for site in SITES}
    share = {NodeKind.DC: 1.0, NodeKind.THIRD_PARTY: 0.5, NodeKind.STORE: 0.1}
    for region, units in wanted.items():
        own = [site.code for site in SITES if site.region == region]
        for sku, quantity in units.items():
            scarce = chance.random() < 0.001
            for code in own:
                part = share[kinds[code]] * (0.4 if scarce else chance.uniform(0.9, 1.5))
                if kinds[code] is NodeKind.DC or chance.random() < 0.7:
                    stock[code][sku] = max(1, round(quantity * part))
    return stock


def _file_baskets(path: Path) -> Iterator[Basket]:
    current: list[_Row] = []
    with _open(path) as file:
        for row in _rows(path, file):
            if current and current[0].order != row.order:
                yield _file_basket(current)
                current = []
            current.append(row)
    if current:
        yield _file_basket(current)


def _open(path: Path) -> TextIO:
    return gzip.open(path, "rt", encoding="utf-8", newline="") if path.suffix == ".gz" else path.open(newline="")


def _rows(path: Path, file: TextIO) -> Iterator[_Row]:
    reader = csv.DictReader(file)
    try:
        for number, row in enumerate(reader, 2):
            yield _row(path, number, row)
    except (gzip.BadGzipFile, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise FileFault(f"{path} cannot be read: {error}") from error


def _row(path: Path, number: int, row: Mapping[str, str | None]) -> _Row:
    missing = [name for name in COLUMNS if row.get(name) is None]
    if missing:
        raise FileFault(f"{path}, row {number}: no {', '.join(missing)}; the columns are {', '.join(COLUMNS)}")
    told = {name: (row[name] or "").strip() for name in COLUMNS}
    try:
        quantity, price = int(told["qty"]), Decimal(told["unit_price"]).quantize(CENT, ROUND_HALF_UP)
    except (ValueError, InvalidOperation):
        raise FileFault(f"{path}, row {number}: qty is a whole number and unit_price a decimal") from None
    if quantity < 1 or price < 0 or not told["sku"] or not told["order_id"]:
        raise FileFault(f"{path}, row {number}: an order id, a SKU, a quantity above 0 and a price are needed")
    country = told["country"]
    region = "us" if country in OVERSEAS else "uk" if country in BRITISH else "eu"
    return _Row(told["order_id"], told["sku"], quantity, price, told["customer_id"] or told["order_id"], region)


def _file_basket(rows: Sequence[_Row]) -> Basket:
    lines = Counter[str]()
    prices: dict[str, Decimal] = {}
    for row in rows:
        lines[row.sku] += row.quantity
        prices[row.sku] = row.price
    first = rows[0]
    return Basket(
        region=first.region,
        lines=tuple(lines.items()),
        ship_to=customer(first.region, first.customer),
        prices=prices,
    )
