"""The conformance suite as a list of cases, and a report of all of them: `crossdock adapters check NAME`."""

import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import msgspec

from hub.sdk.adapter import Adapter
from hub.sdk.testkit import declaration, deliveries, reads, writes
from hub.sdk.testkit.bench import Broken, present
from hub.sdk.testkit.harness import AnyHarness
from hub.sdk.testkit.quality import QualityFault, read_quality

Check = Callable[[AnyHarness], Awaitable[None]]


class WriteCheck(Protocol):
    """A check of one writing capability."""

    __name__: str

    def __call__(self, harness: AnyHarness, capability: str) -> Awaitable[None]: ...


class NamedCheck(Protocol):
    """A check of an adapter."""

    __name__: str

    def __call__(self, harness: AnyHarness, /) -> Awaitable[None]: ...


DECLARED: Final = "declared"
"""Rule of what every adapter must state; nobody is exempt."""

WRITES: Final[Mapping[str, tuple[WriteCheck, ...]]] = {
    "request_built": (writes.request_built,),
    "answer_read": (writes.answer_read,),
    "error_read": (writes.error_read, writes.unauthorised, writes.nonsense),
    "repeat_after_uncertain": (writes.repeat_after_uncertain,),
    "duplicate": (writes.duplicate,),
    "throttled": (writes.throttled,),
    "redaction": (writes.redaction,),
}
"""By rule: checks of each writing capability."""

DELIVERIES: Final[Mapping[str, tuple[NamedCheck, ...]]] = {
    "signature": (
        deliveries.genuine,
        deliveries.raw_bytes,
        deliveries.forged,
        deliveries.empty_secret,
        deliveries.flipped_bit,
    ),
    "duplicate": (deliveries.redelivered,),
    "redaction": (deliveries.quiet,),
}
"""By rule: checks of an adapter that receives."""

READINGS: Final[Mapping[str, tuple[NamedCheck, ...]]] = {
    "out_of_order": (deliveries.any_order, deliveries.newest_wins),
    "schema_drift": (deliveries.drift,),
}
"""By rule: checks of an adapter that translates bodies."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One check of one capability."""

    rule: str
    name: str
    """"repeat_after_uncertain[submit_fulfilment]"."""
    run: Check


def cases(harness: AnyHarness) -> list[Case]:
    """The cases of an adapter: of the capabilities it has, without the rules it is exempt from.

    Raises QualityFault when its quality.toml cannot be believed.
    """
    exempt = read_quality(harness.folder)
    return [case for case in _all_cases(harness) if case.rule not in exempt]


def _all_cases(harness: AnyHarness) -> Iterator[Case]:
    adapter = harness.adapter
    for declared in (declaration.complete, declaration.topics_declared, declaration.settings_kept):
        yield Case(rule=DECLARED, name=declared.__name__, run=declared)
    for capability in present(harness):
        for rule, write_checks in WRITES.items():
            for write_check in write_checks:
                name = f"{write_check.__name__}[{capability}]"
                yield Case(rule=rule, name=name, run=partial(write_check, capability=capability))
        for opted, write_check in ((harness.declined, writes.declined), (harness.in_part, writes.in_part)):
            if capability in opted:
                name = f"{write_check.__name__}[{capability}]"
                yield Case(rule="error_read", name=name, run=partial(write_check, capability=capability))
    for table, wanted in ((DELIVERIES, adapter.check is not None), (READINGS, bool(deliveries.read_samples(harness)))):
        for rule, checks in table.items() if wanted else ():
            for check in checks:
                yield Case(rule=rule, name=check.__name__, run=check)
    yield from _read_cases(harness)


def _read_cases(harness: AnyHarness) -> Iterator[Case]:
    adapter = harness.adapter
    if adapter.probe is not None:
        yield Case(rule="answer_read", name="probed", run=reads.probed)
        yield Case(rule="error_read", name="probe_refused", run=reads.probe_refused)
        yield Case(rule="throttled", name="burst", run=reads.burst)
    for pull in adapter.pulls:
        yield Case(rule="answer_read", name=f"pulled[{pull}]", run=partial(reads.pulled, name=pull))
        yield Case(rule="error_read", name=f"pull_interrupted[{pull}]", run=partial(reads.pull_interrupted, name=pull))
        yield Case(rule="error_read", name=f"pull_resumed[{pull}]", run=partial(reads.pull_resumed, name=pull))
        yield Case(rule="out_of_order", name=f"pull_clock[{pull}]", run=partial(reads.pull_clock, name=pull))
    for topic, declared in adapter.topics.items():
        if declared.thin:
            yield Case(rule="answer_read", name=f"fetched[{topic}]", run=partial(reads.fetched, topic=topic))
    if adapter.quote is not None:
        yield Case(rule="answer_read", name="quoted", run=reads.quoted)
    if adapter.track is not None:
        yield Case(rule="answer_read", name="tracked", run=reads.tracked)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a case; `fault` is None when the adapter keeps it."""

    rule: str
    name: str
    fault: str | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All cases of an adapter, and the rules it is exempt from with the reasons."""

    adapter: str
    findings: tuple[Finding, ...]
    exempt: Mapping[str, str]

    @property
    def faults(self) -> tuple[Finding, ...]:
        """Cases that the adapter does not keep."""
        return tuple(finding for finding in self.findings if finding.fault is not None)

    @property
    def ok(self) -> bool:
        """Whether it keeps all."""
        return not self.faults


async def certify(adapter: Adapter, harness: AnyHarness, *, only: str = "") -> Report:
    """Run every case against an adapter, one after the other; a case that breaks does not stop the others.

    `only` keeps the cases whose name contains it.
    """
    harness = msgspec.structs.replace(harness, adapter=adapter)
    try:
        exempt = read_quality(harness.folder)
    except QualityFault as fault:
        unreadable = Finding(rule=DECLARED, name="quality", fault=str(fault))
        return Report(adapter=adapter.name, findings=(unreadable,), exempt={})
    findings = [await _try(case, harness) for case in cases(harness) if only in case.name]
    return Report(adapter=adapter.name, findings=tuple(findings), exempt=exempt)


async def _try(case: Case, harness: AnyHarness) -> Finding:
    try:
        await case.run(harness)
    except Broken as broken:
        return Finding(rule=case.rule, name=case.name, fault=str(broken))
    except Exception as error:  # noqa: BLE001 - a report's edge: an adapter may raise anything
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno} in {last.name}"
        return Finding(rule=case.rule, name=case.name, fault=f"raised {type(error).__name__}: {error} ({where})")
    return Finding(rule=case.rule, name=case.name)
