"""A running Tryton for the tests of this folder."""

import pytest

from adapters.tryton.harness import peer
from adapters.tryton.peer import Peer, RegistryUnreachable


@pytest.fixture(scope="session")
def tryton() -> Peer:
    """The first test of a fresh clone waits while it is installed."""
    try:
        return peer()
    except RegistryUnreachable as error:
        pytest.skip(str(error)[:200])
