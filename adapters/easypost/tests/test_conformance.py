"""EasyPost under the conformance suite."""

from adapters.easypost.harness import HARNESS
from hub.sdk.testkit.suite import AdapterSuite


class TestEasyPost(AdapterSuite):
    harness = HARNESS
