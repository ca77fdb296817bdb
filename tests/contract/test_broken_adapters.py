"""The conformance suite itself is tested: it passes a good adapter and catches every broken one, by name."""

import msgspec
import pytest

from hub.sdk.testkit.check import certify
from hub.sdk.testkit.suite import AdapterSuite
from tests.contract.broken import acme, variants


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
