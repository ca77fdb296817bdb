"""The conformance suite itself is tested: it passes a good adapter and catches every broken one, by name."""

import msgspec
import pytest

from hub.sdk.testkit.check import certify
from hub.sdk.testkit.suite import AdapterSuite
from tests.contract.broken import acme, variants

KINDS = {
    "wrong HMAC bytes": {"signs what it decoded", "trusts any signature", "takes an empty secret"},
    "float money": {"books a float"},
    "swallowed 200 with errors": {"swallows a 200 with errors", "swallows errors", "believes a web page"},
    "lost page": {"loses a page", "leaves out a page that failed", "ends a pull early"},
    "repeated write after time-out": {"repeats without looking", "forgets that it writes"},
    "unknown status defaulted": {"defaults an unknown status"},
    "stale overwrite": {"gives all one version", "versions by arrival"},
    "thin event trusted": {"fetches what it was told", "reads a thin event"},
    "limit exceeded": {"declares no limit", "gives up when throttled"},
    "secret logged": {"logs the token", "logs the webhook secret", "logs the customer"},
    "partial success taken whole": {"takes a part for the whole"},
    "clock trusted": {"goes by its own clock", "stamps its own clock"},
}
"""What real connectors get wrong, and which of the broken adapters do so."""


class TestGood(AdapterSuite):
    harness = acme.HARNESS


async def test_good_adapter_is_certified_in_every_rule() -> None:
    report = await certify(acme.ADAPTER, acme.HARNESS)
    assert [finding for finding in report.findings if finding.fault] == []
    assert report.ok
    assert set(report.exempt) == {"spec_checked", "samples_read"}
    assert {finding.rule for finding in report.findings} >= {
        "declared", "request_built", "answer_read", "error_read", "repeat_after_uncertain", "duplicate",
        "out_of_order", "throttled", "schema_drift", "signature", "redaction",
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_mistake_is_made(kind: str) -> None:
    assert KINDS[kind] <= variants.BROKEN.keys()


@pytest.mark.parametrize("mistake", variants.BROKEN)
async def test_broken_adapter_is_caught(mistake: str) -> None:
    adapter, case, said = variants.BROKEN[mistake]
    report = await certify(adapter, acme.HARNESS, only=case)
    assert [said in (finding.fault or "") for finding in report.findings] == [True]


async def test_settings_that_print_secrets_are_caught() -> None:
    def settings(simulator: acme.AcmeSimulator) -> variants.Talkative:
        good = acme.HARNESS.settings(simulator)
        return variants.Talkative(**msgspec.structs.asdict(good))

    adapter = msgspec.structs.replace(acme.ADAPTER, settings=variants.Talkative)
    harness = msgspec.structs.replace(acme.HARNESS, settings=settings)  # type: ignore[arg-type]
    report = await certify(adapter, harness, only="settings_kept")
    assert [finding.fault for finding in report.faults] == [
        "printing the settings shows a secret: derive them from hub.sdk.redaction.Masked"
    ]
