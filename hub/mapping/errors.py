"""What mapping raises: a word nobody mapped, a body nobody can read, a mapping file that is wrong."""


class Unmapped(Exception):
    """A word of the vendor that no code table knows: one exception per (kind, value), what waited is tried again."""

    def __init__(self, kind: str, value: str) -> None:
        super().__init__(f"{kind} {value!r} is not mapped")
        self.kind = kind
        self.value = value


class Malformed(Exception):
    """A body that cannot be read: not JSON, no identity, a field of the wrong type. Names field, path and value."""

    def __init__(self, field: str, path: str, value: str) -> None:
        super().__init__(f"{field}: cannot read {value!r} at {path}")
        self.field = field
        self.path = path
        self.value = value


class MappingFault(Exception):
    """A mapping file, code table or overlay that cannot be compiled. Names the place in the file and what to change."""

    def __init__(self, position: str, message: str) -> None:
        super().__init__(f"{position}: {message}")
        self.position = position
        self.message = message
