"""A place to try an adapter: its simulator running, a client to it, and questions to the books."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec

from hub.domain.network import Connection
from hub.sdk.auth import MemoryTokenStore
from hub.sdk.capabilities import Command, Context, Send
from hub.sdk.connecting import files_of
from hub.sdk.http import HttpClient
from hub.sdk.numbers import MemoryNumbers
from hub.sdk.outcomes import Interrupted, Outcome
from hub.sdk.redaction import hidden_fields
from hub.sdk.testkit.harness import AnyHarness
from hub.sdk.testkit.samples import COMMANDS
from hub.sdk.testkit.simulator import Fault, Simulator

WRITES: tuple[str, ...] = tuple(COMMANDS)
MOST_REQUESTS = 12
"""An operation that takes more requests than this is not tried further."""


class Broken(AssertionError):
    """The adapter does not keep its contract; says where and what to change."""


def expect(condition: object, message: str) -> None:
    """Raise `Broken` unless the condition holds. Not an assert statement: those vanish under `python -O`."""
    if not condition:
        raise Broken(message)


def present(harness: AnyHarness) -> list[str]:
    """Writing capabilities of the adapter."""
    return [name for name in WRITES if getattr(harness.adapter, name) is not None]


class Bench:
    """An adapter with its simulator. Each call of it gets a client with buckets and breaker of its own."""

    def __init__(self, harness: AnyHarness, simulator: Simulator, settings: msgspec.Struct) -> None:
        self.harness = harness
        self.adapter = harness.adapter
        self.simulator = simulator
        self.settings = settings
        self._tokens = MemoryTokenStore()
        self._numbers = MemoryNumbers(_now)

    def command(self, capability: str) -> Command:
        """The command of a capability, with what it presupposes in the books."""
        request = self.harness.requests.get(capability) or COMMANDS[capability]
        return self.harness.prepare(self.simulator, capability, request)

    def effects(self, capability: str, request: Command) -> int:
        """How many times the books say it happened."""
        count = self.harness.effects
        if count is None:
            raise Broken(f"the harness of an adapter with {capability} must give `effects`")
        return count(self.simulator, capability, request)

    async def write(self, capability: str, request: Command) -> Outcome:
        """Send a command as the hub does; what a client raises is an outcome too."""
        send = cast(Send[Command], getattr(self.adapter, capability))
        async with self.context() as context:
            return await outcome_of(send(context, request))

    @asynccontextmanager
    async def context(self, *, ahead: timedelta = timedelta()) -> AsyncIterator[Context[Any]]:
        """What a capability is given: a connection, its settings and a fresh client to the simulator.

        `ahead` is how fast our clock is.
        """
        # Empty on purpose: simulators speak plain HTTP, and loading the world's certificates takes 20 ms each time.
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        transport = self.adapter.transport(self.settings)
        async with (
            HttpClient(transport, clock=_now, tokens=self._tokens, tls=tls) as client,
            files_of(transport, _now) as files,
        ):
            yield Context(
                connection=self._connection(),
                settings=self.settings,
                client=client,
                now=lambda: _now() + ahead,
                files=files,
                numbers=self._numbers,
            )

    def _connection(self) -> Connection:
        account = self.adapter.account(self.settings)
        name = self.adapter.name
        return Connection(
            id="conformance", merchant="default", account=1, account_name=account, adapter=name, name=name
        )  # fmt: skip


def _now() -> datetime:
    return datetime.now(UTC)


async def outcome_of(attempt: Awaitable[Outcome]) -> Outcome:
    """The outcome that a capability returned or was interrupted with."""
    try:
        return await attempt
    except Interrupted as interruption:
        return interruption.outcome


@asynccontextmanager
async def bench(harness: AnyHarness, *, refused: bool = False) -> AsyncIterator[Bench]:
    """A running bench; with settings that the simulator refuses when asked for. Afterwards no limit was broken."""
    async with harness.simulator() as simulator:
        settings = harness.settings(simulator)
        if refused:
            settings = harness.refused(simulator) if harness.refused else with_other_secrets(settings)
        yield Bench(harness, simulator, settings)
        expect(not simulator.violations, f"the vendor's own limits were broken: {simulator.violations[:3]}")


async def each_request_hit(harness: AnyHarness, capability: str, fault: Fault) -> AsyncIterator["Hit"]:
    """Run an operation once per request it makes, on a new bench each, with the fault at the n-th request."""
    for place in range(MOST_REQUESTS):
        async with bench(harness) as place_of_trial:
            request = place_of_trial.command(capability)
            script = place_of_trial.simulator.script
            script.extend([None] * place)
            script.append(fault)
            outcome = await place_of_trial.write(capability, request)
            if script:
                return
            yield Hit(bench=place_of_trial, capability=capability, request=request, place=place + 1, outcome=outcome)


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """An operation whose request number `place` met a fault, and what it made of it."""

    bench: Bench
    capability: str
    request: Command
    place: int
    outcome: Outcome

    @property
    def effects(self) -> int:
        """How many times the books say it happened, now."""
        return self.bench.effects(self.capability, self.request)

    async def repeated(self, *, look_first: bool) -> Outcome:
        """Do it again, as the hub would."""
        request = msgspec.structs.replace(self.request, look_first=look_first)
        return await self.bench.write(self.capability, request)


def with_other_secrets(settings: msgspec.Struct) -> msgspec.Struct:
    """The same settings with every secret a little wrong: of the same length, alphabet and prefix."""
    return _with_secrets(settings, _slightly_wrong)


def with_empty_secrets(settings: msgspec.Struct) -> msgspec.Struct:
    """The same settings with every secret empty, as a form saves what nobody filled in."""
    return _with_secrets(settings, lambda secret: "")


def secrets_of(settings: msgspec.Struct) -> list[str]:
    """The values of the secret fields."""
    values = (getattr(settings, name) for name in sorted(hidden_fields(type(settings))))
    return [value for value in values if isinstance(value, str) and value]


def _with_secrets(settings: msgspec.Struct, change: Callable[[str], str]) -> msgspec.Struct:
    old = {name: getattr(settings, name) for name in hidden_fields(type(settings))}
    changed = {name: change(value) for name, value in old.items() if isinstance(value, str) and value}
    return msgspec.structs.replace(settings, **changed)


def _slightly_wrong(secret: str) -> str:
    # In the middle: the front may be a prefix, and the last letter of base64 may carry no bits.
    middle = next((at for at in range(len(secret) // 2, len(secret)) if secret[at].isalnum()), 0)
    return f"{secret[:middle]}{'B' if secret[middle] == 'A' else 'A'}{secret[middle + 1 :]}"


@contextmanager
def numbered(what: str, place: int) -> Iterator[None]:
    """Say in which try something broke."""
    try:
        yield
    except Broken as broken:
        raise Broken(f"{what} {place}: {broken}") from None
