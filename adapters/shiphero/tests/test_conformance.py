"""ShipHero keeps the contract that all adapters keep."""

from adapters.shiphero.harness import HARNESS
from hub.sdk.testkit.suite import AdapterSuite


class TestShipHero(AdapterSuite):
    harness = HARNESS
