from pathlib import Path

import msgspec
import pytest

from hub.sdk.testkit.bench import secrets_of, with_empty_secrets, with_other_secrets
from hub.sdk.testkit.check import cases, certify
from hub.sdk.testkit.harness import find_harness, json_sample
from hub.sdk.testkit.quality import RULES
from hub.sdk.testkit.samples import COMMANDS, POSTING
from tests.contract.broken import acme

DOCUMENT = {"order": {"id": 7, "lines": [{"state": "open"}, {"state": "done"}]}, "kind": 3}


def decoded(body: bytes | None) -> object:
    assert body is not None
    return msgspec.json.decode(body)


def test_sample_without_identity_lacks_that_field_only() -> None:
    sample = json_sample("t", DOCUMENT, identity="order.id")
    assert decoded(sample.body) == DOCUMENT
    assert decoded(sample.without_identity) == {"order": {"lines": DOCUMENT["order"]["lines"]}, "kind": 3}
    assert sample.unknown_status is None


@pytest.mark.parametrize(("path", "word"), [("order.lines.1.state", "word-nobody-mapped"), ("kind", 987654)])
def test_unknown_status_keeps_the_fields_type(path: str, word: object) -> None:
    document = decoded(json_sample("t", DOCUMENT, identity="order.id", status=path).unknown_status)
    for step in path.split("."):
        document = document[int(step)] if isinstance(document, list) else document[step]  # type: ignore[index]
    assert document == word


def test_extra_fields_are_put_into_every_object() -> None:
    body = json_sample("t", DOCUMENT, identity="order.id").with_extra
    assert body is not None
    assert body.count(b"field_of_tomorrow") == 4


def test_path_that_is_not_in_the_document_is_an_error() -> None:
    with pytest.raises(KeyError):
        json_sample("t", DOCUMENT, identity="order.number")


def settings() -> acme.Settings:
    return acme.Settings(site="s", token="token-of-acme", webhook_secret="whsec_MTIzNDU2Nzg5MA==")


def test_other_secrets_keep_length_prefix_and_alphabet() -> None:
    good, wrong = secrets_of(settings()), secrets_of(with_other_secrets(settings()))
    for before, after in zip(good, wrong, strict=True):
        assert len(before) == len(after)
        assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
        assert before[:6] == after[:6]


def test_empty_secrets() -> None:
    assert with_empty_secrets(settings()) == acme.Settings(site="s", token="", webhook_secret="")


def test_kits_posting_adds_up() -> None:
    lines = sum(line.amount + line.tax for line in POSTING.lines)
    assert lines + POSTING.shipping == POSTING.total


def test_kits_keys_fit_the_strictest_vendor() -> None:
    for command in COMMANDS.values():
        assert len(command.key) <= 40
        assert command.key.replace("-", "").isalnum()


def test_every_rule_but_the_two_on_published_material_has_cases() -> None:
    checked = {case.rule for case in cases(acme.HARNESS)}
    assert set(RULES) - checked == {"spec_checked", "samples_read"}


def test_exempt_rule_is_left_out(tmp_path: Path) -> None:
    rules = [f'{name} = "done"' for name in RULES if name != "throttled"]
    text = "\n".join(["[rules]", *rules, 'throttled = { exempt = "no limit is documented" }'])
    (tmp_path / "quality.toml").write_text(text)
    harness = msgspec.structs.replace(acme.HARNESS, folder=tmp_path)
    assert "throttled" not in {case.rule for case in cases(harness)}
    assert "throttled" in {case.rule for case in cases(acme.HARNESS)}


async def test_report_says_when_the_quality_file_cannot_be_believed(tmp_path: Path) -> None:
    report = await certify(acme.ADAPTER, msgspec.structs.replace(acme.HARNESS, folder=tmp_path))
    assert not report.ok
    assert "quality.toml is missing" in (report.faults[0].fault or "")


async def test_report_carries_what_a_check_stumbled_over() -> None:
    def effects(simulator: object, capability: str, request: object) -> int:
        raise ZeroDivisionError("books")

    harness = msgspec.structs.replace(acme.HARNESS, effects=effects)
    report = await certify(acme.ADAPTER, harness, only="request_built")
    assert [finding.fault for finding in report.faults] == [
        f"raised ZeroDivisionError: books (test_testkit.py:{effects.__code__.co_firstlineno + 1} in effects)"
    ]


def test_adapter_without_a_harness_is_named() -> None:
    with pytest.raises(LookupError, match=r"adapters\.nobody\.harness"):
        find_harness("adapters.nobody")
