"""UPS under the conformance suite."""

from adapters.ups.harness import HARNESS
from hub.sdk.testkit.suite import AdapterSuite


class TestUps(AdapterSuite):
    harness = HARNESS
