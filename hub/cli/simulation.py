"""`crossdock policy simulate`: a policy tried on recorded history or on a file of orders. Changes nothing."""

import asyncio
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import rich_click as click

from hub.cli.output import AS_JSON, show
from hub.demo.baskets import FileFault, world_of_file
from hub.embedded import Engines
from hub.flow.promise import Wanted
from hub.flow.rehearsal import Rehearsed, rehearse
from hub.flow.scene import Scene
from hub.flow.stock_ports import ItemFacts
from hub.registry import find_adapters, mapping_text, rule_text
from hub.routing.counterfactual import Emptied, Freed
from hub.routing.model import Policy
from hub.routing.policy import PolicyError, load_policy, load_shipped
from hub.routing.record import Parity
from hub.routing.report import Measure, Mode, Report
from hub.routing.simulate import Simulator
from hub.settings import from_environment
from hub.store.configuration import ConfigurationReader
from hub.store.database import Database
from hub.store.decisions import meanwhile, policies_of, recorded, stretch
from hub.store.unit_of_work import PostgresUnit

PART: Final = 500
"""Decisions read at once."""
SHOWN: Final = 20
MERCHANT: Final = "default"
WHEN = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


class CannotSimulate(Exception):
    """What was asked for makes no simulation. Says what to give instead."""


class Options(NamedTuple):
    """What the command was given."""

    draft: Policy | None
    version: str | None
    mode: Mode
    since: datetime | None
    until: datetime | None
    connection: str | None
    limit: int
    orders_file: Path | None
    seed: int


@click.command("simulate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--policy", "version", help="Version of a stored policy, instead of FILE.")
@click.option("--replay", is_flag=True, help="Decide again under the policies that were live; exit 1 if one differs.")
@click.option("--carry", is_flag=True, help="Let the policy live with the stock and capacity that it took or left.")
@click.option("--since", type=WHEN, help="From when (UTC); without it the newest decisions.")
@click.option("--until", type=WHEN, help="Until when (UTC).")
@click.option("--connection", help="Only orders of this connection.")
@click.option("--limit", type=click.IntRange(1), default=10_000, show_default=True, help="At most so many decisions.")
@click.option(
    "--orders-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A CSV of orders as `demo` takes it, routed over the network and stock as they are now, instead of history.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="For the addresses that a file does not have.")
@AS_JSON
def policy_simulate(
    file: Path | None,
    version: str | None,
    replay: bool,
    carry: bool,
    since: datetime | None,
    until: datetime | None,
    connection: str | None,
    limit: int,
    orders_file: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Try a policy FILE on recorded orders, before and after, order by order. Nothing is changed."""
    if sum((file is not None, version is not None, replay)) != 1:
        print("crossdock: give a policy FILE, --policy or --replay: one of the three", file=sys.stderr)
        sys.exit(2)
    try:
        draft = load_policy(file.read_text("utf-8")) if file else None
        mode = Mode.CARRIED if carry or orders_file else Mode.AS_RECORDED
        options = Options(draft, version, mode, _utc(since), _utc(until), connection, limit, orders_file, seed)
        report, notes = asyncio.run(_run(options))
    except (PolicyError, CannotSimulate, FileFault) as fault:
        print(f"crossdock: {fault}", file=sys.stderr)
        sys.exit(1)
    if as_json:
        print(msgspec.json.encode({"notes": notes, **msgspec.to_builtins(report)}).decode())
    else:
        _tell(report, notes)
    sys.exit(1 if replay and report.replayed.get(Parity.DIFFERENT) else 0)


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


async def _run(options: Options) -> tuple[Report, list[str]]:
    database = Database(Engines.attach(from_environment()).database_url, size=1, name="crossdock-cli")
    try:
        draft = options.draft or (await _stored(database, options.version) if options.version else None)
        if options.orders_file is not None:
            return await _rehearsed(database, draft, options)
        return await _history(database, draft, options), []
    finally:
        await database.close()


async def _stored(database: Database, version: str) -> Policy:
    async with database.connection() as connection:
        found = await policies_of(connection, MERCHANT, [version], _shipped())
    if version not in found:
        raise CannotSimulate(f"no policy {version!r} that can be read; see GET /api/v1/policies")
    return found[version]


def _shipped() -> Policy:
    return load_shipped(rule_text("routing", "default"))


async def _history(database: Database, draft: Policy | None, options: Options) -> Report:
    """Part by part, with no transaction open while it is decided."""
    async with database.connection() as connection:
        keys = await stretch(
            connection,
            MERCHANT,
            since=options.since,
            until=options.until,
            link=options.connection,
            limit=options.limit,
        )
        known = await policies_of(connection, MERCHANT, (key.policy for key in keys), _shipped())
        waiting: Sequence[Freed | Emptied] = []
        if options.mode is Mode.CARRIED:
            waiting = await meanwhile(connection, MERCHANT, keys)
    simulator = Simulator(known, draft, options.mode)
    for start in range(0, len(keys), PART):
        part = keys[start : start + PART]
        async with database.connection() as connection:
            rows = await recorded(connection, part)
        due = [event for event in waiting if event.at <= part[-1].at]
        waiting = waiting[len(due) :]
        for event in sorted([*rows, *due], key=lambda event: event.at):
            simulator.take(event)
    return simulator.report()


async def _rehearsed(database: Database, draft: Policy | None, options: Options) -> tuple[Report, list[str]]:
    """A file of orders over the network as it is: the live policy's side is decided first, then the draft's."""
    assert options.orders_file is not None
    world = world_of_file(options.orders_file, options.limit, options.seed)
    reader = ConfigurationReader(
        database=database,
        adapters=find_adapters(),
        mapping_text=mapping_text,
        default_policy=rule_text("routing", "default"),
    )
    directory, now = await reader.directory(), datetime.now(UTC)
    if not directory.nodes:
        raise CannotSimulate("this hub has no nodes to route over; make some with PUT /api/v1/nodes/{code}")
    skus = sorted({sku for basket in world.baskets for sku, _ in basket.lines})
    async with database.connection() as connection:
        unit = PostgresUnit(connection)
        known, _ = await unit.items(MERCHANT, 0, skus, ())
        parts = {part for item in known.values() for part, _ in _parts(item)}
        items = await unit.items_by_id(parts)
        free = await unit.free(parts, lock=False)
        limits = {no: node for no, node in directory.nodes.items() if node.capacity_per_day is not None}
        loads = dict.fromkeys(limits, 0) | dict(await unit.loads(limits, now, lock=False) if limits else {})
    baskets = [
        Rehearsed(str(number), now, basket.ship_to.place, _wanted(basket.lines, known))
        for number, basket in enumerate(world.baskets, 1)
    ]
    scene = Scene(directory, items, free, loads)
    simulator = Simulator({policy.version: policy for policy in directory.policies.values()}, draft, Mode.CARRIED)
    for row in rehearse([basket for basket in baskets if basket.lines], scene, MERCHANT, options.connection or ""):
        simulator.take(row)
    unknown = len(skus) - len(known)
    notes = [world.synthetic, f"{unknown} of {len(skus)} SKUs are no items here and were left out"]
    return simulator.report(), notes


def _wanted(lines: Iterable[tuple[str, int]], known: Mapping[str, ItemFacts]) -> list[Wanted]:
    """One line for each item, kits taken apart, what is no item here left out."""
    units: dict[int, int] = {}
    for sku, quantity in lines:
        for item, each in _parts(known[sku]) if sku in known else ():
            units[item] = units.get(item, 0) + each * quantity
    return [Wanted(item, count) for item, count in units.items()]


def _parts(item: ItemFacts) -> Sequence[tuple[int, int]]:
    return item.components or ((item.id, 1),)


def _tell(report: Report, notes: Sequence[str]) -> None:
    for note in notes:
        print(note)
    print(f"{report.decisions} decisions of {report.orders} orders, {report.changed} changed ({report.mode.value})")
    before, after = report.before, report.after
    rows: list[dict[str, object]] = [
        {"figure": name, "before": getattr(before.measure, name), "after": getattr(after.measure, name)}
        for name in Measure.__struct_fields__
    ]
    rows.append({"figure": "unfilled", "before": before.unfilled, "after": after.unfilled})
    rows.append({"figure": "parcels/order", "before": before.parcels_per_order, "after": after.parcels_per_order})
    show(rows, as_json=False)
    show([msgspec.to_builtins(load) for load in report.nodes], as_json=False)
    moved = [
        {"order": one.order, "no": one.no, "before": one.before, "after": one.after, "unfilled": one.unfilled_after}
        for one in report.moved[:SHOWN]
    ]
    if moved:
        show(moved, as_json=False)
    if len(report.moved) > SHOWN:
        print(f"and {len(report.moved) - SHOWN} more: --json has them all")
    print("replayed: " + (", ".join(f"{count} {parity}" for parity, count in report.replayed.items()) or "nothing"))
    for odd in (*report.odd, *report.failed)[:SHOWN]:
        print(f"  {odd.order} decision {odd.no}: {odd.parity.value} (engine {odd.engine}, {odd.policy}) {odd.detail}")
