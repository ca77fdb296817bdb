"""`crossdock policy lint`: what it prints, and how it exits."""

import json

import pytest
from click.testing import CliRunner

from hub.cli.main import crossdock
from hub.flow.policy_texts import LOADERS
from hub.registry import rule_text

SOUND = 'version = "a"\n'
DOUBTFUL = 'version = "b"\n[[rule]]\nname = "idle"\n'
BROKEN = 'version = "c"\nper_mile = 3\n'
NODES = {
    "items": [
        {
            "code": "FRA",
            "name": "Frankfurt",
            "kind": "dc",
            "address": {"country": "DE"},
            "latitude": 50.1,
            "longitude": 8.7,
        },
        {"code": "LOST", "kind": "store", "calendar": {"weekdays": [0], "cut_off": "16:00", "holidays": []}},
    ],
    "next": None,
}


@pytest.fixture
def files(tmp_path):
    for name, text in (("sound", SOUND), ("doubtful", DOUBTFUL), ("broken", BROKEN)):
        (tmp_path / f"{name}.toml").write_text(text)
    (tmp_path / "nodes.json").write_text(json.dumps(NODES))
    (tmp_path / "empty.json").write_text("[]")
    return tmp_path


def run(*words):
    return CliRunner().invoke(crossdock, ["policy", "lint", *map(str, words)])


def test_a_sound_policy_is_said_to_be(files):
    result = run(files / "sound.toml")
    assert (result.exit_code, result.stdout) == (0, "1 sound\n")


def test_a_fault_is_told_with_file_and_line(files):
    result = run(files / "sound.toml", files / "broken.toml")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{files / 'broken.toml'}: error unknown-field: line 2, per_mile: ")
    assert result.stdout == ""


def test_a_warning_fails_only_where_it_is_asked_to(files):
    assert run(files / "doubtful.toml").exit_code == 0
    strict = run(files / "doubtful.toml", "--strict")
    assert strict.exit_code == 1
    assert "doubtful.toml: warning fall-through: line 2, rule[1]: " in strict.stdout


def test_findings_as_json(files):
    result = run(files / "doubtful.toml", "--json")
    (found,) = json.loads(result.stdout)
    assert {key: found[key] for key in ("code", "severity", "key", "line")} == {
        "code": "fall-through",
        "severity": "warning",
        "key": "rule[1]",
        "line": 2,
    }


def test_nodes_may_be_given(files):
    result = run(files / "sound.toml", "--nodes", files / "nodes.json")
    assert result.exit_code == 0
    assert "missing-coordinates" in result.stdout
    assert "LOST" in result.stdout
    assert "FRA" not in result.stdout


def test_a_file_that_holds_no_nodes_is_told(files):
    result = run(files / "sound.toml", "--nodes", files / "empty.json")
    assert result.exit_code == 1
    assert "GET /api/v1/nodes" in result.stderr


def test_a_cut_off_that_is_no_time_of_day_is_told(files):
    (files / "nodes.json").write_text('{"items": [{"code": "A", "calendar": {"cut_off": "25:99"}}]}')
    result = run(files / "sound.toml", "--nodes", files / "nodes.json")
    assert result.exit_code == 1
    assert "$.items[0].calendar" in result.stderr


@pytest.mark.parametrize("kind", [kind for kind in LOADERS if kind != "routing"])
def test_what_ships_of_another_kind_is_sound_as_that_and_said_to_be_it_otherwise(tmp_path, kind):
    file = tmp_path / "shipped.toml"
    file.write_text(rule_text(kind, "default"))
    assert run(file, "--kind", kind).stdout == "1 sound\n"
    taken_for_routing = run(file)
    assert taken_for_routing.exit_code == 1
    assert taken_for_routing.stderr.endswith(f"this reads like a policy of another kind: say --kind {kind}\n")


def test_a_fault_in_a_policy_of_another_kind_is_told(files):
    result = run(files / "broken.toml", "--kind", "holds")
    assert result.exit_code == 1
    assert "error unusable: policy: holds policy: " in result.stderr
    assert "per_mile" in result.stderr
