"""What a process of the hub writes to its log: a JSON line an event, whoever logs, and nobody's data."""

import json
import subprocess
import sys

PROGRAM = """
import logging
import structlog
from hub.log import configure

configure("info")
log = structlog.get_logger()

def ship(street: str) -> None:
    raise ConnectionError("no answer, token=t0k3n")

log.info("lane.started", lane="orders", token="t0k3n")
log.debug("lane.looked")
for told in (log, logging.getLogger("asyncpg.pool")):
    try:
        ship("1 Elm Street")
    except ConnectionError:
        told.warning("no connection for %s", "the pool", exc_info=True)
logging.getLogger("httpx").info("GET https://shop.example/?token=t0k3n")
logging.getLogger("arq").warning("late")
"""


def test_every_line_is_json_and_holds_neither_secrets_nor_what_local_names_stood_for() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stderr
    started, ours, theirs = (json.loads(line) for line in told.splitlines())
    assert (started["event"], started["lane"], started["token"]) == ("lane.started", "orders", "***")
    assert theirs["logger"] == "asyncpg.pool"
    for line in (ours, theirs):
        (raised,) = line["exception"]
        assert (line["level"], line["event"]) == ("warning", "no connection for the pool")
        assert (raised["exc_type"], raised["exc_value"]) == ("ConnectionError", "no answer, token=***")
        assert raised["frames"][-1]["name"] == "ship"
    assert "Elm Street" not in told
