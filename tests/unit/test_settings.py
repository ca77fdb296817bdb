"""Settings: one file, variables over it, and errors that say what to change."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.settings import Backoff, Settings, SettingsError, find_file, load, make_data_dir, secret_key, secret_keys


def write(folder: Path, text: str) -> Path:
    path = folder / "crossdock.toml"
    path.write_text(text, "utf-8")
    return path


def test_nothing_configured_gives_the_defaults() -> None:
    settings = load({"HOME": "/"}, None)
    assert settings == Settings()
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8080, Path(".crossdock"))
    assert settings.backoff.schedule_seconds == (5, 30, 120, 600, 3600, 14400, 43200)


def test_variables_override_the_file(tmp_path: Path) -> None:
    path = write(
        tmp_path, 'port = 9000\nworkers = 4\npublic_url = "https://hub.example/"\n[backoff]\nmax_attempts = 3\n'
    )
    settings = load({"CROSSDOCK_PORT": "9001", "CROSSDOCK_DATABASE_URL": "postgresql://db/x"}, path)
    assert (settings.port, settings.workers, settings.database_url) == (9001, 4, "postgresql://db/x")
    assert settings.backoff == Backoff(max_attempts=3)
    assert settings.public_url == "https://hub.example"


def test_an_empty_variable_counts_as_absent() -> None:
    assert load({"CROSSDOCK_DATABASE_URL": ""}, None).database_url is None


def test_a_relative_folder_in_the_file_counts_from_the_file(tmp_path: Path) -> None:
    assert load({}, write(tmp_path, 'data_dir = "data"')).data_dir == tmp_path / "data"
    assert load({"CROSSDOCK_DATA_DIR": "data"}, None).data_dir == Path("data")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 1", ["prot", "crossdock.toml", "nearest known one is port"]),
        ("[backoff]\nmax_attempt = 1", ["backoff.max_attempt", "crossdock.toml", "backoff.max_attempts"]),
        ('port = "80"', ["port in", "crossdock.toml", "Expected `int`, got `str`"]),
        ("workers = -1", ["workers in", ">= 0"]),
        ("[backoff]\nschedule_seconds = []", ["backoff in", "schedule_seconds"]),
        ('data_dir = ""', ["data_dir in", "name of a folder"]),
        ('queue_url = "http://user:pass@host"', ["queue_url must start with redis://"]),
        ('log_level = "loud"', ["log_level in", "loud"]),
        ("port = ", ["crossdock.toml is not TOML"]),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, said: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load({}, write(tmp_path, text))
    message = str(caught.value)
    assert [part for part in said if part not in message] == []
    assert "\n" not in message
    assert "pass@" not in message


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "CROSSDOCK_DATABSE_URL",
            "x",
            "unknown setting CROSSDOCK_DATABSE_URL in the environment; the nearest known one is",
        ),
        ("CROSSDOCK_BACKOFF", "x", "unknown setting CROSSDOCK_BACKOFF"),
        ("CROSSDOCK_PORT", "http", "CROSSDOCK_PORT: Expected `int`"),
        ("CROSSDOCK_PORT", "65536", "CROSSDOCK_PORT: Expected `int` <= 65535"),
        ("CROSSDOCK_SECRET_KEY", "", "CROSSDOCK_SECRET_KEY is set but empty"),
    ],
)
def test_a_mistake_in_the_environment_is_named(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load({name: value}, None)


def test_the_file_is_found_by_name_or_variable(tmp_path: Path) -> None:
    assert find_file({}, tmp_path) is None
    path = write(tmp_path, "")
    assert find_file({}, tmp_path) == path
    assert find_file({"CROSSDOCK_CONFIG": str(path)}) == path
    assert load({"CROSSDOCK_CONFIG": str(path)}, path) == Settings()
    with pytest.raises(SettingsError, match="CROSSDOCK_CONFIG names"):
        find_file({"CROSSDOCK_CONFIG": str(tmp_path / "absent.toml")})


def test_secrets_stay_out_of_the_representation() -> None:
    settings = load({"CROSSDOCK_SECRET_KEY": "hush", "CROSSDOCK_DATABASE_URL": "postgres://u:hush@h/d"}, None)
    assert repr(settings) == "Settings(changed: database_url, secret_key)"


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_the_configured_key_is_read_in_either_alphabet(encode: object) -> None:
    key = bytes([251, 255]) * 16
    text = encode(key).decode()  # type: ignore[operator]
    assert secret_key(Settings(secret_key=text)) == key
    assert secret_key(Settings(secret_key=text.rstrip("="))) == key


@pytest.mark.parametrize(
    ("text", "said"), [("short", "holds 3 bytes|not base64"), ("a b", "not base64"), ("*" * 44, "not base64")]
)
def test_a_wrong_key_is_refused(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        secret_key(Settings(secret_key=text))


def test_a_key_is_made_once_and_kept_closed(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    key = secret_key(settings)
    path = tmp_path / "data" / "secret.key"
    assert len(key) == 32
    assert secret_key(settings) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret.key"]
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="can be read by others"):
        secret_key(settings)


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from hub.settings import Settings, secret_key;"
        "print(secret_key(Settings(data_dir=Path(sys.argv[1]))).hex())"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    assert len({process.communicate()[0] for process in started}) == 1
    assert all(process.returncode == 0 for process in started)


def test_the_data_folder_is_closed_to_others_and_an_existing_one_untouched(tmp_path: Path) -> None:
    assert make_data_dir(tmp_path / "a" / "b").stat().st_mode & 0o066 == 0
    (tmp_path / "mine").mkdir(mode=0o750)
    assert make_data_dir(tmp_path / "mine").stat().st_mode & 0o777 == 0o750
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="CROSSDOCK_DATA_DIR"):
        make_data_dir(tmp_path / "file")


def test_a_tilde_means_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    assert make_data_dir(Path("~/data")) == tmp_path / "data"


def test_further_lines_of_the_kept_key_only_open(tmp_path: Path) -> None:
    new, old = (base64.b64encode(letter * 32).decode() for letter in (b"n", b"o"))
    kept = tmp_path / "secret.key"
    kept.write_text(f"{new}\n{old}\n", "ascii")
    kept.chmod(0o600)
    assert secret_keys(Settings(data_dir=tmp_path)) == (b"n" * 32, b"o" * 32)
    kept.write_text(f"{new}\nshort\n", "ascii")
    with pytest.raises(SettingsError, match=r"secret\.key, line 2, (is not|holds)"):
        secret_keys(Settings(data_dir=tmp_path))
    with pytest.raises(SettingsError, match="CROSSDOCK_OTHER_SECRET_KEYS, key 2, holds 2 bytes"):
        secret_keys(Settings(secret_key=new, other_secret_keys=f"{old} YWI="))
