"""Magento under the conformance suite."""

from adapters.magento.harness import HARNESS
from hub.sdk.testkit.suite import AdapterSuite


class TestMagento(AdapterSuite):
    harness = HARNESS
