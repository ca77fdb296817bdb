"""The suite that every adapter runs."""

from adapters.shopify.harness import HARNESS
from hub.sdk.testkit.suite import AdapterSuite


class TestShopify(AdapterSuite):
    harness = HARNESS
