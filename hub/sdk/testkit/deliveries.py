"""Checks of what an adapter is told: genuine or not, the same key for the same event, read the same in any order."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from hub.domain.contact import Contact, Place
from hub.domain.order import OrderSnapshot, Problem
from hub.sdk.adapter import Message, Topic
from hub.sdk.testkit.bench import Broken, expect, secrets_of, with_empty_secrets, with_other_secrets
from hub.sdk.testkit.harness import AnyHarness, Sample
from hub.sdk.testkit.listening import heard
from hub.sdk.testkit.reading import MALFORMED, UNMAPPED, read
from hub.sdk.webhook import Delivery, Refuse, Store, Verdict

AT: Final = datetime(2026, 1, 16, 12, 0, tzinfo=UTC)
OFFLINE: Final = "http://127.0.0.1:9"
"""Stands for the simulator's address where none is running: checking and translating are pure."""


async def genuine(harness: AnyHarness) -> None:
    """A genuine delivery is stored under a key of its own, with its topic."""
    settings, seen = settings_of(harness), dict[str, str]()
    for sample in signed(harness):
        verdict = judge(harness, settings, deliver(harness, settings, sample))
        expect(isinstance(verdict, Store), f"a genuine {sample.topic} came to {verdict!r} instead of Store")
        assert isinstance(verdict, Store)
        expect(verdict.topic == sample.topic, f"topic {sample.topic!r} was read as {verdict.topic!r}")
        expect(verdict.key, f"{sample.topic}: an empty key would make all deliveries one")
        other = seen.setdefault(verdict.key, sample.event)
        expect(other == sample.event, f"events {other} and {sample.event} share the key {verdict.key!r}")


async def raw_bytes(harness: AnyHarness) -> None:
    """The signature is over the bytes as they came: the same document written another way is as genuine."""
    settings = settings_of(harness)
    for sample in signed(harness):
        other = msgspec.structs.replace(sample, body=written_otherwise(sample.body))
        verdict = judge(harness, settings, deliver(harness, settings, other))
        good = isinstance(verdict, Store)
        expect(good, f"{sample.topic}, signed and with unusual spaces and escapes, came to {verdict!r}: sign raw bytes")


async def forged(harness: AnyHarness) -> None:
    """Whatever is not signed by the connection's own secret is refused with 401, and never stored."""
    settings = settings_of(harness)
    for sample in signed(harness):
        good = deliver(harness, settings, sample)
        wrong = deliver(harness, with_other_secrets(settings), sample)
        refused(harness, settings, wrong, f"{sample.topic} signed with another secret")
        bare = msgspec.structs.replace(good, headers={}, query={})
        refused(harness, settings, bare, f"{sample.topic} without any header")
        for name in good.headers:
            rest = {key: value for key, value in good.headers.items() if key != name}
            verdict = judge(harness, settings, msgspec.structs.replace(good, headers=rest))
            expect(isinstance(verdict, Store | Refuse), f"{sample.topic} without {name} came to {verdict!r}")


async def empty_secret(harness: AnyHarness) -> None:
    """An empty secret is a closed door, also for who signs with an empty secret."""
    empty = with_empty_secrets(settings_of(harness))
    for sample in signed(harness):
        refused(harness, empty, deliver(harness, empty, sample), f"{sample.topic} signed with the empty secret")


async def flipped_bit(harness: AnyHarness) -> None:
    """A body changed by one bit, anywhere, is refused."""
    if harness.unsigned_body is not None:
        return
    settings = settings_of(harness)
    for sample in signed(harness):
        good = deliver(harness, settings, sample)
        for place in sorted({0, len(good.body) // 3, len(good.body) // 2, len(good.body) - 1}):
            body = bytearray(good.body)
            body[place] ^= 1
            changed = msgspec.structs.replace(good, body=bytes(body))
            refused(harness, settings, changed, f"{sample.topic} with a bit flipped in byte {place}")


async def redelivered(harness: AnyHarness) -> None:
    """The same event sent again, later, has the same key; it means the same."""
    settings = settings_of(harness)
    for sample in signed(harness):
        first = judge(harness, settings, deliver(harness, settings, sample))
        again = judge(harness, settings, deliver(harness, settings, sample, later=timedelta(minutes=40)))
        expect(isinstance(first, Store), f"a genuine {sample.topic} came to {first!r} instead of Store")
        expect(isinstance(again, Store), f"{sample.topic}, sent again 40 minutes later, came to {again!r}")
        assert isinstance(first, Store)
        assert isinstance(again, Store)
        same = first.key == again.key
        expect(same, f"{sample.topic} sent again has another key: {first.key!r}, then {again.key!r}")


async def any_order(harness: AnyHarness) -> None:
    """Reading is pure: what came before changes nothing, and figures are exact."""
    forwards = {sample.event: read(harness, sample.topic, sample.body) for sample in read_samples(harness)}
    for sample in reversed(read_samples(harness)):
        messages = read(harness, sample.topic, sample.body)
        expect(messages == forwards[sample.event], f"{sample.topic} reads differently the second time")
        expect(messages or sample.expect == (), f"{sample.topic} was read as nothing")
        for message in messages:
            exact(message, sample.topic)
        if sample.expect is not None:
            expect(tuple(messages) == sample.expect, f"{sample.topic}: {list(messages)} instead of {sample.expect}")


async def newest_wins(harness: AnyHarness) -> None:
    """A snapshot's version is the vendor's own: what was changed later has a higher one, whenever it arrives."""
    for sample in read_samples(harness):
        if sample.newer is None:
            continue
        newer, older = (versions(read(harness, sample.topic, body)) for body in (sample.newer, sample.body))
        expect(older and newer, f"{sample.topic} has a newer sample and is not read as a snapshot")
        later = max(older) < min(newer)
        expect(later, f"{sample.topic}: changed later, version {newer} after {older}: a late delivery would undo it")


def versions(messages: Sequence[Message]) -> list[int]:
    """Versions of the snapshots."""
    return [message.content.version for message in messages if isinstance(message, OrderSnapshot)]


async def drift(harness: AnyHarness) -> None:
    """Unknown fields are ignored, a missing identity is Malformed, an unknown status is Unmapped or a problem."""
    for sample in read_samples(harness):
        if sample.with_extra is not None:
            same = read(harness, sample.topic, sample.with_extra) == read(harness, sample.topic, sample.body)
            expect(same, f"{sample.topic} with fields of tomorrow reads differently")
        if sample.without_identity is not None:
            malformed(harness, sample.topic, sample.without_identity)
        if sample.unknown_status is not None:
            unmapped(harness, sample, sample.unknown_status)
        malformed(harness, sample.topic, b"\x00 not a document")


async def quiet(harness: AnyHarness) -> None:
    """Checking and reading, well or not, tells no secret, and a refusal gives none away."""
    settings = settings_of(harness)
    with heard() as lines:
        for sample in signed(harness):
            verdict = judge(harness, settings, deliver(harness, settings, sample))
            wrong = judge(harness, settings, deliver(harness, with_other_secrets(settings), sample))
            lines.extend((repr(verdict), repr(wrong)))
    for secret in secrets_of(settings):
        expect(secret not in "\n".join(lines), "checking a delivery told a secret of the settings")


def settings_of(harness: AnyHarness) -> msgspec.Struct:
    """Settings to check with; the simulator is not running."""
    simulator = harness.simulator()
    simulator.base_url = OFFLINE
    settings: msgspec.Struct = harness.settings(simulator)
    return settings


def signed(harness: AnyHarness) -> list[Sample]:
    """Samples that are delivered."""
    samples = [sample for sample in harness.samples if sample.signed]
    expect(samples and harness.sign, "the harness of an adapter with `check` must give `sign` and signed `samples`")
    return samples


def read_samples(harness: AnyHarness) -> list[Sample]:
    """Samples whose topic is translated: not ignored, and not only a reason to fetch."""
    topics = harness.adapter.topics
    return [sample for sample in harness.samples if translated(topics[sample.topic])]


def translated(topic: Topic) -> bool:
    """Whether bodies of a topic become messages."""
    return topic.translate is not None or topic.mapping is not None


def deliver(harness: AnyHarness, settings: msgspec.Struct, sample: Sample, later: timedelta = timedelta()) -> Delivery:
    """The delivery of a sample, signed with these settings."""
    if harness.sign is None:
        raise Broken("the harness of an adapter with `check` must give `sign`")
    return harness.sign(settings, topic=sample.topic, body=sample.body, event=sample.event, at=AT + later)


def judge(harness: AnyHarness, settings: msgspec.Struct, delivery: Delivery) -> Verdict:
    """The adapter's verdict."""
    check = harness.adapter.check
    if check is None:
        raise Broken("the adapter has no `check`")
    return check(delivery, settings)


def written_otherwise(body: bytes) -> bytes:
    """A JSON document with other spaces and escapes; anything else as it is."""
    try:
        document = json.loads(body)
    except ValueError:
        return body
    return json.dumps(document, indent=3, ensure_ascii=True).encode() + b"\n"


def refused(harness: AnyHarness, settings: msgspec.Struct, delivery: Delivery, what: str) -> None:
    """It must be refused with 401."""
    verdict = judge(harness, settings, delivery)
    good = isinstance(verdict, Refuse) and verdict.status == 401
    expect(good, f"{what} came to {verdict!r} instead of Refuse(status=401)")


def malformed(harness: AnyHarness, topic: str, body: bytes) -> None:
    """It must raise Malformed."""
    try:
        messages = read(harness, topic, body)
    except MALFORMED:
        return
    raise Broken(f"{topic} without identity or sense was read as {list(messages)!r} instead of raising Malformed")


def unmapped(harness: AnyHarness, sample: Sample, body: bytes) -> None:
    """It must raise Unmapped, or be named in the problems of a snapshot."""
    try:
        messages = read(harness, sample.topic, body)
    except UNMAPPED:
        return
    more = problems(messages) - problems(read(harness, sample.topic, sample.body))
    said = f"{sample.topic} with an unknown status was read as {list(messages)!r}"
    expect(more, f"{said}: never a default, raise Unmapped or name it as a problem")


def problems(messages: Sequence[Message]) -> set[Problem]:
    """What snapshots say they could not understand."""
    return {found for message in messages if isinstance(message, OrderSnapshot) for found in message.problems}


def exact(message: Message, topic: str) -> None:
    """No float but a coordinate."""
    for path, value in floats(message, ""):
        raise Broken(f"{topic}: {path} is the float {value!r}; money and quantities are integers or Decimal")


def floats(node: object, path: str) -> Sequence[tuple[str, float]]:
    """Every float inside a message, with its path; coordinates are not counted."""
    match node:
        case float():
            return [(path, node)]
        case msgspec.Struct():
            skip = ("latitude", "longitude") if isinstance(node, Contact | Place) else ()
            inner = [(name, getattr(node, name)) for name in node.__struct_fields__ if name not in skip]
        case dict():
            inner = [(str(key), value) for key, value in node.items()]
        case list() | tuple():
            inner = [(str(number), value) for number, value in enumerate(node)]
        case _:
            return []
    return [found for name, value in inner for found in floats(value, f"{path}.{name}".lstrip("."))]
