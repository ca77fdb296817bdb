"""Policies: linted, kept, activated."""

from datetime import time

import pytest

from hub.cli.lint import read_nodes
from hub.registry import rule_text
from tests.integration.web.conftest import Site, pointers

TEXT = rule_text("routing", "default")


def version(name: str, **changes: str) -> str:
    """The shipped policy under another name."""
    lines = [line for line in TEXT.splitlines() if line.split("=")[0].strip() not in {"version", *changes}]
    return "\n".join([f'version = "{name}"', *(f"{key} = {value}" for key, value in changes.items()), *lines])


async def test_lint(site: Site) -> None:
    assert (await site.ok("POST", "/policies/lint", {"text": TEXT})) == {"ok": True, "errors": [], "warnings": []}
    wrong = await site.ok("POST", "/policies/lint", {"text": TEXT + "\ncolour = 1\n"})
    assert wrong["ok"] is False
    assert wrong["errors"][0]["key"].endswith("colour")
    assert wrong["errors"][0]["line"] > 1
    assert wrong["errors"][0]["code"] == "unknown-field"
    doubtful = await site.ok("POST", "/policies/lint", {"text": TEXT + '\n[[rule]]\nname = "idle"\n'})
    assert doubtful["ok"] is True
    assert [(one["code"], one["key"]) for one in doubtful["warnings"]] == [("fall-through", "rule[1]")]


async def test_lint_knows_the_nodes(site: Site) -> None:
    await site.ok("PUT", "/nodes/LOST", {"kind": "dc"})
    (found,) = (await site.ok("POST", "/policies/lint", {"text": TEXT}))["warnings"]
    assert found["code"] == "missing-coordinates"
    assert "LOST" in found["message"]


async def test_lint_of_another_kind(site: Site) -> None:
    shipped = {"text": rule_text("holds", "default"), "kind": "holds"}
    assert (await site.ok("POST", "/policies/lint", shipped)) == {"ok": True, "errors": [], "warnings": []}
    wrong = await site.ok("POST", "/policies/lint", {"text": TEXT, "kind": "holds"})
    (fault,) = wrong["errors"]
    assert (wrong["ok"], fault["code"]) == (False, "unusable")
    assert fault["message"].startswith("holds policy: ")


async def test_the_lint_command_reads_the_answer_of_nodes_as_it_is(site: Site) -> None:
    hours = {"weekdays": [0, 5], "cut_off": "14:30", "holidays": ["2026-12-25"], "processing_days": 2}
    await site.ok("PUT", "/nodes/BER", {"kind": "dc", "latitude": 52.5, "longitude": 13.4, "calendar": hours})
    await site.ok("PUT", "/nodes/LOST", {"kind": "dc"})
    answer = (await site.call("GET", "/nodes")).content
    assert {node.code: (node.calendar.cut_off, node.calendar.weekdays) for node in read_nodes(answer)} == {
        "BER": (time(14, 30), (0, 5)),
        "LOST": (time(16), (0, 1, 2, 3, 4)),
    }


async def test_versions_are_immutable_and_one_is_active(site: Site) -> None:
    first = await site.ok("POST", "/policies", {"text": version("v1")})
    assert (first["version"], first["state"], first["author"], first["kind"]) == ("v1", "draft", "admin", "routing")
    problem = await site.refused(409, "POST", "/policies", {"text": version("v1", per_km="7")})
    assert problem["type"].endswith("version-exists")
    second = await site.ok("POST", "/policies", {"text": version("v2"), "version": "spring"})
    assert second["version"] == "spring"
    for policy, states in (
        (first, ["draft", "active"]),
        (second, ["active", "retired"]),
        (first, ["retired", "active"]),
    ):
        active = await site.ok("POST", f"/policies/{policy['id']}/activate")
        assert active["state"] == "active"
        assert [one["state"] for one in (await site.ok("GET", "/policies"))["items"]] == states
    assert (await site.services.directory()).policy("default").version == "v1"
    assert [one["id"] for one in (await site.ok("GET", "/policies?state=active"))["items"]] == [first["id"]]
    assert (await site.ok("GET", f"/policies/{first['id']}"))["text"] == version("v1")
    assert pointers(await site.refused(422, "POST", "/policies", {"text": "version = 1"})) == ["/text"]
    await site.refused(404, "POST", "/policies/99/activate")
    await site.refused(404, "GET", "/policies/x")


@pytest.fixture
async def routed(site: Site) -> Site:
    """An order that one node could send whole, or two in parts."""
    await site.ok("POST", "/items", {"items": [{"sku": "A"}, {"sku": "B"}]})
    for code in ("BER", "HAM"):
        await site.ok("PUT", f"/nodes/{code}", {"kind": "dc", "latitude": 52.5, "longitude": 13.4})
    lines = [{"node": "BER", "sku": "A", "on_hand": 5}, {"node": "HAM", "sku": "B", "on_hand": 5}]
    await site.ok("PUT", "/stock", {"kind": "count", "lines": lines})
    rows = [{"external_id": sku, "sku": sku, "quantity": 2} for sku in ("A", "B")]
    await site.ok("POST", "/orders", {"external_id": "1", "currency": "EUR", "lines": rows})
    return site


async def test_activation_looks_again_at_what_no_node_could_serve(routed: Site) -> None:
    rows = [{"external_id": "1", "sku": "A", "quantity": 50}]
    await routed.ok("POST", "/orders", {"external_id": "2", "currency": "EUR", "lines": rows})
    await routed.sql("UPDATE waiting SET due_at = now() + interval '1 hour'")
    draft = await routed.ok("POST", "/policies", {"text": version("v9")})
    routed.rung.clear()
    await routed.ok("POST", f"/policies/{draft['id']}/activate")
    assert [row["due"] for row in await routed.sql("SELECT due_at <= now() AS due FROM waiting")] == [True]
    assert routed.rung == ["waiting"]
