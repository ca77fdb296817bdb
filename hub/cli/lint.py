"""`crossdock policy lint`: a policy checked before anybody activates it. Reads files only."""

import sys
from collections.abc import Sequence
from datetime import time
from pathlib import Path
from typing import Final

import msgspec
import rich_click as click

from hub.cli.output import AS_JSON, show
from hub.domain.contact import Contact
from hub.domain.network import OpeningHours
from hub.flow.policy_texts import LOADERS, fault_of, kinds_of
from hub.routing.lint import Finding, Severity, lint
from hub.routing.model import NodeState


class _Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """A working week as the API writes it: its cut-off is a bare "16:00", which is no RFC 3339 time."""

    weekdays: tuple[int, ...] = OpeningHours().weekdays
    cut_off: str = "16:00"
    holidays: tuple[str, ...] = ()
    processing_days: int = 0

    def __post_init__(self) -> None:
        time.fromisoformat(self.cut_off)

    def hours(self) -> OpeningHours:
        return OpeningHours(
            weekdays=self.weekdays,
            cut_off=time.fromisoformat(self.cut_off),
            holidays=self.holidays,
            processing_days=self.processing_days,
        )


class _Node(msgspec.Struct, frozen=True, kw_only=True):
    """A node as `GET /api/v1/nodes` gives it; what a policy has no use for is left out."""

    code: str
    kind: str = "dc"
    address: Contact | None = None
    latitude: float | None = None
    longitude: float | None = None
    timezone: str = "UTC"
    calendar: _Calendar = _Calendar()
    capacity_per_day: int | None = None
    capabilities: tuple[str, ...] = ("ship",)
    handling_cost: int = 0
    priority: int = 100
    enabled: bool = True


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[_Node, ...]


_nodes: Final = msgspec.json.Decoder(_Page)


def read_nodes(data: bytes) -> list[NodeState]:
    """Nodes from the answer of `GET /api/v1/nodes`. Raises `msgspec.MsgspecError`."""
    return [
        NodeState(
            id=number,
            code=node.code,
            kind=node.kind,
            available=(),
            country=node.address.country if node.address else None,
            latitude=node.latitude,
            longitude=node.longitude,
            timezone=node.timezone,
            calendar=node.calendar.hours(),
            capacity=node.capacity_per_day,
            capabilities=node.capabilities,
            handling_cost=node.handling_cost,
            priority=node.priority,
            enabled=node.enabled,
        )
        for number, node in enumerate(_nodes.decode(data).items, start=1)
    ]


def _findings(text: str, kind: str, network: Sequence[NodeState] | None) -> list[Finding]:
    if kind != "routing":
        fault = fault_of(text, kind)
        return [] if fault is None else [Finding("unusable", Severity.ERROR, "", 0, fault)]
    found = lint(text, network)
    others = kinds_of(text) if any(one.severity is Severity.ERROR for one in found) else []
    if others:
        told = f"this reads like a policy of another kind: say --kind {' or '.join(others)}"
        return [Finding("other-kind", Severity.ERROR, "", 0, told)]
    return found


@click.command("lint")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--nodes",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The network that it is for: a file with the answer of GET /api/v1/nodes.",
)
@click.option(
    "--kind",
    type=click.Choice(list(LOADERS)),
    default="routing",
    show_default=True,
    help="What they are. Of another kind than routing it is told whether they could be used.",
)
@click.option("--strict", is_flag=True, help="Exit 1 for warnings as well.")
@AS_JSON
def policy_lint(files: tuple[Path, ...], nodes: Path | None, kind: str, strict: bool, as_json: bool) -> None:
    """Check policy FILES: what cannot be used, and what does not mean what it seems to.

    Exit codes: 0 sound, 1 an error was found (with --strict, or a warning).
    """
    try:
        network = read_nodes(nodes.read_bytes()) if nodes else None
    except msgspec.MsgspecError as fault:
        print(f"crossdock: {nodes}: {fault}; give the answer of GET /api/v1/nodes", file=sys.stderr)
        sys.exit(1)
    rows: list[dict[str, object]] = []
    for file in files:
        for found in _findings(file.read_text("utf-8", errors="replace"), kind, network):
            rows.append({"file": str(file), **found._asdict(), "severity": found.severity.value})
            if not as_json:
                print(f"{file}: {found}", file=sys.stderr if found.severity is Severity.ERROR else sys.stdout)
    if as_json:
        show(rows, as_json=True)
    elif not rows:
        print(f"{len(files)} sound")
    bad = [row for row in rows if strict or row["severity"] == Severity.ERROR.value]
    sys.exit(1 if bad else 0)
