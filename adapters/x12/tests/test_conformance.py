"""The suite that every adapter runs."""

from adapters.x12.harness import HARNESS
from hub.sdk.testkit.suite import AdapterSuite


class TestX12(AdapterSuite):
    harness = HARNESS
