from pathlib import Path

import pytest

from hub.sdk.testkit.quality import RULES, QualityFault, read_quality


def write(folder: Path, **rules: str) -> Path:
    claims = dict.fromkeys(RULES, '"done"') | rules
    lines = [f"{name} = {claim}" for name, claim in claims.items() if claim]
    (folder / "quality.toml").write_text("\n".join(["[rules]", *lines]))
    return folder


def test_all_done(tmp_path: Path) -> None:
    assert read_quality(write(tmp_path)) == {}


def test_exemptions_carry_their_reason(tmp_path: Path) -> None:
    assert read_quality(write(tmp_path, signature='{ exempt = "it receives nothing" }')) == {
        "signature": "it receives nothing"
    }


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"signature": ""}, "signature is missing"),
        ({"sigature": '"done"'}, "sigature is not a rule"),
        ({"signature": '{ exempt = "  " }'}, "signature is exempt without a reason"),
        ({"signature": '"todo"'}, "signature is 'todo'"),
        ({"signature": "true"}, "rules"),
        ({"signature": '{ exempt = "x", until = "May" }'}, "until"),
    ],
)
def test_files_that_cannot_be_believed(tmp_path: Path, rules: dict[str, str], said: str) -> None:
    with pytest.raises(QualityFault, match=r"quality\.toml") as caught:
        read_quality(write(tmp_path, **rules))
    assert said in str(caught.value)


def test_missing_file_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(QualityFault, match=r"is missing: \[rules\]"):
        read_quality(tmp_path)


def test_broken_toml(tmp_path: Path) -> None:
    (tmp_path / "quality.toml").write_text("[rules\n")
    with pytest.raises(QualityFault, match=r"quality\.toml"):
        read_quality(tmp_path)
