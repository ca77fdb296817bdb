"""ShipBob under the conformance suite."""

from adapters.shipbob.harness import HARNESS
from hub.sdk.testkit.suite import AdapterSuite


class TestShipBob(AdapterSuite):
    harness = HARNESS
