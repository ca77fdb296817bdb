"""Checks of what an adapter writes: done once, read rightly, repeated safely, polite, silent about secrets."""

from datetime import UTC, datetime, timedelta

import msgspec

from hub.sdk.capabilities import Command
from hub.sdk.limits import LONGEST_PAUSE
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused, RetryLater, Unauthorised, Uncertain
from hub.sdk.testkit.bench import Bench, Hit, bench, each_request_hit, expect, secrets_of
from hub.sdk.testkit.deliveries import settings_of
from hub.sdk.testkit.harness import AnyHarness
from hub.sdk.testkit.listening import heard
from hub.sdk.wire import Ssh

CREATING = ("submit_fulfilment", "buy_label", "post", "post_payment", "post_stock")
"""Capabilities whose effect has an id at the partner."""


async def request_built(harness: AnyHarness, capability: str) -> None:
    """The vendor accepts the request, and it happens once."""
    async with bench(harness) as trial:
        request = trial.command(capability)
        outcome = await trial.write(capability, request)
        expect(isinstance(outcome, Done), f"a good {capability} came to {outcome!r} instead of Done")
        happened_once(trial, capability, request)


async def answer_read(harness: AnyHarness, capability: str) -> None:
    """The answer is read for what the hub needs of it."""
    async with bench(harness) as trial:
        outcome = await trial.write(capability, trial.command(capability))
        expect(isinstance(outcome, Done), f"a good {capability} came to {outcome!r} instead of Done")
        assert isinstance(outcome, Done)
        expect(not outcome.found, "found=True although nothing was there before")
        if capability in CREATING:
            expect(outcome.reference, f"{capability} must answer the partner's own id as Done.reference")
        if capability == "buy_label":
            label = outcome.label
            expect(label is not None, "buy_label must answer the label as Done.label")
            assert label is not None
            expect(type(label.amount) is int, f"the label's amount {label.amount!r} is not in minor units (int)")
            expect(label.tracking, "the label has no tracking number")


async def error_read(harness: AnyHarness, capability: str) -> None:
    """A 503 to any request of the operation means: again later. Then it happens, once."""
    hits = 0
    async for hit in each_request_hit(harness, capability, "server_error"):
        hits += 1
        may_be_repeated(hit, "was answered 503")
        await repeat(hit, "was answered 503")
    expect(hits, f"{capability} sent no request")


async def nonsense(harness: AnyHarness, capability: str) -> None:
    """A 200 that is a web page of a proxy's is no answer: never Done of what did not happen, never a crash."""
    if isinstance(harness.adapter.transport(settings_of(harness)).auth, Ssh):
        return
    async for hit in each_request_hit(harness, capability, "html"):
        true = hit.effects == 1 or not isinstance(hit.outcome, Done)
        said = f"request {hit.place} of {capability} was answered 200 with a web page, which came to {hit.outcome!r}"
        expect(true, f"{said}, and it did not happen")


async def declined(harness: AnyHarness, capability: str) -> None:
    """What the vendor declines, in whatever status it says so, is told as declined."""
    async with bench(harness) as trial:
        request = harness.declined[capability](trial.simulator, trial.command(capability))
        outcome = await trial.write(capability, request)
        good = isinstance(outcome, Refused | NeedsPerson)
        expect(good, f"a {capability} that the vendor declined came to {outcome!r} instead of Refused or NeedsPerson")
        expect(trial.effects(capability, request) == 0, f"the books took a {capability} that they should decline")


async def in_part(harness: AnyHarness, capability: str) -> None:
    """What the vendor takes in part is not told as taken: the rest is in the outcome or in its facts."""
    async with bench(harness) as trial:
        request = harness.in_part[capability](trial.simulator, trial.command(capability))
        outcome = await trial.write(capability, request)
        whole = isinstance(outcome, Done) and not outcome.facts
        expect(not whole, f"a {capability} of which the vendor took a part came to {outcome!r}, as if it were all")


async def unauthorised(harness: AnyHarness, capability: str) -> None:
    """Credentials that the vendor refuses stop the connection, not the order."""
    async with bench(harness, refused=True) as trial:
        request = trial.command(capability)
        outcome = await trial.write(capability, request)
        expect(isinstance(outcome, Unauthorised), f"refused credentials came to {outcome!r} instead of Unauthorised")
        expect(trial.effects(capability, request) == 0, "it happened in spite of refused credentials")


async def repeat_after_uncertain(harness: AnyHarness, capability: str) -> None:
    """Lose each reply in turn: whatever was lost, the repeat ends Done and it happened once."""
    acted = False
    async for hit in each_request_hit(harness, capability, "lost_reply"):
        happened = hit.effects == 1
        acted |= happened
        may_be_repeated(hit, "got no reply")
        outcome = await repeat(hit, "got no reply")
        looked = happened and isinstance(hit.outcome, Uncertain) and capability not in harness.idempotent
        if looked and isinstance(outcome, Done):
            expect(outcome.found, f"the repeat looked and found it done: Done.found must say so, not {outcome!r}")
    expect(acted, f"in no try did {capability} take effect: is the reply of the acting request ever lost?")


async def duplicate(harness: AnyHarness, capability: str) -> None:
    """The same command again, looking first, changes nothing."""
    async with bench(harness) as trial:
        request = trial.command(capability)
        first = await trial.write(capability, request)
        expect(isinstance(first, Done), f"a good {capability} came to {first!r} instead of Done")
        again = await trial.write(capability, msgspec.structs.replace(request, look_first=True))
        expect(isinstance(again, Done), f"repeated under the same key, {capability} came to {again!r} instead of Done")
        assert isinstance(first, Done)
        assert isinstance(again, Done)
        happened_once(trial, capability, request)
        if capability not in harness.idempotent:
            expect(again.found, f"{capability} was done before: Done.found must say so")
        if capability in CREATING:
            same = again.reference == first.reference
            expect(same, f"the repeat answers another reference: {first.reference!r}, then {again.reference!r}")


async def throttled(harness: AnyHarness, capability: str) -> None:
    """The vendor's "too many requests", at any request, means: again, not before the time it says."""
    told: list[datetime] = []
    async for hit in each_request_hit(harness, capability, "throttle"):
        may_be_repeated(hit, "was throttled")
        if isinstance(hit.outcome, RetryLater) and hit.outcome.at is not None:
            told.append(hit.outcome.at)
        await repeat(hit, "was throttled")
    expect(told, f"{capability}, throttled, never came to RetryLater with `at`")
    now = datetime.now(UTC)
    soon = all(now - timedelta(minutes=1) <= at <= now + LONGEST_PAUSE for at in told)
    expect(soon, f"RetryLater.at is not within reason: {told}")


async def redaction(harness: AnyHarness, capability: str) -> None:
    """Neither success nor failure puts a secret or a person into a log, an outcome or a printed value."""
    for fault in (None, "server_error", "lost_reply", "throttle"):
        async with bench(harness) as trial:
            request = trial.command(capability)
            with heard() as lines:
                trial.simulator.script.append(fault)
                outcome = await trial.write(capability, request)
            tell_nothing(trial, request, [*lines, repr(outcome)])
    async with bench(harness, refused=True) as trial:
        request = trial.command(capability)
        with heard() as lines:
            outcome = await trial.write(capability, request)
        tell_nothing(trial, request, [*lines, repr(outcome)])


def tell_nothing(trial: Bench, request: Command, lines: list[str]) -> None:
    """No secret of the settings and no person of the request is in the lines."""
    text = "\n".join(lines)
    for secret in secrets_of(trial.settings):
        expect(secret not in text, f"a secret was told: {text.replace(secret, '<SECRET>')[:300]}")
    for name in ("ship_to", "customer"):
        contact = getattr(request, name, None)
        for private in (contact.email, contact.phone, contact.name) if contact else ():
            expect(not private or private not in text, f"personal data of {name} was told: {text[:300]}")


def may_be_repeated(hit: Hit, befell: str) -> None:
    """An outcome after which the hub tries again, or a Done that is true."""
    good = isinstance(hit.outcome, RetryLater | Uncertain) or (isinstance(hit.outcome, Done) and hit.effects == 1)
    said = f"request {hit.place} of {hit.capability} {befell}, which came to {hit.outcome!r}"
    expect(good, f"{said} with {hit.effects} effects; only RetryLater and Uncertain are tried again")


async def repeat(hit: Hit, befell: str) -> Outcome:
    """Repeat as the hub would: looking first once a try was Uncertain. It must end Done, having happened once."""
    outcome, look_first = hit.outcome, False
    for _ in range(3):
        if isinstance(outcome, Done):
            break
        look_first |= isinstance(outcome, Uncertain)
        outcome = await hit.repeated(look_first=look_first)
    said = f"request {hit.place} of {hit.capability} {befell} ({type(hit.outcome).__name__})"
    expect(isinstance(outcome, Done), f"{said}; the repeat came to {outcome!r} instead of Done")
    expect(hit.effects == 1, f"{said}; after the repeat it happened {hit.effects} times instead of once")
    return outcome


def happened_once(trial: Bench, capability: str, request: Command) -> None:
    """The books say: once."""
    times = trial.effects(capability, request)
    expect(times == 1, f"Done, but by the books {capability} happened {times} times")
