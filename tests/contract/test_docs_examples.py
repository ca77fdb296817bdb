"""What the pages of docs/ give as an example is taken by the code that reads such things."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import pytest

from hub.domain.returns import Disposition
from hub.domain.states import ReturnState
from hub.flow.return_rules import ReturnPolicy
from hub.mapping.compile import compile_mapping
from hub.mapping.overlay import check_overlay
from hub.mapping.tables import CodeTables, load_tables
from hub.stock.ats import ats
from hub.web.api.policies import check
from hub.web.api.reservations import ReservationBody
from hub.web.api.return_actions import NewReturn
from hub.web.api.stock import StockBody

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
LEAST: Final = """
[content]
external_id = "id"
currency = "currency"
[amounts.placed]
stated_total = "total"
[amounts.placed.shop]
currency = "currency"
[lines]
each = "lines"
external_id = "id"
quantity = "quantity"
"""
"""What a mapping must have beside the head that the page shows."""


def _policy(kind: str) -> Callable[[str], object]:
    return lambda text: check(text, kind)


def _overlay(text: str) -> None:
    assert check_overlay(text) == []


TOML: Final[dict[str, list[Callable[[str], object]]]] = {
    "changes.md": [_policy("changes"), _policy("changes")],
    "exceptions.md": [_policy("exceptions")],
    "holds.md": [_policy("holds")],
    "labels.md": [_policy("packing")],
    "mapping.md": [lambda text: compile_mapping(text + LEAST, {}, CodeTables()), load_tables, _overlay],
    "returns.md": [_policy("returns")],
}
JSON: Final[dict[str, list[type[msgspec.Struct]]]] = {
    "returns.md": [NewReturn],
    "stock.md": [StockBody, ReservationBody],
}


def _blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)


def test_every_page_with_toml_is_here() -> None:
    assert {page.name for page in DOCS.glob("*.md") if "```toml" in page.read_text("utf-8")} == set(TOML)


@pytest.mark.parametrize("page", TOML)
def test_toml_is_taken_by_its_loader(page: str) -> None:
    for text, load in zip(_blocks(page, "toml"), TOML[page], strict=True):
        load(text)


@pytest.mark.parametrize("page", JSON)
def test_a_body_is_taken(page: str) -> None:
    for text, body in zip(_blocks(page, "json"), JSON[page], strict=True):
        msgspec.json.decode(text, type=body)


def test_links_between_pages_lead_somewhere() -> None:
    pages = [DOCS.parent / "README.md", *DOCS.glob("*.md"), *DOCS.glob("decisions/*.md")]
    links = [
        (page, link) for page in pages for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    ]
    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []


def test_the_readme_links_every_page_once() -> None:
    text = (DOCS.parent / "README.md").read_text("utf-8")
    found = re.findall(r"\]\(docs/([\w/.-]+\.md)\)", text)
    assert sorted(set(found)) == sorted(found)
    assert {page.name for page in DOCS.glob("*.md")} <= set(found)


def test_the_readme_names_every_adapter() -> None:
    text = (DOCS.parent / "README.md").read_text("utf-8")
    adapters = {path.parent.name for path in DOCS.parent.glob("adapters/*/adapter.py")}
    assert set(re.findall(r"\]\(adapters/(\w+)/README\.md\)", text)) == adapters


def test_the_list_of_decisions_is_whole() -> None:
    text = (DOCS / "decisions" / "README.md").read_text("utf-8")
    assert re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", text) == sorted(p.name for p in DOCS.glob("decisions/0*.md"))


def _first_column(page: str, head: str) -> list[str]:
    table = (DOCS / page).read_text("utf-8").split(f"| {head} |", 1)[1].split("\n\n", 1)[0]
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    return re.findall(r"`(\w+)`", " ".join(cells))


def test_the_steps_of_what_may_be_sold_are_those_of_the_code() -> None:
    assert _first_column("stock.md", "step") == [step.name for step in ats([]).steps]


def test_the_keys_of_a_returns_policy_are_those_of_the_code() -> None:
    tables = {"version", "reasons", "classes", "dispositions", "route"}
    assert set(_first_column("returns.md", "key")) == set(ReturnPolicy.__struct_fields__) - tables


def test_the_states_and_dispositions_of_returns_are_all_told() -> None:
    assert set(_first_column("returns.md", "state")) == {state.value for state in ReturnState}
    assert {*_first_column("returns.md", "disposition"), "kept"} == {one.value for one in Disposition}
