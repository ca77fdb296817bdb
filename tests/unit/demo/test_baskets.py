"""The worlds of the demo: seeded ones, and those of a file."""

import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from hub.demo.baskets import ITEMS, FileFault, seeded_world, world_of_file
from hub.demo.places import CITIES, SERVED_BY, SITES, customer
from hub.domain.network import NodeKind

HEAD = "order_id,ordered_at,sku,qty,unit_price,customer_id,country\n"
ROWS = (
    "536365,2010-12-01T08:26,85123A,6,2.55,17850,United Kingdom\n"
    "536365,2010-12-01T08:26,71053,600,3.39,17850,United Kingdom\n"
    "536370,2010-12-01T08:45,22728,24,3.75,12583,France\n"
    "536371,2010-12-01T09:00,22728,2,3.80,,USA\n"
    "536372,2010-12-01T09:01,85123A,1,2.55,17850,United Kingdom\n"
)


def test_the_same_seed_makes_the_same_world() -> None:
    assert seeded_world(20, seed=7) == seeded_world(20, seed=7)
    assert seeded_world(20, seed=7) != seeded_world(20, seed=8)


def test_a_seeded_world_is_stocked_unevenly_and_sells_what_it_has() -> None:
    world = seeded_world(300, seed=1)
    skus = {good.sku for good in world.goods}
    assert len(skus) == ITEMS
    assert set(world.stock) == {site.code for site in SITES}
    sizes = {site.kind: len(world.stock[site.code]) for site in SITES}
    assert sizes[NodeKind.DC] > sizes[NodeKind.THIRD_PARTY] > sizes[NodeKind.STORE] > 0
    assert {sku for basket in world.baskets for sku, _ in basket.lines} <= skus
    sold = [sku for basket in world.baskets for sku, _ in basket.lines]
    hottest = max(set(sold), key=sold.count)
    assert sold.count(hottest) > 5 * len(sold) / ITEMS
    everywhere = {sku: sum(shelf.get(sku, 0) for shelf in world.stock.values()) for sku in skus}
    assert min(everywhere.values()) < 10 < max(everywhere.values())


def test_a_file_becomes_orders_of_three_shops(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(HEAD + ROWS)
    world = world_of_file(file, None, seed=1)
    uk, eu, us, again = world.baskets
    assert [basket.region for basket in world.baskets] == ["uk", "eu", "us", "uk"]
    assert uk.lines == (("85123A", 6), ("71053", 600))
    assert uk.prices == {"85123A": Decimal("2.55"), "71053": Decimal("3.39")}
    assert (eu.prices, us.prices) == ({"22728": Decimal("3.75")}, {"22728": Decimal("3.80")})
    assert uk.ship_to == again.ship_to != us.ship_to
    assert {good.sku for good in world.goods} == {"85123A", "71053", "22728"}
    stocked = sum(world.stock[code].get("71053", 0) for code in SERVED_BY["uk"])
    assert stocked > 600
    assert "synthetic geography" in world.synthetic


def test_a_packed_file_is_read_and_cut_after_so_many_orders(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv.gz"
    file.write_bytes(gzip.compress((HEAD + ROWS).encode()))
    assert len(world_of_file(file, 2, seed=1).baskets) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD, "has no orders"),
        ("order_id,sku\n1,A\n", "row 2: no ordered_at, qty, unit_price, customer_id, country"),
        (HEAD + "1,2010-12-01,A,many,1.00,7,France\n", "row 2: qty is a whole number"),
        (HEAD + "1,2010-12-01,A,1,1.00,7,France\n2,2010-12-01,B,0,1.00,7,France\n", "row 3: an order id"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(text)
    with pytest.raises(FileFault, match=told):
        world_of_file(file, None, seed=1)


def test_a_file_that_is_not_what_its_name_says_is_told(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv.gz"
    file.write_text(HEAD + ROWS)
    with pytest.raises(FileFault, match="cannot be read"):
        world_of_file(file, None, seed=1)


@pytest.mark.parametrize("region", sorted(CITIES))
def test_customers_live_where_their_shop_delivers(region: str) -> None:
    people = [customer(region, str(number)) for number in range(300)]
    cities = {city.name: city for city in CITIES[region]}
    for person in people:
        assert person.city is not None
        assert person.country == cities[person.city].country
        assert person.deliverable
    assert customer(region, "17850") == customer(region, "17850")
    counts = {name: sum(person.city == name for person in people) for name in cities}
    largest = max(cities.values(), key=lambda city: city.weight)
    assert counts[largest.name] == max(counts.values())


def test_every_shop_has_nodes_of_every_kind() -> None:
    kinds = {site.code: site.kind for site in SITES}
    assert len(SITES) == 12
    assert len({site.timezone for site in SITES}) >= 6
    for codes in SERVED_BY.values():
        assert {kinds[code] for code in codes} == {NodeKind.DC, NodeKind.THIRD_PARTY, NodeKind.STORE}
