"""What makes thousands of tests quick, in `tests/` and in every adapter; nothing here changes what they prove."""

import gc
import signal
from collections.abc import Iterator
from functools import cache
from types import FrameType
from typing import Final

import httpx
import pytest
from hypothesis import settings

# The same examples each time: no change is refused for what another one brought. `make explore` looks for new ones.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

LONGEST: Final = (
    "tests/scenarios/test_tryton.py",
    "tests/scenarios/test_demo.py",
    "tests/faults/test_kills.py",
    "tests/contract/test_first_order.py",
    "adapters/tryton/tests/test_conformance.py",
    "adapters/tryton/tests/test_life.py",
    "tests/proof/test_01_oversell.py",
    "tests/proof/test_06_schema.py",
    "tests/contract/test_first_adapter.py",
    "adapters/odoo/tests/test_conformance.py",
    "tests/property/test_life.py",
    "tests/property/test_routing_recount.py",
    "tests/scenarios/test_weather.py",
    "tests/scenarios/test_x12.py",
    "tests/property/test_supply.py",
    "tests/proof/test_06_fuzz.py",
    "tests/proof/test_10_partner_down.py",
    "tests/proof/test_05_races.py",
    "tests/proof/test_09_outages.py",
    "adapters/amazon/tests/test_conformance.py",
    "adapters/amazon_mcf/tests/test_conformance.py",
    "adapters/business_central/tests/test_conformance.py",
    "adapters/shopify/tests/test_conformance.py",
    "adapters/square/tests/test_conformance.py",
)
"""Files that take longest come first, or one worker would be left with them when the other has done: `make test`
hands out whole files in this order. A file that is missing here is only somewhat later than it could be."""


def pytest_configure(config: pytest.Config) -> None:
    """Take the signal of the keyboard as Python does, but by a handler of our own.

    asyncio's runner replaces Python's for every fixture and every test, and prints what they return while doing so.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files first."""
    places = {config.rootpath / file: place for place, file in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave thousands of tests and their modules to themselves, as the hub's processes do with what they start with."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def one_trust() -> Iterator[None]:
    """Clients that trust the same share it: reading this machine's authorities takes 20 ms each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
        yield
