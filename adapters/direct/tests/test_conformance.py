"""The suite that every adapter runs."""

from adapters.direct.harness import HARNESS
from hub.sdk.testkit.suite import AdapterSuite


class TestDirect(AdapterSuite):
    harness = HARNESS
