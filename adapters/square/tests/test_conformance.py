"""The suite that every adapter runs."""

from adapters.square.harness import HARNESS
from hub.sdk.testkit.suite import AdapterSuite


class TestSquare(AdapterSuite):
    harness = HARNESS
