"""The linter against policies with one planted fault each, and against clean ones, which must raise no alarm."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from hub.domain.network import OpeningHours
from hub.routing.lint import Severity, lint
from hub.routing.policy import PolicyError, load_policy
from tests.unit.routing.worlds import node

HERE = Path(__file__).parent / "lint"
RULES = Path(__file__).resolve().parents[3] / "rules" / "routing"
FAULTY = sorted((HERE / "faulty").glob("*.toml"))
CLEAN = sorted((HERE / "clean").glob("*.toml"))
SHIPPED = sorted([*RULES.glob("*.toml"), *RULES.glob("examples/*.toml")])

GOOD = (
    node(1, code="FRA", country="DE", latitude=50.1, longitude=8.7, capabilities=("ship", "cold", "age_restricted")),
    node(2, code="AMS", country="NL", latitude=52.4, longitude=4.9, kind="3pl"),
    node(3, code="LON", country="GB", latitude=51.5, longitude=-0.1, kind="store", timezone="Europe/London"),
    node(4, code="OLD", enabled=False),
    node(6, code="ELSEWHERE", serves=False),
)
NODES = {
    "": GOOD,
    "unlocated": (*GOOD, node(5, code="NEW", country="DE")),
    "full": (*GOOD, node(5, code="NEW", country="DE", latitude=48.1, longitude=11.6, capacity=0)),
    "zoneless": (*GOOD, node(5, code="NEW", country="DE", latitude=48.1, longitude=11.6, timezone="Mars/Olympus")),
}


def nodes_of(text):
    named = re.search(r"^# nodes: (\w+)", text, re.MULTILINE)
    return NODES[named[1] if named else ""]


def refusal(text):
    """Why a text does not load; None when it does."""
    try:
        load_policy(text)
    except PolicyError as error:
        return error
    return None


def test_there_are_enough_of_both():
    assert len(FAULTY) >= 30
    assert len(CLEAN) >= 20


@pytest.mark.parametrize("file", FAULTY, ids=lambda file: file.stem)
def test_a_planted_fault_is_found_on_its_line(file):
    text = file.read_text()
    (code,) = re.match(r"# finds: (\S+)", text).groups()
    line = next((number for number, words in enumerate(text.splitlines(), 1) if "<- here" in words), 0)
    found = lint(text, nodes_of(text))
    assert [(finding.code, finding.line) for finding in found] == [(code, line)]
    assert all(len(finding.message) > 10 for finding in found)


@pytest.mark.parametrize("file", FAULTY, ids=lambda file: file.stem)
def test_what_loads_is_no_more_than_a_warning_unless_it_fails_for_every_order(file):
    text = file.read_text()
    (found,) = lint(text, nodes_of(text))
    refused = refusal(text)
    if refused is None:
        assert found.severity is Severity.WARNING or found.code == "divide-by-zero"
    else:
        assert found.severity is Severity.ERROR
        assert (refused.line, refused.key) == (found.line, found.key)


@pytest.mark.parametrize("file", CLEAN, ids=lambda file: file.stem)
def test_a_clean_policy_raises_no_alarm(file):
    text = file.read_text()
    assert lint(text, nodes_of(text)) == []


@pytest.mark.parametrize("file", [*CLEAN, *SHIPPED], ids=lambda file: file.stem)
def test_neither_does_it_where_the_nodes_are_not_known(file):
    assert lint(file.read_text()) == []


def test_a_node_that_never_works_is_told():
    closed = replace(GOOD[0], calendar=OpeningHours(weekdays=()))
    (found,) = lint('version = "x"', (closed,))
    assert found.code == "empty-calendar"
    assert "FRA" in found.message


def test_several_faults_come_by_line():
    text = 'version = "x"\nper_km = -1\nlate_cost = -1\ncurrency = "XXX"\n'
    assert [(found.key, found.line) for found in lint(text)] == [("per_km", 2), ("late_cost", 3), ("currency", 4)]


def test_a_policy_that_is_no_policy_is_told_and_not_raised():
    assert [found.code for found in lint("[" * 5000)] == ["not-toml"]
    assert [found.code for found in lint("#" * 300_000)] == ["too-long"]
    assert [found.code for found in lint("\0")] == ["not-toml"]
