"""A policy that loads no longer never stops orders: the shipped one stands for it, and the log says so."""

import msgspec
import structlog

from hub.store.policies import ActivePolicy, in_force


class Rules(msgspec.Struct, frozen=True):
    version: str
    text: str


def load(text: str) -> Rules:
    if "unknown" in text:
        raise ValueError("unknown key 'unknown'")
    return Rules(version="draft", text=text)


SHIPPED = Rules(version="shipped", text="")
ACTIVE = [
    ActivePolicy("holds", "acme", "7", "a = 1"),
    ActivePolicy("returns", "acme", "2", "b = 2"),
    ActivePolicy("holds", "bold", "3", "unknown = 1"),
]


def test_policies_of_a_kind_stand_under_their_merchant_and_version() -> None:
    assert in_force(ACTIVE, "returns", load, SHIPPED) == {"": SHIPPED, "acme": Rules(version="2", text="b = 2")}
    assert in_force(ACTIVE, "returns", load, None) == {"acme": Rules(version="2", text="b = 2")}


def test_one_that_does_not_load_gives_way_to_the_shipped_one_and_is_logged() -> None:
    with structlog.testing.capture_logs() as logged:
        found = in_force(ACTIVE, "holds", load, SHIPPED)
    assert found == {"": SHIPPED, "acme": Rules(version="7", text="a = 1")}
    (said,) = logged
    assert (said["event"], said["kind"], said["merchant"], said["version"]) == ("policy.broken", "holds", "bold", "3")
    assert said["reason"] == "unknown key 'unknown'"
