"""The daily file of everything that is in stock."""

from datetime import timedelta

import msgspec
import pytest

from adapters.shiphero import translate
from adapters.shiphero.harness import HARNESS, WAREHOUSE
from adapters.shiphero.pulls import FULL_STOCK_EVERY
from adapters.shiphero.settings import FullStock, Settings
from adapters.shiphero.simulator import ShipHeroSimulator
from adapters.shiphero.simulator_documents import global_id
from adapters.shiphero.snapshots import AT_ONCE, LIFETIME, Round, levels_of, snapshot_pages, trusted
from hub.sdk.capabilities import Page
from hub.sdk.outcomes import Interrupted, NeedsPerson
from hub.sdk.testkit.bench import Bench
from hub.sdk.testkit.reading import tables_of

TABLES = tables_of(HARNESS)


async def read(bench: Bench, cursor: str | None = None, into: list[Page] | None = None) -> list[Page]:
    pages = [] if into is None else into
    async with bench.context() as context:
        async for page in snapshot_pages(context, cursor):
            pages.append(page)
    return pages


def levels(pages: list[Page]) -> dict[tuple[str, str], int | None]:
    facts = [fact for page in pages for item in page.items for fact in translate.inventory_snapshot(item.body, TABLES)]
    return {(line.location, line.sku): line.on_hand for fact in facts for line in fact.lines}


def aged(cursor: str, by: timedelta) -> str:
    place = msgspec.json.decode(cursor, type=Round)
    assert place.began is not None
    jobs = tuple(msgspec.structs.replace(job, asked_at=job.asked_at and job.asked_at - by) for job in place.jobs)
    return msgspec.json.encode(Round(began=place.began - by, jobs=jobs)).decode()


async def test_every_warehouse_is_read_once_a_day(simulator: ShipHeroSimulator, bench: Bench) -> None:
    simulator.warehouses["90001"] = "North"
    simulator.stock(WAREHOUSE, "MUG", 7)
    simulator.stock("90001", "MUG", 0)
    first = await read(bench)

    assert levels(first) == {(WAREHOUSE, "MUG"): 7, ("90001", "MUG"): 0}
    assert await read(bench, first[-1].cursor) == []
    assert len(simulator.snapshots) == 2

    simulator.stock(WAREHOUSE, "MUG", 6)
    assert levels(await read(bench, aged(first[-1].cursor, FULL_STOCK_EVERY)))[WAREHOUSE, "MUG"] == 6


async def test_a_file_that_is_not_ready_is_looked_at_later(simulator: ShipHeroSimulator, bench: Bench) -> None:
    simulator.stock(WAREHOUSE, "MUG", 7)
    simulator.snapshot_status = "processing"
    waiting = await read(bench)
    simulator.snapshot_status = "success"
    done = await read(bench, waiting[-1].cursor)

    assert levels(waiting) == {}
    assert levels(done) == {(WAREHOUSE, "MUG"): 7}
    assert len(simulator.snapshots) == 1


async def test_figures_are_dated_by_the_asking(simulator: ShipHeroSimulator, bench: Bench) -> None:
    simulator.stock(WAREHOUSE, "MUG", 7)
    simulator.snapshot_status = "processing"
    waiting = await read(bench)
    simulator.snapshot_status = "success"
    (job,) = msgspec.json.decode(waiting[-1].cursor, type=Round).jobs
    pages = await read(bench, waiting[-1].cursor)
    (fact,) = translate.inventory_snapshot(pages[0].items[0].body, TABLES)

    assert fact.at == job.asked_at


async def test_a_file_that_never_came_is_asked_for_anew(simulator: ShipHeroSimulator, bench: Bench) -> None:
    simulator.snapshot_status = "processing"
    waiting = await read(bench)
    await read(bench, aged(waiting[-1].cursor, LIFETIME))

    assert len(simulator.snapshots) == 2


@pytest.mark.parametrize("status", ["error", "aborted"])
async def test_a_job_that_fails_is_told_once(status: str, simulator: ShipHeroSimulator, bench: Bench) -> None:
    simulator.snapshot_status = status
    pages: list[Page] = []
    with pytest.raises(Interrupted) as told:
        await read(bench, into=pages)

    assert isinstance(told.value.outcome, NeedsPerson)
    assert status in told.value.outcome.reason
    assert await read(bench, pages[-1].cursor) == []


async def test_a_cut_goes_on_with_the_same_file(simulator: ShipHeroSimulator, bench: Bench) -> None:
    HARNESS.fill["snapshot"](simulator)
    pages = await read(bench)
    first = next(page for page in pages if page.items)
    again = await read(bench, first.cursor)

    assert [item.key for page in again for item in page.items] == [item.key for page in pages for item in page.items]
    assert len(levels(again)) == AT_ONCE + 1


async def test_by_pages_no_file_is_asked_for(simulator: ShipHeroSimulator) -> None:
    settings = msgspec.structs.replace(HARNESS.settings(simulator), full_stock=FullStock.PAGES)

    assert await read(Bench(HARNESS, simulator, settings)) == []
    assert simulator.snapshots == {}


def test_both_formats_are_read() -> None:
    place = global_id("Warehouse", WAREHOUSE)
    product = {"sku": "MUG", "warehouse_products": {place: {"on_hand": 3}}}
    for products in ({"MUG": product}, {global_id("Account", 1): {"MUG": product}}):
        (level,) = levels_of(msgspec.json.encode({"products": products}))
        assert (level.sku, level.warehouse_id, level.on_hand) == ("MUG", place, 3)


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://bucket.s3.amazonaws.com/snapshot.json?sig=1", True),
        ("https://files.shiphero.com/snapshot.json", True),
        ("http://bucket.s3.amazonaws.com/snapshot.json", False),
        ("https://amazonaws.com.example/snapshot.json", False),
        ("https://evilamazonaws.com/snapshot.json", False),
    ],
)
def test_which_hosts_are_trusted(url: str, good: bool) -> None:
    settings = Settings(account="a", username="u", password="p" * 8, webhook_secret="s" * 8)
    assert trusted(url, settings) is good
