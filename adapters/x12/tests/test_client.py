"""Files there and back against the simulator: numbers, repeats, halves, answers."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from adapters.x12.client import advise_stock, cancel_fulfilment, fetch, pull_files, submit_fulfilment
from adapters.x12.harness import HARNESS, PROFILE
from adapters.x12.settings import Settings
from adapters.x12.simulator import X12Partner
from adapters.x12.translate import READERS
from hub.domain.facts import FulfilmentAccepted, GoodsArrived, GoodsLost
from hub.mapping.tables import CodeTables, load_tables
from hub.sdk.capabilities import AdvisedLine, Context, Page, Pulled, StockAdvice
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson
from hub.sdk.testkit.bench import Bench, bench
from hub.sdk.testkit.reading import SHIPPED
from hub.sdk.testkit.samples import FULFILMENT, FULFILMENT_CANCEL, FULFILMENT_ID, PLACED_AT

TABLES = CodeTables(load_tables((SHIPPED / "x12" / "tables.toml").read_text("utf-8")))


@pytest.fixture
async def trial() -> AsyncIterator[Bench]:
    async with bench(HARNESS) as made:
        yield made


@pytest.fixture
async def context(trial: Bench) -> AsyncIterator[Context[Settings]]:
    async with trial.context() as made:
        yield made


@pytest.fixture
def partner(trial: Bench) -> X12Partner:
    assert isinstance(trial.simulator, X12Partner)
    return trial.simulator


async def pulled(context: Context[Settings], cursor: str | None = None) -> list[Page]:
    return [page async for page in pull_files(context, cursor)]


async def documents(context: Context[Settings], pages: list[Page]) -> list[Pulled]:
    files = [item for page in pages for item in page.items]
    return [one for item in files for one in await fetch(context, item.topic, item.object or "", item.body)]


async def test_each_file_has_a_number_of_its_own_and_keeps_it(context: Context[Settings], partner: X12Partner) -> None:
    other = msgspec.structs.replace(FULFILMENT, fulfilment="01KF0X5B3GCDEFGHJKMN-2", key="01KF0X5B3GCDEFGHJKMN-2-s-1")
    names = []
    for request in (FULFILMENT, other, FULFILMENT):
        done = await submit_fulfilment(context, request)
        assert isinstance(done, Done)
        names.append((done.reference, done.found))
    assert names == [
        (f"940-000000001-{FULFILMENT.key}.x12", False),
        (f"940-000000002-{other.key}.x12", False),
        (f"940-000000001-{FULFILMENT.key}.x12", True),
    ]
    cancel = await cancel_fulfilment(context, FULFILMENT_CANCEL)
    assert isinstance(cancel, Done)
    assert cancel.answered_later
    assert partner.work() == 3
    assert list(partner.numbers) == ["000000001", "000000002", "000000003"]
    assert partner.orders[FULFILMENT_ID].cancelled
    assert not partner.orders[other.fulfilment].cancelled


async def test_a_file_that_was_taken_away_before_an_uncertain_try_is_repeated(
    context: Context[Settings], partner: X12Partner
) -> None:
    await submit_fulfilment(context, FULFILMENT)
    partner.work()
    again = await submit_fulfilment(context, msgspec.structs.replace(FULFILMENT, look_first=True))
    assert isinstance(again, Done)
    assert again.found
    assert partner.within("to_partner") == {}


async def test_a_partner_without_997_accepts_by_taking(context: Context[Settings]) -> None:
    settings = msgspec.structs.replace(context.settings, profile=msgspec.structs.replace(PROFILE, acknowledges=False))
    done = await submit_fulfilment(msgspec.structs.replace(context, settings=settings), FULFILMENT)
    assert isinstance(done, Done)
    assert [type(fact) for fact in done.facts] == [FulfilmentAccepted]


async def test_an_order_that_x12_cannot_carry_needs_a_person_and_no_file(
    context: Context[Settings], partner: X12Partner
) -> None:
    line = msgspec.structs.replace(FULFILMENT.lines[0], sku="MUG*RED")
    outcome = await submit_fulfilment(context, msgspec.structs.replace(FULFILMENT, lines=(line,)))
    assert isinstance(outcome, NeedsPerson)
    assert "MUG*RED" in outcome.reason
    assert partner.within("to_partner") == {}


async def test_a_repeated_file_is_answered_by_the_same_bytes(context: Context[Settings], partner: X12Partner) -> None:
    partner.knobs.repeat_files = True
    partner.count({"MUG": 3})
    pages = await pulled(context)
    assert len({item.key for page in pages for item in page.items}) == 1
    assert len(await documents(context, pages)) == 2
    assert len({item.key for item in await documents(context, pages)}) == 1
    assert list(partner.within("to_partner")) == ["997-000000001.x12"]
    partner.work()
    assert len(partner.answers) == 1


@pytest.mark.parametrize("control", ["1*2~3", "\u00c9\u00b2", "9" * 400, "1\x00\r"])
async def test_a_number_that_cannot_be_repeated_stops_nothing(
    context: Context[Settings], partner: X12Partner, control: str
) -> None:
    body = partner.file("947", [("W15", "20260116", "A-1"), ("W19", "06", "-2", "EA", "", "VN", "MUG")]).decode()
    piped = body.replace("~\r\n", "\x1c").replace("*", "|").replace("|1|X|", f"|{control}|X|")
    piped = piped.replace("ST|947|0001", f"ST|947|{control}")
    partner.drop("from_partner/odd.x12", piped.encode())
    partner.count({"MUG": 3})
    assert len(await documents(context, await pulled(context))) == 2
    assert partner.within("from_partner/taking") == {}
    answers = partner.within("to_partner")
    assert len(answers) == 2
    # Strictly written all the same: the simulator refuses a file whose envelope or counts are off.
    partner.work()
    assert len(partner.answers) == 2


async def test_half_a_file_is_left_until_it_is_whole(context: Context[Settings], partner: X12Partner) -> None:
    patient = msgspec.structs.replace(context, settings=msgspec.structs.replace(context.settings, settle_seconds=0.05))
    partner.knobs.partial_uploads = True
    partner.count({"MUG": 3})
    first = await pulled(patient)
    assert [item for page in first for item in page.items] == []
    partner.finish()
    second = await pulled(patient, first[-1].cursor)
    assert [item for page in second for item in page.items] == []
    late = msgspec.structs.replace(patient, settings=context.settings)
    third = await pulled(late, second[-1].cursor)
    (found,) = await documents(context, third)
    assert found.topic == "846"


async def test_an_advised_transfer_is_received(context: Context[Settings], partner: X12Partner) -> None:
    advice = StockAdvice(
        key="advice-1",
        reference=FULFILMENT_ID,
        lines=(AdvisedLine(line="1", sku="MUG-RED", quantity=4),),
        location="loc-1",
        shipped_at=PLACED_AT,
    )
    done = await advise_stock(context, advice)
    assert isinstance(done, Done)
    partner.work()
    partner.receive(FULFILMENT_ID, {"MUG-RED": 1})
    found = {item.topic: item.body for item in await documents(context, await pulled(context))}
    assert set(found) == {"answer", "944"}
    arrived, lost = READERS["944"](found["944"], TABLES)
    assert isinstance(arrived, GoodsArrived)
    assert (arrived.fulfilment, arrived.lines[0].line, arrived.lines[0].quantity) == (FULFILMENT_ID, "1", 3)
    assert isinstance(lost, GoodsLost)
    assert READERS["answer"](found["answer"], TABLES) == ()


async def test_a_file_that_is_none_is_told_with_its_kind(context: Context[Settings]) -> None:
    with pytest.raises(Interrupted) as raised:
        await fetch(context, "file", f"{PLACED_AT.isoformat()} a.edi", b"<html>")
    assert isinstance(raised.value.outcome, NeedsPerson)
    assert raised.value.outcome.reason.startswith("a.edi: html")
