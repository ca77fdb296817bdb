"""The suite that every adapter runs."""

from adapters.order_files.harness import HARNESS
from hub.sdk.testkit.suite import AdapterSuite


class TestOrderFiles(AdapterSuite):
    harness = HARNESS
