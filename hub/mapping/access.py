"""How generated code reaches a value: by attributes of the shape's structs when lean, by keys when careful."""

from collections.abc import Mapping

import msgspec

from hub.mapping.errors import MappingFault
from hub.mapping.shape import Node, attribute
from hub.mapping.spec import Path, Steps


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Where paths start: the variable that holds the row, its node of the shape, and how problems name it."""

    base: str
    node: Node | None
    """None for a row that is a dict in both readings."""
    prefix: str = ""
    field: str = ""
    line: str = "None"
    currency: str = "currency"
    lets: Mapping[str, str] = {}


class Access:
    """Writes the expressions of paths for one of the readings."""

    def __init__(self, shape: Node, *, lean: bool) -> None:
        self.lean = lean
        self.root = Scope(base="document", node=shape)
        self._names = 0

    def _raw(self, path: Path, scope: Scope) -> str:
        """The expression of what stands at a path, unread; None where nothing does."""
        if path.root == "$":
            scope = self.root
        elif path.root:
            if path.root not in scope.lets:
                raise MappingFault(scope.field or "let", f"@{path.root} is not defined by a let above")
            scope = Scope(base=scope.lets[path.root], node=None)
        if not path.steps:
            return scope.base
        if self.lean and scope.node is not None:
            return self._struct_path(scope.base, scope.node, path.steps)
        return _dict_path(scope.base, path.steps)

    def _struct_path(self, base: str, node: Node, steps: Steps) -> str:
        """Attributes as far as the shape has structs, keys from there on."""
        names: list[str] = []
        for number, (name, many) in enumerate(steps):
            node = node.children[name]
            names.append(attribute(name))
            rest = steps[number + 1 :]
            here = f"{base}.{names[0]}" if len(names) == 1 else f"reach({base}, {', '.join(map(repr, names))})"
            if not rest:
                return here
            if not node.entered:
                return _dict_path(f"{{{name!r}: {here}}}", ((name, many), *rest))
            if many:
                row = self._fresh()
                inner = self._struct_path(row, node, rest)
                if any(deeper for _, deeper in rest[:-1]):
                    part = self._fresh()
                    return f"[{part} for {row} in {here} or () for {part} in {inner}]"
                return f"[{inner} for {row} in {here} or ()]"
        raise AssertionError("a path has steps")

    def _fresh(self) -> str:
        self._names += 1
        return f"v{self._names}"


def through(steps: Steps) -> Steps:
    """The same path with its last list gone through too."""
    return (*steps[:-1], (steps[-1][0], True))


def _dict_path(base: str, steps: Steps) -> str:
    if any(many for _, many in steps):
        return f"spread({base}, {steps!r})"
    return f"dig({base}, {tuple(name for name, _ in steps)!r})"
