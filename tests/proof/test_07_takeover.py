"""Test 7, its last part: what a killed worker had begun runs again within ten seconds, whatever it was."""

from hub.sdk.http import TOKEN_DEADLINE_SECONDS
from hub.settings import Settings
from hub.store.credentials import TOKEN_LEASE
from hub.worker.leases import LEASE_SECONDS

WITHIN = 10.0
BATCH = 3.0
"""Seconds of sixteen calls to a partner that takes 1.5 s for each, eight at once."""


def test_no_lease_outlives_its_worker_by_more_than_ten_seconds() -> None:
    """The measured version is `python -m tests.faults.run --kind takeover`."""
    settings = Settings()
    for lease in (settings.lease_seconds, LEASE_SECONDS, TOKEN_LEASE.total_seconds()):
        assert lease + settings.sweep_seconds < WITHIN
    # Measured: who takes over may have a batch of slow calls of its own first.
    assert settings.lease_seconds + settings.sweep_seconds + BATCH <= WITHIN
    assert TOKEN_LEASE.total_seconds() > TOKEN_DEADLINE_SECONDS, "two must not renew one token at once"
