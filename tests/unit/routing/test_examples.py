"""The example policies, each told a few of the stories that it was written for."""

from pathlib import Path

import pytest

from hub.domain.contact import Place
from hub.domain.order import Method
from hub.routing.decide import decide
from hub.routing.model import Reason
from hub.routing.policy import load_policy
from hub.routing.rules import Remainder
from tests.unit.routing.worlds import AT, group, left, line, network, node, used

EXAMPLES = Path(__file__).resolve().parents[3] / "rules" / "routing" / "examples"


def example(name):
    return load_policy((EXAMPLES / f"{name}.toml").read_text())


MUNICH = Place(country="DE", postal_code="80331", latitude=48.14, longitude=11.58)


@pytest.fixture
def fashion():
    """A centre far away, a store around the corner, a store with its day nearly over, and an outlet."""
    near = {"kind": "store", "country": "DE", "latitude": 48.1, "longitude": 11.6, "capacity": 10}
    return (
        {"id": 1, "code": "VENLO-DC", "kind": "dc", "country": "NL", "latitude": 51.4, "longitude": 6.2},
        {"id": 2, "code": "MUNICH", "capacity_left": 9, **near},
        {"id": 3, "code": "AUGSBURG", "capacity_left": 1, **near},
        {"id": 4, "code": "METZINGEN", "capacity_left": 9, **near},
    )


def sender(policy, wanted, nodes, *stock):
    seen = network(
        *(
            node(at["id"], *held, **{k: v for k, v in at.items() if k != "id"})
            for at, held in zip(nodes, stock, strict=True)
        )
    )
    return decide(wanted, seen, example(policy))


def order(*lines, **more):
    return group(*lines, **{"place": MUNICH, "currency": "EUR", "account": "shop", **more})


def test_the_centre_sends_though_the_store_is_around_the_corner(fashion):
    decision = sender("fashion_house", order(line(1, value=5000)), fashion, (9,), (9,), (9,), (9,))
    assert (used(decision.plan), decision.attempt) == ({1}, 0)


def test_the_store_helps_out_unless_its_day_is_nearly_full(fashion):
    decision = sender("fashion_house", order(line(1, value=5000)), fashion, (0,), (9,), (9,), (9,))
    assert (used(decision.plan), decision.attempt) == ({2}, 1)
    assert dict(decision.reasons)[3] is Reason.OUTSIDE_FENCE
    assert dict(decision.reasons)[4] is Reason.OUTSIDE_FENCE, "an outlet serves its own shop"


def test_no_cheap_second_parcel(fashion):
    wanted = order(line(1, value=5000), line(2, value=900))
    decision = sender("fashion_house", wanted, fashion, (9, 0), (0, 9), (0, 0), (0, 0))
    assert used(decision.plan) == set()
    dear = order(line(1, value=5000), line(2, value=2500))
    assert used(sender("fashion_house", dear, fashion, (9, 0), (0, 9), (0, 0), (0, 0)).plan) == {1, 2}


def test_what_happens_to_what_is_missing(fashion):
    nothing = ((0,),) * 4
    made = {
        account: sender("fashion_house", order(line(1, value=5000), account=account), fashion, *nothing)
        for account in ("shop", "bigmarket")
    }
    assert made["shop"].remainder is Remainder.BACKORDER
    assert (made["bigmarket"].remainder, made["bigmarket"].cancel_after_days) == (Remainder.CANCEL, 3)


def test_the_drugstore_takes_the_closest_that_may():
    policy = example("drugstore")
    wanted = group(line(1, classes=("battery",), value=5000), place=MUNICH)
    close = node(1, 5, country="DE", latitude=48.1, longitude=11.5)
    able = node(2, 5, country="DE", latitude=48.3, longitude=11.5, capabilities=("ship", "hazmat"))
    far = node(3, 5, country="DE", latitude=52.5, longitude=13.4, capabilities=("ship", "hazmat"))
    assert used(decide(wanted, network(close, able, far), policy).plan) == {2}
    assert decide(wanted, network(close, far), policy).attempt == 1
    abroad = node(4, 5, country="AT", latitude=48.1, longitude=11.6, capabilities=("ship", "hazmat"))
    assert left(decide(wanted, network(abroad), policy).plan) == 1


def test_a_fifth_is_kept_for_the_counter():
    policy = example("drugstore")
    store = node(1, 10, country="DE", latitude=48.1, longitude=11.5, capabilities=("ship", "pick_up"))
    assert left(decide(group(line(1, quantity=9, value=9000), place=MUNICH), network(store), policy).plan) == 1
    picked_up = group(line(1, quantity=10), place=MUNICH, method=Method.PICK_UP, pickup_node=1)
    assert left(decide(picked_up, network(store), policy).plan) == 0


def test_a_heavy_part_stays_on_its_continent_unless_there_is_none():
    policy = example("spare_parts")
    wanted = group(
        line(1, weight_g=45_000, value=90_000),
        place=Place(country="FR", latitude=48.9, longitude=2.3),
        service="ground",
    )
    polish = node(1, 1, country="PL", latitude=52.2, longitude=21.0)
    texan = node(2, 1, country="US", latitude=32.8, longitude=-96.8)
    here = decide(wanted, network(polish, texan), policy)
    assert (used(here.plan), here.rules, here.attempt) == ({1}, ("heavy parts stay on their continent",), 0)
    assert here.plan.cost == 370_000 + 2_690_000 + 2_690_000, "picking; 31.5 kg on the road, and 13.5 kg more"
    there = decide(wanted, network(texan), policy)
    assert (used(there.plan), there.attempt) == ({2}, 1)


def test_a_machine_that_stands_still_goes_before_all():
    policy = example("spare_parts")
    wanted = group(line(1), tags=("machine-down",), deliver_by=AT.replace(day=3, hour=12))
    slow, quick = node(1, 1, transit_days=3, country="US"), node(2, 1, transit_days=0, country="US", capacity_left=0)
    decision = decide(wanted, network(slow, quick), policy)
    assert (used(decision.plan), decision.rules) == ({2}, ("machine down",))
