"""The suite that every adapter runs, once for each version of the API."""

from adapters.amazon_mcf.harness import HARNESS, HARNESS_2020
from hub.sdk.testkit.suite import AdapterSuite


class TestMcf2026(AdapterSuite):
    harness = HARNESS


class TestMcf2020(AdapterSuite):
    harness = HARNESS_2020
