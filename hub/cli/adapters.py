"""Commands about adapters: which there are, and whether one keeps what every adapter must."""

import asyncio
import json
import sys
from pathlib import Path

import msgspec
import rich_click as click

from hub.cli.output import AS_JSON, show
from hub.registry import BrokenAdapter, find_adapters, load_adapter, references
from hub.sdk.scaffold import ScaffoldFault, scaffold
from hub.sdk.testkit.check import Report, certify
from hub.sdk.testkit.harness import find_harness


@click.group()
def adapters() -> None:
    """Adapters."""


@adapters.command("list")
@AS_JSON
def list_adapters(as_json: bool) -> None:
    """Every adapter that was found, and what it can do."""
    rows = [
        {"name": one.name, "kind": one.kind.value, "capabilities": ", ".join(one.capabilities)}
        for one in find_adapters().values()
    ]
    show(rows, as_json)


@adapters.command("check")
@click.argument("name")
@click.option("--only", default="", help="Only the checks whose name contains this.")
@AS_JSON
def check_adapter(name: str, only: str, as_json: bool) -> None:
    """Certify an adapter, ours or an outside one: the whole conformance suite against its own simulator.

    Exit 1 when it breaks a rule; each fault says which and how.
    """
    reference = references().get(name)
    if reference is None:
        print(f"crossdock: no adapter {name!r}; there are {', '.join(references())}", file=sys.stderr)
        sys.exit(1)
    try:
        adapter = load_adapter(name, reference)
        harness = find_harness(reference.partition(":")[0].rpartition(".")[0])
    except (BrokenAdapter, LookupError) as fault:
        print(f"crossdock: {fault}", file=sys.stderr)
        sys.exit(1)
    report = asyncio.run(certify(adapter, harness, only=only))
    _tell(report, as_json)
    sys.exit(0 if report.ok else 1)


@click.group()
def adapter() -> None:
    """An adapter of your own."""


@adapter.command("new")
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where adapters/NAME and mappings/NAME are made; the current folder when left out.",
)
def new_adapter(name: str, folder: Path) -> None:
    """Scaffold an adapter that passes `crossdock adapters check NAME`, to be changed into yours.

    See docs/first-adapter.md.
    """
    try:
        written = scaffold(name, folder)
    except ScaffoldFault as fault:
        print(f"crossdock: {fault}", file=sys.stderr)
        sys.exit(1)
    for path in written:
        print(path)


def _tell(report: Report, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"ok": report.ok, **msgspec.to_builtins(report)}))
        return
    show(
        [
            {"rule": one.rule, "check": one.name, "result": "kept" if one.fault is None else one.fault}
            for one in report.findings
        ],
        as_json=False,
    )
    for rule, reason in report.exempt.items():
        print(f"exempt from {rule}: {reason}")
    kept = len(report.findings) - len(report.faults)
    print(f"{report.adapter}: {kept} of {len(report.findings)} checks kept")
