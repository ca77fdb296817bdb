"""The suite that every adapter runs, over files and over the API."""

from pathlib import Path
from typing import Final

import msgspec

from adapters.supplier.adapter import ADAPTER
from adapters.supplier.harness import HARNESS, api_effects, api_settings
from adapters.supplier.settings import Settings
from adapters.supplier.simulator import SupplierApi
from hub.sdk.testkit.harness import Harness
from hub.sdk.testkit.suite import AdapterSuite


class TestFiles(AdapterSuite):
    harness = HARNESS


API: Final = Harness[SupplierApi, Settings](
    # What comes in is the same whichever way orders go out; that it is read rightly is tried above.
    adapter=msgspec.structs.replace(ADAPTER, check=None, topics={}, fetch=None, pulls={}, probe=None),
    folder=Path(__file__).parents[1],
    simulator=SupplierApi,
    settings=api_settings,
    effects=api_effects,
    idempotent=frozenset({"cancel_fulfilment"}),
    declined={"submit_fulfilment": lambda supplier, request: supplier.books.refuses.add("PO-000001") or request},
)


class TestApi(AdapterSuite):
    harness = API
