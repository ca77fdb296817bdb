"""Envelopes open where they were sealed, and nowhere else."""

import msgspec
import pytest

from hub.store.vault import SealBroken, Vault

OLD, NEW = b"o" * 32, b"n" * 32
WHERE = {"table": "connection", "row": "C1", "field": "secrets"}


def test_open_returns_what_was_sealed() -> None:
    vault = Vault(NEW)
    envelope = vault.seal({"token": "hush", "count": 3, "none": None}, **WHERE)
    assert vault.open(envelope, **WHERE) == {"token": "hush", "count": 3, "none": None}
    assert envelope.startswith(b"v1.")
    assert b"hush" not in envelope


def test_two_seals_of_one_secret_differ() -> None:
    vault = Vault(NEW)
    assert vault.seal({"a": "b"}, **WHERE) != vault.seal({"a": "b"}, **WHERE)


def test_every_changed_byte_is_noticed() -> None:
    vault = Vault(NEW)
    envelope = vault.seal({"token": "hush"}, **WHERE)
    for position in range(len(envelope)):
        changed = bytearray(envelope)
        changed[position] ^= 1
        with pytest.raises(SealBroken):
            vault.open(bytes(changed), **WHERE)


@pytest.mark.parametrize("end", [0, 3, 12, 25, -1])
def test_a_cut_envelope_is_refused(end: int) -> None:
    vault = Vault(NEW)
    with pytest.raises(SealBroken):
        vault.open(vault.seal({"token": "hush"}, **WHERE)[:end], **WHERE)


@pytest.mark.parametrize("other", [{"table": "account"}, {"row": "C2"}, {"field": "config"}])
def test_an_envelope_opens_in_its_own_row_only(other: dict[str, str]) -> None:
    vault = Vault(NEW)
    envelope = vault.seal({"token": "hush"}, **WHERE)
    with pytest.raises(SealBroken, match="another row"):
        vault.open(envelope, **(WHERE | other))


def test_names_are_not_glued_together() -> None:
    vault = Vault(NEW)
    envelope = vault.seal({"token": "hush"}, table="a", row="bc", field="d")
    with pytest.raises(SealBroken):
        vault.open(envelope, table="ab", row="c", field="d")


def test_rotation_reads_old_and_writes_new() -> None:
    old = Vault(OLD).seal({"token": "hush"}, **WHERE)
    vault = Vault(NEW, OLD)
    assert not old.startswith(vault.written)
    again = vault.seal(vault.open(old, **WHERE), **WHERE)
    assert again.startswith(vault.written)
    assert Vault(NEW).open(again, **WHERE) == {"token": "hush"}
    with pytest.raises(SealBroken, match="does not have"):
        Vault(NEW).open(old, **WHERE)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(bytes(length))


def test_repr_holds_no_key() -> None:
    shown = repr(Vault(NEW, OLD))
    assert NEW.decode() not in shown
    assert msgspec.json.encode(NEW).decode() not in shown
