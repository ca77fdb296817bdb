"""Policies from TOML: what is wrong is named with its key and its line."""

from pathlib import Path

import pytest

from hub.routing.model import Policy
from hub.routing.policy import PolicyError, load_policy, load_shipped

RULES = Path(__file__).resolve().parents[3] / "rules" / "routing"


def test_the_shipped_default_is_what_the_code_has_without_it():
    shipped = load_policy((RULES / "default.toml").read_text())
    assert shipped == Policy(version="default-1")


def test_a_shipped_text_that_changes_is_another_version_whatever_it_calls_itself():
    """Decisions name the version that made them: the same name for two texts would replay into another answer."""
    text = (RULES / "default.toml").read_text()
    shipped = load_shipped(text)
    assert shipped.version.startswith("default-1+")
    assert load_shipped(text) == shipped
    assert load_shipped(text.replace("\n", "\r\n")).version == shipped.version
    changed = load_shipped(text.replace("per_km = 100 ", "per_km = 101 "))
    assert changed.per_km == 101
    assert changed.version.startswith("default-1+")
    assert changed.version != shipped.version


def test_every_key_can_be_given():
    text = """
        version = "v9"
        currency = "EUR"
        max_splits = 2
        use_groups = ["east"]
        rate_steps = [[1000, 5], [2000, 5]]
        [node_groups]
        east = ["BER", "WAW"]
    """
    policy = load_policy(text)
    assert policy.node_groups == {"east": ("BER", "WAW")}
    assert policy.rate_steps == ((1000, 5), (2000, 5))
    assert policy.max_splits == 2


@pytest.mark.parametrize(
    ("text", "key", "line", "words"),
    [
        ('version = "a"\nper_mile = 3\n', "per_mile", 2, "unknown field"),
        ('version = "a"\n\nper_km = "3"\n', "per_km", 3, "Expected `int`"),
        ("per_km = 1.5", "per_km", 1, "Expected `int`"),
        ("allow_partial = 1", "allow_partial", 1, "Expected `bool`"),
        ("# fine\n[node_groups]\nwest = ['A']\neast = 'BER'", "node_groups", 2, "Expected `array`"),
        ("rate_steps = [[1, 2], [3]]", "rate_steps[2]", 1, "length 2"),
        ("per_km = 1\nlate_cost = -1", "late_cost", 2, "negative"),
        ("max_splits = -1", "max_splits", 1, "negative"),
        ('currency = "DOLLAR"', "currency", 1, "ISO 4217"),
        ('version = ""', "version", 1, "needs a version"),
        ("search_budget = 0", "search_budget", 1, "at least one step"),
        ('\nskip_groups = ["north"]', "skip_groups", 2, "'north' is not one of node_groups (none)"),
        ("rate_steps = [[2000, 5], [1000, 9]]", "rate_steps", 1, "does not rise"),
        ("rate_steps = [[1000, 9], [2000, 5]]", "rate_steps", 1, "does not rise"),
        ("per_km = 1\nper_km = 2\n", "", 2, "not TOML"),
        ("per_km =", "", 1, "not TOML"),
    ],
)
def test_what_is_wrong_is_named(text, key, line, words):
    with pytest.raises(PolicyError) as caught:
        load_policy(text)
    assert (caught.value.key, caught.value.line) == (key, line)
    assert words in str(caught.value)
