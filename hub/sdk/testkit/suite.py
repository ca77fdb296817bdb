"""The conformance suite under pytest: one test per rule and capability, without a line in the adapter but its name."""

from typing import Any, ClassVar

from hub.sdk.testkit.check import Case, cases
from hub.sdk.testkit.harness import AnyHarness


class AdapterSuite:
    """Inherit it in `adapters/<vendor>/tests/test_conformance.py` and set `harness`."""

    harness: ClassVar[AnyHarness]

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Pytest's hook: one test per case of this adapter."""
        if "case" in metafunc.fixturenames:
            found = cases(self.harness)
            metafunc.parametrize("case", found, ids=[f"{case.rule}-{case.name}" for case in found])

    async def test_conformance(self, case: Case) -> None:
        """See the check's own docstring for what it asks."""
        await case.run(self.harness)
