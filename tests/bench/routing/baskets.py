"""Baskets of real shops, when their data lies beside the repository, and made-up ones from a seed when it does not.

None of the data is part of the project. Addresses, nodes and stock are ours in either case: a customer lives in a city
by a keyed hash weighted with population; nodes stand where a published test bed has them, when that is there too.
"""

import csv
import gzip
import random
from bisect import bisect
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import accumulate
from pathlib import Path
from typing import Final, NamedTuple

DATA: Final = Path(__file__).resolve().parents[4] / "shared" / "data"
MOST_LINES: Final = 40
GRAMS_PER_POUND: Final = 454


class Basket(NamedTuple):
    """One order: units by SKU."""

    at: datetime
    city: int
    units: dict[str, int]


class Shop(NamedTuple):
    """What a stream is replayed from. Places are (latitude, longitude)."""

    name: str
    baskets: list[Basket]
    cities: list[tuple[float, float]]
    nodes: list[tuple[float, float]]
    grams: int
    """Weight of a unit."""
    made_up: str
    """What of it is not real."""


class Source(NamedTuple):
    """How a shop's file is read."""

    file: str
    skus: int
    """The most frequent ones that are kept."""
    most_units: int
    grams: int
    nodes: str
    made_up: str


SOURCES: Final[Mapping[str, Source]] = {
    "retail-5": Source(
        "online_retail_dev.csv.gz",
        300,
        24,
        GRAMS_PER_POUND // 5,
        "fulfillment_centers_warmup.csv",
        "real web-shop orders (UCI Online Retail, Chen, Sain & Guo 2012); addresses, nodes and stock are made up",
    ),
    "basket-10": Source(
        "complete_journey_dev.csv.gz",
        2000,
        6,
        GRAMS_PER_POUND,
        "fulfillment_centers.csv",
        "Complete Journey baskets (84.51°); addresses, nodes and stock are made up",
    ),
}
"""The set-ups of two shops, of 5 and 10 nodes."""


class Geography(NamedTuple):
    """Cities with their weights."""

    places: list[tuple[float, float]]
    cumulated: list[int]

    def city_of(self, customer: str) -> int:
        """The same city for the same customer, the likelier the larger it is."""
        key = blake2b(customer.encode(), key=b"crossdock-geography", digest_size=8).digest()
        return bisect(self.cumulated, int.from_bytes(key, "big") * self.cumulated[-1] >> 64)


def geography(file: str) -> Geography:
    """Cities of the test bed, whose folder must be there."""
    rows = _rows(file)
    return Geography(
        [(float(row[2]), float(row[3])) for row in rows], list(accumulate(int(float(row[4])) for row in rows))
    )


def nodes_of(file: str) -> list[tuple[float, float]]:
    """Nodes of the test bed."""
    return [(float(row[2]), float(row[3])) for row in _rows(file)]


def _rows(file: str) -> list[list[str]]:
    with (DATA / "js_network" / file).open(encoding="utf-8-sig", newline="") as text:
        return [row for row in csv.reader(text) if row]


def load(name: str) -> Shop | None:
    """A shop of real baskets; None when its data is not there."""
    source = SOURCES[name]
    if not (DATA / source.file).exists() or not (DATA / "js_network").exists():
        return None
    land = geography("cities.csv")
    with gzip.open(DATA / source.file, "rt", newline="") as text:
        rows = list(csv.DictReader(text))
    kept = {sku for sku, _ in Counter(row["sku"] for row in rows).most_common(source.skus)}
    orders: dict[str, Basket] = {}
    for row in rows:
        if row["sku"] in kept:
            known = orders.get(row["order_id"])
            if known is None:
                city = land.city_of(row["customer_id"] or row["order_id"])
                known = orders[row["order_id"]] = Basket(datetime.fromisoformat(row["ordered_at"]), city, {})
            known.units[row["sku"]] = known.units.get(row["sku"], 0) + int(row["qty"])
    baskets = [
        basket._replace(units={sku: min(units, source.most_units) for sku, units in basket.units.items()})
        for basket in orders.values()
        if len(basket.units) <= MOST_LINES
    ]
    return Shop(name, baskets, land.places, nodes_of(source.nodes), source.grams, source.made_up)


def made_up(seed: int = 3, orders_per_day: int = 30, days: int = 112) -> Shop:
    """A shop from a seed: 40 cities of falling size, 6 nodes, 400 SKUs of falling demand, 1 to 12 lines."""
    chance = random.Random(seed)
    cities = [(chance.uniform(27, 47), chance.uniform(-120, -72)) for _ in range(40)]
    nodes = [(chance.uniform(27, 47), chance.uniform(-120, -72)) for _ in range(6)]
    land = list(accumulate(1000 // (place + 1) for place in range(len(cities))))
    wanted = list(accumulate(10_000 // (place + 10) for place in range(400)))
    start = datetime(2026, 1, 1, 8)  # noqa: DTZ001 - a shop's local time, as in the real files
    baskets = []
    for day in range(days):
        for order in range(orders_per_day):
            units: dict[str, int] = {}
            for _ in range(min(12, 1 + int(chance.expovariate(0.35)))):
                sku = f"S{bisect(wanted, chance.randrange(wanted[-1])):03}"
                units[sku] = chance.choice((1, 1, 1, 1, 2, 3))
            at = start + timedelta(days=day, minutes=order)
            baskets.append(Basket(at, bisect(land, chance.randrange(land[-1])), units))
    return Shop("made-up-6", baskets, cities, nodes, GRAMS_PER_POUND, "everything, from a seed")
