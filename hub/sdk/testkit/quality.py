"""Reads an adapter's quality.toml: which rules it keeps, and for which it gives a reason why not."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = "quality.toml"

RULES: Final[Mapping[str, str]] = {
    "request_built": "each operation's request is accepted by the simulator and takes effect once",
    "answer_read": "each operation's answer is read for its reference, label or totals",
    "error_read": "5xx means again later, refused credentials stop the connection",
    "repeat_after_uncertain": "after a lost reply it looks before it repeats, and the effect is there once",
    "duplicate": "the same command or delivery twice is one",
    "out_of_order": "deliveries read the same in any order",
    "throttled": "the vendor's limits are kept, and its waiting times believed",
    "schema_drift": "unknown fields are ignored, a missing identity is Malformed, an unknown word Unmapped",
    "signature": "forged, changed and unsigned deliveries are refused, an empty secret closes the door",
    "redaction": "secrets and people stay out of logs, outcomes and printed values",
    "spec_checked": "requests and simulator are checked against the vendor's published schema",
    "samples_read": "the vendor's own published samples are read",
}


class QualityFault(Exception):
    """A quality file that cannot be believed: names the file, every fault and what to write."""


class _Exempt(msgspec.Struct, forbid_unknown_fields=True):
    exempt: str


class _File(msgspec.Struct, forbid_unknown_fields=True):
    rules: dict[str, str | _Exempt]


def read_quality(folder: Path) -> dict[str, str]:
    """Reasons by exempted rule; every other rule is claimed to be done.

    Raises QualityFault unless quality.toml names every rule, no other, each as "done" or `{ exempt = "reason" }`.
    """
    path = folder / FILE
    if not path.is_file():
        raise QualityFault(f'{path} is missing: [rules] with each of {", ".join(RULES)} = "done"')
    try:
        claimed = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File).rules
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise QualityFault(f"{path}: {error}") from error
    faults = [f"{name} is missing" for name in RULES if name not in claimed]
    faults += [f"{name} is not a rule" for name in claimed if name not in RULES]
    exempt = {}
    for name, claim in claimed.items():
        if isinstance(claim, _Exempt):
            exempt[name] = claim.exempt.strip()
            if not exempt[name]:
                faults.append(f"{name} is exempt without a reason")
        elif claim != "done":
            faults.append(f'{name} is {claim!r}, neither "done" nor {{ exempt = "reason" }}')
    if faults:
        raise QualityFault(f"{path}: {'; '.join(faults)}")
    return exempt
