"""The suite that every adapter runs."""

from adapters.amazon.harness import HARNESS
from hub.sdk.testkit.suite import AdapterSuite


class TestAmazon(AdapterSuite):
    harness = HARNESS
