"""The suite that every adapter runs, against a real Tryton."""

import msgspec
import pytest

from adapters.tryton.harness import HARNESS
from hub.domain.posting import DocumentKind
from hub.sdk.testkit import writes
from hub.sdk.testkit.samples import POSTING
from hub.sdk.testkit.suite import AdapterSuite

# The first test of a fresh clone waits for the environment; see tests/conftest.py.
pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("tryton")]


class TestTryton(AdapterSuite):
    harness = HARNESS


@pytest.mark.parametrize("kind", [DocumentKind.ORDER, DocumentKind.DELIVERY, DocumentKind.CREDIT_NOTE])
async def test_other_documents_are_posted_once_like_invoices(kind: DocumentKind) -> None:
    request = msgspec.structs.replace(POSTING, kind=kind)
    await writes.duplicate(msgspec.structs.replace(HARNESS, requests={"post": request}), "post")
