"""The suite that every adapter runs, for each kind of document."""

from collections.abc import Awaitable, Callable

import msgspec
import pytest

from adapters.odoo.harness import BOOKS, HARNESS
from hub.domain.posting import DocumentKind
from hub.sdk.testkit import writes
from hub.sdk.testkit.harness import AnyHarness
from hub.sdk.testkit.samples import POSTING
from hub.sdk.testkit.suite import AdapterSuite

CHECKS = (
    writes.request_built,
    writes.answer_read,
    writes.error_read,
    writes.repeat_after_uncertain,
    writes.duplicate,
    writes.throttled,
    writes.redaction,
)


class TestOdoo(AdapterSuite):
    harness = HARNESS


@pytest.mark.parametrize("kind", [DocumentKind.ORDER, DocumentKind.DELIVERY, DocumentKind.CREDIT_NOTE])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_other_documents_are_posted_like_invoices(
    kind: DocumentKind, check: Callable[[AnyHarness, str], Awaitable[None]]
) -> None:
    request = msgspec.structs.replace(POSTING, kind=kind)
    await check(msgspec.structs.replace(BOOKS, requests={"post": request}), "post")
