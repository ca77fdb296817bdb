"""One simulated vendor by itself."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from hub.demo.alone import UnknownVendor, secret_of, serve

ROOT = Path(__file__).resolve().parents[3]


async def test_an_unknown_vendor_is_told_which_there_are() -> None:
    with pytest.raises(UnknownVendor, match=r"no simulator 'nobody'; there are: .*shopify"):
        await serve("nobody", port=0, webhooks=None, seed=1, calm=True)


async def test_an_adapter_with_a_simulator_for_its_checks_only_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.demo.alone.find_players", dict)
    with pytest.raises(UnknownVendor, match=r"shopify has a simulator for `crossdock adapters check shopify` only"):
        await serve("shopify", port=0, webhooks=None, seed=1, calm=True)


def test_the_same_seed_makes_the_same_credentials_for_a_vendor_and_no_other() -> None:
    assert secret_of("shopify", 1) == secret_of("shopify", 1)
    assert len({secret_of("shopify", 1), secret_of("shopify", 2), secret_of("magento", 1)}) == 3


def test_it_prints_a_connection_and_serves_until_it_is_told_to_stop() -> None:
    command = [sys.executable, "-m", "hub.cli.main", "sim", "shopify", "--calm"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        method, path, body = told.split(maxsplit=2)
        assert (method, path) == ("POST", "/api/v1/connections")
        made = json.loads(body)
        assert made["adapter"] == "shopify"
        call = f"{made['config']['base_url']}/admin/api/2026-04/graphql.json"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(call, data=b"{}"), timeout=10)
        with refused.value:
            assert refused.value.code == 401
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
