"""Cost terms with settings of their own, each with figures worked out by hand; and a term that is one new file."""

import textwrap
from datetime import timedelta

import pytest

from hub.domain.contact import Place
from hub.routing import terms
from hub.routing.decide import decide
from hub.routing.geography import kilometres, place_of, point
from hub.routing.model import Policy
from hub.routing.places import COUNTRIES, REGIONS, rough_place
from hub.routing.policy import PolicyError, load_policy
from hub.routing.prepare import prepare
from tests.unit.routing.worlds import AT, group, line, network, node, used

FREE = ("parcel_cost", "per_km", "per_kg", "late_cost", "unfilled_cost")
DE = Place(country="DE", postal_code="10 115", latitude=52.5, longitude=13.4)


def bare(text):
    """A policy of these terms, where nothing else costs anything."""
    free = "".join(f"{key} = 0\n" for key in FREE if f"{key} =" not in text)
    return load_policy(f'version = "t"\ncurrency = "EUR"\n{free}{text}')


def cost(text, wanted, *nodes):
    """What the plan costs under these terms alone."""
    return decide(wanted, network(*nodes), bare(text)).plan.cost


def test_picking_counts_lines_and_units_of_each_parcel():
    rules = "[terms.picking]\nper_line = 100\nper_unit = 7"
    assert cost(rules, group(line(1, quantity=3), line(2)), node(1, 3, 1)) == 2 * 100 + 4 * 7
    assert cost(rules, group(line(1, quantity=3)), node(1, 2), node(2, 1)) == 2 * 100 + 3 * 7, "picked at both"


def test_a_split_is_charged_by_the_parcel():
    rules = "[terms.split]\ncost = 40"
    assert cost(rules, group(line(1), line(2)), node(1, 1, 0), node(2, 0, 1)) == 80


@pytest.mark.parametrize(("left", "wanted"), [(10, 0), (5, 0), (4, 20), (1, 80), (0, 100)])
def test_load_rises_from_the_free_part_of_the_day(left, wanted):
    rules = "ignore_capacity = true\n[terms.load]\ncost = 100\nfree_percent = 50"
    assert cost(rules, group(line(1)), node(1, 1, capacity=10, capacity_left=left)) == wanted
    assert cost(rules, group(line(1)), node(1, 1)) == 0


@pytest.mark.parametrize(("held", "wanted"), [(7, 0), (6, 2 * 20), (2, 2 * 100)])
def test_the_last_units_of_a_shelf_are_dear(held, wanted):
    rules = "[terms.stock_out]\ncost = 100\nkeep_units = 5"
    assert cost(rules, group(line(1, quantity=2)), node(1, held)) == wanted


def test_stock_out_sends_from_the_fuller_shelf():
    seen = network(node(1, 1), node(2, 9))
    policy = bare("[terms.stock_out]\ncost = 100")
    assert used(decide(group(line(1)), seen, policy).plan) == {2}


def test_a_border_costs_paper_and_duty_and_an_unknown_country_is_across_it():
    rules = '[markets]\neu = ["DE", "FR"]\n[terms.border]\nper_parcel = 500\nduty_percent = 10\nunknown_duty = 9'
    wanted = group(line(1, quantity=2, value=3000), place=DE, currency="EUR")
    assert cost(rules, wanted, node(1, 2, country="FR")) == 0
    assert cost(rules, wanted, node(1, 2, country="CH")) == 500 + 300_000, "a tenth of 30.00 in 1/1000 of a cent"
    assert cost(rules, wanted, node(1, 2)) == 500 + 300_000
    assert cost(rules, group(line(1, quantity=2, value=3000), place=DE), node(1, 2, country="CH")) == 500 + 2 * 9


def test_lateness_counts_days_that_have_begun():
    rules = "late_cost = 5\n[terms.lateness]\nper_day = 100"
    for days, wanted in ((0, 0), (1, 105), (2, 205)):
        asked = group(line(1), deliver_by=AT.replace(hour=16))  # the cut-off of the day
        assert cost(rules, asked, node(1, 1, transit_days=days)) == wanted
    assert cost(rules, group(line(1), deliver_by=AT), node(1, 1)) == 105, "six hours are a day that has begun"
    assert cost(rules, group(line(1), deliver_by=AT + timedelta(days=900)), node(1, 1, timezone="Nowhere")) > 0


RATES = """
[terms.carrier_rates]
unknown_cost = 99_000
[[terms.carrier_rates.carriers]]
name = "post"
services = ["standard"]
origins = ["DE"]
breaks_g = [1000, 5000]
zones = { DE = "1", "DE-101" = "city", "*" = "world" }
rates = { 1 = [400, 900], city = [300, 800], world = [2000, 5000] }
fuel_percent = 10
surcharges = { world = 50 }
class_surcharges = { hazmat = 700 }
[[terms.carrier_rates.carriers]]
name = "courier"
nodes = ["B"]
breaks_g = [10_000]
zones_km = [[100, "near"], [600, "far"]]
rates = { near = [350], far = [4_000] }
"""
GERMAN = {"country": "DE", "latitude": 52.5, "longitude": 13.4, "capabilities": ("ship", "hazmat")}


def shipment(grams, country="DE", code=None, service="standard", **more):
    """One line of some weight to a place without coordinates."""
    place = Place(country=country, postal_code=code, latitude=more.pop("latitude", None), longitude=13.4)
    return group(line(1, weight_g=grams, **more), place=place, service=service)


@pytest.mark.parametrize(
    ("wanted", "cost_of_it"),
    [
        (shipment(1000), 440),
        (shipment(1001), 990),
        (shipment(5000 + 1000), 990 + 440),
        (shipment(10_000), 2 * 990),
        (shipment(None), 440),  # counts as 1 kg
        (shipment(500, code="10 117"), 330),
        (shipment(500, code="10500"), 440),
        (shipment(500, country="US"), 2200 + 50),
        (shipment(500, classes=("hazmat",)), 440 + 700),
        (shipment(500, service="express"), 99_000),
        (shipment(500, service=None), 99_000),
        (shipment(500, country=None), 99_000),
    ],
)
def test_a_rate_table_prices_zone_weight_and_surcharges(wanted, cost_of_it):
    assert cost(RATES, wanted, node(1, 1, **GERMAN)) == cost_of_it


def test_a_carrier_collects_only_where_it_does():
    assert cost(RATES, shipment(500), node(1, 1, **{**GERMAN, "country": "AT"})) == 99_000
    assert cost(RATES, shipment(500), node(1, 1, **{**GERMAN, "country": None})) == 99_000


def test_the_cheaper_carrier_and_its_zones_by_distance():
    here = shipment(500, latitude=52.5)
    assert cost(RATES, here, node(2, 1, **GERMAN)) == 350, "the courier is near and cheaper"
    express = shipment(500, service="express", latitude=52.5)
    assert cost(RATES, express, node(2, 1, **{**GERMAN, "latitude": 49.0})) == 4_000
    assert cost(RATES, express, node(2, 1, **{**GERMAN, "latitude": 40.0})) == 99_000, "beyond its last zone"
    assert cost(RATES, express, node(2, 1, country="DE")) == 99_000, "an unknown distance is in no zone"


def test_volume_counts_as_weight_and_an_unknown_one_has_no_rate():
    rules = RATES.replace('name = "post"', 'name = "post"\ndimensional_g = 200')
    assert cost(rules, shipment(500, volume_cm3=4_000), node(1, 1, **GERMAN)) == 440, "4 litres are 800 g"
    assert cost(rules, shipment(500, volume_cm3=6_000), node(1, 1, **GERMAN)) == 990
    assert cost(rules, shipment(500), node(1, 1, **GERMAN)) == 99_000


def test_rates_make_two_light_parcels_cheaper_than_a_heavy_one():
    wanted = group(line(1, weight_g=900), line(2, weight_g=900), place=DE, service="standard")
    rules = RATES.replace("zones = { DE", 'zones = { "DE-1" = "1", DE')
    seen = network(node(1, 1, 1, **GERMAN), node(3, 1, 0, **GERMAN), node(4, 0, 1, **GERMAN))
    decision = decide(wanted, seen, bare(rules))
    assert (len(used(decision.plan)), decision.plan.cost) == (2, 2 * 330)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("[1000, 5000]", "[5000, 1000]"), "must rise"),
        (("1 = [400, 900]", "1 = [400]"), "one rate for each"),
        (("1 = [400, 900]", "1 = [900, 400]"), "not falling"),
        (('DE = "1"', 'DE = "9"'), "'9' has no rates"),
        (("unknown_cost = 99_000", ""), "unknown_cost"),
        (("unknown_cost = 99_000", "unknown_cost = 0"), ">= 1"),
    ],
)
def test_a_table_that_cannot_be_meant_is_told(change, words):
    with pytest.raises(PolicyError, match=words):
        bare(RATES.replace(*change))


@pytest.mark.parametrize(
    ("country", "code", "near", "within_km"),
    [
        ("DE", "10115", (52.52, 13.40), 200),
        ("DE", None, (48.14, 11.58), 480),
        ("US", "33101", (25.77, -80.19), 950),
        ("US", "98101", (47.61, -122.33), 1100),
        ("CA", "v6b 1a1", (49.28, -123.12), 1100),
        ("AU", "6000", (-31.95, 115.86), 1650),
        ("ES", "38001", (28.47, -16.25), 180),
        ("GB", "SW1A 1AA", (51.50, -0.13), 770),
        ("FR", "13001", (43.30, 5.37), 620),
    ],
)
def test_a_place_without_coordinates_counts_as_far_as_it_may_be(country, code, near, within_km):
    there = place_of(Place(country=country, postal_code=code), coarse=True)
    real = point(*near)
    assert there is not None
    assert real is not None
    assert there.radius_km == within_km
    assert within_km <= kilometres(there, real) <= 2 * within_km, "the place is inside its region"


@pytest.mark.parametrize(
    ("country", "code"),
    [("US", None), ("US", "09012"), ("US", "96910"), ("CA", "X0A 0H0"), ("FR", "97400"), (None, "1"), ("QQ", "1")],
)
def test_what_is_too_large_or_too_far_off_to_be_one_place_is_unknown(country, code):
    assert rough_place(country, code) is None


def test_a_policy_may_have_coarse_places_count_as_unknown():
    wanted = group(line(1), place=Place(country="DE", postal_code="10115"))
    berlin = node(1, 1, latitude=52.5, longitude=13.4)
    assert cost("per_km = 1", wanted, berlin) == 82 + 200
    assert cost("per_km = 1\ncoarse_distance = false", wanted, berlin) == 20_000
    exact = group(line(1), place=Place(country="DE", latitude=52.5, longitude=13.4))
    assert cost("per_km = 1", exact, berlin) == 0


def test_every_rough_place_is_on_the_map():
    regions = [rough for table in REGIONS.values() for rough in table.values() if rough is not None]
    for rough in (*COUNTRIES.values(), *regions):
        assert abs(rough.latitude) <= 85
        assert abs(rough.longitude) <= 180
        assert 0 < rough.radius_km <= 2000


BID_PRICE = '''
"""What a unit of stock at a node is worth to the orders still to come: a forecast's dual value, by node and item."""

import msgspec

from hub.routing.terms.term import Cost, Term, read


class BidPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    prices: dict[str, dict[str, Cost]]


def _per_unit_at(trip, line):
    prices = read(trip.policy, "bid_price", BidPrice).prices
    return [prices.get(node.code, {}).get(str(line.item), 0) for node in trip.nodes]


TERM = Term(name="bid_price", settings=BidPrice, per_unit_at=_per_unit_at)
'''


def test_a_new_term_is_one_file(tmp_path, monkeypatch):
    (tmp_path / "bid_price.py").write_text(textwrap.dedent(BID_PRICE))
    monkeypatch.setattr(terms, "__path__", [*terms.__path__, str(tmp_path)])
    found = terms.find_terms()
    assert {term.name for term in found} - {term.name for term in terms.TERMS} == {"bid_price"}
    policy = Policy(per_km=0, per_kg=0, terms={"bid_price": {"prices": {"A": {"101": 60}, "B": {"101": 10}}}})
    nodes = (node(1, 5), node(2, 5))
    decision = decide(group(line(1, quantity=3)), network(*nodes), policy, prepare(nodes, policy, found))
    assert used(decision.plan) == {2}
    assert decision.plan.cost == policy.parcel_cost + 30
