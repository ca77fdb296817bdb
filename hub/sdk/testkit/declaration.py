"""Checks of what an adapter says about itself, before anything is sent."""

import msgspec

from hub.sdk.adapter import SDK_VERSION
from hub.sdk.redaction import SECRET_WORDS, hidden_fields
from hub.sdk.testkit.bench import expect, present, secrets_of
from hub.sdk.testkit.deliveries import settings_of
from hub.sdk.testkit.harness import AnyHarness


async def complete(harness: AnyHarness) -> None:
    """What the harness must give for the capabilities that the adapter has."""
    adapter = harness.adapter
    expect(adapter.sdk == SDK_VERSION, f"made for SDK {adapter.sdk}, this is {SDK_VERSION}")
    expect(adapter.capabilities, "an adapter without a capability does nothing")
    if present(harness):
        expect(harness.effects, "the harness of an adapter that writes must give `effects`")
    for sample in harness.samples:
        expect(sample.topic in adapter.topics, f"sample of {sample.topic!r}, which is not in Adapter.topics")
    events = [sample.event for sample in harness.samples]
    expect(len(set(events)) == len(events), "two samples share an event: give each its own")


async def topics_declared(harness: AnyHarness) -> None:
    """Each topic is ignored, fetched or read in exactly one way, and shown by a sample."""
    topics = harness.adapter.topics
    sampled = {sample.topic for sample in harness.samples}
    for name, topic in topics.items():
        ways = [topic.ignore, topic.thin, topic.mapping is not None, topic.translate is not None]
        expect(sum(ways) == 1, f"topic {name}: exactly one of ignore, thin, mapping and translate")
        if topic.thin:
            expect(harness.adapter.fetch, f"topic {name} is thin, and the adapter cannot fetch")
            expect(topic.fetched_as in topics, f"topic {name} is fetched as {topic.fetched_as!r}, which is no topic")
        expect(
            topic.thin or name not in harness.fetched,
            f"topic {name} only names an object, or proves nothing: declare it thin, so that the object is fetched",
        )
        if not topic.ignore:
            expect(name in sampled, f"topic {name} has no sample in the harness")


async def settings_kept(harness: AnyHarness) -> None:
    """Settings are strict, name the account, take a base_url, and do not show their secrets."""
    kind = harness.adapter.settings
    settings = settings_of(harness)
    expect(
        isinstance(settings, kind), f"the harness makes {type(settings).__name__}, the adapter wants {kind.__name__}"
    )
    expect(kind.__struct_config__.forbid_unknown_fields, "settings must forbid unknown fields: a typo must not pass")
    expect("base_url" in kind.__struct_fields__, "settings must take an optional base_url")
    expect(harness.adapter.account(settings), "the account's name is empty")
    base_url = harness.adapter.transport(settings).base_url
    expect(base_url.startswith(settings.base_url), f"base_url is not honoured: requests go to {base_url}")  # type: ignore[attr-defined]
    hidden = hidden_fields(kind)
    for field in msgspec.structs.fields(kind):
        sounds_secret = SECRET_WORDS.search(field.name) and not field.name.endswith(("_url", "_id"))
        expect(not sounds_secret or field.name in hidden, f"{field.name} sounds secret and is not marked x-secret")
    for secret in secrets_of(settings):
        expect(len(secret) >= 8, "secrets of the harness have at least 8 characters, or they cannot be recognised")
        shown = secret in repr(settings)
        expect(not shown, "printing the settings shows a secret: derive them from hub.sdk.redaction.Masked")
