"""What an adapter gives the conformance suite: one value, `HARNESS`, in `adapters/<vendor>/harness.py`.

    # adapters/acme/harness.py
    HARNESS = Harness(
        adapter=ADAPTER,
        folder=Path(__file__).parent,                  # where quality.toml lies
        simulator=lambda: AcmeSimulator(token="t", secret="s"),
        settings=lambda simulator: AcmeSettings(token="t", secret="s", base_url=simulator.base_url),
        prepare=prepare,                               # what a request presupposes, put into the simulator's books
        effects=effects,                               # how often the books say that it happened
        sign=sign, samples=SAMPLES,                    # only with `check`: genuine deliveries
    )

    # adapters/acme/tests/test_conformance.py
    class TestAcme(AdapterSuite):
        harness = HARNESS

Each check runs against a fresh simulator over real HTTP, through `hub.sdk.http.HttpClient`. Only capabilities that
the adapter has are checked, and a rule exempted in quality.toml (with its reason) is left out. What the checks ask
is said in `check.py`; two things are worth knowing before writing an adapter:

- Its settings derive from `hub.sdk.redaction.Masked`, so that printing them shows no secret.
- Every reply of every write is lost once, and every request is answered 503 once. The command is then repeated,
  with `look_first` set if (and only if) the outcome was Uncertain, and must have taken effect exactly once.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from hub.sdk.adapter import Adapter, Message
from hub.sdk.capabilities import Command
from hub.sdk.testkit.simulator import Simulator
from hub.sdk.webhook import Delivery

Sim = TypeVar("Sim", bound=Simulator)
S = TypeVar("S", bound=msgspec.Struct)
S_in = TypeVar("S_in", bound=msgspec.Struct, contravariant=True)


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One genuine inbound body, written by us, and what becomes of it when the vendor changes it.

    `json_sample` makes all of it from a document. Of several samples, each is another event.
    """

    topic: str
    """A key of `Adapter.topics`."""
    body: bytes
    event: str = "event-1"
    """The vendor's id of this delivery, for `sign`; unique among the samples."""
    signed: bool = True
    """False for a body that only pulls and fetches bring: it is translated, never checked."""
    with_extra: bytes | None = None
    """With fields that no documentation mentions: must mean the same."""
    without_identity: bytes | None = None
    """Without what it is about: must raise Malformed."""
    unknown_status: bytes | None = None
    """With a status word nobody mapped: must raise Unmapped, or be named in the snapshot's problems."""
    newer: bytes | None = None
    """The same object, changed later: its snapshot must have a higher version, or a late delivery would undo it."""
    expect: tuple[Message, ...] | None = None
    """What it must translate to, where the test says so."""


class Sign(Protocol[S_in]):
    """Builds a delivery as the vendor would send it, with the settings' own secret, even an empty one.

    The same `event` sent `at` another time is a redelivery: same key, maybe another signature.
    """

    def __call__(self, settings: S_in, /, *, topic: str, body: bytes, event: str, at: datetime) -> Delivery: ...


def _as_it_is(simulator: Any, capability: str, request: Command) -> Command:
    return request


class Harness(msgspec.Struct, Generic[Sim, S], frozen=True, kw_only=True):
    """See the top of this file."""

    adapter: Adapter
    folder: Path
    simulator: Callable[[], Sim]
    """A new simulator: not started, without faults, with empty books and credentials of its own."""
    settings: Callable[[Sim], S]
    """Settings that this (started) simulator accepts; `base_url` is the simulator's. All secret fields filled in,
    with values of at least 8 characters that appear nowhere else."""
    requests: Mapping[str, Command] = {}
    """By capability: the command to send, where the kit's own (`samples.py`) does not suit the vendor.
    Derive it: `msgspec.structs.replace(samples.FULFILMENT, location="loc-1")`."""
    prepare: Callable[[Sim, str, Any], Command] = _as_it_is
    """(simulator, capability, request) -> request: put into the books what the request presupposes (the channel's
    order, the known SKUs, the fulfilment to cancel) and fill in `references` to it, as the hub would have learned."""
    effects: Callable[[Sim, str, Any], int] | None = None
    """(simulator, capability, request) -> how many times the books say that the effect took place. For a state
    (availability, a cancel): 1 when the books say so now, else 0. Required for an adapter that writes."""
    idempotent: frozenset[str] = frozenset()
    """Capabilities that the vendor itself repeats safely under our key, or that set a state: a repeat need not be
    `Done(found=True)`."""
    declined: Mapping[str, Callable[[Sim, Any], Command]] = {}
    """By capability: (simulator, request) -> a request that this vendor understands and declines, in a 200 with an
    error inside where that is its way. It must not come to Done."""
    in_part: Mapping[str, Callable[[Sim, Any], Command]] = {}
    """By capability: (simulator, request) -> a request of which this vendor takes one part and declines another. It
    must not come to a Done that says nothing of the rest."""
    refused: Callable[[Sim], S] | None = None
    """Settings that the simulator refuses; by default the accepted ones with every secret changed."""

    sign: Sign[S] | None = None
    samples: tuple[Sample, ...] = ()
    """At least one per topic that is not ignored."""
    unsigned_body: str | None = None
    """Why a changed body cannot be noticed (the vendor sends a shared token instead of a signature)."""
    tables: Mapping[str, Mapping[str, str]] | None = None
    """Code tables; by default those shipped in `mappings/<vendor>/tables.toml`."""
    mappings: Path | None = None
    """Folder of the mapping files; by default `mappings/<vendor>`, beside `hub`."""

    fill: Mapping[str, Callable[[Sim], int]] = {}
    """By name of a pull: put objects into the books; how many the pull must bring."""
    fetched: Mapping[str, Callable[[Sim], tuple[str, bytes]]] = {}
    """By thin topic: put the object into the books; (its id, the thin body)."""
    tracked: Callable[[Sim], tuple[str, str]] | None = None
    """Put a parcel into the books; (carrier, tracking number). Required for `track`."""


AnyHarness = Harness[Any, Any]


def json_sample(
    topic: str,
    document: object,
    *,
    identity: str,
    status: str | None = None,
    version: tuple[str, object] | None = None,
    event: str = "event-1",
    signed: bool = True,
    expect: tuple[Message, ...] | None = None,
) -> Sample:
    """A sample with its variants from a JSON document.

    `identity` and `status` are paths like "order.id" or "lines.0.state": the field to leave out, and the word to
    replace by an unknown one. `version` is the path of what the vendor counts or dates its versions by, and a later
    value of it. Raises KeyError when the document has no such field.
    """
    extra = msgspec.json.decode(msgspec.json.encode(document))
    _widen(extra)
    return Sample(
        topic=topic,
        body=msgspec.json.encode(document),
        event=event,
        signed=signed,
        with_extra=msgspec.json.encode(extra),
        without_identity=_changed(document, identity, None),
        unknown_status=None if status is None else _changed(document, status, _unknown),
        newer=None if version is None else _changed(document, version[0], lambda old: version[1]),
        expect=expect,
    )


def _widen(node: object) -> None:
    """Put an unknown field into every object."""
    if isinstance(node, dict):
        for value in node.values():
            _widen(value)
        node["field_of_tomorrow"] = {"nested": [1, "two", None]}
    elif isinstance(node, list):
        for value in node:
            _widen(value)


def _unknown(word: object) -> object:
    return "word-nobody-mapped" if isinstance(word, str) else 987654


def _changed(document: object, path: str, change: Callable[[object], object] | None) -> bytes:
    """The document with the field at `path` changed, or left out when there is no change."""
    copy = msgspec.json.decode(msgspec.json.encode(document))
    *parents, last = path.split(".")
    node: Any = copy
    for part in parents:
        node = node[int(part)] if isinstance(node, list) else node[part]
    key: Any = int(last) if isinstance(node, list) else last
    if change is None:
        del node[key]
    else:
        node[key] = change(node[key])
    return msgspec.json.encode(copy)


def find_harness(package: str) -> AnyHarness:
    """The harness of the adapter in a package ("adapters.shopify"). Raises LookupError when it ships none."""
    module = f"{package}.harness"
    parts = package.split(".")
    absent = {module, *(".".join(parts[:end]) for end in range(1, len(parts) + 1))}
    try:
        found = getattr(import_module(module), "HARNESS", None)
    except ModuleNotFoundError as error:
        if error.name not in absent:
            raise
        raise LookupError(f"there is no module {module}: an adapter is checked by the HARNESS in it") from error
    if not isinstance(found, Harness):
        raise LookupError(f"{module} must define HARNESS, a hub.sdk.testkit.harness.Harness")
    return found
