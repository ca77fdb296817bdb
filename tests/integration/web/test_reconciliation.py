"""Comparing through the API: figures in, drifts out, and what is done about them."""

from typing import Any

import pytest

from tests.integration.web.conftest import Site, now, pointers


@pytest.fixture
async def shelf(site: Site) -> Site:
    """A node with ten of A."""
    await site.ok(
        "POST", "/items", {"items": [{"sku": "A"}, {"sku": "K", "components": [{"sku": "A", "quantity": 1}]}]}
    )
    await site.ok("PUT", "/nodes/BER", {"kind": "dc"})
    await site.ok("PUT", "/stock", {"kind": "count", "lines": [{"node": "BER", "sku": "A", "on_hand": 10}]})
    return site


def figures(quantity: int, party: str = "erp", **line: Any) -> dict[str, Any]:
    at = {} if "stock_point" in line else {"node": "BER"}
    return {
        "source": "books",
        "party": party,
        "as_of": now().isoformat(),
        "lines": [{"sku": "A", "quantity": quantity} | at | line],
    }


async def drift_of(site: Site, quantity: int) -> dict[str, Any]:
    await site.ok("PUT", "/reconciliation/figures", figures(quantity))
    await site.ok("POST", "/reconciliation/run")
    found: dict[str, Any] = (await site.ok("GET", "/reconciliation?state=open"))["items"][0]
    return found


async def test_a_drift_is_found_listed_and_reported(shelf: Site) -> None:
    assert await shelf.ok("PUT", "/reconciliation/figures", figures(10)) == {"figures": 1}
    assert "reconcile" in shelf.rung
    assert (await shelf.ok("POST", "/reconciliation/run"))["found"] == 0
    found = await drift_of(shelf, 4)
    assert (found["party"], found["source"], found["sku"], found["node"]) == ("erp", "books", "A", "BER")
    assert (found["theirs"], found["ours"], found["state"], found["action"]) == (4, 10, "raised", "ask")
    assert found["class"] in ("late", "lost", "doubled", "wrong")
    assert await shelf.ok("GET", f"/reconciliation/{found['id']}") == found
    assert (await shelf.ok("GET", "/reconciliation?party=channel"))["items"] == []
    assert len((await shelf.ok("GET", f"/reconciliation?class={found['class']}&sku=A"))["items"]) == 1
    report = await shelf.ok("GET", "/reconciliation/report")
    assert report["tallies"] == [{"party": "erp", "class": found["class"], "state": "raised", "open": 1, "closed": 0}]
    assert (report["runs"][0]["found"], report["runs"][0]["raised"]) == (1, 1)
    (told,) = (await shelf.ok("GET", "/exceptions?state=open"))["items"]
    assert (told["kind"], told["cause"]) == ("stock_drift", "books: A at BER")


async def test_their_figure_is_taken_over_once_and_the_exception_closes(shelf: Site) -> None:
    found = await drift_of(shelf, 4)
    path = f"/reconciliation/{found['id']}/repair"
    problem = await shelf.refused(409, "POST", path, {})
    assert problem["type"] == "urn:crossdock:problem:say-what"
    await shelf.refused(409, "POST", path, {"action": "retell"})
    taken = await shelf.ok("POST", path, {"action": "take_over"})
    assert taken["state"] == "repaired"
    assert taken["closed_at"] is not None
    assert (await shelf.ok("GET", "/stock?sku=A"))["items"][0]["on_hand"] == 4
    assert (await shelf.ok("GET", "/exceptions?state=open"))["items"] == []
    problem = await shelf.refused(409, "POST", path, {"action": "take_over"})
    assert problem["type"] == "urn:crossdock:problem:drift-closed"


async def test_a_drift_that_is_dismissed_changes_nothing(shelf: Site) -> None:
    found = await drift_of(shelf, 4)
    assert (await shelf.ok("POST", f"/reconciliation/{found['id']}/repair", {"action": "dismiss"}))[
        "state"
    ] == "dismissed"
    assert (await shelf.ok("GET", "/stock?sku=A"))["items"][0]["on_hand"] == 10


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (figures(1, sku="NONE"), ["/lines/0/sku"]),
        (figures(1, sku="K"), ["/lines/0/sku"]),
        (figures(1, node="NONE"), ["/lines/0/node"]),
        (figures(1, "channel"), ["/lines/0"]),
        (figures(1, "channel", stock_point=77), ["/lines/0/stock_point"]),
        (figures(1) | {"as_of": "2099-01-01T00:00:00Z"}, ["/as_of"]),
        (figures(1) | {"party": "aunt"}, ["/party"]),
    ],
)
async def test_figures_that_cannot_be(shelf: Site, body: dict[str, Any], found: list[str]) -> None:
    assert pointers(await shelf.refused(422, "PUT", "/reconciliation/figures", body)) == found
    assert await shelf.sql("SELECT 1 FROM figure") == []


async def test_unknown_drifts_and_roles(shelf: Site) -> None:
    for id in ("0", "none", "9" * 30):
        await shelf.refused(404, "GET", f"/reconciliation/{id}")
        await shelf.refused(404, "POST", f"/reconciliation/{id}/repair", {})
    await shelf.refused(403, "POST", "/reconciliation/run", None, role="viewer")
    await drift_of(shelf, 4)
    assert (await shelf.ok("GET", "/reconciliation", role="other"))["items"] == []
