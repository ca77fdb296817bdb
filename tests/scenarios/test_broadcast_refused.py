"""Levels that a channel does not take: they stay due, somebody is told, and nothing closes before they were taken."""

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.sdk.outcomes import NeedsPerson, Outcome, Refused, RetryLater, Unauthorised
from hub.store.admin.connections import get_connection, update_connection
from hub.store.admin.exceptions import close
from tests.scenarios.bazaar import Bazaar, build_bazaar
from tests.scenarios.house import PATIENT, House

NO_SCOPE = NeedsPerson(reason="the scope write_inventory is missing", next_step="Grant it to the app in the admin.")


@pytest.fixture
async def bazaar(house: House) -> Bazaar:
    made = await build_bazaar(house)
    await house.shelf(made.east, await house.item("LAMP"), 9)
    await made.stall("left")
    await house.everything()
    house.worker.broadcaster._backoff = PATIENT
    return made


async def sell_to(bazaar: Bazaar, *answers: Outcome, id: str = "1", units: int = 4) -> None:
    """A sale that the stall must hear of, and what it answers."""
    bazaar.answers = list(answers)
    await bazaar.order("left", id, ("LAMP", units), work=False)
    await bazaar.house.path()
    await broadcast(bazaar)


async def broadcast(bazaar: Bazaar) -> None:
    await bazaar.house.worker.broadcaster.run()
    await bazaar.house.worker.broadcaster.drain()


async def again(bazaar: Bazaar) -> None:
    """Its time has come."""
    await bazaar.house.run("UPDATE availability SET due_at = now()")
    await broadcast(bazaar)


async def level(bazaar: Bazaar) -> dict[str, Any]:
    (row,) = await bazaar.house.rows(
        "SELECT sent, extract(epoch FROM due_at - now())::int AS pause, tries FROM availability"
    )
    return row


async def kinds(bazaar: Bazaar) -> list[str]:
    return [row["kind"] for row in await bazaar.house.open_exceptions()]


@pytest.mark.parametrize("answer", [NO_SCOPE, Refused(reason="no such place")], ids=["needs a person", "refused"])
async def test_a_refused_level_stays_due_and_what_the_channel_has_stays_known(bazaar: Bazaar, answer: Outcome) -> None:
    await sell_to(bazaar, answer)
    row = await level(bazaar)
    assert row["sent"] == 9, "the channel still shows the old number"
    assert 3000 < row["pause"] <= 3600
    await bazaar.house.close_mended()
    assert await kinds(bazaar) == ["availability_refused"]
    bazaar.answers = [RetryLater(reason="busy"), answer]
    await again(bazaar)
    await bazaar.house.close_mended()
    assert await kinds(bazaar) == ["availability_refused"], "a pause between two refusals mends nothing"
    await again(bazaar)
    (found,) = await bazaar.house.open_exceptions()
    assert found["count"] == 2
    await again(bazaar)
    (told,) = bazaar.told["left"][-1].levels
    assert (told.previous, told.change, told.quantity) == (9, -4, 5)
    assert await level(bazaar) == {"sent": 5, "pause": None, "tries": 0}
    await bazaar.house.close_mended()
    assert await bazaar.house.open_exceptions() == []


async def test_the_next_change_of_a_refused_level_is_tried_at_once(bazaar: Bazaar) -> None:
    await sell_to(bazaar, NO_SCOPE)
    await sell_to(bazaar, id="2", units=1)
    assert bazaar.says("left", "LAMP") == 4
    assert (await level(bazaar))["sent"] == 4


async def test_a_retried_exception_tells_at_once_and_comes_back_if_nothing_was_mended(bazaar: Bazaar) -> None:
    await sell_to(bazaar, NO_SCOPE, NO_SCOPE)
    await broadcast(bazaar)
    assert len(bazaar.answers) == 1, "not before its time"
    for _ in range(2):
        (found,) = await bazaar.house.open_exceptions()
        async with bazaar.house.parts.database.transaction() as link:
            await close(link, "default", [str(found["id"])], who="me", now=datetime.now(UTC), retry=True)
        await broadcast(bazaar)
    await bazaar.house.close_mended()
    assert found["retries"] == 1
    assert await bazaar.house.open_exceptions() == []
    assert await level(bazaar) == {"sent": 5, "pause": None, "tries": 0}


async def test_a_changed_connection_tells_at_once_what_was_refused(bazaar: Bazaar) -> None:
    await sell_to(bazaar, NO_SCOPE)
    async with bazaar.house.parts.database.transaction() as link:
        await update_connection(link, await get_connection(link, "default", "left", lock=True))
    await broadcast(bazaar)
    assert [one["LAMP"] for one in bazaar.levels("left")] == [9, 5, 5]
    assert (await level(bazaar))["sent"] == 5
    await bazaar.house.close_mended()
    assert await bazaar.house.open_exceptions() == []


async def test_refused_credentials_are_told_once_with_those_of_deliveries(bazaar: Bazaar) -> None:
    await sell_to(bazaar, Unauthorised(reason="401"))
    await bazaar.house.close_mended()
    (found,) = await bazaar.house.open_exceptions()
    assert (found["kind"], found["cause"], found["connection_id"]) == ("unauthorised", "left: left", "left")
    assert (await level(bazaar))["sent"] == 9
    await again(bazaar)
    await bazaar.house.close_mended()
    assert await bazaar.house.open_exceptions() == []


async def test_a_channel_that_fails_again_and_again_is_told_to_a_person(bazaar: Bazaar) -> None:
    await sell_to(bazaar, RetryLater(reason="502"))
    assert await bazaar.house.open_exceptions() == []
    bazaar.answers = [RetryLater(reason="503")]
    await bazaar.house.run("UPDATE availability SET tries = 11")
    await again(bazaar)
    (found,) = await bazaar.house.open_exceptions()
    assert found["kind"] == "availability_not_told"
    assert "503" in found["next_step"]
    await bazaar.house.close_mended()
    assert await kinds(bazaar) == ["availability_not_told"]
    await again(bazaar)
    await bazaar.house.close_mended()
    assert await bazaar.house.open_exceptions() == []
