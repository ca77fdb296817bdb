"""Connections: made, tested, changed, paused, disabled; their secrets never come back."""

from typing import Any

import msgspec
import pytest

from hub.store.credentials import Credentials
from tests.integration.web.conftest import CORNER, Corner, Site, pointers

CONFIG = {"shop": "Acme.example", "access_token": "hush-hush", "webhook_secret": "psst"}


async def test_a_connection_shows_everything_but_its_secrets(site: Site) -> None:
    made = await site.ok("POST", "/connections", {"adapter": "corner", "config": CONFIG})
    assert made["account"] == made["name"] == "acme.example"
    assert made["config"] == {"shop": "Acme.example"}
    assert made["secrets"] == ["access_token", "webhook_secret"]
    assert made["modes"] == {"submit_fulfilment": "live", "pull_orders": "live"}
    assert made["schedule"]["orders"]["every_seconds"] == 300
    assert made["cursor"] == {"orders": None}
    assert (made["enabled"], made["paused"], made["live_from"], made["health"]) == (True, False, None, {})
    listed = await site.call("GET", "/connections")
    assert listed.json()["items"] == [made]
    for secret in ("hush-hush", "psst"):
        assert secret not in listed.text
        for table in ("connection", "idempotency", "message"):
            rows = await site.sql(f"SELECT t::text AS text FROM {table} t")
            assert secret not in str(rows), table


async def test_sealed_secrets_reach_the_adapter(site: Site) -> None:
    made = await site.ok("POST", "/connections", {"adapter": "corner", "config": CONFIG})
    credentials = Credentials(site.database, site.services.vault)
    assert await credentials.settings(made["id"], CORNER) == Corner(
        shop="Acme.example", access_token="hush-hush", webhook_secret="psst"
    )


async def test_every_fault_is_told(site: Site) -> None:
    problem = await site.refused(
        422,
        "POST",
        "/connections",
        {
            "adapter": "corner",
            "config": {"shop": "", "page_size": 1000, "colour": "red", "base_url": "ftp://x"},
            "modes": {"fly": "live"},
            "schedule": {"weather": {}},
        },
    )
    assert pointers(problem) == [
        "/config/access_token",
        "/config/base_url",
        "/config/colour",
        "/config/page_size",
        "/config/shop",
        "/modes/fly",
        "/schedule/weather",
    ]
    assert await site.sql("SELECT 1 FROM connection") == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"adapter": "none"}, "/adapter"),
        ({"modes": {"pull_orders": "sometimes"}}, "/modes/pull_orders"),
        ({"live_from": "2026-01-01T00:00:00"}, "/live_from"),
        ({"schedule": {"orders": {"every_seconds": 0}}}, "/schedule/orders/every_seconds"),
        ({"config": None}, "/config"),
        ({"name": ""}, "/name"),
        ({"colour": 1}, "/colour"),
    ],
)
async def test_a_fault_has_its_pointer(site: Site, change: dict[str, Any], pointer: str) -> None:
    body = {"adapter": "corner", "config": CONFIG} | change
    assert pointers(await site.refused(422, "POST", "/connections", body)) == [pointer]


async def test_modes_and_schedule_as_given(site: Site) -> None:
    made = await site.connect(
        modes={"pull_orders": "observe"},
        live_from="2026-05-01T00:00:00+02:00",
        schedule={"orders": {"every_seconds": 60, "enabled": False}},
    )
    assert made["modes"]["pull_orders"] == "observe"
    assert made["live_from"] == "2026-04-30T22:00:00Z"
    assert made["schedule"]["orders"]["every_seconds"] == 60
    assert made["schedule"]["orders"]["enabled"] is False


async def test_one_live_connection_an_account(site: Site) -> None:
    first = await site.connect(shop="acme")
    problem = await site.refused(
        409, "POST", "/connections", {"adapter": "corner", "config": {"shop": "ACME", "access_token": "y"}}
    )
    assert problem["type"] == "urn:crossdock:problem:account-connected"
    assert problem["connection"] == first["id"]
    await site.ok("DELETE", f"/connections/{first['id']}")
    second = await site.connect(shop="ACME")
    assert second["account"] == "acme"
    await site.refused(409, "PATCH", f"/connections/{first['id']}", {"enabled": True})
    assert len(await site.sql("SELECT 1 FROM account")) == 1


async def test_delete_disables_and_keeps(site: Site) -> None:
    made = await site.connect()
    await site.ok("DELETE", f"/connections/{made['id']}")
    assert (await site.ok("GET", f"/connections/{made['id']}"))["enabled"] is False
    assert (await site.ok("GET", "/connections?enabled=true"))["items"] == []
    assert (await site.ok("PATCH", f"/connections/{made['id']}", {"enabled": True}))["enabled"] is True


async def test_patch_merges_and_keeps_secrets(site: Site) -> None:
    made = await site.ok("POST", "/connections", {"adapter": "corner", "config": CONFIG})
    path = f"/connections/{made['id']}"
    changed = await site.ok(
        "PATCH", path, {"name": "Shop", "config": {"page_size": 10}, "modes": {"pull_orders": "off"}}
    )
    assert changed["config"] == {"shop": "Acme.example", "page_size": 10}
    assert changed["secrets"] == ["access_token", "webhook_secret"]
    assert (changed["name"], changed["modes"]["pull_orders"]) == ("Shop", "off")
    rotated = await site.ok(
        "PATCH", path, {"config": {"access_token": "new", "webhook_secret": None, "page_size": None}}
    )
    assert rotated["config"] == {"shop": "Acme.example"}
    assert rotated["secrets"] == ["access_token"]
    assert rotated["modes"]["pull_orders"] == "off"
    settings = await Credentials(site.database, site.services.vault).settings(made["id"], CORNER)
    assert settings == Corner(shop="Acme.example", access_token="new")


async def test_patch_is_checked_as_a_whole(site: Site) -> None:
    made = await site.connect()
    path = f"/connections/{made['id']}"
    assert pointers(await site.refused(422, "PATCH", path, {"config": {"access_token": None}})) == [
        "/config/access_token"
    ]
    assert pointers(await site.refused(422, "PATCH", path, {"config": {"shop": "another"}})) == ["/config"]
    assert pointers(await site.refused(422, "PATCH", path, {"modes": {"x": "off"}})) == ["/modes/x"]
    assert await site.ok("GET", path) == made


async def test_a_change_moves_the_configuration_epoch(site: Site) -> None:
    made = await site.connect()
    (before,) = await site.sql("SELECT epoch FROM configuration")
    await site.ok("PATCH", f"/connections/{made['id']}", {"config": {"access_token": "new"}})
    (after,) = await site.sql("SELECT epoch FROM configuration")
    assert after["epoch"] > before["epoch"]


async def test_pause_and_resume(site: Site) -> None:
    made = await site.connect()
    assert (await site.ok("POST", f"/connections/{made['id']}/pause"))["paused"] is True
    await site.refused(409, "POST", f"/connections/{made['id']}/pull")
    site.rung.clear()
    assert (await site.ok("POST", f"/connections/{made['id']}/resume"))["paused"] is False
    assert {"pull", "deliver"} <= set(site.rung)


async def test_pull_makes_the_schedule_due(site: Site) -> None:
    made = await site.connect()
    await site.sql("UPDATE schedule SET next_due_at = now() + interval '1 hour', cursor = 'c7'")
    site.rung.clear()
    pulled = await site.ok("POST", f"/connections/{made['id']}/pull", {"operations": ["orders"]})
    (row,) = await site.sql("SELECT next_due_at <= now() AS due FROM schedule")
    assert row["due"]
    assert pulled["cursor"] == {"orders": "c7"}
    assert site.rung == ["pull"]
    problem = await site.refused(422, "POST", f"/connections/{made['id']}/pull", {"operations": ["orders", "moon"]})
    assert pointers(problem) == ["/operations/1"]


async def test_a_test_that_passes(site: Site) -> None:
    made = await site.connect()
    report = await site.ok("POST", f"/connections/{made['id']}/test")
    assert report["ok"] is True
    assert report["account"] == "acme.example"
    assert [check["name"] for check in report["checks"]] == ["config", "read", "account"]
    assert (await site.ok("GET", f"/connections/{made['id']}"))["health"]["test"]["ok"] is True


@pytest.mark.parametrize(
    "failure",
    ["refuses", ConnectionRefusedError("nobody listens"), TimeoutError(), KeyError("shop"), msgspec.DecodeError("x")],
)
async def test_an_unreachable_vendor_is_a_failed_check(site: Site, failure: Any) -> None:
    made = await site.connect()
    site.wire.fails = failure
    report = await site.ok("POST", f"/connections/{made['id']}/test")
    assert report["ok"] is False
    assert report["checks"][-1]["ok"] is False
    assert report["checks"][-1]["detail"]


async def test_secrets_that_cannot_be_opened_are_a_failed_check(site: Site) -> None:
    made = await site.connect()
    await site.sql("UPDATE connection SET secrets = '\\x00'")
    report = await site.ok("POST", f"/connections/{made['id']}/test")
    assert [check["name"] for check in report["checks"] if not check["ok"]] == ["config"]
    again = await site.ok("PATCH", f"/connections/{made['id']}", {"config": {"access_token": "again"}})
    assert again["secrets"] == ["access_token"]
    assert (await site.ok("POST", f"/connections/{made['id']}/test"))["ok"] is True


async def test_no_sign_in_by_redirect(site: Site) -> None:
    made = await site.connect()
    problem = await site.refused(404, "GET", f"/connections/{made['id']}/oauth/start")
    assert "PATCH" in problem["detail"]
