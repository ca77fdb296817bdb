"""What has passed already: a file in `.bench`, so that a stopped campaign goes on with the next seed."""

from pathlib import Path
from typing import Final, Self

import msgspec

FILE: Final = Path(".bench/faults.json")


class Progress(msgspec.Struct, kw_only=True):
    """Seeds and long versions that passed, and those that failed when last run."""

    passed: list[int] = []
    failed: list[int] = []
    kinds: dict[str, str] = {}
    """Long versions: name -> what they measured when they passed."""

    @classmethod
    def read(cls, *, again: bool = False) -> Self:
        """What stands in the file; nothing when there is none or it begins again."""
        if again or not FILE.exists():
            return cls()
        return msgspec.json.decode(FILE.read_bytes(), type=cls)

    def note(self, seed: int, *, passed: bool) -> None:
        """A seed was run."""
        for held in (self.passed, self.failed):
            if seed in held:
                held.remove(seed)
        (self.passed if passed else self.failed).append(seed)
        self._write()

    def note_kind(self, name: str, measured: str) -> None:
        """A long version passed."""
        self.kinds[name] = measured
        self._write()

    def _write(self) -> None:
        FILE.parent.mkdir(exist_ok=True)
        draft = FILE.with_suffix(".new")
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(self)))
        draft.replace(FILE)
