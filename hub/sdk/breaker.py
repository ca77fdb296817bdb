"""Circuit breaker of a connection: a vendor that is down is asked rarely, so that its queue costs nothing."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

THRESHOLD: Final = 5
"""Failures in a row that open it."""
FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(minutes=2)
PROBE_LEASE: Final = timedelta(seconds=30)
"""How long one probe keeps others out; a probe whose process died is replaced after it."""
PROBE_LOOK: Final = timedelta(seconds=1)
"""When others come back while a probe is out: most answer in less, and a vendor that is well again must not wait."""


class Circuit(msgspec.Struct, frozen=True, kw_only=True):
    """State: closed (requests pass) while `open_until` is None, open before it, then half-open: one probe at a time."""

    failures: int = 0
    """In a row."""
    open_until: datetime | None = None
    probing: bool = False
    """Half-open: a probe is out; it is replaced at `open_until`."""
    pause: timedelta = FIRST_PAUSE
    """How long the next opening lasts; doubles with each failed probe."""


def admit(circuit: Circuit, now: datetime) -> tuple[Circuit, datetime | None]:
    """May a request go? Answers the state after asking, and when to come back if not.

    The first that asks after a pause is the probe; others are turned away until it reports.
    """
    if circuit.open_until is None:
        return circuit, None
    # Further off than any pause is long: the clock was put back meanwhile.
    if now < circuit.open_until <= now + max(LONGEST_PAUSE, PROBE_LEASE):
        return circuit, min(circuit.open_until, now + PROBE_LOOK) if circuit.probing else circuit.open_until
    return msgspec.structs.replace(circuit, open_until=now + PROBE_LEASE, probing=True), None


def failed(circuit: Circuit, now: datetime, threshold: int = THRESHOLD, longest: timedelta = LONGEST_PAUSE) -> Circuit:
    """A transport failure or 5xx. One that was sent before the circuit opened says nothing new."""
    if circuit.open_until is not None and not circuit.probing:
        return circuit
    failures = circuit.failures + 1
    if failures < threshold:
        return msgspec.structs.replace(circuit, failures=failures)
    pause = min(circuit.pause, longest)
    return Circuit(failures=failures, open_until=now + pause, pause=min(pause * 2, longest))


def succeeded(circuit: Circuit) -> Circuit:
    """Any answer that is not 5xx: the vendor lives."""
    return circuit if circuit == Circuit() else Circuit()


def unheard(circuit: Circuit, now: datetime) -> Circuit:
    """A request that ended without a word of the vendor: never sent, or cut off here. If it was the probe, the next is.

    Kept out until `PROBE_LEASE` was over, others waited half a minute for nothing (fault seed 102).
    """
    return msgspec.structs.replace(circuit, open_until=now, probing=False) if circuit.probing else circuit


class Breaker:
    """Holds the circuit of one connection in this process; other processes find out for themselves."""

    def __init__(self, *, threshold: int = THRESHOLD, longest: timedelta = LONGEST_PAUSE) -> None:
        self.circuit = Circuit()
        self._threshold = threshold
        self._longest = longest

    def admit(self, now: datetime) -> datetime | None:
        """None when a request may go, else when to come back."""
        self.circuit, at = admit(self.circuit, now)
        return at

    def failed(self, now: datetime) -> None:
        """Report a transport failure or 5xx."""
        self.circuit = failed(self.circuit, now, self._threshold, self._longest)

    def succeeded(self) -> None:
        """Report an answer."""
        self.circuit = succeeded(self.circuit)

    def unheard(self, now: datetime) -> None:
        """Report a request that says nothing of the vendor; after another report it changes nothing."""
        self.circuit = unheard(self.circuit, now)
