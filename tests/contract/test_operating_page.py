"""docs/operating.md names every setting with its default, and every gauge there is."""

import inspect
import re
from pathlib import Path
from typing import Final

import msgspec
import pytest

from hub.settings import Backoff, Settings
from hub.store.admin import gauges
from hub.store.admin.tokens import Role
from hub.web import health

PAGE: Final = (Path(__file__).resolve().parents[2] / "docs" / "operating.md").read_text("utf-8")


def _part(title: str) -> str:
    return PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def _written(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return f"`{', '.join(map(str, value))}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


@pytest.mark.parametrize(("table", "struct"), [(0, Settings), (1, Backoff)])
def test_every_setting_stands_there_with_its_default(table: int, struct: type[msgspec.Struct]) -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", _part("Settings").split("| setting")[table + 1], re.MULTILINE))
    known = {field.name: _written(field.default) for field in msgspec.structs.fields(struct) if field.name != "backoff"}
    assert told == known


def test_every_role_stands_there_in_its_order() -> None:
    assert re.findall(r"^\| `(\w+)` \|", _part("Roles"), re.MULTILINE) == [role.value for role in Role]


def test_every_gauge_that_is_named_exists() -> None:
    queues = [gauge.name for name in ("inbox", "outbox") for gauge in gauges._queue(name, "", {}, 0, 0, 0)]
    source = "".join(inspect.getsource(module) for module in (gauges, health))
    known = {*queues, *re.findall(r'"(crossdock_\w+)"', source)}
    named = set(re.findall(r"`(crossdock_\w+)`", _part("What to watch")))
    assert len(named) >= 7
    assert named <= known
