"""Checks of what an adapter reads: the connection test, pulls, fetches, offers and parcels."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from hub.sdk.adapter import Lane
from hub.sdk.capabilities import Page, Pulled
from hub.sdk.outcomes import Interrupted, RetryLater, Unauthorised
from hub.sdk.testkit.bench import MOST_REQUESTS, Bench, bench, expect
from hub.sdk.testkit.harness import AnyHarness
from hub.sdk.testkit.samples import RATE

BURST = 40


async def probed(harness: AnyHarness) -> None:
    """The connection test passes, and the vendor's name of the account is the one in the settings."""
    async with bench(harness) as trial, trial.context() as context:
        assert harness.adapter.probe is not None
        probe = await harness.adapter.probe(context)
        failed = [check for check in probe.checks if not check.ok]
        expect(not failed, f"checks failed with good credentials: {failed}")
        named = harness.adapter.account(trial.settings)
        expect(probe.account == named, f"the vendor says account {probe.account!r}, the settings {named!r}")


async def probe_refused(harness: AnyHarness) -> None:
    """Refused credentials show in the connection test."""
    async with bench(harness, refused=True) as trial, trial.context() as context:
        assert harness.adapter.probe is not None
        try:
            probe = await harness.adapter.probe(context)
        except Interrupted as interruption:
            good = isinstance(interruption.outcome, Unauthorised)
            expect(good, f"refused credentials came to {interruption.outcome!r} instead of Unauthorised")
        else:
            expect(any(not check.ok for check in probe.checks), "refused credentials pass the connection test")


async def burst(harness: AnyHarness) -> None:
    """Many calls at once stay within the declared limits; what does not fit is put off with a time."""
    async with bench(harness) as trial, trial.context() as context:
        assert harness.adapter.probe is not None
        probes = (harness.adapter.probe(context) for _ in range(BURST))
        answers = await asyncio.gather(*probes, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, Interrupted):
                outcome = answer.outcome
                expect(isinstance(outcome, RetryLater) and outcome.at, f"put off with {outcome!r}, not with a time")
            elif isinstance(answer, BaseException):
                raise answer


async def pulled(harness: AnyHarness, name: str) -> None:
    """A pull brings all that is there, each under one key, and the same again from the beginning, unless it consumes.

    Stock may have a new key each time: a level has no version, and one that went down and up again is news.
    """
    fill = harness.fill.get(name)
    async with bench(harness) as trial:
        expect(fill, f'the harness must say how to fill the books for pull {name!r}: fill={{"{name}": ...}}')
        assert fill is not None
        wanted = fill(trial.simulator)
        pages = await pull(trial, name, None)
        items = [item for page in pages for item in page.items]
        expect(len(items) == wanted, f"pull {name} brought {len(items)} of {wanted} objects")
        for item in items:
            known_topic(harness, item)
        keys = [item.key for item in items]
        expect(len(set(keys)) == len(keys), f"pull {name} gives two objects one key")
        if harness.adapter.pulls[name].resumes and pages:
            ended = [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
            expect(ended, f"pull {name} does not say of its last page, and of no other, that it is: Page(last=True)")
        again = [item for page in await pull(trial, name, None) for item in page.items]
        left = 0 if harness.adapter.pulls[name].consumes else wanted
        expect(len(again) == left, f"pull {name}, from the beginning again, brought {len(again)} of {left} objects")
        rest = [item for page in await pull(trial, name, pages[-1].cursor) for item in page.items]
        for item in (*again, *rest):
            timeless = harness.adapter.topics[item.topic].lane is Lane.STOCK
            expect(timeless or item.key in keys, f"pull {name} gives an unchanged object another key: {item.key!r}")


async def pull_interrupted(harness: AnyHarness, name: str) -> None:
    """A pull that loses a reply or is answered 503 is put off; it does not end early as if that were all."""
    for fault in ("lost_reply", "server_error", "throttle"):
        async with bench(harness) as trial:
            harness.fill[name](trial.simulator)
            trial.simulator.faults.outage = fault == "server_error"
            trial.simulator.faults.lost_reply = float(fault == "lost_reply")
            trial.simulator.faults.throttle = float(fault == "throttle")
            try:
                pages = await pull(trial, name, None)
            except Interrupted as interruption:
                good = isinstance(interruption.outcome, RetryLater)
                expect(good, f"pull {name} met {fault} and came to {interruption.outcome!r} instead of RetryLater")
            else:
                expect(False, f"pull {name} met {fault} and ended with {len(pages)} pages as if that were all")


async def pull_resumed(harness: AnyHarness, name: str) -> None:
    """Whichever request loses its reply, the next pull goes on from the last cursor and nothing was left out."""
    for place in range(MOST_REQUESTS):
        async with bench(harness) as trial:
            wanted = harness.fill[name](trial.simulator)
            trial.simulator.script.extend([None] * place)
            trial.simulator.script.append("lost_reply")
            pages: list[Page] = []
            with suppress(Interrupted):
                await pull(trial, name, None, into=pages)
            if trial.simulator.script:
                return
            await pull(trial, name, pages[-1].cursor if pages else None, into=pages)
            keys = {item.key for page in pages for item in page.items}
            said = f"request {place + 1} of pull {name} lost its reply; the pull and the next one"
            expect(len(keys) >= wanted, f"{said} brought {len(keys)} of {wanted} objects")


async def pull_clock(harness: AnyHarness, name: str) -> None:
    """The cursor is the vendor's: a hub whose clock is a day fast does not step over what comes meanwhile."""
    async with bench(harness) as trial:
        nothing: list[Page] = []
        with suppress(Interrupted):
            await pull(trial, name, None, into=nothing, ahead=timedelta(days=1))
        wanted = harness.fill[name](trial.simulator)
        pages = await pull(trial, name, nothing[-1].cursor if nothing else None)
        brought = sum(len(page.items) for page in pages)
        said = f"pull {name} found nothing while our clock was a day fast; then, with the clock right,"
        expect(brought >= wanted, f"{said} it brought {brought} of {wanted} objects: go on from what the vendor dated")


async def fetched(harness: AnyHarness, topic: str) -> None:
    """A thin delivery's object is fetched under the topic that reads it."""
    fill = harness.fetched.get(topic)
    async with bench(harness) as trial, trial.context() as context:
        expect(fill, f'the harness must say what {topic!r} is about: fetched={{"{topic}": ...}}')
        assert fill is not None
        assert harness.adapter.fetch is not None
        about, body = fill(trial.simulator)
        asked = trial.simulator.calls.total()
        found = await harness.adapter.fetch(context, topic, about, body)
        believed = context.files is None and trial.simulator.calls.total() == asked
        expect(not believed, f"{topic} was fetched without asking the vendor: what a thin delivery says proves nothing")
        items = found if isinstance(found, tuple) else (found,)
        brought = [item.topic for item in items]
        wanted = harness.adapter.topics[topic].fetched_as
        expect(wanted in brought, f"{topic} was fetched as {brought}, declared is {wanted!r}")
        for item in items:
            known_topic(harness, item)


async def quoted(harness: AnyHarness) -> None:
    """Offers come with exact amounts."""
    async with bench(harness) as trial, trial.context() as context:
        assert harness.adapter.quote is not None
        rates = await harness.adapter.quote(context, RATE)
        expect(rates, "no offer for an ordinary parcel")
        for rate in rates:
            expect(type(rate.amount) is int, f"offer {rate.id}: {rate.amount!r} is not in minor units (int)")
            expect(len(rate.currency) == 3, f"offer {rate.id}: {rate.currency!r} is no ISO 4217 code")
        expect(len({rate.id for rate in rates}) == len(rates), "two offers share an id")


async def tracked(harness: AnyHarness) -> None:
    """A parcel's journey is brought as a stored body."""
    async with bench(harness) as trial, trial.context() as context:
        expect(harness.tracked, "the harness of an adapter with `track` must give `tracked`")
        assert harness.tracked is not None
        assert harness.adapter.track is not None
        carrier, number = harness.tracked(trial.simulator)
        item = await harness.adapter.track(context, carrier, number)
        expect(item is not None, f"parcel {number} is in the books and was not found")
        assert item is not None
        known_topic(harness, item)


async def pull(
    trial: Bench, name: str, cursor: str | None, *, into: list[Page] | None = None, ahead: timedelta = timedelta()
) -> list[Page]:
    """All pages from a cursor; those before an interruption are in `into`. `ahead` is how fast our clock is."""
    pages = [] if into is None else into
    async with trial.context(ahead=ahead) as context:
        async for page in trial.adapter.pulls[name].pages(context, cursor):
            pages.append(page)
    return pages


def known_topic(harness: AnyHarness, item: Pulled) -> None:
    """What was brought can be stored and read."""
    expect(item.topic in harness.adapter.topics, f"{item.key}: topic {item.topic!r} is not declared")
    expect(item.body, f"{item.key} has no body")
