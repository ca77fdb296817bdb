"""Bytes of decisions and inputs, and deciding again from them."""

import msgspec
import pytest

from hub.domain.contact import Place
from hub.routing.decide import decide
from hub.routing.model import ENGINE_VERSION, Policy, Reason
from hub.routing.record import ReplayError, decode, decode_input, encode, encode_input, replay
from tests.unit.routing.worlds import group, line, network, node

WANTED = group(line(1, quantity=2, weight_g=300), line(2), place=Place(country="US", latitude=40.71, longitude=-74.01))
SEEN = network(node(1, 2, 0, latitude=40.0, longitude=-75.5), node(2, 5, 5, timezone="America/Chicago"))
POLICY = Policy(version="v3")


def test_a_decision_survives_its_bytes():
    decision = decide(WANTED, SEEN, POLICY)
    assert decode(encode(decision)) == decision
    assert encode(decode(encode(decision))) == encode(decision)


def test_an_input_survives_its_bytes():
    stored = decode_input(encode_input(WANTED, SEEN, "v3"))
    assert (stored.group, stored.snapshot, stored.policy, stored.engine) == (WANTED, SEEN, "v3", ENGINE_VERSION)


def test_a_replay_gives_the_bytes_that_were_stored():
    stored = encode_input(WANTED, SEEN, POLICY.version)
    assert encode(replay(stored, {"v3": POLICY})) == encode(decide(WANTED, SEEN, POLICY))


def test_the_layout_of_a_stored_decision():
    """Stored for years: a change here needs a new engine version and a reader of the old one."""
    decision = decide(group(line(1, quantity=3)), network(node(1, 1), node(2, 1)), Policy(version="v1", per_km=0))
    assert encode(decision) == (
        b'{"plan":{"assignments":[[1,1,1],[1,2,1]],"unfilled":[[1,1]],"cost":6080000},"runner_up":null,'
        b'"reasons":[[1,"chosen"],[2,"chosen"]],"bound":6080000,"proven":true,"policy":"v1","engine":"2",'
        b'"runner_up_is":"none_exists","solver":"locating","prices":[[1,540000]],"rules":[],"attempt":0,"remainder":"queue",'
        b'"cancel_after_days":null}'
    )


def test_an_input_from_before_a_node_told_whether_it_serves_gives_the_bytes_it_gave():
    seen = network(node(1, 2, 1, enabled=False), node(2, 5, 5))
    stored = encode_input(WANTED, seen, POLICY.version)
    assert b'"serves"' not in stored
    assert dict(replay(stored, {"v3": POLICY}).reasons) == {1: Reason.DISABLED, 2: Reason.CHOSEN}


def test_a_replay_without_its_policy_is_refused():
    stored = encode_input(WANTED, SEEN, "v3")
    with pytest.raises(ReplayError, match="'v3', which was not given"):
        replay(stored, {"v4": POLICY})
    with pytest.raises(ReplayError, match="under the name 'v3'"):
        replay(stored, {"v3": Policy(version="v4")})


def test_a_replay_by_another_engine_is_refused():
    stored = msgspec.structs.replace(decode_input(encode_input(WANTED, SEEN, "v3")), engine="0")
    with pytest.raises(ReplayError, match="engine 0, this is engine"):
        replay(msgspec.json.encode(stored), {"v3": POLICY})


def test_no_person_is_in_the_bytes():
    assert set(msgspec.json.decode(encode_input(WANTED, SEEN, "v3"))["group"]["place"]) <= {
        "country",
        "region",
        "postal_code",
        "latitude",
        "longitude",
    }
